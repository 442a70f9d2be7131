package imds

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cleanPath returns the path to ask for: absolute, without empty segments, a
// trailing slash kept. Segments that could climb, and bytes that would need
// escaping, are refused: IMDS has neither.
func cleanPath(path string) (string, error) {
	if path == "/" {
		return path, nil // the list of versions
	}
	for _, r := range path {
		if r <= ' ' || r > '~' || strings.ContainsRune(`?#%\`, r) {
			return "", fmt.Errorf("path holds %q", r)
		}
	}
	var segments []string
	for s := range strings.SplitSeq(path, "/") {
		switch s {
		case "":
		case ".", "..":
			return "", fmt.Errorf("path holds the segment %q", s)
		default:
			segments = append(segments, s)
		}
	}
	clean := "/" + strings.Join(segments, "/")
	if len(segments) > 0 && strings.HasSuffix(path, "/") {
		clean += "/"
	}
	if len(segments) == 0 || !isVersion(segments[0]) {
		clean = "/latest" + clean
	}
	return clean, nil
}

// isVersion reports whether a path segment names a version of the tree:
// "latest", "1.0" or a date.
func isVersion(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil || s == "latest" || s == "1.0"
}

// isSecretPath reports whether what a path holds must not be shown, not even
// in part. User data is counted in because people put passwords there.
func isSecretPath(path string) bool {
	return contains(path, "/api/token", "security-credentials", "/user-data")
}

// isFreeText reports whether the values below a path are the user's own words,
// or XML as those of metrics, so that markup in them proves nothing.
func isFreeText(path string) bool {
	return contains(path, "/user-data", "/meta-data/tags/", "/meta-data/metrics/")
}

// mayBeJSON reports whether values below a path are JSON documents, or the
// user's own words.
func mayBeJSON(path string) bool {
	return isFreeText(path) || contains(path, "/dynamic/", "/iam/", "/identity-credentials/", "/events/", "/spot/")
}

func contains(path string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(path, part) })
}

// An endpoint is the address of a service, taken apart.
type endpoint struct {
	addr string // to connect to, host:port
	host string // of the Host header
}

// parseEndpoint never quotes an endpoint in which a password may stand.
func parseEndpoint(s string) (endpoint, error) {
	if s == "" {
		s = DefaultEndpoint
	}
	u, err := url.Parse(s)
	switch {
	case strings.Contains(s, "@"):
		return endpoint{}, errors.New("endpoint holds a user name, which IMDS does not know")
	case err != nil || u.Opaque != "" || u.Scheme == "" || u.Hostname() == "":
		return endpoint{}, fmt.Errorf("endpoint %.80q: want http://host[:port], with an IPv6 address in brackets", s)
	case u.Scheme != "http":
		return endpoint{}, fmt.Errorf("endpoint %.80q: IMDS speaks http only", s)
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return endpoint{}, fmt.Errorf("endpoint %.80q: want nothing behind the host, /latest is added", s)
	case strings.Contains(u.Hostname(), "%"):
		return endpoint{}, fmt.Errorf("endpoint %.80q: an address with a zone can't be used", s)
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return endpoint{}, fmt.Errorf("endpoint %.80q: no valid port", s)
	}
	return endpoint{addr: net.JoinHostPort(u.Hostname(), port), host: u.Host}, nil
}
