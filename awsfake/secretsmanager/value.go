package secretsmanager

import (
	"errors"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/kms"
	"tegata/awsfake/wire"
)

// maxValue is the largest value in bytes.
const maxValue = 65536

// A value is what a call brings. An empty one means none.
type value struct {
	SecretString *string
	SecretBinary []byte
}

func (v value) given() bool { return v.SecretString != nil || v.SecretBinary != nil }

func (v value) bytes() []byte {
	if v.SecretString != nil {
		return []byte(*v.SecretString)
	}
	return v.SecretBinary
}

// GoString and String hide what a call brings.
func (v value) GoString() string { return redacted }
func (v value) String() string   { return redacted }

func (v value) check(c *wire.Call, token *string) error {
	var check wire.Checks
	if token != nil {
		check.Length("clientRequestToken", *token, 32, 64)
	}
	member := "secretBinary"
	if v.SecretString != nil {
		member = "secretString"
	}
	switch size := len(v.bytes()); {
	case size > maxValue:
		check.TooLong(member, maxValue)
	case v.given() && size == 0:
		check.Length(member, "", 1, maxValue)
	}
	if err := check.Err(c); err != nil {
		return err
	}
	if v.SecretString != nil && v.SecretBinary != nil {
		return wire.Refuse("InvalidParameterException", "You can't specify both a binary secret value and a string secret value in the same secret.")
	}
	return nil
}

// use binds a ciphertext to its version
// (https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html).
func (s *Secret) use(version string) kms.Use {
	return kms.Use{Via: "secretsmanager", Context: map[string]string{"SecretARN": s.ARN, "SecretVersionId": version}}
}

// keyID is the key for new versions.
func (s *Secret) keyID() string {
	if s.KeyID == "" {
		return defaultKey
	}
	return s.KeyID
}

// seal makes a version that isn't yet the secret's.
func (s *Service) seal(c *wire.Call, secret *Secret, id string, v value) (*Version, error) {
	blob, arn, err := s.Keys.EncryptData(c, secret.keyID(), secret.use(id), v.bytes())
	if err != nil {
		return nil, ofKey(err, "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key. "+
			"Check that the KMS key is available, enabled, and not in an invalid state.")
	}
	return &Version{ID: id, Created: c.Now(), Binary: v.SecretString == nil, Blob: blob, KeyARN: arn}, nil
}

