package scan

import (
	"bytes"
	"path"
	"strings"
)

// KindOf returns what a file is written in, by its slash-separated path and by
// how it begins: a few KB are enough. It returns "" for what is not read unless
// somebody asks for it by name: documentation and logs.
func KindOf(name string, head []byte) Lang {
	name = strings.ToLower(name)
	base := path.Base(name)
	head = bytes.TrimPrefix(head, []byte(byteOrderMark))
	if l := byName(name, base); l != "" {
		return l
	}
	if l := byHead(name, head); l != "" {
		return l
	}
	if isUserData(base) || path.Ext(base) == "" && base != "readme" && inUserData(name) {
		return CloudInit
	}
	switch l := byExtension(path.Ext(base)); l {
	case "":
		return withoutExtension(base, head)
	case structured:
		return byContent(name, head)
	case documentation:
		return ""
	default:
		return l
	}
}

// What byExtension leaves to others.
const (
	structured    Lang = "yaml or json"
	documentation Lang = "documentation"
)

// byName knows the names that programs look for.
func byName(name, base string) Lang {
	first, _, _ := strings.Cut(base, ".")
	switch {
	case isManifest(base):
		return Manifest
	case isWorkflow(name, base):
		return Workflow
	case first == "dockerfile", first == "containerfile", strings.HasSuffix(base, ".dockerfile"), strings.HasSuffix(base, ".containerfile"):
		return Docker
	case base == "makefile", base == "gnumakefile", strings.HasPrefix(base, "makefile."):
		return Make
	case isYAML(base) && (strings.HasPrefix(base, "docker-compose") || first == "compose"):
		return Compose
	case strings.HasPrefix(base, "jenkinsfile"):
		return Java
	case base == "rakefile", base == "vagrantfile", base == "capfile", base == "berksfile":
		return Ruby
	case strings.HasSuffix(base, ".pkr.hcl"), strings.HasSuffix(base, ".pkrvars.hcl"), strings.HasSuffix(base, ".pkr.json"):
		return Packer
	case strings.HasSuffix(base, ".tf.json"):
		return Terraform
	case strings.HasSuffix(base, ".conf") && isSystemdDropIn(name):
		return Systemd
	case IsCrontab(name):
		return Crontab
	case base == ".bashrc", base == ".bash_profile", base == ".profile", base == ".envrc", base == ".zshrc":
		return Bash
	}
	return ""
}

func isYAML(base string) bool {
	return strings.HasSuffix(base, ".yml") || strings.HasSuffix(base, ".yaml")
}

// isManifest reports whether a file lists what a program depends on.
func isManifest(base string) bool {
	switch base {
	case "go.mod", "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml",
		"pipfile", "pipfile.lock", "poetry.lock", "uv.lock", "pyproject.toml", "setup.py", "setup.cfg", "constraints.txt",
		"pom.xml", "gemfile", "gemfile.lock", "composer.json", "composer.lock":
		return true
	}
	return strings.HasPrefix(base, "requirements") && (strings.HasSuffix(base, ".txt") || strings.HasSuffix(base, ".in")) ||
		strings.HasSuffix(base, ".gradle") || strings.HasSuffix(base, ".gradle.kts") || strings.HasSuffix(base, ".gemspec")
}

// isWorkflow reports whether a file says what a service of builds is to run.
func isWorkflow(name, base string) bool {
	if !isYAML(base) {
		return false
	}
	in := func(folder string) bool {
		return strings.HasPrefix(name, folder+"/") || strings.Contains(name, "/"+folder+"/")
	}
	stem := strings.TrimSuffix(strings.TrimSuffix(base, ".yml"), ".yaml")
	switch stem {
	case ".gitlab-ci", ".travis", ".drone", "bitbucket-pipelines", "azure-pipelines", "appveyor", ".appveyor", "buildkite", "cloudbuild":
		return true
	}
	return strings.HasPrefix(stem, "buildspec") || strings.HasPrefix(stem, "azure-pipelines") || strings.HasSuffix(stem, ".gitlab-ci") ||
		in(".github/workflows") || in(".github/actions") || stem == "action" && in(".github") ||
		in(".circleci") || in(".buildkite") || in(".gitlab") || in(".azure-pipelines")
}

// isSystemdDropIn reports whether a file lies in a folder such as app.service.d.
func isSystemdDropIn(name string) bool {
	folder, ok := strings.CutSuffix(path.Dir(name), ".d")
	return ok && byExtension(path.Ext(folder)) == Systemd
}

