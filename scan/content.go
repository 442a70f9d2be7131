package scan

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
)

// byContent tells YAML and JSON files apart: what reads them is written in
// them. The most certain mark decides.
func byContent(name string, head []byte) Lang {
	c := marks()
	has := func(mark string) bool { return c[mark].Match(head) }
	switch {
	case has("template version"), has("resource type"):
		return CloudFormation
	case has("api version") && has("kind"):
		return Kubernetes
	case has("effect") && (has("statement") || has("action")):
		return IAM
	case has("builders") && bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")):
		return Packer
	case isBeanstalk(name), has("beanstalk"), strings.HasSuffix(name, ".config") && has("files"):
		return CloudFormation
	case has("document schema"):
		return CloudFormation // documents of Systems Manager and of Image Builder
	case isAnsible(name), has("play"), has("tasks"):
		return Ansible
	case has("jobs") && has("job"):
		return Workflow
	case has("services"):
		return Compose
	case has("cloud-config keys"):
		return CloudInit
	}
	return Plain
}

// marks are the patterns of byContent, for YAML and JSON alike.
var marks = sync.OnceValue(func() map[string]*regexp.Regexp {
	const key = `(?m)(?:^|[{,\[])[ \t]*["']?`
	all := map[string]*regexp.Regexp{}
	for name, pattern := range map[string]string{
		"template version":  key + `AWSTemplateFormatVersion["']?\s*:`,
		"resource type":     `["']?Type["']?\s*:\s*["']?(AWS|Alexa|Custom)::`,
		"api version":       key + `apiVersion["']?\s*:`,
		"kind":              `["']?\bkind["']?\s*:`,
		"statement":         key + `Statement["']?\s*:`,
		"effect":            `["']?Effect["']?\s*:\s*["']?(Allow|Deny)`,
		"action":            key + `(Not)?Action["']?\s*:`,
		"builders":          `"(builders|provisioners)"\s*:\s*\[`,
		"beanstalk":         `(?m)^["']?(container_commands|option_settings)["']?\s*:`,
		"files":             `(?m)^["']?(files|commands)["']?\s*:`,
		"document schema":   key + `schemaVersion["']?\s*:\s*["']?[0-9.]+`,
		"play":              `(?m)^\s*-\s+["']?(hosts|import_playbook|ansible\.builtin\.import_playbook)["']?\s*:`,
		"tasks":             `(?m)^-\s+(name\s*:.*\n(\s*#.*\n)*\s+)?["']?(ansible\.builtin\.\w+|(ansible|community|amazon)\.\w+\.\w+|shell|command|uri|get_url|raw|set_fact|include_tasks|import_tasks|win_shell|win_uri|block|copy|template|register|become|when)\s*:`,
		"jobs":              `(?m)^["']?(jobs|stages|pipelines?|steps|phases)["']?\s*:`,
		"job":               `(?m)^\s+(-\s+)?["']?(run|script|commands|before_script|bash|pwsh|runs-on)["']?\s*:`,
		"services":          `(?m)^["'{ ]*services["']?\s*:\s*(#.*)?\n(\s*#.*\n)*\s+["']?[\w.-]+["']?\s*:`,
		"cloud-config keys": `(?m)^(runcmd|bootcmd|write_files|cloud_init_modules)\s*:`,
	} {
		all[name] = regexp.MustCompile(pattern)
	}
	return all
})

// isBeanstalk reports whether Elastic Beanstalk looks for its settings in the
// file's folder.
func isBeanstalk(name string) bool { return strings.Contains("/"+name, "/.ebextensions/") }

// isAnsible reports whether Ansible looks for tasks in the file's folder.
func isAnsible(name string) bool {
	if !isYAML(name) {
		return false
	}
	for _, folder := range []string{"/tasks/", "/handlers/", "/playbooks/"} {
		if strings.Contains("/"+name, folder) {
			return true
		}
	}
	return false
}
