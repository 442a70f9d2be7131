// Package powershell finds in PowerShell scripts, and in batch files, what asks
// EC2's metadata service, and rewrites the former. See [Detect].
package powershell

import (
	"slices"
	"strings"

	"tegata/scan"
)

// largest is how long a text may be to be read as a script.
const largest = 256 << 10

// Detect is a [scan.Detector] of [scan.PowerShell] and [scan.Batch].
func Detect(t *scan.Text) scan.Facts {
	if t.Lang == scan.Batch {
		return batch(t)
	}
	if len(t.Body) > largest {
		return scan.Facts{}
	}
	s := parse(t)
	var facts scan.Facts
	seen := map[scan.Span]bool{}
	for _, r := range s.requests() {
		if seen[r.at] {
			continue
		}
		seen[r.at] = true
		if f, ok := s.finding(r); ok {
			facts.Findings = append(facts.Findings, f)
		}
	}
	slices.SortStableFunc(facts.Findings, func(a, b scan.Finding) int { return a.At.Start - b.At.Start })
	facts.Texts = s.texts()
	return facts
}

// finding is what a request amounts to.
func (s *script) finding(r *request) (scan.Finding, bool) {
	f := scan.Finding{ID: "TG1001", Confidence: scan.Likely, At: r.at}
	switch s.judge(r) {
	case v2, other:
		return f, false
	case fallback:
		f.ID = "TG1002"
	default:
		if s.probes(r) {
			f.ID = "TG1003"
		}
	}
	switch {
	case r.target.Whose == scan.Bare && !s.amazon():
		f.Confidence = scan.Possible
	case r.direct && r.via == nil && r.target.Whose == scan.AWS:
		f.Confidence = scan.Sure
	}
	f.Evidence = evidence(r)
	f.Fix, f.Why = s.fix(r, f.ID)
	return f, true
}

func evidence(r *request) []scan.Field {
	path := r.target.Path
	if path == "" {
		path = "/"
	}
	out := []scan.Field{{Name: "request", Value: "GET " + path}, {Name: "host", Value: r.target.Host}, {Name: "command", Value: r.name}}
	if len(r.url.constants) > 0 {
		out = append(out, scan.Field{Name: "constant", Value: r.url.constants[0]})
	}
	if r.via != nil {
		out = append(out, scan.Field{Name: "wrapper", Value: r.via.name})
	}
	return append(out, scan.Field{Name: "interpreter", Value: "powershell"})
}

// amazon reports whether a script is about EC2.
func (s *script) amazon() bool {
	body := strings.ToLower(s.t.Body)
	if strings.Contains(body, "azure") || strings.Contains(body, "google") {
		return false
	}
	return strings.Contains(body, "ec2") || strings.Contains(body, "aws") || strings.Contains(body, "amazon")
}

// probes reports whether nothing but the status of the answer is looked at.
func (s *script) probes(r *request) bool {
	end := r.at.End
	rest := strings.TrimLeft(s.t.Body[end:min(len(s.t.Body), end+40)], " )")
	if strings.HasPrefix(strings.ToLower(rest), ".statuscode") {
		return true
	}
	s.steps += len(s.sets)
	for name, all := range s.sets {
		if s.steps > budget {
			break
		}
		for _, a := range all {
			if a.in == r.in && within(a.value, r.at.Start) && s.statusOnly(name, a) {
				return true
			}
		}
	}
	return false
}

// statusOnly reports whether the status is all that is read of a variable.
func (s *script) statusOnly(name string, a assignment) bool {
	status := false
	if s.steps += len(s.tokens); s.steps > budget {
		return false
	}
	var visit func(ts []token) bool
	visit = func(ts []token) bool {
		for i, t := range ts {
			for _, p := range t.parts {
				if !visit(p.hole) {
					return false
				}
			}
			if t.kind != variable || t.s != name || t.at.Start <= a.at || within(a.value, t.at.Start) {
				continue
			}
			if !is(at(ts, i+1), ".") || !strings.HasPrefix(strings.ToLower(at(ts, i+2).s), "statuscode") {
				return false
			}
			status = true
		}
		return true
	}
	return visit(s.tokens) && status
}

