package fault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

const truth = "the true answer"

var truthful = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", fmt.Sprint(len(truth)))
	w.Header().Set("Server", "true")
	io.WriteString(w, truth)
})

// serve starts a server that answers everything as reply says.
func serve(t *testing.T, reply *Reply, next http.Handler) *httptest.Server {
	t.Helper()
	errorBody := func(status int, code, message string) (string, []byte, http.Header) {
		body := fmt.Sprintf("%d %s %s", status, code, message)
		return "text/x-error", []byte(body), http.Header{"X-Error": {code}}
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reply.Serve(w, r, errorBody, next)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// get makes one request; err is that of the request or of reading the body.
func get(t *testing.T, srv *httptest.Server) (resp *http.Response, body string, err error) {
	t.Helper()
	resp, err = srv.Client().Get(srv.URL)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func TestReplace(t *testing.T) {
	html := "<html>"
	tests := []struct {
		name   string
		reply  *Reply
		status int
		body   string
		header map[string]string // "" means absent
	}{
		{"nil is the truth", nil, 200, truth, map[string]string{"Server": "true"}},
		{"pass is the truth", &Reply{Pass: true}, 200, truth, nil},
		{"status alone", &Reply{Status: 503}, 503, "503  ", map[string]string{"Content-Type": "text/x-error"}},
		{"good status alone", &Reply{Status: 204}, 204, "", nil},
		{"body alone", &Reply{Body: &html}, 200, html, map[string]string{"Content-Length": "6"}},
		{"code alone", &Reply{Code: "Throttled", Message: "slow"}, 400, "400 Throttled slow", map[string]string{"X-Error": "Throttled"}},
		{"code with status", &Reply{Status: 429, Code: "Throttled"}, 429, "429 Throttled ", nil},
		{"headers with body", &Reply{Body: &html, Headers: map[string]string{"content-type": "text/html", "Date": ""}}, 200, html,
			map[string]string{"Content-Type": "text/html", "Date": ""}},
		{"no length", &Reply{Headers: map[string]string{"Content-Length": ""}}, 200, truth, map[string]string{"Content-Length": ""}},
		{"headers on the truth", &Reply{Headers: map[string]string{"server": "", "Via": "proxy"}}, 200, truth,
			map[string]string{"Server": "", "Via": "proxy"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body, err := get(t, serve(t, tt.reply, truthful))
			if err != nil || resp.StatusCode != tt.status || body != tt.body {
				t.Fatalf("got %v, %q, %v; want %d, %q", resp, body, err, tt.status, tt.body)
			}
			for name, want := range tt.header {
				got, there := resp.Header[name]
				if there != (want != "") || there && got[0] != want {
					t.Errorf("header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestTruncate(t *testing.T) {
	for _, n := range []int{0, 1, len(truth) - 1} {
		resp, body, err := get(t, serve(t, &Reply{Truncate: &n}, truthful))
		if !errors.Is(err, io.ErrUnexpectedEOF) || body != truth[:n] || resp.ContentLength != int64(len(truth)) {
			t.Errorf("cut at %d: got %q of %v bytes, %v", n, body, resp.ContentLength, err)
		}
	}
	for _, n := range []int{len(truth), len(truth) + 1} {
		_, body, err := get(t, serve(t, &Reply{Truncate: &n}, truthful))
		if err != nil || body != truth {
			t.Errorf("cut at %d: got %q, %v; want all", n, body, err)
		}
	}
}

func TestTruncateReplacement(t *testing.T) {
	n, body := 2, "abcdef"
	_, got, err := get(t, serve(t, &Reply{Body: &body, Truncate: &n}, truthful))
	if got != "ab" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

// The cut of a stream comes at once, though its next event is far off, and
// without the chunk that would make it look whole.
func TestTruncateStream(t *testing.T) {
	n := 9
	stream := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "event 1;")
		w.(http.Flusher).Flush()
		if k, err := fmt.Fprint(w, "event 2;"); k != 1 || err == nil {
			t.Errorf("the second write gave %d, %v", k, err)
		}
		<-r.Context().Done()
	})
	resp, body, err := get(t, serve(t, &Reply{Truncate: &n}, stream))
	if body != "event 1;e" || !errors.Is(err, io.ErrUnexpectedEOF) || resp.ContentLength != -1 {
		t.Errorf("got %q (length %d), %v", body, resp.ContentLength, err)
	}
}

func TestDrip(t *testing.T) {
	start := time.Now()
	_, body, err := get(t, serve(t, &Reply{Drip: 100}, truthful))
	if err != nil || body != truth {
		t.Errorf("got %q, %v", body, err)
	}
	if took, want := time.Since(start), 150*time.Millisecond; took < want {
		t.Errorf("15 bytes at 100B/s took %v, want at least %v", took, want)
	}
}

// The bytes of a drip arrive one after the other, not all at the end.
func TestDripIsSeen(t *testing.T) {
	srv := serve(t, &Reply{Drip: 20}, truthful)
	resp, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b := make([]byte, len(truth))
	if n, err := resp.Body.Read(b); n == len(truth) || err != nil {
		t.Errorf("the first read gave %d bytes, %v", n, err)
	}
}

func TestDelay(t *testing.T) {
	for _, reply := range []*Reply{{Delay: 50 * time.Millisecond}, {Delay: 50 * time.Millisecond, Status: 503}} {
		start := time.Now()
		if _, _, err := get(t, serve(t, reply, truthful)); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < reply.Delay {
			t.Errorf("took %v, want at least %v", took, reply.Delay)
		}
	}
}

func TestReset(t *testing.T) {
	for _, reply := range []*Reply{{Reset: true}, {Reset: true, Delay: time.Millisecond}} {
		_, _, err := get(t, serve(t, reply, truthful))
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a connection reset", err)
		}
	}
}

// Over HTTP/2 a fault ends the stream, and the connection serves on.
func TestHTTP2(t *testing.T) {
	n, late := 4, 30*time.Millisecond
	const cut = "INTERNAL_ERROR"
	for _, tt := range []struct {
		name       string
		reply      *Reply
		body, want string        // the answer, and its error if it ends early
		least      time.Duration // how long it takes
	}{
		{"truth", nil, truth, "", 0},
		{"reset", &Reply{Reset: true, Delay: late}, "", cut, late},
		{"delay", &Reply{Delay: late}, truth, "", late},
		{"drip", &Reply{Drip: 300}, truth, "", 45 * time.Millisecond},
		{"truncate", &Reply{Truncate: &n}, truth[:n], cut, 0},
		{"hang", &Reply{Hang: true}, "", context.DeadlineExceeded.Error(), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var conns, ended atomic.Int32
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer ended.Add(1)
				if r.URL.Path == "/fault" {
					tt.reply.Serve(w, r, nil, truthful)
				}
			}))
			srv.Config.ErrorLog = log.New(failing{t}, "", 0)
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetUnencryptedHTTP2(true)
			srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
				if state == http.StateNew {
					conns.Add(1)
				}
			}
			srv.Start()
			defer srv.Close()
			client := &http.Client{Transport: &http.Transport{Protocols: srv.Config.Protocols}}
			defer client.CloseIdleConnections()

			start := time.Now()
			body, err := post(t, client, srv.URL+"/fault")
			if took := time.Since(start); took < tt.least {
				t.Errorf("took %v, want at least %v", took, tt.least)
			}
			if body != tt.body || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, %v; want %q, %q", body, err, tt.body, tt.want)
			}
			if _, err := post(t, client, srv.URL); err != nil || conns.Load() != 1 {
				t.Errorf("the next call: %v, on connection %d", err, conns.Load())
			}
			for range 100 {
				if ended.Load() == 2 {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			t.Error("the handler goes on without its client")
		})
	}
}

// post sends a body and reads what comes back within half a second.
func post(t *testing.T, client *http.Client, url string) (body string, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader("a body"))
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// failing fails the test for every line of a server's log.
type failing struct{ t *testing.T }

func (f failing) Write(line []byte) (int, error) {
	f.t.Errorf("the server logs: %s", line)
	return len(line), nil
}

// A hanging request sends no byte and ends with its client, request body or
// not; so do delays and drips. Close of the server waits for all of them.
func TestEndsWithTheClient(t *testing.T) {
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, truth); err != nil {
				return
			}
		}
	})
	tests := []struct {
		name  string
		reply *Reply
	}{
		{"hang", &Reply{Hang: true}},
		{"delay", &Reply{Delay: time.Hour}},
		{"delayed reset", &Reply{Delay: time.Hour, Reset: true}},
		{"drip", &Reply{Drip: 0.001}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			done := make(chan struct{})
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				defer close(done)
				tt.reply.Serve(w, r, nil, endless)
			}))
			defer srv.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			req, _ := http.NewRequestWithContext(ctx, "PUT", srv.URL, strings.NewReader("a body"))
			if resp, err := srv.Client().Do(req); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			select {
			case <-done:
			case <-time.After(5 * time.Second):
				t.Fatal("the handler goes on without its client")
			}
		})
	}
}

func TestHangSendsNothing(t *testing.T) {
	srv := serve(t, &Reply{Hang: true}, truthful)
	conn, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if b, err := bufio.NewReader(conn).ReadByte(); err == nil {
		t.Errorf("got byte %q", b)
	}
}

func TestBenderPassesController(t *testing.T) {
	_, _, err := get(t, serve(t, &Reply{Drip: 1e6}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if err := rc.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Errorf("set a deadline through the bender: %v", err)
		}
		if err := rc.Flush(); err != nil {
			t.Errorf("flush through the bender: %v", err)
		}
	})))
	if err != nil {
		t.Error(err)
	}
}
