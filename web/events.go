package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"sync"
	"time"

	"tegata/chat"
	"tegata/internal/report"
	"tegata/store"
)

const (
	pingEvery  = 15 * time.Second // proxies close what is silent for a minute
	lookEvery  = 5 * time.Second  // at the way to the model; the look itself is cached
	writeLimit = 30 * time.Second // a reader that stands still for so long is let go
	streamEnd  = 10 * time.Minute // then the browser comes back, and must still be signed in
)

// A stream is server-sent events to one page.
//
// Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
type stream struct {
	v       *visit
	control *http.ResponseController
	page    string   // "doctor" also gets the report
	current string   // the conversation that the page shows; "" for none
	chain   string   // what the strip said when it was sent last
	report  string   // what the report said
	list    string   // tag of the list as it was sent last
	shown   []shown  // the articles that the page has
	blocks  []string // of the running answer, as the page has them
	thought string   // its reasoning
}

// A shown is what a page has of a message.
type shown struct{ id, mark string }

// open begins a stream.
func (v *visit) open() (*stream, error) {
	query := v.r.URL.Query()
	s := &stream{v: v, control: http.NewResponseController(v.w), page: query.Get("page"), list: query.Get("list")}
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back
	v.w.WriteHeader(http.StatusOK)
	return s, s.write([]byte("retry: 2000\n\n"))
}

func (s *stream) write(b []byte) error {
	s.control.SetWriteDeadline(time.Now().Add(writeLimit)) // not every writer of a test has deadlines
	if _, err := s.v.w.Write(b); err != nil {
		return err
	}
	return s.control.Flush()
}

// send sends one event.
func (s *stream) send(name string, data any) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\ndata: ", name)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // half of it is markup, and nobody reads it as a page
	if err := e.Encode(data); err != nil {
		return fmt.Errorf("encode event %s: %w", name, err)
	}
	b.WriteString("\n")
	return s.write(b.Bytes())
}

// events serves the pages that show no conversation.
func (s *Site) events(v *visit) error {
	st, err := v.open()
	if err == nil {
		err = st.run(nil)
	}
	v.gone(err)
	return nil
}

// conversationEvents serves a page that shows a conversation.
func (s *Site) conversationEvents(v *visit) error {
	id := v.r.PathValue("id")
	if _, err := s.DB.Conversation(v.r.Context(), id); err != nil {
		return err
	}
	st, err := v.open()
	if err == nil {
		st.current = id
		err = st.run(s.Chat.Watch)
	}
	v.gone(err)
	return nil
}

// run sends what changes until the reader goes away or has signed out, the
// conversation is deleted, the site closes or the stream is old.
func (s *stream) run(watch func(ctx context.Context, conversation string) iter.Seq[chat.Change]) error {
	ctx, cancel := context.WithTimeout(s.v.r.Context(), streamEnd)
	var feeders sync.WaitGroup
	defer feeders.Wait()
	defer cancel()
	var changes <-chan chat.Change // nil, and so silent, on a page without a conversation
	if watch != nil {
		changes = feed(ctx, &feeders, watch(ctx, s.current))
	}
	lists := feed(ctx, &feeders, s.v.site.Chat.WatchList(ctx))
	reports := feed(ctx, &feeders, s.v.site.looks(ctx))
	return s.relay(ctx, changes, lists, reports)
}

func (s *stream) relay(ctx context.Context, changes <-chan chat.Change, lists <-chan struct{}, reports <-chan report.Report) error {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	var late *later
	var err error
	for open := true; err == nil && open; {
		select {
		case <-ctx.Done():
			return nil
		case <-s.v.site.closing():
			return nil
		case c, more := <-changes:
			if c.Gone {
				return s.send("gone", struct{}{})
			}
			if open = more; open {
				late, err = s.changed(ctx, c)
			}
		case <-late.due():
			late, err = s.grown(late.message)
		case _, open = <-lists:
			err = s.listChanged(ctx)
		case r := <-reports:
			err = s.looked(r)
		case <-ping.C:
			if !s.v.site.Login.StillIn(ctx) {
				return nil
			}
			err = s.write([]byte(": ping\n\n"))
		}
	}
	return err
}

// A later is an answer that grew faster than it is sent, and when it is sent.
type later struct {
	message store.Message
	at      <-chan time.Time
}

func (l *later) due() <-chan time.Time {
	if l == nil {
		return nil
	}
	return l.at
}

// feed makes a channel of a sequence, closed when the sequence ends. What comes
// faster than it is taken waits where it comes from.
func feed[T any](ctx context.Context, running *sync.WaitGroup, all iter.Seq[T]) <-chan T {
	c := make(chan T)
	running.Go(func() {
		defer close(c)
		for x := range all {
			select {
			case c <- x:
			case <-ctx.Done():
				return
			}
		}
	})
	return c
}

// looks yields how the way to the model is, again and again.
func (s *Site) looks(ctx context.Context) iter.Seq[report.Report] {
	return func(yield func(report.Report) bool) {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			news := s.examined.next()
			if !yield(s.current(ctx)) {
				return
			}
			select {
			case <-tick.C:
			case <-news:
			case <-ctx.Done():
				return
			}
		}
	}
}

// looked sends the strip, and the doctor's page its report, when they say
// something new. That time has passed is not new.
func (s *stream) looked(r report.Report) error {
	if len(r.Steps) == 0 {
		return nil
	}
	if s.page == "doctor" && s.report != substance(r) {
		s.report = substance(r)
		if err := s.sendFragment("doctor", fragmentDoctor, diagnosis(s.v.lang, r)); err != nil {
			return err
		}
	}
	now := strip(s.v.lang, r)
	if s.chain == now.State+now.Text {
		return nil
	}
	s.chain = now.State + now.Text
	return s.sendFragment("chain", fragmentChain, now)
}

func (s *stream) sendFragment(event, name string, data any) error {
	html, err := s.v.fragment(name, data)
	if err != nil {
		return err
	}
	return s.send(event, map[string]any{"html": html})
}

// substance is what a report says beside times.
func substance(r report.Report) string {
	var b strings.Builder
	for _, s := range r.Steps {
		fmt.Fprintln(&b, s.Name, s.Status, s.Finding)
	}
	return b.String()
}

// listChanged sends the list of conversations.
func (s *stream) listChanged(ctx context.Context) error {
	all, err := s.v.site.list(ctx, s.v.lang, s.current)
	if err != nil {
		return err
	}
	html, err := s.v.fragment(fragmentConversations, all)
	if err != nil || tagOf(html) == s.list {
		return err
	}
	s.list = tagOf(html)
	return s.send("conversations", map[string]any{"html": html})
}
