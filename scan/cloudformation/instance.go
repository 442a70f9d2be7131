package cloudformation

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
	"tegata/scan/yaml"
)

// instances reads a resource that is an instance, or launches some.
func (s *stack) instances(r resource) {
	if r.kind == "AWS::EC2::SpotFleet" {
		s.spotFleet(r)
		return
	}
	data := r.properties
	if r.kind == "AWS::EC2::LaunchTemplate" {
		data = r.properties.Get("LaunchTemplateData")
	}
	s.unit(r, r.key, data)
}

// spotFleet reads the specifications of a fleet, which have no metadata options
// of their own; what is launched by a template is read there.
func (s *stack) spotFleet(r resource) {
	for _, spec := range r.properties.Path("SpotFleetRequestConfigData", "LaunchSpecifications").List() {
		s.yield(s.script(spec.Get("UserData"), scan.CloudInit, r.origin, "UserData")...)
	}
}

// unit reads an instance or a template of instances, whose properties are data.
func (s *stack) unit(r resource, head, data *yaml.Node) {
	u := scan.Unit{Name: r.name, At: head.At}
	u.Texts = s.script(data.Get("UserData"), scan.CloudInit, r.origin, "UserData")
	u.Texts = append(u.Texts, s.initialisation(r)...)
	u.Containers = runsContainers(data, u.Texts) || s.hosts(r.name)
	o := options{stack: s, head: head, home: data, node: data.Get("MetadataOptions"), containers: u.Containers}
	if o.node == nil && data.Get("LaunchTemplate") != nil {
		o.elsewhere = true // the template it names decides
	}
	u.Required, u.Settings = o.judge()
	s.yield(u.Texts...)
	s.units = append(s.units, u)
}

// containerSigns matches what stands in user data or the name of an image where
// containers run.
var containerSigns = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(docker|podman|containerd|nerdctl)\s+(run|compose|start|pull|build|stack|swarm)\b|\bdocker-compose\b|\bECS_CLUSTER\b|/etc/ecs/|/etc/eks/|\bkubeadm\b|\bk3s\b|\b(yum|dnf|apt|apt-get|amazon-linux-extras)\b.*\bdocker\b|systemctl .*\bdocker\b|service docker\b|aws/service/(ecs|eks|bottlerocket)/`)
})

// runsContainers reports whether containers run on an instance.
func runsContainers(data *yaml.Node, texts []*scan.Text) bool {
	for _, t := range texts {
		if containerSigns().MatchString(t.Body) {
			return true
		}
	}
	for n := range data.Get("ImageId").All() {
		if containerSigns().MatchString(n.Str()) {
			return true
		}
	}
	return false
}

// hosts reports whether a service runs containers on the instances of a launch
// template: EKS on those of a node group, Batch on those of an environment.
func (s *stack) hosts(name string) (found bool) {
	s.each(func(r resource) {
		switch r.kind {
		case "AWS::EKS::Nodegroup":
			found = found || s.names(r.properties.Get("LaunchTemplate"), "Id", "Name") == name
		case "AWS::Batch::ComputeEnvironment":
			template := r.properties.Path("ComputeResources", "LaunchTemplate")
			found = found || s.names(template, "LaunchTemplateId", "LaunchTemplateName") == name
		}
	})
	return found
}

// joinTemplates gives the templates what runs on the instances that name them.
func (s *stack) joinTemplates() {
	s.each(func(r resource) {
		template := r.properties.Get("LaunchTemplate")
		if r.kind != "AWS::EC2::Instance" || template == nil {
			return
		}
		user, of := s.unitOf(r.name), s.unitOf(s.names(template, "LaunchTemplateId", "LaunchTemplateName"))
		if user == nil || of == nil {
			return
		}
		of.Texts = append(of.Texts, user.Texts...)
		of.Containers = of.Containers || user.Containers
	})
}

func (s *stack) unitOf(name string) *scan.Unit {
	for i := range s.units {
		if s.units[i].Name == name {
			return &s.units[i]
		}
	}
	return nil
}

// names returns the resource that the specification of a launch template refers
// to by one of some keys.
func (s *stack) names(template *yaml.Node, keys ...string) string {
	for _, key := range keys {
		name, arg := function(template.Get(key))
		switch {
		case name == "Ref" && arg.IsScalar():
			return arg.Value
		case name == "GetAtt" && arg.IsScalar():
			first, _, _ := strings.Cut(arg.Value, ".")
			return first
		}
	}
	return ""
}
