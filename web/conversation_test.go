package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tegata/bedrock"
	"tegata/store"
)

// say makes the stand-in say a text word for word.
func say(text string) string { return "repeat after me: " + text }

// settled waits until the last answer of a conversation has ended, and returns
// the page.
func (b *browser) settled(path string) string {
	b.w.t.Helper()
	next(b.w.t, b.events(path+"/events"), func(e event) bool {
		return e.name == "thread" && !strings.Contains(e.data.HTML, `data-state="running"`) || ended(e)
	})
	return b.get(path).body
}

// selected returns the value of the option that the picker shows.
func selected(page string) string {
	for option := range strings.SplitSeq(page, "<option ") {
		if tag, _, _ := strings.Cut(option, ">"); strings.HasSuffix(tag, " selected") {
			_, value, _ := strings.Cut(tag, `value="`)
			value, _, _ = strings.Cut(value, `"`)
			return value
		}
	}
	return ""
}

func TestAConversationWithoutScripts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.signedIn()
	if a := b.get("/"); a.status != http.StatusOK || !strings.Contains(a.body, `action="/chat/c"`) || selected(a.body) != testModel {
		t.Fatalf("the start: %d %s", a.status, a.body)
	}
	path := b.ask("/c", say("**bold** & <b>brave</b>\n\n- one\n- two"))
	if !strings.HasPrefix(path, "/c/") {
		t.Fatalf("the conversation is at %s", path)
	}
	page := b.settled(path)
	for _, want := range []string{
		`<strong>bold</strong> &amp; &lt;b&gt;brave&lt;/b&gt;`, `<ul><li>one</li><li>two</li></ul>`, // the answer
		`**bold** &amp; &lt;b&gt;brave&lt;/b&gt;`, // the question
		`data-state="done"`, "tokens in", `action="/chat` + path + `/again"`, `action="/chat` + path + `/messages"`,
		`<title>repeat after me: **bold**`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing from\n%s", want, page)
		}
	}
	if strings.Contains(page, "http-equiv") {
		t.Error("a page on which nothing runs loads itself again")
	}
	b.ask(path+"/messages", say("second"))
	if page := b.settled(path); !strings.Contains(page, "<p>second</p>") || strings.Count(page, `<article id="m-`) != 4 {
		t.Errorf("after the second question:\n%s", page)
	}
}

func TestAPageOfARunningAnswerLoadsItselfAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", "tell me at length about rivers")
	page := b.get(path).body
	if !strings.Contains(page, `http-equiv="refresh"`) || !strings.Contains(page, `id="stop-form"`) {
		t.Errorf("neither loads itself again nor can be stopped:\n%s", page)
	}
}

func TestStopAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", "tell me at length about rivers")
	events := b.events(path + "/events")
	id := next(t, events, func(e event) bool { return e.name == "grow" }).data.ID
	if a := b.post("/m/" + id + "/stop"); a.status != http.StatusSeeOther || a.to() != path {
		t.Fatalf("stop: %d to %s", a.status, a.to())
	}
	if e := next(t, events, ended); e.data.State != "stopped" || !strings.Contains(e.data.HTML, "Stopped.") {
		t.Errorf("after stop: %+v", e.data)
	}
	if a := b.post("/m/" + id + "/stop"); a.status != http.StatusSeeOther {
		t.Errorf("stopping twice: %d", a.status)
	}
	if a := b.post(path+"/again", "model", "amazon.nova-lite-v1:0"); a.status != http.StatusSeeOther {
		t.Fatalf("again: %d %s", a.status, a.body)
	}
	e := next(t, events, named("thread", `data-state="running"`))
	if strings.Contains(e.data.HTML, id) || e.data.ETag == "" {
		t.Errorf("the old answer is still there: %+v", e.data)
	}
}

