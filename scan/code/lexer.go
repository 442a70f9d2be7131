package code

import (
	"strings"
	"unicode/utf8"

	"tegata/scan"
)

// A token is a word, a string, a sign, or the end of a line that ends a
// statement. Comments and regular expressions are none.
type token struct {
	kind kind
	at   scan.Span
	s    string // of words without their sigils; of signs the dialect's are made one's own: "." for members, "+" for joining
	jump int    // from a bracket to its partner, in tokens; 0 if it has none

	form  *form // of strings
	parts []part
}

type kind uint8

const (
	word kind = iota
	number
	text
	sign
	newline
	pattern // a regular expression
)

// A part of a string stands for s: its own bytes, an escape, or an expression.
type part struct {
	at   scan.Span
	s    string
	hole []token
}

// A lexer reads from at.
type lexer struct {
	*dialect
	src     string
	at, end int
	tokens  []token
	open    []int // indices of brackets
	pending []heredoc
	depth   int // of holes

	unclosed bool // an expression in a string never ended; no more are looked for
}

// lex returns the tokens of a source.
func lex(d *dialect, src string) []token {
	l := &lexer{dialect: d, src: src, end: len(src)}
	if d.lang == "php" {
		l.skipMarkup()
	}
	l.run()
	return l.tokens
}

func (l *lexer) run() {
	for l.at < l.end {
		l.next()
	}
}

// next reads one token, or what lies between two.
func (l *lexer) next() {
	rest := l.src[l.at:l.end]
	switch {
	case rest[0] == '\n':
		l.endLine()
	case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r' || rest[0] == '\f':
		l.at++
	case rest[0] == '\\' && l.newlines && strings.HasPrefix(strings.TrimLeft(rest[1:], " \t\r"), "\n"):
		l.at += strings.IndexByte(rest, '\n') + 1
	case l.comment(rest), l.here(rest), l.string(rest), l.regular(rest):
	case isWord(rest[0]) || strings.ContainsRune("$@:", rune(rest[0])) && len(rest) > 1 && l.sigil(rest):
		l.word(rest)
	case rest[0] >= '0' && rest[0] <= '9':
		n := strings.IndexFunc(rest, func(r rune) bool { return !(r < 128 && isWord(byte(r))) && !(r >= '0' && r <= '9') })
		if n < 0 {
			n = len(rest)
		}
		l.emit(number, n, rest[:n])
	case l.lang == "php" && strings.HasPrefix(rest, "?>"):
		l.at += 2
		l.emit(sign, 0, ";")
		l.skipMarkup()
	default:
		l.sign(rest)
	}
}

func isWord(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 128
}

// sigil reports whether a name with a sigil begins here.
func (l *lexer) sigil(rest string) bool {
	switch rest[0] {
	case '$':
		return l.lang != "csharp" && (isWord(rest[1]) || rest[1] == '$')
	case '@':
		return (l.lang == "ruby" || l.lang == "perl") && (isWord(rest[1]) || rest[1] == '@')
	}
	return l.lang == "ruby" && isWord(rest[1]) && (l.at == 0 || !strings.ContainsRune(":", rune(l.src[l.at-1])))
}

func (l *lexer) word(rest string) {
	n := 1
	for n < len(rest) && (isWord(rest[n]) || rest[n] >= '0' && rest[n] <= '9' || rest[n] == '@' && n == 1 || rest[n] == '$' && l.lang == "javascript") {
		n++
	}
	if l.lang == "ruby" && n < len(rest) && (rest[n] == '?' || rest[n] == '!') && !strings.HasPrefix(rest[n+1:], "=") {
		n++
	}
	name := strings.TrimLeft(rest[:n], "$@:")
	if name == "" {
		name = rest[:n]
	}
	l.emit(word, n, name)
}

func (l *lexer) emit(k kind, n int, s string) {
	l.tokens = append(l.tokens, token{kind: k, at: scan.Span{Start: l.at, End: l.at + n}, s: s})
	l.at += n
}

// endLine ends a statement where the dialect's lines do, and reads the heredocs
// that begin on the next line.
func (l *lexer) endLine() {
	for _, b := range l.blocks {
		if b[0][0] == '\n' && strings.HasPrefix(l.src[l.at:l.end], b[0]) {
			l.comment(l.src[l.at:l.end])
			return
		}
	}
	ends := l.newlines
	if n := len(l.open); n > 0 && (l.indented && !l.loose || l.tokens[l.open[n-1]].s != "{") {
		ends = l.declarations(l.open[n-1])
	}
	if ends && len(l.tokens) > 0 && l.tokens[len(l.tokens)-1].kind != newline {
		l.emit(newline, 1, "\n")
	} else {
		l.at++
	}
	for _, h := range l.pending {
		l.heredocBody(h)
	}
	l.pending = nil
}

