package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestControlLines runs the lines of docs/emulator.md with curl.
func TestControlLines(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		if os.Getenv("TEGATA_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skip("curl is missing")
	}
	page, err := os.ReadFile("../../../docs/emulator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, script, _ := strings.Cut(string(page), "<!-- A test runs these lines. -->\n```sh\n")
	script, _, _ = strings.Cut(script, "```")
	if n := strings.Count(script, "\ncall "); n < 8 {
		t.Fatalf("found %d calls in the page", n)
	}
	file := filepath.Join(t.TempDir(), "token")
	e := startEmulate(t, "--addr", "127.0.0.1:0", "--control", "127.0.0.1:0", "--control-token-file", file)
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "CONTROL=" + e.control, "TOKEN_FILE=" + file}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	states := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := states[len(states)-1]; !strings.Contains(last, `"tokens":"required"`) || strings.Contains(last, "system-reboot") {
		t.Errorf("the last state is not that of the start: %s", last)
	}
}
