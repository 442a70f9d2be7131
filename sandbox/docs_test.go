package sandbox

import (
	"flag"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/internal/message"
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

var update = flag.Bool("update", false, "write the faults into docs/scenarios.md")

// The page lists all faults, as they are called in English.
func TestDocumentedFaults(t *testing.T) {
	const begin, end = "<!-- faults -->\n", "<!-- /faults -->\n"
	docs := scenarioDocs(t)
	before, rest, ok := strings.Cut(docs, begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("no %s…%s", begin, end)
	}
	table := "| fault | what is wrong |\n|---|---|\n"
	for _, f := range Faults() {
		table += "| `" + f.Name + "` | " + f.Title[message.English] + " |\n"
	}
	want := before + begin + table + end + after
	if *update {
		if err := os.WriteFile("../docs/scenarios.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, docs); diff != "" {
		t.Errorf("run go test ./sandbox -run Documented -update:\n%s", diff)
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
	walk(reflect.TypeFor[IAM]())
}
