//go:build unix

// Package test looks at tegata from outside: as a process, with programs that
// none of us wrote. Each of them runs in a box, where it can reach nothing
// but the imitated instance.
package test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	_ "tegata/cmd/tegata/cli" // what is built below: go test would take an old result for true when it changes
)

// tegata is the path of the binary under test.
var tegata string

func TestMain(m *testing.M) {
	// What is ignored here stays so in every process that a test starts. A
	// shell starts jobs in the background with interrupts ignored.
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
	os.Exit(build(m))
}

func build(m *testing.M) int {
	if tegata = os.Getenv(binaryEnv); tegata != "" { // in a box
		return m.Run()
	}
	waitTogether()
	dir, err := os.MkdirTemp("", "tegata-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	os.Chmod(dir, 0o755) // nobody runs it too
	tegata = filepath.Join(dir, "tegata")
	if err := goBuild(tegata, "tegata/cmd/tegata"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// waitTogether has more tests run side by side than there are processors, unless
// it was said how many: most of them wait for other programs.
func waitTogether() {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		f.Value.Set(strconv.Itoa(2 * runtime.GOMAXPROCS(0)))
	}
}

func goBuild(output, pkg string) error {
	cmd := exec.Command("go", "build", "-o", output, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %v\n%s", pkg, err, out)
	}
	return nil
}

// require skips a test where a program is missing, or fails it where nothing
// may be skipped.
func require(t *testing.T, missing error) {
	t.Helper()
	if missing == nil {
		return
	}
	if os.Getenv("TEGATA_REQUIRE") == "all" {
		t.Fatal(missing)
	}
	t.Skip(missing)
}

func requireProgram(t *testing.T, name string) {
	t.Helper()
	_, err := exec.LookPath(name)
	require(t, err)
}

func requireBox(t *testing.T) {
	t.Helper()
	out, err := exec.Command(tegata, "sandbox", "--", "tegata", "version").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("no boxes on this system: %s", out)
	}
	require(t, err)
}

// A result is what a process left behind.
type result struct {
	stdout, stderr string
	status         int
	took           time.Duration
}

// run runs tegata with an outer environment full of traps: keys, profiles,
// proxies and endpoints that would lead an AWS client astray.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return finish(t, command(t, args...))
}

func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(tegata, args...)
	cmd.Env = append(os.Environ(), traps(t)...)
	return cmd
}

func finish(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	began := time.Now()
	err := cmd.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode(), time.Since(began)}
}

func traps(t *testing.T) []string {
	t.Helper()
	home := t.TempDir()
	aws := filepath.Join(home, ".aws")
	if err := os.Mkdir(aws, 0o755); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"credentials": "[default]\naws_access_key_id = AKIADECOYDECOYDECOY0\naws_secret_access_key = decoy\n",
		"config":      "[default]\nregion = us-gov-west-1\nignore_configured_endpoint_urls = true\ncredential_process = /bin/false\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(aws, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"HOME=" + home,
		"AWS_ACCESS_KEY_ID=AKIADECOYDECOYDECOY1", "AWS_SECRET_ACCESS_KEY=decoy", "AWS_PROFILE=decoy",
		"AWS_CONFIG_FILE=" + filepath.Join(aws, "config"),
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(aws, "credentials"),
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI=http://127.0.0.1:9/decoy", "AWS_REGION=us-gov-west-1",
		"HTTP_PROXY=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9", "ALL_PROXY=http://127.0.0.1:9", "no_proxy=",
		"LC_ALL=", "LC_MESSAGES=", "LANG=C",
	}
}

// scenario writes a scenario file and returns its path.
func scenario(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func (r result) wants(t *testing.T, status int, lines ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d", r.status, status)
	}
	for _, line := range lines {
		if !strings.Contains(r.stdout, line) {
			t.Errorf("stdout lacks %q", line)
		}
	}
	if t.Failed() {
		t.Logf("stdout:\n%s\nstderr:\n%s", r.stdout, r.stderr)
	}
}
