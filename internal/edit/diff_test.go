package edit

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnified(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, before, after, want string }{
		{"the same", "a\n", "a\n", ""},
		{"one line", "a\nb\nc\n", "a\nB\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
		{"into nothing", "", "a\n", "@@ -0,0 +1 @@\n+a\n"},
		{"no newline", "a", "b\n", "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n"},
		{"carriage returns", "a\r\nb\r\n", "a\r\nc\r\n", "@@ -1,2 +1,2 @@\n a\r\n-b\r\n+c\r\n"},
		{"far apart", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "0\n1\n2\n3\n4\n5\n6\n7\n8\n",
			"@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -6,4 +7,3 @@\n 6\n 7\n 8\n-9\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want := tt.want
			if want != "" {
				want = "--- a/x/y\n+++ b/x/y\n" + want
			}
			if diff := cmp.Diff(want, Unified("x/y", tt.before, tt.after)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// What patch(1) makes of a difference is the other text, whatever they are.
func TestUnifiedIsAPatch(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("patch"); err != nil {
		t.Skip("no patch here")
	}
	random := rand.New(rand.NewPCG(1, 2))
	text := func() string {
		var b strings.Builder
		for range random.IntN(40) {
			b.WriteString(string(rune('a'+random.IntN(4))) + "\n")
		}
		return b.String() + []string{"", "end"}[random.IntN(2)]
	}
	for range 60 {
		before, after := text(), text()
		dir := t.TempDir()
		path := filepath.Join(dir, "a file")
		if err := os.WriteFile(path, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("patch", "-p1", "-s")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(Unified("a file", before, after))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\nfrom %q to %q", err, out, before, after)
		}
		if got, _ := os.ReadFile(path); string(got) != after {
			t.Errorf("got %q, want %q", got, after)
		}
	}
}
