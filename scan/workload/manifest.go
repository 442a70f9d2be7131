package workload

import (
	"encoding/base64"
	"path"
	"strings"

	"tegata/scan"
	"tegata/scan/yaml"
)

// manifest reads an object of Kubernetes', or a list of some.
func (f *file) manifest(doc *yaml.Node) {
	for n := range doc.All() {
		if n.Kind != yaml.Mapping {
			continue
		}
		for _, key := range []string{"containers", "initContainers", "ephemeralContainers"} {
			for _, c := range n.Get(key).List() {
				f.container(c)
			}
		}
		switch n.Get("kind").Str() {
		case "ConfigMap":
			f.files(n, "data")
		case "Secret":
			f.files(n, "stringData")
			f.secrets(n)
		}
		f.node(n)
		f.step(n)
	}
}

// container reads what a container runs at its start, its end and in between.
//
// Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Container
func (f *file) container(c *yaml.Node) {
	origin := "container " + c.Get("name").Str()
	f.arguments(concat(c.Get("command"), c.Get("args")), kubernetes, origin)
	for _, key := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
		f.handler(c.Get(key), origin, key)
	}
	for _, key := range []string{"postStart", "preStop"} {
		f.handler(c.Path("lifecycle", key), origin, key)
	}
}

// handler reads a probe or a hook: a command, or a request that the kubelet
// sends.
func (f *file) handler(h *yaml.Node, origin, key string) {
	f.arguments(h.Path("exec", "command").List(), asIs, origin, key)
	get := h.Get("httpGet")
	target, ok := scan.FindTarget(get.Get("host").Str() + "/" + strings.TrimPrefix(get.Get("path").Str(), "/"))
	if !ok || target.Whose == scan.Other {
		return
	}
	for _, header := range get.Get("httpHeaders").List() {
		if name := strings.ToLower(header.Get("name").Str()); strings.Contains(name, "metadata") {
			return
		}
	}
	finding := scan.Finding{
		ID: "TG1001", Confidence: scan.Sure, At: get.At,
		Evidence: []scan.Field{{Name: "request", Value: "GET " + target.Path}, {Name: "host", Value: target.Host}, {Name: "command", Value: key}},
		Why:      "a probe can't ask for a token: let it run a command",
	}
	if target.Whose == scan.Bare {
		finding.Confidence = scan.Likely
	}
	f.facts.Findings = append(f.facts.Findings, finding)
}

// files reads the files of a ConfigMap or a Secret.
func (f *file) files(n *yaml.Node, key string) {
	data := n.Get(key)
	if data == nil {
		return
	}
	for _, p := range data.Pairs {
		if p.Value.IsScalar() && !p.Value.Null() {
			name := p.Key.Str()
			f.yield(p.Value.Text(language(name, p.Value.Value), n.Get("kind").Str()+" "+n.Path("metadata", "name").Str(), name))
		}
	}
}

// secrets reads what a Secret has in base64. It can't be changed there.
func (f *file) secrets(n *yaml.Node) {
	data := n.Get("data")
	if data == nil {
		return
	}
	for _, p := range data.Pairs {
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(p.Value.Str()))
		lang := language(p.Key.Str(), string(raw))
		if err != nil || len(raw) == 0 || lang == scan.Plain {
			continue
		}
		b := p.Value.Text(scan.Plain, "Secret "+n.Path("metadata", "name").Str(), p.Key.Str()).Within()
		b.Decoded(scan.Span{End: len(p.Value.Value)}, string(raw))
		f.yield(b.Text(lang, scan.Layer{Name: "base64"}))
	}
}

// language returns what a file is written in, by its first line and its name.
func language(name, body string) scan.Lang {
	if lang := scan.Script(body, ""); lang != "" {
		return lang
	}
	switch lower := strings.ToLower(name); path.Ext(lower) {
	case ".sh", ".bash":
		return scan.Bash
	case ".py":
		return scan.Python
	case ".js":
		return scan.JavaScript
	case ".rb":
		return scan.Ruby
	case ".php":
		return scan.PHP
	case ".ps1":
		return scan.PowerShell
	case ".service":
		return scan.Systemd
	default:
		if strings.Contains(lower, "userdata") || strings.Contains(lower, "user-data") || strings.HasPrefix(body, "#cloud-config") {
			return scan.CloudInit
		}
	}
	return scan.Plain
}

// node reads what objects say of machines that are nodes: user data, commands,
// and metadata options, as Karpenter, Cluster API, kOps and eksctl have them.
func (f *file) node(n *yaml.Node) {
	before := len(f.facts.Texts)
	f.script(n.Get("userData"), scan.CloudInit, asIs, "userData")
	f.script(n.Get("overrideBootstrapCommand"), scan.Bash, asIs, "overrideBootstrapCommand")
	for _, key := range []string{"preBootstrapCommands", "preKubeadmCommands", "postKubeadmCommands"} {
		f.lines(n.Get(key), scan.Bash, asIs, key)
	}
	for _, data := range n.Get("additionalUserData").List() {
		f.script(data.Get("content"), scan.CloudInit, asIs, "additionalUserData")
	}
	texts := f.facts.Texts[before:]
	if o := first(n, "metadataOptions", "instanceMetadataOptions", "instanceMetadata"); o != nil && o.Get("httpTokens") != nil {
		f.options(o, texts)
	}
}

// options judges metadata options that are told.
func (f *file) options(o *yaml.Node, texts []*scan.Text) {
	tokens := o.Get("httpTokens")
	u := scan.Unit{Name: "httpTokens", At: o.At, Texts: append([]*scan.Text(nil), texts...), Containers: true}
	switch tokens.Str() {
	case "required":
		u.Required = &tokens.At
	case "optional":
		finding := scan.Finding{ID: "TG1202", Confidence: scan.Sure, At: tokens.At, Evidence: []scan.Field{{Name: "setting", Value: "httpTokens: optional"}}}
		finding.Fix = []scan.Splice{{At: tokens.Inside(), Text: "required"}}
		u.Settings = append(u.Settings, finding)
	}
	f.facts.Units = append(f.facts.Units, u)
}

// step reads a step of a pipeline that runs in containers, as Tekton and Argo
// have them.
func (f *file) step(n *yaml.Node) {
	if n.Get("image") == nil {
		return
	}
	lang := scan.Shell
	if command := n.Get("command").List(); len(command) > 0 {
		lang = scan.Script("#!"+command[0].Str(), scan.Shell)
	}
	f.script(first(n, "script", "source"), lang, asIs, "step "+n.Get("name").Str())
}
