package gateway

import (
	"net/http"

	"tegata/internal/message"
)

// langOf is the language in which a client wants to read.
func langOf(r *http.Request) message.Lang {
	l, _ := message.Accepted(r.Header.Get("Accept-Language"))
	return l
}
