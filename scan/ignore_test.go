package scan

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// What git passes over, we pass over.
func TestIgnoreAsGitDoes(t *testing.T) {
	t.Parallel()
	names := []string{
		"a", "a.log", "b/a.log", "b/c/a.log", "out/x", "b/out/x", "docs/a.txt", "docs/b/a.txt", "keep.log", "b/keep.log",
		"foo/bar/x", "x/foo/bar/y", "abc", "abd", "a c ", "hash#", "#comment", "!bang", "deep/1/2/z", "deep/z", "q1", "q22", "brace]", "B/A.LOG", "tmp/keep", "tmp/no",
	}
	for _, patterns := range []string{
		"*.log", "*.log\n!keep.log", "/a", "out/", "/out/", "docs/*.txt", "docs/**/*.txt", "**/bar", "foo/**", "**/foo/bar/", "ab[a-c]", "ab[!c]", "ab?",
		"a c\\ ", "\\#comment", "\\!bang", "# nothing", "deep/**/z", "q?", "q[0-9][0-9]", "*", "*\n!*/\n!*.log", "tmp/*\n!tmp/keep", "b/\n!b/a.log", "**", "/*\n!/docs", "  ", "out", "b/c",
		"a.log \n", "brace]", "[", "foo/bar", "*/a.log",
	} {
		t.Run(strings.ReplaceAll(patterns, "\n", " "), func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for _, name := range names {
				files[name] = "x"
			}
			dir := tree(t, files)
			if out, err := exec.Command("git", "init", "-q", dir).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte(patterns), 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("git", "-C", dir, "-c", "core.excludesFile=/dev/null", "-c", "core.quotePath=off", "ls-files", "--others", "--exclude-standard").Output()
			if err != nil {
				t.Fatal(err)
			}
			theirs := map[string]bool{}
			for line := range strings.Lines(string(out)) {
				theirs[unquote(strings.TrimSuffix(line, "\n"))] = true
			}
			rules := (*ignoreRules)(nil).below("", filepath.Join(dir, ".gitignore"))
			for _, name := range names {
				if ours := !ignoredWithin(rules, name); ours != theirs[name] {
					t.Errorf("%q is read: %v, by git: %v", name, ours, theirs[name])
				}
			}
		})
	}
}

// ignoredWithin asks for every folder on the way, as a walk does.
func ignoredWithin(rules *ignoreRules, name string) bool {
	for i, c := range name {
		if c == '/' && rules.ignores(name[:i], true) {
			return true
		}
	}
	return rules.ignores(name, false)
}

// Rules of folders further down are stronger, and those above the folder that
// is scanned hold as well.
func TestIgnoreNested(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		".git/info/exclude": "secret.sh\n",
		".gitignore":        "*.sh\n/top/skipped\n",
		"top/.gitignore":    "!kept.sh\n",
		"top/kept.sh":       v1,
		"top/other.sh":      v1,
		"top/secret.conf":   v1,
		"top/skipped/a.py":  "text\n|" + v1,
		"top/sub/kept.sh":   v1,
		"top/sub/secret.sh": v1,
	})
	got, _ := found(t, toys(), filepath.Join(dir, "top"))
	want := []string{"kept.sh:1:1 TG1001 sure", "secret.conf:1:1 TG1001 sure", "sub/kept.sh:1:1 TG1001 sure"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	everything := toys()
	everything.Everything = true
	if got, _ := found(t, everything, filepath.Join(dir, "top")); len(got) != 6 {
		t.Errorf("with nothing ignored: %q", got)
	}
}

func FuzzMatchGlob(f *testing.F) {
	for _, seed := range [][2]string{{"*.log", "a.log"}, {"a[b-", "ab"}, {"[!a]*\\", "x"}, {"**", ""}, {"[]", "]"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if p, ok := parseIgnoreLine(pattern); ok {
			p.match(name, true)
		}
		if !matchGlob("*", name) {
			t.Errorf("* does not match %q", name)
		}
	})
}
