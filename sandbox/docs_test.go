package sandbox

import (
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
