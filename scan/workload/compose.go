package workload

import (
	"tegata/scan"
	"tegata/scan/yaml"
)

// compose reads the services of a Compose file.
//
// Source: https://docs.docker.com/reference/compose-file/services/
func (f *file) compose(doc *yaml.Node) {
	services := doc.Get("services")
	if services == nil {
		services = doc // the first version of the format
	}
	for _, p := range services.Pairs {
		f.service(p.Value, "service "+p.Key.Str())
	}
	if configs := doc.Get("configs"); configs != nil {
		for _, p := range configs.Pairs {
			if content := p.Value.Get("content"); content.IsScalar() {
				f.script(content, language(p.Key.Str(), content.Value), compose, "config "+p.Key.Str())
			}
		}
	}
}

func (f *file) service(s *yaml.Node, origin string) {
	entry, command := s.Get("entrypoint"), s.Get("command")
	if entry.IsScalar() || command.IsScalar() {
		f.commandLine(entry, origin, "entrypoint")
		f.commandLine(command, origin, "command")
	} else {
		f.arguments(concat(entry, command), compose, origin)
	}
	test := s.Path("healthcheck", "test")
	switch items := test.List(); {
	case test.IsScalar():
		f.script(test, scan.Shell, compose, origin, "healthcheck")
	case len(items) < 2:
	case items[0].Str() == "CMD-SHELL":
		f.script(items[1], scan.Shell, compose, origin, "healthcheck")
	case items[0].Str() == "CMD":
		f.arguments(items[1:], compose, origin, "healthcheck")
	}
}

// commandLine reads a command in one string. No shell reads its words, and the
// versions of Compose split it by rules of their own.
func (f *file) commandLine(n *yaml.Node, origin ...string) {
	if !n.IsScalar() {
		f.arguments(n.List(), compose, origin...)
		return
	}
	if n.Null() {
		return
	}
	c := yaml.Compose(f.text)
	compose(c, n)
	line := c.Text(scan.Shell, n.Style.String(), origin...)
	b := line.Within()
	b.Verbatim(scan.Span{End: len(line.Body)})
	f.yield(b.Text(scan.Shell, yaml.Arguments()))
}
