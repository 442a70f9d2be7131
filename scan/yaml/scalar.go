package yaml

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tegata/scan"
)

// A Style is how a scalar is written.
type Style int

// The styles of scalars.
const (
	Plain Style = iota
	Single
	Double
	Literal
	Folded
)

func (s Style) String() string {
	switch s {
	case Single:
		return "a single-quoted YAML scalar"
	case Double:
		return "a double-quoted YAML scalar"
	case Literal:
		return "a literal YAML block"
	case Folded:
		return "a folded YAML block"
	}
	return "a plain YAML scalar"
}

// scalar begins a scalar that stands here.
func (r *reader) scalar(style Style, parent int, flow bool) *Node {
	return &Node{text: r.text, Style: style, indent: parent, inFlow: flow, body: scan.Span{Start: r.pos}}
}

// ended ends a scalar: its value is that of its pieces.
func (r *reader) ended(n *Node) *Node {
	n.body.End = max(n.body.Start, r.pos)
	n.At = n.body
	var value strings.Builder
	for _, p := range n.pieces {
		value.WriteString(p.Text)
	}
	n.Value = value.String()
	n.origin = n
	return n
}

// verbatim adds what stands here, up to end.
func (r *reader) verbatim(n *Node, start, end int) {
	if start >= end {
		return
	}
	if i := len(n.pieces) - 1; i >= 0 && n.pieces[i].Verbatim && n.pieces[i].At.End == start {
		n.pieces[i].At.End = end
		n.pieces[i].Text = r.src[n.pieces[i].At.Start:end]
		return
	}
	n.pieces = append(n.pieces, Piece{scan.Span{Start: start, End: end}, r.src[start:end], true})
}

// decoded adds what a span stands for.
func (r *reader) decoded(n *Node, start, end int, text string) {
	if text != "" {
		n.pieces = append(n.pieces, Piece{scan.Span{Start: start, End: end}, text, false})
	}
}

// plainLine reads what of a plain scalar stands on this line.
func (r *reader) plainLine(parent int) *Node {
	n := r.scalar(Plain, parent, false)
	r.plainPart(n)
	return r.ended(n)
}

// plain reads a plain scalar with the lines on which it goes on.
func (r *reader) plain(parent int, flow bool) *Node {
	n := r.scalar(Plain, parent, flow)
	if !r.plainBegins(flow) {
		r.fail("no value can begin like this")
		return n
	}
	for r.plainPart(n) {
		end := r.pos
		breaks := r.breaks()
		if breaks == 0 || !r.plainGoesOn(parent, flow) {
			r.pos = end
			break
		}
		r.decoded(n, end, r.pos, folded(breaks))
	}
	return r.ended(n)
}

// plainBegins reports whether a plain scalar can begin here: at no indicator.
func (r *reader) plainBegins(flow bool) bool {
	switch c := r.at(0); c {
	case '-', '?', ':':
		return !space(r.at(1)) && !(flow && flowIndicator(r.at(1)))
	case 0, ' ', '\t', '\r', '\n':
		return false
	default:
		return strings.IndexByte(",[]{}#&*!|>'\"%@`", c) < 0
	}
}

// plainPart reads up to the end of the line, or to what ends the scalar, and
// reports whether there was anything.
func (r *reader) plainPart(n *Node) bool {
	start := r.pos
	if len(n.pieces) == 0 && !r.plainBegins(n.inFlow) {
		return false
	}
	end := start
	for ; !r.end() && !r.plainStops(n.inFlow); r.pos++ {
		if !space(r.src[r.pos]) {
			end = r.pos + 1
		}
	}
	r.pos = end
	r.verbatim(n, start, end)
	return end > start
}

func (r *reader) plainStops(flow bool) bool {
	switch c := r.src[r.pos]; {
	case c == '\n':
		return true
	case c == ':':
		return space(r.at(1)) || flow && flowIndicator(r.at(1))
	case c == '#':
		return r.pos > 0 && blank(r.src[r.pos-1])
	default:
		return flow && flowIndicator(c)
	}
}

// plainGoesOn reports whether the line belongs to the plain scalar before it.
func (r *reader) plainGoesOn(parent int, flow bool) bool {
	switch {
	case r.documentEnds(), r.at(0) == '#':
		return false
	case flow:
		return !r.plainStops(true)
	}
	return r.column() > parent
}

// breaks passes over the white space at the end of a line, blank lines, and the
// indentation of the line on which a scalar goes on. It returns how many lines
// ended.
func (r *reader) breaks() (lines int) {
	for ; !r.end() && space(r.src[r.pos]); r.pos++ {
		if r.src[r.pos] == '\n' {
			lines++
		}
	}
	return lines
}

