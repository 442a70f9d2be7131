package code

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// A value is what is known of an expression.
type value struct {
	s         string // scan.Unknown in place of what is not known
	fields    []field
	items     [][]token // of a list
	constants []string  // what it was read from: "BASE on line 3"
	chosen    bool      // it may be another one when the program runs
}

// A field is a member of an object or a table.
type field struct {
	name  string
	value []token
}

var unknown = value{s: scan.Unknown}

// budget is how many steps an evaluation may take in one text.
const budget = 500_000

// A frame is what names mean during an evaluation.
type frame struct {
	f     *function
	bound map[string]value
	known map[int]value // by the offset of what was evaluated
	depth int
}

// deepestValue is how many names an evaluation follows in a row.
const deepestValue = 12

func (fr frame) deeper() frame { fr.depth++; return fr }

// eval returns what is known of an expression.
func (p *program) eval(ts []token, fr frame) value {
	if p.steps++; fr.depth > deepestValue || p.steps > budget {
		return unknown
	}
	ts = trim(ts)
	if len(ts) == 0 {
		return unknown
	}
	if parts := alternatives(ts); len(parts) > 1 {
		return p.best(parts, fr)
	}
	if parts := split(ts, "+"); len(parts) > 1 {
		return p.joined(parts, fr)
	}
	if parts := split(ts, "%"); len(parts) == 2 && at(parts[0], 0).kind == text {
		return p.filled(p.eval(parts[0], fr.deeper()), percent, operands(parts[1]), fr)
	}
	if ts[0].kind == text && at(ts, 1).kind == text {
		var parts [][]token
		for i := range ts {
			if ts[i].kind == text {
				parts = append(parts, ts[i:i+1])
			} else if ts[i].kind != newline {
				parts[len(parts)-1] = ts[i-1:]
				break
			}
		}
		return p.joined(parts, fr)
	}
	return p.primary(ts, fr)
}

// trim leaves out what is around an expression without meaning for its value.
func trim(ts []token) []token {
	for len(ts) > 0 {
		switch t := ts[0]; {
		case t.kind == newline, is(t, "&", "*"), t.kind == word && (t.s == "await" || t.s == "new" || t.s == "return" || t.s == "range"):
			ts = ts[1:]
		case ts[len(ts)-1].kind == newline, is(ts[len(ts)-1], "!"):
			ts = ts[:len(ts)-1]
		case is(t, "(") && t.jump > 0 && t.jump == len(ts)-1:
			ts = ts[1 : len(ts)-1]
		case is(t, "(") && t.jump > 1 && t.jump < 5 && (at(ts, t.jump+1).kind == word || at(ts, t.jump+1).kind == text || at(ts, t.jump+1).s == "("):
			ts = ts[t.jump+1:] // a cast
		default:
			return ts
		}
	}
	return ts
}

// alternatives returns the values that an expression chooses from.
func alternatives(ts []token) [][]token {
	var parts [][]token
	start := 0
	for i := 0; i < len(ts); i = past(ts, i) {
		t := ts[i]
		switch {
		case is(t, "||", "??", "?:"), t.kind == word && (t.s == "or" || t.s == "else") && i > 0:
			parts = append(parts, ts[start:i])
			start = i + 1
		case is(t, "?"):
			start = i + 1
			for j := start; j < len(ts); j = past(ts, j) {
				if is(ts[j], ":") {
					return append(parts, ts[start:j], ts[j+1:])
				}
			}
		case t.kind == word && t.s == "if" && i > 0:
			parts = append(parts, ts[start:i])
			for start = i; start < len(ts) && ts[start].s != "else"; start++ {
			}
			start = min(start+1, len(ts))
			i = max(i, start-1)
		}
	}
	if start < len(ts) {
		parts = append(parts, ts[start:])
	}
	return parts
}

// best returns the alternative that a metadata service is in, or else one that
// is known.
func (p *program) best(parts [][]token, fr frame) value {
	out := unknown
	for _, part := range parts {
		v := p.eval(part, fr.deeper())
		if _, ok := target(v.s); ok {
			v.chosen = true
			return v
		}
		if out.s == scan.Unknown {
			out = v
		}
	}
	out.chosen = true
	return out
}

func (p *program) joined(parts [][]token, fr frame) (out value) {
	for _, part := range parts {
		v := p.eval(part, fr.deeper())
		out.add(v)
	}
	return out
}

// longest is how long a value may become.
const longest = 1 << 16

func (v *value) add(other value) {
	if len(v.s)+len(other.s) < longest {
		v.s += other.s
	}
	v.constants = append(v.constants, other.constants...)
	v.chosen = v.chosen || other.chosen
}

// operands returns the values that a format is filled with.
func operands(ts []token) [][]token {
	ts = trimNewlines(ts)
	if len(ts) > 1 && is(ts[0], "(", "[") && ts[0].jump == len(ts)-1 {
		return split(ts[1:len(ts)-1], ",")
	}
	return [][]token{ts}
}

