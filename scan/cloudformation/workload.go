package cloudformation

import (
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// workload reads resources that run something, but whose instances are not
// theirs.
func (s *stack) workload(r resource) {
	p := r.properties
	s.yield(s.initialisation(r)...)
	switch r.kind {
	case "AWS::Lambda::Function":
		s.lambda(r, p.Path("Code", "ZipFile"))
	case "AWS::Serverless::Function":
		s.lambda(r, p.Get("InlineCode"))
	case "AWS::ECS::TaskDefinition":
		for _, c := range p.Get("ContainerDefinitions").List() {
			s.container(r, c)
		}
	case "AWS::Batch::JobDefinition":
		s.container(r, p.Get("ContainerProperties"))
	case "AWS::SSM::Document":
		s.nested(r, p.Get("Content"), "Content")
	case "AWS::SSM::Association":
		s.yield(s.lines(p.Path("Parameters", "commands"), pluginLanguage(p.Get("Name").Str()), r.origin, "commands"))
	case "AWS::ImageBuilder::Component":
		s.nested(r, p.Get("Data"), "Data")
	case "AWS::ImageBuilder::ImageRecipe":
		s.yield(s.script(p.Path("AdditionalInstanceConfiguration", "UserDataOverride"), scan.CloudInit, r.origin, "UserDataOverride")...)
	case "AWS::SageMaker::NotebookInstanceLifecycleConfig":
		for _, key := range []string{"OnCreate", "OnStart"} {
			for _, hook := range p.Get(key).List() {
				s.yield(s.script(hook.Get("Content"), "", r.origin, key)...)
			}
		}
	default:
		for n := range p.All() { // of resources of somebody's own, of modules
			s.yield(s.script(n.Get("UserData"), scan.CloudInit, r.origin, "UserData")...)
		}
	}
}

func (s *stack) lambda(r resource, code *yaml.Node) {
	lang := scan.JavaScript
	if strings.HasPrefix(r.properties.Get("Runtime").Str(), "python") {
		lang = scan.Python
	}
	s.yield(s.script(code, lang, r.origin, "ZipFile")...)
}

// container reads what a container runs, and how its health is asked for.
//
// Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-ecs-taskdefinition-healthcheck.html
func (s *stack) container(r resource, c *yaml.Node) {
	entry, command := c.Get("EntryPoint").List(), c.Get("Command").List()
	s.yield(s.arguments(append(append([]*yaml.Node{}, entry...), command...), r.origin, "Command"))
	check := c.Path("HealthCheck", "Command").List()
	if len(check) < 2 {
		return
	}
	if check[0].Str() == "CMD-SHELL" {
		s.yield(s.script(check[1], scan.Shell, r.origin, "HealthCheck")...)
		return
	}
	s.yield(s.arguments(check[1:], r.origin, "HealthCheck"))
}

// arguments reads a list of arguments. A script among them may be made by
// functions.
func (s *stack) arguments(args []*yaml.Node, origin ...string) *scan.Text {
	if t := yaml.Command(args, origin...); t != nil {
		return t
	}
	if len(args) == 3 && strings.HasSuffix(args[0].Str(), "sh") && strings.HasSuffix(args[1].Str(), "c") {
		for _, t := range s.script(args[2], scan.Script("#!"+args[0].Str(), scan.Shell), origin...) {
			return t
		}
	}
	return nil
}

// lines reads a list of commands, each on a line of its own.
func (s *stack) lines(n *yaml.Node, lang scan.Lang, origin ...string) *scan.Text {
	items := n.List()
	v := &value{stack: s, out: yaml.Compose(s.text)}
	for _, item := range items {
		if item.IsScalar() && item.Tag == "" {
			v.out.Moustache(item, nil) // a document's own parameters
		} else {
			v.add(item)
		}
		if !strings.HasSuffix(v.out.Body(), "\n") {
			v.out.MadeAfter(item, "\n")
		}
	}
	if strings.TrimSpace(v.out.Body()) == "" {
		return nil
	}
	return v.out.Text(scan.Script(v.out.Body(), lang), "a list of commands", origin...)
}

// nested reads a document within the template: a mapping, or a string of YAML or
// JSON.
func (s *stack) nested(r resource, n *yaml.Node, key string) {
	if name, _ := function(n); name == "" && n != nil && n.Kind == yaml.Mapping {
		inner := &stack{text: s.text, root: s.root}
		inner.documentAt(n, r.origin)
		s.yield(inner.texts...)
		return
	}
	s.yield(s.script(n, scan.CloudFormation, r.origin, key)...)
}
