package yaml

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func parse(t testing.TB, src string) []*Node {
	t.Helper()
	docs, err := Parse(scan.File("a.yaml", scan.Plain, []byte(src)))
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	return docs
}

// show writes a node in one line, scalars quoted unless they are plain.
func show(n *Node) string {
	var parts []string
	tag := ""
	if n.Tag != "" {
		tag = n.Tag + " "
	}
	switch n.Kind {
	case Sequence:
		for _, item := range n.Items {
			parts = append(parts, show(item))
		}
		return tag + "[" + strings.Join(parts, ", ") + "]"
	case Mapping:
		for _, p := range n.Pairs {
			parts = append(parts, show(p.Key)+": "+show(p.Value))
		}
		return tag + "{" + strings.Join(parts, ", ") + "}"
	}
	if n.Style == Plain && !strings.Contains(n.Value, "\n") {
		return tag + n.Value
	}
	return tag + fmt.Sprintf("%q", n.Value)
}

var documents = []struct{ name, src, want string }{
	{"plain", "a: b\nc:\n  d: e f\n", "{a: b, c: {d: e f}}"},
	{"sequence", "- a\n-  b\n- - c\n  - d\n-\n  e: f\n", "[a, b, [c, d], {e: f}]"},
	{"sequence at the key's column", "a:\n- b\n- c: d\n  e: f\ng: h", "{a: [b, {c: d, e: f}], g: h}"},
	{"plain on lines", "a: b\n  c\n\n  d\ne: f", `{a: "b c\nd", e: f}`},
	{"left out", "a:\nb:\n  c:\n-1:\n", "{a: , b: {c: }, -1: }"},
	{"comments", "# x\na: b # c\n# d\ne: f#g\n", "{a: b, e: f#g}"},
	{"quotes", `a: "b\"\n\x41\u00e9\/"` + "\nc: 'd''e'\n", `{a: "b\"\nAé/", c: "d'e"}`},
	{"quotes on lines", "a: \"b \n\n   c\\\n   d\n  e\"\nf: 'g\n   h'", `{a: "b\ncd e", f: "g h"}`},
	{"half a character", `["\ud83d\ude00"]`, `["😀"]`},
	{"literal", "a: |\n  b\n   c\n\n  d\n\ne: |-\n f\n\n", `{a: "b\n c\n\nd\n", e: "f"}`},
	{"literal, kept", "a: |+\n  b\n\n\ne: f", `{a: "b\n\n\n", e: f}`},
	{"literal, its indentation told", "a: |2\n   b\n  c\n", `{a: " b\nc\n"}`},
	{"literal in a sequence", "- |\n b\n- c", `["b\n", c]`},
	{"literal, deeper first", "a:\n  b: |\n      c\n      d\n  e: f", `{a: {b: "c\nd\n", e: f}}`},
	{"literal with CRLF", "a: |\r\n  b\r\n  c\r\nd: e\r\n", `{a: "b\nc\n", d: e}`},
	{"literal with tabs", "a: |\n  b:\n  \tc\n", `{a: "b:\n\tc\n"}`},
	{"folded", "a: >\n  b\n  c\n\n  d\n   e\n  f\n", `{a: "b c\nd\n e\nf\n"}`},
	{"folded, stripped", "a: >-\n  b\n\n\n  c\n\n", `{a: "b\n\nc"}`},
	{"empty block", "a: |\nb: c", `{a: "", b: c}`},
	{"flow", "a: {b: c, d: [e, 'f', {g: h}], i}\nj: [k: l, m]", `{a: {b: c, d: [e, "f", {g: h}], i: }, j: [{k: l}, m]}`},
	{"JSON", "{\"a\": [1, true, null,\n\t{\"b\":\"c\"}], \"d\" : -1.5e3 }", `{"a": [1, true, null, {"b": "c"}], "d": -1.5e3}`},
	{"tags", "a: !Sub b\nc: !Join [ '', [ !Ref d ] ]\ne: !If\n  - f\n  - g\nh: !Base64\n  i: j\nk: !Sub |\n  l\n", `{a: !Sub b, c: !Join ["", [!Ref d]], e: !If [f, g], h: !Base64 {i: j}, k: !Sub "l\n"}`},
	{"tag on an item", "- !GetAtt a.b\n- !If [a, b, c]\n", "[!GetAtt a.b, !If [a, b, c]]"},
	{"tag of nothing", "a: !x\nb: c", "{a: !x , b: c}"},
	{"anchors", "a: &x b\nc: *x\nd: &y\n  e: f\ng: *y\nh: [*x]", "{a: b, c: b, d: {e: f}, g: {e: f}, h: [b]}"},
	{"merged", "a: &x {b: c}\nd:\n  <<: *x\n  e: f", "{a: {b: c}, d: {<<: {b: c}, e: f}}"},
	{"explicit keys", "? a\n: b\n? - c\n: - d\n", "{a: b, [c]: [d]}"},
	{"quoted keys", "\"a b\": c\n'd': e\n", `{"a b": c, "d": e}`},
	{"colons", "a: http://b:80/c?d=e#f\n::b: c\n", "{a: http://b:80/c?d=e#f, ::b: c}"},
	{"filled in later", "a: {{ b }}\n", "{a: {{b: }: }}"},
	{"script in a plain scalar", "- curl -s http://x/ | grep 'a: b'", ""},
	{"documents", "%YAML 1.2\n---\na: b\n---\n- c\n...\n# d\n---\n|\n e\n", ""},
	{"a document that stands on the marker's line", "--- |\n a\n--- b\n", ""},
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range documents {
		if tt.want == "" {
			continue
		}
		docs := parse(t, tt.src)
		if len(docs) != 1 {
			t.Errorf("%s: %d documents", tt.name, len(docs))
			continue
		}
		if got := show(docs[0]); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	docs := parse(t, "%YAML 1.2\n---\na: b\n---\n- c\n...\n# d\n---\n|\n e\n--- f\n---\n")
	var all []string
	for _, d := range docs {
		all = append(all, show(d))
	}
	if got, want := strings.Join(all, " "), `{a: b} [c] "e\n" f `; got != want {
		t.Errorf("documents: %s, want %s", got, want)
	}
}

func TestParseFails(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		"a: b: c", "a: 'b", "a: [b", "a: {b c: d", "\ta: b", "a:\n\tb: c", "- a\nb: c", "a:\n  b: c\n d: e", "a: *b",
		"{% if x %}\na: b\n{% endif %}\n", "a: {{ b }}c", "{{- if .x }}\na: b\n", "a: `b`", "a: @b", "a: \"\\q\"", "a: |x\n b",
		"a: b\n  c: d", "a\nb: c", "- curl 'a: b'\n  'c: d'", "a: %b\n", "a: - b", "key: \"x\" y", strings.Repeat("[", 600), "[a b]]", "#!/bin/sh\nif [ a ]; then\n  echo b: c\nfi",
	} {
		if docs, err := Parse(scan.File("a", scan.Plain, []byte(src))); err == nil {
			t.Errorf("%q is read as %s", src, show(docs[0]))
		}
	}
}

