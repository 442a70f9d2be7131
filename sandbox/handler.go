package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// Handler serves the whole instance on one address: requests that are signed,
// or to a path of Bedrock, go to the AWS services, all others to the metadata
// service. It lives as long as the sandbox.
func (b *Sandbox) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if forAWS(r) {
			b.serveAWS(w, r)
			return
		}
		b.imds.ServeHTTP(w, r)
	})
}

// Owns reports whether a request is one for the instance, and not for a page
// that shares its address.
func (b *Sandbox) Owns(r *http.Request) bool { return forAWS(r) || forIMDS(r) }

// forAWS reports whether a request is for an AWS service: it carries a
// signature, names an operation as the JSON protocols do, or has a path of
// Bedrock.
func forAWS(r *http.Request) bool {
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-") || r.Header.Get("X-Amz-Target") != "" {
		return true
	}
	switch firstSegment(r.URL.Path) {
	case "model", "foundation-models", "foundation-model-availability", "inference-profiles":
		return true
	}
	return false
}

// forIMDS reports whether a request is for the metadata service: it speaks of
// tokens, or its path begins with a version.
func forIMDS(r *http.Request) bool {
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Aws-Ec2-Metadata-") {
			return true
		}
	}
	version := firstSegment(r.URL.Path)
	_, err := time.Parse(time.DateOnly, version)
	return version == "latest" || version == "1.0" || err == nil
}

// firstSegment skips the slashes that some clients double.
func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	return first
}
