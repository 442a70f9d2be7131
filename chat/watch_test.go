package chat_test

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/chat"
	"tegata/store"
)

// A seen is what somebody who watches has seen.
type seen struct {
	mu    sync.Mutex
	all   []string
	ended bool
}

// look watches in the background, and says each change in a word or two.
func look[T any](changes iter.Seq[T], name func(T) string) *seen {
	s := &seen{}
	go func() {
		for c := range changes {
			s.add(name(c), false)
		}
		s.add("", true)
	}()
	return s
}

func nameOf(c chat.Change) string {
	switch {
	case c.Gone:
		return "gone"
	case c.Thread:
		return "thread"
	}
	return fmt.Sprintf("%s: %s", c.Message.State, c.Message.Text)
}

func (s *seen) add(word string, end bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end {
		s.ended = true
		return
	}
	s.all = append(s.all, word)
}

// since returns what was seen since it was asked last, once nothing happens.
func (s *seen) since() []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.all
	s.all = nil
	return all
}

func (s *seen) wants(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.since()); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
}

func (s *seen) isOver() bool {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (w *world) look(conversation string) *seen {
	return look(w.Watch(w.t.Context(), conversation), nameOf)
}

func TestWatch(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.said("", "q1", "a1").Conversation
		early := w.look(id)
		early.wants(t, "thread")

		_, answer, c := w.ask(chat.Question{Conversation: id, Text: "q2"})
		early.wants(t, "thread")
		c.says("one ")
		early.wants(t, "running: one ")
		c.thinks("hm")
		early.wants(t, "running: one ")

		late := w.look(id)
		late.wants(t, "thread", "running: one ")
		c.says("two")
		c.ends("end_turn")
		early.wants(t, "running: one two", "done: one two")
		late.wants(t, "running: one two", "done: one two")

		if _, err := w.Again(t.Context(), id, ""); err != nil {
			t.Fatal(err)
		}
		early.wants(t, "thread")
		(<-w.model.asked).breaks()
		early.wants(t, "failed: ")
		if err := w.Edit(t.Context(), id, func(c *store.Conversation) { c.Title = "new" }); err != nil {
			t.Fatal(err)
		}
		early.wants(t, "thread")
		w.ask(chat.Question{Text: "elsewhere", Model: sonnet})
		early.wants(t)
		if err := w.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		early.wants(t, "gone")
		if !early.isOver() {
			t.Error("it goes on after the end of the conversation")
		}
		if _, err := w.Message(t.Context(), answer); err == nil {
			t.Error("the answer is still there")
		}
	})
}

// Who watches and has read the thread before an answer ended must be told of
// the end, wherever between the two it came.
func TestWatchFromAnyMoment(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const readers = 20
		id, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		var last [readers]store.Message
		var done sync.WaitGroup
		for i := range readers {
			done.Go(func() {
				for change := range w.Watch(t.Context(), id) {
					m := change.Message
					if change.Thread {
						_, messages, err := w.Thread(t.Context(), id)
						if err != nil {
							t.Error(err)
							return
						}
						m = messages[len(messages)-1]
					}
					if last[i] = m; m.State != store.Running {
						return
					}
				}
			})
			c.says("word ")
		}
		c.ends("end_turn")
		done.Wait()
		want := w.ended(answer)
		for i, got := range last {
			if got.Text != want.Text || got.State != store.Done {
				t.Errorf("reader %d ends with %s, %d bytes of %d", i, got.State, len(got.Text), len(want.Text))
			}
		}
	})
}

// A reader that has no time holds nobody up and finds no queue.
func TestSlowWatcher(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		var got []string
		go func() {
			for change := range w.Watch(t.Context(), id) {
				got = append(got, nameOf(change))
				time.Sleep(time.Hour)
			}
		}()
		synctest.Wait()
		for range 1000 {
			c.says("x")
		}
		c.ends("end_turn")
		if m := w.ended(answer); m.State != store.Done {
			t.Fatalf("the answer waits for its reader: %s", m.State)
		}
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		want := []string{"thread", "done: ", "done: " + strings.Repeat("x", 1000)}
		if len(got) > len(want) || got[len(got)-1] != want[2] {
			t.Errorf("%d changes, the last %.40q…", len(got), got[len(got)-1])
		}
	})
}

