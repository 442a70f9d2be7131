package shell

import (
	"path"
	"slices"
	"sort"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"tegata/internal/edit"
	"tegata/scan"
)

// Why a finding is not mended.
const (
	whyLeak     = "whether somebody needs this output can't be told"
	whyTrace    = "switch tracing off around the request"
	whySetting  = "no tool reads this setting"
	whyFixed    = "what it stands in can't hold the change"
	whyUnrun    = "the shell takes the program for a value: put the command into $( )"
	whyLines    = "the text can't be parsed as a script"
	whyBusybox  = "busybox's wget can't ask for a token: use curl or tegata get"
	whyClient   = "this program can't ask for a token: use curl or tegata get"
	whyOthers   = "the token would be sent to other addresses, too"
	whyForeign  = "the command that makes the request is not in the text"
	whyWrapper  = "how often and where the request is run can't be told"
	whyFallback = "remove it once every host that runs this serves tokens"
	whyRenew    = "ask for a new token within the loop"
)

// mend gives the findings of requests their fixes.
func (s *script) mend() {
	s.hoist()
	for _, r := range s.requests {
		for _, i := range r.findings {
			f := &s.facts.Findings[i]
			switch f.ID {
			case "TG1001", "TG1002", "TG1003":
				s.mendRequest(r, f)
			case "TG1005":
				s.mendToken(r, f)
			}
		}
	}
	s.sort()
	s.prove()
}

// mendToken makes a request for a token fail if it is refused.
func (s *script) mendToken(r *request, f *scan.Finding) {
	at := r.options()
	if f.Fix = s.first([]scan.Splice{{At: scan.Span{Start: at, End: at}, Text: " -f"}}); f.Fix == nil {
		f.Why = whyFixed
	}
}

// mendRequest lets a request send a token.
func (s *script) mendRequest(r *request, f *scan.Finding) {
	if f.Why = s.obstacle(r, f.ID); f.Why != "" {
		return
	}
	var forms [][]scan.Splice
	if r.hoisted != nil {
		forms = append(forms, []scan.Splice{*r.hoisted, s.header(r, "$"+r.token, double)})
	}
	for _, q := range s.quotings(r) {
		forms = append(forms, s.inline(r, q))
	}
	if s.behindURL(r) {
		for _, q := range s.quotings(r) {
			header := s.header(r, "$("+s.put(r, q, shortLife)+")", q)
			header.At = scan.Span{Start: r.url.at.End, End: r.url.at.End}
			forms = append(forms, []scan.Splice{header})
		}
	}
	if f.Fix = s.first(forms...); f.Fix == nil {
		f.Why = whyFixed
	}
}

// behindURL reports whether a header can stand behind a request's URL: where the
// program's name is made by somebody else, nothing can be put right behind it.
func (s *script) behindURL(r *request) bool {
	at := span(r.place().call)
	return r.url.word != nil && r.url.at.Start > at.Start && r.url.at.End <= at.End && r.program.at.Start >= at.Start && !s.traced(r.at.Start) &&
		!strings.Contains(s.text.Body[at.Start:at.End], " -- ") &&
		!slices.ContainsFunc(r.prefix, func(f field) bool { return s.repeats(path.Base(f.text)) })
}

// obstacle tells why a request can't be mended; it is empty for one that can.
func (s *script) obstacle(r *request, id string) string {
	switch {
	case r.foreign:
		return whyForeign
	case r.raw || r.client != "curl" && r.client != "wget":
		return whyClient
	case r.client == "wget" && s.busybox(r):
		return whyBusybox
	case id == "TG1002" && !s.triesFirst(r):
		return whyFallback
	case r.next || r.url.varies || s.asksOthers(r):
		return whyOthers
	case !s.passable(r.prefix):
		return whyWrapper
	case s.traced(r.at.Start) && (r.client == "wget" || s.text.Lang == scan.Shell && !s.free(r)):
		return whyTrace
	}
	return ""
}

// triesFirst reports whether a request without a token is made before one with a
// token is tried, and would take the refusal for an answer.
func (s *script) triesFirst(r *request) bool {
	if r.sometimes() {
		return false
	}
	for _, other := range s.requests {
		if other.at.Start < r.at.Start && other.command.in == r.command.in && (other.target.Token() || other.version2()) {
			return false
		}
	}
	return r.command.in == nil || len(s.callsOf(r.command.in)) == 0
}

