package terraform

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/scan"
)

// units finds the instances, and what instances are launched from.
func (f *file) units(body *hclsyntax.Body) {
	for _, b := range body.Blocks {
		if u := f.unit(b); u != nil {
			f.facts.Units = append(f.facts.Units, *u)
		}
		if b.Type == "module" {
			f.groups(b)
		}
	}
}

// groups finds the groups of instances that a module makes, each of which has
// its options: nodes of EKS.
func (f *file) groups(b *hclsyntax.Block) {
	name, kind := nameOf(b)
	source, _ := f.value(expression(b.Body, "source"), 0)
	for _, a := range sorted(b.Body.Attributes) {
		hclsyntax.VisitAll(a.Expr, func(n hclsyntax.Node) hcl.Diagnostics {
			group, ok := n.(*hclsyntax.ObjectConsExpr)
			if !ok || f.member(group, "metadata_options") == nil {
				return nil
			}
			u := &scan.Unit{Name: name + "." + a.Name, At: span{Start: at(b.TypeRange).Start, End: at(b.DefRange()).End}}
			for _, item := range group.Items {
				if lang, known := languageFor(place{}, keyOf(item.KeyExpr)); known && lang == scan.CloudInit {
					f.script(item.ValueExpr, use{lang: lang, origin: place{name: name, kind: kind}.origin(a.Name)}, 0).runsOn(u)
				}
			}
			u.Containers = strings.Contains(source, "/eks/aws")
			s := &settings{file: f, block: b, unit: u}
			s.objectOf(f.member(group, "metadata_options"))
			s.judge()
			f.facts.Units = append(f.facts.Units, *u)
			return nil
		})
	}
}

// unit reads a resource or a module, with its options and what runs on it. It
// returns nil for what is no instance.
func (f *file) unit(b *hclsyntax.Block) *scan.Unit {
	s := f.settingsOf(b)
	if s == nil {
		return nil
	}
	name, kind := nameOf(b)
	u := &scan.Unit{Name: name, At: span{Start: at(b.TypeRange).Start, End: at(b.DefRange()).End}}
	f.runs(place{name: name, kind: kind}, b.Body, u)
	u.Containers = f.hasContainers(b, u)
	s.unit = u
	s.judge()
	return u
}

// runs collects what runs on a unit: its user data, and what is done on it
// over the network once it is there.
func (f *file) runs(p place, body *hclsyntax.Body, u *scan.Unit) {
	for _, a := range sorted(body.Attributes) {
		if lang, known := languageFor(p, a.Name); known && lang == scan.CloudInit {
			f.script(a.Expr, use{lang: lang, origin: p.origin(a.Name)}, 0).runsOn(u)
		}
	}
	for _, b := range body.Blocks {
		if b.Type == "provisioner" && len(b.Labels) == 1 && b.Labels[0] == "remote-exec" {
			f.provisioner(p, b, u)
		}
	}
}

func (o *outcome) runsOn(u *scan.Unit) {
	u.Texts = append(u.Texts, o.texts...)
	u.References = append(u.References, o.references...)
}

func (f *file) provisioner(p place, b *hclsyntax.Block, u *scan.Unit) {
	if a := b.Body.Attributes["inline"]; a != nil {
		f.script(a.Expr, use{lang: scan.Shell, origin: p.origin(a.Name)}, 0).runsOn(u)
	}
	if a := b.Body.Attributes["script"]; a != nil {
		if name, ok := f.value(a.Expr, 0); ok && !strings.Contains(name, scan.Unknown) {
			u.References = append(u.References, scan.Reference{Path: path.Clean(name), At: at(a.Expr.Range())})
		}
	}
}

// hasContainers reports whether a unit runs containers, as far as the file
// tells: by its scripts, its image, and who launches it.
func (f *file) hasContainers(b *hclsyntax.Block, u *scan.Unit) bool {
	for _, t := range u.Texts {
		if inScripts().MatchString(t.Body) {
			return true
		}
	}
	for _, name := range []string{"ami", "image_id"} {
		if a := b.Body.Attributes[name]; a != nil && f.isForContainers(a.Expr) {
			return true
		}
	}
	return f.nodes[u.Name]
}

// inScripts matches what runs containers, or makes an instance a node of a
// cluster.
var inScripts = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\bdocker\s+(run|compose|swarm|pull)\b|\bdocker-compose\b|\b(podman|nerdctl)\s+run\b|\b(start|enable)(\s+--now)?\s+(docker|containerd)\b|` +
		`ECS_CLUSTER|/etc/ecs/|/etc/eks/bootstrap|\bnodeadm\b|node\.eks\.aws|\bkubeadm\s|\bk3s\b|\brke2\b`)
})

// imageNames match names of images and parameters of images for containers.
var imageNames = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(amzn2?-ami-ecs|amazon-eks|bottlerocket-aws-(ecs|k8s))|al2023-ami-ecs|/aws/service/(ecs|eks|bottlerocket)/|(^|[._-])(ecs|eks)($|[._-])`)
})

// isForContainers reports whether an image is one of those that AWS makes for
// containers.
func (f *file) isForContainers(e hclsyntax.Expression) bool {
	found := false
	for _, name := range e.Variables() {
		source := f.source(name.SourceRange())
		b := f.blocks[strings.Join(strings.Split(source, ".")[:min(3, len(strings.Split(source, ".")))], ".")]
		found = found || imageNames().MatchString(source) || b != nil && imageNames().MatchString(f.source(b.Range()))
	}
	return found
}

func (f *file) source(r hcl.Range) string { return f.text.Body[r.Start.Byte:r.End.Byte] }

// nodesOf notes the launch template that a group of nodes of EKS is made from.
func (f *file) nodesOf(group *hclsyntax.Block) {
	for _, b := range group.Body.Blocks {
		for _, a := range b.Body.Attributes {
			for _, name := range a.Expr.Variables() {
				if resource, ok := firstStep(name); ok && b.Type == "launch_template" {
					f.nodes[name.RootName()+"."+resource] = true
				}
			}
		}
	}
}

func firstStep(name hcl.Traversal) (string, bool) {
	if len(name) < 2 {
		return "", false
	}
	return step(name[1])
}
