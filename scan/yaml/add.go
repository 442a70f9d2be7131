package yaml

import (
	"strconv"
	"strings"

	"tegata/scan"
)

// An Entry is a pair to be put into a mapping: a key with a word, a number, or
// entries of its own. Keys and words are plain ones.
type Entry struct {
	Key     string
	Word    string
	Number  int // if there is no Word
	Entries []Entry
}

// Add returns the splice that puts an entry into a mapping, and whether there is
// a way to.
func (n *Node) Add(e Entry) (scan.Splice, bool) {
	switch {
	case n == nil || n.Kind != Mapping:
		return scan.Splice{}, false
	case n.Flow:
		return n.addInBrackets(e), true
	}
	return n.addInBlock(e), len(n.Pairs) > 0
}

// addInBlock puts the entry on lines of its own: below the first pair that ends
// on its line, so that the comment above a key stays there, or else above all.
func (n *Node) addInBlock(e Entry) scan.Splice {
	indent, end := strings.Repeat(" ", n.Column), n.lineBreak()
	lines := strings.Join(e.lines(n.step()), end+indent)
	for _, p := range n.Pairs {
		if at, ok := n.lineEndsAfter(p); ok {
			return scan.Splice{At: scan.Span{Start: at, End: at}, Text: end + indent + lines}
		}
	}
	at := n.Pairs[0].Key.At.Start
	return scan.Splice{At: scan.Span{Start: at, End: at}, Text: lines + end + indent}
}

// lineEndsAfter returns where the line ends on which a pair stands, if the pair
// stands on one.
func (n *Node) lineEndsAfter(p Pair) (int, bool) {
	src, v := n.text.Body, p.Value
	if v.Kind != Scalar || v.Style > Double || p.Key.At.Start > v.At.Start || strings.Contains(src[p.Key.At.Start:v.At.End], "\n") {
		return 0, false // a block; an alias, whose node stands elsewhere
	}
	line, _ := lineAt(src, v.At.End)
	return v.At.End + len(strings.TrimRight(line, " \t\r")), true
}

// step is how much deeper the values of the mapping are indented.
func (n *Node) step() int {
	for _, p := range n.Pairs {
		if v := p.Value; v.Kind == Mapping && !v.Flow && v.Column > n.Column && v.At.Start > p.Key.At.Start {
			return v.Column - n.Column
		}
	}
	return 2
}

// lines writes the entry in a block whose keys stand at the head of the line.
func (e Entry) lines(step int) []string {
	switch {
	case e.Word != "":
		return []string{e.Key + ": " + e.Word}
	case e.Entries == nil:
		return []string{e.Key + ": " + strconv.Itoa(e.Number)}
	}
	lines := []string{e.Key + ":"}
	for _, inner := range e.Entries {
		for _, line := range inner.lines(step) {
			lines = append(lines, strings.Repeat(" ", step)+line)
		}
	}
	return lines
}

// addInBrackets puts the entry before the first pair, as JSON, and on lines of
// its own if the pairs have theirs.
func (n *Node) addInBrackets(e Entry) scan.Splice {
	src := n.text.Body
	at := n.body.Start + 1
	if len(n.Pairs) == 0 {
		return scan.Splice{At: scan.Span{Start: at, End: at}, Text: e.json("", "")}
	}
	between := src[at:n.Pairs[0].Key.At.Start]
	i := strings.LastIndexByte(between, '\n')
	at += len(between)
	if i < 0 || strings.Trim(between[i+1:], " \t") != "" {
		return scan.Splice{At: scan.Span{Start: at, End: at}, Text: e.json("", "") + ", "}
	}
	newline := n.lineBreak() + between[i+1:]
	line := src[lineStart(src, n.body.Start):n.body.Start]
	outer := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	step := strings.TrimPrefix(between[i+1:], outer)
	return scan.Splice{At: scan.Span{Start: at, End: at}, Text: e.json(newline, step) + "," + newline}
}

// json writes the entry as a pair of JSON. A newline is one with indentation;
// without it all stands on one line.
func (e Entry) json(newline, step string) string {
	key := `"` + e.Key + `": `
	switch {
	case e.Word != "":
		return key + `"` + e.Word + `"`
	case e.Entries == nil:
		return key + strconv.Itoa(e.Number)
	}
	inner, between := "", " "
	if newline != "" {
		inner, between = newline+step, newline+step
	}
	var parts []string
	for _, entry := range e.Entries {
		parts = append(parts, entry.json(inner, step))
	}
	return key + "{" + inner + strings.Join(parts, ","+between) + newline + "}"
}
