package yaml

import (
	"strings"

	"tegata/scan"
)

// placeholder stands for what is filled in, in a text that is read as YAML: a
// word that nobody writes, of Unicode's private use.
const placeholder = "\ue0e0"

// ParseTemplate reads the documents of a text that is YAML only once a template
// has been filled in: by Jinja, by Go as for a chart, or what stands as
// [scan.Unknown]. Placeholders stand in the scalars; [Unmask] undoes that in a
// text made of them. Both branches of a choice are there. Spans of the nodes are
// those of the text with its placeholders, not of t.
func ParseTemplate(t *scan.Text) ([]*Node, error) {
	return Parse(Mask(t))
}

// Mask puts placeholders where something is filled in. Statements and comments
// stand for nothing, and so do lines that consist of tags.
func Mask(t *scan.Text) *scan.Text {
	body, at, head := t.Body, 0, 0
	mixed := -1 // the head of a line that has more than tags
	b := t.Within()
	for {
		i := strings.IndexByte(body[at:], '{')
		if i < 0 {
			break
		}
		start := at + i
		if j := strings.LastIndexByte(body[at:start], '\n'); j >= 0 {
			head = at + j + 1
		}
		end, text := filledIn(body, start)
		if end == start {
			b.Verbatim(scan.Span{Start: at, End: start + 1})
			at = start + 1
			continue
		}
		if next, ok := 0, false; head != mixed {
			if next, ok = tags(body, head); ok {
				start, end, text = max(head, at), next, ""
				head = next
			} else {
				mixed = head
			}
		}
		b.Verbatim(scan.Span{Start: at, End: start})
		b.Decoded(scan.Span{Start: start, End: end}, text)
		at = end
	}
	b.Verbatim(scan.Span{Start: at, End: len(body)})
	return b.Text(t.Lang, scan.Layer{Name: "a template", Encode: same})
}

func same(s string) (string, error) { return s, nil }

// filledIn returns where something ends that is filled in at start, and what
// stands for it; start itself if nothing is.
func filledIn(body string, start int) (end int, text string) {
	if strings.HasPrefix(body[start:], scan.Unknown) {
		return start + len(scan.Unknown), placeholder
	}
	end, expression := Tag(body, start)
	if expression != "" && !statement(expression) {
		text = placeholder
	}
	return end, text
}

// statement reports whether a tag of Go's templates puts nothing in itself.
//
// Source: https://pkg.go.dev/text/template#hdr-Actions
func statement(expression string) bool {
	word, _, _ := strings.Cut(expression, " ")
	switch word {
	case "if", "else", "end", "range", "with", "define", "block", "break", "continue":
		return true
	}
	return strings.HasPrefix(expression, "/*") || strings.HasPrefix(word, "$") && strings.Contains(expression, ":=")
}

// TagsOnly reports whether nothing but tags stands on a line.
func TagsOnly(line string) bool {
	_, ok := tags(line, 0)
	return ok
}

// tags returns where the next line begins, if nothing but tags stands on that
// which begins at head.
func tags(body string, head int) (next int, ok bool) {
	for at := head; at < len(body); {
		end, _ := filledIn(body, at)
		switch {
		case end > at:
			at = end
		case body[at] == '\n':
			return at + 1, true
		case space(body[at]):
			at++
		default:
			return 0, false
		}
	}
	return len(body), true
}

// Unmask puts [scan.Unknown] where placeholders stand, in the names of what the
// text stands in, too.
func Unmask(t *scan.Text) *scan.Text {
	for i, name := range t.Origin {
		t.Origin[i] = strings.ReplaceAll(name, placeholder, scan.Unknown)
	}
	if !strings.Contains(t.Body, placeholder) {
		return t
	}
	b := t.Within()
	at := 0
	for {
		i := strings.Index(t.Body[at:], placeholder)
		if i < 0 {
			break
		}
		b.Verbatim(scan.Span{Start: at, End: at + i})
		b.Decoded(scan.Span{Start: at + i, End: at + i + len(placeholder)}, scan.Unknown)
		at += i + len(placeholder)
	}
	b.Verbatim(scan.Span{Start: at, End: len(t.Body)})
	return b.Text(t.Lang, scan.Layer{Name: "a template", Encode: same})
}

// Unmasked returns texts with [scan.Unknown] in place of placeholders.
func Unmasked(texts []*scan.Text) []*scan.Text {
	all := make([]*scan.Text, len(texts))
	for i, t := range texts {
		all[i] = Unmask(t)
	}
	return all
}
