package sandbox

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/iam"
	"tegata/awsfake/sts"
	"tegata/awsfake/wire"
	"tegata/emulator"
)

// IAM is what the account has beside the role of the instance.
type IAM struct {
	Users    map[string]User            `yaml:"users"`    // by name
	Roles    map[string]FurtherRole     `yaml:"roles"`    // by name
	Profiles map[string]InstanceProfile `yaml:"profiles"` // by name
	SCPs     map[string]json.RawMessage `yaml:"scps"`     // service control policies by name, beside one that allows everything
}

// A User is one of IAM's, with what programs sign with in its name.
type User struct {
	Policies map[string]json.RawMessage `yaml:"policies"` // IAM documents: what the user may do
	Keys     map[string]AccessKey       `yaml:"keys"`     // by access key id
	Sessions map[string]Session         `yaml:"sessions"` // that STS has given, by access key id
}

// An AccessKey is a long-term one.
type AccessKey struct {
	Secret string `yaml:"secret"`
	Status string `yaml:"status"` // active or inactive; empty means active
	New    bool   `yaml:"new"`    // made as the scenario begins; else long ago
}

// A Session is a set of temporary credentials.
type Session struct {
	Secret string        `yaml:"secret"`
	Token  string        `yaml:"token"`
	Ended  time.Duration `yaml:"ended"` // how long ago; 0 means that it lasts for half a day
}

// A FurtherRole is one that the instance does not have.
type FurtherRole struct {
	Trust    json.RawMessage            `yaml:"trust"`    // IAM document: who may take the role; none means EC2
	Policies map[string]json.RawMessage `yaml:"policies"` // IAM documents: what the role may do
}

// An InstanceProfile is one that the instance does not have.
type InstanceProfile struct {
	Role string `yaml:"role"` // name; empty means none
	New  bool   `yaml:"new"`  // made as the scenario begins; else long ago
}

// The forms of access key ids, and the names of users as CreateUser takes them.
var (
	longTermKey  = form{`AKIA[A-Z2-7]{16}`, "AKIAIOSFODNN7EXAMPLE"}
	temporaryKey = form{`ASIA[A-Z2-7]{16}`, "ASIAIOSFODNN7EXAMPLE"}
	userName     = form{`[\w+=,.@-]{1,64}`, "deploy"}
)

func (s Scenario) validateIAM() error {
	var err error
	for _, name := range slices.Sorted(maps.Keys(s.IAM.Users)) {
		err = firstOf(err, s.IAM.Users[name].validate("iam.users."+name, name))
	}
	for _, name := range slices.Sorted(maps.Keys(s.IAM.Roles)) {
		err = firstOf(err, s.validateFurtherRole("iam.roles."+name, name))
	}
	for _, name := range slices.Sorted(maps.Keys(s.IAM.Profiles)) {
		err = firstOf(err, s.validateProfile("iam.profiles."+name, name))
	}
	return firstOf(err, documents("iam.scps", s.IAM.SCPs))
}

func (u User) validate(key, name string) error {
	err := firstOf(userName.check(key, name), documents(key+".policies", u.Policies))
	for _, id := range slices.Sorted(maps.Keys(u.Keys)) {
		key := key + ".keys." + id
		err = firstOf(err,
			longTermKey.check(key, id),
			given(key+".secret", u.Keys[id].Secret),
			oneOf(key+".status", cmp.Or(u.Keys[id].Status, "active"), "active", "inactive"))
	}
	for _, id := range slices.Sorted(maps.Keys(u.Sessions)) {
		key := key + ".sessions." + id
		err = firstOf(err, temporaryKey.check(key, id), given(key+".secret", u.Sessions[id].Secret), given(key+".token", u.Sessions[id].Token))
		if ended := u.Sessions[id].Ended; ended < 0 {
			err = firstOf(err, invalid(key+".ended", "%v is negative", ended))
		}
	}
	return err
}

func given(key, value string) error {
	if value == "" {
		return invalid(key, "is missing")
	}
	return nil
}

