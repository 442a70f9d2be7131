package iam

import (
	"fmt"
	"maps"

	"tegata/awsfake/wire"
)

// A kind is what has a name, and most of its operations in common with others.
type kind struct {
	noun   string // of ARNs: "user"
	Name   string // of operations: "User"
	member string // of inputs: "userName"
	most   int    // characters of a name
	absent string // the text when there is none of the name
}

var (
	userKind    = kind{"user", "User", "userName", 64, "The user with name %s cannot be found."}
	roleKind    = kind{"role", "Role", "roleName", 64, "The role with name %s cannot be found."}
	profileKind = kind{"instance-profile", "InstanceProfile", "instanceProfileName", 128, "Instance Profile %s cannot be found."}
)

// A subject names the entity that an operation is about.
type subject struct {
	UserName, RoleName, InstanceProfileName string
}

func (s subject) of(k kind) string {
	switch k {
	case userKind:
		return s.UserName
	case roleKind:
		return s.RoleName
	}
	return s.InstanceProfileName
}

// An entity is a user, a role or an instance profile, with what operations
// change of it.
type entity struct {
	kind
	*Identity
	*Permissions // nil for an instance profile
}

// find looks an entity up.
func (s *Service) find(k kind, name string) (entity, bool) {
	switch k {
	case userKind:
		if u, ok := s.State.Users[name]; ok {
			return entity{k, &u.Identity, &u.Permissions}, true
		}
	case roleKind:
		if r, ok := s.State.Roles[name]; ok {
			return entity{k, &r.Identity, &r.Permissions}, true
		}
	case profileKind:
		if p, ok := s.State.InstanceProfiles[name]; ok {
			return entity{k, &p.Identity, nil}, true
		}
	}
	return entity{}, false
}

// begin is the way of every operation on an entity that has to be there: the
// input is valid, the caller is allowed, the entity exists.
func (s *Service) begin(c *wire.Call, k kind, name string, v *checks, context map[string]string) (entity, error) {
	v.name(k.member, name, k.most)
	if err := v.err(c); err != nil {
		return entity{}, err
	}
	e, ok := s.find(k, name)
	arn := c.GlobalARN("iam", k.noun+"/"+name)
	keys := map[string]string{}
	if ok {
		arn = e.ARN
		keys = resourceTags(e.Tags)
		if e.Permissions != nil && e.Boundary != "" {
			keys["iam:PermissionsBoundary"] = e.Boundary
		}
	}
	maps.Copy(keys, context)
	if err := c.Authorize("iam:"+c.Operation, arn, keys); err != nil {
		return entity{}, err
	}
	if !ok {
		return entity{}, wire.NotFound("NoSuchEntity", fmt.Sprintf(k.absent, name))
	}
	return e, nil
}

func resourceTags(tags []wire.Tag) map[string]string {
	keys := map[string]string{}
	for _, t := range tags {
		keys["aws:ResourceTag/"+t.Key], keys["iam:ResourceTag/"+t.Key] = t.Value, t.Value
	}
	return keys
}

// limit is the error of a quota.
func limit(format string, args ...any) error {
	return wire.Conflict("LimitExceeded", fmt.Sprintf(format, args...))
}

// notEmpty is the error of a deletion that would leave something behind.
func notEmpty(text string) error { return wire.Conflict("DeleteConflict", text) }
