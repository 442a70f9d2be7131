package policy

import "strings"

// arnFields is the number of fields in arn:partition:service:region:account:resource.
const arnFields = 6

// A glob is a pattern: runes, and the two marks below for its wildcards.
type glob []rune

const (
	anyRun rune = -1 // *
	anyOne rune = -2 // ?
)

// newGlob reads * and ? as wildcards.
func newGlob(pattern string) glob {
	g, _ := expand(pattern, nil, wildcards)
	return g
}

// How expand reads * and ?.
const (
	wildcards = true
	literal   = false
)

// expand reads a pattern, and puts for each ${name} the value that vars gives,
// in which nothing is a wildcard. It reports false if a variable has neither
// a value nor a default. With nil vars, ${ is text.
func expand(pattern string, vars lookup, wild bool) (glob, bool) {
	g := make(glob, 0, len(pattern)) // bytes, of which no rune has less than one
	for pattern != "" {
		if name, rest, ok := cutVariable(pattern); ok && vars != nil {
			value, ok := vars.value(name)
			if !ok {
				return nil, false
			}
			g = append(g, []rune(value)...)
			pattern = rest
			continue
		}
		before, rest := splitAtVariable(pattern)
		g = appendText(g, before, wild)
		pattern = rest
	}
	return g, true
}

// cutVariable takes ${name} from the front of s.
func cutVariable(s string) (name, rest string, ok bool) {
	s, ok = strings.CutPrefix(s, "${")
	if !ok {
		return "", "", false
	}
	return strings.Cut(s, "}")
}

// splitAtVariable splits s before its next ${, but never at its very front.
func splitAtVariable(s string) (before, rest string) {
	if i := strings.Index(s[1:], "${"); i >= 0 {
		return s[:i+1], s[i+1:]
	}
	return s, ""
}

func appendText(g glob, text string, wild bool) glob {
	for _, r := range text {
		switch {
		case wild && r == '*':
			r = anyRun
		case wild && r == '?':
			r = anyOne
		}
		g = append(g, r)
	}
	return g
}

// match tells whether the whole of s fits. It goes back to the last * only,
// so its time is bounded by the product of the lengths.
func (g glob) match(s string) bool {
	text := []rune(s)
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(g) && g[p] == anyRun:
			star, mark = p, t
			p++
		case p < len(g) && (g[p] == anyOne || g[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	for p < len(g) && g[p] == anyRun {
		p++
	}
	return p == len(g)
}

// fields splits a glob at its colons, as ARNs are split.
func (g glob) fields() []glob {
	var fields []glob
	start := 0
	for i, r := range g {
		if r == ':' && len(fields) < arnFields-1 {
			fields = append(fields, g[start:i])
			start = i + 1
		}
	}
	return append(fields, g[start:])
}

// A lookup gives the value of a key of the request's context.
type lookup func(key string) (string, bool)

// contextLookup finds keys without regard to case, as IAM does.
func contextLookup(context map[string]string) lookup {
	return func(key string) (string, bool) {
		if v, ok := context[key]; ok {
			return v, true
		}
		for k, v := range context {
			if strings.EqualFold(k, key) {
				return v, true
			}
		}
		return "", false
	}
}

// value resolves what stands between ${ and }: a key, a key with a default in
// quotes after a comma, or one of the three escapes.
func (l lookup) value(variable string) (string, bool) {
	switch variable {
	case "*", "?", "$":
		return variable, true
	}
	key, fallback, hasDefault := strings.Cut(variable, ",")
	if v, ok := l(strings.TrimSpace(key)); ok {
		return v, true
	}
	return strings.Trim(strings.TrimSpace(fallback), "'"), hasDefault
}
