package shell

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"tegata/scan"
)

// Lines reads a text that no shell would, line by line: a template before it is
// filled in, or a file of no known kind with commands in it. Where a client is
// named, its arguments are read as far as they go. Nothing is mended there.
func Lines(t *scan.Text) scan.Facts {
	l := &lines{text: t, numbers: newLineNumbers(t.Body), constants: map[string]value{}}
	texts, scripts := upstart(t)
	l.facts.Texts = texts
	for at := 0; at < len(t.Body); {
		if i := slices.IndexFunc(scripts, func(s scan.Span) bool { return at >= s.Start && at < s.End }); i >= 0 {
			at = scripts[i].End
			continue
		}
		end := l.end(at)
		l.line(scan.Span{Start: at, End: end})
		at = end + 1
	}
	return l.facts
}

// lines is a text that is read line by line.
type lines struct {
	text      *scan.Text
	facts     scan.Facts
	numbers   lineNumbers
	constants map[string]value
}

// end returns where a logical line ends: a backslash before the newline joins
// it with the next.
func (l *lines) end(at int) int {
	body := l.text.Body
	for {
		n := strings.IndexByte(body[at:], '\n')
		if n < 0 {
			return len(body)
		}
		at += n
		if !strings.HasSuffix(strings.TrimSuffix(body[:at], "\r"), `\`) {
			return at
		}
		at++
	}
}

var (
	// lineAssignment matches a constant on a line of its own.
	lineAssignment = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\s*(?:export |readonly |local |declare )?([A-Za-z_][A-Za-z0-9_]*)=("[^"]*"|'[^']*'|[^\s;|&()]*)\s*;?\s*$`)
	})
	// lineClient matches the name of a client where a command can start.
	lineClient = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("(\\\\?(?:\\$\\(|`))?(^|[\\s;|&(`\"'=/{}])(curl|wget)([\\s\"'])")
	})
)

// comment matches lines that are comments in one language or another.
var comment = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(#|//|;|--[ \t]|\* |<!--|(?i:rem) |::)`) })

// startsCommand reports whether a command can start behind some text: prose
// doesn't end like this.
func startsCommand(before string) bool {
	before = strings.TrimRight(before, " \t\\\r\n")
	if before == "" || strings.ContainsRune("$;|&(`\"'={}!/:>)-,[*", rune(before[len(before)-1])) {
		return true
	}
	last := before[strings.LastIndexAny(before, " \t\n(;&|\"'")+1:]
	switch last {
	case "then", "do", "else", "elif", "if", "while", "until", "sudo", "exec", "time", "eval", "command", "RUN", "nohup", "xargs", "nice", "env", "return":
		return true
	}
	return strings.HasPrefix(last, "-") || strings.Contains(last, "=") || strings.Trim(last, "0123456789smh") == ""
}

// line reads one logical line.
func (l *lines) line(at scan.Span) {
	text := l.text.Body[at.Start:at.End]
	trimmed := strings.TrimSpace(text)
	if comment().MatchString(text) {
		return
	}
	if m := lineAssignment().FindStringSubmatch(text); m != nil && !strings.Contains(m[2], "$(") && !strings.Contains(m[2], "`") {
		v := l.expand(strings.Trim(m[2], `"'`))
		v.constants = []constant{{m[1], at.Start}}
		l.constants[m[1]] = v
		return
	}
	if first, _, _ := strings.Cut(trimmed, " "); (speaks(first) || keeps(first)) && !strings.ContainsAny(text, "(`") {
		return
	}
	for from := 0; from < len(text); {
		m := lineClient().FindStringSubmatchIndex(text[from:])
		if m == nil {
			return
		}
		start := from + m[6]
		from += m[7]
		if !startsCommand(text[max(0, start-widest):start]) {
			continue
		}
		fields := l.fields(scan.Span{Start: at.Start + start, End: at.End})
		if r := newRequest(fields[0], fields[1:]); r != nil {
			l.judge(at, start, r)
		}
	}
}

// judge reports a request that starts at an offset of a line.
func (l *lines) judge(at scan.Span, start int, r *request) {
	if r.target.Host == "" || r.otherCloud() || fileOfOtherCloud(l.text.Path) {
		return
	}
	at, start = around(at, start)
	text := l.text.Body[at.Start:at.End]
	r.at = scan.Span{Start: at.Start + start, End: max(r.url.at.End, at.Start+start)}
	l.leak(r, text[start:])
	id := "TG1001"
	switch before := strings.TrimRight(text[:start], " \t"); {
	case r.target.Token() || r.method == "PUT":
		if r.fails || r.client != "curl" || r.method == "GET" {
			return
		}
		id = "TG1005"
	case r.version2():
		return
	case strings.HasSuffix(before, `\$(`) || strings.HasSuffix(before, "\\`"):
		id = "TG1009"
	case mentionsToken(text) && (strings.Contains(text[:start], "||") || strings.Contains(text[start:], "||")):
		id = "TG1002"
	case r.discard && (r.status || r.fails):
		id = "TG1003"
	}
	l.add(r, id, whyLines)
}

func (l *lines) add(r *request, id, why string) {
	l.facts.Findings = append(l.facts.Findings, scan.Finding{
		ID: id, Confidence: scan.Likely, At: r.at, Evidence: r.evidence(l.numbers), Why: why,
	})
}

// leak reports a token that a client logs, with what follows its name.
func (l *lines) leak(r *request, command string) {
	if r.leaks != nil && (r.version2() || r.target.Token()) && !mutedLog().MatchString(command) {
		l.add(r, "TG1004", whyLines)
	}
}

var mutedLog = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`[2&]>+\s*/dev/null`) })

