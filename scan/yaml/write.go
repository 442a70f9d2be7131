package yaml

import (
	"errors"
	"strings"

	"tegata/scan"
)

// ErrStyle is returned for a text that a scalar can't hold in its style and
// place, such as two lines in a plain one.
var ErrStyle = errors.New("the scalar's style can't hold this")

// Text returns the value of a scalar as a text of its own.
func (n *Node) Text(lang scan.Lang, origin ...string) *scan.Text {
	b := n.text.Within()
	n.put(b)
	return b.Text(lang, scan.Layer{Name: n.Style.String(), EncodeAt: n.Encode}, origin...)
}

func (n *Node) put(b *scan.Builder) {
	n.Take()
	for _, p := range n.pieces {
		if p.Verbatim {
			b.Verbatim(p.At)
		} else {
			b.Decoded(p.At, p.Text)
		}
	}
}

// Around returns the text that the node stands in.
func (n *Node) Around() *scan.Text { return n.text }

// Holds reports whether a span of the text around lies within the scalar, past
// its quotes.
func (n *Node) Holds(at scan.Span) bool {
	return n.body.Start <= at.Start && at.End <= n.body.End
}

// Encode returns what stands in place of a span of the file for the scalar to
// have s there. It fails with [ErrStyle] if the scalar would not be read so.
func (n *Node) Encode(at scan.Span, s string) (string, error) {
	if !n.Holds(at) {
		return "", ErrStyle
	}
	text := n.write(at, s)
	want := n.Value[:n.inValue(at.Start, false)] + s + n.Value[n.inValue(max(at.Start, at.End), at.End > at.Start):]
	if !n.reads(at, text, want) {
		return "", ErrStyle
	}
	return text, nil
}

// inValue returns where in the value the byte stands that stands at an offset
// of the file. The end of a span belongs to what precedes it.
func (n *Node) inValue(offset int, end bool) int {
	value := 0
	for _, p := range n.pieces {
		if offset < p.At.Start || end && offset == p.At.Start {
			return value
		}
		if offset < p.At.End {
			if p.Verbatim {
				return value + offset - p.At.Start
			}
			if offset > p.At.Start {
				return value + len(p.Text)
			}
			return value
		}
		value += len(p.Text)
	}
	return value
}

// write is how the style writes s, whether it is read so or not.
func (n *Node) write(at scan.Span, s string) string {
	switch n.Style {
	case Single:
		return strings.ReplaceAll(s, "'", "''")
	case Double:
		return doubleQuoted(s)
	case Literal:
		return n.writeLines(at, s)
	}
	return s
}

// writeLines indents the lines of s for a literal block. Blank lines stay
// without indentation.
func (n *Node) writeLines(at scan.Span, s string) string {
	src, end := n.text.Body, n.lineBreak()
	indent := n.blockIndentation()
	lines := strings.Split(s, "\n")
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteString(end)
		}
		head := i > 0 || lineStart(src, at.Start) == at.Start
		if head && (line != "" || i == len(lines)-1 && n.followed(at.End)) {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	return b.String()
}

// followed reports whether text of the block follows on the line, past its
// indentation.
func (n *Node) followed(end int) bool {
	src := n.text.Body
	return end < n.body.End && lineStart(src, end) < end && src[end] != '\n' && src[end] != '\r'
}

// lineBreak is how the lines of the text end.
func (n *Node) lineBreak() string {
	src := n.text.Body
	if i := strings.IndexByte(src, '\n'); i > 0 && src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// blockIndentation is what precedes each line of a block.
func (n *Node) blockIndentation() string {
	for _, p := range n.pieces {
		if start := lineStart(n.text.Body, p.At.Start); start < p.At.Start && !strings.HasPrefix(p.Text, "\n") {
			return strings.Repeat(" ", p.At.Start-start)
		}
	}
	return strings.Repeat(" ", max(n.indent, 0)+1)
}

func lineStart(src string, pos int) int { return strings.LastIndexByte(src[:pos], '\n') + 1 }

// reads reports whether the scalar has the wanted value once text stands in
// place of a span, and ends where it did.
func (n *Node) reads(at scan.Span, text, want string) bool {
	src := n.text.Body
	head, tail := src[:at.Start]+text, src[at.End:]
	r := &reader{text: n.text, src: head + tail, pos: n.body.Start, anchors: map[string]*Node{}}
	if r.documentEnds() {
		return false
	}
	var got *Node
	switch n.Style {
	case Single, Double:
		got = r.quoted(n.indent, n.inFlow)
	case Literal, Folded:
		got = r.blockScalar(n.indent)
	default:
		got = r.plain(n.indent, n.inFlow)
	}
	end := len(head) + n.body.End - at.End
	return r.err == nil && got.Value == want && got.body.End == end
}

// Inside returns the span of a scalar's text: within its quotes, past its tag.
func (n *Node) Inside() scan.Span {
	if n.Style == Single || n.Style == Double {
		return scan.Span{Start: n.body.Start + 1, End: n.body.End - 1}
	}
	return n.body
}
