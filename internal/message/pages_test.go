package message

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

//go:generate go test -run ^TestPages$ -update

var update = flag.Bool("update", false, "write docs/messages anew")

const pagesDir = "../../docs/messages"

// TestPages compares docs/messages with the catalogue: one page for each id,
// and a list in each language.
func TestPages(t *testing.T) {
	want := map[string]string{"README.md": listPage(English), "README.ja.md": listPage(Japanese)}
	for _, m := range All() {
		want[m.ID+".md"] = page(m)
	}
	if *update {
		write(t, want)
	}
	if diff := cmp.Diff(want, read(t)); diff != "" {
		t.Errorf("docs/messages is not what the catalogue says; run go generate ./internal/message\n%s", diff)
	}
}

func write(t *testing.T, pages map[string]string) {
	if err := os.RemoveAll(pagesDir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(pagesDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(pagesDir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	files, err := filepath.Glob(filepath.Join(pagesDir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.Base(f)] = string(text)
	}
	return pages
}

// families are the first digits of ids.
var families = []struct {
	digit byte
	title Text
}{
	{'1', Text{English: "Callers and settings in files", Japanese: "ファイル中の呼び出しと設定"}},
	{'2', Text{English: "Instance metadata", Japanese: "インスタンスメタデータ"}},
	{'3', Text{English: "Role and credentials", Japanese: "ロールと認証情報"}},
	{'4', Text{English: "Region, endpoint, network, STS", Japanese: "リージョン、エンドポイント、ネットワーク、STS"}},
	{'5', Text{English: "SSM, ECR, logs", Japanese: "SSM、ECR、ログ"}},
	{'6', Text{English: "Bedrock", Japanese: "Bedrock"}},
	{'7', Text{English: "Containers and Kubernetes", Japanese: "コンテナと Kubernetes"}},
	{'8', Text{English: "Front door", Japanese: "アプリケーションの入口"}},
}

var headings = map[string]Text{
	"title":    {English: "Findings of tegata", Japanese: "tegata が見つける問題"},
	"intro":    {English: "Every finding has an id that is never used for anything else. The first digit is the family.", Japanese: "どの問題にも固有の ID があり、別の意味で再利用されることはありません。先頭の数字は分類を表します。"},
	"none":     {English: "No findings yet.", Japanese: "まだありません。"},
	"cause":    {English: "Cause", Japanese: "原因"},
	"remedy":   {English: "What to do", Japanese: "対処"},
	"evidence": {English: "Evidence", Japanese: "根拠"},
	"similar":  {English: "Looks similar", Japanese: "似ている問題"},
	"sources":  {English: "Sources", Japanese: "出典"},
}

func listPage(l Lang) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n", headings["title"][l], headings["intro"][l])
	for _, f := range families {
		fmt.Fprintf(&b, "\n## TG%cxxx %s\n\n", f.digit, f.title[l])
		empty := true
		for _, m := range All() {
			if m.ID[2] == f.digit {
				fmt.Fprintf(&b, "- [%s](%s.md) (%s): %s\n", m.ID, m.ID, l.T(string(m.Severity)), code(m.Title[l]))
				empty = false
			}
		}
		if empty {
			fmt.Fprintln(&b, headings["none"][l])
		}
	}
	return b.String()
}

// page is the page of one message: English, then Japanese.
func page(m Message) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", m.ID)
	for _, l := range []Lang{English, Japanese} {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", code(m.Title[l]), l.T(string(m.Severity)))
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", headings["cause"][l], code(m.Cause[l]))
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", headings["remedy"][l], code(m.Remedy[l]))
		if m.Command != "" {
			fmt.Fprintf(&b, "\n%s:\n\n```sh\n%s\n```\n", m.Where.In(l), Fill(m.Command, nil))
		}
		fmt.Fprintf(&b, "\n### %s\n\n", headings["evidence"][l])
		for _, name := range m.Evidence {
			fmt.Fprintf(&b, "- `%s`: %s\n", name, l.T(strings.ReplaceAll(name, "_", " ")))
		}
		similar(&b, m, l)
	}
	fmt.Fprintf(&b, "\n## %s / %s\n\n", headings["sources"][English], headings["sources"][Japanese])
	for _, s := range m.Sources {
		fmt.Fprintf(&b, "- %s\n", s)
	}
	return b.String()
}

func similar(b *strings.Builder, m Message, l Lang) {
	if len(m.Similar) == 0 {
		return
	}
	fmt.Fprintf(b, "\n### %s\n\n", headings["similar"][l])
	for _, id := range m.Similar {
		other, _ := Lookup(id)
		fmt.Fprintf(b, "- [%s](%s.md): %s\n", id, id, code(other.Title[l]))
	}
}

// code sets the fields of a text in type of their own.
func code(s string) string { return field.ReplaceAllString(s, "`$1`") }
