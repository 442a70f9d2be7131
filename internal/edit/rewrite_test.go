package edit

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRewrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sh")
	if err := os.WriteFile(path, []byte("one\r\n"), 0o751); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o751); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink("a.sh", link); err != nil {
		t.Fatal(err)
	}
	if err := Rewrite(link, []byte("one\r\n"), []byte("two\r\n")); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	info, _ := os.Lstat(path)
	if err != nil || string(got) != "two\r\n" || info.Mode() != 0o751 {
		t.Errorf("%q, %v, mode %v", got, err, info.Mode())
	}
	if to, err := os.Readlink(link); err != nil || to != "a.sh" {
		t.Errorf("the link is %q, %v", to, err)
	}
	left(t, dir, 2)
}

// A file that somebody else has written since is theirs.
func TestRewriteAChangedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sh")
	if err := os.WriteFile(path, []byte("theirs"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Rewrite(path, []byte("before"), []byte("ours")); !errors.Is(err, ErrChanged) {
		t.Errorf("%v, want %v", err, ErrChanged)
	}
	if got, _ := os.ReadFile(path); string(got) != "theirs" {
		t.Errorf("%q was written", got)
	}
	if err := Rewrite(filepath.Join(dir, "gone"), nil, nil); err == nil {
		t.Error("a file that is not there was written")
	}
}

func TestRewriteAReadOnlyFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write everything")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "a.sh")
	if err := os.WriteFile(path, []byte("a"), 0o444); err != nil {
		t.Fatal(err)
	}
	if err := Rewrite(path, []byte("a"), []byte("b")); !errors.Is(err, os.ErrPermission) {
		t.Errorf("%v, want %v", err, os.ErrPermission)
	}
	left(t, dir, 1)
}
