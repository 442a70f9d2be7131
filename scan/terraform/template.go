package terraform

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// TemplateText returns what stands in a file that templatefile or a
// template_file fills in: its escapes undone, its directives dropped, and what
// only Terraform knows as [scan.Unknown].
//
// Source: https://developer.hashicorp.com/terraform/language/expressions/strings#string-templates
func TemplateText(outer *scan.Text, lang scan.Lang) *scan.Text {
	r := reader{body: outer.Body, value: func(hclsyntax.Expression) (string, bool) { return "", false }}
	r.read(scan.Span{Start: 0, End: len(outer.Body)})
	b := outer.Within()
	r.addTo(b)
	return b.Text(lang, templateLayer)
}

// A reader takes a template to pieces.
type reader struct {
	body   string
	quoted bool                                           // it is a string in quotes, with backslashes
	value  func(hclsyntax.Expression) (v string, ok bool) // what an expression is
	pieces []piece
	inner  []hclsyntax.Expression // what is filled in
	open   int                    // sequences without an end
	strip  bool                   // white space that follows is dropped
}

// A piece is a part of a template: bytes as they stand, or what is put in for
// them.
type piece struct {
	at       scan.Span
	text     string
	verbatim bool
	end      bool // a directive or a value: a line may begin with it
}

// read reads a span of the body. What can't be read is literal.
func (r *reader) read(at scan.Span) {
	from := at.Start
	for i := at.Start; i < at.End; {
		n, p := r.next(i, at.End)
		if n == 0 {
			i++
			continue
		}
		r.literal(from, i)
		if p.end {
			r.strips(r.body[i : i+n])
		}
		r.pieces = append(r.pieces, p)
		i += n
		from = i
	}
	r.literal(from, at.End)
}

// literal adds bytes as they stand, but for space that a directive strips.
func (r *reader) literal(from, to int) {
	if r.strip && from < to {
		r.strip = false
		from += len(r.body[from:to]) - len(strings.TrimLeft(r.body[from:to], " \t\r"))
		if from < to && r.body[from] == '\n' {
			from++
		}
	}
	if from < to {
		r.pieces = append(r.pieces, piece{scan.Span{Start: from, End: to}, r.body[from:to], true, false})
	}
}

// next returns how long what begins at an offset is, and what it stands for; 0
// if it is a literal byte.
func (r *reader) next(at, end int) (int, piece) {
	s := r.body[at:end]
	decoded := func(n int, text string) (int, piece) {
		return n, piece{at: scan.Span{Start: at, End: at + n}, text: text}
	}
	switch {
	case r.quoted && s[0] == '\\':
		n, text := unescape(s)
		if n == 0 {
			return 0, piece{}
		}
		return decoded(n, text)
	case strings.HasPrefix(s, "$${"), strings.HasPrefix(s, "%%{"):
		return decoded(3, s[1:3])
	case strings.HasPrefix(s, "${"):
		return r.interpolation(at, s)
	case strings.HasPrefix(s, "%{"):
		n := r.closing(s)
		if n == 0 {
			return 0, piece{}
		}
		n, p := decoded(n, "")
		p.end = true
		return n, p
	}
	return 0, piece{}
}

// strips drops white space around a directive that asks for it: up to the end
// of its line, and back to where its line begins.
func (r *reader) strips(s string) {
	if strings.HasSuffix(s, "~}") {
		r.strip = true
	}
	if i := len(r.pieces) - 1; len(s) > 2 && s[2] == '~' && i >= 0 && r.pieces[i].verbatim {
		p := &r.pieces[i]
		p.text = strings.TrimRight(p.text, " \t")
		p.at.End = p.at.Start + len(p.text)
		if p.text == "" {
			r.pieces = r.pieces[:i]
		}
	}
}

func (r *reader) interpolation(at int, s string) (int, piece) {
	n := r.closing(s)
	if n == 0 {
		return 0, piece{}
	}
	text := scan.Unknown
	source := strings.TrimPrefix(s[2:n-1], "~")
	start := hcl.Pos{Line: 1, Column: 1, Byte: at + n - 1 - len(source)}
	e, diags := hclsyntax.ParseExpression([]byte(strings.TrimSuffix(source, "~")), "", start)
	if !diags.HasErrors() {
		r.inner = append(r.inner, e)
		if v, ok := r.value(e); ok {
			text = v
		}
	}
	return n, piece{at: scan.Span{Start: at, End: at + n}, text: text, end: true}
}

// maxOpen is how many sequences without an end are looked for one.
const maxOpen = 100

// closing returns how long a sequence is; 0 if it has no end.
func (r *reader) closing(s string) int {
	if r.open > maxOpen {
		return 0
	}
	n := closing(s, 0)
	if n == 0 {
		r.open++
	}
	return n
}

