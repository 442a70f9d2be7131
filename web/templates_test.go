package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"html/template"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"tegata/internal/message"
)

// samples are pages with something in every place.
func samples() map[string]*Page {
	framed := func(name string) *Page {
		return &Page{
			Name: name, Title: "Title", Theme: "auto", Here: "/chat/", Person: true, StandIn: true, NoTLS: true, Events: "/chat/events",
			Chain: Chain{State: "green", Text: "ready"}, Query: "q",
			Conversations: []Conversation{{ID: "c1", Title: "First", Group: "Today", Current: true}, {ID: "c2", Title: "Second", Snippet: "<b>hit</b>"}},
			Demo:          &FaultPanel{On: true, Faults: []Fault{{Name: "model-eol", Title: "The model is gone", On: true}}},
		}
	}
	problem := &Problem{ID: "TG6014", Title: "Gone", Cause: "c", Remedy: "r", Command: "aws x", Where: "here", Detail: "d", RequestID: "i", Doctor: true}
	start, talk, broken := framed(pageChat), framed(pageChat), framed(pageDoctor)
	start.Chat = &Chat{Title: "New", Models: sampleModels(3), Problem: problem, Draft: "draft"}
	talk.Chat = &Chat{ID: "c1", Title: "First", System: "Be brief", Models: sampleModels(3), Running: "m4", ETag: "e", Total: "3 tokens", Messages: []Message{
		{ID: "m1", Role: "user", State: "done", Blocks: []template.HTML{"<p>Why?</p>"}, Conversation: "c1"},
		{ID: "m2", Role: "assistant", State: "stopped", Blocks: []template.HTML{"<p>So.</p>"}, Reasoning: "hm", Model: "M", Tokens: "t", Cost: "$1", Elapsed: "1 s", Note: "Stopped.", Conversation: "c1"},
		{ID: "m3", Role: "assistant", State: "failed", Problem: problem, Conversation: "c1"},
		{ID: "m4", Role: "assistant", State: "running", Conversation: "c1", Last: true},
	}}
	broken.Chain = Chain{State: "red", Root: "TG6014", Text: "Gone"}
	broken.Doctor = &Doctor{Checked: "14:00:00", Elapsed: "1 s",
		Findings: []Finding{{ID: "TG6014", Severity: "error", Title: "Gone", Cause: "c", Remedy: "r", Command: "aws x", Where: "here", Evidence: []Field{{"model", "m"}}, Similar: []Similar{{"TG6003", "Not here"}}}},
		Checks:   []Check{{Name: "region", Title: "Region", Status: "passed"}, {Name: "model", Title: "Model", Status: "failed", Finding: "TG6014"}, {Name: "clock", Status: "warned"}, {Name: "call", Status: "not-run"}}}
	healthy, found, password, missing := framed(pageDoctor), framed(pageSearch), framed(pagePassword), framed(pageMissing)
	healthy.Doctor = &Doctor{Healthy: true, Checks: []Check{{Name: "region", Title: "Region", Status: "passed", Elapsed: "1 s"}}}
	found.Search = &Search{Query: "q", Hits: found.Conversations}
	password.Password = &Password{Minimum: 10, Problem: "too short"}
	missing.Missing = &Missing{Status: 404, Title: "Nothing", Text: "Gone"}
	return map[string]*Page{
		"start": start, "talk": talk, "doctor broken": broken, "doctor": healthy, "search": found, "password": password, "missing": missing,
		"sign in":         {Name: pageSignIn, Title: "Sign in", Theme: "dark", Here: "/chat/sign-in", NoTLS: true, SignIn: &SignIn{Password: true, Next: "/chat/", Problem: "wrong"}},
		"sign in by link": {Name: pageSignIn, Title: "Sign in", Theme: "light", Here: "/chat/sign-in", StandIn: true, SignIn: &SignIn{Link: "token", Next: "/chat/"}},
	}
}

func sampleModels(n int) []ModelGroup {
	g := ModelGroup{Label: "Anthropic"}
	for i := range n {
		g.Models = append(g.Models, Model{ID: fmt.Sprintf("jp.anthropic.claude-%d", i), Name: fmt.Sprintf("Claude %d", i), Area: "jp", Where: "data stays in Japan", Callable: true, Price: "$3 / $15", Selected: i == 0})
	}
	closed := ModelGroup{Label: "closed", Models: []Model{{ID: "x.y", Name: "Y", Reason: "no access", Finding: "TG6009", Ends: "legacy"}}}
	return []ModelGroup{g, closed}
}

