// Package ansible reads playbooks, and files of tasks, handlers and variables:
// the requests that modules send, the scripts that they run, and the metadata
// options of instances that they launch.
//
// Sources: https://docs.ansible.com/ansible/latest/reference_appendices/playbooks_keywords.html,
// https://docs.ansible.com/ansible/latest/collections/ansible/builtin/uri_module.html
package ansible

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// Detect reads a file of Ansible's. What is no YAML goes to the detector of
// templates, line by line.
func Detect(t *scan.Text) scan.Facts {
	docs, err := yaml.Parse(t)
	if err != nil {
		return scan.Facts{Texts: []*scan.Text{yaml.Whole(t, scan.Template)}}
	}
	p := &playbook{text: t, variables: map[string]string{}, tokens: map[string]bool{}}
	for _, doc := range docs {
		p.constants(doc)
	}
	for _, doc := range docs {
		p.list(doc, nil, scope{handler: strings.Contains("/"+t.Path, "/handlers/")})
		p.lookups(doc)
	}
	p.facts.Texts = append(p.facts.Texts, yaml.Left(docs)...)
	return p.facts
}

// A playbook is a file that is read.
type playbook struct {
	text      *scan.Text
	variables map[string]string // by name; of all scopes
	tokens    map[string]bool   // what tasks that ask for a token register
	facts     scan.Facts
}

// constants collects the variables that the file gives a string, and those that
// hold tokens.
func (p *playbook) constants(doc *yaml.Node) {
	for n := range doc.All() {
		if name := n.Get("register"); name.IsScalar() && asksForToken(n) {
			p.tokens[name.Value] = true
		}
		for _, pair := range n.Pairs {
			switch pair.Key.Str() {
			case "vars", "set_fact", "ansible.builtin.set_fact":
				p.define(pair.Value)
			}
		}
	}
	if doc.Kind == yaml.Mapping {
		p.define(doc) // a file of variables
	}
}

func (p *playbook) define(vars *yaml.Node) {
	for _, pair := range vars.Pairs {
		if v := pair.Value; v.IsScalar() && !v.Null() {
			p.variables[pair.Key.Str()] = v.Value
		}
	}
}

// maxDepth bounds variables of variables.
const maxDepth = 5

// fill returns what an expression comes to: a variable of the file, or its
// default.
func (p *playbook) fill(expression string) string { return p.filled(expression, 0) }

func (p *playbook) filled(expression string, depth int) string {
	name, filters, _ := strings.Cut(expression, "|")
	value, ok := p.variables[strings.TrimSpace(name)]
	if !ok || depth > maxDepth {
		if m := fallback().FindStringSubmatch(filters); m != nil {
			if _, found := scan.FindTarget(m[1]); found {
				return m[1]
			}
		}
		return scan.Unknown
	}
	return p.expand(value, depth+1)
}

// fallback matches the default of a variable.
var fallback = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(?:default|d)\(\s*['"]([^'"]*)['"]`) })

// expand fills in a string.
func (p *playbook) expand(s string, depth int) string {
	var b strings.Builder
	for at := 0; at < len(s); {
		end, expression := yaml.Tag(s, at)
		if end == at {
			b.WriteByte(s[at])
			at++
			continue
		}
		if expression != "" {
			b.WriteString(p.filled(expression, depth))
		}
		at = end
	}
	return b.String()
}

// str returns a scalar's value, filled in.
func (p *playbook) str(n *yaml.Node) string { return p.expand(n.Str(), 0) }

// A scope is what surrounds a task.
type scope struct {
	handler bool // it runs only when it is notified
	rescue  bool // it runs only when a request with a token has failed
}

// list reads plays, tasks, and what holds tasks. The sequence is that of the
// tasks, if they are one.
func (p *playbook) list(n, seq *yaml.Node, s scope) {
	switch n.Kind {
	case yaml.Sequence:
		for _, item := range n.Items {
			p.list(item, n, s)
		}
	case yaml.Mapping:
		if seq != nil && n.Get("hosts") == nil {
			p.task(task{Node: n, seq: seq, scope: s})
		}
		p.within(n, s)
	}
}

// within reads the lists of tasks in a play or a block.
func (p *playbook) within(n *yaml.Node, s scope) {
	for _, pair := range n.Pairs {
		inner := s
		switch key := pair.Key.Str(); key {
		case "tasks", "pre_tasks", "post_tasks", "block", "always":
		case "handlers":
			inner.handler = true
		case "rescue":
			inner.rescue = asksForToken(n.Get("block"))
		default:
			continue
		}
		if pair.Value.Kind == yaml.Sequence {
			p.list(pair.Value, nil, inner)
		}
	}
}

// asksForToken reports whether tasks ask for a token of the metadata service.
func asksForToken(block *yaml.Node) bool {
	for n := range block.All() {
		if strings.Contains(n.Str(), scan.TokenPath) {
			return true
		}
	}
	return false
}
