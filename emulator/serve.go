package emulator

import (
	"net"
	"net/http"
	"time"
)

// Serve answers on l until Close, and then returns nil. It closes l. Many
// listeners may be served at once.
//
// What goes over these connections is what the service sends, byte for byte.
// On Linux an answer to PUT leaves with HopLimit as its IP time to live (or
// IPv6 hop limit), so that routers between drop it as they do on EC2.
func (s *Server) Serve(l net.Listener) error { return s.wire.serve(l) }

// Close closes all listeners and connections, also those that wait for an
// answer that never comes, and returns when all have ended.
func (s *Server) Close() error { return s.wire.close() }

// ServeHTTP answers as the service does, whatever carries the connection: the
// plain form for somebody else's mux. There net/http decides on the order of
// the headers, and Options.HopLimit counts for nothing but Hops and Bridged. A
// request whose answer is to get lost ends by panicking with
// [http.ErrAbortHandler] when its context ends.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		defer hurry(w)
	}
	s.handle(w, r)
}

// hurry bounds the wait for the rest of a request's body, which net/http reads
// after the answer. Nothing here looks at bodies.
func hurry(w http.ResponseWriter) {
	http.NewResponseController(w).SetReadDeadline(time.Now().Add(silence))
}

// A stamp is the time of an answer in the form of its Date.
type stamp struct {
	second int64
	text   string
}

// date returns the time by the server's clock. It is written anew every second.
func (s *Server) date() string {
	now := s.service.Load().options.Now()
	if last := s.stamp.Load(); last != nil && last.second == now.Unix() {
		return last.text
	}
	next := &stamp{now.Unix(), now.UTC().Format(http.TimeFormat)}
	s.stamp.Store(next)
	return next.text
}
