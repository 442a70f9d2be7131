package docker

import (
	"encoding/json"
	"strings"

	"tegata/scan"
)

// A word is a string in a JSON list.
type word struct {
	start  int
	pieces []piece
}

// A piece is a part of a word: bytes as they stand, or an escape.
type piece struct {
	at       scan.Span
	text     string
	verbatim bool
}

func (w word) String() string {
	var s strings.Builder
	for _, p := range w.pieces {
		s.WriteString(p.text)
	}
	return s.String()
}

func (w word) addTo(b *scan.Builder) {
	for _, p := range w.pieces {
		if p.verbatim {
			b.Verbatim(p.at)
		} else {
			b.Decoded(p.at, p.text)
		}
	}
}

// list returns the words of a command in JSON; nil if it is none.
func list(body string, at int) []word {
	var parsed []string
	if !strings.HasPrefix(strings.TrimSpace(body[at:]), "[") || json.Unmarshal([]byte(body[at:]), &parsed) != nil {
		return nil
	}
	words := []word{}
	for at < len(body) {
		if body[at] != '"' {
			at++
			continue
		}
		w := word{start: at}
		at = w.read(body, at+1)
		words = append(words, w)
	}
	return words
}

// read reads a string from after its quote on, and returns where it ends. The
// list is known to be valid.
func (w *word) read(body string, at int) int {
	from := at
	literal := func() {
		if from < at {
			w.pieces = append(w.pieces, piece{scan.Span{Start: from, End: at}, body[from:at], true})
		}
	}
	for body[at] != '"' {
		if body[at] != '\\' {
			at++
			continue
		}
		literal()
		n := 2
		if body[at+1] == 'u' {
			n = 6
		}
		if n == 6 && strings.HasPrefix(body[at+6:], `\u`) && strings.ContainsAny(body[at+2:at+3], "dD") && strings.ContainsAny(body[at+3:at+4], "89abAB") {
			n = 12 // two halves of one character
		}
		var text string
		_ = json.Unmarshal([]byte(`"`+body[at:at+n]+`"`), &text)
		w.pieces = append(w.pieces, piece{at: scan.Span{Start: at, End: at + n}, text: text})
		at += n
		from = at
	}
	literal()
	return at + 1
}

// inJSON writes a text in a JSON string.
func inJSON(s string) (string, error) {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s), nil
}
