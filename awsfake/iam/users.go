package iam

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

func (s *Service) userOperations() []wire.Operation {
	return slices.Concat([]wire.Operation{
		wire.Op("CreateUser", s.createUser),
		wire.Op("GetUser", s.getUser),
		wire.Op("ListUsers", s.listUsers),
		wire.Op("UpdateUser", s.updateUser),
		wire.Op("DeleteUser", s.deleteUser),
	}, s.tagOperations(userKind))
}

// boundary is the permissions boundary in an answer.
type boundary struct {
	Type string `xml:"PermissionsBoundaryType"`
	ARN  string `xml:"PermissionsBoundaryArn"`
}

func (p Permissions) boundary() *boundary {
	if p.Boundary == "" {
		return nil
	}
	return &boundary{"Policy", p.Boundary}
}

type userAnswer struct {
	Path                string
	UserName            string
	UserID              string `xml:"UserId"`
	ARN                 string `xml:"Arn"`
	CreateDate          wire.Time
	PermissionsBoundary *boundary       `xml:",omitempty"`
	Tags                *list[wire.Tag] `xml:",omitempty"`
}

// brief is the user as lists tell it.
func (u *User) brief() userAnswer {
	return userAnswer{Path: u.Path, UserName: u.Name, UserID: u.ID, ARN: u.ARN, CreateDate: wire.Time{Time: u.Created}}
}

func (u *User) answer() userAnswer {
	a := u.brief()
	a.PermissionsBoundary, a.Tags = u.boundary(), tagList(u.Tags)
	return a
}

// tagList leaves the element out where there are no tags.
func tagList(tags []wire.Tag) *list[wire.Tag] {
	if len(tags) == 0 {
		return nil
	}
	l := listed(tags, same)
	return &l
}

type userResult struct{ User userAnswer }

type createUserInput struct {
	UserName            string
	Path                *string
	PermissionsBoundary *string
	Tags                []wire.Tag
}

const maxUsers = 5000

// createUser makes a user without any permission
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html).
func (s *Service) createUser(c *wire.Call, in createUserInput) (userResult, error) {
	var v checks
	v.name("userName", in.UserName, userKind.most)
	v.path("path", in.Path)
	v.tags(in.Tags)
	if err := v.err(c); err != nil {
		return userResult{}, err
	}
	identity := newIdentity(c, userKind, userPrefix, in.UserName, in.Path, in.Tags)
	if err := s.authorizeNew(c, identity, in.PermissionsBoundary); err != nil {
		return userResult{}, err
	}
	switch {
	case beside(s.State.Users, in.UserName):
		return userResult{}, wire.Conflict("EntityAlreadyExists", "User with name "+in.UserName+" already exists.")
	case len(s.State.Users) >= maxUsers:
		return userResult{}, limit("Cannot exceed quota for UsersPerAccount: %d", maxUsers)
	}
	if err := s.boundaryExists(in.PermissionsBoundary); err != nil {
		return userResult{}, err
	}
	user := &User{Identity: identity, Permissions: Permissions{Boundary: valueOr(in.PermissionsBoundary, "")}}
	put(&s.State.Users, in.UserName, user)
	return userResult{user.answer()}, nil
}

// newIdentity is that of what is about to be made.
func newIdentity(c *wire.Call, k kind, prefix, name string, path *string, tags []wire.Tag) Identity {
	at := pathOr(path)
	return Identity{
		Name: name, Path: at, ARN: c.GlobalARN("iam", k.noun+at+name), ID: newID(prefix),
		Created: c.Now().Truncate(time.Second), Tags: append([]wire.Tag(nil), tags...),
	}
}

// authorizeNew decides over making an entity.
func (s *Service) authorizeNew(c *wire.Call, i Identity, boundary *string) error {
	context := wire.RequestTags(i.Tags)
	if boundary != nil {
		context["iam:PermissionsBoundary"] = *boundary
	}
	return c.Authorize("iam:"+c.Operation, i.ARN, context)
}

// boundaryExists wants a permissions boundary to be a managed policy, if any.
func (s *Service) boundaryExists(arn *string) error {
	if arn == nil {
		return nil
	}
	if _, ok := s.State.policy(*arn); !ok {
		return wire.NotFound("NoSuchEntity", "Scope ARN: "+*arn+" does not exist or is not attachable.")
	}
	return nil
}

