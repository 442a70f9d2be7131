package yaml

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func TestAdd(t *testing.T) {
	t.Parallel()
	entry := Entry{Key: "new", Entries: []Entry{{Key: "one", Word: "x"}, {Key: "two", Number: 2}}}
	for _, tt := range []struct{ name, src, want string }{
		{"block", "m:\n  a: b # c\n  # d\n  e: f\n", "m:\n  a: b # c\n  new:\n    one: x\n    two: 2\n  # d\n  e: f\n"},
		{"four deep", "m:\n    a:\n        b: c\n    d: e", "m:\n    a:\n        b: c\n    d: e\n    new:\n        one: x\n        two: 2"},
		{"no pair on one line", "m:\n  a: |\n    b\n", "m:\n  new:\n    one: x\n    two: 2\n  a: |\n    b\n"},
		{"CRLF", "m:\r\n  a: b\r\n", "m:\r\n  a: b\r\n  new:\r\n    one: x\r\n    two: 2\r\n"},
		{"JSON on lines", "{\n  \"m\": {\n    \"a\": \"b\"\n  }\n}", "{\n  \"m\": {\n    \"new\": {\n      \"one\": \"x\",\n      \"two\": 2\n    },\n    \"a\": \"b\"\n  }\n}"},
		{"JSON on one line", `{"m": {"a": "b"}}`, `{"m": {"new": {"one": "x", "two": 2}, "a": "b"}}`},
		{"empty", "m: {}", `m: {"new": {"one": "x", "two": 2}}`},
		{"tabs", "{\n\t\"m\": {\n\t\t\"a\": 1\n\t}\n}", "{\n\t\"m\": {\n\t\t\"new\": {\n\t\t\t\"one\": \"x\",\n\t\t\t\"two\": 2\n\t\t},\n\t\t\"a\": 1\n\t}\n}"},
	} {
		s, ok := parse(t, tt.src)[0].Get("m").Add(entry)
		got, err := edit.Apply(tt.src, []edit.Edit{{Start: s.At.Start, End: s.At.End, Text: s.Text}})
		if !ok || err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, %v, want %q", tt.name, got, ok, err, tt.want)
			continue
		}
		added := parse(t, got)[0].Path("m", "new")
		if d := cmp.Diff(map[string]any{"one": "x", "two": "2"}, value(added)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if _, ok := parse(t, "m:\n")[0].Get("m").Add(entry); ok {
		t.Error("an entry is added to what is no mapping")
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		src, want string
		lang      scan.Lang
	}{
		{`[sh, -c, "echo \"x\""]`, `echo "x"`, scan.Shell},
		{`[/bin/bash, -exc, a b]`, "a b", scan.Bash},
		{`[bash, -e, -c, a b, c]`, "a b", scan.Bash},
		{`[bash, a.sh, -c]`, "bash a.sh -c", scan.Shell},
		{`[cmd.exe, /c, a]`, "a", scan.Batch},
		{`[powershell, -NoProfile, -Command, a]`, "a", scan.PowerShell},
		{`[python3, -c, "import x"]`, "import x", scan.Python},
		{`[curl, -H, "a: 'b'", "http://c/?d"]`, `curl -H 'a: '\''b'\''' 'http://c/?d'`, scan.Shell},
		{`[curl, ""]`, `curl ''`, scan.Shell},
	} {
		text := Command(parse(t, tt.src)[0].Items)
		if text.Body != tt.want || text.Lang != tt.lang {
			t.Errorf("%s: %s %q, want %s %q", tt.src, text.Lang, text.Body, tt.lang, tt.want)
		}
	}
	for _, src := range []string{"[]", "[{a: b}]"} {
		if text := Command(parse(t, src)[0].Items); text != nil {
			t.Errorf("%s: %q", src, text.Body)
		}
	}
	argv := Command(parse(t, "[curl, a]")[0].Items)
	if _, err := argv.Edit(scan.Splice{At: scan.Span{Start: 5, End: 5}, Text: "b"}); err == nil {
		t.Error("arguments are changed as if a shell read them")
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	const src = "- a\n- \"b\"\n- {c: d}\n- |\n  e\n  f\n- g"
	text := Lines(parse(t, src)[0].Items, scan.Shell)
	if want := "a\nb\ne\nf\ng\n"; text.Body != want {
		t.Fatalf("%q, want %q", text.Body, want)
	}
	var edits []edit.Edit
	for _, c := range "abeg" {
		i := strings.IndexRune(text.Body, c)
		e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: `"x" `})
		if (err != nil) != (c == 'a' || c == 'g') {
			t.Errorf("at %c: %v", c, err)
		} else if err == nil {
			edits = append(edits, e)
		}
	}
	if got, err := edit.Apply(src, edits); err != nil || got != "- a\n- \"\\\"x\\\" b\"\n- {c: d}\n- |\n  \"x\" e\n  f\n- g" {
		t.Errorf("%q, %v", got, err)
	}
}
