package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What is committed must be what the sources make. A difference is mended by
// go generate ./web.
func TestDist(t *testing.T) {
	want, err := build("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range want {
		got, err := os.ReadFile(filepath.Join("../dist", name))
		if err != nil {
			t.Errorf("%v: run go generate ./web", err)
			continue
		}
		if !bytes.Equal(got, content) {
			t.Errorf("dist/%s differs from what the sources make: run go generate ./web", name)
		}
	}
	there, err := os.ReadDir("../dist")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range there {
		if want[f.Name()] == nil {
			t.Errorf("dist/%s is made from nothing: run go generate ./web", f.Name())
		}
	}
}

func TestBuildIsTheSameTwice(t *testing.T) {
	first, err := build("..")
	if err != nil {
		t.Fatal(err)
	}
	second, err := build("..")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range first {
		if !bytes.Equal(second[name], content) {
			t.Errorf("%s comes out differently", name)
		}
	}
}

func TestBuildTellsWhereItFails(t *testing.T) {
	web := t.TempDir()
	for name, content := range map[string]string{"src/app.ts": "const = 1\n", "style/app.css": "", "style/favicon.svg": "", "style/site.webmanifest": "{}"} {
		path := filepath.Join(web, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, err := build(web)
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("app.ts:1")) {
		t.Errorf("got %v, want the place of the mistake", err)
	}
}

func TestWriteLeavesNothingOld(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dist")
	for _, files := range []map[string][]byte{{"old.js": []byte("1")}, {"new.js": []byte("2")}} {
		if err := write(dir, files); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(there) != 1 || there[0].Name() != "new.js" {
		t.Errorf("got %v, want new.js alone", there)
	}
}
