package shell

import (
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// A site is where a token can be got for several requests of a client: before
// a statement of a list.
type site struct {
	list   *syntax.Stmt // the first of the list
	client string
}

// hoist lets requests that are made one after the other share a token, in
// scripts that are files of their own. Those in loops ask for theirs each time:
// a token ends.
func (s *script) hoist() {
	if s.text.Embedded() || s.exportsAll() {
		return
	}
	groups := map[site][]*request{}
	var order []site
	for _, r := range s.requests {
		if !s.sharesToken(r) {
			continue
		}
		list, _, ok := s.site(r)
		if !ok {
			continue
		}
		at := site{list[0], r.client}
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], r)
	}
	name := s.freeName()
	for _, at := range order {
		if group := groups[at]; len(group) > 1 && name != "" {
			s.share(group, name)
		}
	}
}

// exportsAll reports whether the script hands each of its variables to the
// programs that it runs: a token is not for them.
func (s *script) exportsAll() bool {
	return slices.ContainsFunc(s.called["set"], func(c *command) bool { return switched(false, c, 'a', "allexport") })
}

// sharesToken reports whether a request is one that a token could be got for
// beforehand.
func (s *script) sharesToken(r *request) bool {
	mended := slices.ContainsFunc(r.findings, func(i int) bool {
		id := s.facts.Findings[i].ID
		return id != "TG1004" && id != "TG1005" && s.obstacle(r, id) == ""
	})
	return mended && r.wrapper == nil && len(r.prefix) == 0 && len(r.command.call.Assigns) == 0 &&
		!r.url.settable && !s.traced(r.at.Start) && !inQuotedBackticks(r.command.path)
}

// site returns the innermost list that a request is in, and the statement in it,
// if the request is made whenever the list is run.
func (s *script) site(r *request) (list []*syntax.Stmt, stmt *syntax.Stmt, ok bool) {
	path := r.command.path
	for i := len(path) - 2; i > 0; i-- {
		switch n := path[i].(type) {
		case *syntax.WhileClause, *syntax.ForClause, *syntax.FuncDecl:
			return nil, nil, false
		case *syntax.IfClause:
			if outer, ok := path[i-1].(*syntax.IfClause); ok && outer.Else == n {
				return nil, nil, false // elif is looked at only if what precedes it was not so
			}
		case *syntax.BinaryCmd:
			if n.Op != syntax.Pipe && path[i+1] == syntax.Node(n.Y) {
				return nil, nil, false
			}
		case *syntax.Stmt:
			if n.Background || n.Coprocess {
				return nil, nil, false
			}
			if inLoop(path[:i]) != nil {
				continue
			}
			if list := listOf(path, i); list != nil {
				return list, n, s.startsLine(n)
			}
		}
	}
	return nil, nil, false
}

// listOf returns the list of statements that a part of a path stands in, where
// a line can be put before it.
func listOf(path []syntax.Node, i int) []*syntax.Stmt {
	stmt := path[i].(*syntax.Stmt)
	switch n := path[i-1].(type) {
	case *syntax.File:
		return n.Stmts
	case *syntax.Block:
		return n.Stmts
	case *syntax.IfClause:
		if !slices.Contains(n.Cond, stmt) {
			return n.Then
		}
	case *syntax.CaseItem:
		return n.Stmts
	}
	return nil
}

// startsLine reports whether a statement is the first on its line, and doesn't
// look at how the last one ended.
func (s *script) startsLine(stmt *syntax.Stmt) bool {
	at := span(stmt)
	start := s.lines.start(at.Start)
	return at.Start-start < widest && strings.Trim(s.text.Body[start:at.Start], " \t") == "" && !asksStatus(s.text.Body[at.Start:at.End])
}

func asksStatus(text string) bool {
	return strings.Contains(text, "$?") || strings.Contains(text, "PIPESTATUS")
}

// widest is how far a line may be indented.
const widest = 200

// freeName returns a name for the token that the script doesn't use.
func (s *script) freeName() string {
	for i := 1; i < 10; i++ {
		name := "imds_token"
		if i > 1 {
			name += "_" + strconv.Itoa(i)
		}
		if !strings.Contains(s.text.Body, name) {
			return name
		}
	}
	return ""
}

// share puts a request for a token before the first of several requests. The
// script goes on if it fails, as it did before: the requests will tell.
func (s *script) share(group []*request, name string) {
	_, stmt, _ := s.site(group[0])
	start := offset(stmt)
	put := name + "=$(" + s.put(group[0], double, longLife)
	if s.errexit() {
		put += " || true"
	}
	indent := s.text.Body[s.lines.start(start):start]
	splice := scan.Splice{At: scan.Span{Start: start, End: start}, Text: put + ")" + s.newline() + indent}
	for _, r := range group {
		r.hoisted, r.token = &splice, name
	}
}

// newline is how the script ends its lines.
func (s *script) newline() string {
	if strings.Contains(s.text.Body, "\r\n") {
		return "\r\n"
	}
	return "\n"
}
