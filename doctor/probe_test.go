package doctor

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answering returns a host whose metadata answers every request with these
// bytes and closes the connection.
func answering(wire string) *Host {
	return &Host{
		IMDS: "http://metadata.test",
		Dial: func(context.Context, string, string) (net.Conn, error) {
			client, server := net.Pipe()
			go func() {
				defer server.Close()
				if _, err := http.ReadRequest(bufio.NewReader(server)); err == nil {
					server.Write([]byte(wire))
				}
			}()
			return client, nil
		},
	}
}

func TestProbe(t *testing.T) {
	for _, test := range []struct{ name, wire, outcome, body string }{
		{"whole", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "status 200", "ok"},
		{"old front end", "HTTP/1.0 200 OK\r\nServer: EC2ws\r\n\r\nok", "status 200", "ok"},
		{"nothing", "", "connected, then closed without an answer", ""},
		{"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "the answer is not HTTP", ""},
		{"cut", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", "the connection ended in the middle of the answer", "ok"},
		{"page", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<HTML>", "a web page instead of metadata", "<HTML>"},
		{"error page", "HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<HTML>", "status 404", "<HTML>"},
		{"redirect", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.test/\r\nContent-Length: 0\r\n\r\n", "status 302", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := answering(test.wire).probe(t.Context(), "GET", "/latest/")
			if p.outcome() != test.outcome || p.Body != test.body {
				t.Errorf("outcome %q with body %q, want %q with %q (%v)", p.outcome(), p.Body, test.outcome, test.body, p.Err)
			}
		})
	}
}

func TestProbeBoundsTheBody(t *testing.T) {
	p := answering("HTTP/1.1 200 OK\r\n\r\n"+strings.Repeat("x", maxBody+1)).probe(t.Context(), "GET", "/latest/")
	if len(p.Body) != maxBody {
		t.Errorf("read %d bytes, want %d", len(p.Body), maxBody)
	}
}

func TestProbeEndsWithItsContext(t *testing.T) {
	h := answering("")
	h.Dial = func(context.Context, string, string) (net.Conn, error) {
		client, _ := net.Pipe()
		return client, nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if p := h.probe(ctx, "GET", "/latest/"); !p.silent() {
		t.Errorf("got %q (%v)", p.outcome(), p.Err)
	}
}

func TestAddress(t *testing.T) {
	for in, want := range map[string]string{
		"http://169.254.169.254":     "169.254.169.254:80",
		"http://[fd00:ec2::254]":     "[fd00:ec2::254]:80",
		"http://127.0.0.1:1338":      "127.0.0.1:1338",
		"http://localhost.test/imds": "localhost.test:80",
	} {
		u, err := url.Parse(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := address(u); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func FuzzProbe(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
	f.Add("\x00")
	f.Fuzz(func(t *testing.T, wire string) {
		p := answering(wire).probe(t.Context(), "GET", "/latest/")
		if p.outcome() == "" || p.String() == "" || p.ok() && p.Status != 200 {
			t.Errorf("%q: %q", wire, p.outcome())
		}
	})
}
