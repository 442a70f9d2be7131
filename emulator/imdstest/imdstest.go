// Package imdstest starts the IMDS emulator for a test, as net/http/httptest
// starts a server.
package imdstest

import (
	"net"
	"testing"

	"tegata/emulator"
)

// A Server is an emulator that listens on a loopback address until the test
// ends.
type Server struct {
	URL string // http://127.0.0.1:port, without a trailing slash
	*emulator.Server
}

// NewServer starts an emulator. Whatever keeps it from starting fails t.
func NewServer(t testing.TB, o emulator.Options) *Server {
	t.Helper()
	s, err := emulator.New(o)
	if err != nil {
		t.Fatalf("start the emulator: %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("start the emulator: %v", err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Errorf("the emulator ended: %v", err)
		}
	})
	return &Server{"http://" + l.Addr().String(), s}
}
