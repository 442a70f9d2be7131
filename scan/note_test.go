package scan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNotes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		told       int
		wrong      []Note
	}{
		{"the same line", v1 + " # tegata:ignore TG1001 an old host\n", 0, nil},
		{"the line above", "// tegata:ignore TG1001 an old host\n" + v1 + "\n", 0, nil},
		{"two lines above", "// tegata:ignore TG1001 an old host\n\n" + v1 + "\n", 1, nil},
		{"the line below", v1 + "\n# tegata:ignore TG1001 an old host\n", 1, nil},
		{"another id", "# tegata:ignore TG1002 an old host\n" + v1 + "\n", 1, nil},
		{"several ids", "# tegata:ignore TG1002, TG1001 an old host\n" + v1 + "\n", 0, nil},
		{"a block comment", "/* tegata:ignore TG1001 an old host */\n" + v1 + "\n", 0, nil},
		{"markup", "<!-- tegata:ignore TG1001 an old host -->\n" + v1 + "\n", 0, nil},
		{"Jinja", "{# tegata:ignore TG1001 an old host #}\n" + v1 + "\n", 0, nil},
		{"ERB", "<%# tegata:ignore TG1001 an old host %>\n" + v1 + "\n", 0, nil},
		{"batch", "REM tegata:ignore TG1001 an old host\r\n" + v1 + "\r\n", 0, nil},
		{"SQL, Lua, Haskell", "-- tegata:ignore TG1001 an old host\n" + v1 + "\n", 0, nil},
		{"no comment", "tegata:ignore TG1001 an old host\n" + v1 + "\n", 1, nil},
		{"no reason", "# tegata:ignore TG1001\n" + v1 + "\n", 1, []Note{{"a.sh", 1, "tegata:ignore gives no reason, so it is not followed"}}},
		{"no reason, a block", "\n/* tegata:ignore TG1001 */\n" + v1 + "\n", 1, []Note{{"a.sh", 2, "tegata:ignore gives no reason, so it is not followed"}}},
		{"no id", "# tegata:ignore because\n" + v1 + "\n", 1, []Note{{"a.sh", 1, "tegata:ignore names no finding, so it is not followed"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := Source(toys(), "a.sh", []byte(tt.text))
			if len(r.Results) != tt.told || r.Silenced != 1-tt.told {
				t.Errorf("%d told, %d silenced, want %d told", len(r.Results), r.Silenced, tt.told)
			}
			if diff := cmp.Diff(tt.wrong, r.Notes); diff != "" {
				t.Errorf("notes, -want +got:\n%s", diff)
			}
		})
	}
}

// A caller that is not told is one all the same: its unit stays as it is.
func TestSilencedCallers(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{
		"main.tf": "metadata_options\ntokens=optional\nrun boot.sh\n", "boot.sh": v1 + " # tegata:ignore TG1001 an old host\n",
	})
	_, r := found(t, toys(), dir)
	if len(r.Results) != 1 || r.Results[0].Why != whyCallersLeft || len(r.Changes) != 0 {
		t.Errorf("%d changes, %+v", len(r.Changes), r.Results)
	}
}

func FuzzNotes(f *testing.F) {
	f.Add("# tegata:ignore TG1001 x\n")
	f.Add("'tegata:ignore TG1001,,TG1002\t-->\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		n := notesIn("a", []byte(text))
		for line := range n.byLine {
			if line < 1 || line > strings.Count(text, "\n")+1 {
				t.Errorf("a note on line %d", line)
			}
		}
	})
}
