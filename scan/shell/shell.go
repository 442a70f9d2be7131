// Package shell finds what scripts for sh, bash and their kin ask an instance's
// metadata service, and rewrites what they ask without a token. Start with
// [Detect].
//
// Scripts are parsed; constants, arrays and functions are followed within the
// text. What doesn't parse is read line by line. A rewrite only inserts: no byte
// of the script is printed anew.
package shell

import (
	"cmp"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// Detect reads a script.
func Detect(t *scan.Text) scan.Facts {
	if !promising(t.Body) {
		return scan.Facts{}
	}
	file, reading := parse(t)
	if file == nil {
		return Lines(t)
	}
	s := newScript(t, file, reading)
	s.read()
	s.mend()
	return s.facts
}

// promising reports whether any of what is looked for can be in a text.
func promising(body string) bool {
	for _, word := range []string{"169.254.169.254", "instance-data", "ec2::254", "EC2::254", "--body", "--payload", "imds", "ec2_metadata"} {
		if strings.Contains(body, word) {
			return true
		}
	}
	return false
}

// A reading is what a shell reads of a script.
type reading struct {
	body    string // all of it, or an excerpt
	variant syntax.LangVariant
	list    []*syntax.Stmt // that it is
}

// parse returns the script as a tree, or nil if no shell would read it. Scripts
// that say sh and use what only bash has are common.
func parse(t *scan.Text) (*syntax.File, reading) {
	for _, variant := range variants(t) {
		body := t.Body
		if len(body) >= longScript {
			body = cmp.Or(excerpt(t, variant), body)
		}
		if file := parseAs(variant, body); file != nil {
			return file, reading{body, variant, file.Stmts}
		}
	}
	return nil, reading{}
}

func parseAs(variant syntax.LangVariant, body string) *syntax.File {
	file, err := syntax.NewParser(syntax.Variant(variant)).Parse(strings.NewReader(body), "")
	if err != nil {
		return nil
	}
	return file
}

func variants(t *scan.Text) []syntax.LangVariant {
	first, _, _ := strings.Cut(t.Body, "\n")
	switch {
	case strings.HasSuffix(t.Path, ".bats") && !t.Embedded():
		return []syntax.LangVariant{syntax.LangBats}
	case !strings.HasPrefix(first, "#!"):
	case strings.Contains(first, "zsh"):
		return []syntax.LangVariant{syntax.LangZsh, syntax.LangBash}
	case strings.Contains(first, "ksh"):
		return []syntax.LangVariant{syntax.LangMirBSDKorn, syntax.LangBash}
	}
	return []syntax.LangVariant{syntax.LangBash, syntax.LangPOSIX}
}
