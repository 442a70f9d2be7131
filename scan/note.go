package scan

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// A Note is a request to ignore a finding with which something is wrong.
type Note struct {
	Path string
	Line int
	What string // an English phrase
}

// notes are the requests in one file: tegata:ignore TG1001 because of this.
type notes struct {
	byLine map[int][]string // ids
	wrong  []Note
}

// notePattern finds a request in a comment of any language: # // -- ; /* <!--
// {# <%# ' and the words REM and dnl.
var notePattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i:(?:#|//|--|;|\*|'|\brem\b|::|\bdnl\b)[^\n]*?)\btegata:ignore\b[ \t]*((?:TG[0-9]{4}[ \t,]*)*)(.*)`)
})

// commentEnds are what may end a comment on its line.
const commentEnds = "*/->}%# \t"

func notesIn(path string, data []byte) *notes {
	n := &notes{byLine: map[int][]string{}}
	const word = "tegata:ignore"
	text, number := string(data), 0
	if !strings.Contains(text, word) {
		return n
	}
	for line := range strings.Lines(text) {
		number++
		if !strings.Contains(line, word) {
			continue
		}
		if m := notePattern().FindStringSubmatch(strings.TrimRight(line, "\r\n")); m != nil {
			n.add(path, number, ids(m[1]), strings.TrimRight(m[2], commentEnds))
		}
	}
	return n
}

func ids(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
}

func (n *notes) add(path string, line int, ids []string, reason string) {
	switch {
	case len(ids) == 0:
		n.wrong = append(n.wrong, Note{path, line, "tegata:ignore names no finding, so it is not followed"})
	case reason == "":
		n.wrong = append(n.wrong, Note{path, line, "tegata:ignore gives no reason, so it is not followed"})
	default:
		n.byLine[line] = ids
	}
}

// silence reports whether a request on the line of a result, or on the one
// above, means it.
func (n *notes) silence(r *Result) bool {
	return slices.Contains(n.byLine[r.Start.Line], r.ID) || slices.Contains(n.byLine[r.Start.Line-1], r.ID)
}
