package web

import (
	"bufio"
	"html"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	goldhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// The rules of what a model may put on a page are:
//
//   - goldmark only parses. Every tag is written here, by one switch over the
//     kinds of nodes, and all else is escaped: what the switch doesn't know
//     can't come out as more than text.
//   - HTML of the model is shown as text. A lone <br> breaks the line, because
//     models have no other way to do it in a table.
//   - Links lead to http, https and mailto, in a new tab that can't reach back.
//     Pictures become links: a page makes no requests to others.
//   - No styles, no ids, and classes from a fixed list: a text can't dress up as
//     a part of the page.
//   - Work is bounded: a text longer than [longest] or nested deeper than
//     [deepest], and a paragraph with more than [busiest] marks, is shown as it
//     came.
const (
	longest = 256 << 10 // bytes; about 64,000 tokens, more than models answer
	deepest = 40        // levels; browsers flatten what is nested deeper than 512
	busiest = 2000      // marks; pairing them takes time by the square of their number, some 20 ms for this one
)

// Markdown renders what a model wrote as safe HTML, one string for each block
// at the top level. It never fails: what can't be rendered is shown as text.
func Markdown(src string) []string {
	src = clean(src)
	if len(src) > longest || tooMuch(src) {
		return plain(src)
	}
	return blocks([]byte(src), markdownParser())
}

// blocks renders what a parser makes of a text.
func blocks(source []byte, p parser.Parser) []string {
	doc := p.Parse(text.NewReader(source))
	var blocks []string
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		w := writer{source: source}
		w.node(n)
		if w.Len() > 0 {
			blocks = append(blocks, w.String())
		}
	}
	return blocks
}

// plain renders a text as it came, line by line.
func plain(src string) []string {
	if strings.TrimSpace(src) == "" {
		return nil
	}
	return []string{`<p class="plain">` + html.EscapeString(strings.Trim(clean(src), "\n")) + "</p>"}
}

// clean takes out what HTML can't carry: other control characters than line
// breaks and tabs, and broken UTF-8.
func clean(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if r == '\r' {
			return '\n'
		}
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '\ufffd'
		}
		return r
	}, s)
}

// tooMuch reports whether a line opens more quotes and lists than can be
// meant, for which a byte each is enough while parsers recurse; or is a
// heading full of marks.
func tooMuch(src string) bool {
	for line := range strings.Lines(src) {
		heading := strings.HasPrefix(strings.TrimLeft(line, " \t>-+*.)0123456789"), "#")
		if levels(line) > deepest || heading && busy(line) {
			return true
		}
	}
	return false
}

// busy reports whether a text has too many marks that must be paired.
func busy(s string) bool {
	n := 0
	for _, c := range []byte(s) {
		if strings.IndexByte("*_~[]()<`", c) >= 0 {
			n++
		}
	}
	return n > busiest
}

// levels counts what opens a level at the start of a line. The stars of a
// thematic break count as well, which is no harm at that number.
func levels(line string) int {
	n, spaces := 0, 0
	for i, c := range []byte(line) {
		switch {
		case c == '>':
			n++
		case c == ' ' || c == '\t':
			spaces++
			if i > 0 && strings.IndexByte("-+*.)", line[i-1]) >= 0 {
				n++
			}
		case strings.IndexByte("-+*.)0123456789", c) < 0:
			return n + spaces/16
		}
	}
	return n + spaces/16
}

// markdownParser knows CommonMark, tables, strikethrough, task lists and bare
// links.
var markdownParser = sync.OnceValue(func() parser.Parser {
	inline := append(parser.DefaultInlineParsers(),
		util.Prioritized(emphasis{}, 450), // before goldmark's own, which doesn't know Japanese
		util.Prioritized(strikethrough{}, 500),
		util.Prioritized(task{}, 0),
		util.Prioritized(bareLink{}, 999),
	)
	paragraphs := append(parser.DefaultParagraphTransformers(),
		util.Prioritized(verbatim{}, 0),
		util.Prioritized(tables{}, 200),
	)
	return parser.NewParser(
		parser.WithBlockParsers(parser.DefaultBlockParsers()...),
		parser.WithInlineParsers(inline...),
		parser.WithParagraphTransformers(paragraphs...),
	)
})

