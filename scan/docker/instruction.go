package docker

import (
	"regexp"
	"strings"
	"sync"

	"tegata/scan"
)

// An instruction is one of a Dockerfile, with its here documents.
type instruction struct {
	name      string
	text      *scan.Text // what follows the name, with continued lines joined
	whole     *scan.Text // the same with the here documents
	documents []document
}

// A document is a here document.
type document struct {
	name string // its delimiter
	text *scan.Text
}

// joined is a line that continues on others.
var joined = scan.Layer{Name: "an instruction of a Dockerfile", Encode: func(s string) (string, error) { return s, nil }}

// instructions reads a Dockerfile up to its end.
func instructions(t *scan.Text) (all []instruction) {
	r := reader{text: t, escape: escapeOf(t.Body)}
	for r.at < len(t.Body) {
		if i, ok := r.next(); ok {
			all = append(all, i)
		}
	}
	return all
}

// escapeOf returns the byte that continues lines, which a comment at the top
// may choose.
func escapeOf(body string) byte {
	for line := range strings.Lines(body) {
		comment, ok := strings.CutPrefix(strings.TrimSpace(line), "#")
		name, value, _ := strings.Cut(comment, "=")
		if !ok {
			break
		}
		if strings.EqualFold(strings.TrimSpace(name), "escape") && strings.TrimSpace(value) == "`" {
			return '`'
		}
	}
	return '\\'
}

type reader struct {
	text   *scan.Text
	escape byte
	at     int
}

// line returns the next line without its end.
func (r *reader) line() scan.Span {
	start, end := r.at, len(r.text.Body)
	if i := strings.IndexByte(r.text.Body[start:], '\n'); i >= 0 {
		end = start + i
	}
	r.at = min(end+1, len(r.text.Body))
	if end == len(r.text.Body) {
		r.at = end
	}
	if end > start && r.text.Body[end-1] == '\r' {
		end--
	}
	return scan.Span{Start: start, End: end}
}

// next reads an instruction; there is none in a comment or an empty line.
func (r *reader) next() (i instruction, ok bool) {
	first := r.line()
	line := r.text.Body[first.Start:first.End]
	name, at := firstWord(line)
	if name == "" || name[0] == '#' {
		return i, false
	}
	i.name = strings.ToUpper(name)
	b, whole := r.text.Within(), r.text.Within()
	body := r.join(scan.Span{Start: first.Start + at, End: first.End}, b, whole)
	i.text = b.Text(scan.Docker, joined)
	if i.name == "RUN" || i.name == "COPY" || i.name == "ADD" || i.name == "ONBUILD" {
		for _, m := range heredoc().FindAllStringSubmatch(body, -1) {
			i.documents = append(i.documents, r.document(m[2], m[1] == "-", whole))
		}
	}
	i.whole = whole.Text(scan.Docker, joined)
	return i, true
}

// join adds a line and those that continue it, without comments and empty lines
// between.
func (r *reader) join(line scan.Span, builders ...*scan.Builder) string {
	var body strings.Builder
	for first := true; ; first = false {
		s := r.text.Body[line.Start:line.End]
		trimmed := strings.TrimSpace(s)
		skip := !first && (trimmed == "" || trimmed[0] == '#')
		content := strings.TrimRight(s, " \t")
		more := skip || strings.HasSuffix(content, string(r.escape))
		if !skip {
			content = strings.TrimSuffix(content, string(r.escape))
			if !more {
				content = s
			}
			body.WriteString(content)
			for _, b := range builders {
				b.Verbatim(scan.Span{Start: line.Start, End: line.Start + len(content)})
			}
		}
		if !more || r.at >= len(r.text.Body) {
			return body.String()
		}
		line = r.line()
	}
}

// heredoc matches the beginning of a here document.
var heredoc = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^<])<<(-?)["']?([A-Za-z_][A-Za-z0-9_.]*)["']?`)
})

// isDocument reports whether a word is the beginning of a here document.
func isDocument(word string) bool {
	m := heredoc().FindString(word)
	return m != "" && m == word
}

// document reads a here document up to its end.
func (r *reader) document(delimiter string, tabs bool, whole *scan.Builder) document {
	b := r.text.Within()
	whole.Made(r.at, "\n")
	for r.at < len(r.text.Body) {
		line := r.line()
		whole.Verbatim(scan.Span{Start: line.Start, End: r.at})
		s := r.text.Body[line.Start:line.End]
		if tabs {
			trimmed := strings.TrimLeft(s, "\t")
			line.Start += len(s) - len(trimmed)
			s = trimmed
		}
		if s == delimiter {
			break
		}
		b.Verbatim(scan.Span{Start: line.Start, End: r.at})
	}
	return document{delimiter, b.Text(scan.Docker, scan.Layer{Name: "a here document of a Dockerfile"})}
}

// firstWord returns the first word of a line, and where what follows begins.
func firstWord(line string) (word string, after int) {
	start := len(line) - len(strings.TrimLeft(line, " \t"))
	end := strings.IndexAny(line[start:], " \t")
	if end < 0 {
		return line[start:], len(line)
	}
	rest := strings.TrimLeft(line[start+end:], " \t")
	return line[start : start+end], len(line) - len(rest)
}

// rest is what follows in a text.
func rest(t *scan.Text, at int) *scan.Text {
	b := t.Within()
	b.Verbatim(scan.Span{Start: at, End: len(t.Body)})
	return b.Text(t.Lang, joined)
}

// afterOptions passes over --mount=… and the like.
func afterOptions(line string, at int) int {
	for {
		word, next := firstWord(line[at:])
		if !strings.HasPrefix(word, "--") {
			return at
		}
		at += next
	}
}
