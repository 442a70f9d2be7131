package login

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestForeignNames: a page whose name leads here (DNS rebinding) reads
// nothing, not even what is public.
func TestForeignNames(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{Hosts: []string{"Chat.Example.com"}})
	if !h.isOurs("") {
		t.Error("HTTP/1.0 without a Host is turned away")
	}
	session := sessionCookie + "=" + h.cookie(t, h.signedIn(t))
	for host, ours := range map[string]bool{
		"127.0.0.1":                true,
		"127.0.0.1:8338":           true,
		"[::1]:8338":               true,
		"10.1.2.3":                 true,
		"localhost":                true,
		"LOCALHOST.:80":            true,
		"tegata.localhost:8338":    true,
		"chat.example.com":         true,
		"CHAT.EXAMPLE.COM.:443":    true,
		"example.com":              false,
		"evil.example:8338":        false,
		"chat.example.com.evil.io": false,
		"127.0.0.1.evil.example":   false,
		"localhost.evil.example":   false,
		"xlocalhost":               false,
		"169-254-169-254.evil.io":  false,
	} {
		for _, path := range []string{"/c/1", "/health", "/ready"} {
			a := send(t, h.browser(t), "GET", h.url(path), nil, "Host", host, "Cookie", session)
			if ours != (a.status == http.StatusOK) || !ours && (a.status != http.StatusMisdirectedRequest || a.code() != "foreign_host") {
				t.Errorf("%s of %s: %d %s", path, host, a.status, a.body)
			}
			if strings.Contains(a.body, "evil") {
				t.Errorf("%s: the answer repeats the name", host)
			}
		}
	}
}

// TestForeignPages: nothing changes because the page of another site wants it.
func TestForeignPages(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	c := h.signedIn(t)
	here := h.server.URL
	for _, test := range []struct {
		method  string
		headers []string
		status  int
	}{
		{"POST", nil, 200},
		{"POST", []string{"Origin", here}, 200},
		{"POST", []string{"Sec-Fetch-Site", "same-origin", "Origin", here}, 200},
		{"POST", []string{"Sec-Fetch-Site", "none"}, 200},
		{"POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"POST", []string{"Origin", "https://evil.example"}, 403},
		{"POST", []string{"Origin", "null"}, 403},
		{"POST", []string{"Origin", "http://127.0.0.1:1"}, 403},
		{"DELETE", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
	} {
		a := send(t, c, test.method, h.url("/c/1/delete"), nil, test.headers...)
		if a.status != test.status || test.status == 403 && a.code() != "foreign_origin" {
			t.Errorf("%s %q: %d %s", test.method, test.headers, a.status, a.body)
		}
	}
}

func TestSender(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, peer string
		forwarded  []string
		proxied    bool
		want       string
	}{
		{"direct", "203.0.113.7:1234", nil, false, "203.0.113.7/32"},
		{"IPv6 counts by its network", "[2001:db8:1:2:3::4]:1", nil, false, "2001:db8:1:2::/64"},
		{"IPv4 in IPv6", "[::ffff:203.0.113.7]:1", nil, false, "203.0.113.7/32"},
		{"link-local", "[fe80::1%eth0]:1", nil, false, "fe80::/64"},
		{"claims without a proxy", "203.0.113.7:1", []string{"198.51.100.1"}, false, "203.0.113.7/32"},
		{"claims from a private address without a proxy", "10.0.0.5:1", []string{"198.51.100.1"}, false, "10.0.0.5/32"},
		{"claims past the proxy", "203.0.113.7:1", []string{"198.51.100.1"}, true, "203.0.113.7/32"},
		{"last of a list", "10.0.0.5:1", []string{"1.2.3.4, 198.51.100.1"}, true, "198.51.100.1/32"},
		{"last of several headers", "127.0.0.1:1", []string{"1.2.3.4", "198.51.100.1"}, true, "198.51.100.1/32"},
		{"with a port", "10.0.0.5:1", []string{"198.51.100.1:4711"}, true, "198.51.100.1/32"},
		{"IPv6 with a port", "[fd00::1]:1", []string{"[2001:db8::1]:4711"}, true, "2001:db8::/64"},
		{"garbage", "10.0.0.5:1", []string{"unknown"}, true, "10.0.0.5/32"},
		{"no header", "10.0.0.5:1", nil, true, "10.0.0.5/32"},
		{"no address", "@", nil, false, "invalid Prefix"},
	} {
		r := httptest.NewRequest("POST", "/", nil)
		r.RemoteAddr = test.peer
		r.Header["X-Forwarded-For"] = test.forwarded
		if got := (&Guard{Proxied: test.proxied}).sender(r).String(); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}