// A verbatim makes code of paragraphs that are too busy, before anything in
// them is paired.
type verbatim struct{}

func (verbatim) Transform(n *ast.Paragraph, reader text.Reader, _ parser.Context) {
	if !busy(string(n.Lines().Value(reader.Source()))) {
		return
	}
	code := ast.NewCodeBlock()
	code.SetLines(n.Lines())
	n.Parent().ReplaceChild(n.Parent(), n, code)
}

// An emphasis parses *stars* as CommonMark does, except that a letter of
// Chinese, Japanese or Korean beside them counts as the end of a word. These
// scripts have no spaces, so that CommonMark takes the stars of
// **「語」**です for text.
type emphasis struct{}

func (emphasis) IsDelimiter(b byte) bool { return b == '*' }
func (emphasis) CanOpenCloser(opener, closer *parser.Delimiter) bool {
	return opener.Char == closer.Char
}
func (emphasis) OnMatch(consumes int) ast.Node { return ast.NewEmphasis(consumes) }
func (emphasis) Trigger() []byte               { return []byte{'*'} }

func (e emphasis) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	d := parser.ScanDelimiter(line, before, 1, e)
	if d == nil {
		return nil
	}
	after, size := utf8.DecodeRune(line[d.OriginalLength:])
	if wide(before) && size > 0 && !unicode.IsSpace(after) {
		d.CanOpen = true
	}
	if wide(after) && !unicode.IsSpace(before) {
		d.CanClose = true
	}
	d.Segment = segment.WithStop(segment.Start + d.OriginalLength)
	block.Advance(d.OriginalLength)
	pc.PushDelimiter(d)
	return d
}

// wide reports whether a letter is of a script without spaces between words.
func wide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) ||
		r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef // punctuation of these scripts
}

// A writer is the HTML of a block being written.
type writer struct {
	strings.Builder
	source []byte
	depth  int
	linked bool // within a link, where no other may begin
}

// node writes one node and what is in it.
func (w *writer) node(n ast.Node) {
	if w.depth >= deepest {
		w.flat(n)
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	switch n := n.(type) {
	case *ast.Paragraph:
		w.element("p", n)
	case *ast.TextBlock:
		w.children(n)
	case *ast.Heading: // the page has h1 and h2 itself
		w.element("h"+strconv.Itoa(min(n.Level+2, 6)), n)
	case *ast.ThematicBreak:
		w.WriteString("<hr>")
	case *ast.Blockquote:
		w.element("blockquote", n)
	case *ast.List:
		w.list(n)
	case *ast.ListItem:
		w.item(n)
	case *ast.FencedCodeBlock:
		w.code(string(n.Language(w.source)), w.lines(n))
	case *ast.CodeBlock:
		w.code("", w.lines(n))
	case *ast.HTMLBlock:
		w.code("html", w.lines(n)+w.closure(n))
	case *extast.Table:
		w.table(n)
	case *extast.TableHeader:
		w.row("th", n)
	case *extast.TableRow:
		w.row("td", n)
	default:
		w.inline(n)
	}
}

// inline writes what stands within a line.
func (w *writer) inline(n ast.Node) {
	switch n := n.(type) {
	case *ast.Text:
		w.text(n)
	case *ast.String:
		w.escaped(string(n.Value))
	case *ast.CodeSpan:
		w.WriteString("<code>")
		w.flat(n)
		w.WriteString("</code>")
	case *ast.Emphasis:
		w.element([]string{"em", "strong"}[min(n.Level, 2)-1], n)
	case *extast.Strikethrough:
		w.element("del", n)
	case *ast.Link:
		w.link(n.Destination, "", func() { w.children(n) })
	case *ast.Image:
		w.link(n.Destination, "image", func() { w.picture(n) })
	case *ast.AutoLink:
		w.autoLink(n)
	case *ast.RawHTML:
		w.raw(n)
	case *extast.TaskCheckBox:
		w.checkBox(n)
	}
}

func (w *writer) element(tag string, n ast.Node) {
	w.WriteString("<" + tag + ">")
	w.children(n)
	w.WriteString("</" + tag + ">")
}

func (w *writer) children(n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.node(c)
	}
}

