package iam

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

func (s *Service) keyOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreateAccessKey", s.createAccessKey),
		wire.Op("ListAccessKeys", s.listAccessKeys),
		wire.Op("UpdateAccessKey", s.updateAccessKey),
		wire.Op("DeleteAccessKey", s.deleteAccessKey),
		wire.Op("GetAccessKeyLastUsed", s.getAccessKeyLastUsed),
	}
}

const (
	active   = "Active"
	inactive = "Inactive"

	maxKeys      = 2
	secretBytes  = 30 // 40 characters in base64
	keyIDLetters = 16
)

func (k *Key) status() string {
	if k.Inactive {
		return inactive
	}
	return active
}

// keysOf lists a user's keys, the oldest first.
func (s *State) keysOf(user string) []*Key {
	all := slices.DeleteFunc(sorted(s.Keys), func(k *Key) bool { return k.User != user })
	slices.SortStableFunc(all, func(a, b *Key) int { return a.Created.Compare(b.Created) })
	return all
}

type keyInput struct {
	UserName    *string
	AccessKeyID string `query:"AccessKeyId"`
	Status      string
}

type keyAnswer struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"` // told once, when it is made
	CreateDate      wire.Time
}

func (k *Key) answer() keyAnswer {
	return keyAnswer{UserName: k.User, AccessKeyID: k.ID, Status: k.status(), CreateDate: wire.Time{Time: k.Created}}
}

type keyResult struct{ AccessKey keyAnswer }

// createAccessKey makes a key. Its secret is told in this answer and never
// again (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html).
func (s *Service) createAccessKey(c *wire.Call, in keyInput) (keyResult, error) {
	user, err := own(c, in.UserName)
	if err != nil {
		return keyResult{}, err
	}
	if _, err := s.begin(c, userKind, user, new(checks), nil); err != nil {
		return keyResult{}, err
	}
	if len(s.State.keysOf(user)) >= maxKeys {
		return keyResult{}, limit("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys)
	}
	key := &Key{
		ID: newID(keyPrefix)[:len(keyPrefix)+keyIDLetters], Secret: newSecret(), User: user,
		Created: c.Now().Truncate(time.Second),
	}
	put(&s.State.Keys, key.ID, key)
	answer := key.answer()
	answer.SecretAccessKey = key.Secret.Reveal()
	return keyResult{answer}, nil
}

func newSecret() Secret {
	b := make([]byte, secretBytes)
	rand.Read(b)
	return Secret(base64.StdEncoding.EncodeToString(b))
}

type listKeysInput struct {
	UserName *string
	paging
}

type keysAnswer struct {
	AccessKeyMetadata list[keyAnswer]
	more
}

func (s *Service) listAccessKeys(c *wire.Call, in listKeysInput) (keysAnswer, error) {
	user, err := own(c, in.UserName)
	if err != nil {
		return keysAnswer{}, err
	}
	var v checks
	in.check(&v.Checks)
	if _, err := s.begin(c, userKind, user, &v, nil); err != nil {
		return keysAnswer{}, err
	}
	part, more, err := page(in.paging, s.State.keysOf(user))
	return keysAnswer{listed(part, (*Key).answer), more}, err
}

// key finds a key of a user, after validation and authorisation.
func (s *Service) key(c *wire.Call, in keyInput, v *checks) (*Key, error) {
	user, err := own(c, in.UserName)
	if err != nil {
		return nil, err
	}
	v.accessKeyID(in.AccessKeyID)
	if _, err := s.begin(c, userKind, user, v, nil); err != nil {
		return nil, err
	}
	key, ok := s.State.Keys[in.AccessKeyID]
	if !ok || key.User != user {
		return nil, wire.NotFound("NoSuchEntity", fmt.Sprintf("The Access Key with id %s cannot be found.", in.AccessKeyID))
	}
	return key, nil
}

func (v *checks) accessKeyID(id string) {
	v.Required("accessKeyId", id != "")
	if id != "" {
		v.Length("accessKeyId", id, 16, 128)
		v.Pattern("accessKeyId", id, `[\w]+`)
	}
}

func (s *Service) updateAccessKey(c *wire.Call, in keyInput) (wire.Empty, error) {
	var v checks
	if v.Required("status", in.Status != ""); in.Status != "" {
		v.Enum("status", in.Status, active, inactive, "Expired")
	}
	key, err := s.key(c, in, &v)
	if err == nil {
		key.Inactive = in.Status != active
	}
	return wire.Empty{}, err
}

func (s *Service) deleteAccessKey(c *wire.Call, in keyInput) (wire.Empty, error) {
	key, err := s.key(c, in, new(checks))
	if err == nil {
		delete(s.State.Keys, key.ID)
	}
	return wire.Empty{}, err
}

// owned finds a key with the user whose it is.
func (s *Service) owned(id string) (*Key, *User, bool) {
	key, ok := s.State.Keys[id]
	if !ok {
		return nil, nil, false
	}
	user, ok := s.State.Users[key.User]
	return key, user, ok
}

type lastUse struct {
	LastUsedDate *wire.Time `xml:",omitempty"`
	ServiceName  string
	Region       string
}

type lastUseAnswer struct {
	UserName          string `xml:",omitempty"`
	AccessKeyLastUsed lastUse
}

// getAccessKeyLastUsed says N/A of a key that has signed nothing yet
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html).
// A key that does not exist is refused as if it were somebody else's.
func (s *Service) getAccessKeyLastUsed(c *wire.Call, in keyInput) (lastUseAnswer, error) {
	var v checks
	v.accessKeyID(in.AccessKeyID)
	if err := v.err(c); err != nil {
		return lastUseAnswer{}, err
	}
	key, owner, ok := s.owned(in.AccessKeyID)
	user := c.GlobalARN("iam", "user/*")
	if ok {
		user = owner.ARN
	}
	if err := c.Authorize("iam:GetAccessKeyLastUsed", user, nil); err != nil {
		return lastUseAnswer{}, err
	}
	if !ok {
		return lastUseAnswer{}, wire.Forbidden("AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: iam:GetAccessKeyLastUsed on resource: access key %s", c.Caller.ARN, in.AccessKeyID))
	}
	use := lastUse{LastUsedDate: wire.At(key.LastUse.At), ServiceName: "N/A", Region: "N/A"}
	if !key.LastUse.At.IsZero() {
		use.ServiceName, use.Region = key.LastUse.Service, key.LastUse.Region
	}
	return lastUseAnswer{key.User, use}, nil
}
