package code

import (
	"path"
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// lines reads a text of which nothing is known line by line: commands that
// shells know, where a command can stand.
func lines(t *scan.Text) (facts scan.Facts) {
	start := 0
	for start < len(t.Body) {
		end := logical(t.Body, start)
		f, ok := line(t.Body[start:end], start)
		if !ok {
			f, ok = lineCall(t, start, end)
		}
		if ok {
			facts.Findings = append(facts.Findings, f)
		}
		start = end
	}
	return facts
}

// quotedCommand matches a command that begins a string which is the value of
// something or an argument.
var quotedCommand = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`((?:=>|[=(,\[{:]|\b(?:sh|bash|exec|execute|command|shell|popen|run|cmd|bat))[ \t]*["'<{]+|[=(\[]|\bexec[ \t])[ \t]*(?:[\w.${}/-]*/)?(curl|wget)["']?,?[ \t]`)
})

// spoken matches what tells people of a command instead of running it.
var spoken = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(echo|e?print\w*|puts|log\w*|debug|info|warn\w*|errors?|message|msg|raise|usage|help|description|title|notify|note|docs?|example)\b`)
})

// lineCall finds a URL that a function is given which sounds like asking for it,
// in languages that are not read any better.
func lineCall(t *scan.Text, start, end int) (f scan.Finding, ok bool) {
	s := t.Body[start:end]
	if !strings.Contains(s, "169.254.169.254") && !strings.Contains(s, "instance-data") || len(s) > 1<<12 || !programmed(path.Ext(strings.ToLower(t.Path))) {
		return f, false
	}
	m := askedURL().FindStringSubmatchIndex(s)
	if m == nil || commented(s) || spoken().MatchString(s[:m[2]]) || tokenHeader().MatchString(t.Body) || standIn().MatchString(s) {
		return f, false
	}
	target, found := scan.FindTarget(s[m[4]:m[5]])
	if !found || target.Whose != scan.AWS || target.Token() {
		return f, false
	}
	return scan.Finding{
		ID: "TG1001", Confidence: scan.Likely, At: scan.Span{Start: start + m[2], End: start + m[5]},
		Evidence: []scan.Field{{Name: "request", Value: "GET " + target.Path}, {Name: "host", Value: target.Host}, {Name: "command", Value: s[m[2]:m[3]]}},
		Why:      whyLanguage,
	}, true
}

var askedURL = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)([\w.:/]*(?:get|fetch|request|open|download|slurp|read|curl|geturl|httpc|http)[\w!?]*)\b[ \t]*[^"'\n;#]{0,24}["'<{ ]+(http://(?:169\.254\.169\.254|instance-data)/[^ \t\r\n"'<>)\]}]+)`)
})

// programmed reports endings of the names of programs that are read by lines.
func programmed(ext string) bool {
	switch ext {
	case ".ex", ".exs", ".erl", ".clj", ".cljs", ".cljc", ".hs", ".r", ".jl", ".nim", ".cr", ".dart", ".coffee", ".fs", ".fsx", ".ml", ".tcl", ".exp", ".d", ".zig", ".rkt", ".scm", ".lisp", ".vb", ".vbs":
		return true
	}
	return false
}

// commented reports whether a line is a comment.
func commented(s string) bool {
	bare := strings.TrimLeft(s, " \t")
	for _, comment := range []string{"#", "//", ";", "--", "* ", "<!--", "rem ", "REM ", "::", "%"} {
		if strings.HasPrefix(bare, comment) {
			return true
		}
	}
	return false
}

// logical returns the end of the line that begins at start, with those that a
// backslash adds.
func logical(body string, start int) int {
	for at := start; ; {
		n := strings.IndexByte(body[at:], '\n')
		if n < 0 {
			return len(body)
		}
		at += n + 1
		if !strings.HasSuffix(strings.TrimRight(body[start:at], "\r\n"), `\`) || at-start > 1<<14 {
			return at
		}
	}
}

// line finds the command of a line.
func line(s string, start int) (f scan.Finding, ok bool) {
	if commented(s) {
		return f, false
	}
	if len(s) > 1<<16 || !strings.Contains(s, "169.254.169.254") && !strings.Contains(s, "instance-data") && !strings.Contains(s, "fd00:ec2::254") {
		return f, false
	}
	m := commandStart().FindStringSubmatchIndex(s)
	if m == nil {
		m = quotedCommand().FindStringSubmatchIndex(s)
	}
	if m == nil || headerName(s) != none && tokenHeader().MatchString(s) || spoken().MatchString(s[:m[4]]) {
		return f, false
	}
	i := strings.Index(s[m[4]:], "169.254.169.254")
	for _, host := range []string{"instance-data", "[fd00:ec2::254]"} {
		if j := strings.Index(s[m[4]:], host); i < 0 {
			i = j
		}
	}
	if i < 0 {
		return f, false
	}
	rest := s[m[4]+i:]
	if end := strings.IndexAny(rest, " \t\r\n\"'`)|;>&\\"); end >= 0 {
		rest = rest[:end]
	}
	target, found := scan.FindTarget("http://" + rest)
	if !found || target.Whose != scan.AWS || target.Token() || strings.Contains(s, "Metadata:") || strings.Contains(s, "Metadata-Flavor") {
		return f, false
	}
	command := s[m[4]:m[5]]
	return scan.Finding{
		ID: "TG1001", Confidence: scan.Likely,
		At:       scan.Span{Start: start + m[4], End: start + m[4] + i + len(rest)},
		Evidence: []scan.Field{{Name: "request", Value: "GET " + target.Path}, {Name: "host", Value: target.Host}, {Name: "command", Value: command}},
		Why:      whyLanguage,
	}, true
}