// drawn renders a page under the prefix /chat.
func drawn(t *testing.T, l message.Lang, p *Page) []byte {
	t.Helper()
	s := &Site{Prefix: "/chat"}
	page, err := s.render(l, p.Name, p)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

func parse(t *testing.T, page []byte) *html.Node {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

func attribute(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// elements yields the elements of a page, without what is in templates.
func elements(root *html.Node) []*html.Node {
	var all []*html.Node
	for n := range root.Descendants() {
		within := slices.ContainsFunc(slices.Collect(n.Ancestors()), func(a *html.Node) bool { return a.Data == "template" })
		if n.Type == html.ElementNode && !within {
			all = append(all, n)
		}
	}
	return all
}

func TestEveryPageIsSound(t *testing.T) {
	t.Parallel()
	for _, l := range []message.Lang{message.English, message.Japanese} {
		for name, p := range samples() {
			t.Run(string(l)+" "+name, func(t *testing.T) {
				page := elements(parse(t, drawn(t, l, p)))
				ids := map[string]bool{}
				for _, n := range page {
					id, ok := attribute(n, "id")
					if ok && ids[id] {
						t.Errorf("two elements have the id %q", id)
					}
					ids[id] = true
					if of, ok := attribute(n, "for"); ok {
						ids["label for "+of] = true
					}
				}
				for _, n := range page {
					isSafe(t, n)
					leadsHome(t, n)
					refersTo(t, n, ids)
				}
				if n := count(page, "h1"); n != 1 {
					t.Errorf("got %d headings of the first rank, want 1", n)
				}
				if lang, _ := attribute(page[0], "lang"); lang != string(l) {
					t.Errorf("the page says its language is %q", lang)
				}
			})
		}
	}
}

func count(page []*html.Node, tag string) int {
	n := 0
	for _, e := range page {
		if e.Data == tag {
			n++
		}
	}
	return n
}

// isSafe wants nothing that the policy for content forbids: no script, style
// or handler within the page, nothing from other hosts.
func isSafe(t *testing.T, n *html.Node) {
	t.Helper()
	_, sourced := attribute(n, "src")
	if n.Data == "style" || n.Data == "script" && !sourced {
		t.Errorf("<%s> within the page", n.Data)
	}
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.Contains(a.Val, "javascript:") || strings.Contains(a.Val, "ZgotmplZ") {
			t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
		}
	}
}

// leadsHome wants every path below the prefix.
func leadsHome(t *testing.T, n *html.Node) {
	t.Helper()
	for _, a := range n.Attr {
		path := slices.Contains([]string{"href", "src", "action", "formaction", "data-from", "data-events"}, a.Key)
		if path && a.Val != "" && !strings.HasPrefix(a.Val, "/chat/") && !strings.HasPrefix(a.Val, "#") {
			t.Errorf("<%s %s=%q> leaves the prefix", n.Data, a.Key, a.Val)
		}
	}
}

// refersTo wants an element for every id that is named, and a name for every
// field that is to be filled in.
func refersTo(t *testing.T, n *html.Node, ids map[string]bool) {
	t.Helper()
	_, labelled := attribute(n, "aria-label")
	kind, _ := attribute(n, "type")
	id, _ := attribute(n, "id")
	if slices.Contains([]string{"input", "select", "textarea"}, n.Data) && kind != "hidden" && !labelled && !ids["label for "+id] {
		if hidden, _ := attribute(n, "aria-hidden"); hidden != "true" {
			t.Errorf("<%s id=%q> has no name", n.Data, id)
		}
	}
	for _, a := range n.Attr {
		id := a.Val
		if a.Key == "href" {
			var within bool
			if id, within = strings.CutPrefix(a.Val, "#"); !within {
				continue
			}
		}
		if slices.Contains([]string{"href", "for", "form", "popovertarget", "aria-describedby"}, a.Key) && !ids[id] && id != "TG6014" {
			t.Errorf("<%s %s=%q> refers to nothing", n.Data, a.Key, a.Val)
		}
	}
}

// What scripts, styles and the tests of the browser find elements by.
func TestElementsThatScriptsFind(t *testing.T) {
	t.Parallel()
	pages := samples()
	for _, tt := range []struct {
		page string
		want []string
	}{
		{"start", []string{
			`<form id="composer" class="composer" method="post" action="/chat/c">`, `>draft</textarea>`, `data-area="jp" selected>`,
			`data-finding="TG6009" disabled>`, `name="system"`, `<details id="settings"`, `id="send"`, `<p id="stand-in"`, `<p id="no-tls"`,
			`<li data-id="c1" class="current">`, `action="/chat/c/c2/rename"`, `formaction="/chat/c/c2/delete"`, `&lt;b&gt;hit`, `name="q" value="q"`,
			`name="lang" value="ja"`, `name="theme" value="dark"`, `id="chain"`, `data-state="green" data-root=""`,
		}},
		{"talk", []string{
			`action="/chat/c/c1/messages"`, `role="log" aria-live="polite"`, `data-etag="e"`, `<article id="m-m1" class="message" data-role="user" data-state="done">`,
			`data-from="/chat/m/m2/text"`, `<form id="stop-form" class="stop" method="post" action="/chat/m/m4/stop"><button id="stop"`, `aria-busy="true"`,
			`<section class="problem" data-finding="TG6014">`, `<noscript><meta http-equiv="refresh" content="2"></noscript>`, `formaction="/chat/c/c1/settings"`,
			`href="/chat/doctor#TG6014"`, `<div class="reasoning">hm</div>`,
		}},
		{"doctor broken", []string{
			`<li data-check="region" data-status="passed">`, `data-check="model" data-status="failed"`, `data-check="call" data-status="not-run"`, `<button id="again"`,
			`<select id="fault" name="fault" required>`, `<option value="model-eol" selected>`, `<button id="break"`, `<button id="mend"`, `id="TG6014" class="finding problem" data-finding="TG6014"`,
			`data-state="red" data-root="TG6014"`,
		}},
		{"sign in", []string{`<form id="sign-in"`, `type="password" name="password"`}},
		{"sign in by link", []string{`<input type="hidden" name="link" value="token">`, `<html lang="en" data-theme="light">`}},
	} {
		page := string(drawn(t, message.English, pages[tt.page]))
		for _, want := range tt.want {
			if !strings.Contains(page, want) {
				t.Errorf("%s: nothing like %s", tt.page, want)
			}
		}
	}
}

// The button that asks again belongs to the last answer, once it has ended.
func TestWhatAnArticleOffers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		message     Message
		again, copy bool
	}{
		{"the last", Message{Role: "assistant", State: "done", Last: true}, true, true},
		{"the last, failed", Message{Role: "assistant", State: "failed", Last: true}, true, true},
		{"the last, running", Message{Role: "assistant", State: "running", Last: true}, false, false},
		{"an older one", Message{Role: "assistant", State: "done"}, false, true},
		{"a question", Message{Role: "user", State: "done", Last: true}, false, true},
	} {
		article, err := (&Site{}).render(message.English, fragmentMessage, tt.message)
		if err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(article, []byte(`class="again"`)); got != tt.again {
			t.Errorf("%s: offers another answer: %v, want %v", tt.name, got, tt.again)
		}
		if got := bytes.Contains(article, []byte(`class="quiet copy"`)); got != tt.copy {
			t.Errorf("%s: offers a copy: %v, want %v", tt.name, got, tt.copy)
		}
	}
}

