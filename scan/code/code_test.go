package code

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

// A shapeCase is a program and what is found in it: "TG1001 sure 3", or
// "bash 2" for a script that begins on line 2.
type shapeCase struct{ file, path, want, src string }

// shapeCases reads testdata/*.txt: a program begins with "=== path | want".
func shapeCases(t testing.TB) (cases []shapeCase) {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range strings.Split("\n"+string(data), "\n=== ")[1:] {
			head, src, _ := strings.Cut(section, "\n")
			name, want, _ := strings.Cut(head, " |")
			cases = append(cases, shapeCase{file, name, strings.TrimSpace(want), src})
		}
	}
	return cases
}

// language is what the engine takes a file for.
func language(name string) scan.Lang {
	switch path.Ext(name) {
	case ".py":
		return scan.Python
	case ".go":
		return scan.Go
	case ".js", ".ts", ".jsx", ".mjs":
		return scan.JavaScript
	case ".java", ".kt", ".scala", ".groovy", ".gradle":
		return scan.Java
	case ".cs":
		return scan.CSharp
	case ".rb":
		return scan.Ruby
	case ".php":
		return scan.PHP
	}
	return scan.Plain
}

func detected(t *scan.Text) string {
	facts := Detect(t)
	var out []string
	for _, f := range facts.Findings {
		out = append(out, fmt.Sprintf("%s %s %d", f.ID, f.Confidence, 1+strings.Count(t.Body[:f.At.Start], "\n")))
	}
	for _, inner := range facts.Texts {
		at := inner.InFile(scan.Span{Start: 0, End: 1})
		out = append(out, fmt.Sprintf("%s %d", inner.Lang, 1+strings.Count(t.Body[:at.Start], "\n")))
	}
	return strings.Join(out, ", ")
}

func TestShapes(t *testing.T) {
	t.Parallel()
	for _, tt := range shapeCases(t) {
		got := detected(scan.File(tt.path, language(tt.path), []byte(tt.src)))
		if got != tt.want {
			t.Errorf("%s: %s: %q, want %q\n%s", filepath.Base(tt.file), tt.path, got, tt.want, tt.src)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, c := range shapeCases(f) {
		f.Add(c.path, c.src)
	}
	f.Fuzz(func(t *testing.T, name, src string) {
		file := scan.File(name, language(name), []byte(src))
		facts := Detect(file)
		for _, found := range facts.Findings {
			if at := found.At; at.Start < 0 || at.End < at.Start || at.End > len(file.Body) {
				t.Fatalf("%q: finding at %v", src, at)
			}
			for _, splice := range found.Fix {
				if _, err := file.Edit(splice); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, inner := range facts.Texts {
			if at := inner.InFile(scan.Span{Start: 0, End: len(inner.Body)}); at.End > len(src) {
				t.Fatalf("%q: text at %v", src, at)
			}
		}
	})
}

// What was rewritten has nothing to find any more, and nothing else changed.
func TestFixes(t *testing.T) {
	t.Parallel()
	const header = `"X-aws-ec2-metadata-token": requests.put("http://169.254.169.254/latest/api/token", headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}%s).text`
	for _, tt := range []struct{ src, want, why string }{
		{`requests.get("http://169.254.169.254/latest/x")`, `requests.get("http://169.254.169.254/latest/x", headers={` + fmt.Sprintf(header, "") + `})`, ""},
		{"requests.get(\n  \"http://169.254.169.254/latest/x\",\n  timeout=T,\n)", "requests.get(\n  \"http://169.254.169.254/latest/x\",\n  timeout=T, headers={" + fmt.Sprintf(header, ", timeout=T") + "},\n)", ""},
		{`requests.get("http://169.254.169.254/latest/x", headers={"a": "b"})`, `requests.get("http://169.254.169.254/latest/x", headers={` + fmt.Sprintf(header, "") + `, "a": "b"})`, ""},
		{`f"{requests.get('http://169.254.169.254/latest/x').text}"`, `f"{requests.get('http://169.254.169.254/latest/x', headers={` + strings.ReplaceAll(fmt.Sprintf(header, ""), `"`, "'") + `}).text}"`, ""},
		{`requests.get("http://169.254.169.254/latest/x", headers=h)`, "", whyHeaders},
		{`requests.get("http://169.254.169.254/latest/x", **more)`, "", whyHeaders},
		{`requests.get(os.getenv("I", "http://169.254.169.254") + "/latest/x")`, "", whyHost},
		{"def f(u):\n  return requests.get(u)\nf('http://169.254.169.254/latest/x')", "", whyWrapper},
		{`urlopen("http://169.254.169.254/latest/x")`, "", whyLanguage},
	} {
		file := scan.File("a.py", scan.Python, []byte(tt.src))
		found := Detect(file).Findings
		if len(found) != 1 || found[0].Why != tt.why || len(found[0].Fix) == 0 != (tt.want == "") {
			t.Errorf("%s: %+v, want %q", tt.src, found, tt.why)
			continue
		}
		if tt.want == "" {
			continue
		}
		e, err := file.Edit(found[0].Fix[0])
		if err != nil {
			t.Fatal(err)
		}
		got, err := edit.Apply(tt.src, []edit.Edit{e})
		if err != nil || got != tt.want {
			t.Errorf("%s:\n%s, %v, want\n%s", tt.src, got, err, tt.want)
		}
		if again := detected(scan.File("a.py", scan.Python, []byte(got))); again != "" {
			t.Errorf("%s: still %s", got, again)
		}
	}
}
