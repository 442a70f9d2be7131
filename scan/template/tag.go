package template

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// A reader takes a template to pieces.
type reader struct {
	text      *scan.Text
	syntax    syntax
	constants map[string]string // that the template sets itself
	ahead     []scan.Span       // the next tag of each kind
	endless   bool              // nothing ends a part without tags any more
	pieces    []piece
}

// A piece is a tag, with what is put in for it.
type piece struct {
	at    scan.Span
	value string // empty for a block
}

// tags finds the tags, in order.
func (r *reader) tags() {
	body := r.text.Body
	r.ahead = make([]scan.Span, len(r.syntax.pairs))
	for i := range r.ahead {
		r.ahead[i].Start = -1
	}
	for at := 0; at < len(body); {
		p, tag, ok := r.next(at)
		if !ok {
			return
		}
		at = tag.End
		inner := body[tag.Start+len(p.open) : tag.End-len(p.end)]
		if r.raw(inner) && !r.endless {
			end := rawEnd().FindStringIndex(body[at:])
			if r.endless = end == nil; !r.endless {
				r.block(tag)
				r.block(scan.Span{Start: at + end[0], End: at + end[1]})
				at += end[1]
				continue
			}
		}
		r.tag(p, tag, inner)
	}
}

// rawEnd matches the end of a part in which there are no tags.
var rawEnd = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{%[-+]?\s*end(raw|verbatim)\s*[-+]?%\}`) })

func (r *reader) raw(inner string) bool {
	word := strings.Trim(inner, "-+ \t")
	return word == "raw" || word == "verbatim"
}

// next returns the next tag from an offset on.
func (r *reader) next(at int) (found pair, tag scan.Span, ok bool) {
	for i, p := range r.syntax.pairs {
		if r.ahead[i].Start < at {
			r.ahead[i] = r.find(p, at)
		}
		if s := r.ahead[i]; s.Start < len(r.text.Body) && (!ok || s.Start < tag.Start) {
			found, tag, ok = p, s, true
		}
	}
	return found, tag, ok
}

// find returns the next tag of one kind; none lies behind the end.
func (r *reader) find(p pair, at int) scan.Span {
	body := r.text.Body
	if start := strings.Index(body[at:], p.open); start >= 0 {
		start += at
		if end := strings.Index(body[start+len(p.open):], p.end); end >= 0 {
			return scan.Span{Start: start, End: start + len(p.open) + end + len(p.end)}
		}
	}
	return scan.Span{Start: len(body), End: len(body)}
}

// code returns the program that the tags make together, if a tag holds an
// address: ERB's are Ruby, those of EJS are JavaScript.
//
// Source: https://docs.ruby-lang.org/en/master/ERB.html
func (r *reader) code() *scan.Text {
	lang := scan.Ruby
	switch path.Ext(r.text.Path) {
	case ".erb":
	case ".ejs":
		lang = scan.JavaScript
	default:
		return nil
	}
	b, found := r.text.Within(), false
	for _, p := range r.pieces {
		tag := r.inside(p.at)
		text := r.text.Body[tag.Start:tag.End]
		if tag.Start == tag.End || text[0] == '#' || text[0] == '%' {
			continue
		}
		start := tag.Start + len(text) - len(strings.TrimLeft(text, "=-_"))
		b.Verbatim(scan.Span{Start: start, End: max(start, tag.End-len(text)+len(strings.TrimRight(text, "-_")))})
		b.Made(tag.End, "\n")
		_, holds := scan.FindTarget(text)
		found = found || holds
	}
	if !found {
		return nil
	}
	return b.Text(lang, inTags, "tags")
}

// inside returns what stands between the marks of a tag; an empty span if a
// piece is none.
func (r *reader) inside(at scan.Span) scan.Span {
	text := r.text.Body[at.Start:at.End]
	open, end := strings.Index(text, "<%"), strings.LastIndex(text, "%>")
	if open < 0 || end < open+2 {
		return scan.Span{}
	}
	return scan.Span{Start: at.Start + open + 2, End: at.Start + end}
}

// inTags is code in tags, which nothing is changed in.
var inTags = scan.Layer{Name: "tags of a template", Encode: func(string) (string, error) { return "", errTag }}

// tag notes what a tag stands for.
func (r *reader) tag(p pair, tag scan.Span, inner string) {
	if m := setting().FindStringSubmatch(inner); m != nil {
		r.constants[m[1]] = m[3]
	}
	value := p.value
	content := strings.Trim(inner, "-~+ \t\r\n")
	switch {
	case p.open == "<%" && strings.HasPrefix(inner, "%"): // <%% is a literal <%
		value = true
	case p.open == "<%":
		value = strings.HasPrefix(inner, "=")
		content = strings.TrimLeft(content, "= ")
	case r.syntax.words && value:
		value = !isBlock(content)
	}
	if !value {
		r.block(tag)
		return
	}
	r.pieces = append(r.pieces, piece{tag, r.valueOf(content)})
}

// setting matches a constant in a block.
var setting = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[-+\s]*(?:set\s+|assign\s+)?[$@]?(\w+)\s*:?=\s*(["'])([^"']*)["']\s*[-+\s]*$`)
})

// fallback matches the default of a value.
var fallback = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\bdefault(?:\s*:\s*|\s*\(\s*|\s+)(["'])([^"']*)["']`)
})

// valueOf returns what is put in, if it is an address that the template has.
func (r *reader) valueOf(content string) string {
	value := r.constants[strings.TrimLeft(content, "$@")]
	if m := fallback().FindStringSubmatch(content); m != nil {
		value = m[2]
	}
	if _, ok := scan.FindTarget(value); ok {
		return value
	}
	return scan.Unknown
}

// isBlock reports whether an action of a Go template or of Mustache puts out
// nothing itself.
func isBlock(content string) bool {
	if content == "" || strings.ContainsAny(content[:1], "#/^!>*") {
		return true
	}
	word, rest, _ := strings.Cut(content, " ")
	switch word {
	case "if", "else", "end", "range", "with", "define", "block", "template", "break", "continue", "each", "unless":
		return true
	}
	return strings.HasPrefix(word, "$") && (strings.HasPrefix(rest, ":=") || strings.HasPrefix(rest, "="))
}

// block passes over a tag, and over its line if it stands there alone.
func (r *reader) block(tag scan.Span) {
	body := r.text.Body
	start, end := tag.Start, tag.End
	for start > 0 && isSpace(body[start-1]) {
		start--
	}
	for end < len(body) && isSpace(body[end]) {
		end++
	}
	alone := (start == 0 || body[start-1] == '\n') && (end == len(body) || body[end] == '\n')
	if alone && !r.overlaps(start) {
		tag = scan.Span{Start: start, End: min(end+1, len(body))}
	}
	r.pieces = append(r.pieces, piece{at: tag})
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }

func (r *reader) overlaps(start int) bool {
	return len(r.pieces) > 0 && r.pieces[len(r.pieces)-1].at.End > start
}

// addTo adds the text with its tags filled in.
func (r *reader) addTo(b *scan.Builder) {
	from := 0
	for _, p := range r.pieces {
		b.Verbatim(scan.Span{Start: from, End: p.at.Start})
		b.Decoded(p.at, p.value)
		from = max(from, p.at.End)
	}
	b.Verbatim(scan.Span{Start: from, End: len(r.text.Body)})
}
