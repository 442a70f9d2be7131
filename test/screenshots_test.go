//go:build unix

package test

import (
	"flag"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var update = flag.Bool("update", false, "make the pictures of the README anew, and what programs must print (testdata/clients)")

const pictures = "../docs/images"

// The pictures of the README are those that the script makes, each of them is
// shown, and none is missing. With -update they are made anew.
func TestScreenshots(t *testing.T) {
	if *update {
		requireBox(t)
		requireProgram(t, "node")
		if err := os.MkdirAll(pictures, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd := command(t, "sandbox", "--", "node", "js/screenshots.mjs", pictures)
		cmd.Env = append(cmd.Env, binaryEnv+"="+tegata, "CHROMIUM="+requireChromium(t))
		finish(t, cmd).wants(t, 0)
	}
	var shown []string
	for _, page := range []string{"../README.md", "../README.ja.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`docs/images/([\w.-]+)`).FindAllSubmatch(text, -1) {
			shown = append(shown, string(found[1]))
		}
	}
	slices.Sort(shown)
	there, err := filepath.Glob(pictures + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range there {
		there[i] = filepath.Base(path)
		small(t, path)
	}
	if shown = slices.Compact(shown); !slices.Equal(shown, there) {
		t.Errorf("READMEs show %v; there are %v", shown, there)
	}
}

// small looks whether a picture is one, of the width of a desk, and no burden
// to whoever clones the tree.
func small(t *testing.T, path string) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	about, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.DecodeConfig(f)
	if err != nil || picture.Width != 1440 || about.Size() > 200<<10 {
		t.Errorf("%s: %d pixels wide, %d bytes, %v", path, picture.Width, about.Size(), err)
	}
}
