// Package terraform reads what Terraform, its relatives and Packer are told:
// which instances there are, how their metadata service is set, and the scripts
// that run on them, wherever they stand: in strings, heredocs, lists of lines,
// locals, defaults of variables and files beside.
package terraform

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// Detect reads a file in HCL or, for the same programs, in JSON. A file that
// doesn't parse is handed over as a template.
func Detect(t *scan.Text) scan.Facts {
	if strings.HasPrefix(strings.TrimLeft(t.Body, " \t\r\n"), "{") {
		return detectJSON(t)
	}
	body := parse(t)
	if body == nil {
		return broken(t)
	}
	f := newFile(t, body)
	f.units(body)
	f.policies(body)
	for _, f.looks = range []bool{false, true} {
		for _, block := range body.Blocks {
			f.block(place{}, block)
		}
		for _, a := range sorted(body.Attributes) {
			f.attribute(place{}, a.Name, a.Expr)
		}
	}
	slices.SortStableFunc(f.facts.Texts, func(a, b *scan.Text) int {
		return a.InFile(scan.Span{}).Start - b.InFile(scan.Span{}).Start
	})
	return f.facts
}

// parse returns what HCL's own parser makes of a file; nil if it is broken.
func parse(t *scan.Text) *hclsyntax.Body {
	if len(t.Body) > maxParsed || isDeep(t.Body) {
		return nil
	}
	parsed, diags := hclsyntax.ParseConfig([]byte(t.Body), t.Path, hcl.InitialPos)
	if diags.HasErrors() {
		return nil
	}
	body, _ := parsed.Body.(*hclsyntax.Body)
	return body
}

// broken hands over a file as it stands.
func broken(t *scan.Text) scan.Facts {
	b := t.Within()
	b.Verbatim(scan.Span{Start: 0, End: len(t.Body)})
	return scan.Facts{Texts: []*scan.Text{b.Text(scan.Template, scan.Layer{Name: "a file that Terraform does not parse"})}}
}

// maxParsed bounds how large a file is parsed: its tree takes a hundred times
// the memory.
const maxParsed = 2 << 20

// maxDeep bounds how deep a file may nest. The parser calls itself for each
// level, and nothing stops it when the stack is used up.
const (
	maxDeep       = 1000
	maxConditions = 20_000 // wherever; a chain of them nests
)

// isDeep reports whether a file may nest deeper, by its brackets, its unary
// operators and its conditions.
func isDeep(body string) bool {
	depth, unary, conditions := 0, 0, 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth = max(0, depth-1)
		case '!', '-':
			unary++
		case '?':
			conditions++
		case ' ', '\t':
		default:
			unary = 0
		}
		if max(depth, unary) > maxDeep || conditions > maxConditions {
			return true
		}
	}
	return false
}

// A file is what is known of one file while it is read.
type file struct {
	text      *scan.Text
	facts     scan.Facts
	variables map[string]hclsyntax.Expression // their defaults
	types     map[string]hclsyntax.Expression // of variables
	locals    map[string]hclsyntax.Expression
	blocks    map[string]*hclsyntax.Block // resources by "aws_instance.web", data by "data.template_file.init"
	read      map[span]*outcome           // of expressions
	values    map[span]known
	nodes     map[string]bool // launch templates of nodes of EKS: "aws_launch_template.a"
	defaults  bool            // what instances of the account get is set here
	newline   string
	looks     bool // what nothing is known of is judged by its looks
	build     bool // images are built, and not on an instance
}

type span = scan.Span

// An outcome is what was found in an expression.
type outcome struct {
	texts      []*scan.Text
	references []scan.Reference
}

func newFile(t *scan.Text, body *hclsyntax.Body) *file {
	f := &file{
		text: t, variables: map[string]hclsyntax.Expression{}, types: map[string]hclsyntax.Expression{}, locals: map[string]hclsyntax.Expression{},
		blocks: map[string]*hclsyntax.Block{}, nodes: map[string]bool{}, newline: newlineOf(t.Body), read: map[span]*outcome{}, values: map[span]known{},
	}
	sources, onInstances := 0, 0
	for _, b := range body.Blocks {
		switch {
		case b.Type == "variable" && len(b.Labels) == 1:
			if a := b.Body.Attributes["default"]; a != nil {
				f.variables[b.Labels[0]] = a.Expr
			}
			if a := b.Body.Attributes["type"]; a != nil {
				f.types[b.Labels[0]] = a.Expr
			}
		case b.Type == "locals":
			for name, a := range b.Body.Attributes {
				f.locals[name] = a.Expr
			}
		case b.Type == "resource" && len(b.Labels) == 2:
			f.blocks[strings.Join(b.Labels, ".")] = b
			f.defaults = f.defaults || b.Labels[0] == "aws_ec2_instance_metadata_defaults"
			if b.Labels[0] == "aws_eks_node_group" {
				f.nodesOf(b)
			}
		case b.Type == "data" && len(b.Labels) == 2:
			f.blocks["data."+strings.Join(b.Labels, ".")] = b
		case b.Type == "source" && len(b.Labels) > 0:
			sources++
			if strings.HasPrefix(b.Labels[0], "amazon-") {
				onInstances++
			}
		}
	}
	f.build = sources > 0 && onInstances == 0
	return f
}

