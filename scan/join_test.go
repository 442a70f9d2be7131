package scan

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stubborn is a call that can't be mended.
const stubborn = "fetch http://169.254.169.254/stubborn"

// careful is toy, without mending what is stubborn.
func careful(t *Text) Facts {
	f := toy(t)
	for i, found := range f.Findings {
		if strings.Contains(t.Body[found.At.Start:found.At.End], "stubborn") {
			f.Findings[i].Fix, f.Findings[i].Why = nil, "stubborn"
		}
	}
	return f
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  []string // results
		left  []string // why of those that are not mended
	}{
		{"optional, callers clean", map[string]string{
			"main.tf": "metadata_options\ntokens=optional\nrun boot.sh\n", "boot.sh": v1 + "+token\n",
		}, []string{"main.tf:2:1 TG1202 sure"}, nil},
		{"optional, callers mended", map[string]string{
			"main.tf": "metadata_options\ntokens=optional\nrun boot.sh\n", "boot.sh": v1 + "\n",
		}, []string{"boot.sh:1:1 TG1001 sure", "main.tf:2:1 TG1202 sure"}, nil},
		{"optional, a caller stays", map[string]string{
			"main.tf": "metadata_options\ntokens=optional\nrun boot.sh\n", "boot.sh": stubborn + "\n",
		}, []string{"boot.sh:1:1 TG1001 sure", "main.tf:2:1 TG1202 sure"}, []string{"boot.sh: stubborn", "main.tf: " + whyCallersLeft}},
		{"required, a caller", map[string]string{
			"mod/main.tf": "metadata_options\ntokens=required\nrun ../boot.sh\n", "boot.sh": "\n" + v1 + "\n",
		}, []string{"boot.sh:2:1 TG1001 sure", "mod/main.tf:2:1 TG1204 sure"}, []string{"mod/main.tf: "}},
		{"required, none", map[string]string{
			"main.tf": "metadata_options\ntokens=required\nrun boot.sh\nrun gone.sh\n", "boot.sh": "echo 169.254.169.254\n",
		}, nil, nil},
		{"a template", map[string]string{
			"main.tf": "metadata_options\ntokens=required\ntemplate boot.sh\n", "boot.sh": v1 + "\n",
		}, []string{"boot.sh:1:1 TG1001 sure", "main.tf:2:1 TG1204 sure"}, []string{"main.tf: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := toys()
			o.Detectors[Plain], o.Detectors[CloudInit] = careful, careful
			dir := tree(t, tt.files)
			got, r := found(t, o, dir)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			var left []string
			for _, f := range r.Results {
				if len(f.Edits) == 0 {
					left = append(left, strings.TrimPrefix(f.Path, filepath.ToSlash(dir)+"/")+": "+f.Why)
				}
			}
			if diff := cmp.Diff(tt.left, left); diff != "" {
				t.Errorf("left, -want +got:\n%s", diff)
			}
		})
	}
}

// The evidence of TG1204 are the callers, wherever they are.
func TestRequiredNamesItsCallers(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"tf/main.tf": "metadata_options\ntokens=required\nrun ../boot.sh\n", "boot.sh": "\n" + v1 + "\n"})
	_, r := found(t, toys(), filepath.Join(dir, "tf"))
	if len(r.Results) != 1 || r.Results[0].ID != "TG1204" {
		t.Fatalf("found %v", r.Results)
	}
	want := []Field{{"unit", "machine"}, {"caller", filepath.ToSlash(dir) + "/boot.sh:2"}}
	if diff := cmp.Diff(want, r.Results[0].Evidence); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A file that is used in two ways is only mended where both agree.
func TestUsedInTwoWays(t *testing.T) {
	t.Parallel()
	o := toys()
	o.Detectors[CloudInit] = func(t *Text) Facts {
		f := toy(t)
		if t.Embedded() {
			for i := range f.Findings {
				f.Findings[i].Fix[0].Text = "+token "
			}
		}
		return f
	}
	dir := tree(t, map[string]string{"main.tf": "metadata_options\nrun boot.sh\ntemplate boot.sh\n", "boot.sh": v1 + "\n"})
	_, r := found(t, o, dir)
	if len(r.Results) != 1 || r.Results[0].Why != "the file is used as a template and as it is" || len(r.Changes) != 0 {
		t.Errorf("found %+v, changes %v", r.Results[0], r.Changes)
	}
}

// What would not be understood again is withheld, and the rest is mended.
func TestMendOneByOne(t *testing.T) {
	t.Parallel()
	o := toys()
	o.Detectors[Plain] = func(t *Text) Facts {
		f := toy(t)
		for i, found := range f.Findings {
			if strings.Contains(t.Body[found.At.Start:found.At.End], "bad") {
				f.Findings[i].Fix = []Splice{{found.At, v1 + " " + v1}}
			}
		}
		return f
	}
	dir := tree(t, map[string]string{"a.sh": v1 + "1\nfetch http://169.254.169.254/bad\n" + v1 + "2\n"})
	_, r := found(t, o, dir)
	if len(r.Changes) != 1 || len(r.Changes[0].Results) != 2 || r.Results[1].Why != whyNotUnderstood {
		t.Fatalf("changes %+v, results %+v", r.Changes, r.Results[1])
	}
	want := v1 + "1+token\nfetch http://169.254.169.254/bad\n" + v1 + "2+token\n"
	if got := string(r.Changes[0].After); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := r.Changes[0].Write(); err != nil {
		t.Fatal(err)
	}
	if _, again := found(t, o, dir); len(again.Changes) != 0 || len(again.Results) != 1 {
		t.Errorf("a second time: %d changes, %d results", len(again.Changes), len(again.Results))
	}
}

