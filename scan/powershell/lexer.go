package powershell

import (
	"strings"

	"tegata/scan"
)

// A token is a word, a variable, a string, a sign, or the end of a statement.
type token struct {
	kind kind
	at   scan.Span
	s    string // of variables without $ and scope
	jump int    // from a bracket to its partner, in tokens
	raw  bool   // of strings: in single quotes
	here bool   // of strings: over several lines

	parts []part
}

type kind uint8

const (
	word kind = iota
	variable
	splat // @name
	text
	sign
	newline
)

// A part of a string stands for s: its own bytes, an escape, or an expression.
type part struct {
	at   scan.Span
	s    string
	hole []token
}

type lexer struct {
	src     string
	at, end int
	tokens  []token
	open    []int
	depth   int

	unclosed bool // an expression in a string never ended; no more are looked for
}

// deepest is how far strings may stand in expressions in strings.
const deepest = 6

// lex returns the tokens of a script.
//
// Source: https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_parsing
func lex(src string) []token {
	l := &lexer{src: src, end: len(src)}
	l.run()
	return l.tokens
}

func (l *lexer) run() {
	for l.at < l.end {
		l.next()
	}
}

func (l *lexer) next() {
	rest := l.src[l.at:l.end]
	switch c := rest[0]; {
	case c == '\n':
		l.emit(newline, 1, "\n")
	case c == ' ' || c == '\t' || c == '\r':
		l.at++
	case c == '`' && strings.HasPrefix(strings.TrimLeft(rest[1:], " \t\r"), "\n"):
		l.at += strings.IndexByte(rest, '\n') + 1
	case strings.HasPrefix(rest, "<#"):
		l.passOver("#>", rest)
	case c == '#' && l.fresh():
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		l.at += n
	case strings.HasPrefix(rest, "@\"") || strings.HasPrefix(rest, "@'"):
		l.hereString(rest)
	case c == '"' || c == '\'':
		l.quoted(c)
	case c == '$':
		l.variable(rest)
	case c == '@' && len(rest) > 1 && letter(rest[1]):
		n := 1 + name(rest[1:])
		l.emit(splat, n, strings.ToLower(rest[1:n]))
	case strings.HasPrefix(rest, "@{") || strings.HasPrefix(rest, "@("):
		l.bracket(2, rest[1:2])
	case strings.IndexByte("()[]{}", c) >= 0:
		l.bracket(1, rest[:1])
	case strings.IndexByte(";|,=&<>+!", c) >= 0:
		l.emit(sign, 1, rest[:1])
	case strings.HasPrefix(rest, "::"):
		l.emit(sign, 2, ".")
	case c == '.' && l.at > 0 && (!l.fresh() || strings.IndexByte(")}", l.src[l.at-1]) >= 0):
		l.emit(sign, 1, ".")
	default:
		l.word(rest)
	}
}

// fresh reports whether nothing stands right before.
func (l *lexer) fresh() bool {
	return l.at == 0 || strings.IndexByte(" \t\r\n;|(){},=", l.src[l.at-1]) >= 0
}

func (l *lexer) passOver(mark, rest string) {
	if n := strings.Index(rest, mark); n >= 0 {
		l.at += n + len(mark)
		return
	}
	l.at = l.end
}

func letter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 128
}

// name returns the length of a name.
func name(s string) int {
	n := 0
	for n < len(s) && (letter(s[n]) || s[n] >= '0' && s[n] <= '9') {
		n++
	}
	return n
}

func (l *lexer) emit(k kind, n int, s string) {
	l.tokens = append(l.tokens, token{kind: k, at: scan.Span{Start: l.at, End: l.at + n}, s: s})
	l.at += n
}

func (l *lexer) bracket(n int, s string) {
	last := len(l.tokens)
	l.emit(sign, n, s)
	if strings.Contains("([{", s) {
		l.open = append(l.open, last)
		return
	}
	opening := map[string]string{")": "(", "]": "[", "}": "{"}[s]
	for k := len(l.open) - 1; k >= 0; k-- {
		if i := l.open[k]; l.tokens[i].s == opening {
			l.tokens[i].jump, l.tokens[last].jump = last-i, i-last
			l.open = l.open[:k]
			return
		}
	}
}

// variable reads $name, ${name}, $scope:name and $( … ).
func (l *lexer) variable(rest string) {
	n, s := variableName(rest)
	switch {
	case n > 0:
		l.emit(variable, n, s)
	case strings.HasPrefix(rest, "$("):
		l.bracket(2, "(")
	default:
		l.emit(word, 1, "$")
	}
}

func variableName(rest string) (n int, s string) {
	if strings.HasPrefix(rest, "${") {
		if end := strings.IndexAny(rest, "}\n"); end > 2 && rest[end] == '}' {
			return end + 1, unscoped(rest[2:end])
		}
		return 0, ""
	}
	if len(rest) < 2 || !letter(rest[1]) && rest[1] != '?' {
		return 0, ""
	}
	n = 1 + max(1, name(rest[1:]))
	if n+1 < len(rest) && rest[n] == ':' && letter(rest[n+1]) {
		n += 1 + name(rest[n+1:])
	}
	return n, unscoped(rest[1:n])
}

