package web

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// What GitHub adds to CommonMark (https://github.github.com/gfm/) is parsed
// here and in gfmtable.go, into goldmark's own nodes. Goldmark's package for
// it compiles some 20 regular expressions whenever a program starts, which
// took longer than all else that this one does before its first line.

// A strikethrough parses ~~text~~ and ~text~. More tildes are text.
type strikethrough struct{}

func (strikethrough) IsDelimiter(b byte) bool { return b == '~' }
func (strikethrough) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char && opener.OriginalLength == closer.OriginalLength
}
func (strikethrough) OnMatch(int) ast.Node { return extast.NewStrikethrough() }
func (strikethrough) Trigger() []byte      { return []byte{'~'} }

func (s strikethrough) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	d := parser.ScanDelimiter(line, before, 1, s)
	if d == nil || d.OriginalLength > 2 || before == '~' {
		return nil
	}
	d.Segment = segment.WithStop(segment.Start + d.OriginalLength)
	block.Advance(d.OriginalLength)
	pc.PushDelimiter(d)
	return d
}

// A task parses the [ ] or [x] at the start of a list item.
type task struct{}

func (task) Trigger() []byte { return []byte{'['} }

func (task) Parse(parent ast.Node, block text.Reader, _ parser.Context) ast.Node {
	item, ok := parent.Parent().(*ast.ListItem)
	if !ok || item.FirstChild() != parent || parent.HasChildren() {
		return nil
	}
	line, _ := block.PeekLine()
	if len(line) < 3 || line[2] != ']' || len(line) > 3 && !util.IsSpace(line[3]) {
		return nil
	}
	checked := line[1] == 'x' || line[1] == 'X'
	if !checked && !util.IsSpace(line[1]) {
		return nil
	}
	block.Advance(3 + util.TrimLeftSpaceLength(line[3:]))
	return extast.NewTaskCheckBox(checked)
}

// A bareLink parses addresses of pages and mailboxes that stand in a text
// without any marks, after a space or one of *, _, ~ and (. Only characters of
// ASCII belong to them: in Japanese no space tells where one ends.
type bareLink struct{}

// Trigger says where Parse is called. A space means the start of a line as
// well.
func (bareLink) Trigger() []byte { return []byte{' ', '*', '_', '~', '('} }

func (bareLink) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	if pc.IsInLinkLabel() {
		return nil
	}
	line, segment := block.PeekLine()
	before := 0
	if strings.IndexByte(" *_~(", line[0]) >= 0 {
		before = 1
	}
	kind, length := ast.AutoLinkURL, pageAddress(line[before:])
	if length == 0 {
		kind, length = ast.AutoLinkEmail, mailAddress(line[before:])
	}
	if length == 0 {
		return nil
	}
	address := segment.WithStart(segment.Start + before)
	if before > 0 {
		ast.MergeOrAppendTextSegment(parent, segment.WithStop(address.Start))
	}
	block.Advance(before + length)
	link := ast.NewAutoLink(kind, ast.NewTextSegment(address.WithStop(address.Start+length)))
	if kind == ast.AutoLinkURL && line[before] == 'w' {
		link.Protocol = []byte("http")
	}
	return link
}

// pageAddress returns the length of the address of a page that a line begins
// with, or 0. One of ftp becomes no link, but marks in it are none either.
func pageAddress(line []byte) int {
	for _, start := range []string{"http://", "https://", "ftp://", "www."} {
		if !bytes.HasPrefix(line, []byte(start)) {
			continue
		}
		host := hostLength(line[len(start):])
		if host == 0 {
			return 0
		}
		host += len(start)
		return withoutEnd(line[:host+pathLength(line[host:])])
	}
	return 0
}

// hostLength returns the length of the host that a line begins with, up to its
// last dot and the lower-case letters after it, or 0. What stands before a
// host, like a name and a password, counts as a part of it.
func hostLength(line []byte) int {
	dot := 0
	for i, c := range line[:min(len(line), 257)] { // a host has up to 255 bytes
		if c == '.' && i+1 < len(line) && isLower(line[i+1]) {
			dot = i
		}
		if !util.IsAlphaNumeric(c) && strings.IndexByte("-@:%._+~#=", c) < 0 {
			break
		}
	}
	if dot == 0 {
		return 0
	}
	end := dot + 1
	for end < len(line) && isLower(line[end]) {
		end++
	}
	return end
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

// pathLength returns the length of the port, path, query and fragment that a
// line begins with.
func pathLength(line []byte) int {
	end := 0
	if len(line) > 1 && line[0] == ':' && util.IsNumeric(line[1]) {
		for end = 2; end < len(line) && util.IsNumeric(line[end]); end++ {
		}
	}
	if end == len(line) || strings.IndexByte("/#?", line[end]) < 0 {
		return end
	}
	for end < len(line) && (util.IsAlphaNumeric(line[end]) || strings.IndexByte("-@:%_+.~#$!?&/=();,'\">^{}[]`", line[end]) >= 0) {
		end++
	}
	return end
}

// withoutEnd returns the length of an address without what rather belongs to
// the sentence around it: punctuation, brackets that it didn't open, and
// references like &amp;.
func withoutEnd(address []byte) int {
	open, closed := bytes.Count(address, []byte("(")), bytes.Count(address, []byte(")"))
	end := len(address)
	for end > 0 {
		switch c := address[end-1]; {
		case strings.IndexByte("?!.,:*_~", c) >= 0:
			end--
		case c == ')' && closed > open:
			closed--
			end--
		case c == ';' && reference(address[:end]) > 0:
			end -= reference(address[:end])
		default:
			return end
		}
	}
	return end
}

// reference returns the length of the reference that a text ending in a
// semicolon has at its end, or 0.
func reference(s []byte) int {
	start := bytes.LastIndexByte(s, '&')
	if start < 0 || start+2 == len(s) {
		return 0
	}
	for _, c := range s[start+1 : len(s)-1] {
		if !util.IsAlphaNumeric(c) {
			return 0
		}
	}
	return len(s) - start
}

// mailAddress returns the length of the address of a mailbox that a line
// begins with, or 0.
func mailAddress(line []byte) int {
	end := util.FindEmailIndex(line)
	if end < 0 || util.IsPunct(line[0]) {
		return 0
	}
	_, host, _ := bytes.Cut(line[:end], []byte("@"))
	if bytes.IndexByte(host, '.') < 0 || end < len(line) && (line[end] == '-' || line[end] == '_') {
		return 0
	}
	return end
}