// PowerShell is shown, and not written.
func TestOnlyShown(t *testing.T) {
	t.Parallel()
	o := toys()
	o.Detectors[Plain] = func(t *Text) Facts {
		f := toy(t)
		for i := range f.Findings {
			f.Findings[i].Evidence = []Field{{"interpreter", "powershell"}}
		}
		return f
	}
	dir := tree(t, map[string]string{"a.ps1": v1 + "\n", "main.tf": "metadata_options\ntokens=optional\nrun a.ps1\n"})
	if _, r := found(t, o, dir); len(r.Changes) != 2 {
		t.Errorf("shown: %d changes, want 2", len(r.Changes))
	}
	o.Write = true
	if _, r := found(t, o, dir); len(r.Changes) != 0 || r.Results[1].Why != whyCallersLeft {
		t.Errorf("written: %d changes, %+v", len(r.Changes), r.Results[1])
	}
}

func TestImageBuild(t *testing.T) {
	t.Parallel()
	o := toys()
	o.Detectors[Python] = func(t *Text) Facts {
		b := t.Within()
		b.Verbatim(Span{0, len(t.Body)})
		return Facts{Texts: []*Text{b.Text(Plain, Layer{Name: "RUN", Encode: func(s string) (string, error) { return s, nil }}, ImageBuild)}}
	}
	dir := tree(t, map[string]string{"a.py": v1 + "\n"})
	got, r := found(t, o, dir)
	if diff := cmp.Diff([]string{"a.py:1:1 TG1007 sure"}, got); diff != "" || len(r.Changes) != 0 {
		t.Errorf("-want +got:\n%s, %d changes", diff, len(r.Changes))
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"invalid.sh": "\xff\xfe\xfd " + v1 + "\n", "empty.sh": "", "panics.py": "| 169.254.169.254",
		"large.sh": strings.Repeat("x", 3<<20) + "\n" + strings.Repeat("é\n", 2<<20) + "é " + v1 + " x\n" + strings.Repeat("y", 3<<20),
	})
	for name, to := range map[string]string{"loop": ".", "dangling": "nowhere", "again.sh": "invalid.sh"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	o := toys()
	o.Detectors[Python] = func(*Text) Facts { panic("odd text") }
	got, r := found(t, o, dir)
	want := []string{"invalid.sh:1:5 TG1001 sure", "large.sh:2097154:3 TG1001 sure"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if r.Results[1].Source != "é "+v1+" x" || len(r.Results[1].Edits) != 0 {
		t.Errorf("the source is %q", r.Results[1].Source)
	}
	if len(r.Problems) != 1 || !strings.HasSuffix(r.Problems[0].Error(), "panics.py: read as python: internal error: odd text") {
		t.Errorf("problems %v", r.Problems)
	}
}

func TestUnreadable(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.sh": v1, "locked/b.sh": v1})
	_, r := found(t, toys(), filepath.Join(dir, "none"))
	if len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error(), "no such file") {
		t.Errorf("problems %v", r.Problems)
	}
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	if err := os.Chmod(filepath.Join(dir, "locked"), 0); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Join(dir, "locked"), 0o755)
	got, r := found(t, toys(), dir)
	if len(got) != 1 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0].Error(), "permission denied") {
		t.Errorf("found %v, problems %v", got, r.Problems)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, toys(), []string{tree(t, map[string]string{"a.sh": v1})}); err == nil {
		t.Error("no error")
	}
}

// Lines that are put in end as those of the file do, and a byte order mark
// stays where it is.
func TestLineEnds(t *testing.T) {
	t.Parallel()
	o := toys()
	o.Detectors[Plain] = func(t *Text) Facts {
		f := toy(t)
		for i, found := range f.Findings {
			f.Findings[i].Fix = append(found.Fix, Splice{Span{0, 0}, "first\n"})
		}
		return f
	}
	for before, after := range map[string]string{
		"a\r\n" + v1 + "\r\n":       "first\r\na\r\n" + v1 + "+token\r\n",
		"a\r\n" + v1 + "\n":         "first\na\r\n" + v1 + "+token\n",
		"\ufeffa\n" + v1 + " " + v1: "\ufefffirst\na\n" + v1 + "+token " + v1 + "+token",
		"\ufeff" + v1 + "\r\nb\r\n": "\ufefffirst\r\n" + v1 + "+token\r\nb\r\n",
	} {
		r := Source(o, "a.sh", []byte(before))
		if len(r.Changes) != 1 || string(r.Changes[0].After) != after {
			t.Errorf("%q: got %+v, want %q", before, r.Changes, after)
		}
	}
}