// at returns where an expression or a block stands.
func at(r hcl.Range) span { return span{Start: r.Start.Byte, End: r.End.Byte} }

// sorted returns attributes in the order of the file.
func sorted(all hclsyntax.Attributes) []*hclsyntax.Attribute {
	var list []*hclsyntax.Attribute
	for _, a := range all {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int { return a.SrcRange.Start.Byte - b.SrcRange.Start.Byte })
	return list
}

// A place is where an attribute stands.
type place struct {
	name   string // of the resource, the module, the source: "aws_instance.web"
	kind   string // of it: "aws_instance"
	blocks []string
	image  bool // it takes part in building an image that no instance is made into
	shell  scan.Lang
}

func (p place) origin(attribute string) []string {
	var all []string
	if p.name != "" {
		all = append(all, p.name)
	}
	if p.image {
		all = append(all, scan.ImageBuild)
	}
	return append(all, attribute)
}

// within reports whether the place lies in a block of one of some types.
func (p place) within(types ...string) bool {
	return slices.ContainsFunc(p.blocks, func(b string) bool { return slices.Contains(types, b) })
}

// block reads a block with all that stands in it.
func (f *file) block(p place, b *hclsyntax.Block) {
	p.blocks = append(slices.Clone(p.blocks), b.Type)
	switch {
	case len(p.blocks) == 1:
		p.name, p.kind = nameOf(b)
		p.image = f.build && b.Type == "build"
	case b.Type == "provisioner" && len(b.Labels) == 1:
		p.blocks[len(p.blocks)-1] = "provisioner " + b.Labels[0]
	case b.Type == "dynamic" && len(b.Labels) == 1:
		p.blocks[len(p.blocks)-1] = b.Labels[0]
	}
	p.shell = f.interpreter(b)
	f.requests(p, b)
	for _, a := range sorted(b.Body.Attributes) {
		f.attribute(p, a.Name, a.Expr)
	}
	for _, inner := range b.Body.Blocks {
		f.block(p, inner)
	}
}

// nameOf returns how a block is spoken of, and its kind.
func nameOf(b *hclsyntax.Block) (name, kind string) {
	name = strings.Join(b.Labels, ".")
	switch b.Type {
	case "resource":
	case "locals":
		name = "locals"
	default:
		name = strings.TrimSuffix(b.Type+"."+name, ".")
	}
	if len(b.Labels) > 0 {
		kind = b.Labels[0]
	}
	return name, kind
}

// interpreter returns the language of the scripts of a provisioner.
func (f *file) interpreter(b *hclsyntax.Block) scan.Lang {
	if b.Type != "provisioner" || len(b.Labels) != 1 {
		return ""
	}
	switch b.Labels[0] {
	case "powershell":
		return scan.PowerShell
	case "windows-shell":
		return scan.Batch
	}
	if a := b.Body.Attributes["interpreter"]; a != nil {
		if tuple, ok := a.Expr.(*hclsyntax.TupleConsExpr); ok && len(tuple.Exprs) > 0 {
			name, _ := f.value(tuple.Exprs[0], 0)
			return scan.Script("#!"+strings.ToLower(name), scan.Shell)
		}
	}
	if a := b.Body.Attributes["inline_shebang"]; a != nil {
		line, _ := f.value(a.Expr, 0)
		return scan.Script("#!"+line, scan.Shell)
	}
	return scan.Shell
}

// requests tells of data that Terraform itself fetches from the metadata
// service.
func (f *file) requests(p place, b *hclsyntax.Block) {
	url := b.Body.Attributes["url"]
	if !f.looks || b.Type != "data" || p.kind != "http" || url == nil || b.Body.Attributes["request_headers"] != nil {
		return
	}
	s, ok := f.value(url.Expr, 0)
	target, found := scan.FindTarget(s)
	if !ok || !found || target.Whose != scan.AWS || target.Token() {
		return
	}
	f.facts.Findings = append(f.facts.Findings, scan.Finding{
		ID: "TG1001", Confidence: scan.Sure, At: at(url.Expr.Range()),
		Evidence: []scan.Field{{Name: "command", Value: "data.http"}, {Name: "host", Value: target.Host}, {Name: "request", Value: "GET " + target.Path}},
		Why:      "a data source can't ask for a token first",
	})
}
