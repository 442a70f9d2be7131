package makefile

import (
	"strings"

	"tegata/scan"
)

// A line is one of a makefile, with those that continue it.
type line struct {
	kind kind
	text *scan.Text // of an ordinary line, with its continuation joined
	at   scan.Span  // of a line of a recipe, without the tab
	name string     // of a variable of several lines
}

type kind int

const (
	ordinary kind = iota
	recipe
	defined // a line of a variable of several lines
)

// makeLine is an ordinary line: what continues it is one space away.
var makeLine = scan.Layer{Name: "a line of a makefile", Encode: func(s string) (string, error) {
	if strings.Contains(s, "\n") {
		return "", errBreak
	}
	return s, nil
}}

// linesOf cuts a makefile into its lines.
func linesOf(t *scan.Text) (all []line) {
	variable, afterRule := "", false
	for at := 0; at < len(t.Body); {
		spans := continued(t.Body, at)
		whole := scan.Span{Start: at, End: spans[len(spans)-1].End}
		at = nextLine(t.Body, whole.End)
		first := t.Body[spans[0].Start:spans[0].End]
		name, _, _ := strings.Cut(strings.TrimSpace(first), " ")
		switch {
		case variable != "" && name == "endef":
			variable = ""
		case variable != "":
			all = append(all, line{kind: defined, at: whole, name: variable})
		case name == "define":
			variable, _, _ = assignment(strings.TrimPrefix(strings.TrimSpace(first), "define "))
			if variable == "" {
				variable = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(first), "define"))
			}
		case afterRule && strings.HasPrefix(first, "\t"):
			all = append(all, line{kind: recipe, at: scan.Span{Start: whole.Start + 1, End: whole.End}})
		default:
			l := line{text: joined(t, spans)}
			if _, operator, _ := assignment(strings.TrimSpace(l.text.Body)); operator == "" && strings.Contains(uncommented(l.text.Body), ":") {
				afterRule = true
			}
			all = append(all, l)
		}
	}
	return all
}

// continued returns a line and those that continue it, without their ends.
func continued(body string, at int) (spans []scan.Span) {
	for {
		end := len(body)
		if i := strings.IndexByte(body[at:], '\n'); i >= 0 {
			end = at + i
		}
		spans = append(spans, scan.Span{Start: at, End: end})
		text := strings.TrimSuffix(body[at:end], "\r")
		backslashes := len(text) - len(strings.TrimRight(text, `\`))
		if backslashes%2 == 0 || end == len(body) {
			spans[len(spans)-1].End = at + len(text)
			return spans
		}
		at = end + 1
	}
}

func nextLine(body string, end int) int {
	if i := strings.IndexByte(body[end:], '\n'); i >= 0 {
		return end + i + 1
	}
	return len(body)
}

func joined(t *scan.Text, spans []scan.Span) *scan.Text {
	b := t.Within()
	for i, s := range spans {
		text := t.Body[s.Start:s.End]
		if i > 0 {
			s.Start += len(text) - len(strings.TrimLeft(text, " \t"))
		}
		if i == len(spans)-1 {
			b.Verbatim(scan.Span{Start: s.Start, End: s.End})
			break
		}
		end := s.Start + len(strings.TrimRight(t.Body[s.Start:s.End], "\\\r \t"))
		b.Verbatim(scan.Span{Start: s.Start, End: end})
		b.Decoded(scan.Span{Start: end, End: spans[i+1].Start}, " ")
	}
	return b.Text(scan.Make, makeLine)
}
