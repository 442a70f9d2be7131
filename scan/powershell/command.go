package powershell

import (
	"slices"
	"strings"

	"tegata/scan"
)

// A command is a command with its parameters.
type command struct {
	name   string
	head   int // in list
	list   []token
	end    int // in list, after the last argument
	args   [][]token
	params []parameter
	splats []token
}

// A parameter is -Name and its value, which switches have none of.
type parameter struct {
	name  string
	at    scan.Span
	value []token
}

// command reads the command whose name stands at i.
func (s *script) command(ts []token, i int) *command {
	c := &command{name: strings.ToLower(ts[i].s), head: i, list: ts}
	i++
	for i < len(ts) && !ends(ts, i) {
		t := ts[i]
		switch {
		case t.kind == word && len(t.s) > 1 && t.s[0] == '-':
			p := parameter{name: strings.ToLower(strings.TrimLeft(strings.TrimSuffix(t.s, ":"), "-")), at: t.at}
			i++
			if !switches(p.name) && i < len(ts) && !ends(ts, i) && !(ts[i].kind == word && len(ts[i].s) > 1 && ts[i].s[0] == '-' && letter(ts[i].s[1])) {
				next := argument(ts, i)
				p.value = ts[i:next]
				i = next
			}
			c.params = append(c.params, p)
		case t.kind == splat:
			c.splats = append(c.splats, t)
			i++
		default:
			next := argument(ts, i)
			c.args = append(c.args, ts[i:next])
			i = next
		}
	}
	c.end = i
	return c
}

// ends reports whether a command ends before a token.
func ends(ts []token, i int) bool {
	t := ts[i]
	switch {
	case t.kind == newline:
		return !is(at(ts, i-1), ",")
	case is(t, ";", "|", ")", "}", "]", ">", "<"):
		return true
	}
	return is(t, "&") && is(at(ts, i+1), "&")
}

// argument returns the index after what stands together without space, and
// after the commas of a list.
func argument(ts []token, i int) int {
	i = past(ts, i)
	for i < len(ts) {
		switch {
		case is(ts[i], ","):
			for i++; i < len(ts) && ts[i].kind == newline; i++ {
			}
			if i < len(ts) && !ends(ts, i) {
				i = past(ts, i)
			}
		case ts[i].kind != newline && ts[i].at.Start == ts[i-1].at.End && !ends(ts, i):
			i = past(ts, i)
		default:
			return i
		}
	}
	return i
}

// switches reports parameters without a value.
func switches(name string) bool {
	switch name {
	case "usebasicparsing", "usedefaultcredentials", "skipcertificatecheck", "noproxy", "disablekeepalive", "skiphttperrorcheck", "passthru", "verbose", "debug", "proxyusedefaultcredentials", "preserveauthorizationonredirect", "resume",
		"s", "f", "sf", "fs", "l", "k", "i", "v", "ss", "sl", "fssl", "silent", "fail", "g", "q", "ssl", "fsl", "ssf", "show-error", "location", "insecure", "-s":
		return true
	}
	return false
}

// param returns the value of a parameter by a prefix of its name, or by its
// position.
func (c *command) param(name string, position int) []token {
	for _, p := range c.params {
		if p.name != "" && strings.HasPrefix(name, p.name) && len(p.name) > 1 || p.name == name {
			return p.value
		}
	}
	if position >= 0 && position < len(c.args) {
		return c.args[position]
	}
	return nil
}

// starts reports whether a command can stand at i.
func starts(ts []token, i int) bool {
	p := at(ts, i-1)
	switch p.kind {
	case newline:
		return true
	case sign:
		return strings.Contains("=;|({}&!+", p.s) && p.s != "" || p.s == "," || p.s == ")"
	case word:
		switch strings.ToLower(p.s) {
		case "return", "if", "do", "try", "else", "/c", "/k", "$", ".", "-and", "-or", "-not", "wsl", "-eq", "-ne", "-match", "throw", "-command", "-c":
			return true
		}
	case variable:
		return false
	}
	return false
}

