package workload

import (
	"cmp"
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// workflow reads the scripts of a workflow. The services differ in how jobs and
// steps nest, and hardly in what they call a script.
//
// Sources: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax,
// https://docs.gitlab.com/ci/yaml/, https://circleci.com/docs/configuration-reference/,
// https://learn.microsoft.com/azure/devops/pipelines/yaml-schema/,
// https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
func (f *file) workflow(doc *yaml.Node) {
	shell := defaultShell(doc)
	own := map[*yaml.Node]scan.Lang{}
	for n := range doc.All() {
		if n.Kind != yaml.Mapping {
			continue
		}
		ofWindows(n, own)
		lang := cmp.Or(own[n], shell)
		for _, p := range n.Pairs {
			f.scripts(n, p, lang)
		}
	}
}

// ofWindows notes which nodes within a job or a task hold PowerShell: the steps
// of GitHub's on Windows, and the inputs of Azure's tasks.
func ofWindows(n *yaml.Node, own map[*yaml.Node]scan.Lang) {
	if strings.Contains(strings.ToLower(n.Get("runs-on").Str()), "windows") {
		for _, step := range n.Get("steps").List() {
			own[step] = scan.PowerShell
		}
	}
	if strings.Contains(n.Get("task").Str(), "PowerShell") {
		own[n.Get("inputs")] = scan.PowerShell
	}
}

// defaultShell returns what runs scripts that don't say what does.
func defaultShell(doc *yaml.Node) scan.Lang {
	if name := doc.Path("defaults", "run", "shell"); name.IsScalar() {
		return shellNamed(name.Value, scan.Bash)
	}
	if name := doc.Path("env", "shell"); name.IsScalar() { // of a buildspec
		return shellNamed(name.Value, scan.Bash)
	}
	return scan.Bash
}

// shellNamed returns the language of a shell: "bash", "pwsh -File {0}".
func shellNamed(name string, otherwise scan.Lang) scan.Lang {
	name, _, _ = strings.Cut(strings.TrimSpace(name), " ")
	if strings.EqualFold(name, "cmd") || strings.EqualFold(name, "cmd.exe") {
		return scan.Batch
	}
	return scan.Script("#!"+name, otherwise)
}

func stepName(n *yaml.Node) string {
	if name := first(n, "name", "displayName", "label", "id"); name.IsScalar() {
		return "step " + name.Value
	}
	return "step"
}

// scripts reads a key of a job or a step, if it is one of scripts.
func (f *file) scripts(n *yaml.Node, p yaml.Pair, lang scan.Lang) {
	if name := n.Get("shell"); name.IsScalar() {
		lang = shellNamed(name.Value, lang)
	}
	key := p.Key.Str()
	switch key {
	case "powershell", "pwsh", "ps":
		lang = scan.PowerShell
	case "cmd":
		lang = scan.Batch
	case "run", "bash", "sh", "script", "before_script", "after_script", "command", "commands", "finally",
		"before_install", "install", "before_deploy", "after_success", "after_failure", "after_deploy",
		"pre_get_sources_script", "build_script", "test_script", "after-script":
	default:
		return
	}
	switch {
	case p.Value.IsScalar():
		f.script(p.Value, lang, workflow, stepName(n))
	case p.Value.Kind == yaml.Sequence:
		f.lines(p.Value, lang, workflow, stepName(n), key)
	}
}
