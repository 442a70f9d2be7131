package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// outlived reports whether a token is asked for once, before a loop without an
// end that goes on to send it: no token lives longer than six hours.
func (s *script) outlived(r *request) bool {
	name := givenTo(r.command.path)
	if name == "" {
		return false
	}
	return slices.ContainsFunc(s.requests, func(user *request) bool {
		if !slices.ContainsFunc(user.headers, func(h field) bool { return slices.Contains(h.names, name) }) {
			return false
		}
		loop := inLoop(user.command.path)
		return loop != nil && s.endless(loop, user) && !inside(r.at.Start, loop) && !slices.ContainsFunc(s.assigned[name], func(a assignment) bool { return inside(a.at, loop) })
	})
}

func inside(at int, n syntax.Node) bool { return at >= span(n).Start && at < span(n).End }

// endless reports whether a loop goes on until something happens that may never
// do: it has no condition and no way out, or what it asks for is a notice.
func (s *script) endless(loop syntax.Node, user *request) bool {
	at := span(loop)
	if !s.isForever(loop) || !strings.Contains(s.text.Body[at.Start:at.End], "sleep") {
		return false
	}
	for _, notice := range []string{"/spot/", "/events/", "/autoscaling/"} {
		if strings.Contains(user.target.Path, notice) {
			return true
		}
	}
	return !slices.ContainsFunc(s.commands, func(c *command) bool {
		name := c.call.Args[0].Lit()
		return inside(offset(c.call), loop) && (name == "break" || name == "exit" || name == "return")
	})
}

// isForever reports whether a loop's condition always holds.
func (s *script) isForever(loop syntax.Node) bool {
	switch n := loop.(type) {
	case *syntax.WhileClause:
		if len(n.Cond) != 1 {
			return false
		}
		at := span(n.Cond[0])
		cond := strings.TrimRight(s.text.Body[at.Start:at.End], "; ")
		if n.Until {
			return cond == "false"
		}
		return slices.Contains([]string{"true", ":", "[ 1 ]", "[ true ]", "[[ 1 ]]", "[[ true ]]", "((1))", "(( 1 ))", "[ 1 -eq 1 ]"}, cond) || strings.HasPrefix(cond, "sleep ")
	case *syntax.ForClause:
		c, ok := n.Loop.(*syntax.CStyleLoop)
		return ok && c.Cond == nil
	}
	return false
}

// shortLived reports a token that its loop outlives.
func (s *script) shortLived(r *request) {
	if !s.outlived(r) {
		return
	}
	s.add(r, "TG1006", scan.Likely)
	s.facts.Findings[len(s.facts.Findings)-1].Why = whyRenew
}
