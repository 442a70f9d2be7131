package iam

import (
	"cmp"
	"encoding/json"
	"time"
)

// An Account is whose resources a scenario describes.
type Account struct {
	ID        string // twelve digits
	Partition string // "" means aws
}

func (a Account) arn(resource string) string {
	return "arn:" + cmp.Or(a.Partition, "aws") + ":iam::" + a.ID + ":" + resource
}

// identify fills what a description leaves out. Ids are the same in every run.
func (a Account) identify(i *Identity, prefix, kind string) {
	i.Path = cmp.Or(i.Path, "/")
	i.ARN = cmp.Or(i.ARN, a.arn(kind+i.Path+i.Name))
	i.ID = cmp.Or(i.ID, seededID(prefix, a.ID, i.Name))
}

// TrustOf is the trust policy of a role for one service, such as
// "ec2.amazonaws.com".
func TrustOf(service string) string {
	name, _ := json.Marshal(service) // a text has a JSON form
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":` + string(name) + `},"Action":"sts:AssumeRole"}]}`
}

// PutUser keeps a user that has at least a name. Path, ARN and id have
// defaults; the id is the same in every run.
func (s *State) PutUser(a Account, u User) *User {
	a.identify(&u.Identity, userPrefix, "user")
	put(&s.Users, u.Name, &u)
	return &u
}

// PutKey keeps an access key that has at least an id, a secret and a user.
func (s *State) PutKey(k Key) *Key {
	put(&s.Keys, k.ID, &k)
	return &k
}

// PutRole keeps a role that has at least a name. Path, ARN and id have
// defaults, as have the trust policy, which is that of EC2, and the longest
// session, which is an hour.
func (s *State) PutRole(a Account, r Role) *Role {
	a.identify(&r.Identity, rolePrefix, "role")
	r.Trust = cmp.Or(r.Trust, TrustOf("ec2.amazonaws.com"))
	r.MaxSession = cmp.Or(r.MaxSession, time.Hour)
	put(&s.Roles, r.Name, &r)
	return &r
}

// PutInstanceProfile keeps an instance profile that has at least a name.
func (s *State) PutInstanceProfile(a Account, p InstanceProfile) *InstanceProfile {
	a.identify(&p.Identity, profilePrefix, "instance-profile")
	put(&s.InstanceProfiles, p.Name, &p)
	return &p
}

// PutPolicy keeps a managed policy that has at least a name and one version.
func (s *State) PutPolicy(a Account, p Policy) *Policy {
	a.identify(&p.Identity, policyPrefix, "policy")
	p.Made = max(p.Made, len(p.Versions))
	if p.Default == "" && len(p.Versions) > 0 {
		p.Default = p.Versions[len(p.Versions)-1].ID
	}
	put(&s.Policies, p.ARN, &p)
	return &p
}

// PutProvider keeps an OpenID Connect provider by its URL.
func (s *State) PutProvider(a Account, p Provider) *Provider {
	p.ARN = cmp.Or(p.ARN, a.arn("oidc-provider/"+p.URL))
	put(&s.Providers, p.URL, &p)
	return &p
}