// documents checks policies by their names.
func documents(key string, all map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if err := document(key+"."+name, all[name]); err != nil {
			return err
		}
	}
	return nil
}

func (s Scenario) validateFurtherRole(key, name string) error {
	role := s.IAM.Roles[name]
	err := roleName.check(key, name)
	if name == s.Role.Name {
		err = invalid(key, "is the role of the instance, which stands under role")
	}
	if role.Trust != nil {
		err = firstOf(err, document(key+".trust", role.Trust))
	}
	return firstOf(err, documents(key+".policies", role.Policies))
}

func (s Scenario) validateProfile(key, name string) error {
	role := s.IAM.Profiles[name].Role
	if _, known := s.IAM.Roles[role]; role != "" && role != s.Role.Name && !known {
		return invalid(key+".role", "there is no role %q", role)
	}
	if name == cmp.Or(s.Role.Profile, s.Role.Name) {
		return invalid(key, "is the profile of the instance, which stands under role")
	}
	return profileName.check(key, name)
}

// put adds what the scenario says of IAM to the state of the account at its
// beginning.
func (a IAM) put(state *awsfake.State, i emulator.Instance, begun time.Time) {
	begun = begun.UTC().Truncate(time.Second) // as IAM tells it
	owner := iam.Account{ID: i.Account, Partition: wire.Partition(i.Region)}
	old := i.Launched.Add(-longKnown)
	made := func(isNew bool) time.Time {
		if isNew {
			return begun
		}
		return old
	}
	for name, u := range a.Users {
		user := state.IAM.PutUser(owner, iam.User{Identity: iam.Identity{Name: name, Created: old}, Permissions: inline(u.Policies)})
		for id, k := range u.Keys {
			state.IAM.PutKey(iam.Key{ID: id, Secret: iam.Secret(k.Secret), User: name, Inactive: k.Status == "inactive", Created: made(k.New)})
		}
		for id, session := range u.Sessions {
			putSession(&state.STS, id, session.of(user, begun))
		}
	}
	for name, r := range a.Roles {
		state.IAM.PutRole(owner, iam.Role{Identity: iam.Identity{Name: name, Created: old}, Permissions: inline(r.Policies), Trust: string(r.Trust)})
	}
	for name, p := range a.Profiles {
		state.IAM.PutInstanceProfile(owner, iam.InstanceProfile{Identity: iam.Identity{Name: name, Created: made(p.New)}, Role: p.Role})
	}
	state.IAM.SCPs = a.bounds()
}

func inline(policies map[string]json.RawMessage) iam.Permissions {
	var p iam.Permissions
	for name, text := range policies {
		if p.Inline == nil {
			p.Inline = map[string]string{}
		}
		p.Inline[name] = string(text)
	}
	return p
}

// sessionLifetime is that of GetSessionToken unless it is asked for another.
const sessionLifetime = 12 * time.Hour

func (s Session) of(u *iam.User, begun time.Time) *sts.Session {
	expires := begun.Add(sessionLifetime)
	if s.Ended > 0 {
		expires = begun.Add(-s.Ended)
	}
	return &sts.Session{
		SecretAccessKey: s.Secret, SessionToken: s.Token, Expires: expires,
		ARN: u.ARN, UserID: u.ID, User: u.Name,
	}
}

func putSession(s *sts.State, id string, session *sts.Session) {
	if s.Sessions == nil {
		s.Sessions = map[string]*sts.Session{}
	}
	s.Sessions[id] = session
}

// allowsAll is what AWS attaches to every account of an organisation.
const allowsAll = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// bounds are the service control policies of an organisation with one level.
func (a IAM) bounds() [][]iam.SCP {
	if len(a.SCPs) == 0 {
		return nil
	}
	level := []iam.SCP{{Name: "FullAWSAccess", Document: allowsAll}}
	for _, name := range slices.Sorted(maps.Keys(a.SCPs)) {
		level = append(level, iam.SCP{Name: name, Document: string(a.SCPs[name])})
	}
	return [][]iam.SCP{level}
}