func (s *Service) open(c *wire.Call, secret *Secret, v *Version) ([]byte, error) {
	text, _, err := s.Keys.Decrypt(c, secret.use(v.ID), v.Blob)
	if err != nil {
		return nil, ofKey(err, "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
	}
	return text, nil
}

// ofKey is what a refusal of KMS becomes.
func ofKey(err error, code, text string) error {
	e, ok := errors.AsType[*wire.Error](err)
	switch {
	case !ok:
		return err
	case e.Code == "AccessDeniedException":
		return wire.Refuse(e.Code, "Access to KMS is not allowed")
	}
	return wire.Refuse(code, text)
}

// write adds a version, or finds that the call has been made before. Without a
// token the version gets an id of its own.
func (s *Service) write(c *wire.Call, secret *Secret, token *string, v value, stages []string) (*Version, error) {
	id := wire.UUID()
	if token != nil {
		id = *token
	}
	if before := secret.Versions[id]; before != nil {
		text, err := s.open(c, secret, before)
		if err != nil {
			return nil, err
		}
		if string(text) != string(v.bytes()) || before.Binary != (v.SecretString == nil) {
			return nil, wire.Refuse("ResourceExistsException", "You can't use ClientRequestToken "+id+" because that value is already in use for a version of secret "+secret.ARN+".")
		}
		return before, nil
	}
	version, err := s.seal(c, secret, id, v)
	if err != nil {
		return nil, err
	}
	if len(secret.Versions) == 0 && !slices.Contains(stages, stageCurrent) {
		stages = append(slices.Clone(stages), stageCurrent) // a secret has a current version from the first on
	}
	secret.Versions[id] = version
	for _, stage := range stages {
		secret.move(stage, version)
	}
	secret.Changed = c.Now()
	secret.prune()
	return version, nil
}

// maxVersions is how many versions a secret may have; deprecated ones make
// way.
const maxVersions = 100

func (s *Secret) prune() {
	for len(s.Versions) > maxVersions {
		var oldest *Version
		for _, v := range s.Versions {
			if len(v.Stages) == 0 && (oldest == nil || v.Created.Before(oldest.Created)) {
				oldest = v
			}
		}
		if oldest == nil {
			return
		}
		delete(s.Versions, oldest.ID)
	}
}

// holder is the version that has a stage; nil if none has.
func (s *Secret) holder(stage string) *Version {
	for _, v := range s.Versions {
		if slices.Contains(v.Stages, stage) {
			return v
		}
	}
	return nil
}

// move gives a stage to a version, or with nil to none. What was current is
// the previous one then.
func (s *Secret) move(stage string, to *Version) {
	from := s.holder(stage)
	if from == to {
		return
	}
	if from != nil {
		from.Stages = slices.DeleteFunc(slices.Clone(from.Stages), func(has string) bool { return has == stage })
	}
	if to != nil {
		to.Stages = append(to.Stages, stage)
		slices.Sort(to.Stages)
	}
	if stage == stageCurrent && from != nil && to != nil {
		s.move(stagePrevious, from)
	}
}

type getIn struct {
	SecretID     *string `json:"SecretId"`
	VersionID    *string `json:"VersionId"`
	VersionStage *string
}

type getOut struct {
	ARN           string
	CreatedDate   *wire.Time
	Name          string
	SecretBinary  []byte  `json:",omitempty"`
	SecretString  *string `json:",omitempty"`
	VersionID     string  `json:"VersionId"`
	VersionStages []string
}

// A Value is a version, read.
type Value struct {
	ARN, Name, VersionID string
	Stages               []string
	Created              time.Time
	Text                 string
	Binary               []byte
}

// GoString and String hide the value.
func (v Value) GoString() string { return v.ARN + " (value redacted)" }
func (v Value) String() string   { return v.GoString() }

// Read reads a version for another service on behalf of its caller; "" means
// what GetSecretValue takes where none is named. Its errors are those of
// GetSecretValue.
func (s *Service) Read(c *wire.Call, id, version, stage string) (Value, error) {
	as := *c
	as.Operation = "GetSecretValue"
	in := getIn{SecretID: &id}
	if version != "" {
		in.VersionID = &version
	}
	if stage != "" {
		in.VersionStage = &stage
	}
	out, err := s.getSecretValue(&as, in)
	if err != nil {
		return Value{}, err
	}
	v := Value{ARN: out.ARN, Name: out.Name, VersionID: out.VersionID, Stages: out.VersionStages, Created: out.CreatedDate.Time, Binary: out.SecretBinary}
	if out.SecretString != nil {
		v.Text = *out.SecretString
	}
	return v, nil
}

// context are the condition keys of which version is asked for.
func (in getIn) context() map[string]string {
	context := map[string]string{}
	switch {
	case in.VersionStage != nil:
		context["secretsmanager:VersionStage"] = *in.VersionStage
	case in.VersionID == nil:
		context["secretsmanager:VersionStage"] = stageCurrent
	}
	if in.VersionID != nil {
		context["secretsmanager:VersionId"] = *in.VersionID
	}
	return context
}

func (s *Service) getSecretValue(c *wire.Call, in getIn) (getOut, error) {
	var check wire.Checks
	if in.VersionID != nil {
		check.Length("versionId", *in.VersionID, 32, 64)
	}
	if in.VersionStage != nil {
		check.Length("versionStage", *in.VersionStage, 1, 256)
	}
	if err := check.Err(c); err != nil {
		return getOut{}, err
	}
	secret, err := s.living(c, in.SecretID, in.context())
	if err != nil {
		return getOut{}, err
	}
	v, err := secret.pick(in)
	if err != nil {
		return getOut{}, err
	}
	text, err := s.open(c, secret, v)
	if err != nil {
		return getOut{}, err
	}
	v.Accessed = c.Now().Truncate(24 * time.Hour)
	secret.Accessed = v.Accessed
	out := getOut{ARN: secret.ARN, CreatedDate: wire.At(v.Created), Name: secret.Name, VersionID: v.ID, VersionStages: v.Stages}
	if v.Binary {
		out.SecretBinary = text
	} else {
		plain := string(text)
		out.SecretString = &plain
	}
	return out, nil
}

// pick finds the version that is asked for.
func (s *Secret) pick(in getIn) (*Version, error) {
	stage := stageCurrent
	if in.VersionStage != nil {
		stage = *in.VersionStage
	}
	if in.VersionID == nil {
		if v := s.holder(stage); v != nil {
			return v, nil
		}
		return nil, wire.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for staging label: "+stage)
	}
	v := s.Versions[*in.VersionID]
	switch {
	case v == nil:
		return nil, wire.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value for VersionId: "+*in.VersionID)
	case in.VersionStage != nil && !slices.Contains(v.Stages, stage):
		return nil, wire.Refuse("InvalidRequestException", "You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

type putIn struct {
	SecretID           *string `json:"SecretId"`
	ClientRequestToken *string
	VersionStages      []string
	value
}

type putOut struct {
	ARN           string
	Name          string
	VersionID     string   `json:"VersionId,omitempty"`
	VersionStages []string `json:",omitempty"`
}

func (s *Service) putSecretValue(c *wire.Call, in putIn) (putOut, error) {
	if err := in.check(c, in.ClientRequestToken); err != nil {
		return putOut{}, err
	}
	if !in.given() {
		return putOut{}, wire.Refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	}
	secret, err := s.living(c, in.SecretID, nil)
	if err != nil {
		return putOut{}, err
	}
	stages := in.VersionStages
	if stages == nil {
		stages = []string{stageCurrent}
	}
	v, err := s.write(c, secret, in.ClientRequestToken, in.value, stages)
	if err != nil {
		return putOut{}, err
	}
	return putOut{secret.ARN, secret.Name, v.ID, v.Stages}, nil
}

type moveIn struct {
	SecretID            *string `json:"SecretId"`
	VersionStage        *string
	RemoveFromVersionID string `json:"RemoveFromVersionId"`
	MoveToVersionID     string `json:"MoveToVersionId"`
}

// updateSecretVersionStage takes a stage from one version, gives it to
// another, or both. Who takes it must say from where.
func (s *Service) updateSecretVersionStage(c *wire.Call, in moveIn) (putOut, error) {
	var check wire.Checks
	check.Required("versionStage", in.VersionStage != nil)
	if err := check.Err(c); err != nil {
		return putOut{}, err
	}
	secret, err := s.living(c, in.SecretID, map[string]string{"secretsmanager:VersionStage": *in.VersionStage})
	if err != nil {
		return putOut{}, err
	}
	for _, id := range []string{in.RemoveFromVersionID, in.MoveToVersionID} {
		if id != "" && secret.Versions[id] == nil {
			return putOut{}, wire.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret version: "+id+".")
		}
	}
	if err := in.allowed(secret.holder(*in.VersionStage)); err != nil {
		return putOut{}, err
	}
	secret.move(*in.VersionStage, secret.Versions[in.MoveToVersionID])
	secret.Changed = c.Now()
	return putOut{ARN: secret.ARN, Name: secret.Name}, nil
}

// allowed compares the call with the version that has the stage now.
func (in moveIn) allowed(holder *Version) error {
	stage := *in.VersionStage
	switch {
	case in.MoveToVersionID == "" && stage == stageCurrent:
		return wire.Refuse("InvalidParameterException", "You can only move staging label "+stageCurrent+" to a different secret version. It can’t be completely removed.")
	case in.RemoveFromVersionID != "" && (holder == nil || holder.ID != in.RemoveFromVersionID):
		return wire.Refuse("InvalidParameterException", "Staging label "+stage+" is not currently attached to version "+in.RemoveFromVersionID+".")
	case in.RemoveFromVersionID == "" && holder != nil && holder.ID != in.MoveToVersionID:
		return wire.Refuse("InvalidParameterException", strings.Join([]string{"The parameter RemoveFromVersionId can't be empty. Staging label", stage,
			"is currently attached to version", holder.ID + ", so you must explicitly reference that version in RemoveFromVersionId."}, " "))
	}
	return nil
}