func (w *writer) escaped(s string) { w.WriteString(html.EscapeString(s)) }

// flat writes the text in a node without any tags. It doesn't recurse.
func (w *writer) flat(root ast.Node) {
	for n := root; n != nil; n = following(root, n) {
		switch n := n.(type) {
		case *ast.Text:
			w.escaped(strings.TrimSuffix(w.words(n), "\n"))
			if n.SoftLineBreak() || n.HardLineBreak() || strings.HasSuffix(string(n.Value(w.source)), "\n") {
				w.WriteString(" ")
			}
		case *ast.String:
			w.escaped(string(n.Value))
		case *ast.RawHTML:
			w.escaped(w.segments(n.Segments))
		case *ast.AutoLink:
			w.escaped(string(n.Label(w.source)))
		case *ast.FencedCodeBlock, *ast.CodeBlock, *ast.HTMLBlock:
			w.escaped(w.lines(n))
		}
	}
}

// following returns the node after n in the order of the text, within root.
func following(root, n ast.Node) ast.Node {
	if c := n.FirstChild(); c != nil {
		return c
	}
	for ; n != nil && n != root; n = n.Parent() {
		if s := n.NextSibling(); s != nil {
			return s
		}
	}
	return nil
}

func (w *writer) text(n *ast.Text) {
	w.escaped(w.words(n))
	switch {
	case n.HardLineBreak():
		w.WriteString("<br>\n")
	case n.SoftLineBreak() && !w.joins(n):
		w.WriteString("\n")
	}
}

// joins reports whether a line break stands between two letters of scripts
// without spaces, where a browser would show it as a gap.
func (w *writer) joins(n *ast.Text) bool {
	next, ok := n.NextSibling().(*ast.Text)
	if !ok {
		return false
	}
	before, _ := utf8.DecodeLastRune(n.Value(w.source))
	after, _ := utf8.DecodeRune(next.Value(w.source))
	return wide(before) && wide(after)
}

// words returns the text of a node, with escapes and references resolved.
func (w *writer) words(n *ast.Text) string {
	value := string(n.Value(w.source))
	if _, code := n.Parent().(*ast.CodeSpan); code && strings.Contains(value, `\|`) && inTable(n) {
		return strings.ReplaceAll(value, `\|`, "|")
	} else if code || n.IsRaw() || !strings.ContainsAny(value, `\&`) {
		return value
	}
	var b strings.Builder
	out := bufio.NewWriter(&b)
	goldhtml.DefaultWriter.Write(out, []byte(value))
	out.Flush()
	return clean(html.UnescapeString(b.String()))
}

func (w *writer) lines(n ast.Node) string {
	return w.segments(n.Lines())
}

func (w *writer) segments(all *text.Segments) string {
	return string(all.Value(w.source))
}

func (w *writer) closure(n *ast.HTMLBlock) string {
	if !n.HasClosure() {
		return ""
	}
	return string(n.ClosureLine.Value(w.source))
}

func (w *writer) code(language, content string) {
	w.WriteString("<pre><code")
	if isLanguage(language) {
		w.WriteString(` class="language-` + language + `"`)
	}
	w.WriteString(">")
	w.escaped(content)
	w.WriteString("</code></pre>")
}

// isLanguage reports whether a name may stand in a class.
func isLanguage(s string) bool {
	return s != "" && len(s) <= 32 && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("+#-_.", r)
	})
}

