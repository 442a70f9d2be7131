package terraform

import (
	"regexp"
	"strconv"
	"strings"
	"sync"

	"tegata/scan"
)

// detectJSON reads a file in the JSON that Terraform and Packer take: strings
// are templates there, too.
func detectJSON(t *scan.Text) scan.Facts {
	p := parser{text: t}
	v, ok := p.value(0)
	if !ok {
		return broken(t)
	}
	d := document{text: t}
	d.object(place{}, v)
	return d.facts
}

// A document is a file in JSON while it is read.
type document struct {
	text   *scan.Text
	facts  scan.Facts
	filled bool // its strings are no templates themselves
}

// object reads a value that is no script itself.
func (d *document) object(p place, v *json) {
	p.shell = d.interpreter(v)
	for _, m := range v.members {
		inner := p
		inner.blocks = append(p.blocks[:len(p.blocks):len(p.blocks)], m.key)
		if len(p.blocks) < 3 && p.blocks != nil && p.blocks[0] == "resource" {
			inner.name = strings.Join(inner.blocks[1:], ".")
		}
		switch lang, known := languageFor(p, m.key); {
		case spoken(m.key):
		case m.key == "inline" && p.shell != "":
			d.script(inner, p.shell, m.value)
		case known:
			d.script(inner, lang, m.value)
		case m.value.isText():
			d.script(inner, "", m.value)
		case m.key == "metadata_options":
			d.options(inner, m.value)
		default:
			d.object(inner, m.value)
		}
	}
	for _, item := range v.items {
		d.object(p, item)
	}
}

// interpreter returns the language of the scripts of a provisioner of Packer's.
func (d *document) interpreter(v *json) scan.Lang {
	switch v.member("type").string() {
	case "shell", "shell-local":
		return scan.Shell
	case "powershell":
		return scan.PowerShell
	case "windows-shell":
		return scan.Batch
	}
	return ""
}

// script hands over a string, or strings that are the lines of one script.
func (d *document) script(p place, lang scan.Lang, v *json) {
	if !v.isText() {
		d.object(p, v)
		return
	}
	all := v.strings()
	if l, i := commandIn(all); i > 0 {
		lang, all = l, all[i:i+1]
	}
	separator, layer := "\n", jsonLayer
	if len(all) > 1 && isArguments(p.blocks, all[0].string()) {
		separator, layer, lang = " ", argumentsLayer, scan.Shell
	}
	b := d.text.Within()
	for i, s := range all {
		if i > 0 {
			b.Made(s.at.Start, separator)
		}
		for _, piece := range s.pieces {
			if piece.verbatim {
				b.Verbatim(piece.at)
			} else {
				b.Decoded(piece.at, piece.text)
			}
		}
	}
	t := b.Text("", layer, p.origin(p.blocks[len(p.blocks)-1])...)
	switch {
	case d.filled:
	case d.text.Lang == scan.Packer:
		t = filledByPacker(t)
	default:
		t = TemplateText(t, "")
	}
	d.facts.Texts = append(d.facts.Texts, readers(t, lang)...)
}

// commandIn returns where in a list such as ["sh", "-c", "…"] the program stands,
// and its language; 0 if the list is none.
func commandIn(all []*json) (scan.Lang, int) {
	words := make([]string, len(all))
	for i, v := range all {
		words[i] = v.string()
	}
	return command(words)
}

// options tells of metadata options that don't demand tokens.
func (d *document) options(p place, v *json) {
	for _, item := range append(v.items, v) {
		tokens := item.member(tokensSetting)
		value := tokens.string()
		unit := scan.Unit{Name: p.name, At: v.at}
		switch {
		case tokens == nil || item.member("http_endpoint").string() == "disabled" || strings.Contains(value, "${"):
			continue
		case value == required:
			unit.Required = &tokens.at
		default:
			unit.Settings = []scan.Finding{{
				ID: "TG1202", Confidence: scan.Sure, At: tokens.at,
				Evidence: []scan.Field{{Name: "unit", Value: p.name}, {Name: "setting", Value: tokensSetting + " = " + value}},
				Fix:      []scan.Splice{{At: tokens.at, Text: strconv.Quote(required)}},
			}}
		}
		d.facts.Units = append(d.facts.Units, unit)
	}
}

// filledByPacker is a text with the values that Packer fills in.
//
// Source: https://developer.hashicorp.com/packer/docs/templates/legacy_json_templates/engine
func filledByPacker(outer *scan.Text) *scan.Text {
	b, from := outer.Within(), 0
	for _, m := range packerTag().FindAllStringIndex(outer.Body, -1) {
		b.Verbatim(span{Start: from, End: m[0]})
		b.Decoded(span{Start: m[0], End: m[1]}, scan.Unknown)
		from = m[1]
	}
	b.Verbatim(span{Start: from, End: len(outer.Body)})
	return b.Text("", packerLayer)
}

var packerTag = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{\{[^}]*\}\}`) })

var packerLayer = scan.Layer{Name: "a template of Packer", Encode: func(s string) (string, error) {
	if strings.Contains(s, "{{") || strings.HasPrefix(s, "{") || strings.HasSuffix(s, "{") {
		return "", errPacker
	}
	return s, nil
}}

var jsonLayer = scan.Layer{Name: "a JSON string", Encode: func(s string) (string, error) {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s), nil
}}
