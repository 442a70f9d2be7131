package powershell

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

// A shapeCase is a script and what is found in it: "TG1001 sure 3", or
// "bash 2" for a script that begins on line 2.
type shapeCase struct{ path, want, src string }

// shapeCases reads testdata/*.txt: a script begins with "=== path | want".
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
			cases = append(cases, shapeCase{name, strings.TrimSpace(want), src})
		}
	}
	return cases
}

func file(name, src string) *scan.Text {
	lang := scan.PowerShell
	if path.Ext(name) == ".bat" {
		lang = scan.Batch
	}
	return scan.File(name, lang, []byte(src))
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
		if got := detected(file(tt.path, tt.src)); got != tt.want {
			t.Errorf("%s: %q, want %q\n%s", tt.path, got, tt.want, tt.src)
		}
	}
}

// What was rewritten has nothing to find any more, and nothing else changed.
func TestFixes(t *testing.T) {
	t.Parallel()
	const token = `'X-aws-ec2-metadata-token' = (Invoke-RestMethod%s -Method Put -Uri 'http://169.254.169.254/latest/api/token' -Headers @{'X-aws-ec2-metadata-token-ttl-seconds' = '60'})`
	plain := fmt.Sprintf(token, "")
	for _, tt := range []struct{ src, want, why string }{
		{"$i = irm http://169.254.169.254/latest/x", "$i = irm -Headers @{" + plain + "} http://169.254.169.254/latest/x", ""},
		{"irm -TimeoutSec 5 http://169.254.169.254/latest/x", "irm -Headers @{" + fmt.Sprintf(token, " -TimeoutSec 5") + "} -TimeoutSec 5 http://169.254.169.254/latest/x", ""},
		{"(iwr -UseBasicParsing http://169.254.169.254/latest/x).Content", "(iwr -Headers @{" + fmt.Sprintf(token, " -UseBasicParsing") + "} -UseBasicParsing http://169.254.169.254/latest/x).Content", ""},
		{"irm -NoProxy http://169.254.169.254/latest/x", "irm -Headers @{" + fmt.Sprintf(token, " -NoProxy") + "} -NoProxy http://169.254.169.254/latest/x", ""},
		{"irm http://169.254.169.254/latest/x -Headers @{a = 'b'}", "irm http://169.254.169.254/latest/x -Headers @{" + plain + "; a = 'b'}", ""},
		{"$p = @{Uri = 'http://169.254.169.254/latest/x'}\nirm @p", "$p = @{Headers = @{" + plain + "}; Uri = 'http://169.254.169.254/latest/x'}\nirm @p", ""},
		{"curl http://169.254.169.254/latest/x", "", whyCurl},
		{"(New-Object Net.WebClient).DownloadString('http://169.254.169.254/latest/x')", "", whyMethod},
		{"irm http://169.254.169.254/latest/x -Headers $h", "", whyHeaders},
		{"function F($u) { irm $u }\nF http://169.254.169.254/latest/x", "", whyWrapper},
	} {
		text := file("a.ps1", tt.src)
		found := Detect(text).Findings
		if len(found) != 1 || found[0].Why != tt.why || len(found[0].Fix) == 0 != (tt.want == "") {
			t.Errorf("%s: %+v, want %q", tt.src, found, tt.why)
			continue
		}
		var edits []edit.Edit
		for _, splice := range found[0].Fix {
			e, err := text.Edit(splice)
			if err != nil {
				t.Fatal(err)
			}
			edits = append(edits, e)
		}
		got, err := edit.Apply(tt.src, edits)
		if tt.want == "" {
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s:\n%s, %v, want\n%s", tt.src, got, err, tt.want)
		}
		if again := detected(file("a.ps1", got)); again != "" {
			t.Errorf("%s: still %s", got, again)
		}
	}
}

func FuzzDetect(f *testing.F) {
	for _, c := range shapeCases(f) {
		f.Add(c.path, c.src)
	}
	f.Fuzz(func(t *testing.T, name, src string) {
		text := file(name, src)
		end := 0
		for i, token := range lex(text.Body) {
			if token.at.Start < end || token.at.End < token.at.Start || token.at.End > len(text.Body) {
				t.Fatalf("%q: token %d at %v", src, i, token.at)
			}
			end = token.at.End
		}
		facts := Detect(text)
		for _, found := range facts.Findings {
			if found.At.Start < 0 || found.At.End < found.At.Start || found.At.End > len(text.Body) {
				t.Fatalf("%q: finding at %v", src, found.At)
			}
			for _, splice := range found.Fix {
				if _, err := text.Edit(splice); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