// IsCrontab reports whether cron reads a file of this path.
func IsCrontab(name string) bool {
	base := path.Base(name)
	switch ext := path.Ext(base); {
	case base == "crontab", ext == ".cron", ext == ".crontab", strings.HasPrefix(name, "/var/spool/cron/"):
		return true
	default:
		return path.Base(path.Dir(name)) == "cron.d" && ext == "" && base != "readme"
	}
}

// isUserData reports whether a name says that cloud-init is to read the file.
func isUserData(base string) bool {
	if !strings.Contains(base, "data") && !strings.Contains(base, "cloud") {
		return false
	}
	ext := path.Ext(base)
	switch l := byExtension(ext); l {
	case Shell, Bash, structured, Plain, "":
	default:
		if ext != ".txt" {
			return false
		}
	}
	stem, _, _ := strings.Cut(strings.TrimLeft(base, "."), ".")
	stem = strings.ReplaceAll(strings.ReplaceAll(stem, "-", ""), "_", "")
	switch stem {
	case "cloudinit", "vendordata":
		return true
	}
	return strings.HasSuffix(stem, "userdata") || strings.HasPrefix(stem, "cloudconfig")
}

// inUserData reports whether the folder of a file is called after user data.
func inUserData(name string) bool {
	switch path.Base(path.Dir(name)) {
	case "userdata", "user-data", "user_data", "cloud-init", "cloudinit":
		return true
	}
	return false
}

// byHead knows what the first line says.
func byHead(name string, head []byte) Lang {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	first := string(bytes.TrimSpace(line))
	switch {
	case strings.HasPrefix(first, "#cloud-config"), strings.HasPrefix(first, "#cloud-boothook"), strings.HasPrefix(first, "#include-once"),
		strings.HasPrefix(first, "#part-handler"), strings.HasPrefix(first, "#upstart-job"), strings.HasPrefix(first, "## template: jinja"),
		strings.HasPrefix(first, "Content-Type: multipart/"), strings.HasPrefix(first, "MIME-Version:"),
		first == "<script>", strings.HasPrefix(first, "<powershell>"):
		return CloudInit
	case strings.HasPrefix(first, "#!") && !isFilledIn(name):
		if l := Script(string(head), Plain); l != Plain {
			return l
		}
	}
	return ""
}

// isFilledIn reports whether a name says which tags a file holds: its first line
// is then one of what it becomes, and its reader has to know the tags.
func isFilledIn(name string) bool {
	switch path.Ext(name) {
	case ".j2", ".jinja", ".jinja2", ".erb", ".ejs", ".liquid", ".mustache", ".hbs", ".gotmpl":
		return true
	}
	return false
}

// byExtension knows what the end of a name says.
func byExtension(ext string) Lang {
	switch ext {
	case ".sh", ".dash", ".ash":
		return Shell
	case ".bash", ".ksh", ".zsh", ".bats":
		return Bash
	case ".ps1", ".psm1":
		return PowerShell
	case ".bat", ".cmd":
		return Batch
	case ".tf", ".tofu", ".tfvars", ".hcl":
		return Terraform
	case ".service", ".timer", ".socket", ".mount", ".path", ".target":
		return Systemd
	case ".mk", ".mak":
		return Make
	case ".j2", ".jinja", ".jinja2", ".erb", ".epp", ".tmpl", ".tpl", ".tftpl", ".gotmpl", ".mustache", ".hbs", ".ejs", ".liquid":
		return Template
	case ".py", ".pyw", ".pyi":
		return Python
	case ".go":
		return Go
	case ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".cts", ".tsx":
		return JavaScript
	case ".java", ".kt", ".kts", ".scala", ".groovy":
		return Java
	case ".cs":
		return CSharp
	case ".rb", ".rake", ".ru":
		return Ruby
	case ".php", ".phtml", ".inc":
		return PHP
	case ".yaml", ".yml", ".json", ".template", ".cfn", ".cform", ".jsonc", ".config":
		return structured
	case ".md", ".markdown", ".mdx", ".rst", ".adoc", ".asciidoc", ".txt", ".html", ".htm", ".ipynb", ".tex", ".org", ".rdoc", ".pod",
		".1", ".5", ".7", ".8", ".log", ".csv", ".tsv", ".svg", ".css", ".scss", ".diff", ".patch", ".po", ".pot", ".eml", ".mbox", ".har":
		return documentation
	case "":
		return ""
	}
	return Plain
}

// withoutExtension is for scripts that are installed as commands, and for what
// lies beside them.
func withoutExtension(base string, head []byte) Lang {
	switch base {
	case "readme", "changelog", "changes", "license", "licence", "copying", "notice", "authors", "contributing", "news":
		return ""
	}
	return byContent(base, head)
}
