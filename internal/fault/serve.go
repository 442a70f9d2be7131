package fault

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxBody bounds the request body that is kept in memory while an answer
// waits; the largest that Bedrock takes is 25 MB.
const maxBody = 32 << 20

// An errorFunc gives a service's own error reply. Code and message may be
// empty: then only the status is asked for.
type errorFunc = func(status int, code, message string) (contentType string, body []byte, header http.Header)

// Serve answers req as the reply says. If the reply only bends the true
// answer, next gives that answer through a writer that drips, cuts and
// changes headers. A nil reply is the true answer.
//
// errorBody gives the service's own error; code and message are empty when
// the reply has a status of 400 or more but no code. A nil errorBody means
// empty bodies.
//
// Where no whole answer can be given, Serve panics with
// [http.ErrAbortHandler], on which net/http closes the connection quietly.
// It returns promptly once req's context ends.
func (r *Reply) Serve(w http.ResponseWriter, req *http.Request, errorBody errorFunc, next http.Handler) {
	if r == nil || r.Pass {
		next.ServeHTTP(w, req)
		return
	}
	req = withBodyRead(req)
	if r.Hang {
		<-req.Context().Done() // then nobody is left to answer
	}
	if !sleep(req.Context(), r.Delay) {
		panic(http.ErrAbortHandler)
	}
	if r.Reset {
		reset(w)
		return
	}
	if r.replaces() {
		next = r.replacement(errorBody)
	}
	if !r.bends() {
		next.ServeHTTP(w, req)
		return
	}
	r.bend(w, req, next)
}

// replaces reports whether the reply stands in for the true answer.
func (r *Reply) replaces() bool {
	return r.Status != 0 || r.Body != nil || r.Code != ""
}

// bends reports whether the answer goes out otherwise than it was written.
func (r *Reply) bends() bool {
	return len(r.Headers) > 0 || r.Drip != 0 || r.Truncate != nil
}

// withBodyRead returns req with its body already read: net/http notices that
// a client has left, and ends the context, only after the body's end.
func withBodyRead(req *http.Request) *http.Request {
	body, err := io.ReadAll(http.MaxBytesReader(nil, req.Body, maxBody))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req = req.WithContext(req.Context())
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req
}

// reset makes the kernel end the connection with RST instead of FIN. HTTP/2
// has no way to it: there the stream alone is reset.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// replacement is the handler that gives the reply's own answer.
func (r *Reply) replacement(errorBody errorFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		status, body := r.answer(w.Header(), errorBody)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		w.Write(body)
	})
}

// answer returns the reply's status and body, and sets the headers that the
// service gives to its errors.
func (r *Reply) answer(h http.Header, errorBody errorFunc) (status int, body []byte) {
	status = cmp.Or(r.Status, http.StatusOK)
	if r.Code != "" {
		status = cmp.Or(r.Status, http.StatusBadRequest)
	}
	switch {
	case r.Body != nil:
		return status, []byte(*r.Body)
	case status < 400 || errorBody == nil:
		return status, nil
	}
	contentType, body, header := errorBody(status, r.Code, r.Message)
	maps.Copy(h, header)
	h.Set("Content-Type", contentType)
	return status, body
}
