package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// settings are the metadata options of a unit.
type settings struct {
	file    *file
	unit    *scan.Unit
	block   *hclsyntax.Block // the resource, the module
	options span             // with its braces; empty if there are none
	tokens  hclsyntax.Expression
	hops    hclsyntax.Expression
	off     bool            // the endpoint is disabled
	unseen  bool            // a name that is not in the file decides
	missing scan.Confidence // that nothing pins the setting if the unit doesn't; "" if something else does
	object  bool            // they are an object, not a block
}

// settingsOf returns the options of what instances are launched from; nil for
// anything else.
func (f *file) settingsOf(b *hclsyntax.Block) *settings {
	s := &settings{file: f, block: b}
	switch {
	case b.Type == "resource" && len(b.Labels) == 2:
		switch b.Labels[0] {
		case "aws_instance", "aws_spot_instance_request":
			s.missing = scan.Sure
			if has(b.Body, "launch_template") {
				s.missing = "" // it may have them
			}
		case "aws_launch_template", "aws_launch_configuration":
			s.missing = scan.Sure
		case "aws_ec2_instance_metadata_defaults":
			s.tokens, s.hops = expression(b.Body, "http_tokens"), expression(b.Body, "http_put_response_hop_limit")
			s.options = at(b.Range())
			return s
		default:
			return nil
		}
	case b.Type == "module":
		if s.missing = f.moduleDefault(b); s.missing == "" && b.Body.Attributes["metadata_options"] == nil {
			return nil
		}
	case b.Type == "source" && len(b.Labels) > 0 && strings.HasPrefix(b.Labels[0], "amazon-"):
	default:
		return nil
	}
	if f.defaults && s.missing != "" {
		s.missing = scan.Possible // if the account's are set first
	}
	s.find()
	return s
}

func has(body *hclsyntax.Body, block string) bool {
	for _, b := range body.Blocks {
		if b.Type == block || b.Type == "dynamic" && len(b.Labels) == 1 && b.Labels[0] == block {
			return true
		}
	}
	return false
}

func expression(body *hclsyntax.Body, name string) hclsyntax.Expression {
	if a := body.Attributes[name]; a != nil {
		return a.Expr
	}
	return nil
}

// moduleDefault returns how sure it is that a module leaves the setting open
// unless it is told; "" if it does not, or is unknown.
func (f *file) moduleDefault(b *hclsyntax.Block) scan.Confidence {
	source, _ := f.value(expression(b.Body, "source"), 0)
	if strings.Contains(source, "terraform-aws-modules/ec2-instance/aws") || strings.Contains(source, "terraform-aws-modules/autoscaling/aws") {
		return scan.Possible // its newer versions require tokens
	}
	return ""
}

// find looks for the options in the block, in what is repeated for a list, and
// in the object that a module takes.
func (s *settings) find() {
	for _, b := range s.block.Body.Blocks {
		switch {
		case b.Type == "metadata_options":
			s.body(b.Body, nil)
			s.options = at(b.Range())
		case b.Type == "dynamic" && len(b.Labels) == 1 && b.Labels[0] == "metadata_options":
			s.unseen = true
			for _, content := range b.Body.Blocks {
				if content.Type == "content" {
					s.body(content.Body, s.element(expression(b.Body, "for_each")))
					s.options = at(content.Range())
				}
			}
		}
	}
	if e := expression(s.block.Body, "metadata_options"); e != nil {
		s.objectOf(e)
	}
}

func (s *settings) body(body *hclsyntax.Body, element hclsyntax.Expression) {
	s.tokens = s.through(expression(body, "http_tokens"), element)
	s.hops = s.through(expression(body, "http_put_response_hop_limit"), element)
	if endpoint, ok := s.file.value(s.through(expression(body, "http_endpoint"), element), 0); ok && endpoint == "disabled" {
		s.off = true
	}
}

// objectOf reads options that are an object, or the default of a variable that
// is one.
func (s *settings) objectOf(e hclsyntax.Expression) {
	for range maxSteps {
		named, ok := e.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			break
		}
		e = s.file.follow(named)
	}
	object, ok := e.(*hclsyntax.ObjectConsExpr)
	if !ok {
		s.unseen = true
		s.missing = ""
		return
	}
	s.object, s.options = true, at(object.Range())
	s.tokens = s.through(s.file.member(object, "http_tokens"), nil)
	s.hops = s.through(s.file.member(object, "http_put_response_hop_limit"), nil)
	if endpoint, ok := s.file.value(s.file.member(object, "http_endpoint"), 0); ok && endpoint == "disabled" {
		s.off = true
	}
}

// element returns the object that a dynamic block is made from, if the file
// tells: for_each = [var.options], for_each = var.options == null ? [] : […].
func (s *settings) element(e hclsyntax.Expression) (object hclsyntax.Expression) {
	if e == nil {
		return nil
	}
	hclsyntax.VisitAll(e, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.ObjectConsExpr:
			object = n
		case *hclsyntax.ScopeTraversalExpr:
			switch named := s.file.follow(n).(type) {
			case *hclsyntax.ObjectConsExpr:
				object = named
			case *hclsyntax.TupleConsExpr:
				if len(named.Exprs) == 1 {
					object = named.Exprs[0]
				}
			}
		}
		return nil
	})
	return object
}

// through replaces metadata_options.value.x by what the object has for x, and
// functions that choose by what they choose here.
func (s *settings) through(e, element hclsyntax.Expression) hclsyntax.Expression {
	switch e := e.(type) {
	case *hclsyntax.ScopeTraversalExpr:
		if e.Traversal.RootName() == "metadata_options" && len(e.Traversal) > 2 {
			if key, ok := step(e.Traversal[2]); ok {
				if v := s.file.member(element, key); v != nil {
					return v
				}
			}
		}
	case *hclsyntax.FunctionCallExpr:
		if chosen := s.chosen(e, element); chosen != nil {
			return chosen
		}
	}
	return e
}

// chosen returns the argument that lookup, try or coalesce returns; nil if the
// file doesn't tell.
func (s *settings) chosen(e *hclsyntax.FunctionCallExpr, element hclsyntax.Expression) hclsyntax.Expression {
	switch e.Name {
	case "lookup":
		return s.lookedUp(e, element)
	case "try", "coalesce":
		for _, arg := range e.Args {
			arg = s.origin(s.through(arg, element))
			if _, named := arg.(*hclsyntax.ScopeTraversalExpr); !named {
				return arg
			}
		}
	}
	return nil
}

// lookedUp returns what lookup(object, "x", default) does.
func (s *settings) lookedUp(e *hclsyntax.FunctionCallExpr, element hclsyntax.Expression) hclsyntax.Expression {
	if len(e.Args) < 2 {
		return nil
	}
	from := e.Args[0]
	if named, ok := from.(*hclsyntax.ScopeTraversalExpr); ok {
		if from = s.file.follow(named); from == nil && named.Traversal.RootName() == "metadata_options" {
			from = element
		}
	}
	key, _ := s.file.value(e.Args[1], 0)
	if v := s.file.member(from, key); v != nil {
		return v
	}
	if len(e.Args) == 3 {
		return e.Args[2]
	}
	return nil
}
