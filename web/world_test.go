package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
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

	"github.com/aws/aws-sdk-go-v2/credentials"

	"tegata/awsfake"
	"tegata/awsfake/wire"
	"tegata/bedrock"
	"tegata/chat"
	"tegata/internal/message"
	"tegata/internal/policy"
	"tegata/internal/report"
	"tegata/login"
	"tegata/store"
)

const testModel = "jp.anthropic.claude-sonnet-4-6"

// A world is a site with all that is behind it: a stand-in for AWS, the store,
// the engine and the guard.
type world struct {
	t    *testing.T
	site *Site
	url  string // with the prefix, without a slash at the end
	logs logs

	mu       sync.Mutex
	health   report.Report // what both looks find
	examined int           // full looks taken
	broken   bool          // the model has reached the end of its life
}

// newWorld starts a site under a prefix; change may set more of it.
func newWorld(t *testing.T, prefix string, change func(*Site)) *world {
	t.Helper()
	w := &world{t: t, health: healthy()}
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "tegata.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	client := w.client(false)
	source := func(context.Context) (*bedrock.Client, error) { return client, nil }
	catalogue := bedrock.NewCatalogue(source)
	engine := &chat.Engine{DB: db, Source: source, Catalogue: catalogue}
	if err := engine.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeEngine(t, engine) })
	w.site = &Site{
		Chat: engine, DB: db, Catalogue: catalogue, Prefix: prefix, Model: testModel,
		Login: &login.Guard{DB: db, Prefix: prefix}, Report: w.look, Examine: w.lookFully,
		Logger: slog.New(slog.NewTextHandler(&w.logs, nil)),
	}
	if change != nil {
		change(w.site)
	}
	w.url = w.serve(w.site.Login.Mux(w.site.Routes()...)) + prefix
	return w
}

func closeEngine(t *testing.T, e *chat.Engine) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Close(ctx); err != nil && ctx.Err() == nil {
		t.Error(err)
	}
}

func (w *world) serve(h http.Handler) string {
	srv := httptest.NewServer(h)
	w.t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
	})
	return srv.URL
}

// client returns a client of a stand-in for AWS, which lists no models if it
// is to be blind.
func (w *world) client(blind bool) *bedrock.Client {
	w.t.Helper()
	allow, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		w.t.Fatal(err)
	}
	aws := awsfake.New(awsfake.Options{
		Account: "123456789012", Region: "ap-northeast-1",
		Credentials: func(string) (awsfake.Credential, bool) {
			return awsfake.Credential{SecretAccessKey: "secret", SessionToken: "token", Caller: wire.Caller{
				ARN: "arn:aws:sts::123456789012:assumed-role/r/i", UserID: "AROA:i",
				Policies: policy.Layers{Identity: []policy.Named{{Document: allow}}},
			}}, true
		},
	})
	endpoint := w.serve(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if blind && strings.HasPrefix(r.URL.Path, "/foundation-models") {
			rw.Header().Set("X-Amzn-ErrorType", "AccessDeniedException")
			rw.WriteHeader(http.StatusForbidden)
			io.WriteString(rw, `{"message":"User: arn:aws:sts::123456789012:assumed-role/r/i is not authorized to perform: bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action"}`)
			return
		}
		if w.isBroken() && strings.HasPrefix(r.URL.Path, "/model/") {
			rw.Header().Set("X-Amzn-ErrorType", "ResourceNotFoundException")
			rw.Header().Set("X-Amzn-RequestId", "6f1c9c8e-0000-4000-8000-00000000beef")
			rw.WriteHeader(http.StatusNotFound)
			io.WriteString(rw, `{"message":"This model version has reached the end of its life. Please refer to the AWS documentation for more details."}`)
			return
		}
		aws.ServeHTTP(rw, r)
	}))
	transport := &http.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	return bedrock.New(bedrock.Config{
		Region: "ap-northeast-1", Endpoint: endpoint, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "secret", "token"),
	})
}

func (w *world) isBroken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}

// breakModel makes the model end its life, or live again, and both looks see
// it.
func (w *world) breakModel(broken bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = broken
	w.health = healthy()
	if broken {
		w.health = report.Report{Started: time.Now(), Steps: []report.Step{
			{Name: "region", Title: message.Text{"en": "region", "ja": "リージョン"}, Status: report.Passed},
			{Name: "model", Title: message.Text{"en": "model", "ja": "モデル"}, Status: report.Failed, Finding: &report.Finding{ID: "TG6014",
				Evidence: []report.Field{{Name: "model", Value: testModel}, {Name: "region", Value: "<b>ap-northeast-1</b>"}}}},
			{Name: "call", Title: message.Text{"en": "call", "ja": "呼び出し"}, Status: report.NotRun, Because: "TG6014"},
		}}
	}
}

