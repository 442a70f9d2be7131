package shell

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/scan"
)

// judge tells what is wrong with each request.
func (s *script) judge() {
	for _, r := range s.requests {
		s.leak(r)
		switch {
		case r.otherCloud(), s.ofOtherCloud(r):
		case r.target.Token() || r.method == "PUT":
			s.tokenRequest(r)
		case r.version2() && !r.sometimes():
		default:
			s.finding(r)
		}
	}
}

// otherCloud reports whether a request is one of another cloud's service.
func (r *request) otherCloud() bool {
	if r.target.Whose == scan.Other {
		return true
	}
	return slices.ContainsFunc(r.headers, func(h field) bool {
		lower := strings.ToLower(strings.ReplaceAll(h.text, " ", ""))
		return strings.HasPrefix(lower, "metadata:") || strings.HasPrefix(lower, "metadata-flavor") ||
			strings.HasPrefix(lower, "x-google-metadata") || strings.HasPrefix(lower, "authorization:bearer") || strings.HasPrefix(lower, "metadata-token:")
	})
}

// version2 reports whether a request carries a token. A header that only
// running tells is taken for one.
func (r *request) version2() bool {
	return r.configured || r.foreign && modern(r.client) || slices.ContainsFunc(r.headers, func(h field) bool {
		return mentionsToken(h.text) || mentionsToken(fileHeader(h)) || h.text == scan.Unknown
	}) || slices.ContainsFunc(r.urls, func(u field) bool {
		return u.text == scan.Unknown && slices.ContainsFunc(u.names, ofToken) || mentionsToken(u.text)
	})
}

// fileHeader returns the source of a header that is read from elsewhere, in
// which it may be written: -H @<(echo "…").
func fileHeader(h field) string {
	if !strings.HasPrefix(h.text, "@") {
		return ""
	}
	return tokenHeader // what else would be kept out of the arguments
}

// ofToken reports whether a name is one for tokens or the headers with them.
func ofToken(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "token") || strings.Contains(lower, "header") || strings.Contains(lower, "auth")
}

// modern reports whether a function's name says that it speaks version 2.
func modern(name string) bool {
	lower := strings.ToLower(name)
	return strings.Contains(lower, "v2") || strings.Contains(lower, "token")
}

// sometimes reports whether the token is only sent if there is one.
func (r *request) sometimes() bool {
	isSent := slices.ContainsFunc(r.headers, func(h field) bool { return mentionsToken(h.text) && !h.maybe })
	return !isSent && slices.ContainsFunc(append(r.headers, r.urls...), func(h field) bool { return mentionsToken(h.text) && h.maybe })
}

// ofOtherCloud reports whether what a request stands in says that it is for
// another cloud, some of which imitate EC2's paths.
func (s *script) ofOtherCloud(r *request) bool {
	for i, n := range r.command.path {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			if n.Name != nil && namesOtherCloud(n.Name.Value) {
				return true
			}
		case *syntax.CaseItem:
			for _, p := range n.Patterns {
				if namesOtherCloud(p.Lit()) {
					return true
				}
			}
		case *syntax.IfClause:
			if i+1 < len(r.command.path) && !among(n.Cond, r.command.path[i+1]) && testsOtherCloud(n, s.text.Body, r.command.path[i+1]) {
				return true
			}
		}
	}
	return fileOfOtherCloud(s.text.Path)
}

// fileOfOtherCloud reports whether a file, or the folder that it is in, is named
// after a cloud that imitates EC2's paths. Names of companies that make other
// things, too, say nothing there.
func fileOfOtherCloud(file string) bool {
	dir, base := path.Split(strings.ToLower(file))
	name := path.Base(dir) + "/" + base
	return !strings.Contains(name, "aws") && !strings.Contains(name, "ec2") && slices.ContainsFunc(
		[]string{"openstack", "azure", "digitalocean", "gcp", "hetzner", "aliyun", "cloudstack", "vultr", "scaleway", "exoscale", "outscale", "eucalyptus"},
		func(cloud string) bool { return strings.Contains(name, cloud) })
}

// testsOtherCloud reports whether a branch is taken if a variable names another
// cloud.
func testsOtherCloud(n *syntax.IfClause, body string, branch syntax.Node) bool {
	if !among(n.Then, branch) || len(n.Cond) == 0 {
		return false
	}
	cond := body[offset(n.Cond[0]):span(n.Cond[len(n.Cond)-1]).End]
	return strings.Contains(cond, "=") && !strings.Contains(cond, "!=") && namesOtherCloud(cond) && !strings.Contains(strings.ToLower(cond), "aws")
}