// unscoped leaves out the scope of a variable, but for that of the environment.
func unscoped(s string) string {
	scope, bare, ok := strings.Cut(strings.ToLower(s), ":")
	switch {
	case !ok:
		return scope
	case scope == "env":
		return "env:" + bare
	}
	return bare
}

// word reads what isn't anything else: commands, parameters, bare arguments.
func (l *lexer) word(rest string) {
	n := 1
	for n < len(rest) && strings.IndexByte(" \t\r\n;|(){}[],='\"$`<>&", rest[n]) < 0 {
		if rest[n] == '.' && l.member(rest, n) || strings.HasPrefix(rest[n:], "::") {
			break
		}
		n++
	}
	l.emit(word, n, rest[:n])
}

// member reports whether a dot in a word begins a member: after a bracket, or a
// variable, but not in a path or a number.
func (l *lexer) member(rest string, n int) bool {
	return len(l.tokens) > 0 && l.tokens[len(l.tokens)-1].kind == sign && l.tokens[len(l.tokens)-1].s == "." && letter(rest[0])
}

// quoted reads a string on one line or more.
func (l *lexer) quoted(quote byte) {
	t := token{kind: text, raw: quote == '\'', at: scan.Span{Start: l.at}}
	i, plain := l.at+1, l.at+1
	flush := func() {
		if plain < i {
			t.parts = append(t.parts, part{at: scan.Span{Start: plain, End: i}, s: l.src[plain:i]})
		}
	}
	for i < l.end {
		rest := l.src[i:l.end]
		if rest[0] == quote && !(len(rest) > 1 && rest[1] == quote) {
			flush()
			t.at.End = i + 1
			l.tokens, l.at = append(l.tokens, t), i+1
			return
		}
		p, n := l.special(rest, i, quote)
		if n == 0 {
			i++
			continue
		}
		flush()
		t.parts = append(t.parts, p)
		i += n
		plain = i
	}
	l.emit(word, 1, string(quote)) // it doesn't end
}

// special reads an escape, a doubled quote, or an expression.
func (l *lexer) special(rest string, at int, quote byte) (p part, n int) {
	if len(rest) > 1 && rest[0] == quote && rest[1] == quote {
		return part{at: scan.Span{Start: at, End: at + 2}, s: rest[:1]}, 2
	}
	if quote == '\'' || len(rest) < 2 {
		return p, 0
	}
	switch rest[0] {
	case '`':
		s := rest[1:2]
		switch rest[1] {
		case 'n':
			s = "\n"
		case 't':
			s = "\t"
		case 'r':
			s = "\r"
		case '0', 'a', 'b', 'e', 'f', 'v':
			s = ""
		}
		return part{at: scan.Span{Start: at, End: at + 2}, s: s}, 2
	case '$':
		n = l.hole(rest)
	}
	if n == 0 {
		return p, 0
	}
	p = part{at: scan.Span{Start: at, End: at + n}, s: scan.Unknown}
	if l.depth < deepest {
		inner := &lexer{src: l.src, at: at, end: at + n, depth: l.depth + 1}
		inner.run()
		p.hole = inner.tokens
	}
	return p, n
}

// hole returns the length of $name, ${name} or $( … ).
func (l *lexer) hole(rest string) int {
	if !strings.HasPrefix(rest, "$(") {
		n, s := variableName(rest)
		if i := strings.IndexByte(rest[:n], ':'); i > 0 && !strings.HasPrefix(rest, "${") && !scope(rest[1:i]) && s != "" {
			return i // "$host:80"
		}
		return n
	}
	if l.unclosed {
		return 0
	}
	depth := 0
	for i := 1; i < len(rest); i++ {
		switch rest[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	l.unclosed = true
	return 0
}

func scope(s string) bool {
	switch strings.ToLower(s) {
	case "env", "global", "script", "local", "private", "using", "variable":
		return true
	}
	return false
}

// hereString reads @" … "@ and @' … '@.
func (l *lexer) hereString(rest string) {
	quote := rest[1]
	first := strings.IndexByte(rest, '\n')
	if first < 0 || strings.TrimSpace(rest[2:first]) != "" {
		l.emit(word, 1, "@")
		return
	}
	end := strings.Index(rest[first:], "\n"+string(quote)+"@")
	if end < 0 {
		l.emit(word, 1, "@")
		return
	}
	t := token{kind: text, raw: quote == '\'', here: true, at: scan.Span{Start: l.at, End: l.at + first + end + 3}}
	i, stop := l.at+first+1, l.at+first+max(end, 1)
	plain := i
	for i < stop && quote == '"' {
		p, n := l.special(l.src[i:stop], i, 0)
		if n == 0 {
			i++
			continue
		}
		if plain < i {
			t.parts = append(t.parts, part{at: scan.Span{Start: plain, End: i}, s: l.src[plain:i]})
		}
		t.parts = append(t.parts, p)
		i += n
		plain = i
	}
	if plain < stop {
		t.parts = append(t.parts, part{at: scan.Span{Start: plain, End: stop}, s: l.src[plain:stop]})
	}
	l.tokens, l.at = append(l.tokens, t), t.at.End
}

func (t token) decoded() string {
	if t.kind != text {
		return t.s
	}
	var b strings.Builder
	for _, p := range t.parts {
		b.WriteString(p.s)
	}
	return b.String()
}
