package shell

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// speech reads a command that only writes: what it writes may be a script, a
// request for a socket, a token, or a command that was meant to be run.
func (s *script) speech(c *command, name string, fields []field) {
	stmt := statement(c)
	s.writes(c, stmt, fields)
	s.tells(c, stmt, name, fields)
	for _, f := range fields[1:] {
		if f.word != nil {
			s.escaped(c, f.word)
		}
	}
}

// writes reads echo '…' > script and echo '…' | bash.
func (s *script) writes(c *command, stmt *syntax.Stmt, fields []field) {
	file := s.outputOf(c, stmt)
	for _, f := range fields[1:] {
		lang, origin, ok := scan.Lang(""), file, false
		text := f.text
		if decodes(c.call) {
			text = strings.ReplaceAll(text, `\n`, "\n")
		}
		if lang = s.pipedTo(c); lang != "" {
			origin, ok = "a pipe", true
		} else if file != "" && f.word != nil && strings.ContainsAny(text, " ") {
			lang, origin, ok = written(file, text)
		}
		if ok && runs(text) {
			first := len(s.facts.Texts)
			s.embed(c, f.word, lang, origin)
			if file != "" {
				s.keepLater(first)
			}
		}
	}
}

// runs reports whether a string holds a command that makes a request.
func runs(text string) bool {
	_, ok := findTarget(text)
	return ok && clientWord().MatchString(text)
}

var clientWord = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("(^|[\\s;|&(`'\"=/])(curl|wget|http|fetch|aria2c|lynx|nc|python[0-9.]*|ruby)(\\s|$)")
})

// tells finds tokens that are written to the log.
func (s *script) tells(c *command, stmt *syntax.Stmt, name string, fields []field) {
	said := false
	for _, f := range fields[1:] {
		said = said || slices.ContainsFunc(f.names, func(name string) bool { return s.namesToken(name) && !failed(c.path, name) }) && (c.in == nil || strings.Trim(f.text, scan.Unknown+`\n`) != "" || name == "logger")
	}
	if !said || name != "logger" && (s.captured(c) || toFile(stmt)) {
		return
	}
	s.facts.Findings = append(s.facts.Findings, scan.Finding{
		ID: "TG1004", Confidence: scan.Likely, At: span(c.call),
		Evidence: []scan.Field{{Name: "command", Value: name}},
		Why:      whyLeak,
	})
}

// failed reports whether a command is in a branch of an if whose condition sets
// a variable: it holds what went wrong, then.
func failed(path []syntax.Node, name string) bool {
	return slices.ContainsFunc(path, func(n syntax.Node) bool {
		clause, ok := n.(*syntax.IfClause)
		return ok && slices.ContainsFunc(clause.Cond, func(st *syntax.Stmt) bool { return st.Negated && slices.Contains(assignedBy(st), name) })
	})
}

// namesToken reports whether a variable's value is a token.
func (s *script) namesToken(name string) bool {
	known, ok := s.tokens[name]
	if !ok {
		known = slices.ContainsFunc(s.givers[name], func(c *command) bool {
			r := s.requestOf(c)
			return r != nil && r.target.Token() && !feeds(c.path)
		})
		s.tokens[name] = known
	}
	return known
}

// feeds reports whether a command's output is piped to a request.
func feeds(path []syntax.Node) bool {
	for i, n := range path {
		pipe, ok := n.(*syntax.BinaryCmd)
		if !ok || pipe.Op != syntax.Pipe || path[i+1] != syntax.Node(pipe.X) {
			continue
		}
		if call, ok := pipe.Y.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 && readerOf(call.Args[0].Lit()) != nil {
			return true
		}
	}
	return false
}

// requestOf reads a command as a request, whether or not read has come to it.
func (s *script) requestOf(c *command) *request {
	_, fields := unwrap(s.fieldsOf(c, nil))
	if len(fields) == 0 {
		return nil
	}
	return newRequest(fields[0], fields[1:])
}

// captured reports whether a command's output goes to another command.
func (s *script) captured(c *command) bool {
	for i, n := range c.path {
		switch n := n.(type) {
		case *syntax.CmdSubst, *syntax.ProcSubst:
			return true
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe && c.path[i+1] == syntax.Node(n.X) {
				_, fields := unwrap(s.next(c))
				if len(fields) == 0 || path.Base(fields[0].text) != "tee" && path.Base(fields[0].text) != "logger" {
					return true
				}
			}
		}
	}
	return false
}

func toFile(stmt *syntax.Stmt) bool {
	return slices.ContainsFunc(stmt.Redirs, func(r *syntax.Redirect) bool {
		return (r.Op == syntax.RdrOut || r.Op == syntax.AppOut || r.Op == syntax.RdrClob || r.Op == syntax.RdrAll) && !strings.HasPrefix(r.Word.Lit(), "/dev/std")
	})
}

// escapedCall matches the start of a command that a backslash keeps from being
// run.
var escapedCall = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("\\\\(\\$\\(|`)\\s*(curl|wget)\\s")
})

// escaped finds \$(curl …) in double quotes: it is written as it stands.
func (s *script) escaped(c *command, w *syntax.Word) {
	for _, p := range w.Parts {
		q, ok := p.(*syntax.DblQuoted)
		if !ok {
			continue
		}
		for _, part := range q.Parts {
			if lit, ok := part.(*syntax.Lit); ok {
				s.escapedIn(c, span(lit))
			}
		}
	}
}

func (s *script) escapedIn(c *command, at scan.Span) {
	file := s.outputOf(c, statement(c))
	if !shown().MatchString(file) {
		return // of a script, which runs the command later, or an advice
	}
	for _, m := range escapedCall().FindAllStringSubmatchIndex(s.text.Body[at.Start:at.End], -1) {
		s.unescape(scan.Span{Start: at.Start + m[0], End: at.End}, scan.Span{Start: at.Start + m[2], End: at.Start + m[3]}, at.Start+m[4])
	}
}

// shown matches names of files that are looked at, and never run.
var shown = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\.(html?|txt|md|json|csv|log|xml|php)$`)
})

// unescape reports a command that never runs: from its backslash on, with its
// opening and the name of its client.
func (s *script) unescape(at, opening scan.Span, client int) {
	backtick := s.text.Body[opening.Start] == '`'
	if end := strings.Index(s.text.Body[client:at.End], "\\`"); backtick && end < 0 {
		return
	} else if backtick {
		at.End = client + end
	}
	fields := (&lines{text: s.text}).fields(scan.Span{Start: client, End: at.End})
	r := newRequest(fields[0], fields[1:])
	if r.target.Whose != scan.AWS {
		return
	}
	f := scan.Finding{ID: "TG1009", Confidence: scan.Sure, At: scan.Span{Start: at.Start, End: fields[len(fields)-1].at.End}, Evidence: r.evidence(s.lines)}
	splices := []scan.Splice{{At: scan.Span{Start: at.Start, End: at.Start + 1}}}
	if backtick {
		splices = append(splices, scan.Splice{At: scan.Span{Start: at.End, End: at.End + 1}})
	}
	if r.method == "GET" && !r.version2() {
		splices = append(splices, s.inlineEscaped(r))
	}
	if f.Fix = s.first(splices); f.Fix == nil {
		f.Why = whyFixed
	}
	s.facts.Findings = append(s.facts.Findings, f)
}
