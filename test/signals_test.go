//go:build unix

package test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const hang = "replies: [{reply: {hang: true}}]\n"

// An interrupt ends every command promptly, with its status, and leaves no
// process, no namespace and no file behind.
func TestInterrupt(t *testing.T) {
	requireBox(t)
	for _, test := range []struct {
		name, scenario string
		args           []string
		ready          string // what stdout says before the interrupt; empty for half a second
	}{
		{"sandbox", "", []string{"sandbox", "--", "sh", "-c", "sleep 300 & echo ready; sleep 300"}, "ready"},
		{"reader in a box", hang, []string{"sandbox", "--", "tegata", "get", "region"}, ""},
		{"doctor in a box", hang, []string{"sandbox", "--", "tegata", "doctor"}, ""},
		{"box in a box", "", []string{"sandbox", "--", "tegata", "sandbox", "--", "sh", "-c", "echo ready; sleep 300"}, "ready"},
		{"beside", "", []string{"sandbox", "--isolate=never", "--", "sh", "-c", "echo ready; exec sleep 300"}, "ready"},
		{"demo on its way", "replies: [{match: {service: bedrock-runtime}, reply: {hang: true}}]\n", []string{"demo", "--check"}, ""},
		{"demo that stays", "", []string{"demo", "--addr", "127.0.0.1:0"}, "tegata doctor"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			args := test.args
			if test.scenario != "" {
				args = append([]string{args[0], "--scenario", scenario(t, test.scenario)}, args[1:]...)
			}
			tmp := t.TempDir()
			cmd := command(t, args...)
			cmd.Env = append(cmd.Env, "TMPDIR="+tmp)
			began := interrupt(t, cmd, test.ready)
			if took := time.Since(began); took > 3*time.Second {
				t.Errorf("ended %v after the interrupt", took)
			}
			if status := cmd.ProcessState.ExitCode(); status != 130 {
				t.Errorf("status %d, want 130", status)
			}
			left, err := os.ReadDir(tmp)
			if err != nil || len(left) > 0 {
				t.Errorf("files are left: %v %v", left, err)
			}
			if pids := processesWith("TMPDIR=" + tmp); len(pids) > 0 {
				t.Errorf("processes are left: %v", pids)
			}
		})
	}
}

// interrupt starts cmd, interrupts it when it is ready, and waits for its end.
func interrupt(t *testing.T, cmd *exec.Cmd, ready string) (when time.Time) {
	t.Helper()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer time.AfterFunc(20*time.Second, func() { cmd.Process.Kill() }).Stop() // it must not hang the others
	lines := bufio.NewScanner(stdout)
	if ready == "" {
		time.Sleep(500 * time.Millisecond)
	}
	for ready != "" && lines.Scan() && !strings.Contains(lines.Text(), ready) {
	}
	when = time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	for lines.Scan() {
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return when
}

// processesWith returns the processes that have the variable in their
// environment. They are those of one test and of nothing else.
func processesWith(variable string) []string {
	var pids []string
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		env, _ := os.ReadFile(file)
		if strings.Contains(string(env), variable+"\x00") {
			pids = append(pids, filepath.Base(filepath.Dir(file)))
		}
	}
	return pids
}

// On a terminal the interrupt key reaches the command once, and the command
// decides what becomes of it.
func TestTerminal(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "script")
	program := filepath.Join(t.TempDir(), "program.sh")
	text := "trap 'echo got it' INT\ntest -t 0 && echo on a terminal\ni=0\nwhile [ $i -lt 20 ]; do sleep 0.1; i=$((i+1)); done\nexit 4\n"
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("script", "-qec", "exec "+tegata+" sandbox -- sh "+program, "/dev/null")
	cmd.Env = append(os.Environ(), traps(t)...)
	keys, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		shown.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "on a terminal") {
			keys.Write([]byte{3})
		}
	}
	cmd.Wait()
	if n, status := strings.Count(shown.String(), "got it"), cmd.ProcessState.ExitCode(); n != 1 || status != 4 {
		t.Errorf("the command was interrupted %d times, status %d, want 1 and 4\n%s", n, status, shown.String())
	}
}

