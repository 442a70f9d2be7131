package iam

import (
	"fmt"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

func (s *Service) roleOperations() []wire.Operation {
	return slices.Concat([]wire.Operation{
		wire.Op("CreateRole", s.createRole),
		wire.Op("GetRole", s.getRole),
		wire.Op("ListRoles", s.listRoles),
		wire.Op("UpdateRole", s.updateRole),
		wire.Op("UpdateRoleDescription", s.updateRoleDescription),
		wire.Op("UpdateAssumeRolePolicy", s.updateAssumeRolePolicy),
		wire.Op("DeleteRole", s.deleteRole),
	}, s.tagOperations(roleKind))
}

type roleAnswer struct {
	Path                     string
	RoleName                 string
	RoleID                   string `xml:"RoleId"`
	ARN                      string `xml:"Arn"`
	CreateDate               wire.Time
	AssumeRolePolicyDocument string
	Description              string          `xml:",omitempty"`
	MaxSessionDuration       int             `xml:",omitempty"`
	PermissionsBoundary      *boundary       `xml:",omitempty"`
	Tags                     *list[wire.Tag] `xml:",omitempty"`
	RoleLastUsed             *roleUse        `xml:",omitempty"`
}

// A roleUse is empty for a role that was not used yet.
type roleUse struct {
	LastUsedDate *wire.Time `xml:",omitempty"`
	Region       string     `xml:",omitempty"`
}

// brief is the role as lists tell it.
func (r *Role) brief() roleAnswer {
	return roleAnswer{
		Path: r.Path, RoleName: r.Name, RoleID: r.ID, ARN: r.ARN, CreateDate: wire.Time{Time: r.Created},
		AssumeRolePolicyDocument: encoded(r.Trust), Description: r.Description, MaxSessionDuration: int(r.MaxSession / time.Second),
	}
}

func (r *Role) answer() roleAnswer {
	a := r.brief()
	a.PermissionsBoundary, a.Tags, a.RoleLastUsed = r.boundary(), tagList(r.Tags), &roleUse{wire.At(r.LastUse.At), r.LastUse.Region}
	return a
}

type roleResult struct{ Role roleAnswer }

type createRoleInput struct {
	RoleName                 string
	AssumeRolePolicyDocument string
	Path                     *string
	Description              *string
	MaxSessionDuration       *int
	PermissionsBoundary      *string
	Tags                     []wire.Tag
}

const (
	maxRoles       = 1000
	maxTrust       = 2048 // characters, white space not counted
	defaultSession = time.Hour
)

// describeRole validates what making and updating a role share.
func (v *checks) describeRole(description *string, maxSession *int) {
	if description != nil {
		v.Length("description", *description, 0, 1000)
	}
	if maxSession != nil {
		v.Range("maxSessionDuration", *maxSession, 3600, 43200)
	}
}

// createRole makes a role that others may take, as its trust policy says
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html).
func (s *Service) createRole(c *wire.Call, in createRoleInput) (roleResult, error) {
	var v checks
	v.name("roleName", in.RoleName, roleKind.most)
	v.document("assumeRolePolicyDocument", in.AssumeRolePolicyDocument)
	v.path("path", in.Path)
	v.tags(in.Tags)
	v.describeRole(in.Description, in.MaxSessionDuration)
	if err := v.err(c); err != nil {
		return roleResult{}, err
	}
	identity := newIdentity(c, roleKind, rolePrefix, in.RoleName, in.Path, in.Tags)
	if err := s.authorizeNew(c, identity, in.PermissionsBoundary); err != nil {
		return roleResult{}, err
	}
	if err := s.checkTrust(c, in.AssumeRolePolicyDocument); err != nil {
		return roleResult{}, err
	}
	switch {
	case beside(s.State.Roles, in.RoleName):
		return roleResult{}, wire.Conflict("EntityAlreadyExists", "Role with name "+in.RoleName+" already exists.")
	case len(s.State.Roles) >= maxRoles:
		return roleResult{}, limit("Cannot exceed quota for RolesPerAccount: %d", maxRoles)
	}
	if err := s.boundaryExists(in.PermissionsBoundary); err != nil {
		return roleResult{}, err
	}
	role := &Role{
		Identity: identity, Permissions: Permissions{Boundary: valueOr(in.PermissionsBoundary, "")},
		Description: valueOr(in.Description, ""), Trust: in.AssumeRolePolicyDocument, MaxSession: defaultSession,
	}
	role.bound(in.MaxSessionDuration)
	put(&s.State.Roles, in.RoleName, role)
	return roleResult{role.answer()}, nil
}

