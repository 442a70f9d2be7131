package code

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
)

// A header is what the headers of a request say about whom it is meant for.
type header uint8

const (
	none    header = iota
	session        // IMDSv2's token
	foreign        // another cloud's
)

var tokenHeader = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)x[-_]aws[-_]ec2[-_]metadata[-_]token("|'|$|[^-_a-z])`)
})

var foreignHeader = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^(metadata-flavor|metadata|authorization: bearer oracle)$|metadata-flavor: *google|metadata: *true|bearer oracle`)
})

// headerName tells what a string says.
func headerName(s string) header {
	switch {
	case tokenHeader().MatchString(s):
		return session
	case foreignHeader().MatchString(s):
		return foreign
	}
	return none
}

// mentions returns the header that tokens name, themselves or by the names
// that stand among them.
func (p *program) mentions(ts []token, depth int) header {
	if depth > 3 || p.steps > budget {
		return none
	}
	for i := 0; i < len(ts); i++ {
		t := ts[i]
		p.steps++
		switch {
		case is(t, "{") && t.jump > 0 && i > 0 && is(ts[i-1], ")", "=>"):
			i += t.jump // the body of a function
		case t.kind == text:
			if h := p.inText(t, depth); h != none {
				return h
			}
		case t.kind == word:
			if strings.EqualFold(t.s, "metadata") && is(at(ts, i+1), ":", "=>", "=") && strings.EqualFold(strings.Trim(at(ts, i+2).value(), `"'`), "true") {
				return foreign
			}
			if h := p.byName(t, depth); h != none {
				return h
			}
		}
	}
	return none
}

func (t token) value() string {
	if t.kind == text {
		return t.decoded()
	}
	return t.s
}

func (p *program) inText(t token, depth int) header {
	if h := headerName(t.decoded()); h != none {
		return h
	}
	for _, part := range t.parts {
		if h := p.mentions(part.hole, depth+1); h != none {
			return h
		}
	}
	return none
}

// byName looks at what a name is set to, or what a function of that name has.
func (p *program) byName(t token, depth int) header {
	f := p.function(t.at.Start)
	for _, a := range p.sets[t.s] {
		if a.key || a.in != nil && a.in != f && !a.member && (f == nil || a.in != f.outer) || within(a.value, t.at.Start) || len(a.value) > 200 {
			continue
		}
		p.steps += len(a.value)
		if h := p.mentions(headersOf(a.value), depth+1); h != none {
			return h
		}
	}
	if f := p.declaredAs(t.s, 0); f != nil && f.at.Start != t.at.Start && len(f.body) < 200 && strings.Contains(strings.ToLower(f.name), "header") {
		return p.mentions(f.body, depth+1)
	}
	return none
}

// headersOf leaves out of a value what a function asks for on its own: the
// headers of a request for the token are not those of what the token is for.
func headersOf(ts []token) []token {
	for i, t := range ts {
		if is(t, "(") && t.jump > 40 && i > 0 {
			return ts[:i]
		}
	}
	return ts
}

// A verdict is how a request asks.
type verdict uint8

const (
	v1 verdict = iota
	v2
	fallback // v2 if there is a token
	other    // cloud
)

// judge tells how a request asks.
func (p *program) judge(r *request, all []*request) verdict {
	if p.compatible() {
		return other
	}
	if r.via == nil {
		return p.judgeWay(way{[]*call{r.call}, r.target}, r, all)
	}
	verdicts := map[verdict]bool{}
	for _, w := range r.ways {
		if !w.target.Token() {
			verdicts[p.judgeWay(w, r, all)] = true
		}
	}
	switch {
	case verdicts[fallback], verdicts[v1] && verdicts[v2]:
		return fallback
	case verdicts[v1]:
		return v1
	case verdicts[other]:
		return other
	}
	return v2
}

// compatible reports whether a file is about a cloud that answers as EC2 does,
// under the paths of EC2, and knows no tokens.
func (p *program) compatible() bool { return likeEC2().MatchString(p.t.Path) }

var likeEC2 = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)exoscale|cloudstack|openstack|opennebula|vultr`)
})

// elsewhere reports whether a call stands under a condition that such a cloud
// meets, or in something called after one.
func (p *program) elsewhere(c *call) bool {
	for above := range p.enclosing(c.at.Start) {
		if line := p.lineAt(above); likeEC2().MatchString(line) && !negated().MatchString(line) {
			return true
		}
	}
	return false
}

var negated = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\bnot\b|!|\bunless\b`) })

// judgeWay tells how a request asks that calls lead to.
func (p *program) judgeWay(w way, r *request, all []*request) verdict {
	switch {
	case w.target.Token():
		return v2
	case w.target.Whose == scan.Other, slices.ContainsFunc(w.calls, p.elsewhere):
		return other
	}
	for _, c := range w.calls {
		if v := p.judgeCall(c, r, all); v != v1 {
			return v
		}
	}
	for _, c := range w.calls {
		if p.knowsTokens(c.in) {
			return fallback
		}
	}
	return v1
}

