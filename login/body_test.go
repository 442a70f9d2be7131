package login

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A patience is a writer that keeps the deadline for reading.
type patience struct {
	*httptest.ResponseRecorder
	set      bool
	deadline time.Time
}

func (p *patience) SetReadDeadline(t time.Time) error {
	p.set, p.deadline = true, t
	return nil
}

// TestSlowBodies: nobody holds a connection with a body that does not come,
// let in or not. One that has come leaves the handler all the time it needs.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	for _, test := range []struct {
		name, method, path, host, body string
		set, bounded                   bool
	}{
		{"without a body", "GET", "/health", "localhost", "", false, false},
		{"read by the handler", "POST", "/sign-in", "localhost", "link=x", true, false},
		{"nobody known", "POST", "/v1/chat/completions", "localhost", "{}", true, true},
		{"foreign name", "POST", "/sign-in", "evil.test", "link=x", true, true},
		{"no handler wants it", "GET", "/health", "localhost", "x", true, true},
	} {
		r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		if test.body == "" {
			r.Body = http.NoBody
		}
		r.Host = test.host
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := &patience{ResponseRecorder: httptest.NewRecorder()}
		h.server.Config.Handler.ServeHTTP(w, r)
		left := time.Until(w.deadline)
		if w.set != test.set || test.bounded != (left > 0) || left > bodyWithin {
			t.Errorf("%s: set %v, %v left", test.name, w.set, left)
		}
	}
}