// value is what a program gets for a node, all scalars as strings.
func value(n *Node) any {
	switch n.Kind {
	case Sequence:
		list := []any{}
		for _, item := range n.Items {
			list = append(list, value(item))
		}
		return list
	case Mapping:
		m := map[string]any{}
		for _, p := range n.Pairs {
			m[p.Key.Value] = value(p.Value)
		}
		return m
	}
	return n.Value
}

// The other reader of YAML gives strings the same values.
func TestAsOthersRead(t *testing.T) {
	t.Parallel()
	for _, tt := range documents {
		switch tt.name {
		case "merged", "explicit keys", "filled in later", "left out", "tag of nothing", "JSON", "flow", "documents", "a document that stands on the marker's line", "half a character":
			continue // read as what isn't a string, or refused there
		}
		var want any
		if err := yaml.Unmarshal([]byte(tt.src), &want); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if d := cmp.Diff(want, value(parse(t, tt.src)[0])); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestTextOfScalar(t *testing.T) {
	t.Parallel()
	const echo, insert = "echo", `T="$(a 'b')"; `
	for _, tt := range []struct{ name, src, insert, want string }{
		{"plain", "a: echo x\nb: c", "T=1; ", "a: T=1; echo x\nb: c"},
		{"plain, with quotes", "a: echo x", insert, "a: T=\"$(a 'b')\"; echo x"},
		{"plain, a colon", "a: echo x", "a: b; ", ""},
		{"plain, a comment", "a: echo x", "a #b ", ""},
		{"plain, two lines", "a: echo x", "a\n", ""},
		{"plain, a quote first", "a: echo x", `"a" `, ""},
		{"plain, a comma", "a: echo x", "a, b ", "a: a, b echo x"},
		{"plain, a comma in brackets", "a: [echo x]", "a, b ", ""},
		{"single", "a: 'x; echo x'", insert, "a: 'x; T=\"$(a ''b'')\"; echo x'"},
		{"double", `a: "x; echo \"x\""`, insert, `a: "x; T=\"$(a 'b')\"; echo \"x\""`},
		{"double, two lines", `a: "echo x"`, "a\t\\\n", `a: "a\t\\\necho x"`},
		{"literal", "a: |\n  x\n  echo x\nb: c", "T=1\n\n# y\n", "a: |\n  x\n  T=1\n\n  # y\n  echo x\nb: c"},
		{"literal, first", "a: |\n  echo x\n", "T: 1\n", "a: |\n  T: 1\n  echo x\n"},
		{"literal, first, white space", "a: |\n  echo x\n", " y", ""},
		{"literal, indented", "a: |\n  if x\n    echo x\n", "T=1\n  ", "a: |\n  if x\n    T=1\n    echo x\n"},
		{"literal with CRLF", "a: |\r\n  x\r\n  echo x\r\nb: c", "T=1\n", "a: |\r\n  x\r\n  T=1\r\n  echo x\r\nb: c"},
		{"folded", "a: >\n  x\n  echo x\n", "T=1; ", "a: >\n  x\n  T=1; echo x\n"},
		{"folded, two lines", "a: >\n  x\n  echo x\n", "T=1\n", ""},
		{"folded, white space first", "a: >\n  x\n  echo x\n", " T=1; ", ""},
		{"JSON", `{"a": ["echo x"]}`, insert, `{"a": ["T=\"$(a 'b')\"; echo x"]}`},
	} {
		var n *Node
		for c := range parse(t, tt.src)[0].All() {
			if c.Kind == Scalar && strings.Contains(c.Value, echo) {
				n = c
			}
		}
		text := n.Text(scan.Shell)
		i := strings.Index(text.Body, echo)
		e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: tt.insert})
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if got, err := edit.Apply(tt.src, []edit.Edit{e}); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestTextsEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		src  string
		at   scan.Span
		text string
		want string
	}{
		{"a: |\n  b\nc: d", scan.Span{Start: 2, End: 2}, "e\n", "a: |\n  b\n  e\nc: d"},
		{"a: |\n  b\nc: d", scan.Span{Start: 2, End: 2}, "e", ""},
		{"a: |\n  b\nc: d", scan.Span{Start: 0, End: 2}, "e\nf\n", "a: |\n  e\n  f\nc: d"},
		{"a: |-\n  b\nc: d", scan.Span{Start: 1, End: 1}, "e\nf", "a: |-\n  be\n  f\nc: d"},
		{"a: |-\n  b\nc: d", scan.Span{Start: 1, End: 1}, "e\n", ""},
		{"a: |\n  b\n\n  c\n", scan.Span{Start: 2, End: 2}, "e\n", "a: |\n  b\n  e\n\n  c\n"},
		{"a: |\n  b\n\n  c\n", scan.Span{Start: 0, End: 4}, "e", "a: |\n  e\n"},
		{"a: |\n  b\n\n  c\n", scan.Span{Start: 0, End: 3}, "e\n", "a: |\n  e\n  c\n"},
		{"a: b\nc: d", scan.Span{Start: 1, End: 1}, " e", "a: b e\nc: d"},
		{"a: b\nc: d", scan.Span{Start: 1, End: 1}, " ", ""},
		{"a: \"b\"", scan.Span{Start: 1, End: 1}, " ", "a: \"b \""},
	} {
		text := parse(t, tt.src)[0].Get("a").Text(scan.Shell)
		e, err := text.Edit(scan.Splice{At: tt.at, Text: tt.text})
		got, _ := edit.Apply(tt.src, []edit.Edit{e})
		if err != nil {
			got = ""
		}
		if got != tt.want {
			t.Errorf("%q, %v, %q: %q, %v, want %q", tt.src, tt.at, tt.text, got, err, tt.want)
		}
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	doc := parse(t, "a: &x {b: c, e: 1}\nd:\n  <<: [*x]\n  e: [f]\nn: ~\nm: &m\n  <<: *x")[0]
	got := []any{
		doc.Path("a", "b").Str(), doc.Path("d", "b").Str(), doc.Path("d", "e").Str(), len(doc.Path("d", "e").List()), len(doc.Get("a").List()),
		doc.Path("x", "y").Null(), doc.Get("n").Null(), doc.Get("a").Null(), doc.Get("x").IsScalar(), doc.Path("m", "e").Str(), len(doc.Get("x").Pieces()),
	}
	want := []any{"c", "c", "", 1, 1, true, true, false, false, "1", 0}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	count := 0
	for n := range doc.All() {
		if n.Str() == "c" {
			count++
		}
	}
	if count != 1 {
		t.Errorf("an aliased node is met %d times", count)
	}
}

// Whatever is put into a scalar is read there by another reader, or refused.
func FuzzEncode(f *testing.F) {
	for _, tt := range documents {
		f.Add(tt.src, 0, 0, 1, "a\n b: #c'\"")
	}
	f.Add("a: |\n  b\n  c\n", 0, 2, 2, "x\n")
	f.Fuzz(func(t *testing.T, src string, which, start, length int, insert string) {
		docs, err := Parse(scan.File("a", scan.Plain, []byte(src)))
		if err != nil || strings.HasPrefix(src, "\ufeff") {
			return
		}
		var all []*Node
		for _, d := range docs {
			for n := range d.All() {
				if n.Kind == Scalar && n.Value != "" {
					all = append(all, n)
				}
			}
		}
		if len(all) == 0 || which < 0 || start < 0 || length < 0 {
			return
		}
		n := all[which%len(all)]
		text := n.Text(scan.Shell)
		if text.Body != n.Value {
			t.Fatalf("%q, but the value is %q", text.Body, n.Value)
		}
		start %= len(n.Value) + 1
		at := scan.Span{Start: start, End: start + length%(len(n.Value)-start+1)}
		e, err := text.Edit(scan.Splice{At: at, Text: insert})
		if err != nil {
			return
		}
		got, err := edit.Apply(src, []edit.Edit{e})
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(scan.File("a", scan.Plain, []byte(got)))
		if err != nil {
			t.Fatalf("%q became %q: %v", src, got, err)
		}
		want := n.Value[:at.Start] + insert + n.Value[at.End:]
		n.Value, n.pieces = want, nil
		if d := cmp.Diff(values(docs), values(again)); d != "" {
			t.Fatalf("%q became %q: %s", src, got, d)
		}
	})
}

func values(docs []*Node) (all []string) {
	for _, d := range docs {
		for n := range d.All() {
			all = append(all, fmt.Sprint(n.Kind, n.Value))
		}
	}
	return all
}

// Long lines and deep texts are read in no time, and so are those that are not
// YAML.
func TestParseLong(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for name, src := range map[string]string{
		"JSON on one line":   "[" + strings.Repeat(`{"a": {}},`, n) + "1]",
		"no JSON":            "[" + strings.Repeat(`{"a": {}},`, n) + "]]",
		"tags on one line":   strings.Repeat("{{ a }}", n) + "]",
		"open tags":          strings.Repeat("{{", n),
		"open brackets":      strings.Repeat("[", n),
		"comments":           strings.Repeat("# a\n", n) + "a: b",
		"items":              strings.Repeat("- a: b\n", n),
		"blank lines, block": "a: |\n" + strings.Repeat("\n", n) + "  b\n",
		"quoted lines":       "a: \"" + strings.Repeat("b\n  ", n) + "\"",
		"plain lines":        "a:\n" + strings.Repeat("  b\n", n),
	} {
		start := time.Now()
		file := scan.File("a", scan.Plain, []byte(src))
		if _, err := Parse(file); err != nil {
			_, _ = ParseTemplate(file)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}
