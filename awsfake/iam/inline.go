package iam

import (
	"fmt"
	"maps"
	"slices"

	"tegata/awsfake/wire"
)

type inlineInput struct {
	subject
	PolicyName, PolicyDocument string
}

type inlineAnswer struct {
	UserName       string `xml:",omitempty"`
	RoleName       string `xml:",omitempty"`
	PolicyName     string
	PolicyDocument string
}

type inlineNames struct {
	PolicyNames list[string]
	more
}

// maxInline is how many characters the inline policies of an entity may have
// together, white space not counted.
func (k kind) maxInline() int {
	if k == roleKind {
		return 10240
	}
	return 2048
}

// inlineOperations are those on the inline policies of one kind of entity.
func (s *Service) inlineOperations(k kind) []wire.Operation {
	return []wire.Operation{
		wire.Op("Put"+k.Name+"Policy", func(c *wire.Call, in inlineInput) (wire.Empty, error) {
			var v checks
			v.document("policyDocument", in.PolicyDocument)
			e, err := s.beginInline(c, k, in, &v)
			if err != nil {
				return wire.Empty{}, err
			}
			return wire.Empty{}, e.putInline(in.PolicyName, in.PolicyDocument)
		}),
		wire.Op("Get"+k.Name+"Policy", func(c *wire.Call, in inlineInput) (inlineAnswer, error) {
			e, err := s.beginInline(c, k, in, new(checks))
			if err != nil {
				return inlineAnswer{}, err
			}
			document, err := e.inline(in.PolicyName)
			return inlineAnswer{in.UserName, in.RoleName, in.PolicyName, encoded(document)}, err
		}),
		wire.Op("Delete"+k.Name+"Policy", func(c *wire.Call, in inlineInput) (wire.Empty, error) {
			e, err := s.beginInline(c, k, in, new(checks))
			if err != nil {
				return wire.Empty{}, err
			}
			return wire.Empty{}, e.deleteInline(in.PolicyName)
		}),
		wire.Op("List"+k.Name+"Policies", func(c *wire.Call, in listOf) (inlineNames, error) {
			var v checks
			in.check(&v.Checks)
			e, err := s.begin(c, k, in.of(k), &v, nil)
			if err != nil {
				return inlineNames{}, err
			}
			part, more, err := page(in.paging, slices.Sorted(maps.Keys(e.Inline)))
			return inlineNames{listed(part, same), more}, err
		}),
	}
}

func (s *Service) beginInline(c *wire.Call, k kind, in inlineInput, v *checks) (entity, error) {
	v.name("policyName", in.PolicyName, 128)
	return s.begin(c, k, in.of(k), v, nil)
}

func (e entity) putInline(name, document string) error {
	if err := malformed(permissionProblem(document)); err != nil {
		return err
	}
	size := characters(document)
	for other, text := range e.Inline {
		if other != name {
			size += characters(text)
		}
	}
	if size > e.maxInline() {
		return limit("Maximum policy size of %d bytes exceeded for %s %s", e.maxInline(), e.noun, e.Identity.Name)
	}
	put(&e.Permissions.Inline, name, document)
	return nil
}

func (e entity) inline(name string) (string, error) {
	document, ok := e.Inline[name]
	if !ok {
		return "", wire.NotFound("NoSuchEntity", fmt.Sprintf("The %s policy with name %s cannot be found.", e.noun, name))
	}
	return document, nil
}

func (e entity) deleteInline(name string) error {
	if _, err := e.inline(name); err != nil {
		return err
	}
	if delete(e.Inline, name); len(e.Inline) == 0 {
		e.Permissions.Inline = nil
	}
	return nil
}
