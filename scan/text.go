package scan

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"tegata/internal/edit"
)

// A Span is a part of a text or of a file: the bytes from Start up to End.
type Span struct{ Start, End int }

// A Text is what one program reads, as that program gets it: with the escapes
// of everything around it undone. A file is a text, and so is the script in the
// user data of a template in the file.
type Text struct {
	Path   string // of the file
	Lang   Lang
	Body   string
	Origin []string // what it stands in, from outside: "aws_instance.web", "user_data"

	parent *Text
	parts  []part // where the bytes of Body come from, in order, without gaps
	layer  Layer
}

// A Layer is one way of writing a text within another.
type Layer struct {
	Name string // for people: "a double-quoted YAML scalar"

	// Encode returns what stands in the outer text for the reader of the inner
	// one to get s. Nil says that nothing can be written there.
	Encode func(s string) (string, error)

	// EncodeAt is called instead of Encode, if there is one: it is told which
	// span of the outer text will make room, where that decides.
	EncodeAt func(at Span, s string) (string, error)

	// Around is what has to change around the inner text, in the outer one, once
	// anything in it does: a command that no shell read becomes one's argument.
	Around []Splice
}

func (l Layer) encode(at Span, s string) (string, error) {
	switch {
	case l.EncodeAt != nil:
		return l.EncodeAt(at, s)
	case l.Encode != nil:
		return l.Encode(s)
	}
	return "", ErrFixed
}

// ErrFixed is returned for places of a text that can't be written from within:
// base64, the default of a parameter, what a template puts in.
var ErrFixed = errors.New("can't be rewritten where it stands")

// byteOrderMark is passed over at the start of a file.
const byteOrderMark = "\ufeff"

// File is a whole file as a text.
func File(path string, lang Lang, data []byte) *Text {
	body, mark := strings.CutPrefix(string(data), byteOrderMark)
	start := 0
	if mark {
		start = len(byteOrderMark)
	}
	return &Text{Path: path, Lang: lang, Body: body, parts: []part{{from: Span{start, start + len(body)}, kind: verbatim}}}
}

// Embedded reports whether the text stands in another one.
func (t *Text) Embedded() bool { return t.parent != nil }

// Layers returns what the text stands in, from outside.
func (t *Text) Layers() []Layer {
	if t.parent == nil {
		return nil
	}
	return append(t.parent.Layers(), t.layer)
}

// A part of a body has one origin.
type part struct {
	at   int  // in the body
	from Span // in the text around it, or in the file
	kind partKind
}

type partKind int

const (
	verbatim partKind = iota // byte by byte
	decoded                  // all of from stands for all of the part: an escape, base64
	made                     // from is empty: nobody has written this
)

// InFile returns where in the file a span of the text stands. What was made up
// stands where it was put in.
func (t *Text) InFile(s Span) Span {
	out := Span{t.up(s.Start, false), t.up(s.End, true)}
	if out.End < out.Start {
		out.End = out.Start
	}
	if t.parent == nil {
		return out
	}
	return t.parent.InFile(out)
}

// up returns where an offset lies in the text around. The end of a span belongs
// to what precedes it.
func (t *Text) up(offset int, end bool) int {
	p, next := t.part(offset, end)
	switch {
	case p.kind == verbatim:
		return p.from.Start + offset - p.at
	case end && offset > p.at, !end && offset >= next:
		return p.from.End
	}
	return p.from.Start
}

// part returns the part that an offset lies in, and where the next one begins.
func (t *Text) part(offset int, end bool) (p part, next int) {
	i := sort.Search(len(t.parts), func(i int) bool {
		return t.parts[i].at > offset || end && i > 0 && t.parts[i].at >= offset
	})
	if i == 0 {
		return part{}, 0
	}
	next = len(t.Body)
	if i < len(t.parts) {
		next = t.parts[i].at
	}
	return t.parts[i-1], next
}

