package sandbox_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tegata/sandbox"
)

// TestMain lets the test binary be the init of a box, and the process
// outside one.
func TestMain(m *testing.M) {
	os.Setenv("GORACE", "atexit_sleep_ms=0") // each process would wait a second at its end
	switch {
	case len(os.Args) > 1 && os.Args[1] == "init":
		os.Exit(beInit())
	case len(os.Args) > 1 && os.Args[1] == "outside":
		os.Exit(beOutside(os.Args[2:]))
	}
	os.Exit(m.Run())
}

type spec struct {
	Command []string
	Padding string
}

func notified() <-chan os.Signal {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	return signals
}

func beInit() int {
	var s spec
	in, err := sandbox.Enter(&s)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return sandbox.StatusFailed
	}
	listeners, err := in.ListenIMDS()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return sandbox.StatusFailed
	}
	for _, l := range listeners {
		go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "served on", r.Context().Value(http.LocalAddrContextKey))
		}))
	}
	status, err := in.Run(s.Command, os.Environ(), notified())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return status
}

func beOutside(command []string) int {
	box := sandbox.Box{
		Args: []string{"tegata", "init"}, Spec: spec{Command: command}, Env: os.Environ(),
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: notified(),
	}
	status, err := box.Run(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return status
}

// boxed returns a command that runs in a box, as a process of its own.
func boxed(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "outside", "sh", "-c", script)
	cmd.WaitDelay = 10 * time.Second
	requireBox(t, self)
	return cmd
}

// requireBox skips where the system makes no boxes.
func requireBox(t *testing.T, self string) {
	t.Helper()
	if out, err := exec.Command(self, "outside", "sh", "-c", ":").CombinedOutput(); err != nil {
		skip(t, fmt.Sprintf("this system makes no boxes: %s", out))
	}
}

func requireProgram(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		skip(t, err.Error())
	}
}

// skip skips a test, or fails it where nothing may be skipped.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("TEGATA_REQUIRE") == "all" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// run runs a script in a box and returns what it printed and its status.
func run(t *testing.T, script string) (out string, status int) {
	t.Helper()
	b, err := boxed(t, script).CombinedOutput()
	if _, ok := err.(*exec.ExitError); err != nil && !ok {
		t.Fatal(err)
	}
	if err == nil {
		return string(b), 0
	}
	return string(b), err.(*exec.ExitError).ExitCode()
}

func TestBoxStatus(t *testing.T) {
	for _, test := range []struct {
		script string
		want   int
	}{
		{"exit 0", 0},
		{"exit 7", 7},
		{"kill -TERM $$", 128 + 15},
		{"kill -KILL $$", 128 + 9},
	} {
		if out, got := run(t, test.script); got != test.want {
			t.Errorf("%q: status %d, want %d\n%s", test.script, got, test.want, out)
		}
	}
	for command, want := range map[string]int{"/nowhere/at-all": sandbox.StatusNotFound, "no-such-command": sandbox.StatusNotFound, "/etc/passwd": sandbox.StatusNotExecutable, "/": sandbox.StatusNotExecutable} {
		self, _ := os.Executable()
		err := exec.Command(self, "outside", command).Run()
		if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != want {
			t.Errorf("%s: %v, want status %d", command, err, want)
		}
	}
}

// Both addresses answer on the wire, and nothing else is there.
func TestBoxNetwork(t *testing.T) {
	requireProgram(t, "curl")
	out, _ := run(t, `
		curl -sS -m 2 http://169.254.169.254/
		curl -sS -m 2 -g 'http://[fd00:ec2::254]/'
		curl -sS -m 2 http://192.0.2.1/ || echo "outside: $?"`)
	for _, want := range []string{"served on 169.254.169.254:80", "outside: 7"} {
		if !strings.Contains(out, want) {
			t.Errorf("missing %q in:\n%s", want, out)
		}
	}
	if _, err := net.Listen("tcp", "[::1]:0"); err == nil && !strings.Contains(out, "served on [fd00:ec2::254]:80") {
		t.Errorf("no IPv6 in:\n%s", out)
	}
}