// around bounds what of a line is looked at beside a request: lines may be as
// long as files.
func around(at scan.Span, start int) (scan.Span, int) {
	const enough = 1024
	near := scan.Span{Start: max(at.Start, at.Start+start-enough), End: min(at.End, at.Start+start+enough)}
	return near, start + at.Start - near.Start
}

// fields reads words up to what ends a simple command.
func (l *lines) fields(at scan.Span) (out []field) {
	body := l.text.Body
	for i := at.Start; i < at.End; {
		switch c := body[i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			i++
		case c == '\\' && i+1 < at.End && (body[i+1] == '\n' || body[i+1] == '\r'):
			i += 2
		case strings.IndexByte(";|&)`", c) >= 0:
			return out
		case c == '#':
			return out
		default:
			end, text := word(body[i:at.End])
			f := field{value: l.expand(text), at: scan.Span{Start: i, End: i + end}}
			out = append(out, f)
			i += end
		}
	}
	return out
}

// word reads one word, and undoes its quotes.
func word(s string) (n int, text string) {
	var out strings.Builder
	quote, depth := byte(0), 0
	for n < len(s) {
		c := s[n]
		switch {
		case c == '\\' && n+1 < len(s) && quote != '\'':
			out.WriteByte(s[n+1])
			n++
		case quote == c:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == '$' && n+1 < len(s) && s[n+1] == '(' && quote != '\'':
			depth++
			out.WriteByte(c)
		case depth > 0 && c == ')':
			depth--
			out.WriteByte(c)
		case quote == 0 && depth == 0 && strings.IndexByte(" \t\r\n;|&)`", c) >= 0:
			return n, out.String()
		default:
			out.WriteByte(c)
		}
		n++
	}
	return n, out.String()
}

var lineVariable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\$\{?([A-Za-z_][A-Za-z0-9_]*|[0-9@*])(:?[-=]([^}]*))?\}?|\$\([^)]*\)|\{\{.*?\}\}|<%.*?%>`)
})

// expand puts in the constants that are known.
func (l *lines) expand(s string) (v value) {
	v.text = lineVariable().ReplaceAllStringFunc(s, func(m string) string {
		groups := lineVariable().FindStringSubmatch(m)
		v.names = append(v.names, groups[1])
		if known, ok := l.constants[groups[1]]; ok {
			v.constants = append(v.constants, known.constants...)
			return known.text
		}
		if groups[3] != "" {
			return groups[3]
		}
		return scan.Unknown
	})
	v.constants = slices.Clip(v.constants)
	return v
}