func (w *writer) list(n *ast.List) {
	if !n.IsOrdered() {
		w.element("ul", n)
		return
	}
	w.WriteString("<ol")
	if n.Start != 1 {
		w.WriteString(` start="` + strconv.Itoa(n.Start) + `"`)
	}
	w.WriteString(">")
	w.children(n)
	w.WriteString("</ol>")
}

func (w *writer) item(n *ast.ListItem) {
	w.WriteString("<li")
	if first := n.FirstChild(); first != nil {
		if _, ok := first.FirstChild().(*extast.TaskCheckBox); ok {
			w.WriteString(` class="task"`)
		}
	}
	w.WriteString(">")
	w.children(n)
	w.WriteString("</li>")
}

func (w *writer) checkBox(n *extast.TaskCheckBox) {
	w.WriteString(`<input type="checkbox" disabled=""`)
	if n.IsChecked {
		w.WriteString(` checked=""`)
	}
	w.WriteString("> ")
}

// table writes a table in a box of its own, which scrolls when it is wide.
func (w *writer) table(n *extast.Table) {
	w.WriteString(`<div class="table"><table>`)
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		_, head := c.(*extast.TableHeader)
		switch {
		case head:
			w.WriteString("<thead>")
		case c.PreviousSibling() == n.FirstChild():
			w.WriteString("<tbody>")
		}
		w.node(c)
		switch {
		case head:
			w.WriteString("</thead>")
		case c.NextSibling() == nil:
			w.WriteString("</tbody>")
		}
	}
	w.WriteString("</table></div>")
}

func (w *writer) row(tag string, n ast.Node) {
	w.WriteString("<tr>")
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		w.WriteString("<" + tag)
		if cell, ok := c.(*extast.TableCell); ok && cell.Alignment != extast.AlignNone {
			w.WriteString(` class="` + cell.Alignment.String() + `"`)
		}
		w.WriteString(">")
		w.children(c)
		w.WriteString("</" + tag + ">")
	}
	w.WriteString("</tr>")
}

// link writes a link, or only its words when it leads where none may lead.
func (w *writer) link(destination []byte, class string, words func()) {
	href, ok := safeURL(string(util.URLEscape(destination, true)))
	if !ok || w.linked {
		words()
		return
	}
	w.linked = true
	defer func() { w.linked = false }()
	w.WriteString(`<a href="` + html.EscapeString(href) + `"`)
	if class != "" {
		w.WriteString(` class="` + class + `"`)
	}
	w.WriteString(` target="_blank" rel="noopener noreferrer nofollow">`)
	words()
	w.WriteString("</a>")
}

// safeURL reports whether a link may lead there: to a host by http or https,
// or to a mailbox. Relative links would lead into this site.
func safeURL(s string) (string, bool) {
	u, err := url.Parse(s)
	if err != nil || strings.ContainsAny(s, " \t\n") {
		return "", false
	}
	switch u.Scheme {
	case "http", "https":
		return u.String(), u.Host != ""
	case "mailto":
		return u.String(), u.Opaque != ""
	}
	return "", false
}

// picture writes what a picture shows, or where it is.
func (w *writer) picture(n *ast.Image) {
	before := w.Len()
	w.flat(n)
	if w.Len() == before {
		w.escaped(clean(string(n.Destination)))
	}
}

func (w *writer) autoLink(n *ast.AutoLink) {
	to := string(n.URL(w.source))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(to), "mailto:") {
		to = "mailto:" + to
	}
	w.link([]byte(to), "", func() { w.escaped(string(n.Label(w.source))) })
}

func (w *writer) raw(n *ast.RawHTML) {
	tag := w.segments(n.Segments)
	switch strings.ReplaceAll(strings.ToLower(tag), " ", "") {
	case "<br>", "<br/>":
		w.WriteString("<br>")
	default:
		w.escaped(tag)
	}
}
