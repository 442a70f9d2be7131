package emulator_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/internal/fault"
)

// What a client may say, and the status lines of what it hears.
func TestConversations(t *testing.T) {
	const get = "GET /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\n\r\n"
	once, alive := emulator.Options{Tokens: "optional"}, emulator.Options{Tokens: "optional", KeepAlive: true}
	for _, tt := range []struct {
		name, said string
		o          emulator.Options
		want       []string
	}{
		{"nothing", "", once, nil},
		{"half a request", "GET / HTT", once, []string{"HTTP/1.1 400 Bad Request"}},
		{"half a header", "GET / HTTP/1.1\r\nHost: x\r\n", once, nil},
		{"two, one answered", get + get, once, []string{"HTTP/1.1 200 OK"}},
		{"two in one piece", get + get, alive, []string{"HTTP/1.1 200 OK", "HTTP/1.1 200 OK"}},
		{"a body between", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nGET " + get, alive,
			[]string{"HTTP/1.1 405 Not Allowed", "HTTP/1.1 200 OK"}},
		{"chunks between", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\n" + get, alive,
			[]string{"HTTP/1.1 405 Not Allowed", "HTTP/1.1 200 OK"}},
		{"a body without end", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n" + strings.Repeat("x", 300<<10) + get, alive,
			[]string{"HTTP/1.1 405 Not Allowed"}},
		{"a body that nobody reads", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999\r\n\r\n" + strings.Repeat("x", 99999), once,
			[]string{"HTTP/1.1 405 Not Allowed"}},
		{"HEAD between", "HEAD /latest/x HTTP/1.1\r\nHost: x\r\n\r\n" + get, alive, []string{"HTTP/1.1 404 Not Found", "HTTP/1.1 200 OK"}},
		{"client closes", strings.Replace(get, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1) + get, alive, []string{"HTTP/1.1 200 OK"}},
		{"1.0", "GET /latest/user-data HTTP/1.0\r\n\r\n" + get, alive, []string{"HTTP/1.0 404 Not Found"}},
		{"1.0 kept alive", "GET /latest/user-data HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + get, alive,
			[]string{"HTTP/1.0 404 Not Found", "HTTP/1.1 200 OK"}},
		{"absolute form", "GET http://169.254.169.254/latest/meta-data/instance-id HTTP/1.1\r\nHost: y\r\n\r\n", once, []string{"HTTP/1.1 200 OK"}},
		{"authority form", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n", once, []string{"HTTP/1.1 405 Not Allowed"}},
		{"query", "GET /latest/meta-data/instance-id?x=/../ HTTP/1.1\r\nHost: x\r\n\r\n", once, []string{"HTTP/1.1 200 OK"}},
		{"encoded slashes", "GET /latest%2Fmeta-data%2finstance-id HTTP/1.1\r\nHost: x\r\n\r\n", once, []string{"HTTP/1.1 200 OK"}},
		{"encoded badly", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n", once, []string{"HTTP/1.1 400 Bad Request"}},
		{"two lengths", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", once, []string{"HTTP/1.1 400 Bad Request"}},
		{"after rubbish", "rubbish\r\n\r\n" + get, alive, []string{"HTTP/1.1 400 Bad Request"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			heard := rawTo(t, imdstest.NewServer(t, tt.o).URL, tt.said)
			if diff := cmp.Diff(tt.want, statusLines(t, heard)); diff != "" {
				t.Errorf("%s\n%s", diff, heard)
			}
		})
	}
}

// statusLines splits what was heard into answers, each as long as it says.
func statusLines(t *testing.T, heard string) (lines []string) {
	t.Helper()
	for heard != "" {
		head, rest, ok := strings.Cut(heard, "\r\n\r\n")
		if !ok {
			t.Fatalf("%q is no answer", heard)
		}
		line, _, _ := strings.Cut(head, "\r\n")
		lines = append(lines, line)
		if next := strings.Index(rest, "HTTP/1."); next > 0 {
			rest = rest[next:]
		} else if next < 0 {
			rest = ""
		}
		heard = rest
	}
	return lines
}

// Each answer leaves in one write, also where a rule for it changes headers.
func TestOneWrite(t *testing.T) {
	rules, err := fault.New([]fault.Rule{{Match: fault.Match{Path: "/latest/meta-data/mac"}, Reply: fault.Reply{Headers: map[string]string{"Via": "x"}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/latest/meta-data/instance-id", "/latest/meta-data/mac", "/latest/x"} {
		client, server := net.Pipe()
		defer client.Close()
		s, l := pipeServer(t, emulator.Options{Tokens: "optional", Replies: rules}, nil)
		defer s.Close()
		counted := &writeCounter{Conn: server}
		l.conns <- counted
		go io.WriteString(client, request("GET", path, "Accept: */*"))
		if heard, err := io.ReadAll(client); err != nil || !strings.HasPrefix(string(heard), "HTTP/1.1 ") {
			t.Fatalf("%s: heard %q, %v", path, heard, err)
		}
		if counted.writes != 1 {
			t.Errorf("%s: %d writes", path, counted.writes)
		}
	}
}

type writeCounter struct {
	net.Conn
	writes int
}

func (c *writeCounter) Write(p []byte) (int, error) {
	c.writes++
	return c.Conn.Write(p)
}

// Rules bend answers on our own wire as they do on net/http's.
func TestBentReplies(t *testing.T) {
	body := "0123456789"
	for _, tt := range []struct {
		name  string
		reply fault.Reply
		want  string
		after time.Duration
	}{
		{"delay", fault.Reply{Body: &body, Delay: 3 * time.Second}, "Content-Length: 10\r\nDate: D\r\nServer: EC2ws\r\nConnection: close\r\n\r\n0123456789", 3 * time.Second},
		{"drip", fault.Reply{Body: &body, Drip: 2}, "Content-Length: 10\r\nDate: D\r\nServer: EC2ws\r\nConnection: close\r\n\r\n0123456789", 5 * time.Second},
		{"truncate", fault.Reply{Body: &body, Truncate: new(4)}, "Content-Length: 10\r\nDate: D\r\nServer: EC2ws\r\nConnection: close\r\n\r\n0123", 0},
		{"other headers", fault.Reply{Body: &body, Headers: map[string]string{"Server": "squid", "Via": "1.1 squid", "Age": "1", "Date": ""}},
			"Content-Length: 10\r\nServer: squid\r\nConnection: close\r\nAge: 1\r\nVia: 1.1 squid\r\n\r\n0123456789", 0},
		{"no length", fault.Reply{Body: &body, Headers: map[string]string{"Content-Length": ""}},
			"Date: D\r\nServer: EC2ws\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n", 0},
		{"no content", fault.Reply{Status: 204}, "Content-Length: 0\r\nDate: D\r\nServer: EC2ws\r\nConnection: close\r\n\r\n", 0},
		{"reset", fault.Reply{Reset: true}, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules, err := fault.New([]fault.Rule{{Reply: tt.reply}})
			if err != nil {
				t.Fatal(err)
			}
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer client.Close()
				s, l := pipeServer(t, emulator.Options{Replies: rules}, nil)
				defer s.Close()
				began := time.Now()
				l.conns <- server
				go io.WriteString(client, request("GET", "/", "Accept: */*"))
				heard, err := io.ReadAll(client)
				_, got, _ := strings.Cut(string(heard), "\r\n")
				if diff := cmp.Diff(tt.want, masked(got)); diff != "" || err != nil {
					t.Errorf("%v %s", err, diff)
				}
				if took := time.Since(began); took != tt.after {
					t.Errorf("took %v, want %v", took, tt.after)
				}
			})
		})
	}
}

// masked hides the one thing that changes.
func masked(head string) string {
	before, after, ok := strings.Cut(head, "Date: ")
	if !ok {
		return head
	}
	_, after, _ = strings.Cut(after, "\r\n")
	return before + "Date: D\r\n" + after
}

// An answer that waits ends with its client, and one connection bears a
// request after an answer that was long in coming.
func TestPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rules, err := fault.New([]fault.Rule{
			{Match: fault.Match{Path: "/hang"}, Reply: fault.Reply{Hang: true}},
			{Match: fault.Match{Path: "/late"}, Reply: fault.Reply{Status: 200, Delay: time.Minute}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan emulator.Access, 3)
		s, l := pipeServer(t, emulator.Options{KeepAlive: true, Replies: rules, OnRequest: func(a emulator.Access) { ended <- a }}, nil)
		defer s.Close()
		client, server := net.Pipe()
		l.conns <- server
		go io.WriteString(client, request("GET", "/late", "A: b")+request("GET", "/late", "A: b")+request("GET", "/hang", "A: b"))
		answers := bufio.NewReader(client)
		for range 2 {
			if _, err := http.ReadResponse(answers, nil); err != nil {
				t.Fatal(err)
			}
			if a := <-ended; a.Status != 200 || a.Duration != time.Minute {
				t.Errorf("got %+v", a)
			}
		}
		synctest.Wait()
		client.Close()
		if a := <-ended; a.Status != 0 || a.Path != "/hang" {
			t.Errorf("got %+v", a)
		}
	})
}

func TestOnRequest(t *testing.T) {
	var got []emulator.Access
	record := func(a emulator.Access) {
		if a.Duration <= 0 || a.Duration > time.Minute || !a.Peer.IsLoopback() {
			t.Errorf("unlikely: %+v", a)
		}
		a.Duration = 0
		got = append(got, a)
	}
	s := imdstest.NewServer(t, emulator.Options{OnRequest: record})
	tok := token(t, s)
	do(t, "GET", s.URL+"/latest/meta-data/instance-id?secret=x", tok)
	do(t, "GET", s.URL+"/latest/meta-data/instance-id")
	do(t, "GET", s.URL+"/latest/x", tok)
	do(t, "PUT", s.URL+"/2021-03-23/api/token")
	plain := httptest.NewServer(s)
	do(t, "GET", plain.URL+"/latest/meta-data/mac", tok)
	plain.Close()
	s.Close()
	want := []emulator.Access{
		{Method: "PUT", Path: tokenURL, Status: 200, Version: emulator.AccessPut},
		{Method: "GET", Path: "/latest/meta-data/instance-id", Status: 200, Version: emulator.AccessV2},
		{Method: "GET", Path: "/latest/meta-data/instance-id", Status: 401, Version: emulator.AccessV1},
		{Method: "GET", Path: "/latest/x", Status: 404, Version: emulator.AccessV2},
		{Method: "PUT", Path: "/2021-03-23/api/token", Status: 403, Version: emulator.AccessPut},
		{Method: "GET", Path: "/latest/meta-data/mac", Status: 200, Version: emulator.AccessV2},
	}
	for n := range got {
		got[n].Peer = want[0].Peer
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b emulator.Access) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
}

// Serve ends with what broke its listener.
func TestServeFails(t *testing.T) {
	s, err := emulator.New(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l := listen(t)
	l.Close()
	if err := s.Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// Serve goes on when the machine runs short of what a connection needs.
func TestServeStarved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := emulator.New(emulator.Options{})
		if err != nil {
			t.Fatal(err)
		}
		client, server := net.Pipe()
		defer client.Close()
		l := &starvedListener{pipeListener: pipeListener{conns: make(chan net.Conn, 1), done: make(chan struct{})}, left: 3}
		l.conns <- server
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		go io.WriteString(client, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		if resp, err := http.ReadResponse(bufio.NewReader(client), nil); err != nil || resp.StatusCode != 401 {
			t.Errorf("got %+v, %v", resp, err)
		}
		s.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// A starvedListener has no room for some connections.
type starvedListener struct {
	pipeListener
	left int
}

func (l *starvedListener) Accept() (net.Conn, error) {
	if l.left > 0 {
		l.left--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.pipeListener.Accept()
}

// Whatever bytes come, the server stays, and what it says is HTTP.
func FuzzWire(f *testing.F) {
	for _, seed := range []string{
		"", "\r\n", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET //latest%2fapi/token HTTP/1.0\r\n\r\n",
		"PUT " + tokenURL + " HTTP/1.1\r\nHost: x\r\n" + ttlHeader + ": 60\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\n" + tokenHeader + ": \x00\r\nX-Forwarded-For: a\r\nExpect: b\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "PRI * HTTP/2.0\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		f.Add(seed)
	}
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	s, err := emulator.New(emulator.Options{KeepAlive: true})
	if err != nil {
		f.Fatal(err)
	}
	go s.Serve(l)
	f.Cleanup(func() { s.Close() })
	f.Fuzz(func(t *testing.T, said string) {
		c := &sayer{r: strings.NewReader(said), closed: make(chan struct{})}
		l.conns <- c
		<-c.closed
		if c.heard.Len() == 0 {
			return
		}
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(c.heard.String())), nil)
		if err != nil || resp.Header.Get("Server") != "EC2ws" || resp.StatusCode >= 500 && resp.StatusCode != 505 {
			t.Errorf("heard %q, %v", c.heard.String(), err)
		}
	})
}

// A sayer is a client that says one thing and then has said everything.
type sayer struct {
	net.Conn // nil: what is not below is not called
	r        io.Reader
	heard    bytes.Buffer
	closed   chan struct{}
	once     sync.Once // a server that ends closes what is being closed
}

func (c *sayer) Read(p []byte) (int, error)      { return c.r.Read(p) }
func (c *sayer) Write(p []byte) (int, error)     { return c.heard.Write(p) }
func (c *sayer) Close() error                    { c.once.Do(func() { close(c.closed) }); return nil }
func (c *sayer) RemoteAddr() net.Addr            { return &net.TCPAddr{} }
func (c *sayer) SetReadDeadline(time.Time) error { return nil }

// However a path is spelt, a value is behind it only if it is that value's own
// path with the slashes that the service forgives: dots lead nowhere.
func FuzzPath(f *testing.F) {
	const id = "/latest/meta-data/instance-id"
	for _, seed := range []string{
		id, id + "/", "/" + id, "/latest/meta-data/x/../instance-id", "/latest/./meta-data/instance-id", "/latest%2fmeta-data%2Finstance-id",
		"/latest/meta-data%2f%2e%2e/instance-id", "/%2e%2e" + id, id + "?a", id + "%00", id + "%20", "/LATEST/meta-data/instance-id", id + ";a", "\\latest",
	} {
		f.Add(seed)
	}
	s, err := emulator.New(emulator.Options{Tokens: "optional", Instance: emulator.Instance{ID: "i-only-here"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n")))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		segments := strings.FieldsFunc(r.URL.Path, func(c rune) bool { return c == '/' })
		own := len(segments) == 3 && segments[1] == "meta-data" && segments[2] == "instance-id"
		if w.Code >= 300 && w.Code < 400 || w.Code >= 500 {
			t.Errorf("%q: got %d", path, w.Code)
		}
		if found := w.Code == 200 && w.Body.String() == "i-only-here"; found && !own {
			t.Errorf("%q: got the instance id", path)
		}
	})
}
