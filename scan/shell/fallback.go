package shell

import (
	"slices"
	"sort"

	"mvdan.cc/sh/v3/syntax"
)

// fallback reports whether a request without a token stands beside one with a
// token: either is made if the other fails, or if there is no token.
func (s *script) fallback(r *request) bool {
	return s.fallbackAt(r.command, 3)
}

func (s *script) fallbackAt(c *command, depth int) bool {
	if s.beside(c.path) {
		return true
	}
	if c.in == nil || c.in.Name == nil || depth == 0 {
		return false
	}
	calls := s.callsOf(c.in)
	return len(calls) > 0 && !slices.ContainsFunc(calls, func(call *command) bool { return !s.fallbackAt(call, depth-1) })
}

// callsOf returns the commands that call a function of the script.
func (s *script) callsOf(f *syntax.FuncDecl) (out []*command) {
	for _, c := range s.called[f.Name.Value] {
		if c.in != f {
			out = append(out, c)
		}
	}
	return out
}

// beside walks from a command outwards, within its function.
func (s *script) beside(path []syntax.Node) bool {
	for i := len(path) - 2; i >= 0; i-- {
		inner := path[i+1]
		switch n := path[i].(type) {
		case *syntax.FuncDecl:
			return s.afterReturn(n, path[i+1:])
		case *syntax.BinaryCmd:
			if n.Op != syntax.AndStmt && n.Op != syntax.OrStmt {
				continue
			}
			other := n.X
			if inner == syntax.Node(n.X) {
				other = n.Y
			}
			if n.Op == syntax.OrStmt && s.modernIn(other) || inner == syntax.Node(n.Y) && s.testsToken(other) {
				return true
			}
		case *syntax.IfClause:
			if s.besideBranch(n, inner, path[:i]) {
				return true
			}
		case *syntax.Stmt:
			if i > 0 && s.triedFirst(n, path[i-1]) {
				return true
			}
		}
	}
	return false
}

// besideBranch reports whether another branch, or the condition, of an if makes
// the request with a token.
func (s *script) besideBranch(n *syntax.IfClause, inner syntax.Node, path []syntax.Node) bool {
	head := n
	for i := len(path) - 1; i >= 0; i-- {
		outer, ok := path[i].(*syntax.IfClause)
		if !ok || outer.Else != head {
			break
		}
		head = outer
	}
	for clause := head; clause != nil; clause = clause.Else {
		if !spans(clause.Cond, inner) && (s.modernList(clause.Cond) || slices.ContainsFunc(clause.Cond, s.testsToken)) {
			return true
		}
		if !spans(clause.Then, inner) && s.modernList(clause.Then) {
			return true
		}
	}
	return false
}

// spans reports whether a node is within a list of statements.
func spans(list []*syntax.Stmt, n syntax.Node) bool {
	return len(list) > 0 && offset(n) >= offset(list[0]) && offset(n) < span(list[len(list)-1]).End
}

// modernList reports whether any statement of a list asks for a token or sends
// one.
func (s *script) modernList(list []*syntax.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	known, ok := s.modernLists[list[0]]
	if !ok {
		known = slices.ContainsFunc(list, s.modernIn)
		s.modernLists[list[0]] = known
	}
	return known
}

// afterReturn reports whether the body of a function has returned before, if
// there was a token: the rest is for when there was none.
func (s *script) afterReturn(f *syntax.FuncDecl, path []syntax.Node) bool {
	for i, n := range path {
		if block, ok := n.(*syntax.Block); ok && i+1 < len(path) && s.returnsFrom(block) < offset(path[i+1]) {
			return true
		}
	}
	return false
}

// returnsFrom returns where in a block the first statement is that returns if
// there is a token; what follows it is for when there is none.
func (s *script) returnsFrom(block *syntax.Block) int {
	at, ok := s.returned[block]
	if !ok {
		at = len(s.text.Body)
		if i := slices.IndexFunc(block.Stmts, func(st *syntax.Stmt) bool { return s.modernIn(st) && leaves(st) }); i >= 0 {
			at = offset(block.Stmts[i])
		}
		s.returned[block] = at
	}
	return at
}