// What nohup(1), or a shell for its jobs in the background, has switched off
// stays off for tegata and for the command.
func TestIgnoredSignals(t *testing.T) {
	t.Parallel()
	requireBox(t)
	for _, isolate := range []string{"auto", "never"} {
		for _, name := range []string{"HUP", "INT"} {
			script := `trap '' ` + name + `; exec ` + tegata + ` sandbox --isolate=` + isolate +
				` -- sh -c 'kill -` + name + ` $$; echo ready; sleep 1; exit 5'`
			cmd := exec.Command("sh", "-c", script)
			cmd.Env = append(os.Environ(), traps(t)...)
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(stdout)
			lines.Scan()
			cmd.Process.Signal(map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT}[name])
			cmd.Wait()
			if status := cmd.ProcessState.ExitCode(); lines.Text() != "ready" || status != 5 {
				t.Errorf("%s, %s: %q, status %d, want 5", isolate, name, lines.Text(), status)
			}
		}
	}
}

// Where user namespaces are forbidden, a box is refused with the way out.
func TestNoNamespaces(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "unshare")
	forbidding := func(args string) *exec.Cmd {
		cmd := exec.Command("unshare", "-Ur", "sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces; exec "+tegata+" "+args)
		cmd.Env = append(os.Environ(), traps(t)...)
		return cmd
	}
	r := finish(t, forbidding("sandbox -- true"))
	if r.status != 125 || !strings.Contains(r.stderr, "hint: add --isolate=never") {
		t.Errorf("status %d, stderr:\n%s", r.status, r.stderr)
	}
	finish(t, forbidding("sandbox --isolate=never -- tegata get instance-id")).wants(t, 0, instanceID)
	finish(t, forbidding("demo --check")).wants(t, 0, "✓")
}

// The demo that stays ends at an interrupt where there are no boxes too.
func TestNoNamespacesInterrupt(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "unshare")
	cmd := exec.Command("unshare", "-Ur", "sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces; exec "+tegata+" demo --addr 127.0.0.1:0")
	cmd.Env = append(os.Environ(), traps(t)...)
	began := interrupt(t, cmd, "tegata doctor")
	if took, status := time.Since(began), cmd.ProcessState.ExitCode(); status != 130 || took > 3*time.Second {
		t.Errorf("status %d after %v", status, took)
	}
}

// An address that is taken is told, with the way out.
func TestAddressTaken(t *testing.T) {
	t.Parallel()
	requireBox(t)
	first := command(t, "demo", "--addr", "127.0.0.1:0")
	stdout, err := first.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		first.Process.Signal(syscall.SIGTERM)
		first.Wait()
	}()
	var addr string
	for lines := bufio.NewScanner(stdout); addr == "" && lines.Scan(); {
		if _, after, ok := strings.Cut(lines.Text(), "AWS_ENDPOINT_URL=http://"); ok {
			addr = after
		}
	}
	r := run(t, "demo", "--addr", addr)
	if r.status != 1 || !strings.Contains(r.stderr, "address already in use") || !strings.Contains(r.stderr, "--addr 127.0.0.1:0") {
		t.Errorf("status %d, stderr:\n%s", r.status, r.stderr)
	}
	// What the demo says to set leads a program of the outside there.
	get := exec.Command(tegata, "get", "instance-id")
	get.Env = append(os.Environ(), "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://"+addr+"/")
	finish(t, get).wants(t, 0, instanceID)
}

// A reader that has seen enough, such as head, ends the writer as it ends any
// other program.
func TestBrokenPipe(t *testing.T) {
	t.Parallel()
	requireBox(t)
	for _, args := range [][]string{{"demo", "--check"}, {"sandbox", "--", "yes"}} {
		cmd := command(t, args...)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		stdout.Close()
		cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status != 128+int(syscall.SIGPIPE) {
			t.Errorf("%v: status %d, want 141", args, status)
		}
	}
}
