package ansible

import (
	"cmp"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// tokenHeader carries the token.
const tokenHeader = "x-aws-ec2-metadata-token"

// A request is a task that sends one.
type request struct {
	task
	module  string
	pair    yaml.Pair
	options *yaml.Node // a mapping, or the free form key=value
	url     *yaml.Node
	target  scan.Target
}

// request reads a task that sends a request.
func (p *playbook) request(t task, m string, pair yaml.Pair) {
	r := request{task: t, module: m, pair: pair, options: pair.Value}
	address := ""
	defer func() { r.url.Take() }()
	if r.options.Kind == yaml.Mapping {
		r.url = r.options.Get("url")
		address = p.str(r.url)
	} else {
		r.url = r.options
		address = word(p.str(r.options), "url")
	}
	var ok bool
	if r.target, ok = scan.FindTarget(address); !ok || r.target.Whose == scan.Other || r.target.Token() {
		return
	}
	if header := p.headers(r); header == "token" || header == "other" {
		return
	}
	p.facts.Findings = append(p.facts.Findings, p.finding(r))
}

// word returns the value of key=value in the free form of a module.
func word(s, key string) string {
	for _, f := range strings.Fields(s) {
		if value, ok := strings.CutPrefix(f, key+"="); ok {
			return strings.Trim(value, `"'`)
		}
	}
	return ""
}

// headers tells whose headers a request sends: "token", those of another cloud,
// "unknown" ones, or none that matter.
func (p *playbook) headers(r request) string {
	n := r.options.Get("headers")
	if n == nil {
		n = r.Path("args", "headers")
	}
	if n.IsScalar() {
		switch lower := strings.ToLower(n.Value); {
		case strings.Contains(lower, "token"):
			return "token"
		case strings.Contains(n.Value, "{{"):
			return "unknown"
		}
		return ""
	}
	if n == nil {
		return ""
	}
	for _, pair := range n.Pairs {
		switch name := strings.ToLower(pair.Key.Str()); {
		case name == tokenHeader:
			return "token"
		case name == "metadata", name == "metadata-flavor", name == "x-google-metadata-request", strings.HasPrefix(name, "authorization"):
			return "other"
		}
	}
	return ""
}

// finding tells of a request without a token.
func (p *playbook) finding(r request) scan.Finding {
	f := scan.Finding{
		ID: "TG1001", Confidence: scan.Sure,
		At: scan.Span{Start: r.pair.Key.At.Start, End: max(r.pair.Key.At.End, r.url.At.End)},
		Evidence: []scan.Field{
			{Name: "request", Value: r.method() + " " + r.target.Path}, {Name: "host", Value: r.target.Host}, {Name: "command", Value: r.module},
		},
	}
	if !strings.Contains(r.url.Value, r.target.Host) {
		f.Confidence = scan.Likely
		f.Evidence = append(f.Evidence, scan.Field{Name: "constant", Value: r.url.Value})
	}
	if r.target.Whose == scan.Bare {
		f.Confidence = scan.Likely
	}
	switch {
	case r.rescue || p.afterFailedToken(r.task):
		f.ID = "TG1002"
	case r.probe():
		f.ID = "TG1003"
	}
	f.Fix, f.Why = p.fix(r)
	return f
}

func (r request) method() string {
	return strings.ToUpper(cmp.Or(r.options.Get("method").Str(), word(r.options.Str(), "method"), "GET"))
}

// failure matches a condition that a task has failed, or was left out.
var failure = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(\w+)[\w.]*\s*(?:is\s+(?:failed|undefined|skipped|not\s+\w+)|!=\s*200)|not\s+(\w+)`)
})

// afterFailedToken reports whether a task runs only if there is no token.
func (p *playbook) afterFailedToken(t task) bool {
	for _, condition := range t.Get("when").List() {
		for _, m := range failure().FindAllStringSubmatch(condition.Str(), -1) {
			name := m[1] + m[2]
			if p.tokens[name] || strings.Contains(strings.ToLower(name), "token") {
				return true
			}
		}
	}
	return false
}

// probe reports whether only the status of the answer counts, and any will do.
func (r request) probe() bool {
	if r.module != "uri" && r.module != "win_uri" || truth(r.options.Get("return_content")) {
		return false
	}
	if strings.Contains(strings.ToLower(word(r.options.Str(), "return_content")), "y") {
		return false
	}
	return no(r.Get("failed_when")) || truth(r.Get("ignore_errors")) || len(r.options.Get("status_code").List()) > 1
}

func truth(n *yaml.Node) bool {
	switch strings.ToLower(n.Str()) {
	case "true", "yes", "on", "1":
		return true
	}
	return false
}

func no(n *yaml.Node) bool {
	switch strings.ToLower(n.Str()) {
	case "false", "no", "off", "0":
		return true
	}
	return false
}
