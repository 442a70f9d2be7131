package powershell

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"tegata/scan"
)

// A script is a text as far as it can be told without a grammar.
type script struct {
	t         *scan.Text
	tokens    []token
	functions []*function
	sets      map[string][]assignment
	values    map[int]value           // of assignments, by their offsets
	lists     map[*function][][]token // statements
	known     bool                    // the header of session tokens is in the text
	steps     int
}

type function struct {
	name   string
	params []assignment // their defaults
	at     scan.Span    // from the name to the end of the body
	body   []token
	outer  *function
}

// An assignment sets a variable.
type assignment struct {
	name  string
	at    int
	value []token
	in    *function
	add   bool
}

// A value is what is known of an expression.
type value struct {
	s         string // scan.Unknown in place of what is not known
	table     []token
	constants []string // what it was read from: "$url on line 3"
}

var unknown = value{s: scan.Unknown}

// budget is how many steps an evaluation may take in one text.
const budget = 1_000_000

// deepestValue is how many names an evaluation follows in a row.
const deepestValue = 12

type frame struct {
	f     *function
	bound map[string]value
	known map[int]value // by the offset of what was evaluated
	depth int
}

func (fr frame) deeper() frame { fr.depth++; return fr }

func parse(t *scan.Text) *script {
	s := &script{t: t, tokens: lex(t.Body), sets: map[string][]assignment{}, values: map[int]value{}, lists: map[*function][][]token{}, known: tokenHeader().MatchString(t.Body)}
	s.findFunctions()
	s.findAssignments()
	return s
}

func is(t token, signs ...string) bool {
	if t.kind == sign {
		for _, s := range signs {
			if t.s == s {
				return true
			}
		}
	}
	return false
}

func at(ts []token, i int) token {
	if i < 0 || i >= len(ts) {
		return token{kind: newline, s: "\n"}
	}
	return ts[i]
}

// past returns the index after a token and, if it is a bracket, its partner.
func past(ts []token, i int) int {
	if j := i + ts[i].jump; ts[i].jump > 0 && j < len(ts) {
		return j + 1
	}
	return i + 1
}

func inner(ts []token, i int) []token {
	if j := past(ts, i) - 1; j > i {
		return ts[i+1 : j]
	}
	return nil
}

// split returns the parts of a list between separators outside of brackets.
func split(ts []token, separates func(token) bool) (parts [][]token) {
	start := 0
	for i := 0; i < len(ts); i = past(ts, i) {
		if separates(ts[i]) {
			parts = append(parts, ts[start:i])
			start = i + 1
		}
	}
	return append(parts, ts[min(start, len(ts)):])
}

func comma(t token) bool { return is(t, ",") }
func plus(t token) bool  { return is(t, "+") }
func entry(t token) bool { return t.kind == newline || is(t, ";") }

// findFunctions reads "function Name(params) { … }" and "function Name { param(…) … }".
func (s *script) findFunctions() {
	for i, t := range s.tokens {
		if t.kind != word || !strings.EqualFold(t.s, "function") && !strings.EqualFold(t.s, "filter") || at(s.tokens, i+1).kind != word {
			continue
		}
		head := s.tokens[i+1]
		f := &function{name: strings.ToLower(unscoped(head.s)), outer: s.function(head.at.Start)}
		j := i + 2
		if is(at(s.tokens, j), "(") && s.tokens[j].jump > 0 {
			f.params = params(inner(s.tokens, j))
			j = past(s.tokens, j)
		}
		for at(s.tokens, j).kind == newline && j < len(s.tokens) {
			j++
		}
		if !is(at(s.tokens, j), "{") || s.tokens[j].jump <= 0 {
			continue
		}
		f.body = inner(s.tokens, j)
		f.at = scan.Span{Start: head.at.Start, End: s.tokens[past(s.tokens, j)-1].at.End}
		f.params = append(f.params, paramBlock(f.body)...)
		s.functions = append(s.functions, f)
	}
	for _, p := range paramBlock(s.tokens) {
		s.sets[p.name] = append(s.sets[p.name], p)
	}
}