// leaves reports whether a conditional statement returns or exits.
func leaves(st *syntax.Stmt) bool {
	found := false
	syntax.Walk(st, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && len(c.Args) > 0 {
			name := c.Args[0].Lit()
			found = found || name == "return" || name == "exit"
		}
		return !found
	})
	_, simple := st.Cmd.(*syntax.CallExpr)
	return found && !simple
}

// triedFirst reports whether the statement after one that sets a variable makes
// the request with a token if the variable is empty.
func (s *script) triedFirst(st *syntax.Stmt, parent syntax.Node) bool {
	names := assignedBy(st)
	if len(names) == 0 {
		return false
	}
	list := statements(parent)
	next := sort.Search(len(list), func(i int) bool { return offset(list[i]) > offset(st) })
	if next == len(list) {
		return false
	}
	test, ok := list[next].Cmd.(*syntax.IfClause)
	if !ok {
		return false
	}
	return slices.ContainsFunc(test.Cond, func(c *syntax.Stmt) bool { return usesAny(c, names) }) &&
		slices.ContainsFunc(test.Then, s.modernIn)
}

func assignedBy(st *syntax.Stmt) (names []string) {
	var assigns []*syntax.Assign
	switch c := st.Cmd.(type) {
	case *syntax.CallExpr:
		if len(c.Args) == 0 {
			assigns = c.Assigns
		}
	case *syntax.DeclClause:
		assigns = c.Args
	}
	for _, a := range assigns {
		if a.Name != nil {
			names = append(names, a.Name.Value)
		}
	}
	return names
}

// statements returns the list of statements that a node holds, in the order of
// the text; the one that is run first of several.
func statements(n syntax.Node) []*syntax.Stmt {
	switch n := n.(type) {
	case *syntax.File:
		return n.Stmts
	case *syntax.Block:
		return n.Stmts
	case *syntax.Subshell:
		return n.Stmts
	case *syntax.IfClause:
		return slices.Concat(n.Cond, n.Then)
	case *syntax.WhileClause:
		return n.Do
	case *syntax.ForClause:
		return n.Do
	case *syntax.CaseItem:
		return n.Stmts
	case *syntax.CmdSubst:
		return n.Stmts
	}
	return nil
}

func usesAny(n syntax.Node, names []string) bool {
	found := false
	syntax.Walk(n, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil && slices.Contains(names, p.Param.Value) {
			found = true
		}
		return !found
	})
	return found
}

// modernIn reports whether a statement asks for a token, or sends one, itself
// or by a function that it calls.
func (s *script) modernIn(st *syntax.Stmt) bool {
	known, ok := s.modern[st]
	if !ok {
		known = s.isModern(st, 3)
		s.modern[st] = known
	}
	return known
}

func (s *script) isModern(n syntax.Node, depth int) bool {
	at := span(n)
	first := sort.Search(len(s.requests), func(i int) bool { return s.requests[i].at.Start >= at.Start })
	for _, r := range s.requests[first:] {
		if r.at.Start >= at.End {
			break
		}
		if r.target.Token() || r.version2() && !r.sometimes() {
			return true
		}
	}
	if depth == 0 {
		return false
	}
	found := false
	syntax.Walk(n, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && len(c.Args) > 0 {
			if f, ok := s.functions[c.Args[0].Lit()]; ok && offset(f) != at.Start {
				found = found || s.isModern(f.Body, depth-1)
			}
		}
		return !found
	})
	return found
}

// testsToken reports whether a statement looks at a variable that holds a
// token, or what was got with one.
func (s *script) testsToken(st *syntax.Stmt) bool {
	switch c := st.Cmd.(type) {
	case *syntax.TestClause:
	case *syntax.CallExpr:
		if len(c.Args) == 0 || c.Args[0].Lit() != "[" && c.Args[0].Lit() != "test" {
			return false
		}
	case *syntax.BinaryCmd:
		return s.testsToken(c.X) || s.testsToken(c.Y)
	default:
		return false
	}
	found := false
	syntax.Walk(st, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil {
			found = found || s.fromToken(p.Param.Value)
		}
		return !found
	})
	return found
}

// fromToken reports whether a variable holds a token, or something that was
// got with one.
func (s *script) fromToken(name string) bool {
	return slices.ContainsFunc(s.assigned[name], func(a assignment) bool {
		return a.word != nil && s.isModern(a.word, 3)
	})
}
