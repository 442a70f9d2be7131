package awsfake

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the list of operations into docs/awsfake.md")

// The documentation lists the operations that there are.
func TestDocs(t *testing.T) {
	const path, begin, end = "../docs/awsfake.md", "<!-- operations -->\n", "<!-- end of operations -->\n"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has no place for operations", path)
	}
	want := before + begin + operationsTable() + end + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s lists other operations than there are: go test ./awsfake -run TestDocs -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func operationsTable() string {
	var b strings.Builder
	b.WriteString("| service | operations |\n|---|---|\n")
	for _, of := range New(Options{}).services {
		var names []string
		for _, o := range of.Operations {
			names = append(names, o.Name)
		}
		slices.Sort(names)
		fmt.Fprintf(&b, "| `%s` (%d) | %s |\n", of.Name, len(names), strings.Join(names, ", "))
	}
	return b.String()
}
