package login

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tegata/store"
)

func (h *house) status(t *testing.T, c *http.Client, path string) int {
	t.Helper()
	return send(t, c, "GET", h.url(path), nil).status
}

func (h *house) try(t *testing.T, c *http.Client, password string, headers ...string) int {
	t.Helper()
	return send(t, c, "POST", h.url("/sign-in"), url.Values{"password": {password}}, headers...).status
}

// TestPassword goes the way of a person: in by the link of the first start, a
// password, out and in again.
func TestPassword(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"store", "file"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			file := ""
			if where == "file" {
				file = filepath.Join(t.TempDir(), "password")
			}
			testPassword(t, build(t, Guard{PasswordFile: file}))
		})
	}
}

func testPassword(t *testing.T, h *house) {
	if has, err := h.HasPassword(t.Context()); has || err != nil {
		t.Fatalf("has %v, %v", has, err)
	}
	if got := h.try(t, h.browser(t), rightPassword); got != http.StatusTeapot {
		t.Errorf("before there is a password: %d", got)
	}
	me, other := h.signedIn(t), h.signedIn(t)
	link, err := h.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if a := send(t, me, "POST", h.url("/password"), url.Values{"password": {"123456789"}}); !strings.Contains(a.body, "at least 10 characters") {
		t.Errorf("short: %s", a.body)
	}
	if a := send(t, me, "POST", h.url("/password"), url.Values{"password": {rightPassword}}); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if has, err := h.HasPassword(t.Context()); !has || err != nil {
		t.Errorf("has %v, %v", has, err)
	}
	if mine, others := h.status(t, me, "/c/1"), h.status(t, other, "/c/1"); mine != http.StatusOK || others != http.StatusUnauthorized {
		t.Errorf("after the change: mine %d, the other %d", mine, others)
	}
	if a := send(t, other, "POST", h.url("/sign-in"), url.Values{"link": {link}}); a.status != http.StatusTeapot {
		t.Errorf("an old link after the change: %d", a.status)
	}
	if got := h.try(t, other, rightPassword+" "); got != http.StatusTeapot {
		t.Errorf("wrong password: %d", got)
	}
	if got := h.try(t, other, rightPassword); got != http.StatusOK {
		t.Errorf("right password: %d", got)
	}
	if got := h.status(t, other, "/c/1"); got != http.StatusOK {
		t.Errorf("signed in: %d", got)
	}
	if a := send(t, other, "POST", h.url("/sign-out"), nil); a.status != http.StatusOK || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("sign out: %d, %v", a.status, a.header)
	}
	if mine, others := h.status(t, me, "/c/1"), h.status(t, other, "/c/1"); mine != http.StatusOK || others != http.StatusUnauthorized {
		t.Errorf("after signing out: mine %d, the other %d", mine, others)
	}
}

// TestPasswordFile: the file can be written by others, and what can't be read
// lets nobody in.
func TestPasswordFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	h := build(t, Guard{PasswordFile: file})
	if err := h.SetPassword(t.Context(), rightPassword); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if hash, err := h.DB.PasswordHash(t.Context()); hash != "" || err != nil {
		t.Errorf("the store has the hash too: %v", err)
	}
	if err := os.WriteFile(file, []byte(rightPassword), 0o600); err != nil {
		t.Fatal(err)
	}
	if a := send(t, h.browser(t), "POST", h.url("/sign-in"), url.Values{"password": {rightPassword}}); !strings.Contains(a.body, "not of the form $argon2id$") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestReferenceHash checks a hash that the reference implementation made: it
// is in the tests of https://github.com/P-H-C/phc-winner-argon2.
func TestReferenceHash(t *testing.T) {
	t.Parallel()
	h, err := parseHash("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	if err != nil {
		t.Fatal(err)
	}
	got, err := h.of(t.Context(), "password")
	if err != nil || string(got) != string(h.sum) {
		t.Errorf("%x, %v, want %x", got, err, h.sum)
	}
}

