package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/internal/fault"
)

// An outcome is what can be seen of a script that was run.
type outcome struct {
	Stdout string
	Status int
	Gets   int64
}

// Each script does after what it did before: against a service that demands
// tokens it writes the same, ends with the same status, and asks for the same.
func TestRewrittenDoesTheSame(t *testing.T) {
	t.Parallel()
	list, _ := samples(t, "testdata/run.txtar")
	for _, s := range list {
		after := mended(t, s.before)
		if after == s.before {
			t.Errorf("%s is not mended", s.name)
			continue
		}
		for _, shell := range shells(s.before) {
			t.Run(s.name+" "+strings.Join(shell, " "), func(t *testing.T) {
				t.Parallel()
				want, _ := run(t, shell, s.before, emulator.Options{Tokens: "optional"})
				got, errors := run(t, shell, after, emulator.Options{Tokens: "required"})
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("before and after differ: %s\n%s\n%s", diff, errors, after)
				}
				if strings.Contains(s.before, "set -x") && token().MatchString(errors) {
					t.Errorf("the token is in the log:\n%s", errors)
				}
			})
		}
	}
}

// A service that refuses tokens holds no script up, and no script takes the
// refusal for a token.
func TestRewrittenRefused(t *testing.T) {
	t.Parallel()
	refusal := "refused"
	list, _ := samples(t, "testdata/run.txtar")
	for _, s := range list {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var modern atomic.Int64
			o := emulator.Options{Tokens: "required", Replies: onPut(t, fault.Reply{Status: http.StatusForbidden, Body: &refusal})}
			o.OnRequest = func(a emulator.Access) {
				if a.Method == http.MethodGet && a.Version == emulator.AccessV2 {
					modern.Add(1)
				}
			}
			run(t, shells(s.before)[0], mended(t, s.before), o)
			if wgets := strings.Contains(s.before, "wget"); modern.Load() > 0 && !wgets { // wget sends empty headers
				t.Errorf("something is sent for a token:\n%s", mended(t, s.before))
			}
		})
	}
}

// A token that is slow to come is waited for, one that never comes as long as
// the request itself would be.
func TestRewrittenWaits(t *testing.T) {
	t.Parallel()
	const script = "#!/bin/sh\ncurl -s -f -m 1 http://169.254.169.254/latest/meta-data/instance-id; echo \" $?\""
	for _, tt := range []struct {
		name  string
		reply fault.Reply
		want  outcome
	}{
		{"slow", fault.Reply{Delay: 100 * time.Millisecond}, outcome{"i-0123456789abcdef0 0\n", 0, 1}},
		{"silent", fault.Reply{Hang: true}, outcome{" 22\n", 0, 1}},
		{"broken off", fault.Reply{Reset: true}, outcome{" 22\n", 0, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, errors := run(t, []string{"bash"}, mended(t, script), emulator.Options{Tokens: "required", Replies: onPut(t, tt.reply)})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s\n%s", diff, errors)
			}
		})
	}
}

func onPut(t *testing.T, r fault.Reply) *fault.Set {
	t.Helper()
	set, err := fault.New([]fault.Rule{{Match: fault.Match{Service: "imds", Method: http.MethodPut}, Reply: r}})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func token() *regexp.Regexp { return regexp.MustCompile(`[A-Za-z0-9_-]{50,}=`) }

// shells are those that a script is for, as far as they are installed.
func shells(body string) (out [][]string) {
	all := [][]string{{"bash"}}
	if strings.HasPrefix(body, "#!/bin/sh") {
		all = [][]string{{"dash"}, {"bash"}, {"busybox", "sh"}}
	}
	for _, shell := range all {
		if _, err := exec.LookPath(shell[0]); err == nil {
			out = append(out, shell)
		}
	}
	return out
}

var elsewhere = regexp.MustCompile(`169\.254|fd00:ec2|instance-data`)

// run runs a script that has the address of a server in place of the service's.
func run(t *testing.T, shell []string, body string, o emulator.Options) (outcome, string) {
	t.Helper()
	var gets atomic.Int64
	seen := o.OnRequest
	o.OnRequest = func(a emulator.Access) {
		if a.Method != http.MethodPut {
			gets.Add(1)
		}
		if seen != nil {
			seen(a)
		}
	}
	o.Instance = emulator.Instance{ID: "i-0123456789abcdef0", Region: "eu-west-1"}
	o.Role = &emulator.Role{Name: "web"}
	server := imdstest.NewServer(t, o)
	dir := t.TempDir()
	body = strings.ReplaceAll(body, "169.254.169.254", strings.TrimPrefix(server.URL, "http://"))
	if elsewhere.MatchString(body) {
		t.Fatalf("a script that would leave the machine:\n%s", body)
	}
	file := filepath.Join(dir, "script")
	if err := os.WriteFile(file, []byte(body), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, shell[0], append(shell[1:], file)...)
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + dir, "HOME=" + dir}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%v %v\n%s", err, ctx.Err(), stderr.String())
	}
	server.Close() // so that all requests are counted
	return outcome{strings.ReplaceAll(stdout.String(), dir, "DIR"), cmd.ProcessState.ExitCode(), gets.Load()}, fmt.Sprint(stderr.String())
}
