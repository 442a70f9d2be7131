package terraform

import (
	gojson "encoding/json"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// policyLayer is a policy that is written as an expression.
var policyLayer = scan.Layer{Name: "an expression of Terraform"}

// policies yields the IAM policies of a file as the JSON that Terraform makes of
// them: what jsonencode is given, and documents that are data. Those that are
// strings are found by their looks.
func (f *file) policies(body *hclsyntax.Body) {
	hclsyntax.VisitAll(body, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.FunctionCallExpr:
			if object, ok := onlyObject(n); ok && n.Name == "jsonencode" && f.member(object, "Statement") != nil {
				b := f.text.Within()
				f.encode(b, object, 0)
				f.policy(b.Text(scan.IAM, policyLayer))
			}
		case *hclsyntax.Block:
			if n.Type == "data" && len(n.Labels) == 2 && n.Labels[0] == "aws_iam_policy_document" {
				f.policy(f.document(n))
			}
		}
		return nil
	})
}

func onlyObject(e *hclsyntax.FunctionCallExpr) (*hclsyntax.ObjectConsExpr, bool) {
	if len(e.Args) != 1 {
		return nil, false
	}
	object, ok := e.Args[0].(*hclsyntax.ObjectConsExpr)
	return object, ok
}

func (f *file) policy(t *scan.Text) { f.facts.Texts = append(f.facts.Texts, t) }

// document is the policy of a block data "aws_iam_policy_document".
func (f *file) document(b *hclsyntax.Block) *scan.Text {
	out := f.text.Within()
	out.Made(at(b.TypeRange).Start, `{"Statement": [`)
	first := true
	for _, statement := range b.Body.Blocks {
		if statement.Type != "statement" {
			continue
		}
		start := at(statement.TypeRange).Start
		if !first {
			out.Made(start, ", ")
		}
		first = false
		f.statement(out, statement)
	}
	out.Made(at(b.Range()).End, "]}")
	return out.Text(scan.IAM, policyLayer, strings.Join(append([]string{"data"}, b.Labels...), "."))
}

// statementKeys are the attributes of a statement, with what IAM calls them.
var statementKeys = []struct{ attribute, key string }{
	{"actions", "Action"}, {"not_actions", "NotAction"}, {"resources", "Resource"}, {"not_resources", "NotResource"},
}

func (f *file) statement(out *scan.Builder, b *hclsyntax.Block) {
	start := at(b.TypeRange).Start
	effect := "Allow"
	if e := expression(b.Body, "effect"); e != nil {
		effect, _ = f.value(e, 0)
	}
	out.Made(start, `{"Effect": `+quotedJSON(effect))
	for _, k := range statementKeys {
		if e := expression(b.Body, k.attribute); e != nil {
			out.Made(at(e.Range()).Start, `, "`+k.key+`": `)
			f.encode(out, e, 0)
		}
	}
	if has(b.Body, "condition") {
		out.Made(start, `, "Condition": {"of": {}}`)
	}
	if has(b.Body, "principals") {
		out.Made(start, `, "Principal": "*"`)
	}
	out.Made(start, "}")
}

// encode writes an expression as JSON. What only Terraform knows is
// [scan.Unknown].
func (f *file) encode(out *scan.Builder, e hclsyntax.Expression, depth int) {
	place := at(e.Range())
	switch e := e.(type) {
	case *hclsyntax.ObjectConsExpr:
		if depth > maxSteps {
			break
		}
		out.Made(place.Start, "{")
		for i, item := range e.Items {
			if i > 0 {
				out.Made(at(item.KeyExpr.Range()).Start, ", ")
			}
			out.Made(at(item.KeyExpr.Range()).Start, quotedJSON(keyOf(item.KeyExpr))+": ")
			f.encode(out, item.ValueExpr, depth+1)
		}
		out.Made(place.End, "}")
		return
	case *hclsyntax.TupleConsExpr:
		if depth > maxSteps {
			break
		}
		out.Made(place.Start, "[")
		for i, item := range e.Exprs {
			if i > 0 {
				out.Made(at(item.Range()).Start, ", ")
			}
			f.encode(out, item, depth+1)
		}
		out.Made(place.End, "]")
		return
	}
	value, ok := f.value(e, 0)
	if !ok {
		value = scan.Unknown
	}
	out.Decoded(place, quotedJSON(value))
}

func quotedJSON(s string) string {
	text, err := gojson.Marshal(s)
	if err != nil {
		return `""` // a string has a JSON form
	}
	return string(text)
}