// bound sets how long sessions may last, if that is told.
func (r *Role) bound(seconds *int) {
	if seconds != nil {
		r.MaxSession = time.Duration(*seconds) * time.Second
	}
}

// role is begin for an operation on a role.
func (s *Service) role(c *wire.Call, name string, v *checks) (*Role, error) {
	if _, err := s.begin(c, roleKind, name, v, nil); err != nil {
		return nil, err
	}
	return s.State.Roles[name], nil
}

func (s *Service) getRole(c *wire.Call, in subject) (roleResult, error) {
	role, err := s.role(c, in.RoleName, new(checks))
	if err != nil {
		return roleResult{}, err
	}
	return roleResult{role.answer()}, nil
}

type rolesAnswer struct {
	Roles list[roleAnswer]
	more
}

func (s *Service) listRoles(c *wire.Call, in listInput) (rolesAnswer, error) {
	if err := in.check(c, roleKind); err != nil {
		return rolesAnswer{}, err
	}
	all := under(in, sorted(s.State.Roles), func(r *Role) string { return r.Path })
	part, more, err := page(in.paging, all)
	return rolesAnswer{listed(part, (*Role).brief), more}, err
}

type updateRoleInput struct {
	RoleName           string
	Description        *string
	MaxSessionDuration *int
}

// updateRole changes what is named
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html).
func (s *Service) updateRole(c *wire.Call, in updateRoleInput) (struct{}, error) {
	var v checks
	v.describeRole(in.Description, in.MaxSessionDuration)
	role, err := s.role(c, in.RoleName, &v)
	if err != nil {
		return struct{}{}, err
	}
	role.Description = valueOr(in.Description, role.Description)
	role.bound(in.MaxSessionDuration)
	return struct{}{}, nil
}

func (s *Service) updateRoleDescription(c *wire.Call, in updateRoleInput) (roleResult, error) {
	in.MaxSessionDuration = nil
	if _, err := s.updateRole(c, in); err != nil {
		return roleResult{}, err
	}
	return roleResult{s.State.Roles[in.RoleName].answer()}, nil
}

type trustInput struct{ RoleName, PolicyDocument string }

func (s *Service) updateAssumeRolePolicy(c *wire.Call, in trustInput) (wire.Empty, error) {
	var v checks
	v.document("policyDocument", in.PolicyDocument)
	role, err := s.role(c, in.RoleName, &v)
	if err != nil {
		return wire.Empty{}, err
	}
	if err := s.checkTrust(c, in.PolicyDocument); err != nil {
		return wire.Empty{}, err
	}
	role.Trust = in.PolicyDocument
	return wire.Empty{}, nil
}

// checkTrust wants a document to be a trust policy, of principals that exist.
func (s *Service) checkTrust(c *wire.Call, document string) error {
	if err := malformed(trustProblem(document, s.principalExists(c.Account))); err != nil {
		return err
	}
	if characters(document) > maxTrust {
		return limit("Cannot exceed quota for ACLSizePerRole: %d", maxTrust)
	}
	return nil
}

// deleteRole wants the role to have nothing left
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html).
func (s *Service) deleteRole(c *wire.Call, in subject) (wire.Empty, error) {
	role, err := s.role(c, in.RoleName, new(checks))
	if err != nil {
		return wire.Empty{}, err
	}
	switch {
	case len(s.State.profilesOf(role.Name)) > 0:
		return wire.Empty{}, notEmpty("Cannot delete entity, must remove roles from instance profile first.")
	case len(role.Attached) > 0:
		return wire.Empty{}, notEmpty("Cannot delete entity, must detach all policies first.")
	case len(role.Inline) > 0:
		return wire.Empty{}, notEmpty("Cannot delete entity, must delete policies first.")
	}
	delete(s.State.Roles, role.Name)
	return wire.Empty{}, nil
}

// principalExists knows which of the account's users and roles there are; a
// trust policy may not name one that is not. Principals of other accounts
// are nobody's business here.
func (s *Service) principalExists(account string) func(arn string) bool {
	return func(arn string) bool {
		id, resource, ok := principalARN(arn)
		if !ok {
			return false
		}
		if id != account || resource == "root" {
			return true
		}
		for _, u := range s.State.Users {
			if fmt.Sprint("user", u.Path, u.Name) == resource {
				return true
			}
		}
		for _, r := range s.State.Roles {
			if fmt.Sprint("role", r.Path, r.Name) == resource {
				return true
			}
		}
		return false
	}
}