func TestParseHash(t *testing.T) {
	t.Parallel()
	const salt, sum = "$c29tZXNhbHQ", "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	good := "$argon2id$v=19$m=65536,t=2,p=1" + salt + sum
	if h, err := parseHash(good); err != nil || h.String() != good {
		t.Errorf("%v, %v", h, err)
	}
	for _, bad := range []string{
		"", "x", good + "$", "$" + good, good + "=",
		strings.Replace(good, "argon2id", "argon2i", 1),
		strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=65536", "m=4194304", 1),
		strings.Replace(good, "m=65536", "m=7", 1),
		strings.Replace(good, "t=2", "t=0", 1),
		strings.Replace(good, "t=2", "t=1000", 1),
		strings.Replace(good, "p=1", "p=0", 1),
		strings.Replace(good, "p=1", "p=256", 1),
		strings.Replace(good, "p=1", "p=1,keyid=x", 1),
		strings.Replace(good, salt, "$", 1),
		strings.Replace(good, sum, "$c29tZXNhbHQ", 1),
		strings.Replace(good, sum, "$!", 1),
	} {
		if h, err := parseHash(bad); !errors.Is(err, errForm) {
			t.Errorf("%q: %v, %v", bad, h, err)
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	link, err := h.NewLink(t.Context())
	if err != nil || len(link) != 43 {
		t.Fatalf("%d characters, %v", len(link), err)
	}
	var in sync.Map
	var wait sync.WaitGroup
	for i := range 4 {
		c := h.browser(t)
		wait.Go(func() {
			res, err := c.PostForm(h.url("/sign-in"), url.Values{"link": {link}})
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				in.Store(i, true)
			}
		})
	}
	wait.Wait()
	n := 0
	in.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("the link let %d in, want one", n)
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		guard   Guard
		headers []string
		want    []string
		secure  bool
	}{
		{"plain", Guard{}, nil, []string{"Path=/", "HttpOnly", "SameSite=Lax", "Max-Age=2592000"}, false},
		{"prefix", Guard{Prefix: "/chat"}, nil, []string{"Path=/chat/"}, false},
		{"claims TLS without a proxy", Guard{}, []string{"X-Forwarded-Proto", "https"}, nil, false},
		{"TLS at the proxy", Guard{Proxied: true}, []string{"X-Forwarded-Proto", "https"}, []string{"Secure"}, true},
		{"no TLS at the proxy", Guard{Proxied: true}, []string{"X-Forwarded-Proto", "http"}, nil, false},
		{"TLS before two proxies, not between", Guard{Proxied: true}, []string{"X-Forwarded-Proto", "https, http"}, nil, false},
	} {
		h := build(t, test.guard)
		link, err := h.NewLink(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := send(t, h.browser(t), "POST", h.url("/sign-in"), url.Values{"link": {link}}, test.headers...)
		cookie := strings.Split(a.header.Get("Set-Cookie"), "; ")
		for _, want := range test.want {
			if !strings.Contains(strings.Join(cookie[1:], ";")+";", want+";") {
				t.Errorf("%s: %q, want %s", test.name, cookie[1:], want)
			}
		}
		if got := strings.Contains(strings.Join(cookie[1:], ";"), "Secure"); got != test.secure {
			t.Errorf("%s: secure %v", test.name, got)
		}
	}
}

// TestSignInAgain: who signs in again has one session, not two.
func TestSignInAgain(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	c := h.signedIn(t)
	before := h.cookie(t, c)
	link, err := h.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	send(t, c, "POST", h.url("/sign-in"), url.Values{"link": {link}})
	now := h.cookie(t, c)
	if now == before {
		t.Error("the session did not change")
	}
	if a := send(t, h.browser(t), "GET", h.url("/c/1"), nil, "Cookie", sessionCookie+"="+before); a.status != http.StatusUnauthorized {
		t.Errorf("the old session: %d", a.status)
	}
	// Cookies of other paths, or of before, do not hide the one that counts.
	two := sessionCookie + "=" + before + "; " + sessionCookie + "=" + now
	if a := send(t, h.browser(t), "GET", h.url("/c/1"), nil, "Cookie", two); a.status != http.StatusOK {
		t.Errorf("two cookies: %d", a.status)
	}
}

// TestStillIn: what takes long learns that its person has signed out.
func TestStillIn(t *testing.T) {
	t.Parallel()
	requests := make(chan context.Context, 1)
	h := build(t, Guard{}, Route{"GET /events", Program, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		requests <- context.WithoutCancel(r.Context())
	})})
	person := h.signedIn(t)
	send(t, person, "GET", h.url("/events"), nil)
	events := <-requests
	send(t, h.browser(t), "GET", h.url("/events"), nil, "Authorization", "Bearer "+h.key(t, "ci"))
	program := <-requests
	if !h.StillIn(events) || !h.StillIn(program) {
		t.Error("nobody has left")
	}
	send(t, person, "POST", h.url("/sign-out"), nil)
	if h.StillIn(events) || !h.StillIn(program) {
		t.Error("the person has left, and no other")
	}
}

// TestSessionSlides: a session in use is extended, at most once a day, and
// public files do not carry cookies.
func TestSessionSlides(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	for _, test := range []struct {
		left   time.Duration
		path   string
		status int
		renews bool
	}{
		{sessionFor - time.Hour, "/c/1", 200, false},
		{sessionFor - 25*time.Hour, "/ready", 200, false},
		{sessionFor - 25*time.Hour, "/c/1", 200, true},
		{time.Minute, "/c/1", 200, true},
		{-time.Minute, "/c/1", 401, false},
	} {
		secret := newSecret()
		if err := h.DB.AddSession(t.Context(), hashOf(secret), time.Now().Add(test.left)); err != nil {
			t.Fatal(err)
		}
		a := send(t, h.browser(t), "GET", h.url(test.path), nil, "Cookie", sessionCookie+"="+secret)
		cookie := a.header.Get("Set-Cookie")
		if a.status != test.status || (cookie != "") != test.renews {
			t.Errorf("%s, %v left: %d, cookie %v", test.path, test.left, a.status, cookie != "")
		}
		s, err := h.DB.Session(t.Context(), hashOf(secret))
		if test.renews && (err != nil || time.Until(s.Expires) < sessionFor-time.Minute) {
			t.Errorf("%v left: expires %v, %v", test.left, s.Expires, err)
		}
	}
}

