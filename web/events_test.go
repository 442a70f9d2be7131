package web

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tegata/internal/report"
	"tegata/login"
)

// A tab is what scripts make of events of a thread in which all blocks are
// paragraphs.
type tab struct {
	ids    []string
	blocks map[string][]string
	etag   string
	grown  int // events that did not bring a whole article
}

func newTab() *tab { return &tab{blocks: map[string][]string{}} }

// take applies an event as the contract between server and scripts has it.
func (t *tab) take(e event) error {
	switch e.name {
	case "thread":
		t.ids, t.blocks, t.etag = nil, map[string][]string{}, e.data.ETag
		for _, article := range strings.SplitAfter(e.data.HTML, "</article>") {
			if _, rest, ok := strings.Cut(article, `id="m-`); ok {
				id, _, _ := strings.Cut(rest, `"`)
				t.ids, t.blocks[id] = append(t.ids, id), paragraphs(article)
			}
		}
	case "message":
		if !slices.Contains(t.ids, e.data.ID) {
			t.ids = append(t.ids, e.data.ID)
		}
		t.blocks[e.data.ID], t.etag = paragraphs(e.data.HTML), e.data.ETag
	case "grow":
		t.grown++
		blocks := t.blocks[e.data.ID]
		if !slices.Contains(t.ids, e.data.ID) || e.data.From > len(blocks) {
			return fmt.Errorf("%s grows from block %d, and the page has %q", e.data.ID, e.data.From, blocks)
		}
		t.blocks[e.data.ID] = append(blocks[:e.data.From:e.data.From], e.data.Blocks...)
	}
	return nil
}

// paragraphs returns those of the body of an article.
func paragraphs(article string) []string {
	_, body, _ := strings.Cut(article, `class="body`)
	body, _, _ = strings.Cut(body, "</div>")
	var all []string
	for _, p := range strings.SplitAfter(body, "</p>") {
		if i := strings.Index(p, "<p>"); i >= 0 {
			all = append(all, p[i:])
		}
	}
	return all
}

// story is long enough to take a while, in paragraphs.
func story() string {
	return strings.TrimSpace(strings.Repeat("Once upon a time there was a *river* of words.\n\n", 24))
}

func TestTabsSeeAnAnswerGrow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.signedIn()
	path := b.ask("/c", say(story()))
	early, streams := newTab(), []<-chan event{b.events(path + "/events")}
	next(t, streams[0], func(e event) bool { return early.take(e) != nil || e.name == "grow" })
	late := newTab()
	streams = append(streams, b.events(path+"/events"))
	for i, seen := range []*tab{early, late} {
		next(t, streams[i], func(e event) bool {
			if err := seen.take(e); err != nil {
				t.Error(err)
			}
			return ended(e)
		})
		if got, want := strings.Join(seen.blocks[seen.ids[1]], "\n"), strings.Join(Markdown(story()), "\n"); got != want {
			t.Errorf("tab %d has\n%s\nwant\n%s", i, got, want)
		}
	}
	if early.grown < 3 {
		t.Errorf("the answer grew in %d steps", early.grown)
	}
	if page := b.get(path).body; !strings.Contains(page, `data-etag="`+early.etag+`"`) || early.etag != late.etag {
		t.Errorf("the tabs have the etags %s and %s, the page another", early.etag, late.etag)
	}
}

// What a tab has between two events must be a rendering of what has come.
func TestATabIsNeverWrongInBetween(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", say(story()))
	seen, whole := newTab(), Markdown(story())
	next(t, b.events(path+"/events"), func(e event) bool {
		if err := seen.take(e); err != nil {
			t.Error(err)
		}
		if e.name != "grow" {
			return ended(e)
		}
		blocks := seen.blocks[e.data.ID]
		for i := range len(blocks) - 1 {
			if blocks[i] != whole[i] {
				t.Errorf("block %d is %q, want %q", i, blocks[i], whole[i])
			}
		}
		return false
	})
}

func TestAnswersGoOnWithoutATab(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", say(story()))
	ctx, leave := context.WithCancel(t.Context())
	r := b.request("GET", path+"/events", nil).WithContext(ctx)
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	response.Body.Close()
	if page := b.settled(path); !strings.Contains(page, `data-state="done"`) || strings.Count(page, "<em>river</em>") != 24 {
		t.Errorf("the answer ended with its tab:\n%s", page)
	}
}

func TestComingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", say(story()))
	page := b.get(path).body
	_, rest, _ := strings.Cut(page, `data-etag="`)
	tag, _, _ := strings.Cut(rest, `"`)
	first := next(t, b.events(path+"/events?etag="+tag), func(e event) bool { return e.name == "thread" || e.name == "message" })
	if first.name != "message" || first.data.State != "running" {
		t.Errorf("with the etag of the page, the first is %s in state %q", first.name, first.data.State)
	}
	b.settled(path)
	if e := next(t, b.events(path+"/events?etag="+tag), func(e event) bool { return e.name != "chain" && e.name != "conversations" }); e.name != "thread" {
		t.Errorf("with an old etag, the first is %s", e.name)
	}
}

