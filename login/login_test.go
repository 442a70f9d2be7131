package login

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/store"
)

// A house is a guard with something to guard, on a server, and a log.
type house struct {
	*Guard
	server *httptest.Server
	log    *logBook
}

type logBook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

const rightPassword = "open, barrier! 開け"

// build serves the guard, whose zero value will do, with routes of every kind.
func build(t *testing.T, g Guard, more ...Route) *house {
	t.Helper()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "tegata.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Guard: &g, log: &logBook{}}
	g.DB, g.Log = db, slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.server = httptest.NewServer(g.Mux(append(more, h.routes()...)...))
	t.Cleanup(func() {
		h.server.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// told is what the routes of a house tell about a request.
type told struct{ Name, Path, Pattern string }

func tell(w http.ResponseWriter, r *http.Request) {
	json.NewEncoder(w).Encode(told{WhoIs(r.Context()).Name, r.URL.EscapedPath(), r.Pattern})
}

func (h *house) routes() []Route {
	enter := func(way func(context.Context, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			err := way(r.Context(), w, r)
			var tooMany *TooManyError
			switch {
			case errors.As(err, &tooMany):
				http.Error(w, err.Error(), http.StatusTooManyRequests)
			case err != nil:
				http.Error(w, err.Error(), http.StatusTeapot)
			}
		}
	}
	return []Route{
		{"GET /health", Public, http.HandlerFunc(tell)},
		{"GET /ready", Public, http.HandlerFunc(tell)},
		{"GET /metrics", Program, http.HandlerFunc(tell)},
		{"GET /v1/models", Program, http.HandlerFunc(tell)},
		{"POST /v1/chat/completions", Program, http.HandlerFunc(tell)},
		{"GET /c/{id}", Person, http.HandlerFunc(tell)},
		{"POST /c/{id}/delete", Person, http.HandlerFunc(tell)},
		{"POST /sign-in", Public, enter(func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
			if link := r.FormValue("link"); link != "" {
				return h.SignInByLink(ctx, w, r, link)
			}
			return h.SignIn(ctx, w, r, r.FormValue("password"))
		})},
		{"POST /sign-out", Person, enter(h.SignOut)},
		{"POST /password", Person, enter(func(ctx context.Context, w http.ResponseWriter, r *http.Request) error {
			return h.SetPassword(ctx, r.FormValue("password"))
		})},
		{"/{path...}", Person, http.HandlerFunc(tell)},
	}
}

// A browser keeps cookies and follows nothing.
func (h *house) browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (h *house) url(path string) string { return h.server.URL + h.Prefix + path }

// An answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   string
}

// told is what the handler told, if the request reached one.
func (a answer) told(t *testing.T) (what told) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), &what); err != nil || a.status != http.StatusOK {
		t.Fatalf("status %d, %q: no handler was reached", a.status, a.body)
	}
	return what
}

func (a answer) code() string {
	var e struct{ Error struct{ Code string } }
	json.Unmarshal([]byte(a.body), &e)
	return e.Error.Code
}

// send sends a request; headers are given as name, value, name, value.
func send(t *testing.T, c *http.Client, method, to string, form url.Values, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, to, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
		r.Header.Del("Host")
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(body)}
}

// signedIn returns a browser that has come in by a link.
func (h *house) signedIn(t *testing.T) *http.Client {
	t.Helper()
	link, err := h.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := h.browser(t)
	if a := send(t, c, "POST", h.url("/sign-in"), url.Values{"link": {link}}); a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	return c
}