// maxNested bounds how deep strings and sequences may lie within each other.
const maxNested = 50

// closing returns how long "${…}" or "%{…}" is, with the strings and braces
// within; 0 if it has no end.
func closing(s string, nested int) int {
	if nested > maxNested {
		return 0
	}
	depth := 0
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			n := stringEnd(s[i:], nested+1)
			if n == 0 {
				return 0
			}
			i += n - 1
		}
	}
	return 0
}

// stringEnd returns how long the string at the start is, with its quotes.
func stringEnd(s string, nested int) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return i + 1
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], "${"):
			n := closing(s[i:], nested+1)
			if n == 0 {
				return 0
			}
			i += n - 1
		}
	}
	return 0
}

// unescape returns how long an escape in quotes is, and what it stands for.
//
// Source: https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md#quoted-template-expression
func unescape(s string) (int, string) {
	if len(s) < 2 {
		return 0, ""
	}
	switch s[1] {
	case 'n':
		return 2, "\n"
	case 'r':
		return 2, "\r"
	case 't':
		return 2, "\t"
	case '"', '\\':
		return 2, s[1:2]
	case 'u':
		return character(s, 6)
	case 'U':
		return character(s, 10)
	}
	return 0, ""
}

func character(s string, n int) (int, string) {
	if len(s) < n {
		return 0, ""
	}
	c, err := strconv.ParseUint(s[2:n], 16, 32)
	if err != nil {
		return 0, ""
	}
	return n, string(rune(c))
}

// flush drops the indentation that all lines of a heredoc have, and returns
// it.
//
// Source: https://developer.hashicorp.com/terraform/language/expressions/strings#indented-heredocs
func (r *reader) flush() string {
	r.lines()
	least, indent := -1, ""
	r.starts(func(p *piece) {
		n := len(p.text) - len(strings.TrimLeft(p.text, " \t"))
		if p.end || !p.verbatim {
			n = 0
		} else if strings.TrimSpace(p.text) == "" && strings.HasSuffix(p.text, "\n") {
			return
		}
		if least < 0 || n < least {
			least, indent = n, p.text[:n]
		}
	})
	if least <= 0 {
		return ""
	}
	r.starts(func(p *piece) {
		if !p.verbatim || strings.TrimSpace(p.text) == "" && strings.HasSuffix(p.text, "\n") {
			return
		}
		p.text = p.text[least:]
		p.at.Start += least
	})
	return indent
}

// lines cuts literal pieces at the ends of lines.
func (r *reader) lines() {
	var cut []piece
	for _, p := range r.pieces {
		if !p.verbatim {
			cut = append(cut, p)
			continue
		}
		at := p.at.Start
		for line := range strings.Lines(p.text) {
			cut = append(cut, piece{scan.Span{Start: at, End: at + len(line)}, line, true, false})
			at += len(line)
		}
	}
	r.pieces = cut
}

// starts calls f with every piece that a line begins with.
func (r *reader) starts(f func(*piece)) {
	start := true
	for i := range r.pieces {
		p := &r.pieces[i]
		newline := p.verbatim && strings.HasSuffix(p.text, "\n")
		if start {
			f(p)
		}
		start = newline
	}
}

func (r *reader) addTo(b *scan.Builder) {
	for _, p := range r.pieces {
		if p.verbatim {
			b.Verbatim(p.at)
		} else {
			b.Decoded(p.at, p.text)
		}
	}
}

var (
	errTemplate  = errors.New("it would be a part of Terraform's template")
	errDelimiter = errors.New("the line ends the heredoc")
	errPacker    = errors.New("it would be a part of Packer's template")
)

// literal writes a text in a template, so that Terraform fills in nothing.
func literal(s string) (string, error) {
	if strings.Contains(s, "$${") || strings.Contains(s, "%%{") || strings.HasPrefix(s, "{") ||
		strings.HasSuffix(s, "$") || strings.HasSuffix(s, "%") {
		return "", errTemplate
	}
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(s), nil
}

var templateLayer = scan.Layer{Name: "a template of Terraform", Encode: literal}

var quotedLayer = scan.Layer{Name: "a quoted string of Terraform", Encode: func(s string) (string, error) {
	s, err := literal(s)
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s), err
}}

// heredocLayer is a heredoc, the lines of which are indented further than what
// they stand for.
func heredocLayer(delimiter, indent string) scan.Layer {
	return scan.Layer{Name: "a heredoc of Terraform", Encode: func(s string) (string, error) {
		if slices.ContainsFunc(strings.Split(s, "\n"), func(line string) bool { return strings.TrimSpace(line) == delimiter }) {
			return "", errDelimiter
		}
		s, err := literal(s)
		return strings.ReplaceAll(s, "\n", "\n"+indent), err
	}}
}
