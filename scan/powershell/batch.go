package powershell

import (
	"encoding/base64"
	"regexp"
	"strings"
	"sync"
	"unicode/utf16"

	"tegata/scan"
)

var blockTag = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?is)<powershell>(.*?)(</powershell>|$)`)
})

var commandLine = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:powershell|pwsh)(?:\.exe)?"?\s[^\r\n]*?-c(?:ommand)?\s+(?:"&\s*\{?|")?((?:\\"|""|[^"\r\n])*)`)
})

var encodedCommand = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(?:powershell|pwsh)(?:\.exe)?"?\s[^\r\n]*?-e(?:nc|ncodedcommand)?\s+"?([A-Za-z0-9+/=]{16,})`)
})

var batchCurl = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile("(?i)(?:^|[&|('`@]|\\bdo\\s|\\bcall\\s)\\s*\"?((?:[a-z]:)?[^\\s\"&|'`]*?\\b(?:curl|wget|bitsadmin|certutil)(?:\\.exe)?)\"?\\s+([^&|\\r\\n]*)")
})

var setting = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)^\s*@?set\s+"?([a-z_]\w*)=([^"\r\n]*)`)
})

var reference = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`%[A-Za-z_]\w*%|![A-Za-z_]\w*!`)
})

// variables are those that a batch file has set so far, in lower case.
type variables map[string]string

// note reads "set NAME=value".
func (v variables) note(line string) {
	if m := setting().FindStringSubmatch(line); m != nil {
		v[strings.ToLower(m[1])] = v.expand(m[2])
	}
}

// expand puts values in place of %NAME% and !NAME!.
func (v variables) expand(s string) string {
	return reference().ReplaceAllStringFunc(s, func(m string) string {
		if value, ok := v[strings.ToLower(m[1:len(m)-1])]; ok && len(value) < longest {
			return value
		}
		return m
	})
}

// batch reads a batch file: the PowerShell in it, and curl.
func batch(t *scan.Text) (facts scan.Facts) {
	var taken []scan.Span
	for _, m := range blockTag().FindAllStringSubmatchIndex(t.Body, -1) {
		b := t.Within()
		b.Verbatim(scan.Span{Start: m[2], End: m[3]})
		plain := scan.Layer{Name: "<powershell>", Encode: func(s string) (string, error) { return s, nil }}
		facts.Texts = append(facts.Texts, b.Text(scan.PowerShell, plain, "<powershell>"))
		taken = append(taken, scan.Span{Start: m[0], End: m[1]})
	}
	set := variables{}
	for start := 0; start < len(t.Body); {
		end := logicalLine(t.Body, start)
		if !inside(taken, start) {
			batchLine(t, scan.Span{Start: start, End: end}, set, &facts)
		}
		start = end
	}
	return facts
}

// logicalLine returns the end of the line that begins at start, with the lines
// that a caret at its end adds to it.
func logicalLine(body string, start int) int {
	for end := start; ; {
		n := strings.IndexByte(body[end:], '\n')
		if n < 0 {
			return len(body)
		}
		end += n + 1
		if !strings.HasSuffix(strings.TrimRight(body[start:end], "\r\n"), "^") {
			return end
		}
	}
}

var continuation = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\^\r?\n`) })

func inside(spans []scan.Span, offset int) bool {
	for _, s := range spans {
		if s.Start <= offset && offset < s.End {
			return true
		}
	}
	return false
}

