package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"tegata/imds"
)

// An emulated is a `tegata emulate` that runs.
type emulated struct {
	endpoint, control string
	log               *bytes.Buffer // what it printed; to be read after stop
	stop              func() int    // interrupts it and returns its status
}

// startEmulate runs the command until its endpoint is known.
func startEmulate(t *testing.T, args ...string) *emulated {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	status := make(chan int, 1)
	go func() {
		status <- Main(ctx, Process{Args: append([]string{"emulate"}, args...), Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: w})
		w.Close()
	}()
	e := &emulated{log: new(bytes.Buffer)}
	lines := bufio.NewScanner(io.TeeReader(r, e.log))
	for e.endpoint == "" && lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "AWS_EC2_METADATA_SERVICE_ENDPOINT="); ok {
			e.endpoint = url
		}
		if m := regexp.MustCompile(`control API: (\S+)/`).FindStringSubmatch(lines.Text()); m != nil {
			e.control = m[1]
		}
	}
	if e.endpoint == "" {
		t.Fatalf("no endpoint:\n%s", e.log)
	}
	var rest sync.WaitGroup
	rest.Go(func() {
		for lines.Scan() {
		}
	})
	e.stop = sync.OnceValue(func() int {
		cancel()
		rest.Wait()
		return <-status
	})
	t.Cleanup(func() { e.stop() })
	return e
}

func (e *emulated) get(t *testing.T, path string) (string, error) {
	t.Helper()
	c := &imds.Client{Endpoint: e.endpoint}
	return c.Get(t.Context(), "meta-data/"+path)
}

// TestEmulateControl: what the control API is told, the callers meet, and no
// secret gets printed.
func TestEmulateControl(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	e := startEmulate(t, "--addr", "127.0.0.1:0", "--control", "127.0.0.1:0", "--control-token-file", file, "--log", "json")
	if id, err := e.get(t, "instance-id"); err != nil || id != "i-0a1b2c3d4e5f60718" {
		t.Errorf("instance-id: got %q, %v", id, err)
	}
	token, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "PUT", e.control+"/instances/default/events/spot", strings.NewReader(`{"action":"stop"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if notice, err := e.get(t, "spot/instance-action"); err != nil || !strings.Contains(notice, `"stop"`) {
		t.Errorf("%s, then the notice: got %q, %v", res.Status, notice, err)
	}
	if status := e.stop(); status != 0 {
		t.Errorf("status %d", status)
	}
	log := e.log.String()
	for _, want := range []string{`"method":"PUT"`, `"path":"/latest/meta-data/instance-id"`, `"version":"v2"`} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	if strings.Contains(log, strings.TrimSpace(string(token))) {
		t.Error("the log tells the token of the control API")
	}
}

// TestEmulateFrom: a caller's address tells which instance it is.
func TestEmulateFrom(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "second.yaml")
	if err := os.WriteFile(file, []byte("instance: {id: i-00000000000000002}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ from, want string }{
		{"127.0.0.0/8", "i-00000000000000002"},
		{"10.0.0.1", "i-0a1b2c3d4e5f60718"},
	} {
		e := startEmulate(t, "--addr", "127.0.0.1:0", "--from", test.from+"="+file)
		if id, err := e.get(t, "instance-id"); err != nil || id != test.want {
			t.Errorf("--from %s: got %q, %v, want %s", test.from, id, err, test.want)
		}
	}
}

// TestEmulateMock: the file, the flags and the subcommands of the
// amazon-ec2-metadata-mock.
func TestEmulateMock(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "aemm.json")
	config := `{"metadata":{"paths":{"mac":"/x"},"values":{"instance-id":"i-00000000000000003"}},"spot":{"action":"hibernate"}}`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		args   []string
		read   map[string]string // what each path holds; "" for absent
		v1     int               // status of a read without a token
		warned string
	}{
		{"file", []string{"-c", file, "-I"},
			map[string]string{"instance-id": "i-00000000000000003", "spot/instance-action": `"hibernate"`}, 401, "metadata.paths"},
		{"spot", []string{"spot", "--action", "stop"},
			map[string]string{"spot/instance-action": `"stop"`, "events/maintenance/scheduled": "[]"}, 200, ""},
		{"spot with letters, later", []string{"spot", "-a", "stop", "-d", "600"},
			map[string]string{"spot/instance-action": ""}, 200, ""},
		{"flags before the subcommand and over the file", []string{"-c", file, "spot", "-a", "terminate"},
			map[string]string{"spot/instance-action": `"terminate"`, "instance-id": "i-00000000000000003"}, 200, ""},
		{"events", []string{"events", "-o", "instance-stop", "-t", "active", "-b", "2030-01-02T03:04:05Z"},
			map[string]string{"events/maintenance/scheduled": `"instance-stop"`, "spot/instance-action": ""}, 200, ""},
		{"asg", []string{"asg"}, map[string]string{"autoscaling/target-lifecycle-state": "Terminated", "spot/instance-action": ""}, 200, ""},
		{"ignored", []string{"-x", "2"}, nil, 200, "mock-ip-count"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e := startEmulate(t, append(test.args, "-n", "127.0.0.1", "-p", "0")...)
			for path, want := range test.read {
				got, err := e.get(t, path)
				if absent := errors.Is(err, imds.ErrAbsent); absent != (want == "") || !absent && (err != nil || !strings.Contains(got, want)) {
					t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
				}
			}
			res, err := http.Get(e.endpoint + "latest/meta-data/instance-id")
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != test.v1 {
				t.Errorf("without a token: got %s, want %d", res.Status, test.v1)
			}
			e.stop()
			if !strings.Contains(e.log.String(), test.warned) {
				t.Errorf("stderr lacks %q:\n%s", test.warned, e.log)
			}
		})
	}
}

// TestMockVariables: variables count over the file, and flags over both.
func TestMockVariables(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"spot"}, "hibernate"},
		{[]string{"spot", "-a", "stop"}, "stop"},
	} {
		s := &session{Process: Process{Args: test.args, Env: []string{"AEMM_SPOT_ACTION=hibernate", "AEMM_NO_SUCH=1", "HOME=/"}}}
		fs := s.flags()
		m := newMockLine(s)
		m.declare(fs)
		if err := s.noArgs(fs); err != nil {
			t.Fatal(err)
		}
		var e emulation
		if err := m.apply(s, &e); err != nil || e.mock.Events.Spot.Action != test.want {
			t.Errorf("%q: got %v, %v, want %s", test.args, e.mock, err, test.want)
		}
	}
}
