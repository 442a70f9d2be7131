package cloudformation

import (
	"encoding/json"

	"tegata/scan"
	"tegata/scan/yaml"
)

// policies yields the IAM policies below a node, as the JSON that is made of
// them.
func (s *stack) policies(n *yaml.Node, depth int) {
	if n == nil || depth > maxDepth {
		return
	}
	for _, item := range n.Items {
		s.policies(item, depth+1)
	}
	for _, p := range n.Pairs {
		if p.Key.Str() == "Statement" && isStatement(p.Value) {
			b := s.text.Within()
			s.encode(b, n, 0)
			s.yield(b.Text(scan.IAM, scan.Layer{Name: "a template's policy"}, "policy"))
			return
		}
		s.policies(p.Value, depth+1)
	}
}

// isStatement reports whether a node is a statement of a policy or a list of
// some.
func isStatement(n *yaml.Node) bool {
	if n != nil && n.Kind == yaml.Sequence && len(n.Items) > 0 {
		n = n.Items[0]
	}
	return n.Path("Effect").IsScalar()
}

// encode writes a node as JSON, and what functions come to in it as far as that
// is known.
func (s *stack) encode(out *scan.Builder, n *yaml.Node, depth int) {
	name, _ := function(n)
	switch {
	case depth > maxDepth:
		out.Made(n.At.Start, `"`+scan.Unknown+`"`)
	case n.Kind == yaml.Mapping && name == "":
		out.Made(n.At.Start, "{")
		for i, p := range n.Pairs {
			if i > 0 {
				out.Made(p.Key.At.Start, ", ")
			}
			out.Made(p.Key.At.Start, quoted(p.Key.Str())+": ")
			s.encode(out, p.Value, depth+1)
		}
		out.Made(n.At.End, "}")
	case n.Kind == yaml.Sequence && name == "":
		out.Made(n.At.Start, "[")
		for i, item := range n.Items {
			if i > 0 {
				out.Made(item.At.Start, ", ")
			}
			s.encode(out, item, depth+1)
		}
		out.Made(n.At.End, "]")
	default:
		v := value{stack: s, out: yaml.Compose(s.text)}
		v.add(n)
		out.Decoded(n.At, quoted(v.out.Body()))
	}
}

func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""` // a string has a JSON form
	}
	return string(text)
}
