package cli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"tegata/cmd/tegata/cli"
)

func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // each process would wait a second at its end
	testscript.Main(m, map[string]func(){
		"tegata": func() { os.Exit(cli.Main(context.Background(), cli.ThisProcess())) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		Condition:           condition,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "misbehave": misbehave, "refuse": refuse, "testca": testCA},
	})
}

// condition knows [box]: this system makes boxes. Where nothing may be
// skipped it is taken for true.
func condition(name string) (bool, error) {
	if name != "box" {
		return false, errors.New("unknown condition " + name)
	}
	return os.Getenv("TEGATA_REQUIRE") == "all" || boxes(), nil
}

func boxes() bool {
	cmd := exec.Command("tegata", "sandbox", "--", "true")
	return cmd.Run() == nil
}

// exits runs a command that must end with a status: exits 2 tegata get.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND ARGUMENT...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("status %d, want %d", got, want)
	}
}
