package makefile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

func told(t *scan.Text) (all []string) {
	for _, inner := range Detect(t).Texts {
		all = append(all, fmt.Sprintf("%s: %s %q", strings.Join(inner.Origin, ", "), inner.Lang, inner.Body))
	}
	return all
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range detections {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := told(scan.File("Makefile", scan.Make, []byte(tt.body))); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

var detections = []struct {
	name, body string
	want       []string
}{
	{"recipe", "all: x\n\t@-curl $$x \"$$(id)\" $@\n\tls\n", []string{`all: sh "curl $x \"$(id)\" {}"`, `all: sh "ls"`}},
	{"variables", "H = 169.254.169.254\nU := http://$(H)/latest\nall:\n\tcurl ${U}/a $(GONE) $H\n", []string{`all: sh "curl http://169.254.169.254/latest/a {} 169.254.169.254"`}},
	{"added", "X = a # b\nX += c\nX ?= d\nall:\n\techo $(X)", []string{`all: sh "echo a c"`}},
	{"continued", "all:\n\tfor i in a; do \\\n\t\techo $$i; \\\n\tdone\r\n", []string{`all: sh "for i in a; do \\\n\techo $i; \\\ndone"`}},
	{"function", "ID := $(shell curl -s x | cut -d'\"' -f4 $$(a))\nall:\n\techo $(ID)\n", []string{`ID: sh "curl -s x | cut -d'\"' -f4 $(a)"`, `all: sh "echo {}"`}},
	{"function in a function", "ID ?= $(strip $(shell \\\n  curl x))", []string{`ID: sh "curl x"`}},
	{"function in a recipe", "all:\n\techo $(shell curl $(U))", []string{`all: sh "echo {}"`, `all: sh "curl {}"`}},
	{"shell assignment", "ID != curl $$x", []string{`ID: sh " curl $x"`}},
	{"several lines", "define get\n@curl $(1)\nls\nendef\nall:\n\t$(call get,x)", []string{`define get: sh "curl {}"`, `define get: sh "ls"`, `all: sh "{}"`}},
	{"one shell", ".ONESHELL:\nall:\n\t@a=1\n\tcurl $$a\n\nb:\n\tls\n", []string{`all: sh "a=1\ncurl $a\n"`, `b: sh "ls\n"`}},
	{"another shell", "SHELL := /bin/bash -e\nall:\n\tls", []string{`all: bash "ls"`}},
	{"after a semicolon", "all: b ; @curl $$x", []string{`all: sh "curl $x"`}},
	{"environment", "export U := http://169.254.169.254/latest\nV := http://169.254.169.254/latest\nall:\n\tcurl $$U/a $${U} $$V",
		[]string{`all: sh "curl http://169.254.169.254/latest/a http://169.254.169.254/latest $V"`}},
	{"going round", "A = $(B)\nB = $(A)$(A)\nall:\n\techo $(A) $", []string{`all: sh "echo {}{} $"`}},
	{"command for the shell", "IP = `curl http://169.254.169.254/latest/meta-data/local-ipv4` # c\nN=$$(id)\nall:\n\techo $(IP) $(N)",
		[]string{"IP: sh \" `curl http://169.254.169.254/latest/meta-data/local-ipv4` \"", `all: sh "echo {} {}"`}},
	{"comment", "# $(shell curl x)\nall: # : curl\n", nil},
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, text, want string }{
		{"recipe", "all:\n\tcurl xx y", `"$(t $$)"`, "all:\n\tcurl \"$$(t $$$$)\" y"},
		{"several lines", "all:\n\tcurl xx \\\n\ty", "a\nb", ""},
		{"function", "A := $(shell curl xx)", "$(t (a))", "A := $(shell curl $$(t (a)))"},
		{"brackets", "A := $(shell curl xx)", "a)(", ""},
		{"comment", "A := $(shell curl xx)", "# a", ""},
		{"one shell", ".ONESHELL:\nall:\n\tcurl xx\n", "a\n$b", ".ONESHELL:\nall:\n\tcurl a\n\t$$b\n"},
		{"continued", "A := $(shell a \\\n  curl xx)", "$b", "A := $(shell a \\\n  curl $$b)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inner := Detect(scan.File("Makefile", scan.Make, []byte(tt.body))).Texts[0]
			i := strings.Index(inner.Body, "xx")
			e, err := inner.Edit(scan.Splice{At: scan.Span{Start: i, End: i + 2}, Text: tt.text})
			if err != nil {
				if tt.want != "" {
					t.Fatal(err)
				}
				return
			}
			got, err := edit.Apply(tt.body, []edit.Edit{e})
			if err != nil || got != tt.want {
				t.Fatalf("got  %s, %v\nwant %s", got, err, tt.want)
			}
			again := Detect(scan.File("Makefile", scan.Make, []byte(got))).Texts[0].Body
			if want := inner.Body[:i] + tt.text + inner.Body[i+2:]; again != want {
				t.Errorf("read again as %q, want %q", again, want)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	for _, tt := range detections {
		f.Add(tt.body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		file := scan.File("Makefile", scan.Make, []byte(body))
		for _, inner := range Detect(file).Texts {
			at := inner.InFile(scan.Span{Start: 0, End: len(inner.Body)})
			if at.Start < 0 || at.End > len(body) || at.Start > at.End {
				t.Errorf("%q stands at %v", inner.Body, at)
			}
		}
	})
}
