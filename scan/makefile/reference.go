package makefile

import (
	"strings"

	"tegata/scan"
)

// maxValue bounds what a variable can stand for; they can be made to multiply.
const maxValue = 4 << 10

// maxReference bounds how long a reference may be, and maxNested how deep it may
// lie within others.
const (
	maxReference = 16 << 10
	maxNested    = 20
)

// maxOpen is how many references without an end are looked for one.
const maxOpen = 100

// brackets is reference, but for files in which too many of them have no end.
func (f *file) brackets(s string) (length int, inner scan.Span) {
	if f.open > maxOpen {
		return 1, scan.Span{}
	}
	if length, inner = reference(s); inner.End == 0 {
		f.open++
	}
	return length, inner
}

// reference returns what a dollar sign begins: its length, and what stands
// within its brackets or right behind it. A dollar sign at the end is itself.
func reference(s string) (length int, inner scan.Span) {
	if len(s) < 2 {
		return 1, scan.Span{}
	}
	open, end := s[1], byte(')')
	switch open {
	case '(':
	case '{':
		end = '}'
	default:
		return 2, scan.Span{Start: 1, End: 2}
	}
	depth := 0
	for i := 1; i < min(len(s), maxReference); i++ {
		switch s[i] {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return i + 1, scan.Span{Start: 2, End: i}
			}
		}
	}
	return 1, scan.Span{}
}

// expand adds a span with what make puts in, and hands over what it has the
// shell run for that. Tabs that begin the lines of a recipe are left out.
func (f *file) expand(b *scan.Builder, outer *scan.Text, at scan.Span, origin string) {
	body, from := outer.Body, at.Start
	for i := at.Start; i < at.End; {
		switch {
		case body[i] == '\n' && i+1 < at.End && body[i+1] == '\t':
			b.Verbatim(scan.Span{Start: from, End: i + 1})
			i += 2
			from = i
		case body[i] == '$':
			n, text := f.reference(outer, i, at.End, origin)
			if n > 0 {
				b.Verbatim(scan.Span{Start: from, End: i})
				b.Decoded(scan.Span{Start: i, End: i + n}, text)
				from = i + n
			}
			i += max(n, 1)
		default:
			i++
		}
	}
	b.Verbatim(scan.Span{Start: from, End: at.End})
	if at.End < len(body) && body[at.End] == '\n' && f.oneShell && outer == f.text {
		b.Verbatim(scan.Span{Start: at.End, End: at.End + 1})
	}
}

// reference returns what is put in for a reference, and how long it is; 0 if it
// stands for itself.
func (f *file) reference(outer *scan.Text, at, end int, origin string) (int, string) {
	n, inner := f.brackets(outer.Body[at:end])
	if inner.End == 0 {
		return 0, ""
	}
	if outer.Body[at+1] == '$' {
		if length, value := f.environment(outer.Body[at+2 : end]); length > 0 {
			return 2 + length, value
		}
		return 2, "$"
	}
	f.functions(outer, scan.Span{Start: at, End: at + n}, origin, 0)
	value, ok := f.value(outer.Body[at : at+n])
	if !ok || strings.Contains(value, "\n") {
		value = scan.Unknown
	}
	return n, value
}

// environment returns what stands for a variable that the shell has from make,
// if it holds an address: the reader of the script knows no other variables.
func (f *file) environment(s string) (length int, value string) {
	start := 0
	if strings.HasPrefix(s, "{") {
		start = 1
	}
	end := start
	for end < len(s) && (s[end] == '_' || s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z' || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	name := s[start:end]
	if !f.all && !f.exported[name] {
		return 0, ""
	}
	value, ok := f.value(f.variables[name])
	if _, found := scan.FindTarget(value); !ok || !found {
		return 0, ""
	}
	if start == 1 {
		if !strings.HasPrefix(s[end:], "}") {
			return 0, ""
		}
		end++
	}
	return end, value
}

// functions hands over what $(shell …) runs in a span, also within other
// functions.
func (f *file) functions(outer *scan.Text, at scan.Span, origin string, nested int) {
	if nested > maxNested {
		return
	}
	for i := at.Start; i < at.End; i++ {
		if outer.Body[i] != '$' {
			continue
		}
		n, inner := f.brackets(outer.Body[i:at.End])
		content := outer.Body[i+inner.Start : i+inner.End]
		command, ok := strings.CutPrefix(content, "shell")
		switch {
		case n < 3:
			i += n - 1
			continue
		case ok && command != "" && strings.ContainsAny(command[:1], " \t"):
			start := i + inner.Start + len(content) - len(strings.TrimLeft(command, " \t"))
			f.yield(outer, []scan.Span{{Start: start, End: i + inner.End}}, functionLayer, origin)
		default:
			f.functions(outer, scan.Span{Start: i + inner.Start, End: i + inner.End}, origin, nested+1)
		}
		i += n - 1
	}
}

// value returns what a text is after make has put in its variables, and whether
// it is known at all. Parts that only running tells are [scan.Unknown].
func (f *file) value(s string) (string, bool) {
	var out strings.Builder
	for i := 0; i < len(s); {
		if s[i] != '$' {
			out.WriteByte(s[i])
			i++
			continue
		}
		n, inner := f.brackets(s[i:])
		if name := s[i+inner.Start : i+inner.End]; name == "$" {
			out.WriteByte('$')
		} else {
			out.WriteString(f.variable(name))
		}
		i += n
	}
	return out.String(), out.Len() <= maxValue
}

// variable returns what a variable stands for. Within itself it is unknown.
func (f *file) variable(name string) string {
	if v, ok := f.values[name]; ok {
		return v
	}
	f.values[name] = scan.Unknown
	written, ok := f.variables[name]
	if !ok || substitutes(written) {
		return scan.Unknown
	}
	if v, ok := f.value(written); ok {
		f.values[name] = v
	}
	return f.values[name]
}