// busybox reports whether a script's wget is likely to be that of busybox.
func (s *script) busybox(r *request) bool {
	return s.alpine || slices.ContainsFunc(r.prefix, func(f field) bool { return strings.HasSuffix(f.text, "busybox") })
}

// forBusybox reports whether a script is for a system whose programs are those
// of busybox.
func forBusybox(t *scan.Text) bool {
	first := " " + strings.Join(shebang(t.Body), " ")
	for _, shell := range []string{"/ash", " ash", "busybox"} {
		if strings.Contains(first, shell) {
			return true
		}
	}
	around := strings.ToLower(t.Path + " " + strings.Join(t.Origin, " "))
	return strings.Contains(t.Body, "apk add") || strings.Contains(around, "alpine") || strings.Contains(around, "busybox")
}

// asksOthers reports whether the header would go to servers that are none of
// the metadata service.
func (s *script) asksOthers(r *request) bool {
	for _, u := range r.urls {
		if target, ok := findTarget(u.text); (!ok || target.Whose == scan.Other) && !(u.text == scan.Unknown && unquoted(u)) {
			return true
		}
	}
	if r.wrapper == nil || r.program.at.Start >= r.at.Start && r.program.at.Start < r.at.End {
		return false
	}
	return !s.onlyAsks(r.wrapper, r.body)
}

// onlyAsks reports whether a command in a function's body asks nobody but the
// metadata service, by all calls of the function in the script.
func (s *script) onlyAsks(f *syntax.FuncDecl, body *command) bool {
	known, ok := s.onlyAsked[body]
	if !ok {
		asking := map[*command]bool{}
		for _, r := range s.requests {
			asking[r.command] = asking[r.command] || r.body == body
		}
		known = !slices.ContainsFunc(s.callsOf(f), func(c *command) bool { return !asking[c] })
		s.onlyAsked[body] = known
	}
	return known
}

// unquoted reports whether a field is an expansion that may be any number of
// arguments.
func unquoted(f field) bool {
	if f.word == nil || f.rest {
		return f.rest
	}
	if len(f.word.Parts) != 1 {
		return false
	}
	switch f.word.Parts[0].(type) {
	case *syntax.ParamExp, *syntax.CmdSubst:
		return true
	}
	return false
}

// passable reports whether a request can be mended where these programs run it:
// what its token request needs of them is known.
func (s *script) passable(prefix []field) bool {
	for len(prefix) > 0 {
		name := path.Base(prefix[0].text)
		switch {
		case s.repeats(name):
			return true
		case transparent(name), limits(name):
			prefix = prefix[max(1, wrapper(prefix)):]
		case s.schedule(prefix) > 0:
			prefix = prefix[s.schedule(prefix):]
		default:
			return s.functions[name] != nil
		}
	}
	return true
}

// schedule returns how many words of a line of a crontab precede its command:
// when it is run, and in those of the system by whom.
func (s *script) schedule(prefix []field) int {
	if !s.text.Embedded() && !strings.Contains(s.text.Path, "cron") {
		return 0
	}
	n := 5
	switch first := prefix[0].text; {
	case strings.HasPrefix(first, "@"):
		n = 1
	case strings.Trim(first, "0123456789*/,-") != "":
		return 0
	}
	if len(prefix) != n && len(prefix) != n+1 {
		return 0
	}
	return len(prefix)
}

// transparent reports whether a program runs another one once, here and now.
func transparent(name string) bool {
	switch name {
	case "sudo", "doas", "nice", "ionice", "nohup", "setsid", "stdbuf", "time", "command", "builtin", "exec", "chronic":
		return true
	}
	return false
}

// limits reports whether a program gives another one its bounds: the token
// request needs the same.
func limits(name string) bool { return name == "timeout" || name == "gtimeout" || name == "env" }

// repeats reports whether a program, or a function of the script, runs another
// one until it succeeds: the token request needs as many tries.
func (s *script) repeats(name string) bool {
	if f := s.functions[name]; f != nil {
		return loops(f)
	}
	lower := strings.ToLower(name)
	return strings.Contains(lower, "retry") || strings.Contains(lower, "retries") || strings.Contains(lower, "backoff") || strings.Contains(lower, "attempt")
}

