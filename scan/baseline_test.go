package scan

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What was found before is known again where it has moved to, and as often as
// it was there.
func TestBaseline(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	if err := Source(toys(), "a.sh", []byte(v1+"\n"+v1+"\n")).JSON(&written); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file, text string
		told             int
	}{
		{"the same", "a.sh", v1 + "\n" + v1 + "\n", 0},
		{"moved", "a.sh", "echo\n\n  " + v1 + "\n" + v1 + "\n", 0},
		{"one more", "a.sh", v1 + "\n" + v1 + "\n" + v1 + "\n", 1},
		{"changed", "a.sh", v1 + "x\n" + v1 + "\n", 1},
		{"another file", "b.sh", v1 + "\n", 1},
	} {
		known, err := ReadBaseline(bytes.NewReader(written.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		o := toys()
		o.Known = known
		if got := len(Source(o, tt.file, []byte(tt.text)).Results); got != tt.told {
			t.Errorf("%s: %d told, want %d", tt.name, got, tt.told)
		}
	}
	for _, bad := range []string{"", "[]", `{"version": 2}`} {
		if _, err := ReadBaseline(strings.NewReader(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestSince(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.sh": "echo\n" + v1 + "\nlast\n", "moved.sh": v1 + "\n" + strings.Repeat("echo\n", 20), "gone.sh": v1 + "\n"})
	run := func(args ...string) {
		t.Helper()
		args = append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	run("init", "-q", "-b", "main")
	run("add", ".")
	run("commit", "-qm", "one")
	run("checkout", "-qb", "topic")
	run("mv", "moved.sh", "ünd er.sh")
	run("rm", "-q", "gone.sh")
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.sh", v1+"\necho\n"+v1+"\nlast\n++ "+v1)
	run("commit", "-qam", "two")
	write("new.sh", v1+"\n")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	for revision, dir := range map[string]string{"main": dir, "main..": dir, "main...": dir, "HEAD~1": link} {
		o := toys()
		added, err := Since(context.Background(), dir, revision)
		if err != nil {
			t.Fatal(err)
		}
		o.Added = added
		got, _ := found(t, o, dir)
		want := []string{"a.sh:1:1 TG1001 sure", "a.sh:5:4 TG1001 sure", "new.sh:1:1 TG1001 sure"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", revision, diff)
		}
	}
	for _, bad := range []string{"", "..", "--output=x", "main..topic", "none"} {
		if _, err := Since(context.Background(), dir, bad); err == nil {
			t.Errorf("%q was taken for a revision", bad)
		}
	}
	if _, err := Since(context.Background(), t.TempDir(), "main"); err == nil || !strings.Contains(err.Error(), "not a git repository") {
		t.Errorf("outside of a repository: %v", err)
	}
}

func FuzzAddedBy(f *testing.F) {
	f.Add("--- a/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n+b\n+++ c\n")
	f.Add("+++ \"b/\\303\\274\"\n@@ -0,0 +1 @@\n+a\n\\ No newline at end of file\n")
	f.Fuzz(func(t *testing.T, diff string) {
		added, err := addedBy(strings.NewReader(diff), "/top")
		if err != nil {
			return
		}
		for name, spans := range added {
			if slices.ContainsFunc(spans, func(s Span) bool { return s.End < s.Start }) {
				t.Errorf("%s: %v", name, spans)
			}
		}
	})
}
