package web

import (
	"net/http/httptest"
	"testing"
)

func TestLocal(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"":                        "/chat/",
		"/chat/":                  "/chat/",
		"/chat/c/x?q=1#m":         "/chat/c/x?q=1#m",
		"/chat/sign-in?link=abc":  "/chat/sign-in?link=abc",
		"/":                       "/chat/",
		"/chat":                   "/chat/",
		"/chats/":                 "/chat/",
		"https://evil.test/chat/": "/chat/",
		"//evil.test/chat/":       "/chat/",
		"/\\evil.test/chat/":      "/chat/",
		"/chat/\\evil":            "/chat/",
		"/chat/../other":          "/chat/",
		"/chat/%2e%2e/other":      "/chat/",
		"/chat/..":                "/chat/",
		"javascript:alert(1)":     "/chat/",
		"/chat/\nx":               "/chat/",
	} {
		v := &visit{site: &Site{Prefix: "/chat"}, r: httptest.NewRequest("GET", "/", nil)}
		if got := v.local(next); got != want {
			t.Errorf("local(%q) = %q, want %q", next, got, want)
		}
	}
	v := &visit{site: &Site{}, r: httptest.NewRequest("GET", "/", nil)}
	for _, next := range []string{"//evil.test/", "///evil.test/", "/\\evil.test"} {
		if got := v.local(next); got != "/" {
			t.Errorf("local(%q) = %q without a prefix", next, got)
		}
	}
}