func (p *program) judgeCall(c *call, r *request, all []*request) verdict {
	if v := p.headed(c, all); v != v1 {
		return v
	}
	if p.file() == session && p.hands(c) {
		if p.facts.conditional() {
			return fallback
		}
		return v2
	}
	return v1
}

// headed tells what the headers say that a call is given.
func (p *program) headed(c *call, all []*request) verdict {
	switch p.mentions(p.headers(c), 0) {
	case session:
		if conditionalValue(c, p) {
			return fallback
		}
		return v2
	case foreign:
		return other
	}
	return p.tied(c, all)
}

// headers returns the tokens of a call that may hold its headers.
func (p *program) headers(c *call) []token {
	var out []token
	for _, arg := range c.args {
		if len(arg) > 2 && p.function(arg[len(arg)-1].at.Start) != c.in {
			continue // a callback
		}
		out = append(out, arg...)
		out = append(out, token{kind: newline})
	}
	tail := c.whole[min(len(c.own), len(c.whole)):]
	for i := 0; i < len(tail); i = past(tail, i) {
		if is(tail[i], ".") && (at(tail, i+1).s == "then" || at(tail, i+1).s == "catch") {
			break
		}
		out = append(out, tail[i:past(tail, i)]...)
	}
	return append(out, c.receiver...)
}

// conditionalValue reports whether the headers are only there if a token is:
// "headers if token else {}", "token ? headers : {}".
func conditionalValue(c *call, p *program) bool {
	if p.choice(p.headers(c)) {
		return true
	}
	for _, t := range p.headers(c) {
		if t.kind != word {
			continue
		}
		if p.makesSometimes(t) {
			return true
		}
		for _, a := range nearest(p.sets[t.s], c.at.Start) {
			if a.key || a.in != c.in || within(a.value, c.at.Start) || p.mentions(a.value, 2) != session {
				continue
			}
			if p.choice(a.value) || p.conditional(token{at: scan.Span{Start: a.at}}, c) && p.hasDefault(t, c) || slices.ContainsFunc(a.value, p.makesSometimes) {
				return true
			}
			break // whatever it was before
		}
	}
	return false
}

// hasDefault reports whether a name has a value where the condition of another
// one does not hold. In Python it must be given one.
func (p *program) hasDefault(name token, c *call) bool {
	return p.lang != "python" || slices.ContainsFunc(p.sets[name.s], func(a assignment) bool {
		return !a.key && a.in == c.in && !within(a.value, c.at.Start) && p.mentions(a.value, 2) != session
	}) || p.inherited(name)
}

func (p *program) makesSometimes(t token) bool {
	f := p.declaredAs(t.s, 0)
	return t.kind == word && f != nil && p.sometimes(f)
}

// sometimes reports whether a function that makes headers leaves the token out
// where a condition does not hold, or where it can't be had.
func (p *program) sometimes(f *function) bool {
	if !strings.Contains(strings.ToLower(f.name), "header") || !p.mentionsAnywhere(f.body) {
		return false
	}
	for i, t := range f.body {
		switch {
		case t.kind == text && tokenHeader().MatchString(t.decoded()) && p.underIf(t.at.Start, f.at.Start):
			return true
		case t.kind == word && (t.s == "return" || t.s == "rescue") && slices.ContainsFunc(f.body[i+1:min(i+7, len(f.body))], nothing):
			return true
		}
	}
	return false
}

// nothing reports words for no value.
func nothing(t token) bool {
	return t.kind == word && (t.s == "nil" || t.s == "None" || t.s == "null") || is(t, "{") && t.jump == 1
}

// underIf reports whether an offset lies under a condition within what begins
// at another one.
func (p *program) underIf(offset, from int) bool {
	line := p.lineAt(offset)
	if strings.Contains(line, " if ") || strings.Contains(line, " unless ") {
		return true
	}
	for above := range p.enclosing(offset) {
		if head := strings.TrimLeft(p.lineAt(above), " \t}"); above >= from && (strings.HasPrefix(head, "if") || strings.HasPrefix(head, "unless")) {
			return true
		}
	}
	return false
}

// choice reports whether tokens choose between two values of which one has the
// header.
func (p *program) choice(ts []token) bool {
	asked := false
	for i, t := range ts {
		asked = asked || is(t, "?")
		if t.kind != text || headerName(t.decoded()) != session {
			continue
		}
		if asked {
			return true
		}
		for _, later := range ts[i:] {
			if later.kind == word && later.s == "else" {
				return true
			}
		}
	}
	return false
}

