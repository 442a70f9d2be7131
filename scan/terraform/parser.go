package terraform

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"tegata/scan"
)

// A json is a JSON value, with the places of its strings' bytes.
//
// Source: https://www.rfc-editor.org/rfc/rfc8259
type json struct {
	at      span
	pieces  []piece // of a string
	isStr   bool
	items   []*json
	members []member
}

type member struct {
	key   string
	value *json
}

func (v *json) member(key string) *json {
	if v == nil {
		return nil
	}
	for _, m := range v.members {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

// string returns what a string says; empty if the value is none.
func (v *json) string() string {
	var s strings.Builder
	if v != nil {
		for _, p := range v.pieces {
			s.WriteString(p.text)
		}
	}
	return s.String()
}

// isText reports whether the value is a string, or a list of strings alone.
func (v *json) isText() bool {
	if v.isStr {
		return true
	}
	for _, item := range v.items {
		if !item.isStr {
			return false
		}
	}
	return len(v.items) > 0
}

func (v *json) strings() []*json {
	if v.isStr {
		return []*json{v}
	}
	return v.items
}

// A parser reads JSON from a text.
type parser struct {
	text *scan.Text
	at   int
}

// maxNesting bounds how deep values may lie within each other.
const maxNesting = 200

func (p *parser) value(depth int) (*json, bool) {
	p.space()
	v := &json{at: span{Start: p.at}}
	if p.at == len(p.text.Body) || depth > maxNesting {
		return nil, false
	}
	ok := true
	switch p.text.Body[p.at] {
	case '"':
		v.isStr = true
		v.pieces, ok = p.string()
	case '[':
		ok = p.list(']', func() bool {
			item, ok := p.value(depth + 1)
			v.items = append(v.items, item)
			return ok
		})
	case '{':
		ok = p.list('}', func() bool { return p.pair(v, depth) })
	default:
		n := strings.IndexAny(p.text.Body[p.at:], ",]} \t\r\n")
		if ok = n > 0; ok {
			p.at += n
		}
	}
	v.at.End = p.at
	return v, ok
}

func (p *parser) pair(v *json, depth int) bool {
	p.space()
	pieces, ok := p.string()
	p.space()
	if !ok || !p.take(':') {
		return false
	}
	value, ok := p.value(depth + 1)
	v.members = append(v.members, member{(&json{pieces: pieces}).string(), value})
	return ok
}

// list reads what stands between brackets, separated by commas.
func (p *parser) list(end byte, item func() bool) bool {
	p.at++
	if p.space(); p.take(end) {
		return true
	}
	for item() {
		p.space()
		if p.take(end) {
			return true
		}
		if !p.take(',') {
			return false
		}
	}
	return false
}

func (p *parser) space() {
	p.at += len(p.text.Body[p.at:]) - len(strings.TrimLeft(p.text.Body[p.at:], " \t\r\n"))
}

func (p *parser) take(c byte) bool {
	if p.at == len(p.text.Body) || p.text.Body[p.at] != c {
		return false
	}
	p.at++
	return true
}

func (p *parser) string() (pieces []piece, ok bool) {
	if !p.take('"') {
		return nil, false
	}
	body, from := p.text.Body, p.at
	flush := func() {
		if from < p.at {
			pieces = append(pieces, piece{at: span{Start: from, End: p.at}, text: body[from:p.at], verbatim: true})
		}
	}
	for p.at < len(body) {
		switch body[p.at] {
		case '"':
			flush()
			p.at++
			return pieces, true
		case '\\':
			flush()
			n, text := escaped(body[p.at:])
			if n == 0 {
				return nil, false
			}
			pieces = append(pieces, piece{at: span{Start: p.at, End: p.at + n}, text: text})
			p.at += n
			from = p.at
		default:
			p.at++
		}
	}
	return nil, false
}

// escaped returns how long an escape is, and what it stands for; 0 if it is
// none.
func escaped(s string) (int, string) {
	if len(s) < 2 {
		return 0, ""
	}
	if i := strings.IndexByte(`"\/bfnrt`, s[1]); i >= 0 {
		return 2, "\"\\/\b\f\n\r\t"[i : i+1]
	}
	first, ok := unit(s)
	if !ok {
		return 0, ""
	}
	if utf16.IsSurrogate(first) {
		if second, ok := unit(s[6:]); ok {
			return 12, string(utf16.DecodeRune(first, second))
		}
	}
	return 6, string(first)
}

// unit reads \uXXXX.
func unit(s string) (rune, bool) {
	if len(s) < 6 || s[:2] != `\u` {
		return 0, false
	}
	n, err := strconv.ParseUint(s[2:6], 16, 16)
	return rune(n), err == nil
}
