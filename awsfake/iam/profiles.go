package iam

import (
	"slices"

	"tegata/awsfake/wire"
)

func (s *Service) profileOperations() []wire.Operation {
	return slices.Concat([]wire.Operation{
		wire.Op("CreateInstanceProfile", s.createInstanceProfile),
		wire.Op("GetInstanceProfile", s.getInstanceProfile),
		wire.Op("ListInstanceProfiles", s.listInstanceProfiles),
		wire.Op("ListInstanceProfilesForRole", s.listInstanceProfilesForRole),
		wire.Op("AddRoleToInstanceProfile", s.addRole),
		wire.Op("RemoveRoleFromInstanceProfile", s.removeRole),
		wire.Op("DeleteInstanceProfile", s.deleteInstanceProfile),
	}, s.tagOperations(profileKind))
}

const maxProfiles = 1000

// profilesOf lists the profiles that carry a role.
func (s *State) profilesOf(role string) []*InstanceProfile {
	return slices.DeleteFunc(sorted(s.InstanceProfiles), func(p *InstanceProfile) bool { return p.Role != role })
}

type profileAnswer struct {
	Path                string
	InstanceProfileName string
	InstanceProfileID   string `xml:"InstanceProfileId"`
	ARN                 string `xml:"Arn"`
	CreateDate          wire.Time
	Roles               list[roleAnswer]
	Tags                *list[wire.Tag] `xml:",omitempty"`
}

type profileResult struct{ InstanceProfile profileAnswer }

// profileBrief is a profile as lists tell it.
func (s *Service) profileBrief(p *InstanceProfile) profileAnswer {
	a := profileAnswer{Path: p.Path, InstanceProfileName: p.Name, InstanceProfileID: p.ID, ARN: p.ARN, CreateDate: wire.Time{Time: p.Created}}
	if role, ok := s.State.Roles[p.Role]; ok {
		told := role.brief()
		told.MaxSessionDuration, told.Description = 0, ""
		a.Roles.Members = []roleAnswer{told}
	}
	return a
}

func (s *Service) profileAnswer(p *InstanceProfile) profileResult {
	a := s.profileBrief(p)
	a.Tags = tagList(p.Tags)
	return profileResult{a}
}

type createProfileInput struct {
	InstanceProfileName string
	Path                *string
	Tags                []wire.Tag
}

func (s *Service) createInstanceProfile(c *wire.Call, in createProfileInput) (profileResult, error) {
	var v checks
	v.name("instanceProfileName", in.InstanceProfileName, profileKind.most)
	v.path("path", in.Path)
	v.tags(in.Tags)
	if err := v.err(c); err != nil {
		return profileResult{}, err
	}
	identity := newIdentity(c, profileKind, profilePrefix, in.InstanceProfileName, in.Path, in.Tags)
	if err := s.authorizeNew(c, identity, nil); err != nil {
		return profileResult{}, err
	}
	switch {
	case beside(s.State.InstanceProfiles, in.InstanceProfileName):
		return profileResult{}, wire.Conflict("EntityAlreadyExists", "Instance Profile "+in.InstanceProfileName+" already exists.")
	case len(s.State.InstanceProfiles) >= maxProfiles:
		return profileResult{}, limit("Cannot exceed quota for InstanceProfilesPerAccount: %d", maxProfiles)
	}
	profile := &InstanceProfile{Identity: identity}
	put(&s.State.InstanceProfiles, profile.Name, profile)
	return s.profileAnswer(profile), nil
}

// profile is begin for an operation on an instance profile.
func (s *Service) profile(c *wire.Call, name string, v *checks) (*InstanceProfile, error) {
	if _, err := s.begin(c, profileKind, name, v, nil); err != nil {
		return nil, err
	}
	return s.State.InstanceProfiles[name], nil
}

func (s *Service) getInstanceProfile(c *wire.Call, in subject) (profileResult, error) {
	profile, err := s.profile(c, in.InstanceProfileName, new(checks))
	if err != nil {
		return profileResult{}, err
	}
	return s.profileAnswer(profile), nil
}

type profilesAnswer struct {
	InstanceProfiles list[profileAnswer]
	more
}

func (s *Service) listInstanceProfiles(c *wire.Call, in listInput) (profilesAnswer, error) {
	if err := in.check(c, profileKind); err != nil {
		return profilesAnswer{}, err
	}
	all := under(in, sorted(s.State.InstanceProfiles), func(p *InstanceProfile) string { return p.Path })
	part, more, err := page(in.paging, all)
	return profilesAnswer{listed(part, s.profileBrief), more}, err
}

func (s *Service) listInstanceProfilesForRole(c *wire.Call, in listOf) (profilesAnswer, error) {
	var v checks
	in.check(&v.Checks)
	if _, err := s.role(c, in.RoleName, &v); err != nil {
		return profilesAnswer{}, err
	}
	part, more, err := page(in.paging, s.State.profilesOf(in.RoleName))
	return profilesAnswer{listed(part, s.profileBrief), more}, err
}

// addRole gives a profile its role. Who does it hands the role to EC2, and
// needs iam:PassRole on it
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddRoleToInstanceProfile.html).
func (s *Service) addRole(c *wire.Call, in subject) (wire.Empty, error) {
	var v checks
	v.name("roleName", in.RoleName, roleKind.most)
	profile, err := s.profile(c, in.InstanceProfileName, &v)
	if err != nil {
		return wire.Empty{}, err
	}
	role, err := s.passed(c, in.RoleName)
	switch {
	case err != nil:
		return wire.Empty{}, err
	case profile.Role != "":
		return wire.Empty{}, limit("Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
	}
	profile.Role = role.Name
	return wire.Empty{}, nil
}

// passed finds a role that the caller hands to EC2.
func (s *Service) passed(c *wire.Call, name string) (*Role, error) {
	role, ok := s.State.Roles[name]
	arn := c.GlobalARN("iam", "role/"+name)
	if ok {
		arn = role.ARN
	}
	if err := c.Authorize("iam:PassRole", arn, map[string]string{"iam:PassedToService": "ec2.amazonaws.com"}); err != nil {
		return nil, err
	}
	if !ok {
		return nil, wire.NotFound("NoSuchEntity", "The role with name "+name+" cannot be found.")
	}
	return role, nil
}

func (s *Service) removeRole(c *wire.Call, in subject) (wire.Empty, error) {
	var v checks
	v.name("roleName", in.RoleName, roleKind.most)
	profile, err := s.profile(c, in.InstanceProfileName, &v)
	switch {
	case err != nil:
		return wire.Empty{}, err
	case profile.Role != in.RoleName:
		return wire.Empty{}, wire.NotFound("NoSuchEntity", "The role with name "+in.RoleName+" cannot be found.")
	}
	profile.Role = ""
	return wire.Empty{}, nil
}

func (s *Service) deleteInstanceProfile(c *wire.Call, in subject) (wire.Empty, error) {
	profile, err := s.profile(c, in.InstanceProfileName, new(checks))
	switch {
	case err != nil:
		return wire.Empty{}, err
	case profile.Role != "":
		return wire.Empty{}, notEmpty("Cannot delete entity, must remove roles from instance profile first.")
	}
	delete(s.State.InstanceProfiles, profile.Name)
	return wire.Empty{}, nil
}
