package template

import (
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range detections {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inner := Detect(scan.File(tt.path, scan.Template, []byte(tt.body))).Texts[0]
			if inner.Lang != tt.lang || inner.Body != tt.want {
				t.Errorf("got  %s %q\nwant %s %q", inner.Lang, inner.Body, tt.lang, tt.want)
			}
		})
	}
}

var detections = []struct {
	name, path, body string
	lang             scan.Lang
	want             string
}{
	{"Jinja", "a.sh.j2", "{# x #}\nid {{ a }}\n  {% if b -%}\ncurl {{ c.d | e }}/x\n{%- endif %}\nls {% if c %}a{% endif %}\n", scan.Shell, "id {}\ncurl {}/x\nls a\n"},
	{"Jinja with constants", "a.sh.j2", "{% set url = 'http://169.254.169.254/latest' %}\ncurl {{ url }}/a {{ u | default(\"http://169.254.169.254\") }}", scan.Shell,
		"curl http://169.254.169.254/latest/a http://169.254.169.254"},
	{"raw", "a.sh.j2", "{% raw %}\ncurl -w '{{x}}'\n{% endraw %}\n", scan.Shell, "curl -w '{{x}}'\n"},
	{"ERB", "a.sh.erb", "<% if @a -%>\ncurl <%= @b %>/x <%== c -%>\n<%# d %>\n<% end %>", scan.Shell, "curl {}/x {}\n"},
	{"Go", "a.sh.tmpl", "{{- if .A }}\ncurl {{ .B }}/x\n{{ end -}}\n{{/* c */}}\n{{ $x := 1 }}\n{{ template \"d\" . }}\n", scan.Shell, "curl {}/x\n"},
	{"Mustache", "a.sh.mustache", "{{#a}}\ncurl {{{b}}}/{{c}}\n{{/a}}\n{{! d }}\n", scan.Shell, "curl {}/{}\n"},
	{"by its first line", "a.tmpl", "#!/bin/bash\n{{ x }}", scan.Bash, "#!/bin/bash\n{}"},
	{"by its content", "a.j2", "apiVersion: v1\nkind: {{ kind }}", scan.Kubernetes, "apiVersion: v1\nkind: {}"},
	{"in another language", "a.service.j2", "ExecStart={{ x }}", scan.Systemd, "ExecStart={}"},
	{"several endings", "a.py.tpl.j2", "x={{ x }}", scan.Python, "x={}"},
	{"unclear", "a.conf.j2", "run = curl {{ x }}", scan.Template, "run = curl {}"},
	{"user data", "user_data.sh.erb", "curl <%= x %>", scan.CloudInit, "curl {}"},
	{"no end", "a.sh.j2", "a {{ b {% c", scan.Shell, "a {{ b {% c"},
	{"nested", "a.sh.j2", "a {{ {% }} b %} c", scan.Shell, "a {} b %} c"},
	{"a length in the shell", "a.sh.tmpl", "${#a} {{ b }} #}", scan.Shell, "${#a} {} #}"},
}

func TestCode(t *testing.T) {
	t.Parallel()
	const ask = "Net::HTTP.get(URI('http://169.254.169.254/latest/meta-data/'))"
	for _, tt := range []struct{ name, path, body, want string }{
		{"a value", "a.conf.erb", "host <%= " + ask + " -%>\n", " " + ask + " \n"},
		{"a block on its own lines", "a.conf.erb", "<%-\nid = " + ask + "\n-%>\nid <%= id %>\n", "\nid = " + ask + "\n\n id \n"},
		{"a comment", "a.conf.erb", "<%# " + ask + " %>\n", ""},
		{"a literal", "a.conf.erb", "<%% " + ask + " %>\n", ""},
		{"no address", "a.conf.erb", "<%= a %>\n", ""},
		{"no code", "a.conf.j2", "{{ 'http://169.254.169.254/latest/' }}<% x %>\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			for _, text := range Detect(scan.File(tt.path, scan.Template, []byte(tt.body))).Texts[1:] {
				if text.Lang == scan.Ruby {
					got += text.Body
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, path, text, want string }{
		{"plain", "a.sh.j2", "$(t) %{x} ${y}", "curl $(t) %{x} ${y} {{ b }}"},
		{"a tag", "a.sh.j2", "{{ x }}", ""},
		{"half a tag", "a.sh.j2", "x{", ""},
		{"unclear", "a.j2", "x", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const body = "curl xx {{ b }}"
			inner := Detect(scan.File(tt.path, scan.Template, []byte(body))).Texts[0]
			i := strings.Index(inner.Body, "xx")
			e, err := inner.Edit(scan.Splice{At: scan.Span{Start: i, End: i + 2}, Text: tt.text})
			if err != nil {
				if tt.want != "" {
					t.Fatal(err)
				}
				return
			}
			if got, err := edit.Apply(body, []edit.Edit{e}); err != nil || got != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func FuzzDetect(f *testing.F) {
	for _, tt := range detections {
		f.Add(tt.path, tt.body)
	}
	f.Fuzz(func(t *testing.T, path, body string) {
		for _, inner := range Detect(scan.File(path, scan.Template, []byte(body))).Texts {
			at := inner.InFile(scan.Span{Start: 0, End: len(inner.Body)})
			if at.Start < 0 || at.End > len(body) || at.Start > at.End {
				t.Errorf("%q stands at %v", inner.Body, at)
			}
		}
	})
}
