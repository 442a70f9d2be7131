// Package cloudformation reads templates of CloudFormation and SAM, in YAML and
// in JSON, and documents of Systems Manager and Image Builder: what runs on
// their instances, and the metadata options that these have.
//
// Sources: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html,
// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-launchtemplate.html
package cloudformation

import (
	"tegata/scan"
	"tegata/scan/yaml"
)

// Detect reads a template or a document. Of one that Jinja or the like has to
// fill in before it is YAML, only the scripts are told; what can't be read at all
// goes to the detector of templates, line by line.
func Detect(t *scan.Text) scan.Facts {
	docs, err := yaml.Parse(t)
	if err == nil {
		return detect(t, docs)
	}
	if docs, err = yaml.ParseTemplate(t); err == nil && len(docs) > 0 {
		return scan.Facts{Texts: yaml.Unmasked(detect(docs[0].Around(), docs).Texts)}
	}
	return scan.Facts{Texts: []*scan.Text{yaml.Whole(t, scan.Template)}}
}

func detect(t *scan.Text, docs []*yaml.Node) scan.Facts {
	var facts scan.Facts
	for _, doc := range docs {
		s := &stack{text: t, root: doc}
		s.document(doc)
		s.beanstalk(doc)
		s.resources()
		s.policies(doc, 0)
		facts.Texts = append(facts.Texts, s.texts...)
		facts.Units = append(facts.Units, s.units...)
	}
	facts.Texts = append(facts.Texts, yaml.Left(docs)...)
	return facts
}

// A stack is a template that is read.
type stack struct {
	text  *scan.Text
	root  *yaml.Node
	texts []*scan.Text
	units []scan.Unit
}

// yield adds texts, of which any may be nil.
func (s *stack) yield(texts ...*scan.Text) {
	for _, t := range texts {
		if t != nil {
			s.texts = append(s.texts, t)
		}
	}
}

// A resource of a template.
type resource struct {
	name       string
	key        *yaml.Node
	kind       string
	properties *yaml.Node
	metadata   *yaml.Node
	origin     string
}

func (s *stack) each(f func(resource)) {
	resources := s.root.Get("Resources")
	if resources == nil {
		return
	}
	for _, p := range resources.Pairs {
		f(resource{
			name: p.Key.Str(), key: p.Key, kind: p.Value.Get("Type").Str(),
			properties: p.Value.Get("Properties"), metadata: p.Value.Get("Metadata"),
			origin: "Resource " + p.Key.Str(),
		})
	}
}

// resources reads all resources of the template: first what runs anywhere, then
// the instances.
func (s *stack) resources() {
	s.each(func(r resource) {
		switch r.kind {
		case "AWS::EC2::Instance", "AWS::EC2::LaunchTemplate", "AWS::AutoScaling::LaunchConfiguration", "AWS::EC2::SpotFleet":
			s.instances(r)
		default:
			s.workload(r)
		}
	})
	s.joinTemplates()
}