// batchLine reads one line.
func batchLine(t *scan.Text, at scan.Span, set variables, facts *scan.Facts) {
	line := continuation().ReplaceAllStringFunc(t.Body[at.Start:at.End], func(m string) string { return strings.Repeat(" ", len(m)) })
	set.note(line)
	bare := strings.ToLower(strings.TrimLeft(line, " \t@"))
	if strings.HasPrefix(bare, "rem ") || strings.HasPrefix(bare, "::") || strings.HasPrefix(bare, "echo ") && !strings.Contains(bare, "|") {
		return
	}
	if m := commandLine().FindStringSubmatchIndex(line); m != nil && m[2] < m[3] {
		facts.Texts = append(facts.Texts, quotedCommand(t, scan.Span{Start: at.Start + m[2], End: at.Start + m[3]}))
		return
	}
	if m := encodedCommand().FindStringSubmatchIndex(line); m != nil {
		if body, ok := utf16Of(line[m[2]:m[3]]); ok {
			b := t.Within()
			b.Decoded(scan.Span{Start: at.Start + m[2], End: at.Start + m[3]}, body)
			facts.Texts = append(facts.Texts, b.Text(scan.PowerShell, scan.Layer{Name: "-EncodedCommand"}, "powershell -EncodedCommand"))
		}
		return
	}
	for _, m := range batchCurl().FindAllStringSubmatchIndex(line, -1) {
		if f, ok := curl(line, m, set); ok {
			f.At.Start += at.Start
			f.At.End += at.Start
			facts.Findings = append(facts.Findings, f)
		}
	}
}

// quotedCommand is the script after -Command, as PowerShell gets it.
func quotedCommand(t *scan.Text, at scan.Span) *scan.Text {
	b := t.Within()
	for i := at.Start; i < at.End; i++ {
		switch rest := t.Body[i:at.End]; {
		case strings.HasPrefix(rest, `\"`), strings.HasPrefix(rest, `""`):
			b.Decoded(scan.Span{Start: i, End: i + 2}, `"`)
			i++
		case strings.HasPrefix(rest, "%%"):
			b.Decoded(scan.Span{Start: i, End: i + 2}, "%")
			i++
		default:
			b.Verbatim(scan.Span{Start: i, End: i + 1})
		}
	}
	return b.Text(scan.PowerShell, scan.Layer{Name: "a command line of cmd.exe", Encode: func(s string) (string, error) {
		if strings.ContainsAny(s, "\r\n\"") {
			return "", scan.ErrFixed
		}
		return strings.ReplaceAll(s, "%", "%%"), nil
	}}, "powershell -Command")
}

func utf16Of(s string) (string, bool) {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(data)%2 != 0 {
		return "", false
	}
	units := make([]uint16, 0, len(data)/2)
	for i := 0; i < len(data); i += 2 {
		units = append(units, uint16(data[i])|uint16(data[i+1])<<8)
	}
	return string(utf16.Decode(units)), true
}

// curl reads the arguments of curl, or of what else fetches, in a line.
func curl(line string, m []int, set variables) (f scan.Finding, ok bool) {
	written := line[m[4]:m[5]]
	args := set.expand(written)
	if tokenHeader().MatchString(args) || strings.Contains(args, "Metadata:") || strings.Contains(args, "Metadata-Flavor") {
		return f, false
	}
	for _, arg := range strings.FieldsFunc(args, func(r rune) bool { return strings.ContainsRune(" \t\"'`)^", r) }) {
		found, ok := target(arg)
		if !ok || found.Whose != scan.AWS || found.Token() {
			continue
		}
		return scan.Finding{
			ID: "TG1001", Confidence: scan.Likely, At: scan.Span{Start: m[2], End: m[4] + len(strings.TrimRight(written, " \t\r\n')"))},
			Evidence: []scan.Field{{Name: "request", Value: "GET " + found.Path}, {Name: "host", Value: found.Host}, {Name: "command", Value: fetcher(line[m[2]:m[3]])}, {Name: "interpreter", Value: "cmd"}},
			Why:      "batch files are not rewritten: ask for a token first",
		}, true
	}
	return f, false
}

// fetcher is the bare name of a program.
func fetcher(s string) string {
	s = strings.TrimSuffix(strings.ToLower(s), ".exe")
	return s[strings.LastIndexAny(s, `\/`)+1:]
}
