package cloudformation

import (
	"slices"
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// function returns the name of the intrinsic function that a node calls, and
// its argument: "Sub" for both !Sub and Fn::Sub. The name is empty if it calls
// none.
func function(n *yaml.Node) (name string, argument *yaml.Node) {
	if n == nil {
		return "", nil
	}
	if short, ok := strings.CutPrefix(n.Tag, "!"); ok && isFunction(short) {
		return short, n
	}
	if n.Kind == yaml.Mapping && len(n.Pairs) == 1 {
		key := n.Pairs[0].Key.Str()
		long, ok := strings.CutPrefix(key, "Fn::")
		if ok || key == "Ref" || key == "Condition" {
			return long, n.Pairs[0].Value
		}
	}
	return "", nil
}

func isFunction(name string) bool {
	return slices.Contains([]string{"Base64", "Cidr", "Condition", "FindInMap", "GetAtt", "GetAZs", "If", "ImportValue", "Join",
		"Ref", "Select", "Split", "Sub", "Transform", "ToJsonString", "Length"}, name)
}

// A value is what a node comes to, as a composition.
type value struct {
	stack *stack
	out   *yaml.Composition
	depth int
}

// maxDepth bounds functions within functions.
const maxDepth = 50

// script returns the text that a node comes to, one for each branch if it is a
// choice; none if it is nothing that a program could read.
func (s *stack) script(n *yaml.Node, lang scan.Lang, origin ...string) []*scan.Text {
	if n.Null() {
		return nil
	}
	switch name, arg := function(n); name {
	case "Base64":
		if n.Tag == "" || n.Kind != yaml.Scalar {
			return s.script(inner(n, arg), lang, origin...)
		}
	case "If":
		var all []*scan.Text
		for _, branch := range branches(arg) {
			all = append(all, s.script(branch, lang, origin...)...)
		}
		return all
	}
	v := &value{stack: s, out: yaml.Compose(s.text)}
	v.add(n)
	body := v.out.Body()
	if strings.TrimSpace(body) == "" || body == scan.Unknown {
		return nil
	}
	if lang == "" {
		lang = scan.Script(body, scan.Shell)
	}
	return []*scan.Text{v.out.Text(lang, v.name(n), origin...)}
}

// inner returns what a short form such as !Base64 applies to, if that is a
// function in its long form.
func inner(n, arg *yaml.Node) *yaml.Node {
	if n != arg {
		return arg
	}
	bare := *n
	bare.Tag = ""
	return &bare
}

// name is what the text stands in, for people.
func (v *value) name(n *yaml.Node) string {
	switch name, arg := function(n); {
	case name == "" && n.IsScalar():
		return n.Style.String()
	case name == "Base64" && n != arg:
		return v.name(arg)
	case name == "Base64":
		return v.name(inner(n, arg))
	default:
		return "Fn::" + name
	}
}

// branches returns what a choice chooses from: both, or one if they are the
// same node.
func branches(arg *yaml.Node) []*yaml.Node {
	if arg == nil || arg.Kind != yaml.Sequence || len(arg.Items) != 3 {
		return nil
	}
	return arg.Items[1:]
}

// add adds what a node comes to.
func (v *value) add(n *yaml.Node) {
	if v.depth++; v.depth > maxDepth || n == nil {
		return
	}
	defer func() { v.depth-- }()
	name, arg := function(n)
	switch {
	case name == "" && n.IsScalar():
		v.out.Scalar(n)
	case name == "Base64":
		v.add(inner(n, arg))
	case name == "Sub":
		v.substitute(arg)
	case name == "Join" && arg.Kind == yaml.Sequence && len(arg.Items) == 2:
		v.join(arg.Items[0].Str(), arg.Items[1])
	case name == "If":
		v.choose(branches(arg))
	default:
		if text := v.stack.known(n); text != "" {
			v.out.Filled(n, text)
		}
	}
}

// join adds what the items come to, with the delimiter between them.
func (v *value) join(delimiter string, items *yaml.Node) {
	if items.Kind != yaml.Sequence || items.Tag != "" {
		v.out.Filled(items, scan.Unknown)
		return
	}
	for i, item := range items.Items {
		if i > 0 && delimiter != "" {
			v.out.Made(item, delimiter)
		}
		v.add(item)
	}
}

// choose adds both branches of a choice if they are whole lines, else the first
// that is anything.
func (v *value) choose(branches []*yaml.Node) {
	for _, b := range branches {
		before := len(v.out.Body())
		v.add(b)
		if added := v.out.Body()[before:]; added != "" && !strings.HasSuffix(added, "\n") {
			return
		}
	}
}

// substitute adds what Fn::Sub makes of a string: ${Name} is filled in, and
// ${!Name} is ${Name}.
func (v *value) substitute(arg *yaml.Node) {
	text, values := arg, (*yaml.Node)(nil)
	if arg.Kind == yaml.Sequence && len(arg.Items) == 2 {
		text, values = arg.Items[0], arg.Items[1]
	}
	if !text.IsScalar() {
		return
	}
	body, at := text.Value, 0
	for {
		start, end, ok := nextVariable(body, at)
		if !ok {
			break
		}
		v.out.Part(text, at, start, escapeSub)
		name := body[start+len("${") : end-len("}")]
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			v.out.Decoded(text, start, end, "${"+literal+"}", escapeSub)
		} else {
			v.out.Decoded(text, start, end, v.variable(strings.TrimSpace(name), values), escapeSub)
		}
		at = end
	}
	v.out.Part(text, at, len(body), escapeSub)
}

// nextVariable finds the next ${…} from an offset on.
func nextVariable(body string, from int) (start, end int, ok bool) {
	i := strings.Index(body[from:], "${")
	if i < 0 {
		return 0, 0, false
	}
	start = from + i
	j := strings.IndexByte(body[start:], '}')
	if j < 0 {
		return 0, 0, false
	}
	return start, start + j + 1, true
}

// escapeSub writes s for Fn::Sub.
func escapeSub(s string) string { return strings.ReplaceAll(s, "${", "${!") }

// variable returns what ${name} stands for.
func (v *value) variable(name string, values *yaml.Node) string {
	given := values.Get(name)
	if given == nil {
		return v.stack.parameter(name)
	}
	inner := &value{stack: v.stack, out: yaml.Compose(v.stack.text), depth: v.depth}
	inner.add(given)
	if body := inner.out.Body(); body != "" {
		return body
	}
	return scan.Unknown
}

// known returns what a node comes to that is no text of the template.
func (s *stack) known(n *yaml.Node) string {
	name, arg := function(n)
	if (name == "Ref" || name == "") && arg.IsScalar() {
		return s.parameter(arg.Value)
	}
	return scan.Unknown
}

// parameter returns the default of a parameter.
func (s *stack) parameter(name string) string {
	if name == "AWS::NoValue" {
		return ""
	}
	if d := s.root.Path("Parameters", name, "Default"); d.IsScalar() && d.Value != "" && !s.looked(name) {
		return d.Value
	}
	return scan.Unknown
}

// looked reports whether a parameter's default is the name of one of Systems
// Manager's, whose value it has.
func (s *stack) looked(name string) bool {
	return strings.HasPrefix(s.root.Path("Parameters", name, "Type").Str(), "AWS::SSM::Parameter::Value")
}