// paramBlock reads a param( … ) outside of functions within.
func paramBlock(ts []token) []assignment {
	for i := 0; i < len(ts); i = past(ts, i) {
		if ts[i].kind == word && strings.EqualFold(ts[i].s, "param") && is(at(ts, i+1), "(") {
			return params(inner(ts, i+1))
		}
	}
	return nil
}

func params(ts []token) (out []assignment) {
	for _, part := range split(ts, comma) {
		for i := 0; i < len(part); i = past(part, i) {
			if part[i].kind != variable {
				continue
			}
			a := assignment{name: part[i].s, at: part[i].at.Start}
			if is(at(part, i+1), "=") {
				a.value = part[i+2:]
			}
			out = append(out, a)
			break
		}
	}
	return out
}

// function returns the innermost function that an offset lies in.
func (s *script) function(offset int) *function {
	for i := len(s.functions) - 1; i >= 0; i-- {
		if f := s.functions[i]; f.at.Start <= offset && offset < f.at.End {
			return f
		}
	}
	return nil
}

// findAssignments reads "$a = …", "$a.b = …", and Set-Variable.
func (s *script) findAssignments() {
	for i, t := range s.tokens {
		switch {
		case t.kind == variable && (is(at(s.tokens, i+1), "=") || is(at(s.tokens, i+1), "+") && is(at(s.tokens, i+2), "=")):
			j := i + 2
			add := is(s.tokens[i+1], "+")
			if add {
				j++
			}
			s.set(assignment{name: t.s, at: t.at.Start, value: s.tokens[j:s.expression(s.tokens, j)], add: add})
		case t.kind == word && (strings.EqualFold(t.s, "Set-Variable") || strings.EqualFold(t.s, "New-Variable")):
			c := s.command(s.tokens, i)
			n, v := c.param("name", 0), c.param("value", 1)
			if n != nil && v != nil {
				s.set(assignment{name: strings.ToLower(s.eval(n, frame{}).s), at: t.at.Start, value: v})
			}
		}
	}
}

func (s *script) set(a assignment) {
	a.in = s.function(a.at)
	s.sets[a.name] = append(s.sets[a.name], a)
}

// expression returns the index after the expression or the command that begins
// at i.
func (s *script) expression(ts []token, i int) int {
	for start := i; i < len(ts); i = past(ts, i) {
		t := ts[i]
		if is(t, ";", ")", "}", "]") || t.kind == newline && i > start && !is(ts[i-1], "|", ",", "+", "=") && !operator(ts[i-1]) {
			return i
		}
	}
	return i
}

func operator(t token) bool {
	switch strings.ToLower(t.s) {
	case "-f", "-join", "-replace", "-split":
		return t.kind == word
	}
	return false
}

// eval returns what is known of an expression.
func (s *script) eval(ts []token, fr frame) value {
	if s.steps++; fr.depth > deepestValue || s.steps > budget {
		return unknown
	}
	ts = trim(ts)
	if len(ts) == 0 {
		return unknown
	}
	for i := 1; i < len(ts); i = past(ts, i) {
		if ts[i].kind == word && strings.EqualFold(ts[i].s, "-f") {
			return s.filled(s.eval(ts[:i], fr.deeper()), split(ts[i+1:], comma), fr)
		}
	}
	if parts := split(ts, plus); len(parts) > 1 {
		var out value
		for _, part := range parts {
			out.add(s.eval(part, fr.deeper()))
		}
		return out
	}
	return s.pieces(ts, fr)
}

// longest is how long a value may become.
const longest = 1 << 16

func (v *value) add(other value) {
	if len(v.s)+len(other.s) < longest {
		v.s += other.s
	}
	v.constants = append(v.constants, other.constants...)
}

