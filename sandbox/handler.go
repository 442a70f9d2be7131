package sandbox

import (
	"net/http"
	"strings"
)

// Handler serves the whole instance on one address: requests that are signed
// go to the AWS services, all others to the metadata service. It lives as
// long as the sandbox.
func (b *Sandbox) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if signed(r) {
			b.aws.Handler.ServeHTTP(w, r)
			return
		}
		b.imds.ServeHTTP(w, r)
	})
}

// signed reports whether a request is for an AWS service: it carries a
// signature, or else names an operation as the JSON protocols do.
func signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.Header.Get("X-Amz-Target") != ""
}
