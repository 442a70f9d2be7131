package scan

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// call is what the tests take for a call without a token: the word fetch, an
// address, and perhaps +token. What mends it is the +token.
var call = regexp.MustCompile(`fetch http://169\.254\.169\.254/\S*`)

// toy finds toy calls. A line "<<LANG … >>" holds a text of another language.
func toy(t *Text) (f Facts) {
	for _, m := range call.FindAllStringIndex(t.Body, -1) {
		if strings.HasSuffix(t.Body[m[0]:m[1]], "+token") {
			continue
		}
		f.Findings = append(f.Findings, Finding{
			ID: "TG1001", Confidence: Sure, At: Span{m[0], m[1]}, Fix: []Splice{{Span{m[1], m[1]}, "+token"}},
			Evidence: []Field{{"request", "GET /"}},
		})
	}
	return f
}

// box holds one text of the language that its first line names, each line of
// which is quoted by a bar.
func box(t *Text) Facts {
	first, _, _ := strings.Cut(t.Body, "\n")
	b := t.Within()
	at := len(first) + 1
	for line := range strings.Lines(t.Body[at:]) {
		if strings.HasPrefix(line, "|") {
			b.Verbatim(Span{at + 1, at + len(line)})
		}
		at += len(line)
	}
	words := strings.Fields(first)
	return Facts{Texts: []*Text{b.Text(Lang(words[0]), Layer{Name: "a box", Encode: func(s string) (string, error) { return s, nil }}, words[1:]...)}}
}

// machine is a toy of a template: lines "tokens=required|optional", "run NAME"
// and "template NAME".
func machine(t *Text) (f Facts) {
	u := Unit{Name: "machine", At: Span{0, len(t.Body)}}
	at := 0
	for line := range strings.Lines(t.Body) {
		span := Span{at, at + len(strings.TrimSpace(line))}
		switch key, value, _ := strings.Cut(strings.TrimSpace(line), " "); key {
		case "tokens=required":
			u.Required = &span
		case "tokens=optional":
			u.Settings = append(u.Settings, Finding{ID: "TG1202", Confidence: Sure, At: span, Fix: []Splice{{span, "tokens=required"}}})
		case "run", "template":
			u.References = append(u.References, Reference{Path: value, At: span, Template: key == "template"})
		}
		at += len(line)
	}
	f.Units = []Unit{u}
	return f
}

func toys() Options {
	return Options{
		Detectors: map[Lang]Detector{Plain: toy, CloudInit: toy, Python: box, Terraform: machine},
		Template: func(file *Text, lang Lang) *Text {
			b := file.Within()
			b.Verbatim(Span{0, len(file.Body)})
			return b.Text(lang, Layer{Name: "a template", Encode: func(s string) (string, error) { return s, nil }}, "template")
		},
	}
}

// tree writes files and returns their folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// found scans a folder and returns lines "path:line:col ID confidence".
func found(t *testing.T, o Options, dir string) (lines []string, r *Report) {
	t.Helper()
	r, err := Run(context.Background(), o, []string{dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Results {
		name := strings.TrimPrefix(f.Path, filepath.ToSlash(dir)+"/")
		lines = append(lines, name+":"+strconv.Itoa(f.Start.Line)+":"+strconv.Itoa(f.Start.Column)+" "+f.ID+" "+string(f.Confidence))
	}
	return lines, r
}

const v1 = "fetch http://169.254.169.254/latest/meta-data/"

func TestRun(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"a.sh":               "#!/bin/sh\necho é; " + v1 + "\n",
		"deep/er/b.sh":       v1 + " " + v1 + "\n",
		"v2.sh":              v1 + "+token\n",
		"README.md":          v1 + "\n",
		"c.py":               "text\n|" + v1 + "\n",
		"image.py":           "text image\n|" + v1 + "\n",
		"binary.sh":          "a\x00" + v1,
		".git/x.sh":          v1 + "\n",
		".gitignore":         "/out/\n*.tmp\n!keep.tmp\n",
		"out/x.sh":           v1 + "\n",
		"x.tmp":              v1 + "\n",
		"keep.tmp":           v1 + "\n",
		"mark.sh":            "\ufeff" + v1 + "\r\n",
		"vendor/v.sh":        v1 + "\n",
		"plain.conf":         v1 + "\n",
		".github/hidden.txt": v1 + "\n",
	})
	o := toys()
	o.Exclude = []string{"vendor"}
	got, _ := found(t, o, dir)
	want := []string{
		"a.sh:2:9 TG1001 sure",
		"c.py:2:2 TG1001 sure",
		"deep/er/b.sh:1:1 TG1001 sure",
		"deep/er/b.sh:1:48 TG1001 sure",
		"image.py:2:2 TG1001 sure",
		"keep.tmp:1:1 TG1001 sure",
		"mark.sh:1:1 TG1001 sure",
		"plain.conf:1:1 TG1001 sure",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// What the detector of a structured file hands to nobody is read line by line;
// what it does hand over is not read twice.
func TestRest(t *testing.T) {
	t.Parallel()
	o := toys()
	o.Detectors[Kubernetes] = func(t *Text) Facts {
		at := strings.Index(t.Body, "known: ") + len("known: ")
		end := at + strings.Index(t.Body[at:], "\n")
		b := t.Within()
		b.Verbatim(Span{at, end})
		return Facts{Texts: []*Text{b.Text(Shell, Layer{Name: "a value", Encode: func(s string) (string, error) { return s, nil }})}}
	}
	o.Detectors[Shell] = func(*Text) Facts { return Facts{} } // it is a call with a token
	const head = "apiVersion: v1\nkind: Pod\n"
	dir := tree(t, map[string]string{
		"all.yaml":  head + "known: " + v1 + "\n",
		"some.yaml": head + "known: " + v1 + "\nodd: " + v1 + "\n",
		"tag.yaml":  "{{ if x }}\nodd: " + v1 + "\n",
	})
	got, r := found(t, o, dir)
	if diff := cmp.Diff([]string{"some.yaml:4:6 TG1001 likely", "tag.yaml:2:6 TG1001 sure"}, got); diff != "" || len(r.Results[0].Edits) != 0 {
		t.Errorf("-want +got:\n%s", diff)
	}
}
