package ansible

import (
	"cmp"
	"path"
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// A task is an item of a list of tasks.
type task struct {
	*yaml.Node
	seq *yaml.Node
	scope
}

// name is what the task is called, for people.
func (t task) name() string {
	if name := t.Get("name").Str(); name != "" {
		return "task " + name
	}
	return "task"
}

// task reads a task by its module.
func (p *playbook) task(t task) {
	if name := t.Get("name"); name.IsScalar() {
		p.facts.Texts = append(p.facts.Texts, yaml.ForPeople(name)...)
	}
	for _, pair := range t.Pairs {
		if m := module(pair.Key.Str()); m != "" {
			p.module(t, m, pair)
			return
		}
		if key := pair.Key.Str(); key == "action" || key == "local_action" {
			p.action(t, pair)
			return
		}
	}
}

// action reads a module that stands behind its key, with its options beside it
// or, as in "action: shell ls", in the same line.
func (p *playbook) action(t task, pair yaml.Pair) {
	if !pair.Value.IsScalar() {
		p.module(t, module(pair.Value.Get("module").Str()), pair)
		return
	}
	line := pair.Value.Value
	word, _, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
	options := strings.Index(line, word) + len(word)
	options += len(line[options:]) - len(strings.TrimLeft(line[options:], " "))
	switch m := module(word); m {
	case "shell", "raw":
		p.part(t, pair.Value, options, scan.Shell)
	case "command":
		p.part(t, pair.Value, options, "")
	case "win_shell":
		p.part(t, pair.Value, options, scan.PowerShell)
	case "uri", "win_uri", "get_url", "win_get_url":
		p.request(t, m, pair)
	}
}

// part yields what follows a module's name in a line. Without a language it is a
// command, which no shell reads.
func (p *playbook) part(t task, n *yaml.Node, from int, lang scan.Lang) {
	c := yaml.Compose(p.text)
	c.Moustache(n, p.fill)
	name := n.Value[:from]
	line := c.Text(cmp.Or(lang, scan.Shell), n.Style.String(), t.name())
	if !strings.HasPrefix(line.Body, name) {
		return
	}
	layer := scan.Layer{Name: "a line of options", Encode: oneLine}
	if lang == "" {
		layer = yaml.Arguments()
	}
	b := line.Within()
	b.Verbatim(scan.Span{Start: from, End: len(line.Body)})
	p.facts.Texts = append(p.facts.Texts, b.Text(line.Lang, layer))
}

// oneLine refuses what would end a line.
func oneLine(s string) (string, error) {
	if strings.Contains(s, "\n") {
		return "", yaml.ErrStyle
	}
	return s, nil
}

// module returns the name of a module without its collection; empty if it is
// none that is read here.
func module(key string) string {
	name := key[strings.LastIndexByte(key, '.')+1:]
	switch name {
	case "shell", "raw", "command", "win_shell", "win_command", "win_powershell", "uri", "win_uri", "get_url", "win_get_url",
		"cron", "copy", "win_copy", "blockinfile", "lineinfile", "ec2_instance", "ec2_launch_template", "ec2_lc", "autoscaling_launch_config", "ec2":
		return name
	}
	return ""
}

func (p *playbook) module(t task, m string, pair yaml.Pair) {
	switch m {
	case "shell", "raw":
		p.shell(t, pair.Value)
	case "command":
		p.command(t, pair)
	case "win_shell", "win_powershell":
		p.script(text(pair.Value, "script"), p.executable(t, pair.Value, scan.PowerShell), t.name())
	case "win_command":
		p.script(text(pair.Value, "cmd"), scan.Batch, t.name())
	case "uri", "win_uri", "get_url", "win_get_url":
		p.request(t, m, pair)
	case "cron":
		p.script(pair.Value.Get("job"), scan.Shell, t.name())
	case "copy", "win_copy", "blockinfile", "lineinfile":
		p.file(t, pair.Value)
	case "ec2_instance", "ec2_launch_template", "ec2_lc", "autoscaling_launch_config", "ec2":
		p.launch(m, pair)
	}
}

// text returns what a module runs: its free form, or an option.
func text(n *yaml.Node, option string) *yaml.Node {
	if n.Kind != yaml.Mapping {
		return n
	}
	for _, key := range []string{option, "cmd", "_raw_params"} {
		if v := n.Get(key); v != nil {
			return v
		}
	}
	return nil
}

// script yields a script in which Jinja is filled in.
func (p *playbook) script(n *yaml.Node, lang scan.Lang, origin ...string) {
	if !n.IsScalar() || n.Null() {
		return
	}
	c := yaml.Compose(p.text)
	c.Moustache(n, p.fill)
	p.facts.Texts = append(p.facts.Texts, c.Text(lang, n.Style.String(), origin...))
}

func (p *playbook) shell(t task, n *yaml.Node) {
	p.script(text(n, "cmd"), p.executable(t, n, scan.Shell), t.name())
}

// executable returns the language of the program that reads a script.
func (p *playbook) executable(t task, n *yaml.Node, otherwise scan.Lang) scan.Lang {
	for _, from := range []*yaml.Node{n.Get("executable"), t.Path("args", "executable")} {
		if from.IsScalar() {
			return scan.Script("#!"+from.Value, otherwise)
		}
	}
	if body := text(n, "cmd").Str(); strings.HasPrefix(body, "#!") {
		return scan.Script(body, otherwise)
	}
	return otherwise
}

// file reads a file that is written.
func (p *playbook) file(t task, n *yaml.Node) {
	name := n.Get("dest").Str()
	if name == "" {
		name = n.Get("path").Str()
	}
	for _, key := range []string{"content", "block", "line"} {
		content := n.Get(key)
		if lang := language(name, content.Str()); lang != "" {
			p.script(content, lang, t.name(), name)
		}
	}
}

// language returns what a file is written in, by its first line and its name;
// empty if nobody runs it.
func language(name, body string) scan.Lang {
	if lang := scan.Script(body, ""); lang != "" {
		return lang
	}
	if scan.IsCrontab(name) {
		return scan.Crontab
	}
	switch ext := path.Ext(name); ext {
	case ".sh":
		return scan.Shell
	case ".ps1":
		return scan.PowerShell
	case ".py":
		return scan.Python
	case ".rb":
		return scan.Ruby
	case ".service", ".timer":
		return scan.Systemd
	}
	if strings.HasPrefix(name, "/etc/profile.d/") || strings.HasPrefix(path.Base(name), ".bash") {
		return scan.Bash
	}
	if strings.Contains(name, "cloud.cfg") || strings.Contains(body, "#cloud-config") {
		return scan.CloudInit
	}
	return ""
}