func loops(f *syntax.FuncDecl) bool {
	found := false
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.WhileClause, *syntax.ForClause:
			found = true
		}
		return !found
	})
	return found
}

// sort puts findings in the order of the text.
func (s *script) sort() {
	slices.SortStableFunc(s.facts.Findings, func(a, b scan.Finding) int { return a.At.Start - b.At.Start })
}

// prove takes fixes back that would make the script one that no shell reads:
// those that do so alone, or all.
func (s *script) prove() {
	if s.parses(s.fixes()) {
		return
	}
	for i := range s.facts.Findings {
		if f := &s.facts.Findings[i]; f.Fix != nil && (i >= manyFixes || !s.parses(f.Fix)) {
			f.Fix, f.Why = nil, whyFixed
		}
	}
	if s.parses(s.fixes()) {
		return
	}
	for i := range s.facts.Findings {
		if f := &s.facts.Findings[i]; f.Fix != nil {
			f.Fix, f.Why = nil, whyFixed
		}
	}
}

// manyFixes is up to where fixes are tried one by one: each takes a reading of
// the whole script.
const manyFixes = 50

func (s *script) fixes() (all []scan.Splice) {
	for _, f := range s.facts.Findings {
		all = append(all, f.Fix...)
	}
	return all
}

// parses reports whether the script is one after a change. What is not changed
// has been read already.
func (s *script) parses(splices []scan.Splice) bool {
	splices = slices.SortedStableFunc(slices.Values(splices), func(a, b scan.Splice) int { return a.At.Start - b.At.Start })
	for len(splices) > 0 {
		part := s.linesOf(splices[0].At)
		n := 0
		var edits []edit.Edit
		for ; n < len(splices) && splices[n].At.Start < part.End; n++ {
			part.End = max(part.End, s.linesOf(splices[n].At).End)
			edits = append(edits, edit.Edit{Start: splices[n].At.Start - part.Start, End: splices[n].At.End - part.Start, Text: splices[n].Text})
		}
		body, err := edit.Apply(s.reading.body[part.Start:part.End], edits)
		if err != nil || parseAs(s.reading.variant, body) == nil {
			return false
		}
		splices = splices[max(n, 1):]
	}
	return true
}

// linesOf returns the lines around a span that a shell can read by themselves:
// from where a statement of the script begins a line up to where another does.
func (s *script) linesOf(at scan.Span) scan.Span {
	out := scan.Span{End: len(s.reading.body)}
	first := sort.Search(len(s.reading.list), func(i int) bool { return offset(s.reading.list[i]) > at.Start })
	for i := first - 1; i >= 0; i-- {
		if s.beginsLine(i) {
			out.Start = offset(s.reading.list[i])
			break
		}
	}
	for i := first; i < len(s.reading.list); i++ {
		if offset(s.reading.list[i]) >= at.End && s.beginsLine(i) {
			out.End = offset(s.reading.list[i])
			break
		}
	}
	return out
}

// beginsLine reports whether a statement of the script is on a line below the
// start of the one before it.
func (s *script) beginsLine(i int) bool {
	return i == 0 || strings.Contains(s.reading.body[offset(s.reading.list[i-1]):offset(s.reading.list[i])], "\n")
}

// first returns the first of several forms that can be written where the text
// stands.
func (s *script) first(forms ...[]scan.Splice) []scan.Splice {
	for _, form := range forms {
		if s.writable(form) {
			return form
		}
	}
	return nil
}

func (s *script) writable(form []scan.Splice) bool {
	for _, splice := range form {
		if _, err := s.text.Edit(splice); err != nil {
			return false
		}
	}
	return true
}

// errexit reports whether a command that fails ends the script, or runs a trap.
func (s *script) errexit() bool {
	on := flagIn(s.shebang, 'e')
	for _, c := range s.called["set"] {
		on = switched(on, c, 'e', "errexit") || on
	}
	return on || slices.ContainsFunc(s.called["trap"], func(c *command) bool {
		return slices.ContainsFunc(c.call.Args, func(w *syntax.Word) bool { return w.Lit() == "ERR" })
	})
}
