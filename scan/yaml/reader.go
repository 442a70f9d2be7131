package yaml

import (
	"fmt"
	"strings"

	"tegata/scan"
)

// maxDepth bounds how deep nodes may lie within each other.
const maxDepth = 500

// Parse reads the documents of a text. It fails where the text isn't YAML, as a
// template's often isn't before it is filled in.
func Parse(t *scan.Text) ([]*Node, error) {
	r := &reader{text: t, src: t.Body, anchors: map[string]*Node{}}
	docs := r.stream()
	if r.err != nil {
		return nil, fmt.Errorf("reading YAML: %w", r.err)
	}
	return docs, nil
}

// A reader goes through a text once, from its start. After an error it stands
// at the end of the text, where every loop ends.
type reader struct {
	text    *scan.Text
	src     string
	pos     int
	depth   int
	anchors map[string]*Node
	err     error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("line %d: %s", 1+strings.Count(r.src[:min(r.pos, len(r.src))], "\n"), what)
	}
	r.pos = len(r.src)
}

func (r *reader) end() bool { return r.pos >= len(r.src) }

// at returns the byte that lies n bytes ahead; 0 past the end.
func (r *reader) at(n int) byte {
	if r.pos+n < len(r.src) {
		return r.src[r.pos+n]
	}
	return 0
}

// skip goes on by n bytes, to the end at most.
func (r *reader) skip(n int) { r.pos = min(r.pos+n, len(r.src)) }