type getUserInput struct{ UserName *string }

// own is the user that an operation means: the caller, where none is named.
func own(c *wire.Call, name *string) (string, error) {
	switch {
	case name != nil:
		return *name, nil
	case c.Caller.User == "":
		return "", wire.Refuse("ValidationError", "Must specify userName when calling with non-User credentials")
	}
	return c.Caller.User, nil
}

func (s *Service) getUser(c *wire.Call, in getUserInput) (userResult, error) {
	name, err := own(c, in.UserName)
	if err != nil {
		return userResult{}, err
	}
	if _, err := s.begin(c, userKind, name, new(checks), nil); err != nil {
		return userResult{}, err
	}
	return userResult{s.State.Users[name].answer()}, nil
}

type listInput struct {
	paging
	PathPrefix *string
}

// check validates the input of a list and decides over it: IAM takes the path
// for the resource.
func (in listInput) check(c *wire.Call, k kind) error {
	var v checks
	in.paging.check(&v.Checks)
	v.prefix(in.PathPrefix)
	if err := v.err(c); err != nil {
		return err
	}
	return c.Authorize("iam:"+c.Operation, c.GlobalARN("iam", k.noun+valueOr(in.PathPrefix, "/")), nil)
}

// under keeps what lies under the path that was asked for.
func under[T any](in listInput, all []T, path func(T) string) []T {
	return slices.DeleteFunc(all, func(one T) bool { return !strings.HasPrefix(path(one), valueOr(in.PathPrefix, "/")) })
}

type usersAnswer struct {
	Users list[userAnswer]
	more
}

func (s *Service) listUsers(c *wire.Call, in listInput) (usersAnswer, error) {
	if err := in.check(c, userKind); err != nil {
		return usersAnswer{}, err
	}
	all := under(in, sorted(s.State.Users), func(u *User) string { return u.Path })
	part, more, err := page(in.paging, all)
	return usersAnswer{listed(part, (*User).brief), more}, err
}

type updateUserInput struct {
	UserName             string
	NewPath, NewUserName *string
}

// updateUser renames or moves a user. Its keys and policies stay with it.
func (s *Service) updateUser(c *wire.Call, in updateUserInput) (wire.Empty, error) {
	var v checks
	v.path("newPath", in.NewPath)
	if in.NewUserName != nil {
		v.name("newUserName", *in.NewUserName, userKind.most)
	}
	e, err := s.begin(c, userKind, in.UserName, &v, nil)
	if err != nil {
		return wire.Empty{}, err
	}
	name, path := valueOr(in.NewUserName, e.Identity.Name), valueOr(in.NewPath, e.Path)
	arn := c.GlobalARN("iam", "user"+path+name)
	if err := c.Authorize("iam:UpdateUser", arn, nil); err != nil {
		return wire.Empty{}, err
	}
	if !strings.EqualFold(name, in.UserName) && beside(s.State.Users, name) {
		return wire.Empty{}, wire.Conflict("EntityAlreadyExists", "User with name "+name+" already exists.")
	}
	user := s.State.Users[in.UserName]
	delete(s.State.Users, in.UserName)
	user.Name, user.Path, user.ARN = name, path, arn
	s.State.Users[name] = user
	for key := range maps.Values(s.State.Keys) {
		if key.User == in.UserName {
			key.User = name
		}
	}
	return wire.Empty{}, nil
}

// deleteUser wants the user to have nothing left
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html).
func (s *Service) deleteUser(c *wire.Call, in subject) (wire.Empty, error) {
	e, err := s.begin(c, userKind, in.UserName, new(checks), nil)
	if err != nil {
		return wire.Empty{}, err
	}
	switch {
	case len(s.State.keysOf(in.UserName)) > 0:
		return wire.Empty{}, notEmpty("Cannot delete entity, must delete access keys first.")
	case len(e.Attached) > 0:
		return wire.Empty{}, notEmpty("Cannot delete entity, must detach all policies first.")
	case len(e.Inline) > 0:
		return wire.Empty{}, notEmpty("Cannot delete entity, must delete policies first.")
	}
	delete(s.State.Users, in.UserName)
	return wire.Empty{}, nil
}
