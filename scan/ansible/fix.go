package ansible

import (
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// Why a request is not rewritten.
const (
	whyOneLine = "the options of the module stand on one line"
	whyHandler = "a handler runs only when it is notified, and a task before it never would"
	whyLoop    = "the task is run in a loop whose items decide whether it runs"
	whyHeaders = "the headers are filled in later"
	whyBoth    = "the request is for when there is no token, and then fails: take it out"
)

// fix puts a task before the request that asks for a token, and the token into
// the request's headers. Conditions and what is done about failures are those of
// the request, so that it fails where it did.
func (p *playbook) fix(r request) ([]scan.Splice, string) {
	switch {
	case r.rescue || p.afterFailedToken(r.task):
		return nil, whyBoth
	case r.options.Kind != yaml.Mapping || r.options.Flow:
		return nil, whyOneLine
	case r.options.Get("headers").IsScalar(), r.options.Get("headers") == nil && r.Path("args", "headers") != nil:
		return nil, whyHeaders
	}
	register := p.free()
	header, ok := addHeader(r.options, register)
	module := strings.Replace(r.pair.Key.Str(), "get_url", "uri", 1)
	before, why := p.tokenTask(r.task, module, p.limits(r.options), r.target.Host, register)
	if !ok {
		why = whyOneLine
	}
	if why != "" {
		return nil, why
	}
	return []scan.Splice{before, header}, ""
}

func (t task) loops() bool {
	for _, p := range t.Pairs {
		if key := p.Key.Str(); key == "loop" || strings.HasPrefix(key, "with_") {
			return true
		}
	}
	return false
}

// free returns a name that the file doesn't use.
func (p *playbook) free() string {
	for _, name := range []string{"imds_token", "imds_session_token", "ec2_imds_token"} {
		if !strings.Contains(p.text.Body, name) {
			return name
		}
	}
	return "tegata_imds_token"
}

// addHeader puts the token into the headers.
func addHeader(options *yaml.Node, register string) (scan.Splice, bool) {
	header := yaml.Entry{Key: "X-aws-ec2-metadata-token", Word: `"{{ ` + register + `.content | default('') }}"`}
	if headers := options.Get("headers"); !headers.Null() {
		if headers.Flow {
			return scan.Splice{}, false
		}
		return headers.Add(header)
	}
	return options.Add(yaml.Entry{Key: "headers", Entries: []yaml.Entry{header}})
}

// tokenTask returns the splice that puts a task before another one: it asks a
// host for a token, with options of the module.
func (p *playbook) tokenTask(t task, module string, options []string, host, register string) (scan.Splice, string) {
	switch {
	case t.handler:
		return scan.Splice{}, whyHandler
	case t.Flow || t.seq.Flow:
		return scan.Splice{}, whyOneLine
	case t.loops() && strings.Contains(t.Get("when").Str(), "item"):
		return scan.Splice{}, whyLoop
	}
	lines := []string{
		"name: Ask for a token of the instance metadata service",
		module + ":",
		"  url: http://" + authority(host) + scan.TokenPath,
		"  method: PUT",
		"  headers:",
		`    X-aws-ec2-metadata-token-ttl-seconds: "` + t.lifetime() + `"`,
		"  return_content: true",
	}
	for _, option := range options {
		lines = append(lines, "  "+option)
	}
	lines = append(lines, "register: "+register)
	lines = append(lines, p.carried(t, register)...)
	newline := "\n"
	if strings.Contains(p.text.Body, "\r\n") {
		newline = "\r\n"
	}
	dash := strings.LastIndexByte(p.text.Body[:t.At.Start], '-')
	text := "-" + strings.Repeat(" ", max(t.Column-t.seq.Column-1, 1)) +
		strings.Join(lines, newline+strings.Repeat(" ", t.Column)) + newline + strings.Repeat(" ", t.seq.Column)
	return scan.Splice{At: scan.Span{Start: dash, End: dash}, Text: text}, ""
}

// limits returns the options of a request that bound it.
func (p *playbook) limits(options *yaml.Node) (lines []string) {
	for _, key := range []string{"timeout", "use_proxy"} {
		if v := options.Get(key); v.IsScalar() {
			lines = append(lines, key+": "+p.source(v))
		}
	}
	return lines
}

// lifetime is how many seconds the token must last: as long as it can where the
// task is repeated.
func (t task) lifetime() string {
	if t.loops() || t.Get("until") != nil || t.Get("retries") != nil {
		return "21600"
	}
	return "300"
}

func authority(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// carried returns the keywords of the request's task that hold for the token's,
// too.
func (p *playbook) carried(t task, register string) (lines []string) {
	for _, pair := range t.Pairs {
		switch key := pair.Key.Str(); key {
		case "when", "delegate_to", "become", "become_user", "run_once", "connection", "tags", "ignore_errors",
			"ignore_unreachable", "environment", "check_mode", "no_log", "retries", "delay", "vars":
			lines = append(lines, p.lines(pair)...)
		case "until":
			lines = append(lines, "until: "+register+" is succeeded")
		case "failed_when":
			if no(pair.Value) {
				lines = append(lines, p.lines(pair)...)
			}
		}
	}
	return lines
}

// lines returns a pair as it is written, without its indentation.
func (p *playbook) lines(pair yaml.Pair) []string {
	if pair.Value.At.Start < pair.Key.At.Start {
		return []string{pair.Key.Str() + ": " + p.source(pair.Value)} // an alias
	}
	lines := strings.Split(p.text.Body[pair.Key.At.Start:pair.Value.At.End], "\n")
	head := p.text.Body[strings.LastIndexByte(p.text.Body[:pair.Key.At.Start], '\n')+1 : pair.Key.At.Start]
	for i, line := range lines {
		line = strings.TrimRight(line, "\r")
		lines[i] = strings.TrimPrefix(line, strings.Repeat(" ", len(head)))
	}
	return lines
}

func (p *playbook) source(n *yaml.Node) string { return p.text.Body[n.At.Start:n.At.End] }