// declarations reports whether a bracket opens a group of Go's declarations.
func (l *lexer) declarations(open int) bool {
	if l.lang != "go" || open == 0 || l.tokens[open].s != "(" {
		return false
	}
	switch l.tokens[open-1].s {
	case "const", "var", "type", "import":
		return true
	}
	return false
}

func (l *lexer) comment(rest string) bool {
	for _, b := range l.blocks {
		if strings.HasPrefix(rest, b[0]) {
			n := strings.Index(rest[len(b[0]):], b[1])
			if n < 0 {
				l.at = l.end
			} else {
				l.at += len(b[0]) + n + len(b[1])
			}
			return true
		}
	}
	for _, c := range l.comments {
		if !strings.HasPrefix(rest, c) || l.lang == "perl" && l.at > 0 && l.src[l.at-1] == '$' {
			continue
		}
		n := strings.IndexByte(rest, '\n')
		if i := strings.Index(rest, "?>"); l.lang == "php" && i >= 0 && (n < 0 || i < n) {
			n = i
		}
		if n < 0 {
			n = len(rest)
		}
		l.at += n
		return true
	}
	return false
}

// skipMarkup passes over what lies outside of <?php and ?>.
func (l *lexer) skipMarkup() {
	rest := l.src[l.at:l.end]
	n := strings.Index(rest, "<?")
	if n < 0 {
		l.at = l.end
		return
	}
	l.at += n + 2
	for _, tag := range []string{"php", "="} {
		if strings.HasPrefix(l.src[l.at:l.end], tag) {
			l.at += len(tag)
			return
		}
	}
}

// sign reads an operator or a bracket.
func (l *lexer) sign(rest string) {
	for _, s := range []string{"...", "**=", "===", "!==", "<=>", "||=", "??=", "?->", "::", "->", "=>", ":=", "+=", ".=", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "?:", "&.", "<<", ".."} {
		if strings.HasPrefix(rest, s) {
			l.emit(sign, len(s), l.canonical(s))
			return
		}
	}
	_, n := utf8.DecodeRuneInString(rest)
	l.emit(sign, n, l.canonical(rest[:n]))
	switch last := len(l.tokens) - 1; rest[0] {
	case '(', '[', '{':
		l.open = append(l.open, last)
	case ')', ']', '}':
		l.close(last)
	}
}

// canonical writes the signs of members and of joining strings alike.
func (l *lexer) canonical(s string) string {
	switch {
	case s == l.join && s != "":
		return "+"
	case s == ".=" && l.join == ".":
		return "+="
	case s == "::", s == "?.", s == "&.", s == "?->", s == "->" && l.arrow:
		return "."
	}
	return s
}

// close pairs a bracket with the last open one of its kind, if that is near.
func (l *lexer) close(last int) {
	opening := map[string]string{")": "(", "]": "[", "}": "{"}[l.tokens[last].s]
	for n := len(l.open) - 1; n >= 0; n-- {
		i := l.open[n]
		if l.tokens[i].s != opening {
			continue
		}
		l.tokens[i].jump, l.tokens[last].jump = last-i, i-last
		l.open = l.open[:n]
		return
	}
}

// regular reads a regular expression, which is told from a division by what
// precedes it.
func (l *lexer) regular(rest string) bool {
	if !l.regex || rest[0] != '/' || !l.operand() {
		return false
	}
	class := false
	for i := 1; i < len(rest) && rest[i] != '\n'; i++ {
		switch c := rest[i]; {
		case c == '\\':
			i++
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '/' && !class:
			l.emit(pattern, i+1, "")
			return true
		}
	}
	return false
}

// operand reports whether a value must follow, not an operator.
func (l *lexer) operand() bool {
	if len(l.tokens) == 0 {
		return true
	}
	switch t := l.tokens[len(l.tokens)-1]; t.kind {
	case newline:
		return true
	case sign:
		return !strings.Contains(")]}", t.s)
	case word:
		switch t.s {
		case "return", "if", "unless", "when", "and", "or", "not", "match", "in", "case", "split", "typeof":
			return true
		}
	}
	return false
}
