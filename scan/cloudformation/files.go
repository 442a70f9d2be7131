package cloudformation

import (
	"path"
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// initialisation reads what cfn-init does to an instance: its files and
// commands.
//
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-init.html
func (s *stack) initialisation(r resource) (texts []*scan.Text) {
	init := r.metadata.Get("AWS::CloudFormation::Init")
	if init == nil {
		return nil
	}
	for _, config := range init.Pairs {
		texts = append(texts, s.config(r, config.Value)...)
	}
	return texts
}

// config reads one set of files and commands.
func (s *stack) config(r resource, config *yaml.Node) (texts []*scan.Text) {
	if files := config.Get("files"); files != nil {
		for _, f := range files.Pairs {
			texts = append(texts, s.file(r, f)...)
		}
	}
	for _, key := range []string{"commands", "container_commands"} {
		if commands := config.Get(key); commands != nil {
			for _, c := range commands.Pairs {
				texts = append(texts, s.command(r, c)...)
			}
		}
	}
	return texts
}

// beanstalk reads a configuration file of Elastic Beanstalk, if the node is
// one: it is a set of files and commands by itself.
//
// Source: https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/customize-containers-ec2.html
func (s *stack) beanstalk(n *yaml.Node) {
	if n.Get("AWSTemplateFormatVersion") == nil {
		s.yield(s.config(resource{origin: "Elastic Beanstalk"}, n)...)
	}
}

func (s *stack) file(r resource, f yaml.Pair) []*scan.Text {
	content, name := f.Value.Get("content"), f.Key.Str()
	if f.Value.Get("encoding").Str() == "base64" {
		return nil
	}
	texts := s.script(content, language(name), r.origin, "files", name)
	for _, t := range texts {
		t.Lang = scan.Script(t.Body, t.Lang) // a first line is stronger than a name
	}
	return texts
}

// language returns what a file is written in by its name; empty if its first
// line decides.
func language(name string) scan.Lang {
	if scan.IsCrontab(name) {
		return scan.Crontab
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".sh":
		return scan.Shell
	case ".ps1", ".psm1":
		return scan.PowerShell
	case ".bat", ".cmd":
		return scan.Batch
	case ".py":
		return scan.Python
	case ".rb":
		return scan.Ruby
	case ".js", ".mjs", ".cjs":
		return scan.JavaScript
	case ".php":
		return scan.PHP
	case ".service", ".timer":
		return scan.Systemd
	case ".conf", ".ini", ".json", ".yml", ".yaml", ".xml", ".repo", ".html", ".txt", ".properties", ".toml", ".cfg":
		return scan.Plain
	}
	return ""
}

// command reads a command: a string is for the shell, a list is not. A command
// comes with a test.
func (s *stack) command(r resource, c yaml.Pair) (texts []*scan.Text) {
	for _, key := range []string{"command", "test"} {
		n := c.Value.Get(key)
		if name, _ := function(n); n != nil && n.Kind == yaml.Sequence && name == "" {
			if t := yaml.Command(n.Items, r.origin, "commands", c.Key.Str()); t != nil {
				texts = append(texts, t)
			}
			continue
		}
		texts = append(texts, s.script(n, s.shellOf(r), r.origin, "commands", c.Key.Str())...)
	}
	return texts
}

// shellOf returns which shell runs the commands on an instance: Windows shows in
// its user data.
func (s *stack) shellOf(r resource) scan.Lang {
	for n := range r.properties.Get("UserData").All() {
		if v := n.Str(); strings.Contains(v, "<powershell>") || strings.Contains(v, "<script>") || strings.Contains(v, "cfn-init.exe") {
			return scan.Batch
		}
	}
	return scan.Shell
}