func healthy() report.Report {
	return report.Report{Started: time.Now(), Elapsed: 12 * time.Millisecond, Steps: []report.Step{
		{Name: "region", Title: message.Text{"en": "region", "ja": "リージョン"}, Status: report.Passed, Elapsed: time.Second},
	}}
}

func (w *world) look(context.Context) report.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.health
}

func (w *world) lookFully(context.Context) report.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.examined++
	r := w.health
	r.Started = time.Now()
	return r
}

// looks returns how many full looks were taken.
func (w *world) looks() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.examined
}

// logs keep what was logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A browser is somebody without scripts who follows redirects by hand.
type browser struct {
	w      *world
	client *http.Client
	header http.Header
}

func (w *world) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	transport := &http.Transport{}
	w.t.Cleanup(transport.CloseIdleConnections)
	return &browser{w, &http.Client{Jar: jar, Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}, http.Header{"Accept": {"text/html"}}}
}

// signedIn is a browser of somebody who came by a link.
func (w *world) signedIn() *browser {
	w.t.Helper()
	link, err := w.site.Login.NewLink(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	b := w.browser()
	if a := b.post("/sign-in", "link", link); a.status != http.StatusSeeOther {
		w.t.Fatalf("signing in: %d %s", a.status, a.body)
	}
	return b
}

// An answered is an answer that was read to its end.
type answered struct {
	status int
	header http.Header
	body   string
}

// to returns where an answer leads, without the address of the server.
func (a answered) to() string { return a.header.Get("Location") }

func (b *browser) get(path string) answered {
	b.w.t.Helper()
	return b.do(b.request("GET", path, nil))
}

// post sends a form of names and values in turn.
func (b *browser) post(path string, fields ...string) answered {
	b.w.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	r := b.request("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b *browser) request(method, path string, body io.Reader) *http.Request {
	b.w.t.Helper()
	r, err := http.NewRequestWithContext(b.w.t.Context(), method, b.w.url+path, body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	r.Header = b.header.Clone()
	return r
}

func (b *browser) do(r *http.Request) answered {
	b.w.t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.w.t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header, string(body)}
}

// ask posts a question and returns the path of its conversation.
func (b *browser) ask(path, text string) string {
	b.w.t.Helper()
	a := b.post(path, "text", text, "model", testModel)
	if a.status != http.StatusSeeOther {
		b.w.t.Fatalf("asking: %d %s", a.status, a.body)
	}
	return strings.TrimPrefix(a.to(), b.w.site.Prefix)
}

// An event is one of a stream.
type event struct {
	name string
	data struct {
		ID, State, ETag, HTML, Reasoning string
		From                             int
		Blocks                           []string
	}
}

// events opens a stream. Its channel closes with it.
func (b *browser) events(path string) <-chan event {
	b.w.t.Helper()
	r := b.request("GET", path, nil)
	r.Header.Set("Accept", "text/event-stream")
	response, err := b.client.Do(r)
	if err != nil {
		b.w.t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream" {
		b.w.t.Fatalf("events of %s: %d %s", path, response.StatusCode, got)
	}
	c := make(chan event, 1000)
	b.w.t.Cleanup(func() { response.Body.Close() })
	go func() {
		defer close(c)
		readEvents(response.Body, c)
	}()
	return c
}

func readEvents(body io.Reader, c chan<- event) {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 1<<24)
	var e event
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch {
		case name == "event":
			e = event{name: value}
		case name == "data" && json.Unmarshal([]byte(value), &e.data) != nil:
			e.name = "no JSON"
		case lines.Text() == "" && e.name != "":
			c <- e
			e = event{}
		}
	}
}

// next returns the next event that a test is waiting for.
func next(t *testing.T, c <-chan event, wanted func(event) bool) event {
	t.Helper()
	timeout := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-c:
			if !ok {
				t.Fatal("the stream ended")
			}
			if wanted(e) {
				return e
			}
		case <-timeout:
			t.Fatal("the event doesn't come")
		}
	}
}

// named wants the first event of that name which has all those words.
func named(name string, words ...string) func(event) bool {
	return func(e event) bool {
		for _, w := range words {
			if !strings.Contains(e.data.HTML, w) {
				return false
			}
		}
		return e.name == name
	}
}

// ended wants the article of an answer that doesn't run any more.
func ended(e event) bool {
	return e.name == "message" && e.data.State != "running" && strings.Contains(e.data.HTML, `data-role="assistant"`)
}
