package code

import "strings"

// A reach counts the tokens of a program that hold an address, or a name that
// does, up to each.
type reach []int

func (p *program) reach(names map[string]bool) reach {
	out := make(reach, len(p.tokens)+1)
	for i := range p.tokens {
		out[i+1] = out[i]
		if p.carried(p.tokens[i:i+1], names) {
			out[i+1]++
		}
	}
	return out
}

// of reports whether a call has such tokens.
func (r reach) of(c *call, p *program, names map[string]bool) bool {
	if len(c.list) == len(p.tokens) && &c.list[0] == &p.tokens[0] {
		return r[c.from+len(c.own)] > r[c.from]
	}
	return p.carried(c.own, names)
}

// carries finds the names that may hold a URL of a metadata service, or a part
// of one. It errs on the side of too many: what it doesn't name needs no
// evaluation.
func (p *program) carries() map[string]bool {
	names := map[string]bool{}
	changed := true
	for round := 0; changed && round < deepestValue; round++ {
		changed = false
		for name, all := range p.sets {
			if names[name] {
				continue
			}
			for _, a := range all {
				if p.carried(a.value, names) {
					names[name], changed = true, true
					break
				}
			}
		}
		for _, property := range bases {
			for _, a := range p.sets[property] {
				if client := p.objectOf(a); a.member && names[property] && !names[client] {
					names[client], changed = true, true
				}
			}
		}
		for _, c := range p.calls {
			if to := at(c.receiver, 0); to.kind == word && !names[to.s] && len(c.receiver) == 1 && adds(c.last()) && len(c.args) > 0 && p.carried(c.args[0], names) {
				names[to.s], changed = true, true
			}
		}
		for _, f := range p.functions {
			for _, q := range f.params {
				if !names[q.name] && p.carried(q.value, names) {
					names[q.name], changed = true, true
				}
			}
			if !names[f.name] && p.carried(f.body, names) {
				names[f.name], changed = true, true
			}
		}
	}
	return names
}

// carried reports whether tokens hold an address, or a name that does.
func (p *program) carried(ts []token, names map[string]bool) bool {
	for _, t := range ts {
		if t.kind == word && names[t.s] || t.kind == text && p.addressed(t, names) {
			return true
		}
	}
	return false
}

func (p *program) addressed(t token, names map[string]bool) bool {
	for _, part := range t.parts {
		if part.hole == nil && (strings.Contains(part.s, "169.254") || strings.Contains(part.s, "latest/") || strings.Contains(part.s, "/meta-data") || strings.Contains(part.s, "instance-data") || strings.Contains(strings.ToLower(part.s), "fd00:ec2")) || p.carried(part.hole, names) {
			return true
		}
	}
	return false
}
