// Package code finds in programs what asks EC2's metadata service: in Python,
// Go, JavaScript, Java, C#, Ruby, PHP, and more roughly in others. It lexes
// them by hand, follows constants and wrappers within a file, and knows the
// shapes of calls of the usual HTTP clients. See [Detect].
package code

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
)

// largest is how long a text may be to be read as a program. What is longer
// was made by a machine, and is read line by line.
const largest = 256 << 10

// Detect is a [scan.Detector] of the languages of package scan that are for
// programs, and of [scan.Plain].
func Detect(t *scan.Text) scan.Facts {
	d := dialectOf(t)
	if d == nil || len(t.Body) > largest {
		return lines(t)
	}
	p := parse(t, d)
	var facts scan.Facts
	all := p.requests()
	for _, r := range all {
		if f, ok := p.finding(r, all); ok {
			facts.Findings = append(facts.Findings, f)
		}
	}
	slices.SortStableFunc(facts.Findings, func(a, b scan.Finding) int { return a.At.Start - b.At.Start })
	facts.Texts = p.scripts()
	return facts
}

// finding is what a request amounts to.
func (p *program) finding(r *request, all []*request) (scan.Finding, bool) {
	f := scan.Finding{ID: "TG1001", Confidence: scan.Likely, At: r.at}
	switch p.judge(r, all) {
	case v2, other:
		return f, false
	case fallback:
		f.ID = "TG1002"
	default:
		if p.probes(r) {
			f.ID = "TG1003"
		}
	}
	switch {
	case r.maybe, r.target.Whose == scan.Bare && !p.amazon(r), p.refused(r):
		f.Confidence = scan.Possible
	case r.direct && r.via == nil && r.target.Whose == scan.AWS && r.target.Host != scan.Unknown:
		f.Confidence = scan.Sure
	}
	if r.maybe && !p.test() && !p.refused(r) {
		f.Confidence = scan.Likely
	}
	f.Evidence = p.evidence(r)
	f.Fix, f.Why = p.fix(r, f.ID)
	if r.library {
		f.ID, f.Confidence, f.Why = "TG1301", scan.Sure, whyLibrary
	}
	return f, true
}

func (p *program) evidence(r *request) []scan.Field {
	path := r.target.Path
	if path == "" {
		path = "/"
	}
	out := []scan.Field{{Name: "request", Value: "GET " + path}, {Name: "host", Value: r.target.Host}, {Name: "command", Value: r.client}}
	if r.target.Host == "" || r.target.Host == scan.Unknown {
		out = slices.Delete(out, 1, 2)
	}
	if len(r.url.constants) > 0 {
		out = append(out, scan.Field{Name: "constant", Value: r.url.constants[0]})
	}
	if r.via != nil {
		out = append(out, scan.Field{Name: "wrapper", Value: r.via.name})
	}
	return out
}

// amazon reports whether what is around a request without a path is about EC2,
// and not about another cloud.
func (p *program) amazon(r *request) bool {
	body := p.t.Body
	if r.in != nil {
		body = r.in.name + body[r.in.at.Start:r.in.at.End]
	}
	body = strings.ToLower(body)
	for _, cloud := range []string{"azure", "google", "gce", "openstack", "digitalocean", "oracle", "hetzner", "alibaba"} {
		if strings.Contains(body, cloud) {
			return false
		}
	}
	return p.facts.amazon()
}

// aboutAmazon reports whether a text is about EC2.
func aboutAmazon(text string) bool {
	body := strings.ToLower(text)
	return strings.Contains(body, "latest/meta-data") || strings.Contains(body, "latest/dynamic") || strings.Contains(body, "ec2") || strings.Contains(body, "aws") || strings.Contains(body, "amazon")
}

// refused reports whether a request is there to see that it is refused, or that
// it is answered by a stand-in: in a test.
func (p *program) refused(r *request) bool {
	if p.facts.forged() || p.facts.mocked() || p.test() && (strings.HasPrefix(r.shape.callee, "*") || r.shape.callee == ".fetch" || r.shape.callee == "") {
		return true
	}
	if r.via == nil {
		return p.refusedAt(r.call)
	}
	return !slices.ContainsFunc(r.ways, func(w way) bool { return !p.refusedAt(w.calls[0]) })
}

func (p *program) refusedAt(r *call) bool {
	for _, c := range p.facts.standIns() {
		if c.at.Start < r.at.Start && r.at.End <= c.at.End {
			return true
		}
	}
	for line := range p.enclosing(r.at.Start) {
		if head := p.lineAt(line); strings.Contains(head, "raises(") || strings.Contains(head, "assertRaises") || strings.Contains(head, "assert_raise") {
			return true
		}
	}
	return false
}

