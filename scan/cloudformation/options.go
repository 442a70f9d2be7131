package cloudformation

import (
	"strconv"

	"tegata/scan"
	"tegata/scan/yaml"
)

// Metadata options of instances, as EC2 has them.
//
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ec2-launchtemplate-metadataoptions.html
type options struct {
	stack      *stack
	head       *yaml.Node // of the resource, where findings about what is missing stand
	home       *yaml.Node // the mapping that has, or is to have, the options
	node       *yaml.Node
	containers bool
	elsewhere  bool // what is not said here, a template says
}

// hopsOfContainers is how far the answer must travel to reach a container on a
// bridge of its own; maxHops is where it can leave the instance for no reason.
const (
	hopsOfContainers = 2
	maxHops          = 2
)

// judge returns the setting that demands tokens, and what is wrong with the
// options.
func (o options) judge() (required *scan.Span, findings []scan.Finding) {
	if o.node == nil {
		if o.elsewhere {
			return nil, nil
		}
		return nil, []scan.Finding{o.missing()}
	}
	if name, _ := function(o.node); name != "" && name != "If" {
		return nil, nil
	}
	if o.node.Kind != yaml.Mapping || off(o.stack.values(o.node.Get("HttpEndpoint"))) {
		return nil, nil
	}
	if f, ok := o.hops(); ok {
		findings = append(findings, f)
	}
	tokens, f, wrong := o.tokens()
	if wrong {
		return nil, append(findings, f)
	}
	return tokens, findings
}

func off(values []*yaml.Node) bool { return len(values) == 1 && values[0].Str() == "disabled" }

// values returns the nodes that decide what a property is: itself, the default
// of its parameter, both branches of a choice; none if nothing in the template
// does.
func (s *stack) values(n *yaml.Node) []*yaml.Node {
	name, arg := function(n)
	switch {
	case n.Null():
		return nil
	case name == "" && n.IsScalar():
		return []*yaml.Node{n}
	case name == "Ref" && arg.IsScalar():
		if d := s.root.Path("Parameters", arg.Value, "Default"); d.IsScalar() && !s.looked(arg.Value) {
			return []*yaml.Node{d}
		}
	case name == "If":
		var all []*yaml.Node
		for _, b := range branches(arg) {
			if len(all) < maxDepth {
				all = append(all, s.values(b)...)
			}
		}
		return all
	}
	return nil
}

// tokens judges HttpTokens.
func (o options) tokens() (required *scan.Span, f scan.Finding, wrong bool) {
	n := o.node.Get("HttpTokens")
	if n.Null() {
		return nil, o.missing(), true
	}
	values := o.stack.values(n)
	for _, v := range values {
		if v.Str() == "optional" {
			return nil, o.optional(n, v, len(values) > 1), true
		}
	}
	if len(values) == 0 {
		return nil, scan.Finding{}, false
	}
	at := n.At
	return &at, scan.Finding{}, false
}

// optional is TG1202, at the value that says so.
func (o options) optional(property, v *yaml.Node, choice bool) scan.Finding {
	f := scan.Finding{ID: "TG1202", Confidence: scan.Sure, At: property.At, Evidence: []scan.Field{{Name: "setting", Value: "HttpTokens: optional"}}}
	if v != property {
		f.Evidence = append(f.Evidence, scan.Field{Name: "constant", Value: decides(property)})
	}
	if choice {
		f.Confidence = scan.Likely
	}
	text, err := v.Encode(v.Inside(), "required")
	if err != nil || !o.stack.allows(property, "required") {
		f.Why = "the parameter does not allow it"
		return f
	}
	f.Fix = []scan.Splice{{At: v.Inside(), Text: text}}
	return f
}

// decides names what a property's value comes from: a parameter, a choice.
func decides(property *yaml.Node) string {
	name, arg := function(property)
	if name == "Ref" {
		return "parameter " + arg.Str()
	}
	return "Fn::" + name
}

// allows reports whether a property's parameter, if it has one, may be that.
func (s *stack) allows(property *yaml.Node, value string) bool {
	name, arg := function(property)
	if name != "Ref" || !arg.IsScalar() {
		return true
	}
	allowed := s.root.Path("Parameters", arg.Value, "AllowedValues").List()
	for _, a := range allowed {
		if a.Str() == value {
			return true
		}
	}
	return len(allowed) == 0
}

// missing is TG1201: nothing in the template demands tokens.
func (o options) missing() scan.Finding {
	f := scan.Finding{ID: "TG1201", Confidence: scan.Sure, At: o.head.At, Evidence: []scan.Field{{Name: "setting", Value: "HttpTokens"}}}
	entry := yaml.Entry{Key: "HttpTokens", Word: "required"}
	to := o.node
	if to == nil {
		to = o.home
		entry = yaml.Entry{Key: "MetadataOptions", Entries: []yaml.Entry{entry}}
		if o.containers {
			entry.Entries = append(entry.Entries, yaml.Entry{Key: "HttpPutResponseHopLimit", Number: hopsOfContainers})
		}
	}
	name, _ := function(to)
	splice, ok := to.Add(entry)
	if name != "" || !ok {
		f.Why = "its properties are not written in the template"
		return f
	}
	f.Fix = []scan.Splice{splice}
	return f
}

// hops judges HttpPutResponseHopLimit, whose default is 1.
func (o options) hops() (scan.Finding, bool) {
	n := o.node.Get("HttpPutResponseHopLimit")
	f := scan.Finding{ID: "TG1203", Confidence: scan.Likely, At: o.head.At}
	if n.Null() {
		if !o.containers {
			return f, false
		}
		f.Evidence = []scan.Field{{Name: "setting", Value: "HttpPutResponseHopLimit"}}
		if splice, ok := o.node.Add(yaml.Entry{Key: "HttpPutResponseHopLimit", Number: hopsOfContainers}); ok {
			f.Fix = []scan.Splice{splice}
		}
		return f, true
	}
	values := o.stack.values(n)
	if len(values) != 1 {
		return f, false
	}
	limit, err := strconv.Atoi(values[0].Str())
	f.At = n.At
	f.Evidence = []scan.Field{{Name: "setting", Value: "HttpPutResponseHopLimit: " + values[0].Str()}}
	switch {
	case err != nil, limit >= hopsOfContainers && limit <= maxHops, limit < hopsOfContainers && !o.containers:
		return f, false
	case limit > maxHops:
		f.Why = "how far the answers must travel is not in the text"
	default:
		at := values[0].Inside()
		f.Fix = []scan.Splice{{At: at, Text: strconv.Itoa(hopsOfContainers)}}
	}
	return f, true
}
