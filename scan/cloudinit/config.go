package cloudinit

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// configKeys finds keys that only a cloud-config has.
var configKeys = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?m)^(runcmd|bootcmd|write_files|cloud_init_modules|package_update|package_upgrade|power_state|coreos)\s*:`)
})

// config reads a cloud-config. One that is filled in before cloud-init reads it
// is often no YAML yet; then its placeholders are taken for words.
func (d *data) config(t *scan.Text) {
	docs, err := yaml.Parse(t)
	if err == nil {
		d.documents(docs, unfilled)
		return
	}
	if docs, err = yaml.ParseTemplate(t); err == nil {
		d.documents(docs, yaml.Unmask)
		return
	}
	d.keys(t)
}

// topKey matches the head of a key at the margin.
var topKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?m)^["']?[A-Za-z][\w-]*["']?[ \t]*:`) })

// keys reads a cloud-config key by key, so that one which can't be read keeps
// nobody from reading the others.
func (d *data) keys(t *scan.Text) {
	masked := yaml.Mask(t)
	heads := topKey().FindAllStringIndex(masked.Body, -1)
	if len(heads) < 2 {
		d.yield(yaml.Whole(t, scan.Template))
		return
	}
	for i, head := range heads {
		end := len(masked.Body)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		key := part(masked, scan.Span{Start: head[0], End: end}, scan.Template, "a template")
		if docs, err := yaml.Parse(key); err == nil {
			d.documents(docs, yaml.Unmask)
		} else {
			d.yield(yaml.Unmask(key))
		}
	}
}

// jinja reads user data that cloud-init fills in itself.
func (d *data) jinja(t *scan.Text) {
	i := strings.IndexByte(t.Body, '\n')
	if i < 0 {
		return
	}
	rest := part(t, scan.Span{Start: i + 1, End: len(t.Body)}, scan.CloudInit, "user data")
	if !strings.HasPrefix(strings.TrimSpace(rest.Body), "#cloud-config") {
		d.filled(rest)
		return
	}
	docs, err := yaml.ParseTemplate(rest)
	if err != nil {
		d.yield(yaml.Whole(t, scan.Template))
		return
	}
	d.documents(docs, yaml.Unmask)
}

// filled reads a script in which a template fills something in.
func (d *data) filled(t *scan.Text) { d.script(yaml.Unmask(yaml.Mask(t))) }

// A finisher makes the last text of a script.
type finisher func(*scan.Text) *scan.Text

func unfilled(t *scan.Text) *scan.Text { return t }

// documents reads cloud-configs, or one of the kinds of documents that are like
// them.
func (d *data) documents(docs []*yaml.Node, finish finisher) {
	inner := &data{}
	for _, doc := range docs {
		if doc.Kind == yaml.Sequence {
			inner.archived(doc)
		}
		inner.commands(doc.Get("bootcmd"), "bootcmd")
		inner.commands(doc.Get("runcmd"), "runcmd")
		inner.condition(doc.Path("power_state", "condition"))
		for _, f := range doc.Get("write_files").List() {
			inner.file(f)
		}
		for _, u := range append(doc.Path("coreos", "units").List(), doc.Path("systemd", "units").List()...) {
			inner.unit(u)
		}
		for _, task := range doc.Get("tasks").List() {
			inner.launchTask(task)
		}
	}
	inner.yield(yaml.Left(docs)...)
	for _, t := range inner.texts {
		d.yield(finish(t))
	}
}

// commands reads runcmd and bootcmd: one script, in which lists are arguments
// that no shell splits.
//
// Source: https://docs.cloud-init.io/en/latest/reference/modules.html#runcmd
func (d *data) commands(n *yaml.Node, key string) {
	var lines []*yaml.Node
	for _, item := range n.List() {
		if item.Kind == yaml.Sequence {
			d.yield(yaml.Command(item.Items, key))
			continue
		}
		lines = append(lines, item)
	}
	d.yield(yaml.Lines(lines, scan.Shell, key))
}

// condition reads the command that decides whether the instance is shut down.
func (d *data) condition(n *yaml.Node) {
	switch {
	case n == nil:
	case n.Kind == yaml.Sequence:
		d.yield(yaml.Command(n.Items, "power_state"))
	case n.Str() != "true" && n.Str() != "false" && n.Str() != "True" && n.Str() != "False":
		d.yield(yaml.Lines([]*yaml.Node{n}, scan.Shell, "power_state"))
	}
}

// unit reads a unit of systemd, as CoreOS has them in its configuration.
func (d *data) unit(u *yaml.Node) {
	name := u.Get("name").Str()
	contents := []*yaml.Node{u.Get("content"), u.Get("contents")}
	for _, key := range []string{"drop-ins", "dropins"} {
		for _, dropIn := range u.Get(key).List() {
			contents = append(contents, dropIn.Get("content"), dropIn.Get("contents"))
		}
	}
	for _, n := range contents {
		if n.IsScalar() {
			d.yield(n.Text(scan.Systemd, "unit "+name))
		}
	}
}

// launchTask reads a task of EC2Launch v2.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2launch-v2-task-definitions.html#ec2launch-v2-executescript
func (d *data) launchTask(task *yaml.Node) {
	if task.Get("task").Str() != "executeScript" {
		return
	}
	for _, input := range task.Get("inputs").List() {
		lang := scan.PowerShell
		if input.Get("type").Str() == "batch" {
			lang = scan.Batch
		}
		if n := input.Get("content"); n.IsScalar() {
			d.yield(n.Text(lang, "task executeScript"))
		}
	}
}

// archive reads a list of parts, each user data of its own.
func (d *data) archive(t *scan.Text) {
	docs, err := yaml.Parse(t)
	if err != nil {
		d.yield(yaml.Whole(t, scan.Template))
		return
	}
	d.documents(docs, unfilled)
}

func (d *data) archived(doc *yaml.Node) {
	for _, item := range doc.Items {
		n := item
		if item.Kind == yaml.Mapping {
			n = item.Get("content")
		}
		if n.IsScalar() {
			d.yield(n.Text(scan.CloudInit, "part "+item.Get("filename").Str()))
		}
	}
}
