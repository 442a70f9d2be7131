package iam

import (
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

const maxAttached = 10 // of a user and of a role

type attachInput struct {
	subject
	PolicyARN string `query:"PolicyArn"`
}

type listOfPath struct {
	listOf
	PathPrefix *string
}

type attachedPolicy struct {
	PolicyName string
	PolicyARN  string `xml:"PolicyArn"`
}

func attachedAs(arn string) attachedPolicy {
	return attachedPolicy{nameOf(arn), arn}
}

type attachedAnswer struct {
	AttachedPolicies list[attachedPolicy]
	more
}

// attachmentOperations are those on the managed policies of one kind of
// entity.
func (s *Service) attachmentOperations(k kind) []wire.Operation {
	return []wire.Operation{
		wire.Op("Attach"+k.Name+"Policy", func(c *wire.Call, in attachInput) (wire.Empty, error) {
			e, err := s.beginAttachment(c, k, in)
			if err != nil {
				return wire.Empty{}, err
			}
			return wire.Empty{}, s.attach(e, in.PolicyARN)
		}),
		wire.Op("Detach"+k.Name+"Policy", func(c *wire.Call, in attachInput) (wire.Empty, error) {
			e, err := s.beginAttachment(c, k, in)
			if err != nil {
				return wire.Empty{}, err
			}
			return wire.Empty{}, e.detach(in.PolicyARN)
		}),
		wire.Op("ListAttached"+k.Name+"Policies", func(c *wire.Call, in listOfPath) (attachedAnswer, error) {
			return s.listAttached(c, k, in)
		}),
	}
}

func (s *Service) beginAttachment(c *wire.Call, k kind, in attachInput) (entity, error) {
	var v checks
	v.arn("policyArn", in.PolicyARN)
	return s.begin(c, k, in.of(k), &v, map[string]string{"iam:PolicyARN": in.PolicyARN})
}

// attach adds a managed policy; one that is there already stays there.
func (s *Service) attach(e entity, arn string) error {
	if _, ok := s.State.policy(arn); !ok {
		return wire.NotFound("NoSuchEntity", "Policy "+arn+" does not exist or is not attachable.")
	}
	switch {
	case slices.Contains(e.Attached, arn):
		return nil
	case len(e.Attached) >= maxAttached:
		return limit("Cannot exceed quota for PoliciesPer%s: %d", e.kind.Name, maxAttached)
	}
	e.Attached = append(e.Attached, arn)
	return nil
}

func (e entity) detach(arn string) error {
	i := slices.Index(e.Attached, arn)
	if i < 0 {
		return noPolicy(arn)
	}
	if e.Attached = slices.Delete(e.Attached, i, i+1); len(e.Attached) == 0 {
		e.Attached = nil
	}
	return nil
}

func (s *Service) listAttached(c *wire.Call, k kind, in listOfPath) (attachedAnswer, error) {
	var v checks
	in.check(&v.Checks)
	v.prefix(in.PathPrefix)
	e, err := s.begin(c, k, in.of(k), &v, nil)
	if err != nil {
		return attachedAnswer{}, err
	}
	found := slices.DeleteFunc(slices.Clone(e.Attached), func(arn string) bool {
		p, ok := s.State.policy(arn)
		return ok && !strings.HasPrefix(p.Path, valueOr(in.PathPrefix, "/"))
	})
	part, more, err := page(in.paging, found)
	return attachedAnswer{listed(part, attachedAs), more}, err
}

type entitiesInput struct {
	PolicyARN string `query:"PolicyArn"`
	paging
	EntityFilter      string
	PathPrefix        *string
	PolicyUsageFilter string
}

type userOf struct {
	UserName string
	UserID   string `xml:"UserId"`
}

type roleOf struct {
	RoleName string
	RoleID   string `xml:"RoleId"`
}

type entitiesAnswer struct {
	PolicyGroups list[struct{}]
	PolicyUsers  list[userOf]
	PolicyRoles  list[roleOf]
	more
}

// listEntitiesForPolicy tells whom a policy serves. Its pages count users and
// roles together.
func (s *Service) listEntitiesForPolicy(c *wire.Call, in entitiesInput) (entitiesAnswer, error) {
	var v checks
	in.check(&v.Checks)
	v.prefix(in.PathPrefix)
	if in.EntityFilter != "" {
		v.Enum("entityFilter", in.EntityFilter, "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy")
	}
	if _, err := s.managed(c, in.PolicyARN, &v, nil); err != nil {
		return entitiesAnswer{}, err
	}
	part, more, err := page(in.paging, s.entitiesWith(in))
	answer := entitiesAnswer{more: more}
	for _, e := range part {
		switch e.kind {
		case userKind:
			answer.PolicyUsers.Members = append(answer.PolicyUsers.Members, userOf{e.Identity.Name, e.ID})
		case roleKind:
			answer.PolicyRoles.Members = append(answer.PolicyRoles.Members, roleOf{e.Identity.Name, e.ID})
		}
	}
	return answer, err
}

// entitiesWith finds whom the policy serves as asked: attached, as a bound, or
// both.
func (s *Service) entitiesWith(in entitiesInput) []entity {
	var all []entity
	for _, u := range sorted(s.State.Users) {
		all = append(all, entity{userKind, &u.Identity, &u.Permissions})
	}
	for _, r := range sorted(s.State.Roles) {
		all = append(all, entity{roleKind, &r.Identity, &r.Permissions})
	}
	return slices.DeleteFunc(all, func(e entity) bool {
		attached := slices.Contains(e.Attached, in.PolicyARN) && in.PolicyUsageFilter != "PermissionsBoundary"
		bounding := e.Boundary == in.PolicyARN && in.PolicyUsageFilter != "PermissionsPolicy"
		return in.EntityFilter != "" && in.EntityFilter != e.kind.Name ||
			!strings.HasPrefix(e.Path, valueOr(in.PathPrefix, "/")) || !attached && !bounding
	})
}

type boundaryInput struct {
	subject
	PermissionsBoundary string
}

// boundaryOperations are those on the permissions boundary of one kind of
// entity.
func (s *Service) boundaryOperations(k kind) []wire.Operation {
	return []wire.Operation{
		wire.Op("Put"+k.Name+"PermissionsBoundary", func(c *wire.Call, in boundaryInput) (wire.Empty, error) {
			var v checks
			v.arn("permissionsBoundary", in.PermissionsBoundary)
			e, err := s.begin(c, k, in.of(k), &v, map[string]string{"iam:PermissionsBoundary": in.PermissionsBoundary})
			if err != nil {
				return wire.Empty{}, err
			}
			if err := s.boundaryExists(&in.PermissionsBoundary); err != nil {
				return wire.Empty{}, err
			}
			e.Boundary = in.PermissionsBoundary
			return wire.Empty{}, nil
		}),
		wire.Op("Delete"+k.Name+"PermissionsBoundary", func(c *wire.Call, in subject) (wire.Empty, error) {
			e, err := s.begin(c, k, in.of(k), new(checks), nil)
			if err == nil {
				e.Boundary = ""
			}
			return wire.Empty{}, err
		}),
	}
}

// permissionOperations are those on the policies of one kind of entity.
func (s *Service) permissionOperations(k kind) []wire.Operation {
	return slices.Concat(s.attachmentOperations(k), s.inlineOperations(k), s.boundaryOperations(k))
}
