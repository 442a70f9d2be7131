package code

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"tegata/scan"
)

// deepest is how far strings may stand in expressions in strings.
const deepest = 6

// string reads a string, if one begins here and ends somewhere.
func (l *lexer) string(rest string) bool {
	for i := range l.forms {
		f := &l.forms[i]
		if !begins(rest, f.open) || f.open[0] == '%' && len(f.open) == 2 && !l.literal(rest) {
			continue
		}
		t := token{kind: text, form: f, at: scan.Span{Start: l.at}}
		body := scan.Span{Start: l.at + len(f.open), End: l.end}
		end, ok := l.body(*f, body, &t)
		if !ok {
			continue
		}
		t.at.End = end + len(f.close)
		l.tokens = append(l.tokens, t)
		l.at = t.at.End
		return true
	}
	return false
}

// literal reports whether a percent sign and a bracket open a string of Ruby's,
// and are no operation on what precedes them.
func (l *lexer) literal(rest string) bool {
	if l.operand() {
		return true
	}
	spaced := l.at > 0 && strings.ContainsRune(" \t", rune(l.src[l.at-1]))
	return spaced && l.tokens[len(l.tokens)-1].kind == word && len(rest) > 2 && rest[2] != ' '
}

// begins compares the letters before a quote without case.
func begins(rest, open string) bool {
	return len(rest) >= len(open) && strings.EqualFold(rest[:len(open)], open)
}

// body reads the parts of a string, and returns where its closing mark is.
func (l *lexer) body(f form, s scan.Span, t *token) (end int, ok bool) {
	plain := s.Start
	flush := func(to int) {
		if plain < to {
			t.parts = append(t.parts, part{at: scan.Span{Start: plain, End: to}, s: l.src[plain:to]})
		}
	}
	nested := 0
	for i := s.Start; i < s.End; {
		rest := l.src[i:s.End]
		n, p := l.special(f, rest, i)
		switch {
		case p == nil && f.nests(rest[0]):
			nested++
			i++
		case p == nil && nested > 0 && strings.HasPrefix(rest, f.close):
			nested--
			i++
		case p != nil:
			flush(i)
			t.parts = append(t.parts, *p)
			i += n
			plain = i
		case f.close != "" && strings.HasPrefix(rest, f.close):
			flush(i)
			return i, true
		case rest[0] == '\n' && !f.lines:
			return 0, false
		default:
			i++
		}
	}
	flush(s.End)
	return s.End, f.close == ""
}

// nests reports whether a byte opens what the closing mark must close first.
func (f form) nests(c byte) bool {
	return f.open != "" && f.open[0] == '%' && c == f.open[len(f.open)-1] && f.close[0] != c
}

// special reads an escape or a hole, and returns its length.
func (l *lexer) special(f form, rest string, at int) (int, *part) {
	if f.escapes && rest[0] == '\\' && len(rest) > 1 {
		s, n := l.escape(f, rest)
		return n, &part{at: scan.Span{Start: at, End: at + n}, s: s}
	}
	if f.doubled && strings.HasPrefix(rest, f.close+f.close) {
		return 2, &part{at: scan.Span{Start: at, End: at + 2}, s: f.close}
	}
	if f.hole == "" {
		return 0, nil
	}
	if f.hole == "{" && (strings.HasPrefix(rest, "{{") || strings.HasPrefix(rest, "}}")) {
		return 2, &part{at: scan.Span{Start: at, End: at + 2}, s: rest[:1]}
	}
	n, expression := l.hole(f, rest)
	if n == 0 {
		return 0, nil
	}
	return n, &part{at: scan.Span{Start: at, End: at + n}, s: scan.Unknown, hole: l.within(at+expression.Start, at+expression.End)}
}

// hole returns the length of a hole, and where the expression in it stands.
func (l *lexer) hole(f form, rest string) (n int, expression scan.Span) {
	open := f.hole
	if open == "$" {
		switch {
		case strings.HasPrefix(rest, "${"), strings.HasPrefix(rest, "{$"):
			open = rest[:2]
		case len(rest) > 1 && rest[0] == '$' && isWord(rest[1]):
			return bareHole(rest)
		default:
			return 0, expression
		}
	}
	if !strings.HasPrefix(rest, open) || l.unclosed {
		return 0, expression
	}
	depth := 0
	for i := strings.IndexByte(open, '{'); i < len(rest); i++ {
		switch rest[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				start := len(open)
				if open == "{$" {
					start = 1
				}
				return i + 1, scan.Span{Start: start, End: i}
			}
		case '\n':
			if !f.lines {
				return 0, expression
			}
		}
	}
	l.unclosed = true
	return 0, expression
}

// bareHole reads $name, $name->field and $name[key].
func bareHole(rest string) (int, scan.Span) {
	n := 1
	for n < len(rest) && (isWord(rest[n]) || rest[n] >= '0' && rest[n] <= '9') {
		n++
	}
	if strings.HasPrefix(rest[n:], "->") && n+2 < len(rest) && isWord(rest[n+2]) {
		for n += 2; n < len(rest) && isWord(rest[n]); n++ {
		}
	}
	return n, scan.Span{Start: 0, End: n}
}

// within lexes the expression of a hole.
func (l *lexer) within(start, end int) []token {
	if l.depth >= deepest {
		return nil
	}
	inner := &lexer{dialect: l.dialect, src: l.src, at: start, end: end, depth: l.depth + 1}
	inner.run()
	return inner.tokens
}

