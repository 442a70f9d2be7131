package scan

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tegata/internal/message"
)

// maxDepth is how many texts may stand within each other.
const maxDepth = 8

// ImageBuild is the origin of what runs while an image is built, but not on an
// instance that becomes the image.
const ImageBuild = "image build"

// A source is a file, and how to read it.
type source struct {
	path     string
	lang     Lang
	template bool // Terraform fills it in first
	data     []byte
}

// A reading is what was found in one file.
type reading struct {
	source
	results []*Result
	units   []*joined
	large   bool // data was not kept; results have their places already

	after  []byte    // the file with all of mended
	mended []*Result // that were tried together
}

// A joined unit is a unit with the results that belong to it.
type joined struct {
	Unit
	at       Span // of its head, in the file
	required *Result
	settings []*Result
	callers  []*Result
}

// read finds what there is in a source.
func (o *Options) read(s source) (r *reading, err error) {
	r = &reading{source: s}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read as %s: internal error: %v", s.lang, p)
		}
	}()
	t := File(s.path, s.lang, s.data)
	if s.template && o.Template != nil {
		t = o.Template(t, s.lang)
	}
	within := map[*Text][]*Result{}
	r.results = o.text(t, 0, r, within)
	r.results = append(r.results, o.rest(s, r.results, within)...)
	for _, u := range r.units {
		for _, t := range u.Texts {
			u.callers = append(u.callers, within[t]...)
		}
		u.Texts = nil // may be large
		u.callers = slices.DeleteFunc(u.callers, func(c *Result) bool { return !c.isCall() })
	}
	r.results = inOrder(r.results)
	if endsLinesWithCRLF(s.data) {
		r.writeCRLF()
	}
	place(s.data, r.results)
	return r, nil
}

// endsLinesWithCRLF reports whether all lines of a file end as on Windows.
func endsLinesWithCRLF(data []byte) bool {
	n := bytes.Count(data, []byte("\r\n"))
	return n > 0 && n == bytes.Count(data, []byte("\n"))
}

// writeCRLF has the lines that are put into the file end as its own do.
func (r *reading) writeCRLF() {
	for _, f := range r.results {
		for i, e := range f.Edits {
			f.Edits[i].Text = strings.ReplaceAll(strings.ReplaceAll(e.Text, "\r\n", "\n"), "\n", "\r\n")
		}
	}
}

// text reads a text and those within it.
func (o *Options) text(t *Text, depth int, r *reading, within map[*Text][]*Result) (all []*Result) {
	detect := o.detector(t.Lang)
	if detect == nil || depth > maxDepth {
		return nil
	}
	facts := detect(t)
	for _, f := range facts.Findings {
		all = append(all, resolve(t, f))
	}
	for _, inner := range facts.Texts {
		found := o.text(inner, depth+1, r, within)
		within[inner] = found
		all = append(all, found...)
	}
	for _, u := range facts.Units {
		all = append(all, r.unit(t, u)...)
	}
	return all
}

// detector returns who reads a language: line by line, if nobody knows it.
func (o *Options) detector(l Lang) Detector {
	if d, ok := o.Detectors[l]; ok {
		return d
	}
	switch l {
	case Document:
		return document
	case Prose:
		return nil
	}
	return o.Detectors[Plain]
}

// unit takes up a unit and returns the results of its settings.
func (r *reading) unit(t *Text, u Unit) (all []*Result) {
	j := &joined{Unit: u, at: t.InFile(u.At)}
	for _, f := range u.Settings {
		j.settings = append(j.settings, resolve(t, f))
	}
	if u.Required != nil {
		j.required = resolve(t, Finding{ID: "TG1204", Confidence: Sure, At: *u.Required, Evidence: []Field{{"unit", u.Name}}})
	}
	r.units = append(r.units, j)
	return j.settings
}

// resolve says of a finding where it stands in the file, and what mends it
// there.
func resolve(t *Text, f Finding) *Result {
	r := &Result{
		ID: f.ID, Confidence: f.Confidence, Path: t.Path, At: t.InFile(f.At),
		Evidence: f.Evidence, Origin: t.Origin, Why: f.Why,
	}
	if r.isRequest() && slices.Contains(t.Origin, ImageBuild) {
		r.ID, r.Why, f.Fix = "TG1007", "an image is built where no instance answers for it", nil
	}
	m, _ := message.Lookup(r.ID)
	r.Severity = cmp.Or(m.Severity, message.Error)
	for _, s := range f.Fix {
		edits, err := t.Edits(s)
		if err != nil {
			r.Edits, r.Why = nil, because(err)
			break
		}
		r.Edits = append(r.Edits, edits...)
	}
	return r
}

func (r *Result) isRequest() bool { return r.ID == "TG1001" || r.ID == "TG1002" || r.ID == "TG1003" }

// because says for people why a text can't be written.
func because(err error) string {
	if errors.Is(err, ErrFixed) {
		return ErrFixed.Error()
	}
	return err.Error()
}
