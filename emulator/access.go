package emulator

import (
	"net/http"
	"net/netip"
	"time"
)

// An Access is one request and how it was answered, for a log or for figures.
// It holds no token, and of the query nothing.
type Access struct {
	Method   string
	Path     string // as it was asked for, decoded
	Status   int    // 0 if there was no answer
	Peer     netip.Addr
	Version  string        // AccessV1, AccessV2 or AccessPut
	Duration time.Duration // until the answer was complete
}

// What an [Access] is in the terms of the service: a request without a token,
// one with a token, good or not, and one for a token.
const (
	AccessV1  = "v1"
	AccessV2  = "v2"
	AccessPut = "put"
)

// report answers and then tells OnRequest of it.
func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	seen := &witness{ResponseWriter: w}
	defer func() {
		s.onRequest(Access{
			Method: r.Method, Path: r.URL.Path, Status: seen.status, Peer: callerOf(r),
			Version: versionOf(r), Duration: time.Since(began),
		})
	}()
	s.respond(seen, r)
}

func versionOf(r *http.Request) string {
	switch {
	case r.Method == http.MethodPut:
		return AccessPut
	case r.Header[headerToken] != nil:
		return AccessV2
	}
	return AccessV1
}

// A witness remembers the status.
type witness struct {
	http.ResponseWriter
	status int
}

// Unwrap lets [http.ResponseController] reach flushing, deadlines and
// hijacking.
func (w *witness) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *witness) WriteHeader(status int) {
	if w.status == 0 && status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *witness) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}
