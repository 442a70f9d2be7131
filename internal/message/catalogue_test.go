package message

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var langs = []Lang{English, Japanese}

func TestIDs(t *testing.T) {
	last := ""
	for _, m := range All() {
		if !regexp.MustCompile(`^TG[1-8][0-9]{3}$`).MatchString(m.ID) {
			t.Errorf("id %q is not TG and four digits of a family", m.ID)
		}
		if m.ID <= last {
			t.Errorf("%s stands after %s: ids are sorted and unique", m.ID, last)
		}
		last = m.ID
	}
}

func TestLookup(t *testing.T) {
	if m, ok := Lookup("TG2003"); !ok || m.ID != "TG2003" {
		t.Errorf(`Lookup("TG2003") = %v, %v`, m.ID, ok)
	}
	if _, ok := Lookup("TG0000"); ok {
		t.Error("an unknown id was found")
	}
}

func TestEntriesAreWhole(t *testing.T) {
	for _, m := range All() {
		if m.Severity != Error && m.Severity != Warning {
			t.Errorf("%s: severity %q", m.ID, m.Severity)
		}
		if !slices.Contains([]Where{OnInstance, AsAdmin, InConsole, InApp}, m.Where) {
			t.Errorf("%s: where %q", m.ID, m.Where)
		}
		if m.Command == "" && m.Where != InConsole {
			t.Errorf("%s: no command, and not in the console", m.ID)
		}
		if len(m.Sources) == 0 || len(m.Evidence) == 0 {
			t.Errorf("%s: no source or no evidence", m.ID)
		}
		for name, text := range m.texts() {
			for _, l := range langs {
				if strings.TrimSpace(text[l]) == "" {
					t.Errorf("%s: %s has no words in %s", m.ID, name, l)
				}
			}
			if hasJapanese(text[English]) || !hasJapanese(text[Japanese]) {
				t.Errorf("%s: %s is in the wrong language", m.ID, name)
			}
		}
		for _, l := range langs {
			if s := m.Title[l]; strings.ContainsAny(s, "\n") || strings.HasSuffix(s, ".") || strings.HasSuffix(s, "。") || len([]rune(s)) > 110 {
				t.Errorf("%s: the title in %s is no short line: %q", m.ID, l, s)
			}
		}
	}
}

func (m Message) texts() map[string]Text {
	return map[string]Text{"title": m.Title, "cause": m.Cause, "remedy": m.Remedy}
}

func hasJapanese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) })
}

var field = regexp.MustCompile(`\{([a-z_]+)\}`)

func TestFieldsAreEvidence(t *testing.T) {
	for _, m := range All() {
		texts := []string{m.Command}
		for _, text := range m.texts() {
			texts = append(texts, text[English], text[Japanese])
		}
		for _, s := range texts {
			for _, match := range field.FindAllStringSubmatch(s, -1) {
				if !slices.Contains(m.Evidence, match[1]) {
					t.Errorf("%s: %s is in a text and no evidence", m.ID, match[0])
				}
			}
		}
	}
}

// The languages must say the same: whatever one of them names, the other
// names too.
func TestLanguagesHaveTheSameFields(t *testing.T) {
	for _, m := range All() {
		for name, text := range m.texts() {
			en, ja := fieldsOf(text[English]), fieldsOf(text[Japanese])
			if !slices.Equal(en, ja) {
				t.Errorf("%s: %s has fields %v in English and %v in Japanese", m.ID, name, en, ja)
			}
		}
	}
}

func fieldsOf(s string) []string {
	fields := field.FindAllString(s, -1)
	slices.Sort(fields)
	return slices.Compact(fields)
}

func TestCommandsHaveNoGaps(t *testing.T) {
	for _, m := range All() {
		evidence := map[string]string{}
		for _, name := range m.Evidence {
			evidence[name] = "x"
		}
		if s := Fill(m.Command, evidence); regexp.MustCompile(`<[a-z_]+>`).MatchString(s) {
			t.Errorf("%s: gap in %q", m.ID, s)
		}
	}
}

func TestSimilarIDsExist(t *testing.T) {
	for _, m := range All() {
		for _, id := range m.Similar {
			if _, ok := Lookup(id); !ok || id == m.ID {
				t.Errorf("%s: similar to %s, which is itself or not there", m.ID, id)
			}
		}
	}
}

func TestFill(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"a {name} b", "a value b"},
		{"a {other} b", "a <other> b"},
		{"${AWS_REGION:?} {name}", "${AWS_REGION:?} value"},
		{`{"a":[{"b":"{name}"}]}`, `{"a":[{"b":"value"}]}`},
		{"{name", "{name"},
		{"{}", "{}"},
		{"", ""},
	} {
		if got := Fill(test.in, map[string]string{"name": "value"}); got != test.want {
			t.Errorf("Fill(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}