// trim leaves out lines, parentheses and casts around an expression.
func trim(ts []token) []token {
	for len(ts) > 0 {
		switch t := ts[0]; {
		case t.kind == newline, is(t, "!"):
			ts = ts[1:]
		case ts[len(ts)-1].kind == newline:
			ts = ts[:len(ts)-1]
		case is(t, "(") && t.jump > 0 && t.jump == len(ts)-1:
			ts = ts[1 : len(ts)-1]
		case is(t, "[") && t.jump > 0 && t.jump < len(ts) && !is(at(ts, t.jump+1), "."):
			ts = ts[t.jump+1:]
		default:
			return ts
		}
	}
	return ts
}

var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{([0-9]+)[^{}]*\}`) })

func (s *script) filled(format value, args [][]token, fr frame) value {
	out := format
	out.s = placeholder().ReplaceAllStringFunc(format.s, func(m string) string {
		n, err := strconv.Atoi(placeholder().FindStringSubmatch(m)[1])
		if err != nil || n >= len(args) {
			return scan.Unknown
		}
		v := s.eval(args[n], fr.deeper())
		out.constants = append(out.constants, v.constants...)
		return v.s
	})
	return out
}

// pieces evaluates what stands together without space: $base/latest/$path.
func (s *script) pieces(ts []token, fr frame) (out value) {
	for i := 0; i < len(ts); {
		t := ts[i]
		if i > 0 && t.at.Start > ts[i-1].at.End && !is(t, ".") {
			return s.called(ts, out, fr)
		}
		v := value{s: t.s}
		next := past(ts, i)
		switch {
		case t.kind == text:
			v = s.text(t, fr)
		case t.kind == variable:
			v, next = s.field(ts, i, s.lookup(t, fr), fr)
		case is(t, "("):
			v = s.eval(inner(ts, i), fr.deeper())
		case is(t, "{"):
			v = value{s: scan.Unknown, table: inner(ts, i)}
		case is(t, "[") && is(at(ts, next), "."):
			v, next = s.static(ts, next, fr)
		case is(t, ".") && at(ts, i+1).kind == word && i > 0:
			next = i + 2
			if is(at(ts, next), "(") {
				next = past(ts, next)
			}
			v = value{}
		}
		if v.table != nil && len(ts) == next {
			return v
		}
		out.add(v)
		i = next
	}
	return out
}

// called evaluates a command in place of a value.
func (s *script) called(ts []token, first value, fr frame) value {
	if f := s.named(strings.ToLower(first.s)); f != nil && ts[0].kind == word {
		c := s.command(ts, 0)
		return s.returned(f, s.bind(f, c, fr), fr)
	}
	return unknown
}

// static evaluates [type]::Method(argument) and [type]::Property.
func (s *script) static(ts []token, i int, fr frame) (value, int) {
	if is(at(ts, i+2), "(") && at(ts, i+1).kind == word {
		args := split(inner(ts, i+2), comma)
		switch strings.ToLower(ts[i+1].s) {
		case "new", "parse", "create", "escapeuristring", "format", "combine":
			return s.eval(args[0], fr.deeper()), past(ts, i+2)
		}
		return unknown, past(ts, i+2)
	}
	if name := at(ts, i+1); name.kind == word {
		return s.lookup(token{kind: variable, s: strings.ToLower(name.s), at: name.at}, fr), i + 2
	}
	return unknown, min(i+2, len(ts))
}

// field follows the members of a table: $params.Uri, $params['Uri'].
func (s *script) field(ts []token, i int, v value, fr frame) (value, int) {
	i++
	for i < len(ts) {
		var key string
		next := i + 2
		switch {
		case is(ts[i], ".") && (at(ts, i+1).kind == word || at(ts, i+1).kind == text) && !is(at(ts, i+2), "("):
			key = ts[i+1].decoded()
		case is(ts[i], "[") && ts[i].jump == 2:
			key, next = ts[i+1].decoded(), i+3
		default:
			return v, i
		}
		if v.table == nil {
			return unknown, next
		}
		entry := s.entry(v.table, key)
		if entry == nil {
			return unknown, next
		}
		v = s.eval(entry, fr.deeper())
		i = next
	}
	return v, i
}

// entry returns the value of a key of a table.
func (s *script) entry(table []token, key string) []token {
	for _, part := range split(table, entry) {
		part = trimLines(part)
		if len(part) > 2 && is(part[1], "=") && strings.EqualFold(part[0].decoded(), key) {
			return part[2:]
		}
	}
	return nil
}

func trimLines(ts []token) []token {
	for len(ts) > 0 && ts[0].kind == newline {
		ts = ts[1:]
	}
	return ts
}

func (s *script) text(t token, fr frame) (v value) {
	for _, p := range t.parts {
		if p.hole == nil {
			v.add(value{s: p.s})
		} else {
			v.add(s.eval(p.hole, fr.deeper()))
		}
	}
	return v
}

// lookup returns the value of a variable where it is used.
func (s *script) lookup(t token, fr frame) value {
	all := s.sets[t.s]
	for f := s.function(t.at.Start); f != nil; f = f.outer {
		if v, ok := s.local(all, f, t, fr); ok {
			return v
		}
	}
	if v, ok := s.local(all, nil, t, fr); ok {
		return v
	}
	for _, a := range all {
		if a.in == nil && !within(a.value, t.at.Start) {
			return s.read(a, fr)
		}
	}
	return unknown
}

func (s *script) local(all []assignment, f *function, t token, fr frame) (value, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		a := all[i]
		if a.in != f || a.at >= t.at.Start || within(a.value, t.at.Start) || a.value == nil {
			continue
		}
		v := s.read(a, fr)
		if a.add {
			w := s.lookup(token{kind: variable, s: t.s, at: scan.Span{Start: a.at, End: a.at}}, fr.deeper())
			w.add(v)
			return w, true
		}
		return v, true
	}
	if f == nil {
		return unknown, false
	}
	for _, q := range f.params {
		if q.name != t.s {
			continue
		}
		if v, ok := fr.bound[t.s]; ok && fr.f == f {
			return v, true
		}
		if q.value != nil {
			return s.eval(q.value, fr.deeper()), true
		}
		return unknown, true
	}
	return unknown, false
}

func within(ts []token, offset int) bool {
	return len(ts) > 0 && ts[0].at.Start <= offset && offset < ts[len(ts)-1].at.End
}

// read evaluates what a variable is set to, and notes where.
func (s *script) read(a assignment, fr frame) value {
	known := fr.known
	if known == nil {
		known = s.values
	}
	if v, ok := known[a.at]; ok {
		return v
	}
	known[a.at] = unknown // while it is evaluated
	v := s.eval(a.value, fr.deeper())
	if _, ok := target(v.s); ok {
		line := 1 + strings.Count(s.t.Body[:a.at], "\n")
		v.constants = append([]string{fmt.Sprintf("$%s on line %d", a.name, line)}, v.constants...)
	}
	if known[a.at] = v; fr.depth > deepestValue/2 {
		delete(known, a.at) // from elsewhere more of it may be known
	}
	return v
}

// named returns the function of a name.
func (s *script) named(name string) *function {
	for _, f := range s.functions {
		if f.name == name {
			return f
		}
	}
	return nil
}

// returned evaluates the last thing that a function says, or what it returns.
func (s *script) returned(f *function, bound map[string]value, fr frame) value {
	inside := frame{f: f, bound: bound, known: map[int]value{}, depth: fr.depth + 2}
	for i, t := range f.body {
		if t.kind == word && strings.EqualFold(t.s, "return") {
			return s.eval(f.body[i+1:s.expression(f.body, i+1)], inside)
		}
	}
	parts := split(f.body, entry)
	for i := len(parts) - 1; i >= 0; i-- {
		if len(parts[i]) > 0 {
			return s.eval(parts[i], inside)
		}
	}
	return unknown
}

// target returns the metadata service that a URL leads to.
func target(s string) (scan.Target, bool) {
	s = strings.TrimSpace(s)
	found, ok := scan.FindTarget(s)
	if !ok {
		return found, false
	}
	head, _, _ := strings.Cut(strings.ToLower(s), strings.ToLower(found.Host))
	switch head {
	case "", "[", "http://", "http://[", "https://", "{}://":
		return found, true
	}
	return found, false
}
