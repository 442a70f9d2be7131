package cli

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/message"
)

var update = flag.Bool("update", false, "rewrite the files that are compared")

// TestHelpExists: every command that people see has a page in each language,
// with its name, an example and nothing wider than a terminal.
func TestHelpExists(t *testing.T) {
	for _, lang := range []message.Lang{message.English, message.Japanese} {
		for _, c := range commands() {
			if c.hidden || c.name == "help" {
				continue
			}
			text, err := helpText(lang, c.name)
			if err != nil {
				t.Error(err)
				continue
			}
			if !strings.HasPrefix(text, "tegata "+c.name+": ") || !strings.Contains(text, "\n  tegata") && !strings.Contains(text, "= tegata") {
				t.Errorf("%s, %s: wants a first line with the name, and an example", c.name, lang)
			}
			for line := range strings.Lines(text) {
				if width(line) > 81 {
					t.Errorf("%s, %s: %d columns: %s", c.name, lang, width(line), line)
				}
			}
			if all, _ := helpText(lang, "tegata"); !strings.Contains(all, "\n  "+c.name+" ") {
				t.Errorf("%s is not in the help of all commands in %s", c.name, lang)
			}
		}
	}
}

// width counts the columns of a line: a Japanese character takes two.
func width(line string) int {
	n := 0
	for _, r := range line {
		n++
		if r >= 0x2E80 {
			n++
		}
	}
	return n
}

// TestCommandReference compares docs/cli.md with the help.
func TestCommandReference(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Commands\n\nWritten from the help texts by `go test ./cmd/tegata/cli -update`.\n")
	for _, c := range append([]command{{name: "tegata"}}, commands()...) {
		if c.hidden || c.name == "help" {
			continue
		}
		text, err := helpText(message.English, c.name)
		if err != nil {
			t.Fatal(err)
		}
		title := "tegata " + c.name
		if c.name == "tegata" {
			title = c.name
		}
		b.WriteString("\n## " + title + "\n\n```text\n" + text + "```\n")
	}
	file := filepath.Join("..", "..", "..", "docs", "cli.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("docs/cli.md is not what the help says (-want +got):\n%s", diff)
	}
}