// Edit returns the change of the file after which the reader of the text finds
// s.Text in place of s.At. It fails with [ErrFixed] where that can't be written.
func (t *Text) Edit(s Splice) (edit.Edit, error) {
	at, err := t.writable(s.At)
	if err != nil {
		return edit.Edit{}, err
	}
	if t.parent == nil {
		return edit.Edit{Start: at.Start, End: at.End, Text: s.Text}, nil
	}
	text, err := t.layer.encode(at, s.Text)
	if err != nil {
		return edit.Edit{}, fmt.Errorf("%s: %w", t.layer.Name, err)
	}
	return t.parent.Edit(Splice{At: at, Text: text})
}

// Edits returns what Edit does, with what has to change around the text.
func (t *Text) Edits(s Splice) (all []edit.Edit, err error) {
	e, err := t.Edit(s)
	if err != nil {
		return nil, err
	}
	all = []edit.Edit{e}
	for ; t.parent != nil; t = t.parent {
		for _, around := range t.layer.Around {
			more, err := t.parent.Edits(around)
			if err != nil {
				return nil, err
			}
			all = append(all, more...)
		}
	}
	return all, nil
}

// writable returns where a span stands in the text around, if its ends do not
// lie within an escape, and nothing of it was made up.
func (t *Text) writable(s Span) (Span, error) {
	for _, end := range []bool{false, true} {
		offset := s.Start
		if end {
			offset = s.End
		}
		p, next := t.part(offset, end)
		if p.kind == decoded && offset != p.at && offset != next {
			return Span{}, ErrFixed
		}
	}
	i := slices.IndexFunc(t.parts, func(p part) bool {
		return p.kind == made && p.at >= s.Start && p.at < s.End
	})
	if i >= 0 {
		return Span{}, ErrFixed
	}
	at := Span{t.up(s.Start, false), t.up(s.End, true)}
	at.End = max(at.Start, at.End) // between two parts: at the head of the second, past an indentation
	return at, nil
}

// A Builder makes the text that stands within another one, piece by piece in
// the order of the inner text.
type Builder struct {
	outer *Text
	body  strings.Builder
	parts []part
}

// Within begins a text that stands within t.
func (t *Text) Within() *Builder { return &Builder{outer: t} }

// Verbatim takes over a span of the outer text as it stands.
func (b *Builder) Verbatim(s Span) {
	if s.Start >= s.End {
		return
	}
	if i := len(b.parts) - 1; i >= 0 && b.parts[i].kind == verbatim && b.parts[i].from.End == s.Start {
		b.parts[i].from.End = s.End
	} else {
		b.parts = append(b.parts, part{b.body.Len(), s, verbatim})
	}
	b.body.WriteString(b.outer.Body[s.Start:s.End])
}

// Decoded says that a span of the outer text stands for text: an escape.
// Nothing stands for a span that the inner reader doesn't get, such as the
// indentation of a block; leave such spans out.
func (b *Builder) Decoded(s Span, text string) {
	if text == "" {
		return
	}
	b.parts = append(b.parts, part{b.body.Len(), s, decoded})
	b.body.WriteString(text)
}

// Made adds text that is not in the file, such as the value of a parameter,
// at an offset of the outer text.
func (b *Builder) Made(at int, text string) {
	if text == "" {
		return
	}
	b.parts = append(b.parts, part{b.body.Len(), Span{at, at}, made})
	b.body.WriteString(text)
}

// Text ends the building. The origin is what the text is within its outer one.
func (b *Builder) Text(lang Lang, layer Layer, origin ...string) *Text {
	if len(b.parts) == 0 {
		b.parts = []part{{kind: made}}
	}
	return &Text{
		Path: b.outer.Path, Lang: lang, Body: b.body.String(),
		Origin: append(slices.Clone(b.outer.Origin), origin...),
		parent: b.outer, parts: b.parts, layer: layer,
	}
}
