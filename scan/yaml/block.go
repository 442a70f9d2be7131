package yaml

import "strings"

// blockScalar reads a literal or folded scalar in a block whose keys or dashes
// stand at the column parent.
//
// Source: https://yaml.org/spec/1.2.2/#81-block-scalar-styles
func (r *reader) blockScalar(parent int) *Node {
	n := r.scalar(Literal, parent, false)
	if r.at(0) == '>' {
		n.Style = Folded
	}
	r.pos++
	chomp, explicit := r.blockHeader()
	if r.err != nil {
		return r.ended(n)
	}
	indent := max(parent, 0) + explicit
	if explicit == 0 {
		indent = r.blockIndent(parent)
	}
	lines := r.blockLines(indent)
	if n.Style == Folded {
		r.foldBlock(n, lines, chomp)
	} else {
		r.literalBlock(n, lines, chomp)
	}
	return r.ended(n)
}

// blockHeader reads what follows the indicator, up to the first line.
func (r *reader) blockHeader() (chomp byte, explicit int) {
	for {
		switch c := r.at(0); {
		case c == '-' || c == '+':
			chomp = c
		case c >= '1' && c <= '9':
			explicit = int(c - '0')
		default:
			start := r.pos
			r.blanks()
			if r.at(0) == '#' && r.pos > start {
				r.line()
			}
			if r.at(0) == '\r' {
				r.pos++
			}
			if r.at(0) == '\n' {
				r.pos++
			} else if !r.end() {
				r.fail("something stands after the head of a block")
			}
			return chomp, explicit
		}
		r.pos++
	}
}

// blockIndent returns the indentation of the first line that isn't blank, or of
// the longest blank one if all are.
func (r *reader) blockIndent(parent int) int {
	longest := parent + 1
	for pos := r.pos; pos < len(r.src); {
		line, next := lineAt(r.src, pos)
		content := strings.TrimLeft(line, " ")
		indent := len(line) - len(content)
		if strings.TrimRight(content, "\r") != "" {
			if indent > parent {
				return indent
			}
			break
		}
		longest = max(longest, indent)
		pos = next
	}
	return longest
}

// lineAt returns the line that begins at pos, and where the next one does.
func lineAt(src string, pos int) (line string, next int) {
	if i := strings.IndexByte(src[pos:], '\n'); i >= 0 {
		return src[pos : pos+i], pos + i + 1
	}
	return src[pos:], len(src)
}

// A blockLine is a line of a block.
type blockLine struct{ start, end, next int } // of what follows the indentation; next is the next line

func (l blockLine) blank() bool { return l.start == l.end }

// blockLines passes over the lines of a block.
func (r *reader) blockLines(indent int) []blockLine {
	var lines []blockLine
	for !r.end() {
		line, next := lineAt(r.src, r.pos)
		line = strings.TrimSuffix(line, "\r")
		content := strings.TrimLeft(line, " ")
		spaces := len(line) - len(content)
		if content != "" && spaces < indent || indent == 0 && (r.marker("---") || r.marker("...")) {
			break
		}
		start := r.pos + min(spaces, indent)
		lines = append(lines, blockLine{start, r.pos + len(line), next})
		r.pos = next
	}
	return lines
}

// chomped returns how many lines hold the block, and how many blank ones at its
// end count.
func chomped(lines []blockLine, chomp byte) (content, kept int) {
	content = len(lines)
	for content > 0 && lines[content-1].blank() {
		content--
	}
	if chomp == '+' {
		return content, len(lines)
	}
	return content, content
}

// lineEnd adds the end of a line as a line feed, if the line has one.
func (r *reader) lineEnd(n *Node, l blockLine) {
	if l.next == len(r.src) && r.src[l.next-1] != '\n' {
		return
	}
	if r.src[l.end] == '\n' {
		r.verbatim(n, l.end, l.next)
		return
	}
	r.decoded(n, l.end, l.next, "\n")
}

func (r *reader) literalBlock(n *Node, lines []blockLine, chomp byte) {
	content, kept := chomped(lines, chomp)
	for i, l := range lines[:kept] {
		r.verbatim(n, l.start, l.end)
		if i < content-1 || chomp != '-' {
			r.lineEnd(n, l)
		}
	}
}

// foldBlock folds the lines: an end of a line between two lines of text is a
// space, and stands for nothing before blank lines. Lines that begin with white
// space are not folded.
func (r *reader) foldBlock(n *Node, lines []blockLine, chomp byte) {
	content, kept := chomped(lines, chomp)
	for i, l := range lines[:kept] {
		r.verbatim(n, l.start, l.end)
		switch {
		case i >= content-1:
			if chomp != '-' {
				r.lineEnd(n, l)
			}
		case l.blank() || r.moreIndented(l) || r.moreIndented(following(lines[i+1:])):
			r.lineEnd(n, l)
		case !lines[i+1].blank():
			r.decoded(n, l.end, l.next, " ")
		}
	}
}

func (r *reader) moreIndented(l blockLine) bool { return l.start < l.end && blank(r.src[l.start]) }

// following returns the first line that isn't blank.
func following(lines []blockLine) blockLine {
	for _, l := range lines {
		if !l.blank() {
			return l
		}
	}
	return blockLine{}
}