// back returns to where the reader was before; after an error there is no way
// back.
func (r *reader) back(pos int) {
	if r.err == nil {
		r.pos = pos
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

// space reports whether a byte ends a word: white space, or the end (0).
func space(c byte) bool { return blank(c) || c == '\n' || c == '\r' || c == 0 }

func flowIndicator(c byte) bool { return c != 0 && strings.IndexByte(",[]{}", c) >= 0 }

// column returns how far pos lies from the head of its line.
func (r *reader) column() int {
	return r.pos - (strings.LastIndexByte(r.src[:r.pos], '\n') + 1)
}

// gap passes over white space and comments, and reports whether a line ended.
func (r *reader) gap() (newline bool) {
	for !r.end() {
		switch c := r.src[r.pos]; {
		case c == '\n':
			newline = true
			r.pos++
		case space(c):
			r.pos++
		case c == '#' && (r.pos == 0 || space(r.src[r.pos-1])):
			r.line()
		default:
			return newline
		}
	}
	return true
}

// line passes over the rest of a line.
func (r *reader) line() {
	if i := strings.IndexByte(r.src[r.pos:], '\n'); i >= 0 {
		r.pos += i
		return
	}
	r.pos = len(r.src)
}

func (r *reader) blanks() {
	for blank(r.at(0)) {
		r.pos++
	}
}

// marker reports whether a line with a document's marker begins here.
func (r *reader) marker(m string) bool { return markerAt(r.src, r.pos, m) }

func markerAt(src string, pos int, m string) bool {
	return strings.HasPrefix(src[pos:], m) && (pos == 0 || src[pos-1] == '\n') &&
		(pos+3 == len(src) || space(src[pos+3]))
}

func (r *reader) documentEnds() bool { return r.end() || r.marker("---") || r.marker("...") }

// stream reads all documents.
func (r *reader) stream() []*Node {
	var docs []*Node
	for {
		started := r.prologue()
		if r.end() && !started {
			return docs
		}
		docs = append(docs, r.block(-1, afterNothing))
		r.gap()
		if !r.documentEnds() {
			r.fail("something stands after the document")
		}
	}
}

// prologue passes over the directives and the marker at the head of a document,
// and reports whether there is a marker.
func (r *reader) prologue() bool {
	for {
		r.gap()
		switch {
		case r.marker("---"):
			r.pos += 3
			clear(r.anchors)
			return true
		case r.marker("..."), r.at(0) == '%' && r.column() == 0:
			r.line()
		default:
			return false
		}
	}
}

// An indicator is what precedes a node in a block.
type indicator int

const (
	afterNothing indicator = iota // the document's head
	afterDash
	afterMark // "?", or the ":" that answers it
	afterKey
)

// compact reports whether a block collection may begin on the indicator's line.
func (i indicator) compact() bool { return i == afterDash || i == afterMark }

// block reads the node that follows an indicator in a block whose keys or
// dashes stand at the column parent.
func (r *reader) block(parent int, after indicator) *Node {
	start := r.pos
	newline := r.gap() || r.lineBegins()
	if r.err != nil || r.blockEnds(parent, newline, after) {
		r.pos = start
		return r.leftOut(parent, false)
	}
	if r.depth++; r.depth > maxDepth {
		r.fail("too deep")
	}
	defer func() { r.depth-- }()
	if newline && r.indentedByTab() {
		r.fail("a tab in the indentation")
	}
	return r.blockNode(parent, newline || after.compact(), after)
}

func (r *reader) leftOut(parent int, flow bool) *Node {
	at := scan.Span{Start: r.pos, End: r.pos}
	return &Node{text: r.text, At: at, body: at, indent: parent, inFlow: flow}
}

// blockEnds reports whether nothing here belongs to the block any more.
func (r *reader) blockEnds(parent int, newline bool, after indicator) bool {
	if r.documentEnds() {
		return true
	}
	column := r.column()
	return newline && column <= parent && !(column == parent && (after == afterKey || after == afterMark) && r.is('-'))
}

// indentation is what precedes on the line.
func (r *reader) indentation() string { return r.src[r.pos-r.column() : r.pos] }

func (r *reader) lineBegins() bool { return strings.Trim(r.indentation(), " \t") == "" }

func (r *reader) indentedByTab() bool { return strings.Contains(r.indentation(), "\t") }

// is reports whether an indicator stands here: the byte, followed by space.
func (r *reader) is(c byte) bool { return r.at(0) == c && space(r.at(1)) }

// blockNode reads a node of a block from its first byte on.
func (r *reader) blockNode(parent int, collections bool, after indicator) *Node {
	column := r.column()
	switch {
	case r.is('-') && collections:
		return r.sequence(column)
	case r.is('?') && collections:
		return r.mapping(column, r.pos, nil)
	case r.at(0) == '|', r.at(0) == '>':
		return r.blockScalar(parent)
	}
	start, alias := r.pos, r.at(0) == '*'
	n := r.oneLine(parent)
	if r.colon() {
		if !collections || strings.Contains(r.src[start:r.pos], "\n") {
			r.fail("a key where none can be")
		}
		return r.mapping(column, start, n)
	}
	if !alias && (n.Kind == Scalar && n.Style == Plain || n.text == nil) {
		r.pos = start
		return r.withProperties(parent, after)
	}
	return n
}

// withProperties reads a node that is no key, with its tag and anchor.
func (r *reader) withProperties(parent int, after indicator) *Node {
	start := r.pos
	tag, anchor := r.properties()
	if r.pos == start {
		return r.plain(parent, false)
	}
	n := r.block(parent, after)
	return r.finish(n, start, tag, anchor)
}

// finish gives a node its properties.
func (r *reader) finish(n *Node, start int, tag, anchor string) *Node {
	if r.err != nil {
		return n
	}
	if tag != "" {
		n.Tag = tag
	}
	n.At.Start = start
	if n.body.Start == n.body.End {
		n.At.End = max(n.At.End, r.pos)
	}
	if anchor != "" {
		r.anchors[anchor] = n
	}
	return n
}

// properties passes over a tag and an anchor, in either order.
func (r *reader) properties() (tag, anchor string) {
	for {
		start := r.pos
		switch r.at(0) {
		case '!':
			tag = r.word()
		case '&':
			anchor = r.word()[1:]
		default:
			return tag, anchor
		}
		if after := r.pos; after > start {
			r.blanks()
			if c := r.at(0); space(c) || flowIndicator(c) && r.pos == after {
				r.pos = after
				return tag, anchor
			}
		}
	}
}

// word passes over what is not space, and in brackets no indicator.
func (r *reader) word() string {
	start := r.pos
	for r.skip(1); !space(r.at(0)) && !flowIndicator(r.at(0)); r.pos++ {
	}
	return r.src[start:r.pos]
}

// oneLine reads what can be a key: a scalar on one line, an alias, brackets. Its
// text is nil if nothing but properties stands here.
func (r *reader) oneLine(parent int) *Node {
	start := r.pos
	tag, anchor := r.properties()
	r.blanks()
	var n *Node
	switch c := r.at(0); {
	case space(c) && r.pos > start, (c == '|' || c == '>') && r.pos > start:
		return &Node{}
	case c == '*':
		return r.alias()
	case c == '"', c == '\'':
		n = r.quoted(parent, false)
	case c == '[', c == '{':
		n = r.brackets(parent)
	default:
		n = r.plainLine(parent)
	}
	if r.pos == start {
		r.fail("no value can begin like this")
	}
	if tag != "" || anchor != "" {
		n = r.finish(n, start, tag, anchor)
	}
	return n
}

// alias returns the node that an alias names.
func (r *reader) alias() *Node {
	name := r.word()[1:]
	if n := r.anchors[name]; n != nil {
		return n
	}
	if colon := strings.TrimSuffix(name, ":"); colon != name && r.anchors[colon] != nil {
		r.pos--
		return r.anchors[colon]
	}
	r.fail("an alias without an anchor")
	return &Node{}
}

// colon reports whether the colon of a key follows on the line, and passes over
// what precedes it.
func (r *reader) colon() bool {
	start := r.pos
	r.blanks()
	if r.is(':') {
		return true
	}
	r.pos = start
	return false
}

// sequence reads a sequence whose dashes stand at a column.
func (r *reader) sequence(column int) *Node {
	n := &Node{Kind: Sequence, text: r.text, Column: column, At: scan.Span{Start: r.pos}}
	for {
		r.skip(1)
		n.Items = append(n.Items, r.block(column, afterDash))
		end := r.pos
		if !r.another(column) || !r.is('-') {
			r.back(end)
			return r.closed(n)
		}
	}
}

// mapping reads a mapping whose keys stand at a column. The first may have been
// read, up to its colon.
func (r *reader) mapping(column, start int, key *Node) *Node {
	n := &Node{Kind: Mapping, text: r.text, Column: column, At: scan.Span{Start: start}}
	for more := true; more; more = r.another(column) {
		n.Pairs = append(n.Pairs, r.pair(column, key))
		key = nil
	}
	return r.closed(n)
}

// closed sets the end of a collection in a block.
func (r *reader) closed(n *Node) *Node {
	n.At.End = max(n.At.Start, r.pos)
	n.body = n.At
	return n
}

// pair reads a key with its value.
func (r *reader) pair(column int, key *Node) Pair {
	if key == nil && r.is('?') {
		r.skip(1)
		key = r.block(column, afterMark)
		if !r.another(column) || !r.is(':') {
			return Pair{key, r.leftOut(column, false)}
		}
		r.skip(1)
		return Pair{key, r.block(column, afterMark)}
	}
	if key == nil {
		start := r.pos
		if r.is('-') {
			r.fail("an item within a mapping")
		}
		key = r.oneLine(column)
		if !r.colon() || key.text == nil || strings.Contains(r.src[start:r.pos], "\n") {
			r.fail("a key without a colon")
		}
	}
	r.skip(1)
	return Pair{key, r.block(column, afterKey)}
}

// another reports whether the block goes on at its column, and goes there. Else
// it stays where the last node ends.
func (r *reader) another(column int) bool {
	start := r.pos
	newline := r.gap() || r.lineBegins()
	switch at := r.column(); {
	case r.err != nil, r.documentEnds():
	case !newline:
		r.fail("something stands after a value")
	case at == column:
		if r.indentedByTab() {
			r.fail("a tab in the indentation")
		}
		return true
	case at > column:
		r.fail("too much indentation")
	}
	r.back(start)
	return false
}

// brackets reads a flow collection.
func (r *reader) brackets(parent int) *Node {
	n := &Node{Kind: Sequence, Flow: true, text: r.text, indent: parent, At: scan.Span{Start: r.pos}}
	end := byte(']')
	if r.at(0) == '{' {
		n.Kind, end = Mapping, '}'
	}
	if r.depth++; r.depth > maxDepth {
		r.fail("too deep")
	}
	defer func() { r.depth-- }()
	r.skip(1)
	for {
		r.gap()
		switch {
		case r.end():
			r.fail("a bracket is not closed")
		case r.at(0) == end:
			r.skip(1)
		default:
			r.entry(n)
			r.gap()
			if r.at(0) == ',' {
				r.skip(1)
				continue
			} else if r.at(0) == end {
				continue
			}
			r.fail("a comma is missing")
		}
		n.At.End = r.pos
		n.body = n.At
		return n
	}
}

// entry reads an item or a pair of a flow collection. A pair within a sequence
// is a mapping of its own.
func (r *reader) entry(n *Node) {
	start := r.pos
	if explicit := r.is('?'); explicit {
		r.skip(1)
		r.gap()
	}
	key := r.flow(n.indent)
	r.gap()
	paired := r.at(0) == ':' && (key.Kind != Scalar || key.Style != Plain || r.flowColon())
	value := r.leftOut(n.indent, true)
	if paired {
		r.skip(1)
		r.gap()
		value = r.flow(n.indent)
	}
	switch {
	case n.Kind == Mapping:
		n.Pairs = append(n.Pairs, Pair{key, value})
	case paired:
		at := scan.Span{Start: start, End: max(start, r.pos)}
		key = &Node{Kind: Mapping, Flow: true, text: r.text, indent: n.indent, At: at, body: at, Pairs: []Pair{{key, value}}}
		fallthrough
	default:
		n.Items = append(n.Items, key)
	}
}

// flowColon reports whether the colon here ends a plain key in brackets.
func (r *reader) flowColon() bool { return space(r.at(1)) || flowIndicator(r.at(1)) }

// flow reads a node within brackets.
func (r *reader) flow(parent int) *Node {
	start := r.pos
	tag, anchor := r.properties()
	r.gap()
	var n *Node
	switch c := r.at(0); {
	case r.err != nil, c == 0, c == ',', c == ']', c == '}', c == ':' && r.flowColon():
		n = r.leftOut(parent, true)
	case c == '*':
		return r.alias()
	case c == '"', c == '\'':
		n = r.quoted(parent, true)
	case c == '[', c == '{':
		n = r.brackets(parent)
		n.inFlow = true
	default:
		n = r.plain(parent, true)
	}
	if tag != "" || anchor != "" {
		n = r.finish(n, start, tag, anchor)
	}
	return n
}
