package powershell

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
)

// A verdict is how a request asks.
type verdict uint8

const (
	v1 verdict = iota
	v2
	fallback // v2 if there is a token
	other    // cloud
)

var tokenHeader = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)x-aws-ec2-metadata-token("|'|$|[^-a-z])`)
})

var foreignHeader = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^metadata(-flavor)?$|metadata-flavor: *google|^metadata: *true|bearer oracle`)
})

// judge tells how a request asks: for all of its callers, if it has any.
func (s *script) judge(r *request) verdict {
	if r.via == nil {
		return s.judgeFor(r, caller{target: r.target})
	}
	said := map[verdict]bool{}
	for _, c := range r.callers {
		if !c.target.Token() {
			said[s.judgeFor(r, c)] = true
		}
	}
	switch {
	case said[fallback], said[v1] && said[v2]:
		return fallback
	case said[v1]:
		return v1
	case said[other]:
		return other
	}
	return v2
}

// judgeFor tells how a request asks for one of its callers.
func (s *script) judgeFor(r *request, c caller) verdict {
	switch {
	case c.target.Whose == scan.Other:
		return other
	case c.target.Token():
		return v2
	}
	for _, ts := range [][]token{c.tokens, r.tokens} {
		if v := s.mentions(ts, 0); v != v1 {
			return v
		}
	}
	if v := s.tied(r); v != v1 {
		return v
	}
	if s.inCatch(r.at.Start) || len(c.tokens) > 0 && s.inCatch(c.tokens[0].at.Start) || s.known && r.in != nil && keepsToken(s.t.Body[r.in.at.Start:r.in.at.End]) {
		return fallback
	}
	return v1
}

// keepsToken reports whether the header of session tokens is in a text, but for
// where the token is asked for in its place: nobody else can use that one.
func keepsToken(text string) bool {
	return slices.ContainsFunc(tokenHeader().FindAllStringIndex(text, -1), func(m []int) bool {
		return !askedInPlace().MatchString(text[m[0]:])
	})
}

var askedInPlace = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[\w-]+["']?\s*=\s*\(`)
})

// mentions tells by headers that tokens name, themselves or by the variables
// among them, how they ask.
func (s *script) mentions(ts []token, depth int) verdict {
	if depth > 3 || s.steps > budget {
		return v1
	}
	for _, t := range ts {
		s.steps++
		switch t.kind {
		case text, word:
			if tokenHeader().MatchString(t.decoded()) {
				return v2
			}
			if foreignHeader().MatchString(t.decoded()) {
				return other
			}
			for _, p := range t.parts {
				if v := s.mentions(p.hole, depth+1); v != v1 {
					return v
				}
			}
		case variable, splat:
			if v := s.mentionedBy(t, depth); v != v1 {
				return v
			}
		}
	}
	return v1
}

// mentionedBy looks at what a variable is set to.
func (s *script) mentionedBy(t token, depth int) verdict {
	f := s.function(t.at.Start)
	for _, a := range s.sets[t.s] {
		if a.in != nil && a.in != f || within(a.value, t.at.Start) || asks(a.value) {
			continue
		}
		v := s.mentions(a.value, depth+1)
		if v == v2 && depth == 0 && s.conditional(a.at, t.at.Start) && len(s.sets[t.s]) > 1 {
			return fallback
		}
		if v != v1 {
			return v
		}
	}
	return v1
}

// asks reports whether a value is what a request of its own brings.
func asks(ts []token) bool {
	for i := 0; i < len(ts); i++ {
		switch t := ts[i]; {
		case table(t):
			i += t.jump
		case t.kind == word && requester(strings.ToLower(t.s)) && (i == 0 || starts(ts, i)):
			return true
		}
	}
	return false
}

// table reports whether a token is @{ with its partner.
func table(t token) bool { return is(t, "{") && t.at.End-t.at.Start == 2 && t.jump > 0 }

