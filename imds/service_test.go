package imds_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"tegata/imds"
)

const (
	instanceID = "i-1234567890abcdef0"
	token      = "AQAEAKQRRHnsX8GCPgYTGMShrFJkMhru3n-8Ul5Gzvzj-bpWKYZuiw=="
	tokenPath  = "/latest/api/token"
)

// A service is the far side of the wire. Without put or get it gives a token
// to everyone and the same value for every path.
type service struct {
	put, get    http.HandlerFunc
	puts, gets  atomic.Int32
	connections atomic.Int32
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case "PUT":
		s.puts.Add(1)
		or(s.put, constant)(w, r)
	case "GET":
		s.gets.Add(1)
		or(s.get, constant)(w, r)
	default:
		http.Error(w, r.Method, http.StatusTeapot)
	}
}

func or(f, otherwise http.HandlerFunc) http.HandlerFunc {
	if f != nil {
		return f
	}
	return otherwise
}

func constant(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
	if r.Method == "PUT" {
		io.WriteString(w, token)
		return
	}
	io.WriteString(w, instanceID)
}

// client returns a client that reaches s over pipes, so that a whole exchange
// can happen in the time of a synctest bubble.
func (s *service) client(t testing.TB) *imds.Client {
	l := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	srv := &http.Server{Handler: s}
	go srv.Serve(l)
	c := &imds.Client{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		s.connections.Add(1)
		return l.dial(ctx)
	}}
	t.Cleanup(func() {
		c.Close()
		srv.Close()
	})
	return c
}

// pipes is a listener without a network.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.conns <- far:
		return near, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// Ways to answer.

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func body(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, s) }
}

// granting answers with a token as EC2 does.
func granting(token string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		io.WriteString(w, token)
	}
}

func silent(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// raw writes bytes to the connection and closes it.
func raw(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		io.WriteString(c, s)
		c.Close()
	}
}

// tree serves values by path, and 404 for the rest.
func tree(values map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, ok := values[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		io.WriteString(w, v)
	}
}

var kinds = []error{
	imds.ErrInvalid, imds.ErrNotDetected, imds.ErrHopLimit, imds.ErrTokenLost, imds.ErrNoV2, imds.ErrDisabled, imds.ErrForbidden,
	imds.ErrTimeout, imds.ErrIncomplete, imds.ErrBadRequest, imds.ErrUnauthorized, imds.ErrAbsent, imds.ErrThrottled, imds.ErrServer,
	imds.ErrRedirect, imds.ErrForeign, imds.ErrTooLarge, imds.ErrMalformed, imds.ErrCredentials, imds.ErrExpired,
}

// wantKind checks that err is of one kind and of no other.
func wantKind(t *testing.T, err, want error) *imds.Error {
	t.Helper()
	var e *imds.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %T %v, want *imds.Error", err, err)
	}
	for _, k := range kinds {
		if got := errors.Is(err, k); got != (k == want) {
			t.Errorf("errors.Is(%q, %q) = %v", err, k, got)
		}
	}
	return e
}

// serve lets s answer on a listener until the test ends.
func serve(t testing.TB, s http.Handler, l net.Listener) {
	srv := &http.Server{Handler: s}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
}

func wantEnd(t *testing.T, got, want string) {
	t.Helper()
	if !strings.HasSuffix(got, want) {
		t.Errorf("got  %s\nwant …%s", got, want)
	}
}
