// Package imdstest starts the IMDS emulator for a test, as net/http/httptest
// starts a server. What reads the metadata is pointed at [Server.URL]:
//
//	func TestSpotNotice(t *testing.T) {
//		s := imdstest.NewServer(t, emulator.Options{Instance: emulator.Instance{Region: "eu-west-1"}})
//		c := imds.Client{Endpoint: s.URL}
//		if region, err := c.Region(t.Context()); err != nil || region != "eu-west-1" {
//			t.Errorf("got %q, %v", region, err)
//		}
//		s.Interrupt(2 * time.Minute)
//		if _, err := c.Get(t.Context(), "meta-data/spot/instance-action"); err != nil {
//			t.Error(err)
//		}
//	}
//
// AWS's own SDKs and tools take the URL from the environment variable
// AWS_EC2_METADATA_SERVICE_ENDPOINT; end it with a slash for the AWS CLI.
package imdstest

import (
	"net"
	"sync"
	"testing"
	"time"

	"tegata/emulator"
)

// A Server is an emulator that listens on a loopback address until the test
// ends.
type Server struct {
	URL string // http://127.0.0.1:port, without a trailing slash
	*emulator.Server

	t       testing.TB
	mu      sync.Mutex
	options emulator.Options // as they are now
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
	return &Server{URL: "http://" + l.Addr().String(), Server: s, t: t, options: o}
}

// Update changes the service for the requests from now on, as
// [emulator.Server.Change] does: change is given the options as [NewServer]
// and Update left them. Options that can't be fail the test.
func (s *Server) Update(change func(*emulator.Options)) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.options
	change(&o)
	if err := s.Change(o); err != nil {
		s.t.Errorf("%v", err)
		return
	}
	s.options = o
}

// Interrupt announces that the instance, as one bought on the spot market, is
// terminated after so long.
func (s *Server) Interrupt(after time.Duration) {
	s.t.Helper()
	s.Update(func(o *emulator.Options) {
		now := time.Now
		if o.Now != nil {
			now = o.Now
		}
		notice := now()
		o.Events.Spot = &emulator.SpotInterruption{Time: notice.Add(after), Notice: notice}
	})
}
