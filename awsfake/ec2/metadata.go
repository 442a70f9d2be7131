package ec2

import (
	"maps"
	"time"

	"tegata/internal/policy"
)

// Metadata is what the account decides of the metadata of an instance.
type Metadata struct {
	Options MetadataOptions
	Tags    map[string]string
	Profile *Profile  // nil: the instance has none
	Next    time.Time // when all this changes by itself; zero means never
}

// A Profile is an instance profile as the instance meets it.
type Profile struct {
	ARN, ID, Name string
	Role          string // name of the role; "" in the states Gone and Empty
	RoleARN       string
	RoleID        string // AROA…
	State         ProfileState
}

// A ProfileState is what keeps EC2 from credentials for an instance.
type ProfileState int

// The states of a profile, as https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html
// tells of them.
const (
	Ready     ProfileState = iota // there are credentials
	Gone                          // it was deleted: InstanceProfileNotFound
	Empty                         // it contains no role
	Untrusted                     // the role does not let EC2 take it: AssumeRoleUnauthorizedAccess
)

// Metadata returns what the metadata service of an instance has to follow at a
// moment; not ok means there is no such instance.
func (s *Service) Metadata(region, id string, now time.Time) (m Metadata, ok bool) {
	r := s.State.at(region)
	i := r.Instances[id]
	if i == nil {
		return Metadata{}, false
	}
	m = Metadata{Options: i.optionsAt(now), Tags: maps.Clone(i.Tags), Next: r.next(i, now)}
	if a := r.inForce(id, now); a != nil {
		m.Profile = s.meet(a, now)
	}
	return m, true
}

// next is the first moment after now at which something comes or goes.
func (r *Region) next(i *Instance, now time.Time) time.Time {
	dates := []time.Time{i.AppliedAt}
	for _, a := range r.Associations {
		if a.Instance == i.ID {
			dates = append(dates, a.Begins, a.Ends)
		}
	}
	var first time.Time
	for _, at := range dates {
		if at.After(now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// meet looks at the profile as IAM has it now. One that was deleted and made
// again is another one.
func (s *Service) meet(a *Association, now time.Time) *Profile {
	p := &Profile{ARN: a.ProfileARN, ID: a.ProfileID, Name: profileName(a.ProfileARN)}
	found, ok := s.Directory.InstanceProfile(p.Name, now)
	switch {
	case !ok || found.ID != a.ProfileID:
		p.State = Gone
		return p
	case found.Role == nil:
		p.State = Empty
		return p
	case !policy.Trusts(found.Role.Trust, "ec2.amazonaws.com"):
		p.State = Untrusted
	}
	p.Role, p.RoleARN, p.RoleID = found.Role.Name, found.Role.ARN, found.Role.ID
	return p
}
