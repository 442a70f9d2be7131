package doctor

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/message"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden compares what people read, in both languages.
func TestGolden(t *testing.T) {
	for _, test := range []struct {
		name  string
		spoil func(w *world)
	}{
		{"healthy", func(*world) {}},
		{"hop-limit", func(w *world) {
			w.replies["PUT /latest/api/token"] = hang
			w.files["/sys/class/dmi/id/board_asset_tag"] = testInstance
		}},
		{"region-and-model", func(w *world) {
			w.env["AWS_REGION"], w.model = "ap", "anthropic.claude-3-sonnet-20240229-v1:0"
		}},
		{"model", func(w *world) { w.model = "anthropic.claude-sonnet-4-6" }},
	} {
		w := healthy()
		test.spoil(w)
		w.files["/app/compose.yaml"] = composeFileText
		w.processes = func() ([]Process, error) { return []Process{{PID: 1, Name: "init"}}, nil }
		r := examine(t, w)
		for _, l := range []message.Lang{message.English, message.Japanese} {
			golden(t, test.name+"."+string(l)+".txt", text(t, r, l))
			golden(t, test.name+".diagnose."+string(l)+".txt", diagnosis(t, r, l))
		}
		golden(t, test.name+".json", document(t, r))
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	got = filepath.ToSlash(got)
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (run go test -update to accept): %s", name, diff)
	}
}

func TestSectionsSpeakJapanese(t *testing.T) {
	for _, s := range sections {
		for _, phrase := range []string{s.title, s.ask} {
			if phrase != "" && message.Japanese.T(phrase) == phrase {
				t.Errorf("no Japanese for %q", phrase)
			}
		}
		for _, name := range append(s.steps, s.plain...) {
			if !slices.ContainsFunc(Checks(), func(c Check) bool { return c.Name == name }) {
				t.Errorf("%s: there is no check %q", s.title, name)
			}
		}
	}
}

// A section that nobody could look into is never good.
func TestDiagnoseKnowsWhatItDoesNotKnow(t *testing.T) {
	s := diagnosis(t, examine(t, healthy()), message.English)
	for _, number := range []string{"3", "4", "6", "7"} {
		if regexp.MustCompile(`(?m)^` + number + `\. .*\n   ✓`).MatchString(s) {
			t.Errorf("section %s is good:\n%s", number, s)
		}
	}
}
