package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"tegata/scan"
)

// maxSteps bounds how far names are followed; locals can be made to go round.
const maxSteps = 16

// value returns what an expression is, with [scan.Unknown] for parts that only
// Terraform knows. It reports whether anything is known.
func (f *file) value(e hclsyntax.Expression, steps int) (string, bool) {
	if steps > maxSteps {
		return "", false
	}
	switch e := e.(type) {
	case *hclsyntax.LiteralValueExpr:
		return constant(e)
	case *hclsyntax.TemplateExpr:
		var s strings.Builder
		for _, p := range e.Parts {
			v, ok := f.value(p, steps+1)
			if !ok {
				v = scan.Unknown
			}
			s.WriteString(v)
		}
		return s.String(), s.Len() <= maxValue
	case *hclsyntax.TemplateWrapExpr:
		return f.value(e.Wrapped, steps+1)
	case *hclsyntax.ParenthesesExpr:
		return f.value(e.Expression, steps+1)
	case *hclsyntax.ScopeTraversalExpr:
		if e.Traversal.RootName() == "path" {
			return ".", true
		}
		if named := f.follow(e); named != nil {
			return f.valueOf(named, steps+1)
		}
	case *hclsyntax.FunctionCallExpr:
		switch e.Name {
		case "tostring", "sensitive", "nonsensitive", "trimspace", "chomp", "abspath":
			if len(e.Args) == 1 {
				return f.value(e.Args[0], steps+1)
			}
		}
	}
	return "", false
}

// maxValue bounds what a name can stand for; names can be made to multiply.
const maxValue = 64 << 10

// valueOf returns what a name stands for. Within itself it is unknown.
func (f *file) valueOf(named hclsyntax.Expression, steps int) (string, bool) {
	place := at(named.Range())
	if known, ok := f.values[place]; ok {
		return known.text, known.ok
	}
	f.values[place] = known{}
	v, ok := f.value(named, steps)
	f.values[place] = known{v, ok}
	return v, ok
}

// A known is what a name stands for, if anything.
type known struct {
	text string
	ok   bool
}

// constant returns what an expression is that names nothing.
func constant(e hclsyntax.Expression) (string, bool) {
	value, diags := e.Value(nil)
	if diags.HasErrors() {
		return "", false
	}
	s, err := convert.Convert(value, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return "", false
	}
	return s.AsString(), true
}

// follow returns the expression that local.x or var.x stands for, also with a
// key of an object after it; nil if it is not in the file.
func (f *file) follow(e *hclsyntax.ScopeTraversalExpr) hclsyntax.Expression {
	if len(e.Traversal) < 2 {
		return nil
	}
	name, _ := step(e.Traversal[1])
	var named, kind hclsyntax.Expression
	switch e.Traversal.RootName() {
	case "local":
		named = f.locals[name]
	case "var":
		named, kind = f.variables[name], f.types[name]
	}
	for _, next := range e.Traversal[2:] {
		key, ok := step(next)
		if !ok {
			return nil
		}
		var otherwise hclsyntax.Expression
		kind, otherwise = f.optional(f.member(objectType(kind), key))
		if named = f.member(named, key); named == nil {
			named = otherwise
		}
	}
	return named
}

// objectType returns the attributes that a type such as object({…}) lists.
func objectType(kind hclsyntax.Expression) hclsyntax.Expression {
	if call, ok := kind.(*hclsyntax.FunctionCallExpr); ok && call.Name == "object" && len(call.Args) == 1 {
		return call.Args[0]
	}
	return nil
}

// optional takes optional(type, default) to pieces.
//
// Source: https://developer.hashicorp.com/terraform/language/expressions/type-constraints#optional-object-type-attributes
func (f *file) optional(kind hclsyntax.Expression) (of, otherwise hclsyntax.Expression) {
	call, ok := kind.(*hclsyntax.FunctionCallExpr)
	if !ok || call.Name != "optional" || len(call.Args) == 0 {
		return kind, nil
	}
	if len(call.Args) > 1 {
		otherwise = call.Args[1]
	}
	return call.Args[0], otherwise
}

func step(t hcl.Traverser) (string, bool) {
	switch t := t.(type) {
	case hcl.TraverseAttr:
		return t.Name, true
	case hcl.TraverseIndex:
		if t.Key.Type().FriendlyName() == "string" {
			return t.Key.AsString(), true
		}
	}
	return "", false
}

// member returns the value that an object has for a key; nil if it has none,
// or is no object.
func (f *file) member(e hclsyntax.Expression, key string) hclsyntax.Expression {
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		return nil
	}
	for _, item := range object.Items {
		if keyOf(item.KeyExpr) == key {
			return item.ValueExpr
		}
	}
	return nil
}

// keyOf returns the key of an item of an object.
func keyOf(e hclsyntax.Expression) string {
	if key, ok := e.(*hclsyntax.ObjectConsKeyExpr); ok {
		if name := hcl.ExprAsKeyword(key.Wrapped); name != "" {
			return name
		}
		e = key.Wrapped
	}
	s, _ := constant(e)
	return s
}
