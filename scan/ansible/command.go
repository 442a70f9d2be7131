package ansible

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// shellCommand matches a command that hands a script to a shell.
var shellCommand = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(/\S*/)?(ba|da|k|z)?sh\s+(-\w+\s+)*-\w*c\s`) })

// command reads a command that no shell reads: its words are arguments.
func (p *playbook) command(t task, pair yaml.Pair) {
	if argv := pair.Value.Get("argv"); argv != nil {
		if inner := yaml.Command(argv.Items, t.name()); inner != nil {
			p.facts.Texts = append(p.facts.Texts, inner)
		}
		return
	}
	n := text(pair.Value, "cmd")
	switch {
	case !n.IsScalar() || n.Null():
	case shellCommand().MatchString(n.Value):
		p.script(n, scan.Shell, t.name())
	case !p.client(t, pair, n):
		p.arguments(t, n)
	}
}

// arguments yields a command as a line of shell that can be read only.
func (p *playbook) arguments(t task, n *yaml.Node) {
	c := yaml.Compose(p.text)
	c.Moustache(n, p.fill)
	words := c.Text(scan.Shell, n.Style.String(), t.name())
	b := words.Within()
	b.Verbatim(scan.Span{End: len(words.Body)})
	p.facts.Texts = append(p.facts.Texts, b.Text(scan.Shell, yaml.Arguments()))
}

// client reads a command that is one request by curl or wget, and reports
// whether it is.
func (p *playbook) client(t task, pair yaml.Pair, n *yaml.Node) bool {
	words := strings.Fields(p.str(n))
	if len(words) == 0 || path.Base(words[0]) != "curl" && path.Base(words[0]) != "wget" {
		return false
	}
	target, ok := onlyTarget(words)
	if !ok || target.Token() || strings.Contains(strings.ToLower(n.Value), "metadata-flavor") || target.Whose == scan.Other {
		return false
	}
	if strings.Contains(strings.ToLower(n.Value), tokenHeader) || strings.ContainsAny(n.Value, "\n@") {
		return false
	}
	f := scan.Finding{
		ID: "TG1001", Confidence: scan.Sure, At: n.Span(0, len(n.Value)),
		Evidence: []scan.Field{{Name: "request", Value: "GET " + target.Path}, {Name: "host", Value: target.Host}, {Name: "command", Value: path.Base(words[0])}},
	}
	switch {
	case p.afterFailedToken(t) || t.rescue:
		f.ID = "TG1002"
	case strings.Contains(n.Value, "%{http_code}"):
		f.ID = "TG1003"
	}
	if target.Whose == scan.Bare || !strings.Contains(n.Value, target.Host) {
		f.Confidence = scan.Likely
	}
	n.Take()
	f.Fix, f.Why = p.fixCommand(t, pair, n, target, f.ID)
	p.facts.Findings = append(p.facts.Findings, f)
	return true
}

// onlyTarget returns the target of the one word that has one.
func onlyTarget(words []string) (target scan.Target, ok bool) {
	for _, w := range words {
		w = strings.Trim(w, `"'`)
		if other, found := scan.FindTarget(w); found && !strings.HasPrefix(w, "-") {
			if ok {
				return scan.Target{}, false
			}
			target, ok = other, true
		}
	}
	return target, ok
}

// fixCommand puts a task before the command, and the token into its arguments,
// in a form without white space, which needs no quotes anywhere.
func (p *playbook) fixCommand(t task, pair yaml.Pair, n *yaml.Node, target scan.Target, id string) ([]scan.Splice, string) {
	if id == "TG1002" {
		return nil, whyBoth
	}
	register := p.free()
	module := strings.Replace(pair.Key.Str(), "command", "uri", 1)
	if !slices.Contains([]string{"uri", "ansible.builtin.uri", "ansible.legacy.uri"}, module) {
		return nil, whyOneLine
	}
	before, why := p.tokenTask(t, module, limits(n.Value), target.Host, register)
	if why != "" {
		return nil, why
	}
	name := strings.Fields(n.Value)[0]
	option := " -H "
	if path.Base(name) == "wget" {
		option = " --header="
	}
	after := strings.Index(n.Value, name) + len(name)
	at := n.Span(after-1, after)
	at.Start = at.End
	token, err := n.Encode(at, option+"X-aws-ec2-metadata-token:{{ "+register+".content | default('') }}")
	if err != nil {
		return nil, whyOneLine
	}
	return []scan.Splice{before, {At: at, Text: token}}, ""
}

// timeLimit matches how long a client waits at most.
var timeLimit = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\s(?:-m|--max-time|--connect-timeout|-T|--timeout)[ =]?([0-9]+)\b`)
})

// limits returns the options of the module uri that do what a client's do.
func limits(command string) (lines []string) {
	if m := timeLimit().FindStringSubmatch(command); m != nil {
		lines = append(lines, "timeout: "+m[1])
	}
	if strings.Contains(command, "--noproxy") || strings.Contains(command, "--no-proxy") {
		lines = append(lines, "use_proxy: false")
	}
	return lines
}
