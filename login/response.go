package login

import (
	"fmt"
	"net/http"
	"runtime"
)

// A response knows whether an answer has begun.
type response struct {
	http.ResponseWriter
	begun bool
}

// Unwrap lets [http.ResponseController] reach the writer below.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader begins the answer, unless it only tells that one will come.
func (w *response) WriteHeader(status int) {
	w.begun = w.begun || status >= http.StatusOK
	w.ResponseWriter.WriteHeader(status)
}

func (w *response) Write(b []byte) (int, error) {
	w.begun = true
	return w.ResponseWriter.Write(b)
}

// Flush sends what has been written, as [http.Flusher] has it.
func (w *response) Flush() {
	w.begun = true
	http.NewResponseController(w.ResponseWriter).Flush()
}

// kindOf describes what a handler panicked with: runtime errors in full, which
// speak of types and indexes, other values by their type alone.
func kindOf(value any) string {
	if e, ok := value.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", value)
}
