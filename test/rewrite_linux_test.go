package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tegata/emulator"
	"tegata/internal/fault"
)

// carriers are the kinds of files with calls in them, and the programs that
// their scripts are made by.
var carriers = []struct {
	kind  string
	needs func(t *testing.T)
}{
	{"shell", func(t *testing.T) { requireProgram(t, "busybox") }},
	{"makefile", func(t *testing.T) { requireProgram(t, "make") }},
	{"systemd", func(t *testing.T) {}},
	{"manifest", func(t *testing.T) {}},
	{"workflow", func(t *testing.T) {}},
	{"cloudinit", func(t *testing.T) { require(t, exists("debian/usr/lib/python3/dist-packages/cloudinit")) }},
	{"cloudformation", func(t *testing.T) { requireProgram(t, "moto_server") }},
	{"terraform", func(t *testing.T) { requireProgram(t, "terraform"); requireProvider(t) }},
	{"ansible", func(t *testing.T) { requireProgram(t, "ansible-playbook") }},
}

func exists(path string) error {
	_, err := os.Stat(path)
	return err
}

// notRewritten are the fixtures that have calls which can't be rewritten where
// they stand, and why.
var notRewritten = map[string]string{
	"cloudinit/write-files-base64.yaml": "base64",
	"cloudinit/runcmd-argv.yaml":        "arguments that no shell reads",
	"manifest/docker-compose.yml":       "a command in one string, which each version of Compose splits in its own way",
}

// Nine of ten fixtures, at least, are rewritten.
func TestRewrittenMostly(t *testing.T) {
	t.Parallel()
	all := 0
	for _, c := range carriers {
		archive, err := txtar.ParseFile(filepath.Join("testdata/rewrite", c.kind+".txtar"))
		if err != nil {
			t.Fatal(err)
		}
		all += len(archive.Files)
	}
	if all < 100 || 10*len(notRewritten) > all {
		t.Errorf("%d of %d fixtures are not rewritten", len(notRewritten), all)
	}
}

// What is rewritten does the same: it writes the same, ends with the same status
// and reads as often, on an instance that demands tokens, as it did before on one
// that does not. Where no token is to be had, it fares as before on an instance
// that demands one.
func TestRewritten(t *testing.T) {
	for _, c := range carriers {
		t.Run(c.kind, func(t *testing.T) {
			if !inLab(t) {
				return
			}
			c.needs(t)
			rewritten(t, c.kind)
		})
	}
}

func rewritten(t *testing.T, kind string) {
	before, after := fixtures(t, kind), fixtures(t, kind)
	left := fix(t, after)
	if was, is := judged(t, kind, before), judged(t, kind, after); is != was {
		t.Errorf("said of the files before: %s\nand after: %s", was, is)
	}
	render(t, kind, before, after)
	scripts, err := filepath.Glob(filepath.Join(before, "*.run"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts of %s: %v", kind, err)
	}
	t.Run("each", func(t *testing.T) {
		for _, script := range scripts {
			name := strings.TrimSuffix(filepath.Base(script), ".run")
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if notRewritten[kind+"/"+name] != "" {
					if !slices.Contains(slices.Collect(maps.Keys(left)), name) {
						t.Error("nothing is left of it")
					}
					return
				}
				shells := interpreters(read(t, script))
				if kind != "shell" { // their own shell reads them
					shells = shells[:1]
				}
				same(t, shells, script, filepath.Join(after, name+".run"))
				if slices.Contains(patient, kind+"/"+name) {
					waits(t, script, filepath.Join(after, name+".run"))
				}
			})
		}
	})
}

// judges are programs that tell whether files of a kind are in order.
var judges = map[string]string{
	"systemd":        `systemd-analyze verify --man=no *.service; echo $?`,
	"cloudformation": `cfn-lint --format parseable *.yaml *.json | cut -d: -f1,6 | sort; echo $?`,
	"shell":          `for f in *; do case $(head -n 1 "$f") in *bash*) bash -n "$f";; *) dash -n "$f";; esac; echo "$f $?"; done`,
}

// judged is what a judge says of the files in a directory.
func judged(t *testing.T, kind, dir string) string {
	t.Helper()
	script := judges[kind]
	if script == "" {
		return ""
	}
	program, _, _ := strings.Cut(script, " ")
	if program != "for" {
		requireProgram(t, program)
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", kind, err, out)
	}
	return strings.ReplaceAll(string(out), dir, "")
}

// fixtures unpacks the files of a kind.
func fixtures(t *testing.T, kind string) string {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata/rewrite", kind+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// fix has tegata rewrite what is in a directory, and returns the files in which
// calls are left, with what is said of them. A second time nothing changes.
func fix(t *testing.T, dir string) map[string]string {
	t.Helper()
	var left map[string]string
	var first []byte
	for range 2 {
		cmd := exec.Command(os.Getenv(binaryEnv), "scan", "--fix", "-o", "json", dir)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		var ended *exec.ExitError
		if err != nil && (!errors.As(err, &ended) || ended.ExitCode() != 3) {
			t.Fatalf("%v: %s", err, &stderr)
		}
		var report struct {
			Findings []struct{ ID, Path, Why string }
		}
		if err := json.Unmarshal(out, &report); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		left = map[string]string{}
		for _, f := range report.Findings {
			left[filepath.Base(f.Path)] += f.ID + ": " + f.Why + "\n"
		}
		now := contents(t, dir)
		if first != nil && !bytes.Equal(first, now) {
			t.Errorf("rewritten once more: %s", cmp.Diff(string(first), string(now)))
		}
		first = now
	}
	return left
}

func contents(t *testing.T, dir string) []byte {
	t.Helper()
	var all bytes.Buffer
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "-- %s --\n%s", filepath.Base(f), data)
	}
	return all.Bytes()
}