func TestBusy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", "tell me at length about rivers")
	a := b.post(path+"/messages", "text", "and </textarea> lakes?", "model", testModel)
	if a.status != http.StatusConflict || !strings.Contains(a.body, "and &lt;/textarea&gt; lakes?") || !strings.Contains(a.body, "An answer is still being written") {
		t.Errorf("a question while an answer runs: %d\n%s", a.status, a.body)
	}
	b.header.Set("Accept", "application/json")
	a = b.post(path+"/messages", "text", "and lakes?", "model", testModel)
	var card struct{ Problem string }
	if err := json.Unmarshal([]byte(a.body), &card); err != nil || a.status != http.StatusConflict || !strings.Contains(card.Problem, "An answer is still being written") {
		t.Errorf("the same for a script: %d %s", a.status, a.body)
	}
}

func TestQuestionsThatAreNotTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	for _, test := range []struct {
		name, path, text string
		status           int
		want             string
	}{
		{"empty", "/c", " \n", http.StatusUnprocessableEntity, "The question is empty"},
		{"too long", "/c", strings.Repeat("語", 80_000), http.StatusRequestEntityTooLarge, "The question is too long"},
		{"longer than a form", "/c", strings.Repeat("x", 2<<20), http.StatusRequestEntityTooLarge, "The question is too long"},
		{"in no conversation", "/c/nowhere/messages", "hello", http.StatusNotFound, "Nothing is here"},
	} {
		a := b.post(test.path, "text", test.text, "model", testModel)
		if a.status != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: %d, want %d and %q\n%.2000s", test.name, a.status, test.status, test.want, a.body)
		}
	}
}

func TestRenameSettingsDelete(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", say("x"))
	b.settled(path)
	events := b.events(path + "/events")
	next(t, events, named("thread"))
	b.post(path+"/rename", "title", "  A \n <new> name ")
	if page := b.get(path).body; !strings.Contains(page, "A &lt;new&gt; name</") {
		t.Errorf("not renamed:\n%s", page)
	}
	b.post(path+"/rename", "title", " ")
	if page := b.get(path).body; !strings.Contains(page, "A &lt;new&gt; name</") {
		t.Error("renamed to nothing")
	}
	b.post(path+"/settings", "model", "amazon.nova-lite-v1:0", "system", "Be <brief>.")
	page := b.get(path).body
	if !strings.Contains(page, "Be &lt;brief&gt;.</textarea>") || selected(page) != "amazon.nova-lite-v1:0" {
		t.Errorf("settings are lost:\n%s", page)
	}
	b.post(path+"/settings", "model", testModel)
	if page := b.get(path).body; !strings.Contains(page, "Be &lt;brief&gt;.</textarea>") {
		t.Error("the system prompt is gone after only the model changed")
	}
	if a := b.post(path + "/delete"); a.status != http.StatusSeeOther || a.to() != "/" {
		t.Errorf("delete: %d to %s", a.status, a.to())
	}
	next(t, events, named("gone"))
	for _, gone := range []answered{b.get(path), b.get(path + "/events"), b.post(path+"/rename", "title", "x"), b.post(path + "/delete"), b.post(path + "/again")} {
		if gone.status != http.StatusNotFound {
			t.Errorf("after delete: %d %.300s", gone.status, gone.body)
		}
	}
}

func TestTheListFollows(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	events := b.events("/events")
	next(t, events, named("chain"))
	path := b.ask("/c", say("x"))
	next(t, events, named("conversations", `data-id="`+strings.TrimPrefix(path, "/c/")+`"`))
	b.settled(path)
	b.post(path+"/rename", "title", "Rivers")
	next(t, events, named("conversations", "Rivers"))
	b.post(path + "/delete")
	next(t, events, func(e event) bool { return e.name == "conversations" && !strings.Contains(e.data.HTML, "Rivers") })
}

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "/chat", nil)
	b := w.signedIn()
	wanted := b.ask("/c", say("京都の<b>紅葉</b>について"))
	b.settled(wanted)
	b.settled(b.ask("/c", say("rivers")))
	query := "/search?q=" + url.QueryEscape("紅葉")
	page := b.get(query).body
	if strings.Count(page, "data-id=") < 1 || !strings.Contains(page, wanted) || !strings.Contains(page, `value="紅葉"`) || strings.Contains(page, "<b>紅葉") {
		t.Errorf("the page of what was found:\n%s", page)
	}
	b.header.Set("Accept", "application/json")
	for query, found := range map[string]int{query: 1, "/search?q=": 2, "/search?q=nothing+of+that": 0} {
		var list struct{ HTML string }
		if err := json.Unmarshal([]byte(b.get(query).body), &list); err != nil || strings.Count(list.HTML, "data-id=") != found {
			t.Errorf("%s found %v %s, want %d", query, err, list.HTML, found)
		}
	}
}

func TestTextToCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	path := b.ask("/c", say("# <script>alert(1)</script>"))
	page := b.settled(path)
	_, rest, _ := strings.Cut(page[max(strings.LastIndex(page, `<article id="m-`), 0):], `id="m-`)
	id, _, _ := strings.Cut(rest, `"`)
	a := b.get("/m/" + id + "/text")
	if a.body != "# <script>alert(1)</script>" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v %q", a.header, a.body)
	}
}

func TestAFailedAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	w.breakModel(true)
	b := w.signedIn()
	path := b.ask("/c", "hello")
	page := b.settled(path)
	for _, want := range []string{`data-state="failed"`, `class="problem" data-finding="TG6014"`, "end of its life", "6f1c9c8e-0000-4000-8000-00000000beef", "/doctor"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing from\n%s", want, page)
		}
	}
	w.breakModel(false)
	b.post(path + "/again")
	if page := b.settled(path); strings.Contains(page, `class="problem" data-finding`) || !strings.Contains(page, `data-state="done"`) {
		t.Errorf("again, after it was mended:\n%s", page)
	}
}

// What people and models write, and what AWS says, stays text wherever a page
// shows it.
func TestHostileWordsStayWords(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	b := w.signedIn()
	scripts := strings.Count(b.get("/").body, "<script")
	paths := []string{"/", "/search?q=alert", "/search?q=onerror"}
	for i, payload := range payloads() {
		id := fmt.Sprintf("c%d", i)
		fill(t, w.site.DB, id, payload)
		if i%8 == 0 {
			paths = append(paths, "/c/"+id)
		}
	}
	for _, path := range paths {
		page := strings.ToLower(b.get(path).body)
		for _, tag := range []string{"<img", "<iframe", "<object", "<embed", "<style", "<base", "<math", "<video", "<audio", "<marquee", "<x", "<animate", `href="java`, `href="data`, `href="vb`} {
			if strings.Contains(page, tag) {
				t.Errorf("%s has %s", path, tag)
			}
		}
		if n := strings.Count(page, "<script"); n != scripts {
			t.Errorf("%s has %d scripts, want %d", path, n, scripts)
		}
		if strings.Count(page, "alert(1)") < 2 {
			t.Errorf("%s has no hostile words", path)
		}
	}
}

// fill stores a conversation in which everybody says the same.
func fill(t *testing.T, db *store.DB, id, words string) {
	t.Helper()
	err := db.CreateConversation(t.Context(), store.Conversation{ID: id, Title: words, Model: words, System: words})
	if err != nil {
		t.Fatal(err)
	}
	err = db.AddMessages(t.Context(),
		store.Message{ID: id + "u", Conversation: id, Role: "user", Text: words},
		store.Message{ID: id + "a", Conversation: id, Role: "assistant", Text: words, Reasoning: words, Model: words, StopReason: words},
		store.Message{ID: id + "f", Conversation: id, Role: "assistant", Text: words, State: store.Failed, Problem: &store.Problem{
			ID: "TG6014", Detail: words, RequestID: words, Fields: map[string]string{"model": words},
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
}

func TestARoleThatMayNotListModels(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "", nil)
	blind := w.client(true)
	w.site.Catalogue = bedrock.NewCatalogue(func(context.Context) (*bedrock.Client, error) { return blind, nil })
	page := w.signedIn().get("/").body
	if selected(page) != testModel || !strings.Contains(page, `class="problem" data-finding="TG6`) || !strings.Contains(page, "bedrock:ListFoundationModels") {
		t.Errorf("the default can't be chosen, or the page doesn't say why there is no other:\n%s", page)
	}
}
