package shell

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// leak reports a token that a client writes to its log, or that the shell does
// while it traces commands.
func (s *script) leak(r *request) {
	if r.raw || r.otherCloud() {
		return
	}
	traced := sendsInArguments(r) && r.wrapper == nil && s.traced(r.at.Start)
	switch {
	case traced && !s.traceSeen:
		s.traceSeen = true // once is enough: tracing is switched off once, too
		s.add(r, "TG1004", scan.Likely)
		s.facts.Findings[len(s.facts.Findings)-1].Why = whyTrace
	case !traced && r.leaks != nil && !muted(r) && (r.version2() || r.target.Token()):
		s.add(r, "TG1004", scan.Sure)
		f := &s.facts.Findings[len(s.facts.Findings)-1]
		if f.Fix = s.quiet(r); f.Fix == nil {
			f.Why = whyLeak
		}
	}
}

// quiet takes the option that tells away, if nothing reads the log.
func (s *script) quiet(r *request) []scan.Splice {
	at := r.leaks.at
	if s.text.Body[at.Start:at.End] != r.leaks.text || slices.ContainsFunc(statement(r.command).Redirs, logs) {
		return nil
	}
	switch text := r.leaks.text; {
	case text == "-v" || text == "--verbose":
		if at.Start == 0 || s.text.Body[at.Start-1] != ' ' {
			return nil
		}
		return s.first([]scan.Splice{{At: scan.Span{Start: at.Start - 1, End: at.End}}})
	case strings.HasPrefix(text, "--"):
		return nil
	default:
		i := at.Start + strings.IndexByte(text, 'v')
		return s.first([]scan.Splice{{At: scan.Span{Start: i, End: i + 1}}})
	}
}

// logs reports whether a redirection is of what a command logs.
func logs(r *syntax.Redirect) bool {
	return r.Op == syntax.RdrAll || r.Op == syntax.AppAll || r.N != nil && r.N.Value == "2"
}

// muted reports whether a command's log goes nowhere.
func muted(r *request) bool {
	return slices.ContainsFunc(statement(r.command).Redirs, func(redirect *syntax.Redirect) bool {
		return logs(redirect) && discards(redirect.Word.Lit())
	})
}

// sendsInArguments reports whether a request has the token among its arguments.
func sendsInArguments(r *request) bool {
	return slices.ContainsFunc(r.headers, func(h field) bool { return mentionsToken(h.text) })
}

// traced reports whether the shell writes commands to the log at an offset.
func (s *script) traced(at int) bool {
	on := flagIn(s.shebang, 'x')
	for _, c := range s.called["set"] {
		if offset(c.call) > at {
			break
		}
		on = switched(on, c, 'x', "xtrace")
	}
	return on
}

// switched returns whether an option of the shell is on after a command.
func switched(on bool, c *command, letter byte, name string) bool {
	for i, w := range c.call.Args[1:] {
		lit := w.Lit()
		switch {
		case lit == "":
		case lit == name && i > 0:
			return strings.HasPrefix(c.call.Args[i].Lit(), "-")
		case lit[0] == '-' && lit != "--" && strings.IndexByte(lit, letter) > 0:
			return true
		case lit[0] == '+' && strings.IndexByte(lit, letter) > 0:
			return false
		}
	}
	return on
}

func flagIn(words []string, letter byte) bool {
	for _, w := range words {
		if strings.HasPrefix(w, "-") && strings.IndexByte(w, letter) > 0 {
			return true
		}
	}
	return false
}

// inLoop returns the innermost loop around a command, within its function.
func inLoop(path []syntax.Node) syntax.Node {
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *syntax.WhileClause, *syntax.ForClause:
			return n
		case *syntax.FuncDecl:
			return nil
		}
	}
	return nil
}
