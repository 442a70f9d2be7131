package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tegata/internal/message"
)

// TestHintsHaveJapanese: whatever a person is told to do, and every warning,
// is there in Japanese too, unless it is a command alone.
func TestHintsHaveJapanese(t *testing.T) {
	phrases := map[string]token.Position{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				note(phrases, fset, phraseOf(call))
			}
			return true
		})
	}
	if len(phrases) < 8 {
		t.Errorf("only %d phrases were found", len(phrases))
	}
	for _, known := range hints {
		phrases[known.phrase] = token.Position{Filename: "hints"}
	}
	for phrase, where := range phrases {
		if message.Japanese.T(phrase) == phrase && !strings.HasPrefix(phrase, "tegata ") {
			t.Errorf("%v: no Japanese for %q", where, phrase)
		}
	}
}

// phraseOf returns the argument of hintf and of warn that is a phrase.
func phraseOf(call *ast.CallExpr) ast.Expr {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		if f.Name == "hintf" && len(call.Args) > 1 {
			return call.Args[1]
		}
	case *ast.SelectorExpr:
		if f.Sel.Name == "warn" && len(call.Args) > 0 {
			return call.Args[0]
		}
	}
	return nil
}

func note(phrases map[string]token.Position, fset *token.FileSet, e ast.Expr) {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		phrase, _ := strconv.Unquote(lit.Value)
		phrases[phrase] = fset.Position(lit.Pos())
	}
}

// TestReasonsHaveJapanese: whatever scan says of why something is not rewritten
// is there in Japanese.
func TestReasonsHaveJapanese(t *testing.T) {
	reasons := map[string]token.Position{}
	fset := token.NewFileSet()
	err := filepath.WalkDir("../../../scan", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			note(reasons, fset, reasonOf(n))
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(reasons) < 20 {
		t.Errorf("only %d reasons were found", len(reasons))
	}
	for reason, where := range reasons {
		if reason != "" && message.Japanese.T(reason) == reason {
			t.Errorf("%v: no Japanese for %q", where, reason)
		}
	}
}

// reasonOf returns the text of a constant called why…, or what is put into a
// field called Why.
func reasonOf(n ast.Node) ast.Expr {
	named := func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.Ident:
			return e.Name == "Why"
		case *ast.SelectorExpr:
			return e.Sel.Name == "Why"
		}
		return false
	}
	switch n := n.(type) {
	case *ast.ValueSpec:
		if strings.HasPrefix(n.Names[0].Name, "why") && len(n.Values) == 1 {
			return n.Values[0]
		}
	case *ast.KeyValueExpr:
		if named(n.Key) {
			return n.Value
		}
	case *ast.AssignStmt:
		if i := slices.IndexFunc(n.Lhs, named); i >= 0 && i < len(n.Rhs) {
			return n.Rhs[i]
		}
	}
	return nil
}