func TestBoxKeepsUser(t *testing.T) {
	out, _ := run(t, "id -u; ls -d /proc/[0-9]*")
	if got := strings.Fields(out)[0]; got != strconv.Itoa(os.Getuid()) {
		t.Errorf("uid %s in the box, want %d", got, os.Getuid())
	}
	if n := strings.Count(out, "/proc/"); n > 3 { // the init, sh and ls
		t.Errorf("processes of the outside are seen in the box:\n%s", out)
	}
}

func TestBoxOrdinaryUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become nobody here")
	}
	requireProgram(t, "curl")
	self, _ := os.Executable()
	copied := filepath.Join(publicDir(t), "box.test")
	if out, err := exec.Command("cp", self, copied).CombinedOutput(); err != nil {
		t.Fatal(err, string(out))
	}
	nobody := func(command ...string) *exec.Cmd {
		cmd := exec.Command(copied, append([]string{"outside"}, command...)...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		cmd.Dir = "/"
		return cmd
	}
	out, err := nobody("sh", "-c", "id -u; grep -E 'Cap(Eff|Amb|Prm)' /proc/self/status; curl -sS -m 2 http://169.254.169.254/").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !bytes.HasPrefix(out, []byte("65534\n")) || !bytes.Contains(out, []byte("served on 169.254.169.254:80")) {
		t.Errorf("as nobody:\n%s", out)
	}
	if n := bytes.Count(out, []byte("\t0000000000000000\n")); n != 3 {
		t.Errorf("nobody's command has capabilities in the box:\n%s", out)
	}
	out, err = nobody(copied, "outside", "sh", "-c", "id -u; curl -sS -m 2 http://169.254.169.254/").CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("served on")) {
		t.Errorf("nobody's box in a box: %v\n%s", err, out)
	}
}

// publicDir is a temporary directory that every user can read.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tegata-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestBoxNested(t *testing.T) {
	requireProgram(t, "curl")
	self, _ := os.Executable()
	out, status := run(t, self+" outside sh -c 'id -u; curl -sS -m 2 http://169.254.169.254/; exit 5'")
	if status != 5 || !strings.Contains(out, "served on 169.254.169.254:80") {
		t.Errorf("box in a box: status %d\n%s", status, out)
	}
}

func TestBoxStdin(t *testing.T) {
	cmd := boxed(t, "tr a-z A-Z")
	cmd.Stdin = strings.NewReader("through the box")
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "THROUGH THE BOX" {
		t.Errorf("%v: %q", err, out)
	}
}

// The command finds the open files of the caller where the caller has them,
// and none of the box's own.
func TestBoxInheritsFiles(t *testing.T) {
	self, _ := os.Executable()
	requireBox(t, self)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("held open\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, redirection := range []string{"3<", "4<", "9<", "3>&1 4>&1 5<", "3>&1 5<"} {
		descriptor := redirection[len(redirection)-2 : len(redirection)-1]
		look := fmt.Sprintf(" sh -c 'cat <&%s; ls /proc/self/fd' %s%s", descriptor, redirection, file)
		want, err := exec.Command("sh", "-c", look).Output()
		if err != nil || !bytes.HasPrefix(want, []byte("held open\n")) {
			t.Fatal(err, string(want))
		}
		got, err := exec.Command("sh", "-c", self+" outside"+look).CombinedOutput()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, in the box:\n%soutside:\n%s", redirection, err, got, want)
		}
	}
}

// The description of a box may be larger than a pipe holds.
func TestBoxLargeSpec(t *testing.T) {
	box := sandbox.Box{
		Args: []string{"tegata", "init"}, Spec: spec{Command: []string{"true"}, Padding: strings.Repeat("x", 1<<20)}, Env: os.Environ(),
	}
	self, _ := os.Executable()
	requireBox(t, self)
	if status, err := box.Run(t.Context()); status != 0 || err != nil {
		t.Errorf("status %d, %v", status, err)
	}
}

