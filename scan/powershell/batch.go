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
	return regexp.MustCompile("(?i)(?:^|[&|('`@]|\\bdo\\s|\\bcall\\s)\\s*\"?((?:[a-z]:)?[^\\s\"&|'`]*?\\b(?:curl|wget)(?:\\.exe)?)\"?\\s+([^&|\\r\\n]*)")
})

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
	start := 0
	for start < len(t.Body) {
		end := start + len(t.Body[start:])
		if n := strings.IndexByte(t.Body[start:], '\n'); n >= 0 {
			end = start + n + 1
		}
		if !inside(taken, start) {
			batchLine(t, scan.Span{Start: start, End: end}, &facts)
		}
		start = end
	}
	return facts
}

func inside(spans []scan.Span, offset int) bool {
	for _, s := range spans {
		if s.Start <= offset && offset < s.End {
			return true
		}
	}
	return false
}

// batchLine reads one line.
func batchLine(t *scan.Text, at scan.Span, facts *scan.Facts) {
	line := t.Body[at.Start:at.End]
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
		if f, ok := curl(line, m); ok {
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

// curl reads the arguments of curl in a line.
func curl(line string, m []int) (f scan.Finding, ok bool) {
	args := line[m[4]:m[5]]
	if tokenHeader().MatchString(args) || strings.Contains(args, "Metadata:") || strings.Contains(args, "Metadata-Flavor") {
		return f, false
	}
	for _, arg := range strings.FieldsFunc(args, func(r rune) bool { return strings.ContainsRune(" \t\"'`)^", r) }) {
		found, ok := target(arg)
		if !ok || found.Whose != scan.AWS || found.Token() {
			continue
		}
		return scan.Finding{
			ID: "TG1001", Confidence: scan.Likely, At: scan.Span{Start: m[2], End: m[4] + len(strings.TrimRight(args, " \t\r\n')"))},
			Evidence: []scan.Field{{Name: "request", Value: "GET " + found.Path}, {Name: "host", Value: found.Host}, {Name: "command", Value: "curl"}, {Name: "interpreter", Value: "cmd"}},
			Why:      "batch files are not rewritten: ask for a token first",
		}, true
	}
	return f, false
}
