package cloudformation

import (
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// document reads a document of Systems Manager or Image Builder, if the node is
// one.
func (s *stack) document(n *yaml.Node) {
	if n.Get("schemaVersion") != nil && n.Get("Resources") == nil {
		s.documentAt(n)
	}
}

// documentAt reads the steps of a document.
//
// Sources: https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html,
// https://docs.aws.amazon.com/imagebuilder/latest/userguide/toe-use-documents.html
func (s *stack) documentAt(n *yaml.Node, origin ...string) {
	for _, step := range n.Get("mainSteps").List() {
		s.step(step, append(origin, "step "+step.Get("name").Str()))
	}
	if config := n.Get("runtimeConfig"); config != nil {
		for _, p := range config.Pairs {
			for _, properties := range p.Value.Get("properties").List() {
				s.yield(s.lines(properties.Get("runCommand"), pluginLanguage(p.Key.Str()), append(origin, p.Key.Str())...))
			}
		}
	}
	for _, phase := range n.Get("phases").List() {
		for _, step := range phase.Get("steps").List() {
			s.buildStep(step, append(origin, "step "+step.Get("name").Str()))
		}
	}
}

// step reads a step that runs a script, on instances or by itself.
func (s *stack) step(step *yaml.Node, origin []string) {
	action, inputs := step.Get("action").Str(), step.Get("inputs")
	switch action {
	case "aws:runShellScript", "aws:runPowerShellScript":
		s.yield(s.lines(inputs.Get("runCommand"), pluginLanguage(action), origin...))
	case "aws:runCommand":
		lang := pluginLanguage(inputs.Get("DocumentName").Str())
		s.yield(s.lines(inputs.Path("Parameters", "commands"), lang, origin...))
	case "aws:executeScript":
		lang := scan.Python
		if strings.HasPrefix(inputs.Get("Runtime").Str(), "PowerShell") {
			lang = scan.PowerShell
		}
		s.yield(s.lines(inputs.Get("Script"), lang, origin...))
	}
}

func pluginLanguage(plugin string) scan.Lang {
	if strings.Contains(plugin, "PowerShell") {
		return scan.PowerShell
	}
	return scan.Shell
}

// buildStep reads a step of a component of Image Builder.
func (s *stack) buildStep(step *yaml.Node, origin []string) {
	commands := step.Path("inputs", "commands")
	switch step.Get("action").Str() {
	case "ExecuteBash":
		s.yield(s.lines(commands, scan.Bash, origin...))
	case "ExecutePowerShell":
		s.yield(s.lines(commands, scan.PowerShell, origin...))
	}
}
