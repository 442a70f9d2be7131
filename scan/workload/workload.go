// Package workload reads what says which programs run where: Kubernetes'
// manifests, Compose files, and the workflows of services that build and deploy.
package workload

import (
	"slices"

	"tegata/scan"
	"tegata/scan/yaml"
)

// Detect reads a manifest, a Compose file or a workflow, by the text's language.
// Of what is no YAML before it is filled in, such as a chart's template, only
// the scripts are told, and if not even they can be made out, it goes to the
// detector of templates, line by line.
func Detect(t *scan.Text) scan.Facts {
	docs, err := yaml.Parse(t)
	if err == nil {
		return detect(t, docs)
	}
	if docs, err = yaml.ParseTemplate(t); err == nil && len(docs) > 0 {
		return scan.Facts{Texts: yaml.Unmasked(detect(docs[0].Around(), docs).Texts)}
	}
	return scan.Facts{Texts: []*scan.Text{yaml.Whole(t, scan.Template)}}
}

func detect(t *scan.Text, docs []*yaml.Node) scan.Facts {
	f := &file{text: t}
	for _, doc := range docs {
		switch t.Lang {
		case scan.Compose:
			f.compose(doc)
		case scan.Workflow:
			f.workflow(doc)
		default:
			f.manifest(doc)
		}
	}
	f.yield(yaml.Left(docs)...)
	return f.facts
}

// A file is read.
type file struct {
	text  *scan.Text
	facts scan.Facts
}

func (f *file) yield(texts ...*scan.Text) {
	for _, t := range texts {
		if t != nil {
			f.facts.Texts = append(f.facts.Texts, t)
		}
	}
}

// filler adds a scalar to a text, with what its reader fills in.
type filler func(*yaml.Composition, *yaml.Node)

// script yields a scalar as a script.
func (f *file) script(n *yaml.Node, lang scan.Lang, fill filler, origin ...string) {
	if n.IsScalar() && !n.Null() {
		c := yaml.Compose(f.text)
		fill(c, n)
		f.yield(c.Text(scan.Script(n.Value, lang), n.Style.String(), origin...))
	}
}

// arguments yields what a list of arguments runs.
func (f *file) arguments(args []*yaml.Node, fill filler, origin ...string) {
	if n, lang := yaml.Script(args); n != nil {
		f.script(n, lang, fill, origin...)
		return
	}
	f.yield(yaml.Command(args, origin...))
}

// lines yields a list of commands as one script. Lists in it are parts of it.
func (f *file) lines(n *yaml.Node, lang scan.Lang, fill filler, origin ...string) {
	c := yaml.Compose(f.text)
	for _, item := range flat(n) {
		if !item.IsScalar() || item.Null() {
			continue
		}
		fill(c, item)
		if body := c.Body(); body != "" && body[len(body)-1] != '\n' {
			c.MadeAfter(item, "\n")
		}
	}
	if body := c.Body(); body != "" {
		f.yield(c.Text(scan.Script(body, lang), "a list of commands", origin...))
	}
}

// flat returns the items of a list, and of the lists in it.
func flat(n *yaml.Node) (all []*yaml.Node) {
	for _, item := range n.List() {
		if item.Kind == yaml.Sequence && len(all) < 10_000 {
			all = append(all, flat(item)...)
		} else {
			all = append(all, item)
		}
	}
	return all
}

// first returns the first of some keys' values that is there.
func first(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		if v := n.Get(key); !v.Null() {
			return v
		}
	}
	return nil
}

// concat is a command with its arguments.
func concat(a, b *yaml.Node) []*yaml.Node { return slices.Concat(a.List(), b.List()) }
