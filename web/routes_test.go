package web

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"tegata/internal/message"
	"tegata/internal/report"
	"tegata/login"
)

// closed are the routes that want a person, with paths that fit.
func closed(s *Site) []string {
	var all []string
	for _, r := range s.Routes() {
		if r.Access == login.Person {
			p := strings.NewReplacer("{$}", "", "{id}", "x", "{path...}", "no/such/page").Replace(r.Pattern)
			if !strings.Contains(p, " ") {
				p = "GET " + p
			}
			all = append(all, p)
		}
	}
	return all
}

func TestRoutesWantAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.browser()
	all := closed(w.site)
	if len(all) < 15 {
		t.Fatalf("only %d routes", len(all))
	}
	for _, route := range all {
		method, path, _ := strings.Cut(route, " ")
		a := b.do(b.request(method, path, nil))
		if a.status != http.StatusUnauthorized && (a.status != http.StatusSeeOther || !strings.HasPrefix(a.to(), "/chat/sign-in")) {
			t.Errorf("%s: %d to %q", route, a.status, a.to())
		}
	}
}

// Every answer tells the browser to keep to itself.
func TestHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	for _, route := range append(closed(w.site), "GET /sign-in") {
		method, path, _ := strings.Cut(route, " ")
		if strings.HasSuffix(path, "events") && !strings.Contains(path, "/x/") || path == "/sign-out" {
			continue
		}
		a := b.do(b.request(method, path, nil))
		csp := a.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", route, csp)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q", route, name, got)
			}
		}
		for _, bad := range []string{"<script>", " style=", " onclick=", "http://", "javascript:"} {
			if body := strings.ReplaceAll(a.body, "http://www.w3.org/", ""); strings.Contains(body, bad) {
				t.Errorf("%s: %q in\n%s", route, bad, a.body)
			}
		}
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.signedIn()
	for _, path := range []string{"/no/such/page", "/c/unknown", "/m/unknown/text", "/c/unknown/events", "/static/none.js", "/static/manifest.json", "/static/%2e%2e%2fweb.go"} {
		if a := b.get(path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	if a := b.get("/no/such/page"); !strings.Contains(a.body, "Nothing is here") || !strings.Contains(a.body, `href="/chat/"`) {
		t.Errorf("the page for what is missing:\n%s", a.body)
	}
	b.header.Set("Accept-Language", "ja")
	if a := b.get("/no/such/page"); !strings.Contains(a.body, "ページが見つかりません") || !strings.Contains(a.body, `lang="ja"`) {
		t.Errorf("the same in Japanese:\n%s", a.body)
	}
}

func TestBuiltFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.browser()
	b.client.Transport.(*http.Transport).DisableCompression = true
	for name, built := range manifest() {
		plain := b.get("/static/" + built)
		want, err := fs.ReadFile(files, "dist/"+built)
		if err != nil {
			t.Fatal(err)
		}
		if plain.status != http.StatusOK || plain.body != string(want) || !strings.Contains(plain.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", name, plain.status, plain.header)
		}
		b.header.Set("Accept-Encoding", "br, gzip")
		packed := b.get("/static/" + built)
		b.header.Del("Accept-Encoding")
		if packed.header.Get("Content-Encoding") != "gzip" {
			continue // small files grow
		}
		z, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(z); err != nil || string(got) != string(want) || len(packed.body) >= len(want) {
			t.Errorf("%s packed: %v, %d bytes of %d", name, err, len(packed.body), len(want))
		}
	}
	b.header.Set("Accept-Encoding", "gzip;q=0")
	if a := b.get("/static/" + manifest()["app.css"]); a.header.Get("Content-Encoding") != "" {
		t.Error("packed for a browser that doesn't want it")
	}
}

func TestPagesArePacked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	plain := b.get("/").body // the transport unpacks what it asked for
	b.header.Set("Accept-Encoding", "gzip")
	a := b.get("/")
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); err != nil || string(got) != plain || a.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%v: %d bytes unpacked, want %d", err, len(got), len(plain))
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.browser()
	a := b.post("/preferences", "lang", "ja", "next", "/chat/sign-in?next=%2Fchat%2F")
	if a.status != http.StatusSeeOther || a.to() != "/chat/sign-in?next=%2Fchat%2F" {
		t.Fatalf("%d to %s", a.status, a.to())
	}
	if cookie := a.header.Get("Set-Cookie"); !strings.Contains(cookie, "Path=/chat/") || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Lax") {
		t.Errorf("cookie %s", cookie)
	}
	b.post("/preferences", "theme", "dark")
	b.post("/preferences", "theme", `"><script>`, "lang", "fr")
	page := b.get("/sign-in").body
	if !strings.Contains(page, `lang="ja"`) || !strings.Contains(page, `data-theme="dark"`) || !strings.Contains(page, "サインイン") {
		t.Errorf("preferences are not kept:\n%s", page)
	}
	if a := b.post("/preferences", "lang", "en", "next", "//evil.test/"); a.to() != "/chat/" {
		t.Errorf("leads to %s", a.to())
	}
}

func TestScriptsPostForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.signedIn()
	b.header.Set("Accept", "application/json")
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	m.WriteField("text", say("x"))
	m.WriteField("model", testModel)
	m.Close()
	r := b.request("POST", "/c", &form)
	r.Header.Set("Content-Type", m.FormDataContentType())
	a := b.do(r)
	var answer struct{ Location string }
	if err := json.Unmarshal([]byte(a.body), &answer); err != nil || a.status != http.StatusOK || !strings.HasPrefix(answer.Location, "/chat/c/") {
		t.Errorf("%v: %d %s", err, a.status, a.body)
	}
}

func TestDoctorPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.signedIn()
	w.breakModel(true)
	page := b.get("/doctor").body
	for _, want := range []string{`data-check="model"`, `data-status="failed"`, `data-status="not-run"`, "TG6014", "&lt;b&gt;ap-northeast-1&lt;/b&gt;", "not run because of TG6014"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing from\n%s", want, page)
		}
	}
	if a := b.post("/doctor"); a.status != http.StatusSeeOther || a.to() != "/chat/doctor" || w.looks() != 1 {
		t.Errorf("run again: %d to %s, %d looks", a.status, a.to(), w.looks())
	}
	if a := b.post("/faults", "fault", "model-eol"); a.status != http.StatusNotFound {
		t.Errorf("faults where nothing is a stand-in: %d", a.status)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.site.Demo = &Demo{
		Faults: func() []DemoFault {
			return []DemoFault{{Name: "model-eol", Title: message.Text{"en": "the model is gone", "ja": "提供終了"}, On: w.isBroken()}}
		},
		Switch: func(names ...string) error {
			if len(names) > 0 && names[0] != "model-eol" {
				return fmt.Errorf("no fault %q", names[0])
			}
			w.breakModel(len(names) > 0)
			return nil
		},
	}
	b := w.signedIn()
	if page := b.get("/doctor").body; !strings.Contains(page, `id="fault"`) || !strings.Contains(page, "the model is gone") || !strings.Contains(page, `id="stand-in"`) {
		t.Errorf("no panel:\n%s", page)
	}
	if a := b.post("/faults", "fault", "model-eol"); a.status != http.StatusSeeOther || w.looks() != 1 {
		t.Errorf("break: %d, %d looks", a.status, w.looks())
	}
	if page := b.get("/doctor").body; !strings.Contains(page, "TG6014") || !strings.Contains(page, `id="mend"`) {
		t.Errorf("broken:\n%s", page)
	}
	b.post("/faults", "fault", "")
	if page := b.get("/doctor").body; strings.Contains(page, "TG6014") || w.isBroken() {
		t.Errorf("mended:\n%s", page)
	}
	if a := b.post("/faults", "fault", "unknown"); a.status != http.StatusInternalServerError || strings.Contains(a.body, "unknown") {
		t.Errorf("an unknown fault: %d %s", a.status, a.body)
	}
}

// A full look is shown until the free one changes its mind, or it is old.
func TestFullLooksHold(t *testing.T) {
	t.Parallel()
	free, full := healthy(), healthy()
	red := func(r report.Report) report.Report {
		r.Steps = []report.Step{{Name: "call", Status: report.Failed, Finding: &report.Finding{ID: "TG6014"}}}
		return r
	}
	s := &Site{
		Report:  func(context.Context) report.Report { return free },
		Examine: func(context.Context) report.Report { return full },
	}
	root := func() string { return rootOf(s.current(t.Context())) }
	full = red(full)
	s.lookFully(t.Context())
	if got := root(); got != "TG6014" {
		t.Errorf("what the full look found is not shown, but %q", got)
	}
	free.Started = free.Started.Add(1)
	if got := root(); got != "TG6014" {
		t.Errorf("another free look of the same kind shows %q", got)
	}
	free = red(free)
	free.Steps[0].Finding.ID = "TG2003"
	if got := root(); got != "TG2003" {
		t.Errorf("what the free look found since is not shown, but %q", got)
	}
	free, full = healthy(), red(healthy())
	full.Started = full.Started.Add(-holds - 1)
	s.lookFully(t.Context())
	if got := root(); got != "" {
		t.Errorf("an old look shows %q", got)
	}
}

func TestNoTLS(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		host, proto string
		want        bool
	}{
		{"127.0.0.1:8080", "", false},
		{"[::1]:8080", "", false},
		{"localhost", "", false},
		{"x.localhost:80", "", false},
		{"10.0.0.5:8080", "", true},
		{"chat.example.com", "http", true},
		{"chat.example.com", "https", false},
	} {
		r, _ := http.NewRequest("GET", "/", nil)
		r.Host, r.RemoteAddr = test.host, "10.0.0.1:1"
		if test.proto != "" {
			r.Header.Set("X-Forwarded-Proto", test.proto)
		}
		v := &visit{site: &Site{Proxied: true}, r: r}
		if got := v.noTLS(); got != test.want {
			t.Errorf("%s %s: %v", test.host, test.proto, got)
		}
	}
}

// Nothing that people wrote, and nothing that lets them in, is in the log.
func TestLogsAreSilent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	b.settled(b.ask("/c", say("a secret of mine")))
	b.get("/search?q=secret")
	b.post("/sign-in", "password", "secret-password")
	if s := w.logs.String(); strings.Contains(s, "secret") {
		t.Errorf("the log has\n%s", s)
	}
}

// TestPhrasesOfTemplatesAreTranslated finds every phrase of the templates that
// T would say in English to a Japanese reader.
func TestPhrasesOfTemplatesAreTranslated(t *testing.T) {
	t.Parallel()
	call := regexp.MustCompile(`\bT\s+("(?:[^"\\]|\\.)*"|\S+)`)
	action := regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	var translated map[string]string
	phrases, err := os.ReadFile("../internal/message/phrases.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(phrases, &translated); err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(os.DirFS("."), "templates/*.html")
	if err != nil || len(names) == 0 {
		t.Fatal(err)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range action.FindAllString(string(source), -1) {
			for _, m := range call.FindAllStringSubmatch(part, -1) {
				var phrase string
				if json.Unmarshal([]byte(m[1]), &phrase) != nil {
					t.Errorf("%s: the phrase of %s is no literal", name, part)
				} else if translated[phrase] == "" {
					t.Errorf("%s: no translation of %q in phrases.json", name, phrase)
				}
			}
		}
	}
}