// A daemon that keeps the streams open does not keep the box.
func TestBoxDaemon(t *testing.T) {
	mark := fmt.Sprintf("%d.%d", 5000+os.Getpid()%1000, time.Now().UnixNano())
	began := time.Now()
	out, status := run(t, "setsid sh -c '(sleep "+mark+" &)'; echo over; exec <&- >&- 2>&-; exit 8")
	if status != 8 || out != "over\n" || time.Since(began) > 5*time.Second {
		t.Errorf("status %d after %v: %q", status, time.Since(began), out)
	}
	expectGone(t, mark)
}

// A signal to the outer process reaches the command once, a signal to the
// whole process group reaches it once too, and the command decides.
func TestBoxSignals(t *testing.T) {
	script := `trap 'echo got INT' INT; trap 'echo got TERM; exit 3' TERM; echo ready; i=0; while [ $i -lt 100 ]; do sleep 0.1; i=$((i+1)); done`
	for _, group := range []bool{false, true} {
		cmd := boxed(t, script)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		var out bytes.Buffer
		stdout, _ := cmd.StdoutPipe()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		target := cmd.Process.Pid
		if group {
			target = -target
		}
		line := make([]byte, len("ready\n"))
		stdout.Read(line)
		syscall.Kill(target, syscall.SIGINT)
		time.Sleep(600 * time.Millisecond)
		syscall.Kill(target, syscall.SIGTERM)
		out.ReadFrom(stdout)
		cmd.Wait()
		if got := out.String(); got != "got INT\ngot TERM\n" || cmd.ProcessState.ExitCode() != 3 {
			t.Errorf("group %v: %q, status %d", group, got, cmd.ProcessState.ExitCode())
		}
	}
}

// Whatever the command leaves behind ends with it, and everything ends when
// the outer process is killed.
func TestBoxLeavesNothing(t *testing.T) {
	mark := fmt.Sprintf("%d.%d", 3600+os.Getpid()%1000, time.Now().UnixNano())
	if _, status := run(t, "setsid sleep "+mark+" & sleep "+mark+" & exit 0"); status != 0 {
		t.Errorf("status %d", status)
	}
	expectGone(t, mark)

	cmd := boxed(t, "setsid sleep "+mark+" & echo ready; sleep "+mark)
	stdout, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stdout.Read(make([]byte, 6))
	if !running(mark) {
		t.Error("the command is not running; this test would see nothing")
	}
	cmd.Process.Kill()
	cmd.Wait()
	expectGone(t, mark)
}

func expectGone(t *testing.T, mark string) {
	t.Helper()
	for range 40 {
		if !running(mark) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("a process with %q in its arguments is left", mark)
}

func running(mark string) bool {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range files {
		b, _ := os.ReadFile(f)
		if bytes.Contains(b, []byte("sleep\x00"+mark)) {
			return true
		}
	}
	return false
}

// Orphans are reaped while the command runs.
func TestBoxReaps(t *testing.T) {
	requireProgram(t, "ps")
	out, _ := run(t, `sh -c 'sleep 0.1 & exit 0'; sleep 0.4; ps -e -o stat= | grep -c Z`)
	if strings.TrimSpace(out) != "0" {
		t.Errorf("zombies in the box: %s", out)
	}
}

func TestBoxRefused(t *testing.T) {
	requireProgram(t, "unshare")
	self, _ := os.Executable()
	// A user namespace of our own in which no further ones may be made.
	cmd := exec.Command("unshare", "-Ur", "sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces; exec "+self+" outside true")
	out, err := cmd.CombinedOutput()
	exit, ok := err.(*exec.ExitError)
	if !ok || exit.ExitCode() != sandbox.StatusFailed || !bytes.Contains(out, []byte(sandbox.ErrNoNamespaces.Error())) {
		t.Errorf("%v\n%s", err, out)
	}
}
