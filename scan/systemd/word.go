package systemd

import (
	"errors"
	"strconv"
	"strings"

	"tegata/scan"
)

// A word is one argument of a command line.
type word struct {
	start, end int  // with its quotes
	quote      byte // that it stands in; 0 if in none
	mixed      bool // only a part of it stands in quotes
	pieces     []piece
}

// A piece is a part of a word: bytes as they stand, or an escape.
type piece struct {
	start, end int
	text       string
	verbatim   bool
}

func (w word) String() string {
	var s strings.Builder
	for _, p := range w.pieces {
		s.WriteString(p.text)
	}
	return s.String()
}

func (w *word) shift(by int) {
	w.start, w.end = w.start+by, w.end+by
	for i := range w.pieces {
		w.pieces[i].start += by
		w.pieces[i].end += by
	}
}

// whole is the word with the quotes that stand around it.
func (w word) whole() word {
	if w.quote == 0 || w.mixed {
		return w
	}
	open := piece{w.start, w.start + 1, string(w.quote), true}
	end := piece{w.end - 1, w.end, string(w.quote), true}
	w.pieces = append(append([]piece{open}, w.pieces...), end)
	return w
}

// words cuts a command line into its arguments.
func words(line string) (all []word) {
	for at := 0; at < len(line); {
		if line[at] == ' ' || line[at] == '\t' || line[at] == '\r' {
			at++
			continue
		}
		w := next(line, at)
		all = append(all, w)
		at = w.end
	}
	return all
}

// next reads the word that begins at an offset.
func next(line string, at int) word {
	w := word{start: at}
	var quote byte
	for at < len(line) {
		c := line[at]
		switch {
		case quote == 0 && (c == ' ' || c == '\t' || c == '\r'):
			w.end = at
			return w
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
			w.mixed = w.mixed || at > w.start
			w.quote = c
			at++
		case quote == c:
			quote = 0
			at++
			w.mixed = w.mixed || at < len(line) && line[at] != ' ' && line[at] != '\t'
		case c == '\\' && at+1 < len(line):
			n, text := unescape(line[at:])
			w.pieces = append(w.pieces, piece{at, at + n, text, false})
			at += n
		default:
			w.literal(line, at)
			at++
		}
	}
	w.end = at
	return w
}

// literal adds a byte as it stands.
func (w *word) literal(line string, at int) {
	if i := len(w.pieces) - 1; i >= 0 && w.pieces[i].verbatim && w.pieces[i].end == at {
		w.pieces[i].end++
		w.pieces[i].text = line[w.pieces[i].start : at+1]
		return
	}
	w.pieces = append(w.pieces, piece{at, at + 1, line[at : at+1], true})
}

// unescape returns how long an escape is, and what it stands for. A backslash
// before anything else stands for itself.
func unescape(s string) (length int, text string) {
	switch s[1] {
	case 'a', 'b', 'f', 'n', 'r', 't', 'v', '\\', '"', '\'', 's', ';':
		i := strings.IndexByte(`abfnrtv\"'s;`, s[1])
		return 2, "\a\b\f\n\r\t\v\\\"' ;"[i : i+1]
	case 'x':
		return number(s, 2, 2, 16)
	case 'u':
		return number(s, 2, 4, 16)
	case '0', '1', '2', '3':
		return number(s, 1, 3, 8)
	}
	return 1, `\`
}

func number(s string, from, digits, base int) (length int, text string) {
	if len(s) < from+digits {
		return 1, `\`
	}
	n, err := strconv.ParseUint(s[from:from+digits], base, 16)
	switch {
	case err != nil || n == 0:
		return 1, `\`
	case digits == 4:
		return from + digits, string(rune(n))
	}
	return from + digits, string([]byte{byte(n)})
}

// An expander puts in what systemd does once words are known.
type expander struct {
	variables map[string]string
	literal   bool // the command is marked by a colon: no variables
}

// add adds a word to a text, with specifiers and variables filled in.
func (e expander) add(b *scan.Builder, w word) {
	for _, p := range w.pieces {
		if !p.verbatim {
			b.Decoded(scan.Span{Start: p.start, End: p.end}, p.text)
			continue
		}
		from := 0
		for i := 0; i < len(p.text); {
			n, text := e.expand(p.text[i:])
			if n == 0 {
				i++
				continue
			}
			b.Verbatim(scan.Span{Start: p.start + from, End: p.start + i})
			b.Decoded(scan.Span{Start: p.start + i, End: p.start + i + n}, text)
			i += n
			from = i
		}
		b.Verbatim(scan.Span{Start: p.start + from, End: p.end})
	}
}

// maxName bounds the names of variables that are looked for.
const maxName = 256

// expand returns how many bytes something else is put in for, and what.
func (e expander) expand(s string) (length int, text string) {
	switch {
	case len(s) < 2:
		return 0, ""
	case s[0] == '%' && s[1] == '%':
		return 2, "%"
	case s[0] == '%' && isLetter(s[1]):
		return 2, scan.Unknown
	case s[0] != '$' || e.literal:
		return 0, ""
	case s[1] == '$':
		if n, text := e.address(s[1:]); n > 0 {
			return n + 1, text
		}
		return 2, "$"
	case s[1] == '{':
		end := strings.IndexByte(s[:min(len(s), maxName)], '}')
		if end < 0 || !isName(s[2:end]) {
			return 0, ""
		}
		if value, ok := e.variables[s[2:end]]; ok {
			return end + 1, value
		}
		return end + 1, scan.Unknown
	}
	return e.address(s)
}

// address fills in a variable that a shell will read from the environment, if
// it holds an address: the reader of the script doesn't know the environment.
func (e expander) address(s string) (length int, text string) {
	start := 1
	if strings.HasPrefix(s, "${") {
		start = 2
	}
	end := start
	for end < len(s) && (isLetter(s[end]) || s[end] == '_' || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	text = e.variables[s[start:end]]
	if _, ok := scan.FindTarget(text); !ok {
		return 0, ""
	}
	if start == 2 {
		if !strings.HasPrefix(s[end:], "}") {
			return 0, ""
		}
		end++
	}
	return end, text
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == ""
}

// quoted is how the script of a shell is written.
func (e expander) quoted(quote byte) scan.Layer {
	special := []string{`\`, `\\`, "\n", `\n`, "%", "%%", "$", "$$"}
	if e.literal {
		special = special[:6]
	}
	switch quote {
	case '"':
		special = append(special, `"`, `\"`)
	case '\'':
	default:
		return scan.Layer{Name: "a word of a systemd unit", Encode: func(s string) (string, error) {
			return "", errors.New("the script is one word without quotes")
		}}
	}
	escapes := strings.NewReplacer(special...)
	return scan.Layer{Name: "a quoted word of a systemd unit", Encode: func(s string) (string, error) {
		if quote == '\'' && strings.Contains(s, "'") {
			return "", errors.New("a single quote ends the string")
		}
		return escapes.Replace(s), nil
	}}
}
