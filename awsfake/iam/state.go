package iam

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// State is what IAM keeps of one account. The zero value is an account with
// nobody in it. It survives a round trip through JSON unchanged; secrets are
// in it.
type State struct {
	Users            map[string]*User            // by name
	Keys             map[string]*Key             // of users, by id
	Roles            map[string]*Role            // by name
	InstanceProfiles map[string]*InstanceProfile // by name
	Policies         map[string]*Policy          // the account's own managed policies, by ARN
	Providers        map[string]*Provider        // by issuer without its https://
	SCPs             [][]SCP                     // one list for each level of the organisation, the root's first
}

// An Identity is what users, roles and the like have in common.
type Identity struct {
	Name, Path, ARN, ID string
	Created             time.Time
	Tags                []wire.Tag `json:",omitempty"` // in the order in which they were set
}

// Permissions are the policies of a user or a role.
type Permissions struct {
	Attached []string          `json:",omitempty"` // ARNs of managed policies, in the order of attachment
	Inline   map[string]string `json:",omitempty"` // documents by name
	Boundary string            `json:",omitempty"` // ARN of a managed policy; "" means none
}

// A User is one that may have access keys.
type User struct {
	Identity
	Permissions
}

// A Secret is never shown when printed.
type Secret string

// String hides the secret.
func (Secret) String() string { return "redacted" }

// GoString hides the secret.
func (Secret) GoString() string { return "redacted" }

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// A Key is an access key of a user.
type Key struct {
	ID       string
	Secret   Secret
	User     string // name
	Inactive bool   // switched off, though it exists
	Created  time.Time
	LastUse  Use
}

// A Use tells of the last call that a key or a session signed; the zero value
// means none.
type Use struct {
	At              time.Time
	Service, Region string
}

// A Role is one that may be assumed.
type Role struct {
	Identity
	Permissions
	Description string `json:",omitempty"`
	Trust       string // document
	MaxSession  time.Duration
	LastUse     Use // of one of its sessions
}

// An InstanceProfile carries a role to an instance.
type InstanceProfile struct {
	Identity
	Role string `json:",omitempty"` // name; "" means none yet
}

// A Policy is a managed policy.
type Policy struct {
	Identity
	Description string `json:",omitempty"`
	Updated     time.Time
	Versions    []Version // the oldest first
	Default     string    // id of the version that holds
	Made        int       // how many versions there have ever been
}

// A Version is one of a managed policy's documents.
type Version struct {
	ID       string // "v1"
	Document string
	Created  time.Time
}

// A Provider is an OpenID Connect provider that the account trusts.
type Provider struct {
	ARN         string
	URL         string   // the issuer without its https://
	ClientIDs   []string // audiences
	Thumbprints []string // SHA-1 of certificates, in hex
	Created     time.Time
	Tags        []wire.Tag `json:",omitempty"`
}

// An SCP is a service control policy: a bound on everybody in the account.
type SCP struct{ Name, Document string }

// User returns a user by name.
func (s *State) User(name string) (*User, bool) {
	user, ok := s.Users[name]
	return user, ok
}

// Role returns a role by name.
func (s *State) Role(name string) (*Role, bool) {
	role, ok := s.Roles[name]
	return role, ok
}

// RoleByARN returns a role by its ARN, which has its path.
func (s *State) RoleByARN(arn string) (*Role, bool) {
	role, ok := s.Roles[nameOf(arn)]
	return role, ok && role.ARN == arn
}

// InstanceProfile returns an instance profile by name, however young it is.
func (s *State) InstanceProfile(name string) (*InstanceProfile, bool) {
	profile, ok := s.InstanceProfiles[name]
	return profile, ok
}

// Provider returns an OpenID Connect provider by its issuer, with or without
// https:// before it.
func (s *State) Provider(issuer string) (*Provider, bool) {
	provider, ok := s.Providers[strings.TrimPrefix(issuer, "https://")]
	return provider, ok
}

// nameOf is what follows the path in an ARN.
func nameOf(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// Document returns the document that holds of a managed policy, the account's
// own or one of AWS's.
func (s *State) Document(arn string) (string, bool) {
	p, ok := s.policy(arn)
	if !ok {
		return "", false
	}
	v, ok := p.version(p.Default)
	return v.Document, ok
}

// policy finds a managed policy, the account's own or one of AWS's.
func (s *State) policy(arn string) (*Policy, bool) {
	if p, ok := s.Policies[arn]; ok {
		return p, true
	}
	return managedByAWS(arn)
}

func (p *Policy) version(id string) (Version, bool) {
	i := slices.IndexFunc(p.Versions, func(v Version) bool { return v.ID == id })
	if i < 0 {
		return Version{}, false
	}
	return p.Versions[i], true
}

// Context returns the condition keys that a user's calls carry.
func (u *User) Context() map[string]string {
	keys := principalTags(u.Tags)
	keys["aws:username"], keys["aws:userid"], keys["aws:PrincipalType"] = u.Name, u.ID, "User"
	return keys
}

// Context returns the condition keys that stay with the sessions of a role.
func (r *Role) Context() map[string]string {
	keys := principalTags(r.Tags)
	keys["aws:PrincipalType"] = "AssumedRole"
	return keys
}

func principalTags(tags []wire.Tag) map[string]string {
	keys := map[string]string{}
	for _, t := range tags {
		keys["aws:PrincipalTag/"+t.Key] = t.Value
	}
	return keys
}

// Unique ids are four letters for the kind and 17 letters and digits
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
const (
	userPrefix    = "AIDA"
	rolePrefix    = "AROA"
	profilePrefix = "AIPA"
	policyPrefix  = "ANPA"
	keyPrefix     = "AKIA"
	idLength      = 17
)

func newID(prefix string) string {
	b := make([]byte, idLength)
	rand.Read(b)
	return prefix + base32.StdEncoding.EncodeToString(b)[:idLength]
}

// seededID makes the id of what a scenario describes, the same in every run.
func seededID(prefix, account, name string) string {
	sum := sha256.Sum256([]byte(account + "/" + name))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:idLength]
}

// put adds to a map of the state, which may be nil.
func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// sorted lists a map of the state by its keys.
func sorted[V any](m map[string]V) []V {
	all := make([]V, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[key])
	}
	return all
}
