package kms

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// Words of the API.
const (
	symmetric       = "SYMMETRIC_DEFAULT"
	encryptDecrypt  = "ENCRYPT_DECRYPT"
	managerAWS      = "AWS"
	managerCustomer = "CUSTOMER"

	stateEnabled         = "Enabled"
	stateDisabled        = "Disabled"
	statePendingDeletion = "PendingDeletion"
)

// metadata is what DescribeKey tells of a key.
type metadata struct {
	AWSAccountID          string `json:"AWSAccountId"`
	KeyID                 string `json:"KeyId"`
	Arn                   string
	CreationDate          wire.Time
	Enabled               bool
	Description           string
	KeyUsage              string
	KeyState              string
	DeletionDate          *wire.Time `json:",omitempty"`
	Origin                string
	KeyManager            string
	CustomerMasterKeySpec string
	KeySpec               string
	EncryptionAlgorithms  []string
	MultiRegion           bool
}

func (k *Key) metadata() metadata {
	return metadata{
		AWSAccountID: strings.Split(k.ARN, ":")[4], KeyID: k.ID, Arn: k.ARN, CreationDate: wire.Time{Time: k.Created},
		Enabled: k.state() == stateEnabled, Description: k.Description, KeyUsage: encryptDecrypt, KeyState: k.state(),
		DeletionDate: wire.At(k.Deletion), Origin: "AWS_KMS", KeyManager: k.Manager,
		CustomerMasterKeySpec: symmetric, KeySpec: symmetric, EncryptionAlgorithms: []string{symmetric},
	}
}

func (k *Key) state() string {
	switch {
	case !k.Deletion.IsZero():
		return statePendingDeletion
	case k.Disabled:
		return stateDisabled
	}
	return stateEnabled
}

type keyIn struct {
	KeyID *string `json:"KeyId"`
}

// id checks that there is one.
func (in keyIn) id(c *wire.Call) (string, error) {
	var v wire.Checks
	v.Required("keyId", in.KeyID != nil)
	return orEmpty(in.KeyID), v.Err(c)
}

type describeOut struct{ KeyMetadata metadata }

type createKeyIn struct {
	Policy                         *string
	Description                    string
	KeyUsage                       *string
	KeySpec, CustomerMasterKeySpec *string
	Origin                         *string
	MultiRegion                    bool
	BypassPolicyLockoutSafetyCheck bool
	Tags                           []tag
}

func (s *Service) createKey(c *wire.Call, in createKeyIn) (describeOut, error) {
	if err := in.check(c); err != nil {
		return describeOut{}, err
	}
	if err := c.Authorize("kms:CreateKey", "*", requestTags(in.Tags)); err != nil {
		return describeOut{}, err
	}
	k := newKey(c, wire.UUID())
	k.Description = in.Description
	k.Tags = map[string]string{}
	if err := k.tag(in.Tags); err != nil {
		return describeOut{}, err
	}
	if in.Policy != nil {
		if err := s.setPolicy(c, k, *in.Policy, in.BypassPolicyLockoutSafetyCheck); err != nil {
			return describeOut{}, err
		}
	}
	s.region(c).Keys[k.ID] = k
	return describeOut{k.metadata()}, nil
}

func (in createKeyIn) check(c *wire.Call) error {
	var v wire.Checks
	v.Length("description", in.Description, 0, 8192)
	if in.Policy != nil {
		v.Length("policy", *in.Policy, 1, maxPolicy)
	}
	kinds := []struct {
		member string
		value  *string
		only   string
		others []string
	}{
		{"keyUsage", in.KeyUsage, encryptDecrypt, []string{"SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"}},
		{"keySpec", in.KeySpec, symmetric, otherSpecs()},
		{"customerMasterKeySpec", in.CustomerMasterKeySpec, symmetric, otherSpecs()},
		{"origin", in.Origin, "AWS_KMS", []string{"EXTERNAL", "AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"}},
	}
	for _, asked := range kinds {
		if asked.value != nil {
			v.Enum(asked.member, *asked.value, append(asked.others, asked.only)...)
		}
	}
	if err := v.Err(c); err != nil {
		return err
	}
	for _, asked := range kinds {
		if asked.value != nil && *asked.value != asked.only {
			return wire.Refuse("UnsupportedOperationException", "tegata's stand-in for KMS makes symmetric keys of its own only, not "+*asked.value+".")
		}
	}
	if in.MultiRegion {
		return wire.Refuse("UnsupportedOperationException", "tegata's stand-in for KMS has no multi-Region keys.")
	}
	return nil
}

