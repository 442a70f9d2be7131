package shell

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"mvdan.cc/sh/v3/syntax"

	"tegata/internal/edit"
	"tegata/scan"
)

var update = flag.Bool("update", false, "write what is told and what becomes of the scripts in testdata anew")

// A sample is a script with what is to be told of it and what is to become of
// it.
type sample struct{ name, before, told, after string }

func samples(t testing.TB, file string) (list []sample, archive *txtar.Archive) {
	t.Helper()
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		name, part, _ := strings.Cut(f.Name, "/")
		if part == "before" {
			list = append(list, sample{name: name})
		}
		last := &list[len(list)-1]
		switch part {
		case "before":
			last.before = string(f.Data)
		case "told":
			last.told = string(f.Data)
		case "after":
			last.after = string(f.Data)
		}
	}
	return list, archive
}

func script1(body string) *scan.Text {
	return scan.File("script", scan.Script(body, scan.Bash), []byte(body))
}

// mended returns what all fixes make of a script, those of what is embedded in
// it, too.
func mended(t testing.TB, body string) string {
	t.Helper()
	text := script1(body)
	out, err := edit.Apply(body, edits(t, text))
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return out
}

func edits(t testing.TB, text *scan.Text) (out []edit.Edit) {
	t.Helper()
	facts := Detect(text)
	for _, f := range facts.Findings {
		for _, splice := range f.Fix {
			e, err := text.Edit(splice)
			if err != nil {
				t.Errorf("a fix that can't be written: %v", err)
			}
			out = append(out, e)
		}
	}
	for _, inner := range facts.Texts {
		if inner.Lang == scan.Shell || inner.Lang == scan.Bash {
			out = append(out, edits(t, inner)...)
		}
	}
	return out
}

// explained is told with a line for each finding, and why it is not mended.
func explained(text *scan.Text) string {
	var out strings.Builder
	facts := Detect(text)
	for _, f := range facts.Findings {
		out.WriteString(f.ID + " " + string(f.Confidence) + " " + newLineNumbers(text.Body).of(f.At.Start))
		if f.Why != "" {
			out.WriteString(": " + f.Why)
		}
		out.WriteString("\n")
	}
	for _, inner := range facts.Texts {
		if inner.Lang == scan.Shell || inner.Lang == scan.Bash {
			if s := explained(inner); s != "" {
				out.WriteString("in " + inner.Layers()[len(inner.Layers())-1].Name + ":\n" + s)
			}
			continue
		}
		out.WriteString(string(inner.Lang) + ": " + strings.ReplaceAll(strings.TrimSpace(inner.Body), "\n", "\n  ") + "\n")
	}
	return out.String()
}

func TestSamples(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"testdata/run.txtar", "testdata/read.txtar"} {
		list, archive := samples(t, file)
		for i, s := range list {
			t.Run(s.name, func(t *testing.T) {
				told, after := explained(script1(s.before)), mended(t, s.before)
				if *update {
					list[i].told, list[i].after = told, after
				} else if told != s.told || after != s.after {
					t.Errorf("told\n%swant\n%safter\n%swant\n%s", told, s.told, after, s.after)
				}
				checkMended(t, s.before, after)
			})
		}
		if *update {
			write(t, file, archive, list)
		}
	}
}

// checkMended demands of a rewritten script that a shell reads it if one read it
// before, that what was mended is not told of again, and that nothing is left
// to mend.
func checkMended(t *testing.T, before, after string) {
	t.Helper()
	if (tree(before) == nil) != (tree(after) == nil) {
		t.Errorf("no shell reads it any more:\n%s", after)
	}
	if again := mended(t, after); again != after {
		t.Errorf("mended twice:\n%s", again)
	}
	if strings.Contains(strings.Replace(after, before, "", 1), "${") && !strings.Contains(before, "${") {
		t.Errorf("braces that templates would fill in:\n%s", after)
	}
	if strings.Count(after, "%") != strings.Count(before, "%") {
		t.Errorf("a per cent sign that templates would take:\n%s", after)
	}
	want := unmended(script1(before))
	if got := strings.Count(explained(script1(after)), "TG1"); got != want {
		t.Errorf("%d findings are left, want %d:\n%s", got, want, explained(script1(after)))
	}
}

// unmended is how many findings have no fix.
func unmended(text *scan.Text) (n int) {
	facts := Detect(text)
	for _, f := range facts.Findings {
		if f.Fix == nil {
			n++
			if f.Why == "" {
				n += 1000
			}
		}
	}
	for _, inner := range facts.Texts {
		if inner.Lang == scan.Shell || inner.Lang == scan.Bash {
			n += unmended(inner)
		}
	}
	return n
}

func write(t *testing.T, file string, archive *txtar.Archive, list []sample) {
	archive.Files = nil
	for _, s := range list {
		for _, part := range []struct{ name, data string }{{"before", s.before}, {"told", s.told}, {"after", s.after}} {
			if !bytes.HasSuffix([]byte(part.data), []byte("\n")) && part.data != "" {
				part.data += "\n"
			}
			archive.Files = append(archive.Files, txtar.File{Name: s.name + "/" + part.name, Data: []byte(part.data)})
		}
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A script with the line ends of Windows keeps them.
func TestMendedCarriageReturns(t *testing.T) {
	t.Parallel()
	const before = "#!/bin/bash\r\nA=$(curl -s http://169.254.169.254/latest/meta-data/instance-id)\r\nB=$(curl -s http://169.254.169.254/latest/meta-data/instance-type)\r\n"
	after := mended(t, before)
	checkMended(t, before, after)
	if strings.Count(after, "\r\n") != 4 || strings.Count(after, "\n") != 4 || strings.Contains(after, "token\r") {
		t.Errorf("%q", after)
	}
}

func tree(body string) *syntax.File {
	file, _ := parse(script1(body))
	return file
}
