//go:build unix

package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binaryEnv names the binary under test to those that run in a box.
const binaryEnv = "TEGATA_BINARY"

// inBox reports whether this test runs in a box. Where it does not, it has
// the test run in a box of the scenario, as a process of its own because a
// program can't enter one by half, and takes over what came of it.
func inBox(t *testing.T, scene string) bool {
	t.Helper()
	if os.Getenv(binaryEnv) != "" {
		return true
	}
	t.Parallel()
	requireBox(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "sandbox", "--scenario", scenario(t, scene), "--", self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=2m")
	cmd.Env = append(cmd.Env, binaryEnv+"="+tegata)
	if r := finish(t, cmd); r.status != 0 || !strings.Contains(r.stdout, "--- PASS: "+t.Name()) {
		t.Errorf("in the box: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	return false
}

// A server is `tegata serve` on the instance of the box, with a person who is
// signed in and a program that has a key.
type server struct {
	url, data      string
	link           string // that let the person in
	person         *http.Cookie
	key            string
	process        *exec.Cmd
	stdout, stderr lines
	waited         func() error
	t              *testing.T
}

// lines is what a process has written so far.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serve starts a server on a directory. A box has room for one.
func serve(t *testing.T, data string, args ...string) *server {
	t.Helper()
	s := &server{t: t, url: "http://127.0.0.1:8338", data: data}
	s.process = exec.Command(tegata, append([]string{"serve", "--data", data}, args...)...)
	s.process.Stdout, s.process.Stderr = &s.stdout, &s.stderr
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	s.waited = sync.OnceValue(s.process.Wait)
	t.Cleanup(s.kill)
	s.printed(regexp.MustCompile(`chat page and API: `))
	return s
}

// signIn lets the person in by the link that was printed, and makes the key.
func (s *server) signIn() {
	s.t.Helper()
	s.link = s.printed(regexp.MustCompile(`/sign-in\?link=(\S+)`))[1]
	r := s.post("/sign-in", url.Values{"link": {s.link}})
	for _, c := range r.Cookies() {
		if c.HttpOnly {
			s.person = c
		}
	}
	if s.person == nil {
		s.t.Fatalf("signing in: %s, no cookie", r.Status)
	}
	s.key = strings.TrimSpace(run(s.t, "client", "add", "tester", "--data", s.data).stdout)
	if s.key == "" {
		s.t.Fatal("no key")
	}
}

// printed waits for a line on stderr.
func (s *server) printed(pattern *regexp.Regexp) []string {
	s.t.Helper()
	var found []string
	s.soon(fmt.Sprintf("%s on stderr", pattern), func() bool {
		found = pattern.FindStringSubmatch(s.stderr.String())
		return found != nil
	})
	return found
}

// soon waits until something is so.
func (s *server) soon(what string, so func() bool) {
	s.t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			said := s.stdout.String() + s.stderr.String()
			s.t.Fatalf("%s: not within 30 s; the server said last:\n%s", what, said[max(0, len(said)-2000):])
		}
	}
}

func (s *server) kill() {
	s.process.Process.Kill()
	s.waited()
}

// stop ends the server as a service manager does.
func (s *server) stop() {
	s.t.Helper()
	s.process.Process.Signal(syscall.SIGTERM)
	if err := s.waited(); err != nil {
		s.t.Errorf("stopped: %v\n%s", err, s.stderr.String())
	}
}

// client follows no redirects and opens as many connections as it likes.
var client = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 16},
}

// send sends a request of the person, of the program or, with neither, of
// nobody. The caller closes the body.
func (s *server) send(ctx context.Context, method, path, body string, header http.Header) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	return client.Do(r)
}

// asPerson and asProgram are the headers of those who may come in.
func (s *server) asPerson() http.Header {
	if s.person == nil {
		return http.Header{}
	}
	return http.Header{"Cookie": {s.person.Name + "=" + s.person.Value}}
}

func (s *server) asProgram() http.Header {
	return http.Header{"Authorization": {"Bearer " + s.key}, "Content-Type": {"application/json"}}
}

// post sends a form of the person.
func (s *server) post(path string, form url.Values) *http.Response {
	s.t.Helper()
	h := s.asPerson()
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	return s.answered(s.send(s.t.Context(), "POST", path, form.Encode(), h))
}

// answered reads an answer to its end; its text takes the place of the body.
func (s *server) answered(r *http.Response, err error) *http.Response {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	r.Body.Close()
	if err != nil {
		s.t.Fatal(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return r
}

func text(r *http.Response) string {
	b, _ := io.ReadAll(r.Body) // from memory
	return string(b)
}

// memory returns how much of the machine's memory the server has, in bytes.
func (s *server) memory() int {
	s.t.Helper()
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(s.process.Process.Pid), "status"))
	if err != nil {
		s.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		s.t.Fatal(err)
	}
	return kilobytes << 10
}
