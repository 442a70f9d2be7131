//go:build unix

package test

import (
	"bufio"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tegata/gateway"
	"tegata/login"
	"tegata/web"
)

// What everybody may have. A route that is to be open has to be named here.
var openRoutes = []string{
	"GET /health", "GET /ready", // for load balancers, which can't sign in
	"GET /sign-in", "POST /sign-in", "POST /preferences", "GET /static/{file}",
}

// Nobody gets in who has neither signed in nor a key, by any route, and a
// program gets no further than its key reaches.
func TestRoutesAreClosed(t *testing.T) {
	if !inBox(t, "") {
		return
	}
	s := serve(t, t.TempDir())
	s.signIn()
	var open []string
	for _, route := range append((&gateway.Server{}).Routes(), (&web.Site{}).Routes()...) {
		if route.Access == login.Public {
			open = append(open, route.Pattern)
			continue
		}
		for _, method := range methods(route) {
			s.closed(method, pathOf(route), route.Access)
		}
	}
	slices.Sort(open)
	want := slices.Sorted(slices.Values(openRoutes))
	if !slices.Equal(open, want) {
		t.Errorf("open routes %v, want %v", open, want)
	}
	for _, path := range []string{"//", "//c", "/./doctor", "/sign-in/../doctor", "/static/../doctor", "/%2e%2e/doctor", "/health/../v1/models", "/V1/models", "/ready/x"} {
		if got, _ := s.raw("GET", path, http.Header{"Accept": {"text/html"}}); got == http.StatusOK {
			t.Errorf("GET %s: %d", path, got)
		}
	}
	s.stop()
}

func methods(route login.Route) []string {
	if method, _, ok := strings.Cut(route.Pattern, " "); ok {
		return []string{method}
	}
	return []string{"GET", "POST", "PUT", "DELETE", "OPTIONS"}
}

var wildcard = regexp.MustCompile(`\{\w+(\.\.\.)?\}`)

func pathOf(route login.Route) string {
	_, path, ok := strings.Cut(route.Pattern, " ")
	if !ok {
		path = route.Pattern
	}
	return wildcard.ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "some")
}

// closed tries a route as all those who may not use it.
func (s *server) closed(method, path string, access login.Access) {
	s.t.Helper()
	page := http.Header{"Accept": {"text/html,*/*;q=0.8"}}
	strangers := map[string]http.Header{
		"nobody":         {},
		"a browser":      page,
		"a false key":    {"Authorization": {"Bearer tgk_" + strings.Repeat("a", 43)}},
		"a false cookie": {"Cookie": {s.person.Name + "=" + strings.Repeat("a", 43)}},
		"no scheme":      {"Authorization": {s.key}},
		"another scheme": {"Authorization": {"Basic " + s.key}},
		"key as cookie":  {"Cookie": {s.person.Name + "=" + s.key}},
		"cookie as key":  {"Authorization": {"Bearer " + s.person.Value}},
	}
	if access == login.Person {
		strangers["a program"] = s.asProgram()
	}
	for name, header := range strangers {
		got, location := s.raw(method, path, header)
		toSignIn := got == http.StatusSeeOther && strings.HasPrefix(location, "/sign-in") && name == "a browser"
		want := http.StatusUnauthorized
		if name == "a program" {
			want = http.StatusForbidden
		}
		if got != want && !toSignIn {
			s.t.Errorf("%s %s by %s: %d %s", method, path, name, got, location)
		}
	}
}

// raw sends a request whose path no client has cleaned.
func (s *server) raw(method, path string, header http.Header) (status int, location string) {
	s.t.Helper()
	u, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := net.Dial("tcp", u.Host)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	host := header.Get("Host")
	if host == "" {
		host = u.Host
	}
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: 0\r\n", method, path, host)
	header = header.Clone()
	header.Del("Host")
	header.Write(c)
	fmt.Fprint(c, "\r\n")
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r.StatusCode, r.Header.Get("Location") // the body may be a stream without end
}

// A name that is not the server's is refused whatever it asks for, and so is
// what the page of another site has a browser send with the person's cookie.
func TestHostAndOrigin(t *testing.T) {
	if !inBox(t, "") {
		return
	}
	s := serve(t, t.TempDir(), "--public-url", "http://chat.example.com")
	s.signIn()
	for host, ours := range map[string]bool{
		"chat.example.com": true, "CHAT.example.com:80": true, "127.0.0.1": true, "localhost:8338": true, "[::1]:80": true,
		"evil.test": false, "evil.test:8338": false, "127.0.0.1.evil.test": false, "localhost.evil.test": false,
		"evil-chat.example.com": false, "chat.example.com.evil.test": false, "notlocalhost": false,
	} {
		for _, path := range []string{"/", "/health", "/ready", "/sign-in", "/v1/models", "/doctor"} {
			header := s.asPerson()
			header.Set("Host", host)
			got, _ := s.raw("GET", path, header)
			if refused := got == http.StatusMisdirectedRequest; refused == ours || got >= 400 && ours && path != "/ready" {
				t.Errorf("GET %s of %s: %d", path, host, got)
			}
		}
	}
	for name, foreign := range map[string]http.Header{
		"another site":      {"Origin": {"http://evil.test"}},
		"no site":           {"Origin": {"null"}},
		"another port":      {"Origin": {"http://127.0.0.1:1"}},
		"fetched elsewhere": {"Sec-Fetch-Site": {"cross-site"}},
		"a sibling":         {"Sec-Fetch-Site": {"same-site"}},
		"both":              {"Origin": {"https://evil.test"}, "Sec-Fetch-Site": {"cross-site"}},
	} {
		for _, route := range append((&gateway.Server{}).Routes(), (&web.Site{}).Routes()...) {
			if !slices.Contains(methods(route), "POST") {
				continue
			}
			header := s.asPerson()
			maps.Copy(header, foreign)
			if got, _ := s.raw("POST", pathOf(route), header); got != http.StatusForbidden {
				t.Errorf("POST %s by the page of %s: %d, want 403", pathOf(route), name, got)
			}
		}
	}
	if got, _ := s.raw("GET", "/", s.asPerson()); got != 200 {
		t.Errorf("the person is no longer signed in: %d", got)
	}
	s.stop()
}
