package yaml

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func TestComposition(t *testing.T) {
	t.Parallel()
	const src = "a: \"x\\ny\"\nb: 'z ${P} w'\nc: filled in\nd: q\n"
	doc := parse(t, src)[0]
	file := doc.text
	c := Compose(file)
	c.Scalar(doc.Get("a"))
	c.Made(doc.Get("b"), "|")
	b := doc.Get("b")
	escape := func(s string) string { return strings.ReplaceAll(s, "$", "$!") }
	c.Part(b, 0, 2, escape)
	c.Decoded(b, 2, 6, "parameter", escape)
	c.Part(b, 6, 8, escape)
	c.Filled(doc.Get("c"), "known")
	c.Scalar(doc.Get("d"))
	text := c.Text(scan.Shell, "a composition")
	if want := "x\ny|z parameter wknownq"; text.Body != want || c.Body() != want {
		t.Fatalf("%q, want %q", text.Body, want)
	}
	for _, tt := range []struct{ old, new, want string }{
		{"y", "\"1\"\n", `"x\n\"1\"\n"`},
		{"z", "'$'", "'''$!'' ${P} w'"},
		{"parameter", "$", "'z $! w'"},
		{"known", "1", ""},
		{"|", "1", ""},
		{"q", "1: 2", ""},
		{"q", "1", "d: 1"},
	} {
		i := strings.Index(text.Body, tt.old)
		e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i + len(tt.old)}, Text: tt.new})
		if err != nil {
			if tt.want != "" || !errors.Is(err, scan.ErrFixed) && !errors.Is(err, ErrStyle) {
				t.Errorf("%s: %v", tt.old, err)
			}
			continue
		}
		if got, err := edit.Apply(src, []edit.Edit{e}); err != nil || tt.want == "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, %v, want %q", tt.old, got, err, tt.want)
		}
	}
}

