package login

import (
	"io"
	"net/http"
	"time"
)

// bodyWithin is how long the body of a request may take to arrive.
const bodyWithin = time.Minute

// prompt lets nobody hold a connection by sending less than was promised.
// That takes no key: before the server writes a refusal, it reads what the
// handler has not.
func prompt(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			control := http.NewResponseController(w)
			control.SetReadDeadline(time.Now().Add(bodyWithin)) // writers of tests have none
			r.Body = &body{r.Body, control}
		}
		next.ServeHTTP(w, r)
	})
}

// A body is that of a request, and has no deadline once it is there.
type body struct {
	io.ReadCloser
	control *http.ResponseController
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		b.control.SetReadDeadline(time.Time{})
	}
	return n, err
}