// render has the scripts made that an instance runs.
func render(t *testing.T, kind string, dirs ...string) {
	t.Helper()
	program, err := filepath.Abs("testdata/rewrite/render.py")
	if err != nil {
		t.Fatal(err)
	}
	python := "python3"
	if kind == "cloudinit" {
		python = "/usr/bin/python3" // Debian's, for Debian's cloud-init
	}
	cmd := exec.Command(python, append([]string{program, kind}, dirs...)...)
	cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "TF_CLI_CONFIG_FILE=/dev/null", "TF_IN_AUTOMATION=1")
	if kind == "terraform" {
		cmd.Env = append(cmd.Env, "TF_PLUGINS="+requireProvider(t))
	}
	if abs, err := filepath.Abs("debian/usr/lib/python3/dist-packages"); err == nil && kind == "cloudinit" {
		cmd.Env = append(cmd.Env, "PYTHONPATH="+abs)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("render %s: %v\n%s", kind, err, out)
	}
	if made, _ := filepath.Glob(filepath.Join(dirs[0], "*.userdata")); len(made) > 0 && kind != "cloudinit" {
		render(t, "cloudinit", dirs...)
	}
}

// A run is what came of a script.
type scriptRun struct {
	Said   string
	Status int
	Gets   int
}

// same runs a script as it was and as it has become. What becomes of it where
// no token comes is seen in one shell.
func same(t *testing.T, shells []string, before, after string) {
	old := read(t, before)
	if !strings.Contains(old, "169.254.169.254") && !strings.Contains(old, "fd00:ec2::254") && !strings.Contains(old, "make ") && !strings.Contains(old, "ansible") && !strings.Contains(old, "cloudinit-") {
		t.Errorf("asks for no metadata:\n%s", old)
	}
	for _, shell := range shells {
		was := runScript(t, shell, before, emulator.Options{Tokens: "optional"})
		if is := runScript(t, shell, after, emulator.Options{Tokens: "required"}); is != was {
			t.Errorf("%s: was %+v, is %+v\n%s", shell, was, is, read(t, after))
		}
	}
	if strings.Contains(old, "ansible-playbook") { // which tells the task that failed: that of the token
		return
	}
	was := runScript(t, shells[0], before, emulator.Options{Tokens: "required"})
	is := runScript(t, shells[0], after, emulator.Options{Tokens: "required", Replies: onTokens(t, fault.Reply{Status: http.StatusForbidden})})
	if is.Said != was.Said || is.Status != was.Status {
		t.Errorf("%s, no token: was %+v, is %+v\n%s", shells[0], was, is, read(t, after))
	}
}

// patient are scripts that wait for a token that comes late, or never.
var patient = []string{"shell/straight.sh", "shell/wget.sh", "shell/errexit.sh", "makefile/immediate.mk", "cloudinit/runcmd.yaml", "cloudformation/sub.yaml"}

func waits(t *testing.T, before, after string) {
	shell := interpreters(read(t, before))[0]
	for _, tt := range []struct {
		name  string
		reply fault.Reply
		as    string // tokens for the script as it was, to fare the same
	}{
		{"slow", fault.Reply{Delay: 1500 * time.Millisecond}, "optional"},
		{"silent", fault.Reply{Hang: true}, "required"},
	} {
		was := runScript(t, shell, before, emulator.Options{Tokens: tt.as})
		is := runScript(t, shell, after, emulator.Options{Tokens: "required", Replies: onTokens(t, tt.reply)})
		if is.Said != was.Said || is.Status != was.Status {
			t.Errorf("%s, %s: was %+v, is %+v\n%s", shell, tt.name, was, is, read(t, after))
		}
	}
}

func onTokens(t *testing.T, reply fault.Reply) *fault.Set {
	t.Helper()
	replies, err := fault.New([]fault.Rule{{Match: fault.Match{Service: "imds", Method: http.MethodPut}, Reply: reply}})
	if err != nil {
		t.Fatal(err)
	}
	return replies
}

// interpreters are the shells that may run a script.
func interpreters(script string) []string {
	first, _, _ := strings.Cut(script, "\n")
	if strings.Contains(first, "bash") {
		return []string{"bash"}
	}
	return []string{"dash", "bash", "busybox"}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// scriptTakes is how long a script may run, that waits for tokens in vain.
const scriptTakes = 30 * time.Second

// runScript runs a script in a network of its own with a metadata service.
func runScript(t *testing.T, shell, script string, o emulator.Options) scriptRun {
	t.Helper()
	p := newPlace(t)
	p.sh(t, `
ip link set lo up
ip address add 169.254.169.254/32 dev lo
ip address add fd00:ec2::254/128 dev lo nodad`)
	var gets atomic.Int64
	o.Instance.UserData = "#!/bin/sh\necho hello\n"
	o.Role = &emulator.Role{Name: "teller"}
	o.OnRequest = func(a emulator.Access) {
		if a.Method == http.MethodGet {
			gets.Add(1)
		}
	}
	server, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{"169.254.169.254:80", "[fd00:ec2::254]:80"} {
		go server.Serve(p.listen(t, addr))
	}
	ctx, cancel := context.WithTimeout(t.Context(), scriptTakes)
	defer cancel()
	args := []string{shell, script}
	if shell == "busybox" {
		args = []string{shell, "sh", script}
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "LANG=C.UTF-8"}
	cmd.WaitDelay = time.Second
	var r result
	if err := p.do(func() error {
		r = finish(t, cmd)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Errorf("%s %s: not done within %v", shell, filepath.Base(script), scriptTakes)
	}
	server.Close() // the last of its requests has been counted
	return scriptRun{r.stdout, r.status, int(gets.Load())}
}