var forged = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)ssrf|server.side.request.forgery`)
})

// test reports whether the file is one of tests.
func (p *program) test() bool { return p.facts.test() }

var testName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i:(^|[/._+-])(tests?|specs?|mocks?|testing|testdata|testutils?|e2e|fakes?|fixtures?)([/._+-]|$))|(^|[/a-z0-9_])(Tests?|Specs?|Mock|Fake)([A-Z.]|$)`)
})

// probes reports whether nothing but the status of an answer is looked at.
func (p *program) probes(r *request) bool {
	tail := r.whole[min(len(r.own), len(r.whole)):]
	if p.dropped(r) {
		return true
	}
	if status, body := looks(tail); status || body {
		return status && !body
	}
	status, body := false, false
	if p.steps += len(p.sets); p.steps > budget {
		return false
	}
	for name, all := range p.sets {
		for _, a := range all {
			if a.in != r.in || a.key || !within(a.value, r.at.Start) || len(a.value) == 0 {
				continue
			}
			s, b := p.uses(name, a, r.in)
			status, body = status || s, body || b
		}
	}
	return status && !body
}

// dropped reports whether an answer goes nowhere, so that nothing but whether
// there is one matters.
func (p *program) dropped(r *request) bool {
	if p.lang != "python" && p.lang != "ruby" || r.via != nil || len(r.list) == 0 || r.shape.role != asks {
		return false
	}
	end := r.from + len(r.whole)
	for _, arg := range r.args {
		if is(at(arg, 0), "{", "&") || at(arg, 0).s == "do" {
			return false
		}
	}
	before, after := at(r.list, r.from-1), at(r.list, end)
	if p.lang == "ruby" && is(before, "{") && is(after, "}") && timed().MatchString(p.lineAt(r.at.Start)) {
		before, after, end = token{kind: newline}, at(r.list, end+1), end+1
	}
	if before.kind != newline && !is(before, ";", "{", ":") || after.kind != newline && !is(after, ";") {
		return false
	}
	if p.lang == "python" {
		return !is(before, "{") && r.last() != "request" && r.last() != "putrequest" && p.tried(r.at.Start)
	}
	next := at(r.list, end+1) // the last value of a function is what it returns
	if is(at(r.list, end+2), "=") {
		next = at(r.list, end+3)
	}
	return next.kind == word && (next.s == "return" || next.s == "true" || next.s == "false")
}

// timed matches a line of Ruby that does nothing but give something time.
var timed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(?:\w*::)?(?:Timeout(?:\.|::))?timeout\b`) })

// tried reports whether an offset lies in a block whose failure is caught.
func (p *program) tried(offset int) bool {
	for above := range p.enclosing(offset) {
		if strings.HasPrefix(strings.TrimLeft(p.lineAt(above), " \t"), "try:") {
			return true
		}
	}
	return false
}

// uses tells what of an answer a function looks at.
func (p *program) uses(name string, a assignment, f *function) (status, body bool) {
	ts := p.tokens
	if f != nil {
		ts = f.body
	}
	if p.steps += len(ts); p.steps > budget {
		return false, true
	}
	for i, t := range ts {
		if t.kind != word || t.s != name || t.at.Start <= a.at || within(a.value, t.at.Start) {
			continue
		}
		if !is(at(ts, i+1), ".") {
			if !is(at(ts, i+1), "=", "!=", "==") && at(ts, i+1).s != "is" && at(ts, i-1).s != "if" && !is(at(ts, i-1), "!") && at(ts, i-1).s != "not" {
				body = true // it goes elsewhere
			}
			continue
		}
		s, b := looks(ts[i+1 : min(i+5, len(ts))])
		status, body = status || s, body || b
	}
	return status, body
}

func looks(ts []token) (status, body bool) {
	if len(ts) < 2 || ts[1].kind != word {
		return false, false
	}
	switch strings.ToLower(ts[1].s) {
	case "status_code", "status", "ok", "statuscode", "getresponsecode", "code", "getcode", "issuccessstatuscode", "ensuresuccessstatuscode", "raise_for_status", "getstatuscode", "success?":
		return true, false
	case "close", "disconnect", "release", "setrequestmethod", "setconnecttimeout", "setreadtimeout", "header", "headers", "add_header", "timeout", "method", "connect", "dispose":
		return false, false
	case "body":
		return false, !(len(ts) > 3 && ts[3].s == "Close")
	}
	return false, true
}
