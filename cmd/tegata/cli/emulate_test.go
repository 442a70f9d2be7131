package cli

import (
	"bufio"
	"bytes"
	"context"
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

// TestEmulateMock: the flags and the file of the amazon-ec2-metadata-mock.
func TestEmulateMock(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "aemm.json")
	config := `{"metadata":{"paths":{"mac":"/x"},"values":{"instance-id":"i-00000000000000003"}},"spot":{"instance-action":"hibernate"}}`
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	e := startEmulate(t, "-c", file, "-n", "127.0.0.1", "-p", "0", "-I")
	for path, want := range map[string]string{"instance-id": "i-00000000000000003", "spot/instance-action": `"hibernate"`} {
		if got, err := e.get(t, path); err != nil || !strings.Contains(got, want) {
			t.Errorf("%s: got %q, %v, want %s", path, got, err, want)
		}
	}
	res, err := http.Get(e.endpoint + "latest/meta-data/instance-id")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: got %s", res.Status)
	}
	e.stop()
	if !strings.Contains(e.log.String(), "without effect here: metadata.paths.mac") {
		t.Errorf("what has no effect is not told:\n%s", e.log)
	}
}
