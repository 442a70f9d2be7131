package ansible

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// lookup matches a look-up by an address or a command, up to its argument.
var lookup = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\b(?:lookup|query|q)\(\s*['"](?:ansible\.builtin\.)?(url|pipe)['"]\s*,\s*(?:'([^'\n]*)'|"([^"\n]*)"|([\w.]+))`)
})

// lookups finds what is asked for while values are filled in.
//
// Source: https://docs.ansible.com/ansible/latest/collections/ansible/builtin/url_lookup.html
func (p *playbook) lookups(doc *yaml.Node) {
	for n := range doc.All() {
		if !n.IsScalar() || !strings.Contains(n.Value, "(") {
			continue
		}
		for _, m := range lookup().FindAllStringSubmatchIndex(n.Value, -1) {
			p.lookup(n, m)
		}
	}
}

// lookup judges one look-up, whose parts lie at the offsets that the pattern
// has matched.
func (p *playbook) lookup(n *yaml.Node, m []int) {
	kind := n.Value[m[2]:m[3]]
	start, end, name := m[4], m[5], ""
	switch {
	case start >= 0:
	case m[6] >= 0:
		start, end = m[6], m[7]
	default:
		start, end = m[8], m[9]
		name = n.Value[start:end]
	}
	if kind == "pipe" {
		if name == "" {
			b := n.Text(scan.Template).Within()
			b.Verbatim(scan.Span{Start: start, End: end})
			p.facts.Texts = append(p.facts.Texts, b.Text(scan.Shell, scan.Layer{Name: "a string of Jinja", Encode: quotable}, "lookup"))
		}
		return
	}
	n.Take()
	address := n.Value[start:end]
	if name != "" {
		address = p.filled(name, 0)
	}
	target, ok := scan.FindTarget(address)
	if !ok || target.Whose == scan.Other || target.Token() || strings.Contains(strings.ToLower(rest(n.Value[end:])), "token") {
		return
	}
	f := scan.Finding{
		ID: "TG1001", Confidence: scan.Sure, At: n.Span(m[0], end),
		Evidence: []scan.Field{{Name: "request", Value: "GET " + target.Path}, {Name: "host", Value: target.Host}, {Name: "command", Value: "lookup url"}},
		Why:      "a look-up can't ask for a token: use a task with uri",
	}
	if name != "" || target.Whose == scan.Bare {
		f.Confidence = scan.Likely
	}
	p.facts.Findings = append(p.facts.Findings, f)
}

// rest returns what is left of a call.
func rest(s string) string {
	call, _, _ := strings.Cut(s, "}}")
	return call
}

// quotable refuses what would end a string of Jinja.
func quotable(s string) (string, error) {
	if strings.ContainsAny(s, "'\"\\\n{}") {
		return "", yaml.ErrStyle
	}
	return s, nil
}