// Scripts clone templates and say words that the page brings.
func TestScriptsFindTheirTemplatesAndWords(t *testing.T) {
	t.Parallel()
	page := string(drawn(t, message.English, samples()["talk"]))
	sources, err := filepath.Glob("src/*.ts")
	if err != nil || len(sources) == 0 {
		t.Fatalf("found %d sources: %v", len(sources), err)
	}
	used := regexp.MustCompile(`\b(fresh|word)\(("[a-z]+"|box[^)]*)`)
	quoted := regexp.MustCompile(`"([a-z]+)"`)
	seen := 0
	for _, source := range sources {
		content, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range used.FindAllStringSubmatch(string(content), -1) {
			for _, name := range quoted.FindAllStringSubmatch(strings.TrimPrefix(call[2], `box.localName === "code"`), -1) {
				seen++
				want := map[string]string{"fresh": `<template id="template-` + name[1] + `">`, "word": `data-word="` + name[1] + `"`}[call[1]]
				if !strings.Contains(page, want) {
					t.Errorf("%s wants %s, which no page has", source, want)
				}
			}
		}
	}
	if seen < 8 {
		t.Errorf("found %d uses only: the pattern of this test fits no more", seen)
	}
}

// The first look at a page takes 60 KB at most, even with a full list of
// conversations and every model of a region.
func TestFirstLoad(t *testing.T) {
	t.Parallel()
	const most = 60_000
	p := samples()["start"]
	p.Conversations = nil
	for i := range listed {
		p.Conversations = append(p.Conversations, Conversation{ID: fmt.Sprintf("%026d", i*7919), Title: fmt.Sprintf("会話 %d の題名は質問の最初の行から作られる", i)})
	}
	p.Chat.Models = sampleModels(60)
	size := zipped(t, drawn(t, message.Japanese, p))
	for _, name := range []string{"app.js", "app.css"} {
		content, err := files.ReadFile("dist/" + manifest()[name])
		if err != nil {
			t.Fatal(err)
		}
		size += zipped(t, content)
	}
	t.Logf("%d bytes", size)
	if size > most {
		t.Errorf("the first load takes %d bytes, want %d at most", size, most)
	}
}

func zipped(t *testing.T, content []byte) int {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}
