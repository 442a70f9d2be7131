package gateway

import (
	"net/http"
	"strconv"
	"strings"

	"tegata/internal/message"
)

// langOf is the language in which a client wants to read: of those that we
// speak, the one that it likes best.
//
// Source: https://www.rfc-editor.org/rfc/rfc9110.html#section-12.5.4
func langOf(r *http.Request) message.Lang {
	best, liked := message.English, 0.0
	for _, wish := range strings.Split(r.Header.Get("Accept-Language"), ",") {
		tag, weight, weighted := strings.Cut(wish, ";q=")
		q := 1.0
		if weighted {
			q, _ = strconv.ParseFloat(strings.TrimSpace(weight), 64)
		}
		if l, ok := message.ParseLang(strings.TrimSpace(tag)); ok && q > liked {
			best, liked = l, q
		}
	}
	return best
}
