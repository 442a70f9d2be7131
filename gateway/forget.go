package gateway

import "time"

// Forget has the next report be of a new look at the chain, because something
// is known to have changed.
func (s *Server) Forget() {
	s.readiness.mu.Lock()
	defer s.readiness.mu.Unlock()
	s.readiness.at = time.Time{}
}
