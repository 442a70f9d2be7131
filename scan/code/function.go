package code

import (
	"strings"

	"tegata/scan"
)

// findFunctions reads the heads of functions, and where their bodies end.
func (p *program) findFunctions() {
	ts := p.tokens
	for i, t := range ts {
		if t.kind != word {
			continue
		}
		f := p.declared(ts, i)
		if f == nil || len(f.body) == 0 {
			continue
		}
		f.at = scan.Span{Start: t.at.Start, End: f.body[len(f.body)-1].at.End}
		f.outer = p.function(t.at.Start)
		p.functions = append(p.functions, f)
		p.named[f.name] = append(p.named[f.name], f)
	}
}

// declared returns the function whose name stands at i.
func (p *program) declared(ts []token, i int) *function {
	previous := at(ts, i-1)
	if p.lang == "javascript" || p.lang == "python" || p.lang == "go" || p.lang == "perl" {
		if f := p.arrowOf(ts, i); f != nil {
			return f
		}
	}
	if p.keyword != "" && !p.introduced(ts, i) {
		return nil
	}
	if keyword(ts[i].s) || previous.s == "new" || is(previous, ".") && p.keyword == "" {
		return nil
	}
	f := &function{name: ts[i].s}
	end := i + 1
	if is(at(ts, end), "<") && p.keyword == "" {
		for end < len(ts) && end < i+8 && !is(ts[end], "(") {
			end++
		}
	}
	if is(at(ts, end), "(") && ts[end].jump > 0 {
		f.params = p.parameters(inner(ts, end))
		end = past(ts, end)
	} else if p.lang == "ruby" && at(ts, end).kind == word {
		n := p.line(ts, end)
		f.params = p.parameters(ts[end:n])
		end = n
	} else if p.keyword == "" {
		return nil
	}
	f.body = p.bodyOf(ts, i, end)
	return f
}

// introduced reports whether the keyword of functions stands before a name.
func (p *program) introduced(ts []token, i int) bool {
	previous := at(ts, i-1)
	switch {
	case previous.kind == word && previous.s == p.keyword:
		return true
	case p.lang == "go" && is(previous, ")") && previous.jump < 0:
		return at(ts, i-1+previous.jump-1).s == "func"
	case is(previous, ".", ":"):
		return at(ts, i-3).s == p.keyword // def self.name, function M.name
	}
	return false
}

// arrowOf returns the function that a name is set to: name = (a, b) => …,
// name = function (a) {…}, name := func(a) {…}, name = lambda a: ….
func (p *program) arrowOf(ts []token, i int) *function {
	if !is(at(ts, i+1), "=", ":=", ":") {
		return nil
	}
	j := i + 2
	for _, lead := range []string{"async", "function", "func", "lambda", "sub"} {
		if at(ts, j).s == lead {
			j++
		}
	}
	lead := at(ts, j-1).s
	f := &function{name: ts[i].s}
	switch next := at(ts, j); {
	case lead == "lambda":
		colon := j
		for colon < len(ts) && !is(ts[colon], ":") && ts[colon].kind != newline {
			colon++
		}
		f.params = p.parameters(ts[j:colon])
		if colon+1 < len(ts) {
			f.body = ts[colon+1 : p.expression(ts, colon+1)]
		}
		return f
	case next.kind == word && is(at(ts, j+1), "=>"):
		f.params = p.parameters(ts[j : j+1])
		j++
	case is(next, "(") && next.jump > 0:
		f.params = p.parameters(inner(ts, j))
		j = past(ts, j)
	case next.kind == word && lead == "function" && is(at(ts, j+1), "("):
		f.params = p.parameters(inner(ts, j+1))
		j = past(ts, j+1)
	default:
		return nil
	}
	if lead != "function" && lead != "func" && !p.arrowFollows(ts, j) {
		return nil
	}
	f.body = p.bodyOf(ts, i, j)
	return f
}

func (p *program) arrowFollows(ts []token, j int) bool {
	for n := j; n < j+8 && n < len(ts) && ts[n].kind != newline && !is(ts[n], ";"); n++ {
		if is(ts[n], "=>") {
			return true
		}
	}
	return false
}

// line returns the index of the end of the line that i lies on.
func (p *program) line(ts []token, i int) int {
	for i < len(ts) && ts[i].kind != newline && !is(ts[i], ";") {
		i++
	}
	return i
}

// bodyOf returns the body of the function whose name stands at name and whose
// head ends before i.
func (p *program) bodyOf(ts []token, name, i int) []token {
	if p.lang == "python" {
		for i < len(ts) && !is(ts[i], ":") && ts[i].kind != newline {
			i = past(ts, i)
		}
		return p.indentedBody(ts, name, i+1)
	}
	if p.indented {
		return p.indentedBody(ts, name, i)
	}
	for n := i; n < len(ts) && n < i+16; n = past(ts, n) {
		switch t := ts[n]; {
		case is(t, "{") && t.jump > 0:
			return inner(ts, n)
		case is(t, "=>"), is(t, "=") && p.keyword != "":
			if !is(at(ts, n+1), "{") {
				return ts[min(n+1, len(ts)):p.expression(ts, min(n+1, len(ts)))]
			}
		case is(t, ";", ")", "]", "}", "=", "+", "&&", "||", "=="), is(t, ",") && p.lang != "java", t.kind == text:
			return nil
		case t.kind == newline && (p.keyword == "" || p.lang == "go"):
			return nil
		}
	}
	return nil
}

// indentedBody returns the tokens up to a line that is not further in than the
// one of the head.
func (p *program) indentedBody(ts []token, head, i int) []token {
	start := min(i, len(ts))
	margin := p.indent(ts[head].at.Start)
	for ; i < len(ts); i++ {
		if ts[i].kind != newline && i > start && p.leads(ts[i].at.Start) && p.indent(ts[i].at.Start) <= margin && !is(ts[i], ")", "]", "}") {
			break
		}
	}
	return ts[start:min(i, len(ts))]
}

// indent returns how far in the line of an offset is.
func (p *program) indent(offset int) int {
	line := p.t.Body[strings.LastIndexByte(p.t.Body[:offset], '\n')+1:]
	return len(line) - len(strings.TrimLeft(line, " \t"))
}

// leads reports whether an offset is the first one of its line.
func (p *program) leads(offset int) bool {
	return strings.TrimLeft(p.t.Body[strings.LastIndexByte(p.t.Body[:offset], '\n')+1:offset], " \t") == ""
}

// parameters reads the names and the defaults of parameters.
func (p *program) parameters(ts []token) (params []param) {
	for _, part := range split(ts, ",") {
		var q param
		for i := 0; i < len(part); i++ {
			t := part[i]
			if is(t, "=") || is(t, ":") && p.lang == "ruby" {
				q.value = part[i+1:]
				break
			}
			if is(t, ":") && p.lang != "ruby" {
				rest := split(part[i:], "=")
				if len(rest) > 1 {
					q.value = rest[1]
				}
				break
			}
			if t.kind == word && (q.name == "" || !p.first) {
				q.name = t.s
			}
		}
		if q.name != "" && q.name != "self" && q.name != "cls" {
			params = append(params, q)
		}
	}
	return params
}
