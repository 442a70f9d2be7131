// Package scan finds what in a tree of files asks an instance's metadata
// service without a token, and the settings that go with it, and rewrites it
// so that it still does the same.
//
// A [Detector] reads one kind of text and tells [Facts]; what it finds within,
// such as the script in a template's user data, is a [Text] of its own and goes
// to the detector of its language. Every Text knows where in the file its bytes
// come from, and how to write there what its reader is to see.
package scan

// A Lang is what a text is written in; it chooses the detector.
type Lang string

const (
	Shell      Lang = "sh"   // POSIX shell, and busybox's
	Bash       Lang = "bash" // and what else is close to it: ksh, zsh
	PowerShell Lang = "powershell"
	Batch      Lang = "batch"

	CloudInit      Lang = "cloud-init" // what user data may be: cloud-config, MIME parts, scripts, gzip
	CloudFormation Lang = "cloudformation"
	Terraform      Lang = "terraform"
	Packer         Lang = "packer"
	Ansible        Lang = "ansible"
	Kubernetes     Lang = "kubernetes"
	Compose        Lang = "compose"
	Workflow       Lang = "workflow" // of GitHub and the like: YAML with scripts
	Docker         Lang = "dockerfile"
	Systemd        Lang = "systemd"
	Crontab        Lang = "crontab"
	Make           Lang = "makefile"
	Template       Lang = "template" // Jinja, ERB, Go: what a program fills in before anybody reads it
	IAM            Lang = "iam"      // a policy document
	Manifest       Lang = "manifest" // what a program depends on: go.mod, package.json, …

	Python     Lang = "python"
	Go         Lang = "go"
	JavaScript Lang = "javascript"
	Java       Lang = "java"
	CSharp     Lang = "csharp"
	Ruby       Lang = "ruby"
	PHP        Lang = "php"

	Plain Lang = "text"  // anything else, read line by line
	Prose Lang = "prose" // for people: nobody reads it here
)

// A Detector reads texts of some languages. It never fails: what it can't
// parse it reads line by line, and is less sure.
type Detector func(*Text) Facts

// Facts are what a detector sees in one text.
type Facts struct {
	Findings []Finding
	Texts    []*Text // that others read: scripts, documents
	Units    []Unit
}

// A Finding is something in a text that a user should know of.
type Finding struct {
	ID         string // of the catalogue: TG1001 and the like
	Confidence Confidence
	At         Span // in the text: the command or the expression, from its first byte
	Evidence   []Field
	Fix        []Splice // what mends it, all or nothing; none if nothing does
	Why        string   // why there is no Fix, an English phrase; empty if there is one or none is due
}

// Confidence is how far a finding can be relied upon.
type Confidence string

const (
	Sure     Confidence = "sure"     // the text says so
	Likely   Confidence = "likely"   // a human reader would say so, too
	Possible Confidence = "possible" // something that is not in the text decides
)

// A Field is one named piece of evidence. Values never hold secrets.
type Field struct{ Name, Value string }

// A Splice puts text in place of a span of a text.
type Splice struct {
	At   Span
	Text string
}

// A Unit is an instance, or a template for instances, with its metadata options
// and what runs on it.
type Unit struct {
	Name       string      // as the text names it: "aws_instance.web"
	At         Span        // its head in the text
	Required   *Span       // the setting that demands tokens; nil if none does
	Settings   []Finding   // of its options; their fixes wait until its callers are clean
	Texts      []*Text     // of Facts.Texts: what runs on it
	References []Reference // files that hold what runs on it
	Containers bool        // whether containers run on it, one router away
}

// A Reference names another file.
type Reference struct {
	Path     string // relative to the directory of the file
	At       Span   // where it is named
	Template bool   // it is filled in first, so that ${ and %{ in it are Terraform's
}