// folded is what the ends of lines stand for in all but literal scalars.
func folded(breaks int) string {
	if breaks == 1 {
		return " "
	}
	return strings.Repeat("\n", breaks-1)
}

// quoted reads a scalar in quotes.
func (r *reader) quoted(parent int, flow bool) *Node {
	n := r.scalar(Single, parent, flow)
	mark := r.at(0)
	if mark == '"' {
		n.Style = Double
	}
	r.pos++
	for !r.end() {
		start := r.pos
		r.quotedPart(n, mark)
		switch {
		case r.at(0) == mark && mark == '\'' && r.at(1) == '\'':
			r.decoded(n, r.pos, r.pos+2, "'")
			r.pos += 2
		case r.at(0) == mark:
			r.pos++
			return r.ended(n)
		case r.at(0) == '\\':
			r.escape(n)
		case !r.end():
			r.fold(n, start)
		}
	}
	r.fail("a quote is not closed")
	return r.ended(n)
}

// quotedPart reads up to a quote, an escape, or the end of a line.
func (r *reader) quotedPart(n *Node, mark byte) {
	start := r.pos
	for ; !r.end(); r.pos++ {
		if c := r.src[r.pos]; c == mark || c == '\n' || c == '\\' && mark == '"' {
			break
		}
	}
	r.verbatim(n, start, r.pos)
}

// fold reads the end of a line within quotes. White space around it stands for
// nothing.
func (r *reader) fold(n *Node, start int) {
	end := r.pos
	for end > start && space(r.src[end-1]) {
		end--
	}
	if i := len(n.pieces) - 1; end < r.pos {
		n.pieces[i].At.End -= r.pos - end
		n.pieces[i].Text = r.src[n.pieces[i].At.Start:n.pieces[i].At.End]
		if n.pieces[i].Text == "" {
			n.pieces = n.pieces[:i]
		}
	}
	r.decoded(n, end, r.pos, folded(r.breaks()))
	if i := len(n.pieces) - 1; i >= 0 && !n.pieces[i].Verbatim && n.pieces[i].At.Start == end {
		n.pieces[i].At.End = r.pos
	}
}

// escape reads an escape of double quotes.
//
// Source: https://yaml.org/spec/1.2.2/#57-escaped-characters
func (r *reader) escape(n *Node) {
	start := r.pos
	c := r.at(1)
	r.skip(2)
	switch c {
	case 'x', 'u', 'U':
		text := r.hex(c)
		r.decoded(n, start, r.pos, text)
	case '\r', '\n':
		r.pos = start + 1
		r.escapedBreak(n)
	default:
		text, ok := escapes(c)
		if !ok {
			r.fail("an unknown escape")
			return
		}
		r.decoded(n, start, r.pos, text)
	}
}

// escapedBreak reads a line whose end is escaped: it stands for nothing, and
// blank lines after it for themselves.
func (r *reader) escapedBreak(n *Node) {
	start := r.pos
	r.decoded(n, start, start, "")
	breaks := r.breaks()
	if breaks > 1 {
		r.decoded(n, start, r.pos, strings.Repeat("\n", breaks-1))
	}
}

func escapes(c byte) (string, bool) {
	switch c {
	case '"', '\\', '/', ' ', '\t':
		return string(rune(c)), true
	case 'n':
		return "\n", true
	case 't':
		return "\t", true
	case 'r':
		return "\r", true
	case '0':
		return "\x00", true
	case 'a':
		return "\a", true
	case 'b':
		return "\b", true
	case 'e':
		return "\x1b", true
	case 'f':
		return "\f", true
	case 'v':
		return "\v", true
	case 'N':
		return "\u0085", true
	case '_':
		return "\u00a0", true
	case 'L':
		return "\u2028", true
	case 'P':
		return "\u2029", true
	}
	return "", false
}

// hex reads the digits of an escape, and a second escape if the first is half
// of a character, as in JSON.
func (r *reader) hex(kind byte) string {
	c := r.digits(kind)
	if utf16.IsSurrogate(c) && r.at(0) == '\\' && r.at(1) == 'u' {
		r.pos += 2
		c = utf16.DecodeRune(c, r.digits('u'))
	}
	return string(c)
}

func (r *reader) digits(kind byte) rune {
	n := map[byte]int{'x': 2, 'u': 4, 'U': 8}[kind]
	if r.pos+n > len(r.src) {
		r.fail("an escape is cut off")
		return utf8.RuneError
	}
	v, err := strconv.ParseUint(r.src[r.pos:r.pos+n], 16, 32)
	if err != nil {
		r.fail("an escape without its digits")
		return utf8.RuneError
	}
	r.pos += n
	return rune(v)
}

// doubleQuoted is what stands between double quotes for a text.
func doubleQuoted(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch {
		case c == '"', c == '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ':
			fmt.Fprintf(&b, `\u%04x`, c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
