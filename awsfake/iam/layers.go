package iam

import (
	"maps"
	"slices"

	"tegata/internal/policy"
)

// UserLayers are the policies that decide over a user's calls.
func (s *Service) UserLayers(u *User) policy.Layers { return s.layers(u.Permissions) }

// RoleLayers are the policies that decide over the calls of a role's sessions,
// but for those of the session itself.
func (s *Service) RoleLayers(r *Role) policy.Layers { return s.layers(r.Permissions) }

// layers leaves out a document that does not parse; none gets into the state
// by a call. A boundary that is gone bounds everything.
func (s *Service) layers(p Permissions) policy.Layers {
	var l policy.Layers
	for _, name := range slices.Sorted(maps.Keys(p.Inline)) {
		l.Identity = s.appendNamed(l.Identity, name, p.Inline[name])
	}
	for _, arn := range p.Attached {
		document, _ := s.State.Document(arn)
		l.Identity = s.appendNamed(l.Identity, nameOf(arn), document)
	}
	if p.Boundary != "" {
		document, _ := s.State.Document(p.Boundary)
		parsed, _ := s.parse(document)
		l.Boundary = &policy.Named{Name: nameOf(p.Boundary), Document: parsed}
	}
	for _, level := range s.State.SCPs {
		named := []policy.Named{}
		for _, scp := range level {
			named = s.appendNamed(named, scp.Name, scp.Document)
		}
		l.SCPs = append(l.SCPs, named)
	}
	return l
}

func (s *Service) appendNamed(all []policy.Named, name, document string) []policy.Named {
	parsed, err := s.parse(document)
	if err != nil {
		return all
	}
	return append(all, policy.Named{Name: name, Document: parsed})
}

// maxParsed bounds how many documents are kept parsed.
const maxParsed = 1000

// parse reads a document, or remembers it: reading those of its caller would be
// half of what a call costs.
func (s *Service) parse(document string) (policy.Document, error) {
	if parsed, ok := s.parsed[document]; ok {
		return parsed, nil
	}
	parsed, err := policy.Parse([]byte(document))
	if err != nil {
		return parsed, err
	}
	if s.parsed == nil || len(s.parsed) >= maxParsed {
		s.parsed = map[string]policy.Document{}
	}
	s.parsed[document] = parsed
	return parsed, nil
}
