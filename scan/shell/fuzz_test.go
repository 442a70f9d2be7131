package shell

import (
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

func FuzzDetect(f *testing.F) {
	for _, file := range []string{"testdata/run.txtar", "testdata/read.txtar"} {
		list, _ := samples(f, file)
		for _, s := range list {
			f.Add(s.before)
			f.Add(s.after)
		}
	}
	for _, d := range detections {
		f.Add(strings.ReplaceAll(d.body, "HOST", host))
	}
	f.Fuzz(func(t *testing.T, body string) {
		text := scan.File("script", scan.Script(body, scan.Bash), []byte(body))
		facts := Detect(text)
		var all []edit.Edit
		for _, found := range facts.Findings {
			if found.At.Start < 0 || found.At.End < found.At.Start || found.At.End > len(text.Body) {
				t.Fatalf("%s at %v of %d bytes", found.ID, found.At, len(text.Body))
			}
			if found.Fix == nil && found.Why == "" || found.Fix != nil && found.Why != "" {
				t.Errorf("%s has %d changes and says %q", found.ID, len(found.Fix), found.Why)
			}
			for _, splice := range found.Fix {
				if removed := text.Body[splice.At.Start:splice.At.End]; splice.Text != "" && removed != "" {
					t.Errorf("%q becomes %q: nothing is written anew", removed, splice.Text)
				}
				e, err := text.Edit(splice)
				if err != nil {
					t.Error(err)
				}
				all = append(all, e)
			}
		}
		after, err := edit.Apply(body, all)
		if err != nil {
			t.Fatal(err)
		}
		if len(all) > 0 && (tree(body) == nil) != (tree(after) == nil) {
			t.Errorf("no shell reads it any more: %q", after)
		}
	})
}

// A long script that asks for something now and then is read at this speed.
func BenchmarkDetect(b *testing.B) {
	list, _ := samples(b, "testdata/run.txtar")
	var body strings.Builder
	for range 20 {
		for _, s := range list {
			body.WriteString("(\n" + strings.ReplaceAll(s.before, "169.254.169.254", "example.com") + ")\n")
		}
	}
	for _, s := range list {
		body.WriteString("(\n" + s.before + ")\n")
	}
	text := scan.File("script", scan.Bash, []byte(body.String()))
	b.SetBytes(int64(len(text.Body)))
	b.ReportAllocs()
	for b.Loop() {
		Detect(text)
	}
}