// The list that a page has isn't sent to it again.
func TestTheListIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", say("x"))
	b.settled(path)
	_, rest, _ := strings.Cut(b.get(path).body, `data-events="`)
	address, _, _ := strings.Cut(rest, `"`)
	events := b.events(html.UnescapeString(address))
	next(t, events, named("thread"))
	b.post(path+"/rename", "title", "Rivers")
	if e := next(t, events, named("conversations")); !strings.Contains(e.data.HTML, "Rivers") {
		t.Errorf("the list came unchanged: %s", e.data.HTML)
	}
}

func TestTheStripFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	events := b.events("/events?page=doctor")
	next(t, events, named("doctor", `data-check="region"`, `data-status="passed"`))
	next(t, events, named("chain", `data-state="green"`))
	w.breakModel(true)
	b.post("/doctor") // what it finds is told at once
	if page := b.get("/").body; !strings.Contains(page, `data-root="TG6014"`) {
		t.Errorf("a page doesn't know what is broken:\n%s", page)
	}
	next(t, events, named("doctor", `data-status="failed"`, "TG6014"))
	next(t, events, named("chain", `data-state="red"`, `data-root="TG6014"`))
	w.breakModel(false)
	b.post("/doctor")
	next(t, events, named("chain", `data-state="green"`))
}

func TestLooks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Site{Report: func(context.Context) report.Report { return healthy() }}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		start, n := time.Now(), 0
		for r := range s.looks(ctx) {
			if want := time.Duration(n) * lookEvery; r.Started.Sub(start) != want {
				t.Errorf("look %d after %v, want %v", n, r.Started.Sub(start), want)
			}
			if n++; n == 4 {
				cancel()
			}
		}
		if n != 4 {
			t.Errorf("%d looks", n)
		}
	})
}

func TestPings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page := httptest.NewRecorder()
		st := &stream{v: &visit{site: &Site{}, w: page}, control: http.NewResponseController(page)}
		ctx, cancel := context.WithTimeout(t.Context(), 4*pingEvery-time.Second)
		defer cancel()
		if err := st.relay(ctx, nil, nil, nil); err != nil || page.Body.String() != strings.Repeat(": ping\n\n", 3) {
			t.Errorf("%v, %q", err, page.Body)
		}
	})
}

// Who has signed out, here or by another password, sees no more of what is
// written.
func TestStreamsEndWithTheSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	asking := b.request("GET", "/events", nil)
	for _, c := range b.client.Jar.Cookies(asking.URL) {
		asking.AddCookie(c)
	}
	var request *http.Request
	w.site.Login.Mux(login.Route{Pattern: "GET /events", Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		request = r
	})}).ServeHTTP(httptest.NewRecorder(), asking)
	b.post("/sign-out")
	page := httptest.NewRecorder()
	synctest.Test(t, func(t *testing.T) {
		st := &stream{v: &visit{site: &Site{Login: w.site.Login}, w: page, r: request}, control: http.NewResponseController(page)}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(request.Context()), 4*pingEvery)
		defer cancel()
		if err := st.relay(ctx, nil, nil, nil); err != nil || page.Body.Len() > 0 {
			t.Errorf("%v, %q", err, page.Body)
		}
	})
}

// A page that can't be written to lets its stream go.
func TestAStreamNobodyReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		page := unreadable{httptest.NewRecorder()}
		st := &stream{v: &visit{site: &Site{}, w: page}, control: http.NewResponseController(page)}
		if err := st.relay(t.Context(), nil, nil, nil); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the stream ended with %v", err)
		}
	})
}

// An unreadable page has a reader who stands still.
type unreadable struct{ *httptest.ResponseRecorder }

func (unreadable) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestStreamsEndWithTheSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	events := b.events("/events")
	next(t, events, named("chain"))
	w.site.Close()
	w.site.Close()
	timeout := time.After(5 * time.Second)
	for {
		select {
		case _, open := <-events:
			if !open {
				return
			}
		case <-timeout:
			t.Fatal("a stream outlives its site")
		}
	}
}

func TestEventsNeedAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.browser()
	b.header.Set("Accept", "text/event-stream")
	if a := b.get("/events"); a.status != http.StatusUnauthorized {
		t.Errorf("events for nobody: %d", a.status)
	}
}

func TestSubstance(t *testing.T) {
	t.Parallel()
	a, b := healthy(), healthy()
	b.Started, b.Steps[0].Elapsed = b.Started.Add(time.Hour), time.Minute
	if substance(a) != substance(b) {
		t.Error("time alone changes what a report says")
	}
	b.Steps[0].Status, b.Steps[0].Finding = report.Failed, &report.Finding{ID: "TG2003"}
	if substance(a) == substance(b) {
		t.Error("a failure doesn't change what a report says")
	}
}
