package edit

import (
	"errors"
	"slices"
	"strings"
)

// An Edit puts text in place of a span of a file: the bytes from Start up to
// End.
type Edit struct {
	Start, End int
	Text       string
}

// ErrOverlap is returned for edits that contradict each other.
var ErrOverlap = errors.New("edits overlap")

// Apply makes all edits to a text, in whatever order they come. The same edit
// twice is one.
func Apply(text string, edits []Edit) (string, error) {
	edits = slices.Clone(edits)
	slices.SortStableFunc(edits, func(a, b Edit) int {
		if a.Start != b.Start {
			return a.Start - b.Start
		}
		return a.End - b.End
	})
	edits = slices.Compact(edits)
	var out strings.Builder
	at := 0
	for _, e := range edits {
		if e.Start < at || e.End < e.Start || e.End > len(text) {
			return "", ErrOverlap
		}
		out.WriteString(text[at:e.Start])
		out.WriteString(e.Text)
		at = e.End
	}
	out.WriteString(text[at:])
	return out.String(), nil
}
