package scan

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Whatever a file holds: nothing panics, a change only puts in what its edits
// say, and a second scan changes nothing.
func FuzzSource(f *testing.F) {
	for _, seed := range []string{
		v1, "\ufeff" + v1 + "\r\n", "# tegata:ignore TG1001 x\n" + v1, "sh a\n|" + v1 + "\n||\n" + v1, "\xff" + v1 + v1,
	} {
		f.Add("a.sh", seed)
		f.Add("a.py", seed)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		r := Source(toys(), name, []byte(text))
		lines := strings.Count(text, "\n") + 1
		for _, found := range r.Results {
			if found.At.Start < 0 || found.At.End < found.At.Start || found.At.End > len(text) || found.Start.Line > lines || found.Start.Column < 1 {
				t.Errorf("%+v is not in the text", found)
			}
		}
		for _, c := range r.Changes {
			if got := bytes.ReplaceAll(c.After, []byte("+token"), nil); !bytes.Equal(got, bytes.ReplaceAll(c.Before, []byte("+token"), nil)) {
				t.Errorf("more was changed than what was to be: %q", c.After)
			}
			again := Source(toys(), name, c.After)
			if slices.ContainsFunc(again.Results, func(r *Result) bool { return len(r.Edits) > 0 }) {
				t.Errorf("a second time: %q", again.Changes[0].After)
			}
		}
	})
}
