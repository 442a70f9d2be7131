// Package template reads files that another program fills in before anybody
// reads them: with Jinja, ERB, Go's templates, Mustache and their kin. What is
// filled in is unknown, blocks are passed over, and the rest is read in the
// language that the file's name or content tells.
package template

import (
	"errors"
	"path"
	"strings"

	"tegata/scan"
)

// Detect hands over what a template becomes. What nothing tells the language of
// comes back, and is read line by line.
func Detect(t *scan.Text) scan.Facts {
	if all := t.Layers(); len(all) > 0 && all[len(all)-1].Name == unclear.Name {
		return readLines(t)
	}
	r := reader{text: t, syntax: syntaxOf(t.Path), constants: map[string]string{}}
	r.tags()
	b := t.Within()
	r.addTo(b)
	inner := b.Text("", layer)
	if inner.Lang = languageOf(t, inner.Body); inner.Lang == scan.Template {
		inner = b.Text(scan.Template, unclear)
	}
	texts := []*scan.Text{inner}
	if code := r.code(); code != nil {
		texts = append(texts, code)
	}
	return scan.Facts{Texts: texts}
}

// A syntax is how templates mark what is filled in.
type syntax struct {
	pairs []pair
	words bool // a value in {{ }} may be a block, by its first word
}

// A pair begins and ends a tag.
type pair struct {
	open, end string
	value     bool // what stands between is put out, unless it is a block
}

func syntaxOf(name string) syntax {
	switch path.Ext(name) {
	case ".j2", ".jinja", ".jinja2":
		return syntax{pairs: []pair{{"{{", "}}", true}, {"{%", "%}", false}, {"{#", "#}", false}}}
	case ".liquid":
		return syntax{pairs: []pair{{"{{", "}}", true}, {"{%", "%}", false}}}
	case ".erb", ".epp", ".ejs":
		return syntax{pairs: []pair{{"<%", "%>", true}}}
	}
	return syntax{pairs: []pair{{"{{{", "}}}", true}, {"{{", "}}", true}, {"{%", "%}", false}, {"<%", "%>", true}}, words: true}
}

// languageOf returns what a template becomes: by its name without the ending
// of templates, by the first line, by what is in it. The name of the file tells
// nothing about a text within it, nor about one that its language's own reader
// could not make out. It is [scan.Template] if nothing tells.
func languageOf(t *scan.Text, body string) scan.Lang {
	stem := "content"
	for name := t.Path; !t.Embedded(); name = strings.TrimSuffix(name, path.Ext(name)) {
		if ext := path.Ext(name); ext == "" || scan.KindOf("x"+ext, nil) != scan.Template {
			stem = name
			break
		}
	}
	switch lang := scan.KindOf(stem, []byte(body[:min(len(body), head)])); {
	case lang == "" || lang == scan.Plain || t.Embedded() && lang == scan.Packer:
		return scan.Template
	default:
		return lang
	}
}

// head is how much of a file tells its kind.
const head = 4 << 10

var errTag = errors.New("the template would read it as a tag")

// layer refuses what any program of templates would read.
var layer = scan.Layer{Name: "a template", Encode: func(s string) (string, error) {
	for _, mark := range []string{"{{", "{%", "{#", "<%"} {
		if strings.Contains(s, mark) || strings.HasPrefix(s, mark[1:]) || strings.HasSuffix(s, mark[:1]) {
			return "", errTag
		}
	}
	return s, nil
}}

// undecided is why nothing is changed where any language may stand.
const undecided = "a template decides what this becomes"

// unclear is a template that may become anything.
var unclear = scan.Layer{Name: "a template of no known language", Encode: func(string) (string, error) {
	return "", errors.New(undecided)
}}