func TestWatchingEnds(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, _, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("as far as this")
		ctx, cancel := context.WithCancel(t.Context())
		leaving := look(w.Watch(ctx, id), nameOf)
		leavingList := look(w.WatchList(ctx), func(struct{}) string { return "list" })
		staying := w.look(id)
		stayingList := look(w.WatchList(t.Context()), func(struct{}) string { return "list" })
		for range w.Watch(t.Context(), id) {
			break
		}
		staying.wants(t, "thread", "running: as far as this")
		cancel()
		if !leaving.isOver() || !leavingList.isOver() || staying.isOver() || stayingList.isOver() {
			t.Error("the wrong ones leave")
		}
		if err := w.Close(w.within(time.Second)); err == nil {
			t.Error("closing does not tell of the interrupted answer")
		}
		staying.wants(t, "interrupted: as far as this")
		if !staying.isOver() || !stayingList.isOver() {
			t.Error("they watch an engine that is closed")
		}
		if !w.look(id).isOver() {
			t.Error("one who comes late waits forever")
		}
	})
}

// What has come and gone leaves nothing behind.
func TestNothingIsHeld(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.said("", "q1", "a1").Conversation
		_, answer, c := w.ask(chat.Question{Conversation: id, Text: "q2"})
		c.says("half")
		ctx, cancel := context.WithCancel(t.Context())
		for _, room := range []string{id, "no such conversation"} {
			look(w.Watch(ctx, room), nameOf)
			look(w.WatchList(ctx), func(struct{}) string { return "" })
		}
		for _, room := range []string{"no such conversation", "nobody watches this"} {
			w.Begin(t.Context(), chat.Question{Conversation: room, Text: "hi"})
		}
		w.Delete(t.Context(), "nor this")
		synctest.Wait()
		if w.Held() != 1+2+2 { // the answer, both that are watched, and who watches the list
			t.Errorf("%d things held", w.Held())
		}
		cancel()
		if err := w.Stop(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		if err := w.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if w.Held() != 0 {
			t.Errorf("%d things held at the end", w.Held())
		}
	})
}

// Who is busy while the engine closes still gets to know how the answer ended.
func TestEndIsSeenByTheSlow(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, _, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("half")
		var all []*seen
		for range 20 {
			all = append(all, look(w.Watch(t.Context(), id), func(c chat.Change) string {
				if !c.Thread {
					time.Sleep(time.Hour)
				}
				return nameOf(c)
			}))
		}
		synctest.Wait()
		if err := w.Close(w.within(time.Second)); err == nil {
			t.Error("nothing was interrupted")
		}
		time.Sleep(10 * time.Hour)
		for _, s := range all {
			got := s.since()
			if last := got[len(got)-1]; last != "interrupted: half" || !s.isOver() {
				t.Errorf("seen %q", got)
			}
		}
	})
}

func TestWatchList(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		list := look(w.WatchList(t.Context()), func(struct{}) string { return "changed" })
		list.wants(t, "changed")
		id, _, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		list.wants(t, "changed")
		c.says("word")
		list.wants(t)
		c.ends("end_turn")
		list.wants(t, "changed")
		for _, step := range []struct {
			name   string
			change func() error
		}{
			{"edit", func() error { return w.Edit(t.Context(), id, func(c *store.Conversation) { c.Title = "new" }) }},
			{"again", func() error { _, err := w.Again(t.Context(), id, ""); return err }},
			{"delete", func() error { return w.Delete(t.Context(), id) }},
		} {
			if err := step.change(); err != nil {
				t.Fatal(err)
			}
			if got := list.since(); len(got) == 0 {
				t.Errorf("%s: nothing", step.name)
			}
		}
	})
}
