package template

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// readLines reads a text of no known language line by line: where a client is
// named and the address follows, it is called. If none is, the text may still
// be a program.
func readLines(t *scan.Text) scan.Facts {
	l := &lines{text: t, constants: map[string]string{}}
	for at := 0; at < len(t.Body); {
		end := l.end(at)
		l.line(scan.Span{Start: at, End: end})
		at = end + 1
	}
	if len(l.findings) > 0 {
		return scan.Facts{Findings: l.findings}
	}
	b := t.Within()
	b.Verbatim(scan.Span{Start: 0, End: len(t.Body)})
	return scan.Facts{Texts: []*scan.Text{b.Text(scan.Plain, unclear)}}
}

type lines struct {
	text      *scan.Text
	constants map[string]string // names of addresses
	findings  []scan.Finding
}

// end returns where a line ends, with those that continue it.
func (l *lines) end(at int) int {
	body := l.text.Body
	for {
		i := strings.IndexByte(body[at:], '\n')
		if i < 0 {
			return len(body)
		}
		at += i
		if line := strings.TrimSuffix(body[:at], "\r"); !strings.HasSuffix(line, `\`) && !strings.HasSuffix(line, " `") {
			return at
		}
		at++
	}
}

var (
	// constant matches the setting of a name to an address.
	constant = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^\W*(?:(?:export|readonly|local|set|let|const|var)\s+)?\$?([A-Za-z_]\w*)\s*[:=]+\s*["']?([^\s"']*169\.254\.169\.254[^\s"']*)["']?;?\s*$`)
	})
	// client matches the name of a client with a blank or a quote behind it.
	client = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("(?:^|[\\s;|&(`\"'=/{}\\[,])((?i:curl|wget|Invoke-RestMethod|Invoke-WebRequest|irm|iwr))[\\s\"',]")
	})
	// name matches what a shell puts in.
	name = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$\{?(?:env:)?([A-Za-z_]\w*)\}?`) })
	// otherCloud matches headers that other clouds ask for.
	otherCloud = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)Metadata-Flavor|["']?Metadata["']?\s*[:=]\s*["']?true|Authorization: Bearer Oracle`)
	})
	// token matches a header of version 2, or a name for it.
	token = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`(?i)X-aws-ec2-metadata-token|-H\w*\s*["'@]?\$\w*token`)
	})
	// spoken matches lines that only tell of a command, or keep others from it.
	spoken = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile("^\\W*(?:(?:echo|printf|logger|Write-Host|Write-Output)\\b[^`]*$|iptables|ip6tables|ip route|nft\\b|ufw\\b|export (?:no_proxy|NO_PROXY)|no_proxy|NO_PROXY)")
	})
)

// line reads one line with those that continue it.
func (l *lines) line(at scan.Span) {
	text := l.text.Body[at.Start:at.End]
	if m := constant().FindStringSubmatch(text); m != nil {
		l.constants[m[1]] = m[2]
		return
	}
	trimmed := strings.TrimSpace(text)
	if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, "//") || spoken().MatchString(text) && !strings.Contains(text, "$(") {
		return
	}
	calls := client().FindAllStringSubmatchIndex(text, -1)
	if len(calls) > 0 && (token().MatchString(text) || otherCloud().MatchString(text)) {
		return
	}
	for i, m := range calls {
		end := len(text)
		if i+1 < len(calls) {
			end = calls[i+1][2]
		}
		l.call(scan.Span{Start: at.Start + m[2], End: at.Start + end}, text[m[2]:m[3]])
	}
}

// call judges what stands from a client's name up to the next one's.
func (l *lines) call(at scan.Span, command string) {
	text := l.text.Body[at.Start:at.End]
	target, found := l.target(text)
	if !found || target.Whose == scan.Other || target.Token() {
		return
	}
	f := scan.Finding{
		ID: "TG1001", Confidence: scan.Likely, At: scan.Span{Start: at.Start, End: at.Start + argumentsEnd(text)}, Why: undecided,
		Evidence: []scan.Field{{Name: "request", Value: "GET " + target.Path}, {Name: "host", Value: target.Host}, {Name: "command", Value: command}},
	}
	if strings.Contains(text, "http_code") && strings.Contains(text, "/dev/null") {
		f.ID = "TG1003"
	}
	if target.Whose == scan.Bare && strings.Trim(target.Path, "/") != "" {
		f.Confidence = scan.Possible
	}
	l.findings = append(l.findings, f)
}

// target finds the address in the arguments of a client, also by a name for it.
func (l *lines) target(text string) (scan.Target, bool) {
	text = name().ReplaceAllStringFunc(text, func(s string) string {
		if v, ok := l.constants[name().FindStringSubmatch(s)[1]]; ok {
			return v
		}
		return scan.Unknown
	})
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \t\r\n\"'`;|,()<>", c) }) {
		if t, ok := scan.FindTarget(word); ok {
			return t, true
		}
	}
	return scan.Target{}, false
}

// argumentsEnd returns where the arguments of a client end, as far as a line
// tells: before what pipes or separates commands.
func argumentsEnd(text string) int {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			if strings.IndexByte(text[i+1:], c) < 0 {
				return len(strings.TrimRight(text[:i], " \t\r\n"))
			}
			quote = c
		case c == '`' && strings.HasPrefix(strings.TrimLeft(text[i+1:], "\r"), "\n"): // PowerShell goes on
		case strings.IndexByte(";|)`&>", c) >= 0:
			return len(strings.TrimRight(text[:i], " \t\r\n"))
		}
	}
	return len(strings.TrimRight(text, " \t\r\n\\"))
}
