package emulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// silence is how long a client may take over a request.
const silence = time.Minute

// prepare sets the connection policy: one request each, unless KeepAlive. Then
// silent clients may stay until Close: to set deadlines for each request would
// cost 4 to 8 % of it, while for a connection of its own it costs nothing that
// can be measured.
func (s *Server) prepare() {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.http.Handler = s
	s.http.DisableGeneralOptionsHandler = true // OPTIONS * is answered as all else
	if !s.keepAlive {
		s.http.ReadHeaderTimeout = silence
	}
	s.http.BaseContext = func(net.Listener) context.Context { return ctx }
	s.http.ConnState = s.count
	s.http.SetKeepAlivesEnabled(s.keepAlive)
}

// hurry bounds the wait for the rest of a request's body, which net/http reads
// after the answer. Nothing here looks at bodies.
func hurry(w http.ResponseWriter) {
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(silence))
}

// Serve answers on l until Close, and then returns nil. It closes l. Many
// listeners may be served at once.
func (s *Server) Serve(l net.Listener) error {
	if !s.begin() {
		return l.Close()
	}
	defer s.running.Done()
	err := s.http.Serve(l)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve metadata on %v: %w", l.Addr(), err)
}

// Close closes all listeners and connections, also those that wait for an
// answer that never comes, and returns when all have ended.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.stop()
	err := s.http.Close()
	s.running.Wait()
	return err
}

// begin counts a call of Serve, unless the server is closed.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.running.Add(1)
	return true
}

// count keeps track of connections. net/http calls it for new ones within
// Serve, so the count is above zero then and Close still waits.
func (s *Server) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.running.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.running.Done()
	}
}
