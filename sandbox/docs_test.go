package sandbox

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"tegata/emulator"
)

func scenarioDocs(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every example of the page is a scenario.
func TestDocumentedExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(scenarioDocs(t), -1)
	if len(blocks) < 5 {
		t.Fatalf("found %d examples", len(blocks))
	}
	for _, b := range blocks {
		s, err := Parse("scenarios.md", []byte(b[1]))
		if err != nil {
			t.Errorf("%v in\n%s", err, b[1])
			continue
		}
		o, err := s.Metadata()
		if err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
		if _, err := emulator.New(o); err != nil {
			t.Errorf("%v in\n%s", err, b[1])
		}
	}
}

// The page tells every key of what the metadata is made of.
func TestDocumentedKeys(t *testing.T) {
	docs := scenarioDocs(t)
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || typ == reflect.TypeFor[time.Time]() {
			return
		}
		for key, f := range fieldsOf(typ) {
			if !strings.Contains(docs, "`"+key+"`") && !strings.Contains(docs, "`"+key+":`") && !strings.Contains(docs, "`imds: "+key+"`") {
				t.Errorf("%s has the key %q, which docs/scenarios.md does not tell", typ, key)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[Instance]())
	walk(reflect.TypeFor[IMDS]())
	walk(reflect.TypeFor[Events]())
}

var update = flag.Bool("update", false, "write the table of faults into docs/scenarios.md")

// The page lists what --fault takes.
func TestDocumentedFaults(t *testing.T) {
	var table strings.Builder
	table.WriteString("\n| fault | what is wrong |\n|---|---|\n")
	for _, f := range Faults() {
		fmt.Fprintf(&table, "| `%s` | %s |\n", f.Name, f.Title["en"])
	}
	docs := scenarioDocs(t)
	const begin, end = "TestDocumentedFaults -update -->\n", "<!-- end -->"
	before, rest, _ := strings.Cut(docs, begin)
	_, after, ok := strings.Cut(rest, end)
	want := before + begin + table.String() + "\n" + end + after
	switch {
	case !ok:
		t.Fatal("the page has no place for the table of faults")
	case *update:
		if err := os.WriteFile("../docs/scenarios.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	case docs != want:
		t.Error("the table of faults is not what --fault takes: go test ./sandbox -run TestDocumentedFaults -update")
	}
}
