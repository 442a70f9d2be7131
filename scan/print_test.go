package scan

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/message"
)

var update = flag.Bool("update", false, "rewrite the files that are compared")

// sample is a report with one of everything: a result that is mended, one that
// is not, one within another text, and a file that can't be read.
func sample(t *testing.T) *Report {
	t.Helper()
	o := toys()
	o.Detectors[Plain], o.Detectors[Bash] = careful, careful
	r := Source(o, "boot/起動 1.sh", []byte("#!/bin/bash\n\techo 日本; "+v1+"\n"+stubborn+" # "+strings.Repeat("long ", 60)+"\n"))
	in := Source(o, "c.py", []byte("bash UserData web\n|x\n|"+v1+"\n"))
	r.Results = append(r.Results, in.Results...)
	r.Changes = append(r.Changes, in.Changes...)
	r.Files += 2
	r.Problems = []Problem{{"locked.sh", os.ErrPermission}}
	return r
}

func TestForms(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(*Report, *bytes.Buffer) error{
		"text.en.txt": func(r *Report, w *bytes.Buffer) error { return r.Text(w, message.English) },
		"text.ja.txt": func(r *Report, w *bytes.Buffer) error { return r.Text(w, message.Japanese) },
		"json":        func(r *Report, w *bytes.Buffer) error { return r.JSON(w) },
		"sarif":       func(r *Report, w *bytes.Buffer) error { return r.SARIF(w, message.English, "1.0", "/home/me/my tree") },
		"junit.xml":   func(r *Report, w *bytes.Buffer) error { return r.JUnit(w, message.English) },
		"github.txt":  func(r *Report, w *bytes.Buffer) error { return r.Annotations(w, message.English) },
		"diff":        func(r *Report, w *bytes.Buffer) error { return r.Diff(w) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got bytes.Buffer
			if err := write(sample(t), &got); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", "sample."+name)
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// Each form can be read by what it is for.
func TestFormsAreWellFormed(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]*Report{"sample": sample(t), "empty": {Files: 3}} {
		var j, s, x bytes.Buffer
		if err := r.JSON(&j); err != nil || !json.Valid(j.Bytes()) {
			t.Errorf("%s: JSON: %v", name, err)
		}
		if err := r.SARIF(&s, message.Japanese, "", "/"); err != nil || !json.Valid(s.Bytes()) {
			t.Errorf("%s: SARIF: %v", name, err)
		}
		var suite struct {
			Tests int        `xml:"tests,attr"`
			Cases []struct{} `xml:"testcase"`
		}
		if err := r.JUnit(&x, message.English); err != nil {
			t.Error(err)
		}
		if err := xml.Unmarshal(x.Bytes(), &suite); err != nil || suite.Tests != len(suite.Cases) || suite.Tests == 0 {
			t.Errorf("%s: JUnit: %v, %+v", name, err, suite)
		}
	}
}

// The replacements of SARIF, made by somebody who knows only lines and columns,
// are the change.
func TestSARIFFixes(t *testing.T) {
	t.Parallel()
	r := sample(t)
	var out bytes.Buffer
	if err := r.SARIF(&out, message.English, "", "/"); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(out.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	change := r.Changes[0]
	lines := strings.SplitAfter(string(change.Before), "\n")
	for _, result := range log.Runs[0].Results {
		for _, f := range result.Fixes {
			if f.Changes[0].Artifact.URI != artifact(change.Path).URI {
				continue
			}
			for _, e := range f.Changes[0].Replacements {
				line := []rune(lines[e.Deleted.StartLine-1])
				lines[e.Deleted.StartLine-1] = string(line[:e.Deleted.StartColumn-1]) + e.Inserted.Text + string(line[e.Deleted.EndColumn-1:])
			}
		}
	}
	if diff := cmp.Diff(string(change.After), strings.Join(lines, "")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// git applies what Diff writes.
func TestDiffApplies(t *testing.T) {
	dir := tree(t, map[string]string{"a/b.sh": "#!/bin/sh\r\n" + v1 + "\r\n", "c d.sh": "\ufeff" + v1})
	t.Chdir(dir)
	r, err := Run(t.Context(), toys(), []string{"."})
	if err != nil || len(r.Changes) != 2 {
		t.Fatalf("%v, %d changes", err, len(r.Changes))
	}
	var patch bytes.Buffer
	if err := r.Diff(&patch); err != nil {
		t.Fatal(err)
	}
	apply := exec.Command("git", "apply", "-")
	apply.Stdin = &patch
	if out, err := apply.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range r.Changes {
		if got, err := os.ReadFile(c.Path); err != nil || !bytes.Equal(got, c.After) {
			t.Errorf("%s: %q, %v, want %q", c.Path, got, err, c.After)
		}
	}
	if again, err := Run(t.Context(), toys(), []string{"."}); err != nil || len(again.Results) != 0 {
		t.Errorf("a second time: %v, %v", again.Results, err)
	}
}

// The members are a promise: one may be added here and in the page, none may go.
func TestJSONMembers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sample(t).JSON(&out); err != nil {
		t.Fatal(err)
	}
	var report map[string]any
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	findings := report["findings"].([]any)
	got := slices.Sorted(maps.Keys(report))
	for _, f := range []any{findings[0], findings[1]} {
		got = append(got, slices.Sorted(maps.Keys(f.(map[string]any)))...)
	}
	slices.Sort(got)
	want := []string{
		"column", "confidence", "end", "end_column", "end_line", "evidence", "files", "findings", "fingerprint", "fix", "id", "line",
		"origin", "path", "problems", "severity", "silenced", "source", "start", "title", "version", "why",
	}
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	page, err := os.ReadFile("../docs/scan.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range want {
		if !strings.Contains(string(page), member+"`") {
			t.Errorf("docs/scan.md does not tell of %s", member)
		}
	}
}

// Every finding of the family has its place in the page.
func TestPageHasAllFindings(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/scan.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range message.All() {
		if strings.HasPrefix(m.ID, "TG1") && !strings.Contains(string(page), "messages/"+m.ID+".md") {
			t.Errorf("docs/scan.md does not name %s", m.ID)
		}
	}
}