// hands reports whether a call is given headers or a token that come from
// elsewhere.
func (p *program) hands(c *call) bool {
	for _, t := range append(p.headers(c), c.receiver...) {
		name := strings.ToLower(t.s)
		if t.kind == word && (strings.Contains(name, "token") || strings.Contains(name, "header") && !is(at(c.own, 0), "")) && !strings.Contains(name, "url") && !strings.Contains(name, "path") && !strings.Contains(name, "cancel") && name != "headers" {
			return true
		}
		if t.kind == word && p.inherited(t) && (name == "headers" || (name == "request" || name == "req") && p.dressed(t.s)) {
			return true
		}
	}
	return false
}

// dressed reports whether something of that name is given the header somewhere.
func (p *program) dressed(name string) bool {
	for _, f := range p.functions {
		for _, s := range p.statements(f) {
			if has(s, map[string]bool{name: true}) && p.mentions(s, 2) == session {
				return true
			}
		}
	}
	return false
}

// conditionalAnywhere reports whether the header is set under a condition
// somewhere.
func (p *program) conditionalAnywhere() bool {
	for _, m := range tokenHeader().FindAllStringIndex(p.t.Body, -1) {
		if p.underIf(m[0], 0) {
			return true
		}
	}
	return false
}

// inherited reports whether a name is a parameter, or is not set in the file.
func (p *program) inherited(t token) bool {
	for f := p.function(t.at.Start); f != nil; f = f.outer {
		for _, q := range f.params {
			if q.name == t.s {
				return true
			}
		}
	}
	return false
}

// file tells whether a text knows of tokens at all.
func (p *program) file() header {
	if p.facts.tokens() {
		return session
	}
	return none
}

// tied looks for statements that give headers to what the call is made of or
// makes: req.Header.Set(…), curl_setopt($ch, …), headers["…"] = token.
func (p *program) tied(c *call, all []*request) verdict {
	names := p.involved(c)
	out := v1
	for _, s := range p.statements(c.in) {
		if p.steps += len(s); p.steps > budget {
			break
		}
		if len(s) == 0 || !has(s, names) || p.asksIn(s, all) || within(c.own, s[0].at.Start) && within(c.own, s[len(s)-1].at.Start) {
			continue
		}
		switch p.mentions(s, 1) {
		case foreign:
			if !p.conditional(s[0], c) {
				return other
			}
		case session:
			if !p.conditional(s[0], c) {
				return v2
			}
			out = fallback
		}
	}
	if out == v1 {
		return p.clientHeaders(c)
	}
	return out
}

// clientHeaders looks for the headers that another method gives to the client
// that a call is made on: self.session.headers.update(…).
func (p *program) clientHeaders(c *call) verdict {
	last := at(c.receiver, len(c.receiver)-1)
	if p.file() != session || len(c.receiver) == 0 || last.kind != word || last.s == "self" || last.s == "this" {
		return v1
	}
	for _, f := range p.functions {
		if f == c.in {
			continue
		}
		for _, s := range p.statements(f) {
			if i := slices.IndexFunc(s, func(t token) bool { return t.kind == word && t.s == last.s }); i >= 0 && is(at(s, i+1), ".") && strings.Contains(strings.ToLower(at(s, i+2).s), "header") && p.mentions(s, 1) == session {
				if p.underIf(s[0].at.Start, f.at.Start) {
					return fallback
				}
				return v2
			}
		}
	}
	return v1
}

// involved returns the names of variables that a call uses, and those that its
// result goes to.
func (p *program) involved(c *call) map[string]bool {
	names := map[string]bool{}
	for _, t := range append(p.headers(c), at(c.receiver, 0), at(c.receiver, len(c.receiver)-1)) {
		if t.kind != word || t.s == "self" || t.s == "this" || t.s == "url" || t.s == "uri" {
			continue
		}
		for _, a := range p.sets[t.s] {
			if !a.key {
				names[t.s] = true
			}
		}
		if p.inherited(t) {
			names[t.s] = true
		}
	}
	if t := at(c.receiver, len(c.receiver)-1); t.kind == word && len(p.sets[t.s]) == 0 && t.s != "self" && t.s != "this" && p.client(c) {
		names[t.s] = true // a field of a base class
	}
	p.madeOf(names, c)
	if !p.built(c) {
		return names
	}
	p.steps += len(p.sets)
	for name, all := range p.sets {
		if p.steps > budget {
			break
		}
		for _, a := range all {
			if a.in == c.in && !a.key && within(a.value, c.at.Start) {
				names[name] = true
			}
		}
	}
	return names
}

