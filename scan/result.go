package scan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"tegata/internal/edit"
	"tegata/internal/message"
)

// A Result is a finding where it stands in its file.
type Result struct {
	ID         string
	Severity   message.Severity
	Confidence Confidence
	Path       string // as it was asked for, slash-separated
	At         Span   // in the file
	Start, End Position
	Source     string // the line that it starts on, without its end
	Evidence   []Field
	Origin     []string    // what it stands in, from outside
	Edits      []edit.Edit // of the file: what mends it; none if nothing does
	Why        string      // why nothing mends it, an English phrase; empty if something does or nothing is due

	editsAt []extent // where Edits stand
	told    bool     // the user gets to know of it, and of what mends it
}

// An extent is a span for people.
type extent struct{ start, end Position }

// A Position is a place in a file, for people: both count from 1, and columns
// in characters.
type Position struct{ Line, Column int }

// Fingerprint names the result by its id, its file and the text of its line,
// so that it is known again when it has moved.
func (r Result) Fingerprint() string {
	sum := sha256.Sum256([]byte(r.ID + "\x00" + r.Path + "\x00" + strings.TrimSpace(r.Source)))
	return hex.EncodeToString(sum[:8])
}

// Evident returns one field of the evidence, or "".
func (r Result) Evident(name string) string {
	for _, f := range r.Evidence {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// isCall reports whether the result breaks where tokens are required.
func (r Result) isCall() bool {
	return (r.ID == "TG1001" || r.ID == "TG1003") && r.Confidence != Possible
}

// rank orders confidences.
func (c Confidence) rank() int {
	return slices.Index([]Confidence{Possible, Likely, Sure}, c)
}

// maxSource is how much of a line is kept; those of minified files have no end.
const maxSource = 400

// place fills in lines and columns of results by what their file holds.
func place(data []byte, results []*Result) {
	starts := lineStarts(data)
	at := func(offset int) Position {
		offset = min(max(offset, 0), len(data))
		i, found := slices.BinarySearch(starts, offset)
		if !found {
			i--
		}
		return Position{i + 1, utf8.RuneCount(withoutMark(data[starts[i]:offset], starts[i])) + 1}
	}
	for _, r := range results {
		r.Start, r.End = at(r.At.Start), at(r.At.End)
		r.editsAt = nil
		for _, e := range r.Edits {
			r.editsAt = append(r.editsAt, extent{at(e.Start), at(e.End)})
		}
		first := starts[r.Start.Line-1]
		line := withoutMark(data[first:], first)
		r.Source = sourceLine(string(line[:min(len(line), maxSource)]), 0)
	}
}

// sourceLine returns the line of a text in which an offset lies, for people.
func sourceLine(text string, offset int) string {
	start := strings.LastIndexByte(text[:offset], '\n') + 1
	line, _, _ := strings.Cut(text[start:min(len(text), start+maxSource)], "\n")
	return strings.ToValidUTF8(strings.TrimRight(line, "\r"), "\ufffd")
}

// withoutMark takes the byte order mark off the first line of a file.
func withoutMark(line []byte, start int) []byte {
	if start > 0 {
		return line
	}
	return bytes.TrimPrefix(line, []byte(byteOrderMark))
}

func lineStarts(data []byte) []int {
	starts := []int{0}
	for i := 0; ; {
		n := bytes.IndexByte(data[i:], '\n')
		if n < 0 {
			return starts
		}
		i += n + 1
		starts = append(starts, i)
	}
}

// inOrder sorts results by file and place, and leaves out what is told twice.
func inOrder(results []*Result) []*Result {
	slices.SortStableFunc(results, func(a, b *Result) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		if a.At.Start != b.At.Start {
			return a.At.Start - b.At.Start
		}
		if c := strings.Compare(a.ID, b.ID); c != 0 {
			return c
		}
		return b.Confidence.rank() - a.Confidence.rank()
	})
	return slices.CompactFunc(results, func(a, b *Result) bool {
		return a.Path == b.Path && a.At.Start == b.At.Start && a.ID == b.ID
	})
}
