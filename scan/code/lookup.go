package code

import (
	"fmt"
	"slices"
	"strings"

	"tegata/scan"
)

// lookup returns the value of a name where it is used.
func (p *program) lookup(name token, member bool, fr frame) value {
	all := p.sets[name.s]
	for f := p.function(name.at.Start); f != nil && !member; f = f.outer {
		if v, ok := p.local(all, f, name, fr); ok {
			return v
		}
	}
	for _, key := range []bool{false, true} {
		out, found := unknown, false
		for i := len(all) - 1; i >= 0; i-- {
			a := all[i]
			if a.key != key || a.in != nil && !a.member && !member && !key || key && !member && p.lang != "perl" && p.lang != "c" && a.in == nil && len(p.functions) > 0 && !constant(name.s) {
				continue
			}
			if a.at == name.at.Start || within(a.value, name.at.Start) {
				continue
			}
			if v := p.read(name.s, a, fr); v.s != scan.Unknown || len(v.fields) > 0 || v.items != nil {
				if !found || a.at < name.at.Start {
					out, found = v, true
				}
				if a.at < name.at.Start {
					break
				}
			}
		}
		if found {
			return out
		}
	}
	if f := p.declaredAs(name.s, 0); f != nil && len(f.params) == 0 {
		return p.returned(f, nil, fr)
	}
	if !member && p.private(name) {
		return unknown
	}
	return p.field(all, name, fr)
}

// private reports whether no other function can see what one sets a name to.
func (p *program) private(name token) bool {
	switch p.lang {
	case "go":
		return !slices.ContainsFunc(p.sets[name.s], func(a assignment) bool { return a.in == nil && !a.key })
	case "python":
		return !p.facts.globals()
	case "ruby":
		return !strings.ContainsRune("@$", rune(p.t.Body[name.at.Start]))
	}
	return false
}

// field returns what another function gives a name that is none of this one's.
func (p *program) field(all []assignment, name token, fr frame) value {
	for _, a := range all {
		if a.in == nil || a.key || within(a.value, name.at.Start) || p.function(name.at.Start) == a.in {
			continue
		}
		if v := p.read(name.s, a, fr); v.s != scan.Unknown {
			return v
		}
	}
	return unknown
}

// constant reports whether a name is written as constants are.
func constant(name string) bool { return strings.ToUpper(name) == name }

// local returns the value that a function gives a name before it is used.
func (p *program) local(all []assignment, f *function, name token, fr frame) (value, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if a := all[i]; a.in == f && !a.key && !a.member && a.at < name.at.Start && !within(a.value, name.at.Start) {
			v := p.read(name.s, a, fr)
			if a.add {
				earlier := token{kind: word, s: name.s, at: scan.Span{Start: a.at, End: a.at}}
				w := p.lookup(earlier, false, fr.deeper())
				w.add(v)
				return w, true
			}
			return v, true
		}
	}
	for _, q := range f.params {
		if q.name != name.s {
			continue
		}
		if v, ok := fr.bound[name.s]; ok && fr.f == f {
			return v, true
		}
		v := unknown
		if q.value != nil {
			v = p.eval(q.value, fr.deeper())
			v.chosen = true
		}
		return v, true
	}
	return unknown, false
}

func within(ts []token, offset int) bool {
	return len(ts) > 0 && ts[0].at.Start <= offset && offset < ts[len(ts)-1].at.End
}

// read evaluates what a name is set to, and notes where.
func (p *program) read(name string, a assignment, fr frame) value {
	known := fr.known
	if known == nil {
		known = p.values
	}
	if v, ok := known[a.at]; ok {
		return v
	}
	known[a.at] = unknown // while it is evaluated
	v := p.eval(a.value, fr.deeper())
	if a.each || a.block && v.s == scan.Unknown || at(a.value, 0).s == "range" {
		v = p.oneOf(v, fr)
	}
	if _, ok := target(v.s); ok {
		line := 1 + strings.Count(p.t.Body[:a.at], "\n")
		v.constants = append([]string{fmt.Sprintf("%s on line %d", name, line)}, v.constants...)
	}
	if known[a.at] = v; fr.depth > deepestValue/2 {
		delete(known, a.at) // from elsewhere more of it may be known
	}
	return v
}
