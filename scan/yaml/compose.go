package yaml

import (
	"cmp"
	"fmt"
	"strings"

	"tegata/scan"
)

// A Composition is a text that several scalars and what is filled in between
// them make together, in the order of its reader.
type Composition struct {
	text  *scan.Text
	parts []composed
}

type composed struct {
	Piece
	made bool
	from *Node // the scalar that can be written; nil if none can
	code Escape
}

// An Escape is what a scalar's own reader undoes, such as Fn::Sub: it returns
// how s is written for it.
type Escape func(s string) string

// Compose begins a text that stands within t.
func Compose(t *scan.Text) *Composition { return &Composition{text: t} }

// Scalar adds a scalar's value.
func (c *Composition) Scalar(n *Node) { c.Part(n, 0, len(n.Value), nil) }

// Moustache adds a scalar's value in which {{ … }} is filled in, as by Ansible
// and Systems Manager: with what fill returns for the expression. Nil means
// [scan.Unknown]. Jinja's statements and comments stand for nothing.
func (c *Composition) Moustache(n *Node, fill func(expression string) string) {
	body, at := n.Value, 0
	for {
		i := strings.IndexByte(body[at:], '{')
		if i < 0 {
			break
		}
		start := at + i
		end, expression := Tag(body, start)
		if end == start {
			c.Part(n, at, start+1, nil)
			at = start + 1
			continue
		}
		c.Part(n, at, start, nil)
		if text := filled(expression, fill); text != "" {
			c.Decoded(n, start, end, text, nil)
		}
		at = end
	}
	c.Part(n, at, len(body), nil)
}

func filled(expression string, fill func(string) string) string {
	switch {
	case expression == "":
		return ""
	case fill == nil:
		return scan.Unknown
	}
	return fill(expression)
}

// maxTag bounds how far the end of a tag is looked for.
const maxTag = 1 << 12

// Tag returns where a tag of Jinja ends that begins at start, and its expression
// if it is filled in; start itself if none begins there. {% … %} and {# … #} have
// no expression.
func Tag(body string, start int) (end int, expression string) {
	for _, tag := range []struct{ opens, closes string }{{"{{", "}}"}, {"{%", "%}"}, {"{#", "#}"}} {
		if !strings.HasPrefix(body[start:], tag.opens) {
			continue
		}
		inner := body[start+2 : min(len(body), start+2+maxTag)]
		i := strings.Index(inner, tag.closes)
		if i < 0 {
			return start, ""
		}
		if tag.opens == "{{" {
			expression = cmp.Or(strings.Trim(inner[:i], "- \t\r\n"), "?")
		}
		return start + 2 + i + 2, expression
	}
	return start, ""
}

// Part adds a part of a scalar's value, which is written with an escape. Nil
// means none.
func (c *Composition) Part(n *Node, start, end int, code Escape) {
	n.Take()
	for _, p := range n.slice(start, end) {
		c.parts = append(c.parts, composed{Piece: p, from: n, code: code})
	}
}

// Decoded adds text for a part of a scalar's value, which can be replaced as a
// whole.
func (c *Composition) Decoded(n *Node, start, end int, text string, code Escape) {
	if start >= end {
		return
	}
	at := n.Span(start, end)
	c.parts = append(c.parts, composed{Piece: Piece{At: at, Text: text}, from: n, code: code})
}

// Filled adds what stands for a node: a parameter's value, [scan.Unknown].
func (c *Composition) Filled(n *Node, text string) {
	c.parts = append(c.parts, composed{Piece: Piece{At: n.At, Text: text}})
}

// Made adds text that is nowhere written, before a node.
func (c *Composition) Made(n *Node, text string) { c.made(n.At.Start, text) }

// MadeAfter adds text that is nowhere written, after a node.
func (c *Composition) MadeAfter(n *Node, text string) { c.made(n.At.End, text) }

func (c *Composition) made(at int, text string) {
	c.parts = append(c.parts, composed{Piece: Piece{At: scan.Span{Start: at, End: at}, Text: text}, made: true})
}

// Body returns the text so far.
func (c *Composition) Body() string {
	var b strings.Builder
	for _, p := range c.parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

// Text ends the composition. The name is what the text stands in, for people.
func (c *Composition) Text(lang scan.Lang, name string, origin ...string) *scan.Text {
	b := c.text.Within()
	for _, p := range c.parts {
		switch {
		case p.made:
			b.Made(p.At.Start, p.Text)
		case p.Verbatim:
			b.Verbatim(p.At)
		default:
			b.Decoded(p.At, p.Text)
		}
	}
	return b.Text(lang, scan.Layer{Name: name, EncodeAt: c.encode}, origin...)
}

func (c *Composition) encode(at scan.Span, s string) (string, error) {
	for _, p := range c.parts {
		if p.from == nil || !p.from.Holds(at) {
			continue
		}
		if p.code != nil {
			s = p.code(s)
		}
		return p.from.Encode(at, s)
	}
	return "", fmt.Errorf("%w: what stands there is filled in", scan.ErrFixed)
}

// slice returns the pieces of a part of the value. An escape that is cut stands
// whole for its part.
func (n *Node) slice(start, end int) (out []Piece) {
	at := 0
	for _, p := range n.pieces {
		from, to := max(start-at, 0), min(end-at, len(p.Text))
		at += len(p.Text)
		if from >= to {
			continue
		}
		if p.Verbatim {
			p.At = scan.Span{Start: p.At.Start + from, End: p.At.Start + to}
		}
		p.Text = p.Text[from:to]
		out = append(out, p)
	}
	return out
}

// Whole returns a text once more, for the detector of another language.
func Whole(t *scan.Text, lang scan.Lang) *scan.Text {
	b := t.Within()
	b.Verbatim(scan.Span{End: len(t.Body)})
	same := func(s string) (string, error) { return s, nil }
	return b.Text(lang, scan.Layer{Name: "a text of several readers", Encode: same})
}

// Span returns where a part of the value stands in the text around.
func (n *Node) Span(start, end int) scan.Span {
	pieces := n.slice(start, end)
	if len(pieces) == 0 {
		return scan.Span{Start: n.body.Start, End: n.body.Start}
	}
	return scan.Span{Start: pieces[0].At.Start, End: pieces[len(pieces)-1].At.End}
}