// otherSpecs are those of keys that AWS makes and this service does not.
func otherSpecs() []string {
	return []string{
		"RSA_2048", "RSA_3072", "RSA_4096", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1",
		"HMAC_224", "HMAC_256", "HMAC_384", "HMAC_512", "SM2", "ML_DSA_44", "ML_DSA_65", "ML_DSA_87", "ECC_NIST_EDWARDS25519",
	}
}

func (s *Service) describeKey(c *wire.Call, in keyIn) (describeOut, error) {
	id, err := in.id(c)
	if err != nil {
		return describeOut{}, err
	}
	k, err := s.key(c, id, "kms:DescribeKey", Use{})
	if err != nil {
		return describeOut{}, err
	}
	return describeOut{k.metadata()}, nil
}

type pageIn struct {
	Limit  *int
	Marker string
}

// pageOf cuts a page of at most limit items.
func pageOf[T any](c *wire.Call, in pageIn, all []T, limit int) (page []T, next string, err error) {
	size := 100
	if in.Limit != nil {
		var v wire.Checks
		v.Range("limit", *in.Limit, 1, limit)
		if err := v.Err(c); err != nil {
			return nil, "", err
		}
		size = *in.Limit
	}
	page, next, err = wire.Page(all, min(size, limit), in.Marker)
	if err != nil {
		err = wire.Refuse("InvalidMarkerException", "Could not deserialize marker '"+in.Marker+"'")
	}
	return page, next, err
}

type listedKey struct {
	KeyArn string
	KeyID  string `json:"KeyId"`
}

