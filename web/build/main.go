// Build bundles what browsers get: the scripts of ../src and the styles of
// ../style become ../dist, each file under a name that holds a hash of its
// content, with dist/manifest.json to find them by. Run it by
//
//	go generate ./web
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

func main() {
	built, err := build(".") // go generate runs in the folder of its directive
	if err == nil {
		err = write("dist", built)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		os.Exit(1)
	}
}

// The browsers that pages are written for: what those of 2024 know is used as
// it is, newer things must do without.
var browsers = []api.Engine{
	{Name: api.EngineChrome, Version: "123"},
	{Name: api.EngineFirefox, Version: "128"},
	{Name: api.EngineSafari, Version: "17.5"},
}

// build returns the files of dist by their names, from the folder web.
func build(web string) (map[string][]byte, error) {
	b := bundle{files: map[string][]byte{}, names: map[string]string{}}
	for name, source := range map[string]string{"app.js": "src/app.ts", "app.css": "style/app.css"} {
		content, err := bundled(filepath.Join(web, source))
		if err != nil {
			return nil, err
		}
		b.add(name, content)
	}
	icon, err := os.ReadFile(filepath.Join(web, "style/favicon.svg"))
	if err != nil {
		return nil, fmt.Errorf("read the icon: %w", err)
	}
	b.add("favicon.svg", icon)
	about, err := os.ReadFile(filepath.Join(web, "style/site.webmanifest"))
	if err != nil {
		return nil, fmt.Errorf("read the web manifest: %w", err)
	}
	b.add("site.webmanifest", bytes.ReplaceAll(about, []byte("favicon.svg"), []byte(b.names["favicon.svg"])))
	return b.files, b.list()
}

// bundled returns a script or a style sheet with all that it imports.
func bundled(entry string) ([]byte, error) {
	r := api.Build(api.BuildOptions{
		EntryPoints: []string{entry}, Bundle: true, Format: api.FormatIIFE, Engines: browsers,
		MinifyWhitespace: true, MinifyIdentifiers: true, MinifySyntax: true,
		Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone, LogLevel: api.LogLevelSilent,
	})
	var problems []error
	for _, m := range append(r.Errors, r.Warnings...) {
		at := entry
		if m.Location != nil {
			at = fmt.Sprintf("%s:%d", m.Location.File, m.Location.Line)
		}
		problems = append(problems, fmt.Errorf("bundle %s: %s", at, m.Text))
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return r.OutputFiles[0].Contents, nil
}

// A bundle is dist in the making.
type bundle struct {
	files map[string][]byte
	names map[string]string // as they were built, by the names that templates know
}

// add puts a file in under its name with a hash: app.js becomes app-1a2b3c4d5e.js.
func (b *bundle) add(name string, content []byte) {
	sum := sha256.Sum256(content)
	stem, kind, _ := strings.Cut(name, ".")
	built := stem + "-" + hex.EncodeToString(sum[:5]) + "." + kind
	b.files[built], b.names[name] = content, built
}

// list adds the manifest.
func (b *bundle) list() error {
	content, err := json.MarshalIndent(b.names, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifest: %w", err)
	}
	b.files["manifest.json"] = append(content, '\n')
	return nil
}

// write makes a folder hold these files and no others.
func write(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("empty %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make %s: %w", dir, err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}
