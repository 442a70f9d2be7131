package iam

import (
	"time"

	"tegata/awsfake/wire"
)

// Key returns an access key and the user whose it is, as other services know
// it: not while it is younger than [Options.Propagation]. An inactive key is
// returned too.
func (s *Service) Key(id string, now time.Time) (Key, *User, bool) {
	key, user, ok := s.owned(id)
	if !ok || s.young(key.Created, now) {
		return Key{}, nil, false
	}
	return *key, user, true
}

// Caller is a user as one who signs with the key.
func (s *Service) Caller(u *User, key Key) wire.Caller {
	return wire.Caller{
		AccessKeyID: key.ID, ARN: u.ARN, UserID: u.ID, Principal: u.ARN, User: u.Name, LongTerm: true,
		Policies: s.UserLayers(u), Context: u.Context(),
	}
}

// Used notes that a key has signed a call, for GetAccessKeyLastUsed. A key
// that is none of IAM's is passed over.
func (s *Service) Used(id string, u Use) {
	if key, ok := s.State.Keys[id]; ok {
		u.At = u.At.UTC().Truncate(time.Second)
		key.LastUse = u
	}
}

// UsedRole notes that a session of a role has signed a call, for GetRole.
func (s *Service) UsedRole(name string, u Use) {
	if role, ok := s.State.Roles[name]; ok {
		u.At = u.At.UTC().Truncate(time.Second)
		role.LastUse = u
	}
}

// InstanceProfile returns an instance profile as other services know it: not
// while it is younger than [Options.Propagation].
func (s *Service) InstanceProfile(name string, now time.Time) (*InstanceProfile, bool) {
	profile, ok := s.State.InstanceProfiles[name]
	if !ok || s.young(profile.Created, now) {
		return nil, false
	}
	return profile, true
}

// Role returns a role by name.
func (s *Service) Role(name string) (*Role, bool) { return s.State.Role(name) }

// young is the eventual consistency of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html.
func (s *Service) young(created, now time.Time) bool {
	return now.Before(created.Add(s.Options.Propagation))
}