type listKeysOut struct {
	Keys       []listedKey
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listKeys(c *wire.Call, in pageIn) (out listKeysOut, err error) {
	if err := c.Authorize("kms:ListKeys", "*", nil); err != nil {
		return out, err
	}
	r := s.region(c)
	all := []listedKey{}
	for _, id := range slices.Sorted(maps.Keys(r.Keys)) {
		if k := r.Keys[id]; !r.expire(k, c.Now()) {
			all = append(all, listedKey{k.ARN, k.ID})
		}
	}
	out.Keys, out.NextMarker, err = pageOf(c, in, all, 1000)
	out.Truncated = out.NextMarker != ""
	return out, err
}

// change runs one of the settings of a key that is not being deleted.
func (s *Service) change(c *wire.Call, in keyIn, action string, do func(*Key)) (wire.Empty, error) {
	id, err := in.id(c)
	if err != nil {
		return wire.Empty{}, err
	}
	k, err := s.ownKey(c, id, action)
	if err == nil {
		err = k.changeable()
	}
	if err == nil {
		do(k)
	}
	return wire.Empty{}, err
}

func (s *Service) enableKey(c *wire.Call, in keyIn) (wire.Empty, error) {
	return s.change(c, in, "kms:EnableKey", func(k *Key) { k.Disabled = false })
}

func (s *Service) disableKey(c *wire.Call, in keyIn) (wire.Empty, error) {
	return s.change(c, in, "kms:DisableKey", func(k *Key) { k.Disabled = true })
}

type describeAsIn struct {
	KeyID       *string `json:"KeyId"`
	Description *string
}

func (s *Service) updateKeyDescription(c *wire.Call, in describeAsIn) (wire.Empty, error) {
	var v wire.Checks
	v.Required("description", in.Description != nil)
	v.Length("description", orEmpty(in.Description), 0, 8192)
	if err := v.Err(c); err != nil {
		return wire.Empty{}, err
	}
	return s.change(c, keyIn{in.KeyID}, "kms:UpdateKeyDescription", func(k *Key) { k.Description = *in.Description })
}

type scheduleIn struct {
	KeyID               *string `json:"KeyId"`
	PendingWindowInDays *int
}

type scheduleOut struct {
	KeyID               string     `json:"KeyId"`
	DeletionDate        *wire.Time `json:",omitempty"`
	KeyState            string     `json:",omitempty"`
	PendingWindowInDays int        `json:",omitempty"`
}

func (s *Service) scheduleKeyDeletion(c *wire.Call, in scheduleIn) (scheduleOut, error) {
	days := 30
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	var v wire.Checks
	v.Range("pendingWindowInDays", days, 1, 365)
	if err := v.Err(c); err != nil {
		return scheduleOut{}, err
	}
	if days < 7 || days > 30 {
		return scheduleOut{}, wire.Refuse("ValidationException", "PendingWindowInDays must be between 7 and 30")
	}
	var of *Key
	_, err := s.change(c, keyIn{in.KeyID}, "kms:ScheduleKeyDeletion", func(k *Key) {
		k.Deletion, k.Disabled = c.Now().Add(time.Duration(days)*24*time.Hour), true
		of = k
	})
	if err != nil {
		return scheduleOut{}, err
	}
	return scheduleOut{of.ARN, wire.At(of.Deletion), statePendingDeletion, days}, nil
}

// cancelKeyDeletion leaves the key disabled, as AWS does.
func (s *Service) cancelKeyDeletion(c *wire.Call, in keyIn) (scheduleOut, error) {
	id, err := in.id(c)
	if err != nil {
		return scheduleOut{}, err
	}
	k, err := s.ownKey(c, id, "kms:CancelKeyDeletion")
	if err != nil {
		return scheduleOut{}, err
	}
	if k.Deletion.IsZero() {
		return scheduleOut{}, wire.Refuse("KMSInvalidStateException", k.ARN+" is not pending deletion.")
	}
	k.Deletion, k.Disabled = time.Time{}, true
	return scheduleOut{KeyID: k.ARN}, nil
}

type enableRotationIn struct {
	keyIn
	RotationPeriodInDays *int
}

// enableKeyRotation keeps the period of an earlier time unless a new one is given.
func (s *Service) enableKeyRotation(c *wire.Call, in enableRotationIn) (wire.Empty, error) {
	if in.RotationPeriodInDays == nil {
		return s.rotate(c, in.keyIn, "kms:EnableKeyRotation", func(k *Key) { k.Rotation = true })
	}
	var v wire.Checks
	v.Range("rotationPeriodInDays", *in.RotationPeriodInDays, 90, 2560)
	if err := v.Err(c); err != nil {
		return wire.Empty{}, err
	}
	return s.rotate(c, in.keyIn, "kms:EnableKeyRotation", func(k *Key) { k.Rotation, k.RotationDays = true, *in.RotationPeriodInDays })
}

func (s *Service) disableKeyRotation(c *wire.Call, in keyIn) (wire.Empty, error) {
	return s.rotate(c, in, "kms:DisableKeyRotation", func(k *Key) { k.Rotation = false })
}

func (s *Service) rotate(c *wire.Call, in keyIn, action string, change func(*Key)) (wire.Empty, error) {
	id, err := in.id(c)
	if err != nil {
		return wire.Empty{}, err
	}
	k, err := s.ownKey(c, id, action)
	if err == nil {
		err = k.usable()
	}
	if err == nil {
		change(k)
	}
	return wire.Empty{}, err
}

// yearOfRotation is the period in days when none was given.
const yearOfRotation = 365

type rotationOut struct {
	KeyID                string `json:"KeyId"`
	KeyRotationEnabled   bool
	RotationPeriodInDays int `json:",omitempty"`
}

func (s *Service) getKeyRotationStatus(c *wire.Call, in keyIn) (rotationOut, error) {
	id, err := in.id(c)
	if err != nil {
		return rotationOut{}, err
	}
	k, err := s.ownKey(c, id, "kms:GetKeyRotationStatus")
	if err == nil {
		err = k.changeable()
	}
	if err != nil {
		return rotationOut{}, err
	}
	out := rotationOut{KeyID: k.ID, KeyRotationEnabled: k.Rotation || k.Manager == managerAWS}
	if out.KeyRotationEnabled {
		out.RotationPeriodInDays = cmp.Or(k.RotationDays, yearOfRotation)
	}
	return out, nil
}
