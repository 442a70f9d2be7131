// Package kms is the Key Management Service, as far as keys that encrypt go:
// keys with their states, policies, aliases and tags, and what is encrypted
// under them.
//
// Start with [Service], whose State may be empty. Other services of the
// account use [Service.Encrypt] and [Service.Decrypt].
//
// Encryption is real (AES-256-GCM, the encryption context is authenticated),
// and so is who may do it: a key's policy is asked first, and the policies of
// the caller count only where the key's policy hands the decision to the
// account (https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html).
//
// What differs from AWS: keys are symmetric ones made by KMS; there are no
// grants, no keys in several regions, no custom stores and no rotation of the
// material, though the setting is kept. A ciphertext isn't one that AWS could
// read. Whether the principals that a key policy names exist is not checked.
package kms

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// State is what KMS keeps of one account, by region. It is JSON as it stands.
type State struct {
	Regions map[string]*Region
}

// A Region holds the keys of one region.
type Region struct {
	Keys    map[string]*Key   // by id
	Aliases map[string]*Alias // by name, with "alias/"
}

// A Key is one KMS key.
type Key struct {
	ID, ARN      string
	Description  string
	Created      time.Time
	Manager      string // CUSTOMER or AWS
	Disabled     bool
	Deletion     time.Time // when it is deleted; zero means it isn't going to be
	Rotation     bool
	RotationDays int    // the period of rotation; zero means a year
	Policy       string // its JSON
	Tags         map[string]string
	Material     Material

	rules *rules // of Policy; nil means not yet read
}

// An Alias is another name of a key.
type Alias struct {
	Key              string // id
	Created, Updated time.Time
}

// Material is the secret of a key. It is data in the state, and redacted
// wherever else it is printed.
type Material []byte

const redacted = "redacted"

func (Material) String() string                 { return redacted }
func (Material) GoString() string               { return redacted }
func (Material) LogValue() slog.Value           { return slog.StringValue(redacted) }
func (Material) Format(f fmt.State, _ rune)     { fmt.Fprint(f, redacted) }
func (m Material) MarshalText() ([]byte, error) { return base64Text(m), nil }
func (m *Material) UnmarshalText(text []byte) (err error) {
	*m, err = base64Bytes(text)
	return err
}

// A Service is KMS in one account.
type Service struct {
	State *State
}

// Wire returns the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "kms", Target: "TrentService", Protocol: wire.JSON,
		Operations: []wire.Operation{
			wire.Op("CancelKeyDeletion", s.cancelKeyDeletion),
			wire.Op("CreateAlias", s.createAlias),
			wire.Op("CreateKey", s.createKey),
			wire.Op("Decrypt", s.decrypt),
			wire.Op("DeleteAlias", s.deleteAlias),
			wire.Op("DescribeKey", s.describeKey),
			wire.Op("DisableKey", s.disableKey),
			wire.Op("DisableKeyRotation", s.disableKeyRotation),
			wire.Op("EnableKey", s.enableKey),
			wire.Op("EnableKeyRotation", s.enableKeyRotation),
			wire.Op("Encrypt", s.encrypt),
			wire.Op("GenerateDataKey", s.generateDataKey),
			wire.Op("GenerateDataKeyWithoutPlaintext", s.generateDataKeyWithoutPlaintext),
			wire.Op("GetKeyPolicy", s.getKeyPolicy),
			wire.Op("GetKeyRotationStatus", s.getKeyRotationStatus),
			wire.Op("ListAliases", s.listAliases),
			wire.Op("ListKeyPolicies", s.listKeyPolicies),
			wire.Op("ListKeys", s.listKeys),
			wire.Op("ListResourceTags", s.listResourceTags),
			wire.Op("PutKeyPolicy", s.putKeyPolicy),
			wire.Op("ReEncrypt", s.reEncrypt),
			wire.Op("ScheduleKeyDeletion", s.scheduleKeyDeletion),
			wire.Op("TagResource", s.tagResource),
			wire.Op("UntagResource", s.untagResource),
			wire.Op("UpdateAlias", s.updateAlias),
			wire.Op("UpdateKeyDescription", s.updateKeyDescription),
		},
	}
}

// region returns what a region has; keys whose time has come are gone.
func (s *Service) region(c *wire.Call) *Region {
	if s.State.Regions == nil {
		s.State.Regions = map[string]*Region{}
	}
	r := s.State.Regions[c.Region]
	if r == nil {
		r = &Region{Keys: map[string]*Key{}, Aliases: map[string]*Alias{}}
		s.State.Regions[c.Region] = r
	}
	return r
}

// expire removes a key whose waiting period is over, with its aliases.
func (r *Region) expire(k *Key, now time.Time) (gone bool) {
	if k.Deletion.IsZero() || now.Before(k.Deletion) {
		return false
	}
	delete(r.Keys, k.ID)
	for name, a := range r.Aliases {
		if a.Key == k.ID {
			delete(r.Aliases, name)
		}
	}
	return true
}