// escape returns what a backslash and what follows it stand for.
func (l *lexer) escape(f form, rest string) (string, int) {
	if raw := f.open == "'" && (l.lang == "ruby" || l.lang == "php" || l.lang == "perl") || strings.HasPrefix(f.open, "%q"); raw {
		if rest[1] == '\\' || strings.HasPrefix(rest[1:], f.close) || f.nests(rest[1]) {
			return rest[1:2], 2
		}
		return rest[:1], 1
	}
	switch c := rest[1]; c {
	case 'n':
		return "\n", 2
	case 't':
		return "\t", 2
	case 'r':
		return "\r", 2
	case '\n':
		return "", 2
	case '\r':
		return "", min(3, len(rest))
	case 'x', 'u', 'U':
		return codePoint(rest)
	case 'a', 'b', 'f', 'v', '0', 'e':
		return "", 2
	}
	_, n := utf8.DecodeRuneInString(rest[1:])
	if keepsBackslash(l.lang) && !strings.ContainsAny(rest[1:2], "\\'\"`$") {
		return rest[:1+n], 1 + n
	}
	return rest[1 : 1+n], 1 + n
}

// keepsBackslash reports whether a language leaves escapes that it doesn't know.
func keepsBackslash(lang string) bool { return lang == "python" || lang == "php" }

func codePoint(rest string) (string, int) {
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	if len(rest) < 2+digits {
		return rest[1:2], 2
	}
	n, err := strconv.ParseUint(rest[2:2+digits], 16, 32)
	if err != nil {
		return rest[1:2], 2
	}
	return string(rune(n)), 2 + digits
}

// A heredoc was opened on a line; its body begins on the next.
type heredoc struct {
	token int
	mark  string
	dash  bool // the mark may be indented
	raw   bool
	strip bool // so is the text
}

// here reads what opens a heredoc.
func (l *lexer) here(rest string) bool {
	if l.heredoc == "" || !strings.HasPrefix(rest, l.heredoc) {
		return false
	}
	i := len(l.heredoc)
	h := heredoc{token: len(l.tokens)}
	for i < len(rest) && (rest[i] == '~' || rest[i] == '-') {
		h.dash, h.strip = true, h.strip || rest[i] == '~'
		i++
	}
	if l.lang == "php" {
		h.dash, h.strip = true, true
		i += len(rest[i:]) - len(strings.TrimLeft(rest[i:], " \t"))
	}
	if i >= len(rest) {
		return false
	}
	if q := rest[i]; q == '"' || q == '\'' {
		n := strings.IndexByte(rest[i+1:], q)
		if n <= 0 {
			return false
		}
		h.mark, h.raw = rest[i+1:i+1+n], q == '\''
		i += n + 2
	} else {
		n := strings.IndexFunc(rest[i:], func(r rune) bool { return !(r < 128 && (isWord(byte(r)) || r >= '0' && r <= '9')) })
		if n <= 0 || !h.dash && (rest[i] < 'A' || rest[i] > 'Z') {
			return false // a << b
		}
		h.mark = rest[i : i+n]
		i += n
	}
	if strings.ContainsRune(h.mark, '\n') {
		return false
	}
	l.emit(text, i, "")
	l.tokens[h.token].form = &form{open: l.heredoc + h.mark, lines: true, escapes: !h.raw, indented: h.strip}
	l.pending = append(l.pending, h)
	return true
}

// heredocBody reads lines up to the mark.
func (l *lexer) heredocBody(h heredoc) {
	t := &l.tokens[h.token]
	if !h.raw {
		t.form.hole = map[string]string{"ruby": "#{", "php": "$", "perl": "$"}[l.lang]
	}
	start, stop := l.at, l.end
	for l.at < l.end {
		line, next := l.src[l.at:l.end], l.end
		if n := strings.IndexByte(line, '\n'); n >= 0 {
			line, next = line[:n], l.at+n+1
		}
		bare := strings.TrimRight(line, "\r")
		if h.dash {
			bare = strings.TrimLeft(bare, " \t")
		}
		if bare == h.mark || l.lang == "php" && strings.TrimRight(bare, ";,)") == h.mark {
			stop = l.at
			l.at = next
			if l.lang == "php" {
				l.at = next - 1
			}
			break
		}
		l.at = next
	}
	l.body(*t.form, scan.Span{Start: start, End: stop}, t)
	if h.strip {
		t.parts = dedent(t.parts)
	}
}

// dedent leaves out the indentation that all lines of a heredoc have.
func dedent(parts []part) []part {
	width := -1
	begin := true
	for _, p := range parts {
		for _, line := range strings.SplitAfter(p.s, "\n") {
			if n := len(line) - len(strings.TrimLeft(line, " \t")); begin && strings.TrimSpace(line) != "" && (width < 0 || n < width) {
				width = n
			}
			begin = strings.HasSuffix(line, "\n") || begin && strings.TrimSpace(line) == ""
		}
	}
	if width <= 0 {
		return parts
	}
	var out []part
	begin = true
	for _, p := range parts {
		if p.hole != nil || p.at.End-p.at.Start != len(p.s) {
			out, begin = append(out, p), false
			continue
		}
		at := p.at.Start
		for _, line := range strings.SplitAfter(p.s, "\n") {
			cut := 0
			for begin && cut < width && cut < len(line) && (line[cut] == ' ' || line[cut] == '\t') {
				cut++
			}
			if cut < len(line) {
				out = append(out, part{at: scan.Span{Start: at + cut, End: at + len(line)}, s: line[cut:]})
			}
			at += len(line)
			begin = strings.HasSuffix(line, "\n")
		}
	}
	return out
}

// decoded returns what a string says, with "{}" for its holes.
func (t token) decoded() string {
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.s)
	}
	return b.String()
}