func TestMoustache(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"'a {{ b }} c'":         "a <b> c",
		"'{{a}}{{- b|c -}}'":    "<a><b|c>",
		"'a{% if b %}c{# d #}'": "ac",
		"'a {b} {{ c'":          "a {b} {{ c",
		"'${{ a }}'":            "$<a>",
		"'{{ }}'":               "<?>",
	} {
		n := parse(t, src)[0]
		c := Compose(n.text)
		c.Moustache(n, func(expression string) string { return "<" + expression + ">" })
		if got := c.Body(); got != want {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
	n := parse(t, "'{{ a }}'")[0]
	c := Compose(n.text)
	c.Moustache(n, nil)
	if c.Body() != scan.Unknown {
		t.Errorf("%q", c.Body())
	}
}

func TestLeft(t *testing.T) {
	t.Parallel()
	const call = "curl http://169.254.169.254/latest/meta-data/"
	docs := parse(t, "a: "+call+"\nb: "+call+" # taken\nc:\n- |\n  #!/bin/bash\n  "+call+"\n- e\ngroupDescription: "+call+"\nexamples: ["+call+"]\nbootScript: "+call+
		"\nf: curl http://169.254.169.254/metadata/v1\n"+call+"?: g\nh: |\n  #cloud-config\n  runcmd: ["+call+"]\n")
	docs[0].Get("b").Text(scan.Shell)
	got := map[string]scan.Lang{}
	for _, text := range Left(docs) {
		got[strings.Join(text.Origin, " ")] = text.Lang
	}
	if d := cmp.Diff(map[string]scan.Lang{"a": scan.Plain, "": scan.Bash, "h": scan.CloudInit, "bootScript": scan.Shell, "groupDescription": scan.Prose, "examples": scan.Prose}, got); d != "" {
		t.Error(d)
	}
	same := *docs[0].Get("a")
	same.Tag = ""
	same.Take()
	if left := Left(docs); len(left) != 0 {
		t.Errorf("%d are left", len(left))
	}
}

func TestStrings(t *testing.T) {
	t.Parallel()
	const url = "http://169.254.169.254/latest/meta-data/"
	for _, tt := range []struct {
		name, src string
		want      int
	}{
		{"an expression", `{"a": [{"b": "('x {0}' -f (New-Object Net.WebClient).DownloadString('` + url + `'))"}]}`, 1},
		{"an argument", `{"run": "powershell", "arguments": ["-Command", "(Invoke-WebRequest -Uri ` + url + `).Content"]}`, 1},
		{"an alias", "a: irm " + url + "\n", 1},
		{"statements", "a: |\n  $u = '" + url + "'\n  $b = Invoke-RestMethod $u\n", 1},
		{"a class", "a: \"[System.Net.WebRequest]::Create('" + url + "').GetResponse()\"\n", 1},
		{"a sentence", "a: Run Invoke-RestMethod " + url + " to see it\n", 0},
		{"a sentence that begins with a cmdlet", "a: Invoke-RestMethod, with " + url + ", tells it\n", 0},
		{"a name", "a: Invoke-RestMethod\nb: see " + url + "\n", 0},
		{"for people", "message: Invoke-RestMethod " + url + "\nlongDescription: irm " + url + "\n", 0},
		{"HTML", "a: <p>iwr " + url + "</p>\n", 0},
		{"another cloud", "a: irm http://169.254.169.254/metadata/instance\n", 0},
		{"a URL", "a: " + url + "\nb: irm $x\n", 0},
		{"no document", "a: {{ irm }}x\n" + url, 0},
	} {
		got := 0
		for _, text := range Strings(scan.File("a.yaml", scan.Plain, []byte(tt.src))) {
			if text.Lang == scan.PowerShell {
				got++
			}
		}
		if got != tt.want {
			t.Errorf("%s: %d", tt.name, got)
		}
	}
}

func TestParseTemplate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"Go", "a: {{ .b }}-c\n{{- if .d }}\ne:\n  {{- toYaml .f | nindent 2 }}\n{{- else }}\ng: |\n  h {{ if .i }}j{{ end }} {{ .k }}\n  {{ range .l }}\n  m\n  {{ end }}\n{{- end }}\n", `{a: _-c, e: , g: "h j _\nm\n"}`},
		{"Jinja", "{# a #}\nb:\n{% for c in d %}\n- {{ c }}x {% if e %}f{% endif %}\n{% endfor %}\n", `{b: [_x f]}`},
		{"filled in by Terraform", "a: {}.b\nc: |\n  d\n  {}\n", `{a: _.b, c: "d\n"}`},
		{"declarations", "{{ $a := .b }}{{/* c */}}\nd: {{ $a }}\n", "{d: _}"},
		{"variables of a shell", "a: b ${c} {d\ne: {{ f }}g", "{a: b ${c} {d, e: _g}"},
	} {
		file := scan.File("a.yaml", scan.Plain, []byte(tt.src))
		docs, err := ParseTemplate(file)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := strings.NewReplacer(placeholder, "_", `\ue0e0`, "_").Replace(show(docs[0])); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	const src = "a: {{ .b }}-c\nd: |\n  {{ if .e }}\n  f {{ .g }} CALL\n  {{ end }}\n"
	docs, err := ParseTemplate(scan.File("a.yaml", scan.Plain, []byte(src)))
	if err != nil {
		t.Fatal(err)
	}
	text := Unmask(docs[0].Get("d").Text(scan.Shell))
	i := strings.Index(text.Body, "CALL")
	e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: "x\n"})
	if err != nil || text.Body != "f {} CALL\n" {
		t.Fatalf("%q, %v", text.Body, err)
	}
	if got, err := edit.Apply(src, []edit.Edit{e}); err != nil || !strings.Contains(got, "\n  f {{ .g }} x\n  CALL\n") {
		t.Errorf("%q, %v", got, err)
	}
}