// requester reports the commands that ask for URLs.
func requester(name string) bool {
	switch strings.TrimSuffix(strings.TrimPrefix(name, `microsoft.powershell.utility\`), ".exe") {
	case "invoke-restmethod", "irm", "invoke-webrequest", "iwr", "curl", "wget", "start-bitstransfer":
		return true
	}
	return false
}

// A request asks for what is at a target.
type request struct {
	at      scan.Span
	command *command // nil for methods of .NET
	name    string   // what asks
	tokens  []token  // of the whole, with headers
	object  *token   // what a method is called on
	url     value
	target  scan.Target
	direct  bool      // the URL is written in it
	via     *function // the wrapper
	in      *function
	callers []caller // of the wrapper, from outside
}

// A caller is a call of a wrapper, and what it asks for.
type caller struct {
	tokens []token
	target scan.Target
}

// requests finds what asks for a metadata service.
func (s *script) requests() (out []*request) {
	s.each(s.tokens, func(ts []token) {
		for i := range ts {
			if r := s.request(ts, i, frame{}); r != nil {
				out = append(out, r)
				continue
			}
			for _, r := range s.wrapped(ts, i, frame{}) {
				out = merge(out, r)
			}
		}
	})
	return out
}

// merge adds the request of a wrapper to others: what asks is counted once,
// however many callers it has.
func merge(all []*request, r *request) []*request {
	i := slices.IndexFunc(all, func(o *request) bool { return o.via != nil && o.at == r.at })
	if i < 0 {
		return append(all, r)
	}
	if t := all[i].target; t.Token() || t.Whose == scan.Other {
		all[i].target, all[i].url = r.target, r.url
	}
	all[i].callers = append(all[i].callers, r.callers...)
	return all
}

// each visits a list of tokens, and those of the expressions in its strings.
func (s *script) each(ts []token, visit func([]token)) {
	visit(ts)
	for _, t := range ts {
		for _, p := range t.parts {
			if len(p.hole) > 0 {
				s.each(p.hole, visit)
			}
		}
	}
}

// request reads what may be a request at i.
func (s *script) request(ts []token, i int, fr frame) *request {
	t := ts[i]
	var r *request
	switch {
	case (t.kind == word || t.kind == text && is(at(ts, i-1), "&")) && requester(strings.ToLower(t.decoded())) && starts(ts, i):
		c := s.command(ts, i)
		c.name = strings.ToLower(t.decoded())
		r = &request{at: scan.Span{Start: t.at.Start, End: ts[c.end-1].at.End}, command: c, name: t.decoded(), tokens: ts[i:c.end]}
		r.url = s.url(c, fr)
	case t.kind == word && is(at(ts, i-1), ".") && is(at(ts, i+1), "(") && ts[i+1].jump > 0:
		r = s.method(ts, i, fr)
	}
	if r == nil {
		return nil
	}
	var ok bool
	if r.target, ok = target(r.url.s); !ok {
		return nil
	}
	r.direct = written(r.tokens)
	r.in = s.function(t.at.Start)
	return r
}

// written reports whether tokens have the whole of a URL in one string or word.
func written(ts []token) bool {
	for _, t := range ts {
		if t.kind == text || t.kind == word {
			if found, ok := target(t.decoded()); ok && found.Whose == scan.AWS && !strings.HasPrefix(found.Path, "/"+scan.Unknown) {
				return true
			}
		}
	}
	return false
}

// url returns what a command asks for.
func (s *script) url(c *command, fr frame) value {
	for _, name := range []string{"uri", "source", "url"} {
		if v := c.param(name, -1); v != nil {
			return s.eval(v, fr)
		}
	}
	for _, arg := range c.args {
		if v := s.eval(arg, fr); v.s != "" {
			if _, ok := target(v.s); ok {
				return v
			}
		}
	}
	for _, p := range c.params {
		if v := s.eval(p.value, fr); v.s != "" {
			if _, ok := target(v.s); ok && p.name != "proxy" && p.name != "x" {
				return v
			}
		}
	}
	for _, t := range c.splats {
		if v := s.splatted(t, "uri", fr); v.s != scan.Unknown {
			return v
		}
	}
	return unknown
}

// splatted returns what a table of parameters has under a key, in its literal
// or set later.
func (s *script) splatted(t token, key string, fr frame) value {
	for i, set := range s.tokens {
		if set.kind == variable && set.s == t.s && set.at.Start < t.at.Start && is(at(s.tokens, i+1), ".", "[") {
			member := at(s.tokens, i+2)
			equals := i + 3
			if is(s.tokens[i+1], "[") {
				equals++
			}
			if strings.EqualFold(member.decoded(), key) && is(at(s.tokens, equals), "=") {
				return s.eval(s.tokens[equals+1:s.expression(s.tokens, equals+1)], fr)
			}
		}
	}
	v := s.lookup(token{kind: variable, s: t.s, at: t.at}, fr)
	if v.table != nil {
		if value := s.entry(v.table, key); value != nil {
			return s.eval(value, fr)
		}
	}
	return unknown
}

// method reads a call of .NET's clients.
func (s *script) method(ts []token, i int, fr frame) *request {
	args := split(inner(ts, i+1), comma)
	position := 0
	switch strings.ToLower(ts[i].s) {
	case "downloadstring", "downloaddata", "downloadfile", "openread", "getstringasync", "getasync", "downloadstringtaskasync", "getbytearrayasync":
	case "create", "createhttp":
		if !strings.Contains(strings.ToLower(s.t.Body[max(0, ts[i].at.Start-40):ts[i].at.Start]), "webrequest]") {
			return nil
		}
	case "open":
		position = 1
	case "new":
		if !strings.Contains(strings.ToLower(s.t.Body[max(0, ts[i].at.Start-40):ts[i].at.Start]), "httprequestmessage]") {
			return nil
		}
		position = 1
	default:
		return nil
	}
	if position >= len(args) {
		return nil
	}
	start := i - 2
	for start > 0 && ts[start].jump < 0 {
		start += ts[start].jump
	}
	for start > 1 && is(ts[start-1], ".") {
		start -= 2
	}
	start = max(start, 0)
	end := past(ts, i+1)
	r := &request{at: scan.Span{Start: ts[start].at.Start, End: ts[end-1].at.End}, name: ts[i].s, tokens: ts[start:end], url: s.eval(args[position], fr)}
	if ts[start].kind == variable {
		r.object = &ts[start]
	}
	return r
}

// bind gives the parameters of a function their arguments.
func (s *script) bind(f *function, c *command, fr frame) map[string]value {
	bound, next := map[string]value{}, 0
	for _, q := range f.params {
		value := c.param(q.name, -1)
		if value == nil && next < len(c.args) {
			value = c.args[next]
			next++
		}
		if value != nil {
			bound[q.name] = s.eval(value, fr.deeper())
		}
	}
	return bound
}

// wrapped returns what the function of the script whose call stands at i asks
// for, if that depends on what it is given.
func (s *script) wrapped(ts []token, i int, fr frame) (out []*request) {
	t := ts[i]
	if t.kind != word || fr.depth > 6 || !starts(ts, i) {
		return nil
	}
	f := s.named(strings.ToLower(t.s))
	if f == nil || s.function(t.at.Start) == f {
		return nil
	}
	c := s.command(ts, i)
	bound := s.bind(f, c, fr)
	given := false
	for _, v := range bound {
		_, ok := target(v.s)
		given = given || ok
	}
	if !given {
		return nil
	}
	inside := frame{f: f, bound: bound, known: map[int]value{}, depth: fr.depth + 2}
	for j := range f.body {
		for _, r := range s.asked(f, j, inside) {
			for k := range r.callers {
				r.callers[k].tokens = append(append([]token{}, ts[i:c.end]...), r.callers[k].tokens...)
			}
			r.via, r.direct = f, false
			out = append(out, r)
		}
	}
	return out
}

// asked returns what the body of a function asks for at j when it is called, and
// not of itself.
func (s *script) asked(f *function, j int, inside frame) []*request {
	r := s.request(f.body, j, inside)
	if r == nil {
		return s.wrapped(f.body, j, inside)
	}
	if s.request(f.body, j, frame{}) != nil {
		return nil
	}
	r.callers = []caller{{target: r.target}}
	return []*request{r}
}