// TestAttempts: guessing is stopped for its address, not for others, and who
// gets in begins anew.
func TestAttempts(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{Proxied: true})
	hash, err := (passwordHash{memory: 64, passes: 1, lanes: 1, salt: make([]byte, 8), sum: make([]byte, 16)}).sealed(t, rightPassword)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.DB.SetPassword(t.Context(), hash); err != nil {
		t.Fatal(err)
	}
	from := func(address, password string) int {
		return h.try(t, h.browser(t), password, "X-Forwarded-For", "203.0.113.99, "+address)
	}
	for range attempts - 1 {
		if got := from("203.0.113.1", "wrong"); got != http.StatusTeapot {
			t.Fatalf("attempt: %d", got)
		}
	}
	if got := from("203.0.113.1", rightPassword); got != http.StatusOK {
		t.Errorf("the right password: %d", got)
	}
	for range attempts {
		from("203.0.113.1", "wrong")
	}
	if got := from("203.0.113.1", rightPassword); got != http.StatusTooManyRequests {
		t.Errorf("after too many attempts: %d", got)
	}
	if got := from("203.0.113.2", rightPassword); got != http.StatusOK {
		t.Errorf("another address: %d", got)
	}
}

// sealed is the PHC form of a password with cheap settings.
func (h passwordHash) sealed(t *testing.T, password string) (string, error) {
	sum, err := h.of(t.Context(), password)
	h.sum = sum
	return h.String(), err
}

func TestDoor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		me := netip.MustParsePrefix("203.0.113.1/32")
		for range attempts {
			if wait := d.knock(me); wait != 0 {
				t.Errorf("an attempt has to wait %v", wait)
			}
		}
		if wait := d.knock(me); wait != attemptEvery {
			t.Errorf("wait %v, want %v", wait, attemptEvery)
		}
		time.Sleep(attemptEvery)
		if wait := d.knock(me); wait != 0 {
			t.Errorf("after the time told, wait %v", wait)
		}
		d.forget(me)
		if wait := d.knock(me); wait != 0 {
			t.Errorf("forgotten, wait %v", wait)
		}
	})
}

// TestCrowd: many addresses together are held back too, and take up no more
// memory than was meant for them.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor()
		let := 0
		for i := range 3 * mostAddresses {
			network := netip.AddrFrom16([16]byte{0x20, 0x01, 6: byte(i >> 8), 7: byte(i)})
			if d.knock(netip.PrefixFrom(network, 64)) == 0 {
				let++
			}
		}
		if let != attemptsOfAll {
			t.Errorf("%d attempts counted at once, want %d", let, attemptsOfAll)
		}
		if len(d.each) > mostAddresses+1 {
			t.Errorf("%d addresses are remembered", len(d.each))
		}
		time.Sleep(time.Hour)
		d.knock(netip.MustParsePrefix("203.0.113.1/32"))
		if len(d.each) != 1 {
			t.Errorf("%d addresses are remembered after an hour", len(d.each))
		}
	})
}

// TestOutside: without the mux nobody counts attempts, so nobody gets in.
func TestOutside(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	link, err := h.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", "/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SignInByLink(t.Context(), nil, r, link); !errors.Is(err, errOutside) {
		t.Errorf("error %v", err)
	}
}

// TestLogHoldsNoSecrets lets everything happen that is logged, and looks for
// what opens something.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	h := build(t, Guard{})
	link, err := h.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c, key := h.browser(t), h.key(t, "ci")
	send(t, c, "POST", h.url("/sign-in"), url.Values{"link": {link}})
	send(t, c, "POST", h.url("/password"), url.Values{"password": {rightPassword}})
	h.try(t, h.browser(t), "my wrong password")
	h.try(t, c, rightPassword)
	cookie := h.cookie(t, c)
	send(t, h.browser(t), "GET", h.url("/v1/models"), nil, "Authorization", "Bearer "+key+"x")
	if err := h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	send(t, c, "GET", h.url("/c/1"), nil)
	send(t, c, "GET", h.url("/v1/models"), nil, "Authorization", "Bearer "+key)
	log := h.log.String()
	for _, said := range []string{"signed in", "could not sign in", "the password was set", "find out who sends"} {
		if !strings.Contains(log, said) {
			t.Errorf("%q is not in the log:\n%s", said, log)
		}
	}
	for what, secret := range map[string]string{"link": link, "key": key, "cookie": cookie, "password": rightPassword, "wrong password": "my wrong password"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
}

// TestStoredHashed looks into the files themselves.
func TestStoredHashed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tegata.db")
	db, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	h := build(t, Guard{})
	if err := h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	h.DB = db
	key := h.key(t, "ci")
	link, err := h.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{key, strings.TrimPrefix(key, keyMark), link} {
			if strings.Contains(string(b), secret) {
				t.Errorf("%s holds a secret", filepath.Base(file))
			}
		}
	}
}
