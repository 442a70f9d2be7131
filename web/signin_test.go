package web

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tegata/login"
)

const testPassword = "correct horse"

func TestSigningInByLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	link, err := w.site.Login.NewLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	if a := b.get("/c/x"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/chat/sign-in?next=") {
		t.Fatalf("nobody is sent to %s", a.to())
	}
	for range 2 { // looking at it doesn't use it up
		page := b.get("/sign-in?link=" + link + "&next=/chat/c/x").body
		if !strings.Contains(page, `name="link" value="`+link+`"`) || !strings.Contains(page, `name="next" value="/chat/c/x"`) || strings.Contains(page, `type="password"`) {
			t.Fatalf("the form of a link:\n%s", page)
		}
	}
	a := b.post("/sign-in", "link", link, "next", "/chat/c/x")
	if a.status != http.StatusSeeOther || a.to() != "/chat/password?next=%2Fchat%2Fc%2Fx" {
		t.Errorf("without a password one is asked to set it, but came to %d %s", a.status, a.to())
	}
	if a := b.get("/sign-in?next=/chat/doctor"); a.to() != "/chat/doctor" {
		t.Errorf("who is in already is sent to %s", a.to())
	}
	other := w.browser()
	if a := other.post("/sign-in", "link", link); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "This link has been used") || strings.Contains(a.body, link) {
		t.Errorf("the link again: %d\n%s", a.status, a.body)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b, elsewhere := w.signedIn(), w.signedIn()
	if page := b.get("/password").body; strings.Count(page, `type="password"`) != 2 || !strings.Contains(page, `minlength="10"`) {
		t.Errorf("the form:\n%s", page)
	}
	for _, test := range []struct{ password, again, want string }{
		{"short", "short", "at least 10 characters"},
		{testPassword, testPassword + "!", "The two are not the same."},
	} {
		if a := b.post("/password", "password", test.password, "again", test.again); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, test.want) {
			t.Errorf("%q: %d\n%s", test.password, a.status, a.body)
		}
	}
	if a := b.post("/password", "password", testPassword, "again", testPassword); a.status != http.StatusOK || strings.Contains(a.body, testPassword) {
		t.Fatalf("setting it: %d\n%s", a.status, a.body)
	}
	if b.get("/").status != http.StatusOK || elsewhere.get("/").status != http.StatusSeeOther {
		t.Error("not this session alone goes on")
	}
	b.post("/sign-out")
	if a := b.get("/"); a.status != http.StatusSeeOther {
		t.Errorf("signed out, and still in: %d", a.status)
	}
	if page := b.get("/sign-in").body; !strings.Contains(page, `type="password"`) {
		t.Errorf("the form asks for no password:\n%s", page)
	}
	if a := b.post("/sign-in", "password", "wrong password"); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "That is not the password.") {
		t.Errorf("a wrong one: %d\n%s", a.status, a.body)
	}
	if a := b.post("/sign-in", "password", testPassword, "next", "https://evil.test/"); a.status != http.StatusSeeOther || a.to() != "/" {
		t.Errorf("the right one: %d to %s", a.status, a.to())
	}
	if s := w.logs.String(); strings.Contains(s, testPassword) {
		t.Errorf("the log has the password:\n%s", s)
	}
}

func TestTooManyTries(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.browser()
	var a answered
	for range 20 {
		if a = b.post("/sign-in", "link", "guess"); a.status != http.StatusUnauthorized {
			break
		}
	}
	if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || !strings.Contains(a.body, "Too many tries.") {
		t.Errorf("%d %v\n%s", a.status, a.header, a.body)
	}
}

func TestWithoutSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", func(s *Site) { s.Login = &login.Guard{DB: s.DB, Off: true} })
	b := w.browser()
	a := b.get("/")
	if a.status != http.StatusOK || strings.Contains(a.body, "/sign-out") {
		t.Errorf("%d\n%s", a.status, a.body)
	}
	if a := b.get("/sign-in"); a.to() != "/" {
		t.Errorf("the way in leads to %s", a.to())
	}
}

func TestAPasswordFromAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "", func(s *Site) { s.Login = &login.Guard{DB: s.DB, PasswordFile: file} })
	b := w.signedIn()
	if page := b.get("/password").body; strings.Contains(page, `type="password"`) {
		t.Errorf("a password that can't be set here is asked for:\n%s", page)
	}
	if a := b.post("/password", "password", testPassword, "again", testPassword); a.status != http.StatusUnprocessableEntity || !strings.Contains(a.body, "comes from a file") {
		t.Errorf("setting it: %d\n%s", a.status, a.body)
	}
}
