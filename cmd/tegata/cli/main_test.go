package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tegata/cmd/tegata/cli"
	"tegata/emulator"
	"tegata/emulator/imdstest"
)

// run runs a command in this process.
func run(env []string, signals <-chan os.Signal, args ...string) (status int, stdout, stderr string) {
	var out, errs bytes.Buffer
	status = cli.Main(context.Background(), cli.Process{
		Args: args, Env: env, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Signals: signals,
	})
	return status, out.String(), errs.String()
}

func instance(t *testing.T, region string) []string {
	t.Helper()
	server := imdstest.NewServer(t, emulator.Options{Instance: emulator.Instance{Region: region}})
	return []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL + "/", "HOME=" + t.TempDir()}
}

// A command takes everything as values: two of them run side by side in one
// process with different environments and languages, and leave nothing behind.
func TestMainTwice(t *testing.T) {
	tokyo, dublin := instance(t, "ap-northeast-1"), instance(t, "eu-west-1")
	before := runtime.NumGoroutine()
	var both sync.WaitGroup
	for range 5 {
		both.Go(func() {
			if status, out, errs := run(tokyo, nil, "get", "region"); status != 0 || out != "ap-northeast-1\n" {
				t.Errorf("tokyo: status %d, %q, %q", status, out, errs)
			}
		})
		both.Go(func() {
			if status, out, errs := run(dublin, nil, "get", "region"); status != 0 || out != "eu-west-1\n" {
				t.Errorf("dublin: status %d, %q, %q", status, out, errs)
			}
		})
		both.Go(func() {
			status, _, errs := run(append([]string{"LC_ALL=ja_JP.UTF-8"}, dublin...), nil, "get", "meta-data/nothing")
			if status != 1 || !strings.Contains(errs, "ヒント:") {
				t.Errorf("status %d, %q", status, errs)
			}
		})
	}
	both.Wait()
	expectGoroutines(t, before)
}

// A signal ends a command that waits, and its goroutines with it.
func TestMainInterrupted(t *testing.T) {
	silent := imdstest.NewServer(t, emulator.Options{HopLimit: 1, Hops: 1})
	env := []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + silent.URL, "HOME=" + t.TempDir()}
	before := runtime.NumGoroutine()
	for _, args := range [][]string{{"get", "region"}, {"env"}, {"credentials"}, {"doctor"}} {
		signals := make(chan os.Signal, 1)
		time.AfterFunc(200*time.Millisecond, func() { signals <- syscall.SIGTERM })
		began := time.Now()
		status, out, errs := run(env, signals, args...)
		if status != 128+15 || errs != "" {
			t.Errorf("%v: status %d, stdout %q, stderr %q", args, status, out, errs)
		}
		if took := time.Since(began); took > 900*time.Millisecond {
			t.Errorf("%v: ended after %v", args, took)
		}
	}
	expectGoroutines(t, before)
}

func expectGoroutines(t *testing.T, want int) {
	t.Helper()
	var got int
	for range 50 {
		if got = runtime.NumGoroutine(); got <= want {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Errorf("%d goroutines, %d before\n%s", got, want, stacks[:runtime.Stack(stacks, true)])
}

// A secret reaches stdout when it is asked for, and nothing else.
func TestCredentialsStayOnStdout(t *testing.T) {
	server := imdstest.NewServer(t, emulator.Options{Role: &emulator.Role{Name: "app", Expired: true}})
	env := []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL, "HOME=" + t.TempDir()}
	status, out, errs := run(env, nil, "credentials", "-o", "env-no-export")
	if status != 0 || !strings.Contains(errs, "expired") {
		t.Fatalf("status %d, stderr %q", status, errs)
	}
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		value = strings.Trim(value, "'")
		if name == "" || len(value) < 16 {
			t.Errorf("odd line %q", fmt.Sprint(name))
		}
		if name != "AWS_CREDENTIAL_EXPIRATION" && strings.Contains(errs, value) {
			t.Errorf("%s is on stderr", name)
		}
	}
}
