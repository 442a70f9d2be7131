// Package cloudinit reads user data in all the forms that cloud-init and EC2's
// agents for Windows take: scripts, cloud-config, MIME parts, <powershell>, and
// all of them compressed or in base64.
//
// Sources: https://docs.cloud-init.io/en/latest/explanation/format.html,
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html
package cloudinit

import (
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// Detect tells what user data consists of. What is on the instance is told by
// the detectors of its languages.
func Detect(t *scan.Text) scan.Facts {
	d := &data{}
	d.read(t, 0)
	return scan.Facts{Texts: d.texts}
}

// data collects what user data consists of.
type data struct{ texts []*scan.Text }

func (d *data) yield(texts ...*scan.Text) {
	for _, t := range texts {
		if t != nil {
			d.texts = append(d.texts, t)
		}
	}
}

// maxDepth bounds what is packed into one another.
const maxDepth = 6

// read tells the forms apart as cloud-init does: by how the text begins.
func (d *data) read(t *scan.Text, depth int) {
	if depth > maxDepth {
		return
	}
	body := t.Body
	start := strings.ToLower(strings.TrimLeft(body[:min(len(body), 4096)], " \t\r\n"))
	begins := func(s string) bool { return strings.HasPrefix(start, s) }
	switch {
	case start == "":
	case begins("#!"):
		d.script(t)
	case begins("#cloud-config-archive"):
		d.archive(t)
	case begins("#cloud-config"):
		d.config(t)
	case begins("## template: jinja"):
		d.jinja(t)
	case begins("#cloud-boothook"), begins("#upstart-job"), begins("#part-handler"):
		d.hook(t, begins("#part-handler"))
	case begins("{{") && d.sections(t, depth):
	case begins("#include"):
		// what stands at the addresses is not in the text
	case begins("content-type:"), begins("mime-version:"), begins("from nobody"):
		d.multipart(t, depth)
	case strings.Contains(strings.ToLower(body), "<powershell>"), strings.Contains(strings.ToLower(body), "<script>"):
		d.windows(t)
	default:
		d.unlabelled(t, depth)
	}
}

// unlabelled reads what doesn't say what it is.
func (d *data) unlabelled(t *scan.Text, depth int) {
	if inner := unpacked(t); inner != nil {
		d.read(inner, depth+1)
		return
	}
	if docs, err := yaml.Parse(t); err == nil && len(docs) > 0 && docs[0].Kind == yaml.Mapping {
		d.documents(docs, unfilled)
		return
	}
	if strings.Contains(t.Body, "\n[settings.") || strings.HasPrefix(t.Body, "[settings.") {
		d.yield(yaml.Whole(t, scan.Plain)) // Bottlerocket's settings
		return
	}
	if configKeys().MatchString(t.Body) {
		d.config(t)
		return
	}
	d.script(t)
}

func (d *data) script(t *scan.Text) {
	d.yield(yaml.Whole(t, scan.Script(strings.TrimLeft(t.Body, " \t\r\n"), scan.Shell)))
}

// hook reads what follows the first line.
func (d *data) hook(t *scan.Text, python bool) {
	i := strings.Index(t.Body, "#")
	i += strings.IndexByte(t.Body[i:]+"\n", '\n') + 1
	if i >= len(t.Body) {
		return
	}
	lang := scan.Script(t.Body[i:], scan.Shell)
	if python {
		lang = scan.Python
	}
	d.yield(part(t, scan.Span{Start: i, End: len(t.Body)}, lang, "user data", "boothook"))
}

// part is a part of a text as it stands there.
func part(t *scan.Text, at scan.Span, lang scan.Lang, name string, origin ...string) *scan.Text {
	b := t.Within()
	b.Verbatim(at)
	same := func(s string) (string, error) { return s, nil }
	return b.Text(lang, scan.Layer{Name: name, Encode: same}, origin...)
}

// windows reads what EC2's agents run on Windows: what stands between the tags.
// A tag that is not closed ends with the text.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html#user-data-yaml-scripts
func (d *data) windows(t *scan.Text) {
	lower := strings.ToLower(t.Body)
	for _, tag := range []struct {
		name string
		lang scan.Lang
	}{{"powershell", scan.PowerShell}, {"script", scan.Batch}} {
		for at := 0; ; {
			i := strings.Index(lower[at:], "<"+tag.name+">")
			if i < 0 {
				break
			}
			start := at + i + len("<>") + len(tag.name)
			end := len(t.Body)
			if j := strings.Index(lower[start:], "</"+tag.name+">"); j >= 0 {
				end = start + j
			}
			d.yield(part(t, scan.Span{Start: start, End: end}, tag.lang, "user data", "<"+tag.name+">"))
			at = end
		}
	}
}
