package cli

import (
	"os/exec"
	"strings"
	"testing"
)

// What a shell makes of an assignment is the value itself, whatever the
// metadata says: nothing of it is run.
func TestAssignmentsAreOnlyValues(t *testing.T) {
	for _, value := range []string{
		"ap-northeast-1", "", "it's", `back\slash`, `\`, `'`, `"; echo no; "`, "$(echo no)", "`echo no`", "${HOME}", "a b", "*", "~", "日本", "!x", "#c", "a;b&c|d",
	} {
		for format, script := range map[string]string{
			"sh":            `eval "$1"; printf %s "$X"`,
			"env":           `eval "$1"; printf %s "$X"`,
			"env-no-export": `eval "$1"; printf %s "$X"`,
			"dotenv":        `eval "$1"; printf %s "$X"`,
		} {
			out, err := exec.Command("sh", "-c", script, "sh", assignment(format, variable{"X", value})).CombinedOutput()
			if err != nil || string(out) != value {
				t.Errorf("%s: %q became %q (%v)", format, value, out, err)
			}
		}
	}
	for _, test := range []struct{ format, value, want string }{
		{"fish", `it's \n`, `set -gx X 'it\'s \\n'`},
		{"powershell", "it's", `$Env:X='it''s'`},
		{"windows-cmd", "plain", "set X=plain"},
	} {
		if got := assignment(test.format, variable{"X", test.value}); got != test.want {
			t.Errorf("%s: %s, want %s", test.format, got, test.want)
		}
	}
	var b strings.Builder
	if err := printVariables(&b, "sh", []variable{{"X", "one\nX=two"}}); err == nil {
		t.Errorf("a value with a line break was printed: %q", b.String())
	}
	if err := printVariables(&b, "windows-cmd", []variable{{"X", "one&calc"}}); err == nil {
		t.Errorf("a value with & was printed for cmd.exe: %q", b.String())
	}
}