func namesOtherCloud(s string) bool {
	lower := strings.ToLower(s)
	return slices.ContainsFunc([]string{"openstack", "azure", "digitalocean", "gcp", "gce", "google", "hetzner", "aliyun", "alibaba", "cloudstack", "vultr", "scaleway", "equinix", "exoscale", "outscale", "eucalyptus"}, func(cloud string) bool {
		i := strings.Index(lower, cloud)
		return i >= 0 && !strings.Contains(lower, "not_"+cloud)
	})
}

// tokenRequest judges a request for a token.
func (s *script) tokenRequest(r *request) {
	if r.method != "PUT" && r.method != "POST" && !r.foreign {
		return
	}
	if r.foreign {
		return
	}
	if r.client == "curl" && !r.fails && !r.status && !r.discard {
		s.add(r, "TG1005", s.confidence(r))
	}
	s.shortLived(r)
}

// finding reports a request without a token.
func (s *script) finding(r *request) {
	id := "TG1001"
	switch {
	case r.sometimes() || s.fallback(r):
		id = "TG1002"
	case s.probe(r):
		id = "TG1003"
	}
	s.add(r, id, s.confidence(r))
}

// confidence is how sure it is that a request is one of the metadata service.
func (s *script) confidence(r *request) scan.Confidence {
	written, _ := findTarget(s.text.Body[r.url.at.Start:r.url.at.End])
	switch {
	case r.foreign && (strings.Contains(r.client, "curl") || strings.Contains(r.client, "wget")):
		return scan.Likely
	case r.foreign:
		return scan.Possible
	case written.Whose == scan.AWS && r.wrapper == nil && len(r.program.constants) == 0:
		return scan.Sure
	case r.target.Whose == scan.Bare && strings.Trim(r.target.Path, "/") != "":
		return scan.Possible
	case r.target.Whose == scan.Bare, len(r.url.constants) > 0, r.wrapper != nil, len(r.program.constants) > 0:
		return scan.Likely
	}
	return scan.Sure
}

// probe reports whether a request only asks whether there is something: with
// version 2 required the answer is always no.
func (s *script) probe(r *request) bool {
	if r.target.Whose == scan.Bare && strings.Trim(r.target.Path, "/") == "" {
		return r.status && r.discard
	}
	discard := r.discard || s.discardsOutput(r)
	return r.status && discard || r.method == "HEAD" || discard && r.fails
}

// discardsOutput reports whether a command's output goes to /dev/null.
func (s *script) discardsOutput(r *request) bool {
	for _, redirect := range statement(r.command).Redirs {
		output := redirect.N == nil || redirect.N.Value == "1"
		switch redirect.Op {
		case syntax.RdrOut, syntax.AppOut, syntax.RdrAll, syntax.AppAll:
			if output && discards(redirect.Word.Lit()) {
				return true
			}
		}
	}
	return false
}

// add keeps a finding of a request. One whose URL a function is given is made
// in the function, however many call it; but a function for any URL is not to
// blame for those that it is called with.
func (s *script) add(r *request, id string, confidence scan.Confidence) {
	at := r.at
	if r.wrapper != nil {
		if s.onlyAsks(r.wrapper, r.body) {
			at = span(r.body.call)
		}
		if slices.ContainsFunc(s.facts.Findings, func(f scan.Finding) bool { return f.At == at && f.ID == id }) {
			return
		}
	}
	f := scan.Finding{ID: id, Confidence: confidence, At: at, Evidence: r.evidence(s.lines)}
	s.facts.Findings = append(s.facts.Findings, f)
	r.findings = append(r.findings, len(s.facts.Findings)-1)
}

func (r *request) evidence(lines lineNumbers) []scan.Field {
	out := []scan.Field{
		{Name: "request", Value: r.method + " " + r.path()},
		{Name: "host", Value: r.target.Host},
		{Name: "command", Value: r.client},
	}
	var seen []constant
	for _, c := range slices.Concat(r.program.constants, r.url.constants) {
		if !slices.Contains(seen, c) {
			seen = append(seen, c)
			out = append(out, scan.Field{Name: "constant", Value: c.name + " on line " + lines.of(c.at)})
		}
	}
	if r.wrapper != nil {
		out = append(out, scan.Field{Name: "wrapper", Value: r.wrapper.Name.Value})
	}
	return out
}

func (r *request) path() string {
	if r.target.Path == "" {
		return "/"
	}
	return r.target.Path
}
