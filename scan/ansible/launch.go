package ansible

import (
	"strconv"

	"tegata/scan"
	"tegata/scan/yaml"
)

// launch reads a task that launches an instance, or makes a template for some.
//
// Source: https://docs.ansible.com/ansible/latest/collections/amazon/aws/ec2_instance_module.html
func (p *playbook) launch(m string, pair yaml.Pair) {
	options := pair.Value
	if options.Kind != yaml.Mapping {
		return
	}
	u := scan.Unit{Name: m, At: pair.Key.At}
	before := len(p.facts.Texts)
	p.script(options.Get("user_data"), scan.CloudInit, m, "user_data")
	u.Texts = append(u.Texts, p.facts.Texts[before:]...)
	launches := options.Get("image_id") != nil || options.Get("image") != nil
	if m != "ec2_instance" && m != "ec2_launch_template" || !launches || options.Get("launch_template") != nil {
		return // nothing is launched, or what decides is said elsewhere
	}
	u.Required, u.Settings = p.options(pair)
	p.facts.Units = append(p.facts.Units, u)
}

// options judges the metadata options of a task.
func (p *playbook) options(pair yaml.Pair) (*scan.Span, []scan.Finding) {
	o := pair.Value.Get("metadata_options")
	if p.str(o.Get("http_endpoint")) == "disabled" || o.IsScalar() && !o.Null() {
		return nil, nil
	}
	tokens := o.Get("http_tokens")
	switch value := p.str(tokens); {
	case tokens.Null():
		return nil, []scan.Finding{missing(pair, o)}
	case value == "required":
		at := tokens.At
		return &at, hops(o)
	case value == "optional":
		f := scan.Finding{ID: "TG1202", Confidence: scan.Sure, At: tokens.At, Evidence: []scan.Field{{Name: "setting", Value: "http_tokens: optional"}}}
		if tokens.Value != value {
			f.Why = "a variable decides"
		} else {
			f.Fix = []scan.Splice{{At: tokens.Inside(), Text: "required"}}
		}
		return nil, []scan.Finding{f}
	}
	return nil, nil
}

func missing(pair yaml.Pair, options *yaml.Node) scan.Finding {
	f := scan.Finding{ID: "TG1201", Confidence: scan.Sure, At: pair.Key.At, Evidence: []scan.Field{{Name: "setting", Value: "http_tokens"}}}
	to, entry := options, yaml.Entry{Key: "http_tokens", Word: "required"}
	if to == nil {
		to, entry = pair.Value, yaml.Entry{Key: "metadata_options", Entries: []yaml.Entry{entry}}
	}
	if splice, ok := to.Add(entry); ok {
		f.Fix = []scan.Splice{splice}
	} else {
		f.Why = "its options are not written in the file"
	}
	return f
}

// maxHops is as far as a container on a bridge of its own.
const maxHops = 2

func hops(options *yaml.Node) []scan.Finding {
	n := options.Get("http_put_response_hop_limit")
	if limit, err := strconv.Atoi(n.Str()); err != nil || limit <= maxHops {
		return nil
	}
	return []scan.Finding{{
		ID: "TG1203", Confidence: scan.Likely, At: n.At, Evidence: []scan.Field{{Name: "setting", Value: "http_put_response_hop_limit: " + n.Str()}},
		Why: "how far the answers must travel is not in the text",
	}}
}
