package fault

import (
	"strings"
	"sync/atomic"
)

// A Set is a list of rules that is asked about each call. A nil Set matches
// nothing. Its methods may be called from many goroutines.
type Set struct {
	rules []*rule
}

type rule struct {
	Rule
	used atomic.Int64
}

// New returns the set of the given rules. An error names the offending field
// as the scenario does: "replies[2].reply: …".
func New(rules []Rule) (*Set, error) {
	s := new(Set)
	for i, r := range rules {
		if err := r.validate(i); err != nil {
			return nil, err
		}
		s.rules = append(s.rules, &rule{Rule: r})
	}
	return s, nil
}

// Find returns the reply of the first rule that matches c and still has uses
// left, and counts that use. It returns nil if no rule does.
func (s *Set) Find(c Call) *Reply {
	if s == nil {
		return nil
	}
	for _, r := range s.rules {
		if r.Match.matches(c) && r.take() {
			return &r.Reply
		}
	}
	return nil
}

// take claims one use of the rule.
func (r *rule) take() bool {
	return r.Match.Times == 0 || r.used.Add(1) <= int64(r.Match.Times)
}

func (m *Match) matches(c Call) bool {
	return (m.Service == "" || m.Service == c.Service) &&
		(m.Method == "" || m.Method == c.Method) &&
		glob(m.Path, c.Path) && glob(m.Operation, c.Operation) && glob(m.Model, c.Model)
}

// glob reports whether s matches pattern, where * stands for any run of
// characters, slashes included. The empty pattern matches everything.
func glob(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	head, rest, star := strings.Cut(pattern, "*")
	s, ok := strings.CutPrefix(s, head)
	for ok && star {
		var part string
		if part, rest, star = strings.Cut(rest, "*"); !star {
			return strings.HasSuffix(s, part)
		}
		_, s, ok = strings.Cut(s, part)
	}
	return ok && s == ""
}