// find returns a key by id, ARN, alias or ARN of an alias. A predefined alias
// of AWS makes its key when it is first named.
func (s *Service) find(c *wire.Call, id string) (*Key, error) {
	name, isARN := id, false
	if strings.HasPrefix(id, "arn:") {
		region, resource, err := splitARN(id)
		if err != nil {
			return nil, err
		}
		if region != c.Region {
			return nil, wire.Refuse("NotFoundException", "Invalid arn "+region)
		}
		name, isARN = resource, true
	}
	if strings.HasPrefix(name, "alias/") {
		return s.byAlias(c, name)
	}
	if isARN {
		name = strings.TrimPrefix(name, "key/")
	}
	return s.byID(c, name)
}

func splitARN(arn string) (region, resource string, err error) {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[2] != "kms" || !strings.HasPrefix(fields[5], "key/") && !strings.HasPrefix(fields[5], "alias/") {
		return "", "", wire.Refuse("InvalidArnException", "Invalid arn "+arn)
	}
	return fields[3], fields[5], nil
}

func (s *Service) byAlias(c *wire.Call, name string) (*Key, error) {
	r := s.region(c)
	if a := r.Aliases[name]; a != nil {
		if k := r.Keys[a.Key]; k != nil && !r.expire(k, c.Now()) {
			return k, nil
		}
	}
	if of, ok := managedBy(name); ok {
		return s.makeManaged(c, name, of), nil
	}
	return nil, wire.Refuse("NotFoundException", "Alias "+c.ARN("kms", name)+" is not found.")
}

func (s *Service) byID(c *wire.Call, id string) (*Key, error) {
	r := s.region(c)
	if k := r.Keys[id]; k != nil && !r.expire(k, c.Now()) {
		return k, nil
	}
	if !isUUID(id) {
		return nil, wire.Refuse("NotFoundException", "Invalid keyId '"+id+"'")
	}
	return nil, wire.Refuse("NotFoundException", "Key '"+c.ARN("kms", "key/"+id)+"' does not exist")
}

func isUUID(id string) bool {
	id = strings.TrimPrefix(id, "mrk-")
	for _, r := range id {
		if (r < '0' || r > '9') && (r < 'a' || r > 'f') && r != '-' {
			return false
		}
	}
	return len(id) == 36 || len(id) == 32
}

// key finds a key and asks whether the caller may do action with it. Of a key
// that doesn't exist, a caller without the right learns only that.
func (s *Service) key(c *wire.Call, id, action string, u Use) (*Key, error) {
	var v wire.Checks
	v.Length("keyId", id, 1, 2048)
	if err := v.Err(c); err != nil {
		return nil, err
	}
	k, err := s.find(c, id)
	if err != nil {
		if denied := c.Authorize(action, s.wouldBe(c, id), u.keys(c, nil)); denied != nil {
			return nil, denied
		}
		return nil, err
	}
	u.alias = aliasOf(id)
	return k, s.permit(c, k, action, u)
}

// ownKey is key for the operations that take no alias.
func (s *Service) ownKey(c *wire.Call, id, action string) (*Key, error) {
	if strings.HasPrefix(id, "alias/") {
		return nil, wire.Refuse("NotFoundException", "Invalid keyId '"+id+"'")
	}
	if aliasOf(id) != "" {
		return nil, wire.Refuse("InvalidArnException", "Invalid arn "+id)
	}
	return s.key(c, id, action, Use{})
}

func (s *Service) wouldBe(c *wire.Call, id string) string {
	switch {
	case strings.HasPrefix(id, "arn:"):
		return id
	case strings.HasPrefix(id, "alias/"):
		return c.ARN("kms", id)
	}
	return c.ARN("kms", "key/"+id)
}

// aliasOf returns the alias that an id is, or whose ARN it is.
func aliasOf(id string) string {
	if i := strings.Index(id, "alias/"); i == 0 || i > 0 && strings.HasPrefix(id, "arn:") {
		return id[i:]
	}
	return ""
}

// usable is the state that encryption and most settings ask for.
func (k *Key) usable() error {
	switch {
	case !k.Deletion.IsZero():
		return wire.Refuse("KMSInvalidStateException", k.ARN+" is pending deletion.")
	case k.Disabled:
		return wire.Refuse("DisabledException", k.ARN+" is disabled.")
	}
	return nil
}

// changeable is the state that settings ask for.
func (k *Key) changeable() error {
	if !k.Deletion.IsZero() {
		return wire.Refuse("KMSInvalidStateException", k.ARN+" is pending deletion.")
	}
	return nil
}

// rules are a key's policy, read.
type rules struct {
	whole  policy.Document
	direct policy.Document // without what it leaves to the account
}
