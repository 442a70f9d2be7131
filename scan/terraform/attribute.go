package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// attribute reads an attribute for scripts.
func (f *file) attribute(p place, name string, e hclsyntax.Expression) {
	if spoken(name) {
		f.forPeople(e)
		return
	}
	lang, known := languageFor(p, name)
	u := use{lang: lang, origin: p.origin(name)}
	switch {
	case known:
		f.script(e, u, 0)
	case f.looks:
		f.strings(e, u)
	}
}

// spoken reports whether an attribute is for people.
func spoken(name string) bool {
	switch name {
	case "description", "error_message", "comment", "condition":
		return true
	}
	return false
}

// forPeople hands over what nobody runs, if an address stands in it: no reader
// of lines is to take it for a command.
func (f *file) forPeople(e hclsyntax.Expression) {
	span := at(e.Range())
	if _, found := scan.FindTarget(f.text.Body[span.Start:span.End]); !found || f.read[span] != nil {
		return
	}
	f.read[span] = &outcome{}
	b := f.text.Within()
	b.Verbatim(span)
	f.facts.Texts = append(f.facts.Texts, b.Text(scan.Prose, scan.Layer{Name: "a text for people", Encode: unchanged}))
}

func unchanged(s string) (string, error) { return s, nil }

// languageFor returns what an attribute is written in, if its name tells.
func languageFor(p place, name string) (scan.Lang, bool) {
	lower := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	switch {
	case strings.Contains(lower, "user_data") || strings.Contains(lower, "userdata"), lower == "custom_data",
		lower == "content" && p.within("part"):
		return scan.CloudInit, true
	case p.within("provisioner local-exec", "provisioner remote-exec", "provisioner shell", "provisioner shell-local",
		"provisioner powershell", "provisioner windows-shell"):
		switch lower {
		case "inline", "command":
			return p.shell, true
		}
	case lower == "inline", lower == "command", lower == "program", strings.HasSuffix(lower, "commands"):
		return scan.Shell, true
	case strings.HasSuffix(lower, "yaml_body"), p.kind == "helm_release" && lower == "values":
		return scan.Kubernetes, true
	}
	return "", false
}

// strings reads the strings in an expression by their looks. A list that is a
// command or a script is read as a whole.
func (f *file) strings(e hclsyntax.Expression, u use) {
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.TupleConsExpr:
			if _, i := f.command(n.Exprs); i > 0 {
				f.script(n, u, 0)
			}
		case *hclsyntax.ObjectConsExpr:
			f.script(n, u, 0)
		case *hclsyntax.FunctionCallExpr:
			if n.Name == "join" || n.Name == "templatefile" {
				f.script(n, u, 0)
			}
		case *hclsyntax.TemplateExpr:
			f.script(n, u, 0)
		}
		return nil
	})
}

// item reads an item of an object, the key of which may tell what it is.
func (f *file) item(item hclsyntax.ObjectConsItem, u use, steps int, out *outcome) {
	key := keyOf(item.KeyExpr)
	if spoken(key) {
		f.forPeople(item.ValueExpr)
		f.read[at(item.ValueExpr.Range())] = &outcome{}
		return
	}
	if lang, known := languageFor(place{}, key); known {
		u.lang = lang
	}
	u.origin = append(u.origin[:len(u.origin):len(u.origin)], key)
	out.add(f.script(item.ValueExpr, u, steps+1))
}