// tied looks for statements that give headers to what the request uses or
// makes: $headers.Add(…), $request.Headers["…"] = ….
func (s *script) tied(r *request) verdict {
	names := map[string]bool{}
	for _, t := range r.tokens {
		if t.kind == variable || t.kind == splat {
			names[t.s] = true
		}
	}
	s.steps += len(s.sets)
	for name, all := range s.sets {
		if s.steps > budget {
			break
		}
		for _, a := range all {
			if a.in == r.in && within(a.value, r.at.Start) {
				names[name] = true
			}
		}
	}
	out := v1
	for _, part := range s.statements(r.in) {
		if s.steps++; s.steps > budget {
			break
		}
		if len(part) < 3 || !names[part[0].s] || part[0].kind != variable || !is(part[1], ".", "[") || asks(part) {
			continue
		}
		switch s.mentions(part[1:], 1) {
		case other:
			return other
		case v2:
			if !s.conditional(part[0].at.Start, r.at.Start) {
				return v2
			}
			out = fallback
		}
	}
	return out
}

func (s *script) statements(f *function) [][]token {
	if known, ok := s.lists[f]; ok {
		return known
	}
	out, ts := [][]token{}, s.tokens
	if f != nil {
		ts = f.body
	}
	start, depth := 0, 0
	for i, t := range ts {
		switch {
		case is(t, "(", "[") && t.jump > 0, table(t):
			depth++
		case is(t, ")", "]") && t.jump < 0, t.jump < 0 && i+t.jump >= 0 && table(ts[i+t.jump]):
			depth--
		case depth == 0 && (t.kind == newline || is(t, ";", "{", "}")):
			out = append(out, ts[start:i])
			start = i + 1
		}
	}
	s.lists[f] = append(out, ts[min(start, len(ts)):])
	return s.lists[f]
}

// conditional reports whether an offset lies in the braces of an if that
// another one does not lie in, or of a try after which the script goes on.
func (s *script) conditional(offset, other int) bool {
	for i, t := range s.tokens {
		if t.at.Start > offset {
			return false
		}
		if is(t, "{") && t.jump > 0 && s.tokens[i+t.jump].at.Start > offset && !(t.at.Start < other && other < s.tokens[i+t.jump].at.Start) && (s.headed(i, "if", "elseif", "else") || s.headed(i, "try") && s.goesOn(i+t.jump+1)) {
			return true
		}
	}
	return false
}

// goesOn reports whether the catch at i leaves neither the function nor the loop.
func (s *script) goesOn(i int) bool {
	for i < len(s.tokens) && s.tokens[i].kind == newline {
		i++
	}
	if !strings.EqualFold(at(s.tokens, i).s, "catch") {
		return false
	}
	for i < len(s.tokens) && !(is(s.tokens[i], "{") && s.tokens[i].jump > 0) {
		i++
	}
	return i < len(s.tokens) && !slices.ContainsFunc(inner(s.tokens, i), func(t token) bool {
		switch strings.ToLower(t.s) {
		case "throw", "return", "exit", "break", "continue", "write-error":
			return t.kind == word
		}
		return false
	})
}

// headed reports whether a keyword stands before the braces at i.
func (s *script) headed(i int, keywords ...string) bool {
	for i--; i >= 0; i-- {
		t := s.tokens[i]
		switch {
		case t.jump < 0:
			i += t.jump
		case t.kind == newline:
		case t.kind == word:
			for _, k := range keywords {
				if strings.EqualFold(t.s, k) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
	return false
}

// inCatch reports whether a request is what is done where one with a token fails.
func (s *script) inCatch(offset int) bool {
	if !s.known {
		return false
	}
	for i, t := range s.tokens {
		if is(t, "{") && t.jump > 0 && t.at.Start < offset && offset < s.tokens[i+t.jump].at.Start && s.headed(i, "catch", "else") && s.insteadOf(i) {
			return true
		}
	}
	return false
}

// insteadOf reports whether one of the blocks that the one at i stands in for
// has to do with tokens.
func (s *script) insteadOf(i int) bool {
	for i--; i >= 0; i-- {
		switch t := s.tokens[i]; {
		case is(t, "}") && t.jump < 0:
			if s.aboutTokens(inner(s.tokens, i+t.jump)) {
				return true
			}
			i += t.jump
		case t.jump < 0:
			i += t.jump
		case t.kind == word && (strings.EqualFold(t.s, "try") || strings.EqualFold(t.s, "if")):
			return false
		case t.kind != newline && t.kind != word:
			return false
		}
	}
	return false
}

// aboutTokens reports whether tokens ask for a session token, or with one.
func (s *script) aboutTokens(ts []token) bool {
	return slices.ContainsFunc(ts, func(t token) bool {
		return t.kind == variable && strings.Contains(t.s, "token") || strings.Contains(t.decoded(), scan.TokenPath)
	}) || s.mentions(ts, 0) == v2
}
