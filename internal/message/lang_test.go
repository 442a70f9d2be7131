package message

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestParseLang(t *testing.T) {
	for _, test := range []struct {
		in   string
		want Lang
		ok   bool
	}{
		{"ja", Japanese, true},
		{"ja_JP.UTF-8", Japanese, true},
		{"ja-JP", Japanese, true},
		{"JA", Japanese, true},
		{"en_GB.UTF-8", English, true},
		{"C", English, true},
		{"C.UTF-8", English, true},
		{"POSIX", English, true},
		{"fr_FR.UTF-8", English, false},
		{"jam", English, false},
		{"", English, false},
	} {
		if got, ok := ParseLang(test.in); got != test.want || ok != test.ok {
			t.Errorf("ParseLang(%q) = %s, %v, want %s, %v", test.in, got, ok, test.want, test.ok)
		}
	}
}

func TestLangFrom(t *testing.T) {
	for _, test := range []struct {
		env  map[string]string
		want Lang
	}{
		{nil, English},
		{map[string]string{"LANG": "ja_JP.UTF-8"}, Japanese},
		{map[string]string{"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, English},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_MESSAGES": "ja_JP.UTF-8"}, Japanese},
		{map[string]string{"LANG": "ja_JP.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, English},
		{map[string]string{"LANG": "ja_JP.UTF-8", "LC_ALL": ""}, Japanese},
	} {
		if got := LangFrom(func(name string) string { return test.env[name] }); got != test.want {
			t.Errorf("LangFrom(%v) = %s, want %s", test.env, got, test.want)
		}
	}
}

func TestT(t *testing.T) {
	if got := English.T("100% of %s"); got != "100% of %s" {
		t.Errorf("a phrase without arguments was formatted: %q", got)
	}
	if got := English.T("%d of %d", 1, 2); got != "1 of 2" {
		t.Errorf("got %q", got)
	}
	if got := Japanese.T("no such phrase"); got != "no such phrase" {
		t.Errorf("got %q", got)
	}
}

var verb = regexp.MustCompile(`%[-+# 0-9.*\[\]]*[a-zA-Z]`)

// A translation takes the same arguments; where their order differs it says
// so by index.
func TestPhrasesTakeTheSameArguments(t *testing.T) {
	for en, ja := range phrases() {
		if strings.TrimSpace(ja) == "" {
			t.Errorf("%q has no translation", en)
		}
		a, b := verb.FindAllString(en, -1), verb.FindAllString(ja, -1)
		if strings.Contains(ja, "%[") {
			slices.Sort(b)
		}
		if len(a) != len(b) || !strings.Contains(ja, "%[") && !slices.Equal(a, b) {
			t.Errorf("%q takes %v, its translation %v", en, a, b)
		}
	}
}

// TestPhrasesAreTranslated finds every literal phrase of the tree that T
// would say in English to a Japanese reader.
func TestPhrasesAreTranslated(t *testing.T) {
	for phrase, place := range literalPhrases(t) {
		if _, ok := phrases()[phrase]; !ok {
			t.Errorf("%s: no translation of %q in phrases.json", place, phrase)
		}
	}
}

// phraseArguments are the functions that hand a phrase to T, with the position
// of the phrase among their arguments.
var phraseArguments = map[string]int{"T": 0, "heading": 0, "skip": 0, "told": 2}

// literalPhrases returns the phrases of all calls of those, and where they are.
func literalPhrases(t *testing.T) map[string]token.Position {
	found := map[string]token.Position{}
	files := token.NewFileSet()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if phrase, ok := phraseOf(n); ok {
				found[phrase] = files.Position(n.Pos())
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func phraseOf(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	i, ok := phraseArguments[nameOf(call.Fun)]
	if !ok || len(call.Args) <= i {
		return "", false
	}
	literal, ok := call.Args[i].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return "", false
	}
	phrase, err := strconv.Unquote(literal.Value)
	return phrase, err == nil && phrase != "%s"
}

// nameOf returns the name of a function or method that is called.
func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

// TestNamesOfFieldsAreTranslated: reports show the names of evidence as words.
func TestNamesOfFieldsAreTranslated(t *testing.T) {
	for _, m := range All() {
		for _, name := range m.Evidence {
			if _, ok := phrases()[strings.ReplaceAll(name, "_", " ")]; !ok {
				t.Errorf("%s: no Japanese for the field %q", m.ID, name)
			}
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]Lang{
		"":                        "",
		"fr":                      "",
		"ja":                      Japanese,
		"ja-JP,ja;q=0.9,en;q=0.8": Japanese,
		"en-US,en;q=0.9,ja;q=0.8": English,
		"fr-FR,fr;q=0.9,ja;q=0.8": Japanese,
		"en;q=0.1, ja;q=0.5":      Japanese,
		"en;q=0, ja;q=0.001":      Japanese,
		"ja;q=high":               "",
		"ja; q=0.5 , en;q=0.7":    English,
		",,;q=1,ja":               Japanese,
	} {
		if got, ok := Accepted(header); want != "" && got != want || ok != (want != "") {
			t.Errorf("Accepted(%q) = %q, %v, want %q", header, got, ok, want)
		}
	}
}