// texts returns the scripts of others in the strings of a script.
func (s *script) texts() (out []*scan.Text) {
	for i, t := range s.tokens {
		if t.kind != text || !strings.Contains(t.decoded(), "169.254.169.254") && !strings.Contains(t.decoded(), "instance-data") {
			continue
		}
		head := strings.TrimLeft(t.decoded(), " \t\r\n")
		switch lower := strings.ToLower(head); {
		case strings.HasPrefix(lower, "<powershell>"), strings.HasPrefix(lower, "<script>"), strings.HasPrefix(lower, "#cloud-config"):
			out = append(out, s.within(t, scan.CloudInit))
		case strings.HasPrefix(head, "#!"):
			out = append(out, s.within(t, scan.Script(head, scan.Shell)))
		case invoked(s.tokens, i), t.here && s.saved(i):
			out = append(out, s.within(t, scan.PowerShell))
		case byCmd(s.tokens, i):
			out = append(out, s.within(t, scan.Batch))
		}
	}
	return out
}

// invoked reports whether a string is a script that PowerShell is given.
func invoked(ts []token, i int) bool {
	switch strings.ToLower(at(ts, i-1).s) {
	case "-command", "-c", "invoke-expression", "iex":
		return at(ts, i-1).kind == word
	case "(":
		return strings.EqualFold(at(ts, i-2).s, "create") && strings.EqualFold(at(ts, i-5).s, "scriptblock")
	}
	return false
}

// saved reports whether the statement of a string writes it to a script:
// @' … '@ | Out-File x.ps1, Set-Content -Path x.ps1 -Value @' … '@.
func (s *script) saved(i int) bool {
	start, end := i, i
	for start > 0 && !entry(s.tokens[start-1]) {
		start--
	}
	for end < len(s.tokens) && !entry(s.tokens[end]) {
		end++
	}
	writes, script := false, false
	for _, t := range s.tokens[start:end] {
		switch name := strings.ToLower(t.decoded()); {
		case t.here:
		case t.kind == word && (name == "out-file" || name == "set-content" || name == "add-content" || name == "new-item" || name == "tee-object"), is(t, ">"):
			writes = true
		case strings.HasSuffix(name, ".ps1"), strings.HasSuffix(name, ".psm1"):
			script = true
		}
	}
	return writes && script
}

// byCmd reports whether a string is what cmd.exe is given: cmd /c "…".
func byCmd(ts []token, i int) bool {
	switch strings.ToLower(at(ts, i-1).s) {
	case "/c", "/k":
		name := strings.ToLower(at(ts, i-2).decoded())
		return name == "cmd" || name == "cmd.exe"
	}
	return false
}

// within makes the text of a string.
func (s *script) within(t token, lang scan.Lang) *scan.Text {
	b := s.t.Within()
	for _, p := range t.parts {
		switch {
		case p.hole != nil:
			b.Decoded(p.at, s.eval(p.hole, frame{}).s)
		case s.t.Body[p.at.Start:p.at.End] == p.s:
			b.Verbatim(p.at)
		default:
			b.Decoded(p.at, p.s)
		}
	}
	return b.Text(lang, layer(t), "string")
}

// layer is how a string is written.
func layer(t token) scan.Layer {
	return scan.Layer{Name: "a PowerShell string", Encode: func(s string) (string, error) {
		if t.raw {
			if !t.here {
				s = strings.ReplaceAll(s, "'", "''")
			}
			return s, nil
		}
		s = strings.NewReplacer("`", "``", "$", "`$").Replace(s)
		if !t.here {
			s = strings.ReplaceAll(s, `"`, "`\"")
		}
		return s, nil
	}}
}