// madeOf adds to names those that their values are made of: the headers of
// new HttpEntity<>(headers), the options of stream_context_create($options).
func (p *program) madeOf(names map[string]bool, c *call) {
	for name := range maps.Clone(names) {
		for _, a := range p.sets[name] {
			if a.key || a.in != c.in || a.at > c.at.Start || within(a.value, c.at.Start) || len(a.value) > 12 {
				continue
			}
			for i, t := range a.value {
				if t.kind == word && !is(at(a.value, i+1), "(", ".", "<") && len(p.sets[t.s]) > 0 && !strings.Contains(strings.ToLower(t.s), "ur") {
					names[t.s] = true
				}
			}
		}
	}
}

// built reports whether what a call returns can still be given headers.
func (p *program) built(c *call) bool {
	switch c.last() {
	case "openConnection", "url", "uri", "target", "resource":
		return true
	}
	for _, s := range p.shapesOf(c) {
		if s.role == builds {
			return true
		}
	}
	return false
}

func has(ts []token, names map[string]bool) bool {
	for _, t := range ts {
		if t.kind == word && names[t.s] {
			return true
		}
	}
	return false
}

// asksIn reports whether a statement holds a request of its own.
func (p *program) asksIn(s []token, all []*request) bool {
	for _, r := range all {
		if r.shape.role != builds && within(s, r.at.Start) {
			return true
		}
	}
	return false
}

// statements returns those of a function, or of the file outside of functions.
func (p *program) statements(f *function) [][]token {
	if known, ok := p.pieces[f]; ok {
		return known
	}
	out, ts := [][]token{}, p.tokens
	if f != nil {
		ts = f.body
	}
	start, depth := 0, 0
	for i, t := range ts {
		switch {
		case is(t, "(", "[") && t.jump > 0:
			depth++
		case is(t, ")", "]") && t.jump < 0:
			depth--
		case depth > 0:
		case t.kind == newline, is(t, ";"), is(t, "{") && !is(at(ts, i-1), "=", "(", ","), is(t, "}") && i > 0 && !is(at(ts, i+t.jump-1), "="):
			out = append(out, ts[start:i])
			start = i + 1
		}
	}
	p.pieces[f] = append(out, ts[min(start, len(ts)):])
	return p.pieces[f]
}

// conditional reports whether a statement lies in an if that the call is not in.
func (p *program) conditional(first token, c *call) bool {
	if line := p.lineAt(first.at.Start); p.lang == "ruby" && (strings.Contains(line, " if ") || strings.Contains(line, " unless ")) {
		return true
	}
	if first.s == "if" && first.kind == word && p.lineAt(first.at.Start) != p.lineAt(c.at.Start) && strings.HasSuffix(strings.TrimSpace(p.lineAt(first.at.Start)), ";") {
		return true // if (token) request.header(…);
	}
	headers := p.enclosing(c.at.Start)
	for line := range p.enclosing(first.at.Start) {
		head := strings.TrimLeft(p.lineAt(line), " \t}")
		if !headers[line] && (strings.HasPrefix(head, "if") || strings.HasPrefix(head, "unless") || strings.HasPrefix(head, "when")) {
			return true
		}
	}
	return false
}

func (p *program) lineAt(offset int) string {
	start := strings.LastIndexByte(p.t.Body[:offset], '\n') + 1
	line, _, _ := strings.Cut(p.t.Body[start:], "\n")
	return line
}

// enclosing returns the offsets of the lines that a line is indented under.
func (p *program) enclosing(offset int) map[int]bool {
	out := map[int]bool{}
	start := strings.LastIndexByte(p.t.Body[:offset], '\n') + 1
	margin := p.indent(offset)
	for start > 0 && margin > 0 {
		end := start - 1
		start = strings.LastIndexByte(p.t.Body[:end], '\n') + 1
		if line := strings.TrimSpace(p.t.Body[start:end]); line != "" && line != "{" && p.indent(start) < margin {
			out[start], margin = true, p.indent(start)
		}
	}
	return out
}

// knowsTokens reports whether the function of a request, which itself has no
// token, asks for one or with one: then it falls back.
func (p *program) knowsTokens(f *function) bool {
	if f == nil || p.file() != session {
		return false
	}
	known, ok := p.knowing[f]
	if !ok {
		known = p.mentions(f.body, 3) == session || p.mentionsAnywhere(f.body) || p.asksToken(f.body)
		p.knowing[f] = known
	}
	name := strings.ToLower(f.name)
	return known || (strings.Contains(name, "v1") || strings.Contains(name, "fallback"))
}

// asksToken reports whether tokens have the URL of session tokens.
func (p *program) asksToken(ts []token) bool {
	return slices.ContainsFunc(ts, func(t token) bool { return t.kind == text && strings.Contains(t.decoded(), scan.TokenPath) })
}

func (p *program) mentionsAnywhere(ts []token) bool {
	p.steps += len(ts)
	for _, t := range ts {
		if t.kind == text && tokenHeader().MatchString(t.decoded()) {
			return true
		}
	}
	return false
}