func trimNewlines(ts []token) []token {
	for len(ts) > 0 && ts[0].kind == newline {
		ts = ts[1:]
	}
	for len(ts) > 0 && ts[len(ts)-1].kind == newline {
		ts = ts[:len(ts)-1]
	}
	return ts
}

func nth(args [][]token, n int) []token {
	if n < 0 || n >= len(args) {
		return nil
	}
	return args[n]
}

// named returns the argument of a name, as "name=…" or in a table.
func named(args [][]token, name string) []token {
	for _, f := range fields(args) {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return nil
}

// fields reads arguments with names, and tables among them.
func fields(args [][]token) (out []field) {
	for _, arg := range args {
		arg = trimNewlines(arg)
		if f, ok := fieldOf(arg); ok {
			out = append(out, f)
			continue
		}
		if len(arg) > 0 && arg[0].kind == word && (arg[0].s == "dict" || arg[0].s == "array" || arg[0].s == "new") && is(at(arg, 1), "(", "{") {
			arg = arg[1:]
		}
		if len(arg) > 1 && is(arg[0], "{", "[") && arg[0].jump == len(arg)-1 || len(arg) > 1 && is(arg[0], "(") {
			for _, inner := range split(inner(arg, 0), ",", ";") {
				if f, ok := fieldOf(trimNewlines(inner)); ok {
					out = append(out, f)
				} else if n := trimNewlines(inner); arg[0].s == "{" && len(n) == 1 && n[0].kind == word {
					out = append(out, field{n[0].s, n})
				}
			}
		}
	}
	return out
}

func fieldOf(ts []token) (f field, ok bool) {
	if len(ts) > 3 && is(ts[0], "[") && ts[0].jump == 2 {
		ts = append([]token{ts[1]}, ts[3:]...)
	}
	if len(ts) < 3 || !is(ts[1], ":", "=>", "=") || ts[0].kind != word && ts[0].kind != text {
		return f, false
	}
	name := ts[0].s
	if ts[0].kind == text {
		name = ts[0].decoded()
	}
	return field{name, ts[2:]}, true
}

// primary returns the value of a name, a string, a table, or a call, and of what is called on it.
func (p *program) primary(ts []token, fr frame) value {
	t := ts[0]
	switch {
	case p.lang == "go" && (is(t, "[") || t.s == "map" && is(at(ts, 1), "[")):
		return goLiteral(ts)
	case t.kind == text:
		return p.methods(ts, 1, p.text(t, fr), fr)
	case is(t, "{", "["):
		if t.s == "[" && t.jump == 1 && is(at(ts, 2), "{") {
			ts = ts[2:] // new[] { … }
		}
		end := past(ts, 0)
		v := value{s: scan.Unknown, fields: fields([][]token{ts[:end]})}
		if (t.s == "[" || p.lang == "java") && len(v.fields) == 0 {
			v.items = split(inner(ts, 0), ",")
		}
		return p.methods(ts, end, v, fr)
	case is(t, "("):
		return p.methods(ts, past(ts, 0), p.eval(inner(ts, 0), fr.deeper()), fr)
	case t.kind == word:
		return p.name(ts, fr)
	}
	return unknown
}

// goLiteral returns what a literal of a slice or a map has in it.
func goLiteral(ts []token) value {
	v := unknown
	for i := 0; i < len(ts); i = past(ts, i) {
		if is(ts[i], "{") && ts[i].jump > 0 {
			if v.fields = fields([][]token{ts[i:past(ts, i)]}); len(v.fields) == 0 {
				v.items = split(inner(ts, i), ",")
			}
			break
		}
	}
	return v
}

// text returns what a string says, with what is known of its holes.
func (p *program) text(t token, fr frame) (v value) {
	for _, part := range t.parts {
		if part.hole == nil {
			v.add(value{s: part.s})
			continue
		}
		v.add(p.eval(part.hole, fr.deeper()))
	}
	return v
}

// name returns the value of an expression that begins with a name.
func (p *program) name(ts []token, fr frame) value {
	path := []string{ts[0].s}
	i := 1
	for i+1 < len(ts) && is(ts[i], ".") && ts[i+1].kind == word {
		if i+2 < len(ts) && is(ts[i+2], "(") && len(path) > 0 {
			if v := p.lookup(ts[i-1], len(path) > 1, fr); v.s != scan.Unknown || v.items != nil {
				return p.methods(ts, i, v, fr)
			}
		}
		path = append(path, ts[i+1].s)
		i += 2
	}
	last := ts[i-1]
	if is(at(ts, i), "(") && ts[i].jump == 1 && len(path) == 2 && finishes(last.s) {
		if v := p.piecewise(ts[0], fr); v.s != "" {
			return p.methods(ts, past(ts, i), v, fr)
		}
	}
	if is(at(ts, i), "(") && ts[i].jump > 0 {
		v := p.result(strings.Join(path, "."), split(inner(ts, i), ","), last, fr)
		return p.methods(ts, past(ts, i), v, fr)
	}
	if is(at(ts, i), "[", "{") || is(at(ts, i), "<") {
		return p.element(ts, i, path, fr)
	}
	v := p.lookup(last, len(path) > 1, fr)
	if v.s == scan.Unknown && len(path) > 1 && passes(last.s) {
		v = p.lookup(ts[i-3], len(path) > 2, fr)
	}
	if p.loose && v.s == scan.Unknown && at(ts, i).kind != newline && p.bare(ts, i-1) {
		v = p.result(strings.Join(path, "."), split(ts[i:], ","), last, fr)
	}
	return p.methods(ts, i, v, fr)
}

// finishes reports methods that return what was put together piece by piece.
func finishes(name string) bool {
	switch name {
	case "String", "toString", "ToString", "getvalue", "string", "build":
		return true
	}
	return false
}

// piecewise returns what the function of a name has added to it before: to a
// buffer, or to a builder of strings. It is empty if nothing was.
func (p *program) piecewise(name token, fr frame) (out value) {
	all := p.inside[p.function(name.at.Start)]
	if p.function(name.at.Start) == nil {
		all = p.calls
	}
	for _, c := range all {
		if c.at.Start >= name.at.Start || len(c.args) == 0 || at(c.receiver, 0).s != name.s {
			continue
		}
		if !adds(c.last()) {
			continue
		}
		if out.s == "" {
			if first := p.lookup(name, false, fr.deeper()); first.s != scan.Unknown {
				out = first
			}
		}
		out.add(p.eval(c.args[0], fr.deeper()))
	}
	return out
}

// adds reports methods that add a piece to what is put together.
func adds(name string) bool {
	switch name {
	case "WriteString", "append", "Append", "write", "Write", "AppendFormat", "add", "concat":
		return true
	}
	return false
}

// element returns the value of name[key], or of a constructor with a table.
func (p *program) element(ts []token, i int, path []string, fr frame) value {
	last := path[len(path)-1]
	switch {
	case is(ts[i], "[") && ts[i].jump == 1 && is(at(ts, i+2), "{"):
		return value{s: scan.Unknown, items: split(inner(ts, i+2), ",")} // new string[] { … }
	case is(ts[i], "{"):
		return value{s: scan.Unknown, fields: fields([][]token{ts[i:past(ts, i)]})}
	case is(ts[i], "<"):
		for j := i; j < len(ts); j++ {
			if is(ts[j], "(") {
				return p.result(strings.Join(path, "."), split(inner(ts, j), ","), ts[i-1], fr)
			}
		}
		return unknown
	}
	key := inner(ts, i)
	if len(key) != 1 || last == "environ" || last == "ENV" || last == "env" {
		return unknown
	}
	name := key[0].s
	if key[0].kind == text {
		name = key[0].decoded()
	}
	table := p.lookup(ts[i-1], len(path) > 1, fr)
	for _, f := range table.fields {
		if f.name == name {
			return p.methods(ts, past(ts, i), p.eval(f.value, fr.deeper()), fr)
		}
	}
	if table.s != scan.Unknown && key[0].kind == number {
		return table
	}
	if key[0].kind != text {
		return p.methods(ts, past(ts, i), p.oneOf(table, fr), fr)
	}
	return unknown
}

// oneOf returns the first of the values of a table or a list that leads to a
// metadata service.
func (p *program) oneOf(v value, fr frame) value {
	all := v.items
	for _, f := range v.fields {
		all = append(all, f.value)
	}
	for _, ts := range all[:min(len(all), longestTable)] {
		if w := p.eval(ts, fr.deeper()); w.s != scan.Unknown {
			if _, ok := target(w.s); ok {
				return w
			}
		}
	}
	return unknown
}

// longestTable is how many values of a table are looked at.
const longestTable = 64

// target returns the metadata service that a URL leads to. A URL within the
// query of another one leads elsewhere.
func target(s string) (scan.Target, bool) {
	s = strings.TrimSpace(s)
	if m := anyHost().FindStringSubmatch(s); m != nil {
		return scan.Target{Host: scan.Unknown, Path: m[1], Whose: scan.AWS}, true
	}
	s = strings.TrimPrefix(strings.TrimPrefix(s, scan.Unknown), "://")
	found, ok := scan.FindTarget(s)
	if !ok {
		return found, false
	}
	head, _, _ := strings.Cut(strings.ToLower(s), strings.ToLower(found.Host))
	switch head {
	case "", "[", "http://", "http://[", "https://", "//":
		return found, true
	}
	return found, false
}

// anyHost matches URLs whose host is not known, and whose path nothing but EC2's
// service has.
var anyHost = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(?:https?://)?(?:\{\})(?::\d+|:\{\})?(/?(?:latest|1\.0|20\d\d-\d\d-\d\d)/(?:meta-data|user-data|dynamic|api/token)(?:/.*)?)$`)
})