// cookie returns the secret of the session that a browser has.
func (h *house) cookie(t *testing.T, c *http.Client) string {
	t.Helper()
	at, err := url.Parse(h.url("/"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cookie := range c.Jar.Cookies(at) {
		if cookie.Name == sessionCookie {
			return cookie.Value
		}
	}
	t.Fatal("the browser has no session")
	return ""
}

func (h *house) key(t *testing.T, name string) string {
	t.Helper()
	key, err := AddClient(t.Context(), h.DB, name)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

const page = "text/html,application/xhtml+xml"

// TestAccess goes through who may go where.
func TestAccess(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/chat"} {
		h := build(t, Guard{Prefix: prefix})
		person, nobody := h.signedIn(t), h.browser(t)
		key := "Bearer " + h.key(t, "ci")
		for _, test := range []struct {
			method, path, accept   string
			nobody, program, human int
		}{
			{"GET", "/health", page, 200, 200, 200},
			{"GET", "/ready", page, 200, 200, 200},
			{"GET", "/metrics", page, 401, 200, 200},
			{"GET", "/v1/models", page, 401, 200, 200},
			{"POST", "/v1/chat/completions", "*/*", 401, 200, 200},
			{"GET", "/c/1", page, 303, 403, 200},
			{"GET", "/c/1", "text/event-stream", 401, 403, 200},
			{"POST", "/c/1/delete", page, 303, 403, 200},
			{"POST", "/c/1/delete", "application/json", 401, 403, 200},
			{"GET", "/no/such/page", page, 303, 403, 200},
			{"PUT", "/c/1", "*/*", 401, 403, 200},
		} {
			to := h.url(test.path)
			got := []int{
				send(t, nobody, test.method, to, nil, "Accept", test.accept).status,
				send(t, nobody, test.method, to, nil, "Accept", test.accept, "Authorization", key).status,
				send(t, person, test.method, to, nil, "Accept", test.accept).status,
			}
			if diff := cmp.Diff([]int{test.nobody, test.program, test.human}, got); diff != "" {
				t.Errorf("%s %s, %s: nobody, program, person (-want +got):\n%s", test.method, prefix+test.path, test.accept, diff)
			}
		}
	}
}

func TestWhoIs(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	key := h.key(t, "ci")
	for _, test := range []struct {
		name, want string
		c          *http.Client
		headers    []string
	}{
		{"nobody", "", h.browser(t), nil},
		{"program", "ci", h.browser(t), []string{"Authorization", "Bearer " + key}},
		{"lower case", "ci", h.browser(t), []string{"Authorization", "bearer  " + key}},
		{"other scheme", "", h.browser(t), []string{"Authorization", "Basic " + key}},
		{"wrong key", "", h.browser(t), []string{"Authorization", "Bearer tgk_none"}},
		{"hash as key", "", h.browser(t), []string{"Authorization", fmt.Sprintf("Bearer %x", hashOf(key))}},
		{"person", "person", h.signedIn(t), nil},
		{"person with a key", "person", h.signedIn(t), []string{"Authorization", "Bearer " + key}},
		{"wrong cookie", "", h.browser(t), []string{"Cookie", "tegata_session=none"}},
	} {
		if got := send(t, test.c, "GET", h.url("/ready"), nil, test.headers...).told(t).Name; got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if got := WhoIs(t.Context()); got != (Who{}) {
		t.Errorf("outside of a request: %v", got)
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{Prefix: "/a/b"})
	person := h.signedIn(t)
	for path, want := range map[string]told{
		"/a/b/c/x":       {"person", "/c/x", "GET /c/{id}"},
		"/a/b/c/x%2Fy":   {"person", "/c/x%2Fy", "GET /c/{id}"},
		"/%61/b/c/x%2Fy": {"person", "/c/x/y", "GET /c/{id}"},
		"/a%2Fb/c/x":     {},
		"/a/b/health":    {"person", "/health", "GET /health"},
		"/a/b/a/b/else":  {"person", "/a/b/else", "/{path...}"},
	} {
		a := send(t, person, "GET", h.server.URL+path, nil)
		if (want == told{}) {
			if a.status != http.StatusNotFound {
				t.Errorf("%s: status %d, want 404", path, a.status)
			}
			continue
		}
		if diff := cmp.Diff(want, a.told(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if got := send(t, h.browser(t), "GET", h.server.URL+"/health", nil).told(t).Path; got != "/health" {
		t.Errorf("health without prefix: %q", got)
	}
	a := send(t, person, "GET", h.server.URL+"/a/b?q=1", nil)
	if a.status != http.StatusPermanentRedirect || a.header.Get("Location") != "/a/b/?q=1" {
		t.Errorf("bare prefix: %d to %q", a.status, a.header.Get("Location"))
	}
	if a := send(t, person, "GET", h.server.URL+"/c/x", nil); a.status != http.StatusNotFound {
		t.Errorf("outside of the prefix: %d", a.status)
	}
}

func TestWayIn(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{Prefix: "/chat"})
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/c/1?q=a&b=%E6%89%8B", "/chat/sign-in?next=%2Fchat%2Fc%2F1%3Fq%3Da%26b%3D%25E6%2589%258B"},
		{"HEAD", "/c/1", "/chat/sign-in?next=%2Fchat%2Fc%2F1"},
		{"POST", "/c/1/delete", "/chat/sign-in"},
		{"GET", "//evil.example/", "/chat/sign-in?next=%2Fchat%2F%2Fevil.example%2F"},
	} {
		a := send(t, h.browser(t), test.method, h.url(test.path), nil, "Accept", page)
		if to := a.header.Get("Location"); test.path[1] == '/' && strings.HasPrefix(to, "/chat/evil") {
			continue // the mux has cleaned the path first, within the prefix
		} else if a.status != http.StatusSeeOther || to != test.want {
			t.Errorf("%s %s: %d to %q, want %q", test.method, test.path, a.status, to, test.want)
		}
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	for _, test := range []struct {
		name, path string
		headers    []string
		status     int
		code, word string
	}{
		{"no key", "/v1/models", nil, 401, "missing_api_key", "tegata client add"},
		{"no key, Japanese", "/v1/models", []string{"Accept-Language", "ja,en;q=0.5"}, 401, "missing_api_key", "キー"},
		{"wrong key", "/v1/models", []string{"Authorization", "Bearer tgk_none"}, 401, "invalid_api_key", "not known"},
		{"another's key", "/v1/models", []string{"Authorization", "Bearer sk-abc"}, 401, "invalid_api_key", "not known"},
		{"script without session", "/c/1", []string{"Accept", "application/json"}, 401, "not_signed_in", "Sign in"},
		{"key on a page", "/c/1", []string{"Authorization", "Bearer " + h.key(t, "ci")}, 403, "people_only", "/v1/"},
	} {
		a := send(t, h.browser(t), "GET", h.url(test.path), nil, test.headers...)
		if a.status != test.status || a.code() != test.code || !strings.Contains(a.body, test.word) {
			t.Errorf("%s: %d %s", test.name, a.status, a.body)
		}
		if bearer := a.header.Get("WWW-Authenticate"); (bearer == "Bearer") != (test.status == 401) {
			t.Errorf("%s: WWW-Authenticate %q", test.name, bearer)
		}
		if a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", test.name, a.header)
		}
	}
}

// TestRemovedKey: a key that was taken back opens nothing from then on.
func TestRemovedKey(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	key := h.key(t, "ci")
	ask := func() int {
		return send(t, h.browser(t), "GET", h.url("/v1/models"), nil, "Authorization", "Bearer "+key).status
	}
	if got := ask(); got != http.StatusOK {
		t.Fatalf("status %d", got)
	}
	if err := h.DB.RemoveClient(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != http.StatusUnauthorized {
		t.Errorf("status %d after the key was removed", got)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	long := strings.Repeat("n", 64)
	for _, name := range []string{"ci", "A-1_b.c", "9", long} {
		if key := h.key(t, name); !strings.HasPrefix(key, "tgk_") || len(key) != 47 {
			t.Errorf("%s: a key of %d characters", name, len(key))
		}
	}
	for _, name := range []string{"", "a b", "手形", "-o", ".x", "_", "a\n", long + "n", "person"} {
		if _, err := AddClient(t.Context(), h.DB, name); !errors.Is(err, ErrName) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := AddClient(t.Context(), h.DB, "ci"); !errors.Is(err, store.ErrExists) {
		t.Errorf("taken: %v", err)
	}
}

// TestOff: with the login off everybody is a person, but not the pages of
// others.
func TestOff(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{Off: true})
	c := h.browser(t)
	if got := send(t, c, "GET", h.url("/c/1"), nil).told(t).Name; got != "person" {
		t.Errorf("name %q", got)
	}
	key := "Bearer " + h.key(t, "ci")
	if got := send(t, c, "POST", h.url("/v1/chat/completions"), nil, "Authorization", key).told(t).Name; got != "ci" {
		t.Errorf("name %q with a key", got)
	}
	if got := send(t, c, "POST", h.url("/v1/chat/completions"), nil, "Authorization", "Bearer any").told(t).Name; got != "person" {
		t.Errorf("name %q with any key", got)
	}
	if a := send(t, c, "GET", h.url("/c/1"), nil, "Host", "evil.example"); a.status != http.StatusMisdirectedRequest {
		t.Errorf("foreign name: %d", a.status)
	}
	if a := send(t, c, "POST", h.url("/c/1/delete"), nil, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("foreign page: %d", a.status)
	}
}

func TestPanic(t *testing.T) {
	t.Parallel()
	const secret = "what a person wrote"
	h := build(t, Guard{},
		Route{"GET /before", Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(secret) })},
		Route{"GET /after", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "begun")
			w.(http.Flusher).Flush()
			panic(errors.New(secret))
		})},
		Route{"GET /hint", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusEarlyHints) // no answer yet
			panic(secret)
		})},
		Route{"GET /index", Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { _ = []int{}[len(h0)] })},
		Route{"GET /abort", Public, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })},
	)
	for _, path := range []string{"/before", "/hint", "/index"} {
		if a := send(t, h.browser(t), "GET", h.url(path), nil); a.status != 500 || a.code() != "internal_error" || strings.Contains(a.body, secret) {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	for _, path := range []string{"/after", "/abort"} {
		res, err := h.server.Client().Get(h.url(path))
		if err == nil {
			_, err = io.ReadAll(res.Body)
			res.Body.Close()
		}
		if err == nil {
			t.Errorf("%s: the connection ended in good order", path)
		}
	}
	log := h.log.String()
	if strings.Contains(log, secret) || !strings.Contains(log, "index out of range") || strings.Count(log, "a handler panicked") != 4 {
		t.Errorf("log: %s", log)
	}
}

var h0 = []int{} // whose length the compiler does not know

// TestWriter: handlers reach what the server's own writer can do.
func TestWriter(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{}, Route{"GET /stream", Public, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		control := http.NewResponseController(w)
		if err := control.SetWriteDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusEarlyHints)
		if err := control.Flush(); err != nil {
			t.Error(err)
		}
		<-r.Context().Done()
	})})
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", h.url("/stream"), nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := h.server.Client().Do(r) // returns once the handler has flushed
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	res.Body.Close()
}

// TestStoreGone: nobody gets in when the store can't tell who they are.
func TestStoreGone(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	person, key := h.signedIn(t), h.key(t, "ci")
	if err := h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	for _, a := range []answer{
		send(t, person, "GET", h.url("/c/1"), nil),
		send(t, h.browser(t), "GET", h.url("/v1/models"), nil, "Authorization", "Bearer "+key),
	} {
		if a.status != http.StatusServiceUnavailable || a.code() != "store_unavailable" || a.header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	if a := send(t, h.browser(t), "GET", h.url("/health"), nil); a.status != http.StatusOK {
		t.Errorf("health: %d", a.status)
	}
}
