package chat_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/bedrock"
	"tegata/chat"
	"tegata/store"
)

func TestBegin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "こんにちは、\r\n元気?", Model: sonnet, System: "Be brief."})
		thread, messages, err := w.Thread(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if thread.Title != "こんにちは、" || thread.Model != sonnet || thread.System != "Be brief." {
			t.Errorf("conversation %+v", thread)
		}
		if len(messages) != 2 || messages[1].ID != answer || messages[1].State != store.Running {
			t.Errorf("messages %+v", messages)
		}
		if c.id != sonnet || c.in.InferenceConfig.MaxTokens != 4096 || c.in.System[0].Text != "Be brief." {
			t.Errorf("asked %s for %+v", c.id, c.in)
		}
		if got := c.heard(); !cmp.Equal(got, []string{"user: こんにちは、\n元気?"}) {
			t.Errorf("heard %q", got)
		}

		c.thinks("hm")
		c.says("元", "気")
		if m := w.message(answer); m.Text != "元気" || m.Reasoning != "hm" || m.State != store.Running {
			t.Errorf("while it runs: %+v", m)
		}
		c.says("です")
		c.ends("max_tokens")
		m := w.ended(answer)
		price, _ := bedrock.PriceOf(sonnet)
		want := store.Message{ID: answer, Conversation: id, Position: 1, Role: "assistant", Text: "元気です", Reasoning: "hm",
			State: store.Done, Model: sonnet, StopReason: "max_tokens", Usage: store.Usage{Input: 1000, Output: 200, CacheRead: 30},
			Cost: price.Cost(bedrock.Usage{Input: 1000, Output: 200, CacheRead: 30}), Created: m.Created, Finished: m.Finished}
		if diff := cmp.Diff(want, m); diff != "" || m.Cost == 0 || m.Finished.IsZero() {
			t.Errorf("the answer is not as wanted (-) but (+):\n%s", diff)
		}
		call := store.Call{Time: w.calls[0].Time, Client: "person", Model: sonnet, Usage: want.Usage, Cost: want.Cost, Status: 200, RequestID: requestID}
		if diff := cmp.Diff([]store.Call{call}, w.calls); diff != "" {
			t.Errorf("recorded (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsNotTaken(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		busy, _, _ := w.ask(chat.Question{Text: "one", Model: sonnet})
		long := strings.Repeat("長", chat.LongestQuestion/3+1)
		for name, test := range map[string]struct {
			question chat.Question
			want     error
		}{
			"nothing":       {chat.Question{}, chat.ErrEmpty},
			"blanks":        {chat.Question{Text: " \r\n\u3000"}, chat.ErrEmpty},
			"long":          {chat.Question{Text: long}, chat.ErrTooLong},
			"long prompt":   {chat.Question{Text: "hi", System: long}, chat.ErrTooLong},
			"second answer": {chat.Question{Conversation: busy, Text: "two"}, chat.ErrBusy},
			"unknown":       {chat.Question{Conversation: "x", Text: "hi"}, store.ErrNotFound},
		} {
			if _, _, err := w.Begin(t.Context(), test.question); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", name, err, test.want)
			}
		}
		if _, err := w.Again(t.Context(), busy, ""); !errors.Is(err, chat.ErrBusy) {
			t.Errorf("again while an answer runs: %v", err)
		}
		if _, err := w.Again(t.Context(), "x", ""); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("again in no conversation: %v", err)
		}
		if got := w.texts(busy); len(got) != 2 {
			t.Errorf("the conversation became %q", got)
		}
		if all, err := w.DB.Conversations(t.Context(), 0, time.Time{}); err != nil || len(all) != 1 {
			t.Errorf("%d conversations, %v", len(all), err)
		}
	})
}

func TestAsManyAnswersAsMayRun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const most = 200
		var first *call
		for range most {
			_, _, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
			if first == nil {
				first = c
			}
		}
		if _, _, err := w.Begin(t.Context(), chat.Question{Text: "hi"}); !errors.Is(err, chat.ErrTooMany) {
			t.Errorf("one more: %v", err)
		}
		first.ends("end_turn")
		synctest.Wait()
		w.ask(chat.Question{Text: "hi", Model: sonnet})
	})
}

// A question that could not be stored leaves nothing behind.
func TestQuestionThatCannotBeStored(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := w.Begin(gone, chat.Question{Text: "hi", Model: sonnet}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		id := w.said("", "one", "two").Conversation
		if _, _, err := w.Begin(gone, chat.Question{Conversation: id, Text: "hi"}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if all, err := w.DB.Conversations(t.Context(), 0, time.Time{}); err != nil || len(all) != 1 {
			t.Errorf("%d conversations, %v", len(all), err)
		}
		w.said(id, "three", "four") // and the conversation is not busy
	})
}

// The answer belongs to the engine: it goes on when the request that began it
// has ended.
func TestNobodyLooks(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		_, answer, err := w.Begin(ctx, chat.Question{Text: "hi", Model: sonnet})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		c := <-w.model.asked
		c.says("still ")
		c.says("here")
		c.ends("end_turn")
		if m := w.ended(answer); m.State != store.Done || m.Text != "still here" {
			t.Errorf("got %s %q", m.State, m.Text)
		}
	})
}

func TestModelIsRemembered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "one", Model: sonnet})
		c.ends("end_turn")
		w.ended(answer)
		for _, step := range []struct{ chosen, want string }{{"", sonnet}, {haiku, haiku}, {"", haiku}} {
			_, answer, c := w.ask(chat.Question{Conversation: id, Text: "more", Model: step.chosen})
			c.ends("end_turn")
			if m := w.ended(answer); c.id != step.want || m.Model != step.want {
				t.Errorf("chosen %q: asked %s, stored %s, want %s", step.chosen, c.id, m.Model, step.want)
			}
		}
	})
}

// What a model is told of the conversation so far.
func TestHistory(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.said("", "q1", "a1").Conversation

		_, stopped, c := w.ask(chat.Question{Conversation: id, Text: "q2"})
		c.says("half")
		if err := w.Stop(t.Context(), stopped); err != nil {
			t.Fatal(err)
		}
		_, failed, c := w.ask(chat.Question{Conversation: id, Text: "q3"})
		c.says("broken off")
		c.breaks()
		w.ended(failed)
		w.said(id, "q4", " \n") // a model that says nothing

		_, _, c = w.ask(chat.Question{Conversation: id, Text: "q5"})
		want := []string{"user: q1", "assistant: a1", "user: q2", "assistant: half", "user: q3", "user: q4", "user: q5"}
		if diff := cmp.Diff(want, c.heard()); diff != "" {
			t.Errorf("heard (-want +got):\n%s", diff)
		}
	})
}

func TestAgain(t *testing.T) {
	for name, end := range map[string]func(*testing.T, *world, string, *call){
		"done": func(_ *testing.T, _ *world, _ string, c *call) { c.ends("end_turn") },
		"stopped": func(t *testing.T, w *world, id string, _ *call) {
			if err := w.Stop(t.Context(), id); err != nil {
				t.Error(err)
			}
		},
		"failed": func(_ *testing.T, _ *world, _ string, c *call) { c.breaks() },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id := w.said("", "q1", "a1").Conversation
				_, old, c := w.ask(chat.Question{Conversation: id, Text: "q2"})
				c.says("old")
				end(t, w, old, c)
				w.ended(old)

				answer, err := w.Again(t.Context(), id, haiku)
				if err != nil {
					t.Fatal(err)
				}
				c = <-w.model.asked
				want := []string{"user: q1", "assistant: a1", "user: q2"}
				if diff := cmp.Diff(want, c.heard()); diff != "" || c.id != haiku {
					t.Errorf("%s heard (-want +got):\n%s", c.id, diff)
				}
				c.says("new")
				c.ends("end_turn")
				w.ended(answer)
				want = []string{"user done: q1", "assistant done: a1", "user done: q2", "assistant done: new"}
				if diff := cmp.Diff(want, w.texts(id)); diff != "" {
					t.Errorf("thread (-want +got):\n%s", diff)
				}
				if _, err := w.Message(t.Context(), old); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("the old answer: %v", err)
				}
			})
		})
	}
}

// Conversations that were written by somebody else.
func TestAgainWithoutAnAnswer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if err := w.DB.CreateConversation(t.Context(), store.Conversation{ID: "c", Model: sonnet}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Again(t.Context(), "c", ""); !errors.Is(err, chat.ErrEmpty) {
			t.Errorf("nothing asked: %v", err)
		}
		if err := w.DB.AddMessages(t.Context(), store.Message{ID: "q", Conversation: "c", Role: "user", Text: "hi"}); err != nil {
			t.Fatal(err)
		}
		answer, err := w.Again(t.Context(), "c", "")
		if err != nil {
			t.Fatal(err)
		}
		c := <-w.model.asked
		c.says("hello")
		c.ends("end_turn")
		w.ended(answer)
		if got := w.texts("c"); !cmp.Equal(got, []string{"user done: hi", "assistant done: hello"}) {
			t.Errorf("thread %q", got)
		}
	})
}

func TestStop(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("as far as ", "this")
		if err := w.Stop(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		m, err := w.DB.Message(t.Context(), answer)
		if err != nil || m.State != store.Stopped || m.Text != "as far as this" || m.Problem != nil {
			t.Errorf("stored %+v, %v", m, err)
		}
		if !isClosed(c.gone) {
			t.Error("AWS goes on")
		}
		if err := w.Stop(t.Context(), answer); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("stopped twice: %v", err)
		}
		if w.calls[0].Status != bedrock.StatusGone || w.calls[0].RequestID != requestID {
			t.Errorf("recorded %+v", w.calls)
		}
		w.said(id, "more", "well")
	})
}

func TestStopBeforeTheFirstWord(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		if err := w.Stop(t.Context(), answer); err != nil {
			t.Fatal(err)
		}
		if m := w.ended(answer); m.State != store.Stopped || m.Text != "" || !isClosed(c.gone) {
			t.Errorf("got %+v", m)
		}
	})
}

func TestDelete(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("word")
		if err := w.Delete(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if !isClosed(c.gone) {
			t.Error("AWS goes on")
		}
		if _, _, err := w.Thread(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the thread: %v", err)
		}
		if _, err := w.Message(t.Context(), answer); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the answer: %v", err)
		}
		if err := w.Delete(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("deleted twice: %v", err)
		}
		if _, _, err := w.Begin(t.Context(), chat.Question{Conversation: id, Text: "hi"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("asked in what is gone: %v", err)
		}
	})
}

// Questions, a stop and deletions that come at the same time leave either a
// whole conversation or none, and nothing that runs.
func TestDeleteWhileAsking(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.said("", "hi", "hello").Conversation
		for range 4 {
			go func() {
				_, answer, err := w.Begin(t.Context(), chat.Question{Conversation: id, Text: "and?"})
				if err == nil {
					w.Stop(t.Context(), answer)
				}
			}()
			go w.Delete(t.Context(), id)
		}
		synctest.Wait()
		if _, _, err := w.Thread(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the thread: %v", err)
		}
		if got, err := w.DB.Messages(t.Context(), id); err != nil || len(got) > 0 {
			t.Errorf("left behind: %+v, %v", got, err)
		}
		w.model.mu.Lock()
		defer w.model.mu.Unlock()
		if w.model.open != 0 {
			t.Errorf("%d calls go on", w.model.open)
		}
	})
}

func TestEdit(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.said("", "hi", "hello").Conversation
		before, _, _ := w.Thread(t.Context(), id)
		err := w.Edit(t.Context(), id, func(c *store.Conversation) { c.Title, c.System = "Greetings", "Be brief." })
		if err != nil {
			t.Fatal(err)
		}
		want := before
		want.Title, want.System = "Greetings", "Be brief."
		if got, _, err := w.Thread(t.Context(), id); err != nil || got != want {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		if err := w.Edit(t.Context(), "x", func(*store.Conversation) {}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no conversation: %v", err)
		}
		_, _, c := w.ask(chat.Question{Conversation: id, Text: "again"})
		if len(c.in.System) != 1 || c.in.System[0].Text != "Be brief." {
			t.Errorf("asked with %+v", c.in.System)
		}
	})
}

// Two who change different things at once both succeed.
func TestEditsDoNotUndoEachOther(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id := w.said("", "hi", "hello").Conversation
		const letters = "abcdefghijklmnop"
		for _, letter := range letters {
			go w.Edit(t.Context(), id, func(c *store.Conversation) { c.System += string(letter) })
		}
		synctest.Wait()
		if c, _, err := w.Thread(t.Context(), id); err != nil || len(c.System) != len(letters) {
			t.Errorf("got %q, %v", c.System, err)
		}
	})
}

func TestTitle(t *testing.T) {
	sixty := strings.Repeat("語", 60)
	family := "👨\u200d👩\u200d👧"
	for question, want := range map[string]string{
		"hello":                          "hello",
		"\n\n  two\twords \nsecond line": "two words",
		"a\x00b\x1b[31m":                 "a b [31m",
		"bad \xff byte":                  "bad \uFFFD byte",
		sixty:                            sixty,
		sixty + "x":                      sixty[:59*len("語")] + "…",
		strings.Repeat("x", 57) + family: strings.Repeat("x", 57) + "…",
		strings.Repeat("e\u0301", 40):    strings.Repeat("e\u0301", 29) + "…",
		strings.Repeat("\u0301", 100):    strings.Repeat("\u0301", 30) + "…",
	} {
		t.Run(fmt.Sprintf("%.20q", question), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id, _, _ := w.ask(chat.Question{Text: question, Model: sonnet})
				if c, _, err := w.Thread(t.Context(), id); err != nil || c.Title != want {
					t.Errorf("got %q, %v, want %q", c.Title, err, want)
				}
			})
		})
	}
}

func TestEngineThatDoesNotRun(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "tegata.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := new(chat.Engine).Start(t.Context()); err == nil {
		t.Error("an engine without a store starts")
	}
	source := func(context.Context) (*bedrock.Client, error) { return nil, http.ErrServerClosed }
	e := &chat.Engine{DB: db, Source: source, Catalogue: bedrock.NewCatalogue(source)}
	asking := func(when string) {
		if _, _, err := e.Begin(t.Context(), chat.Question{Text: "hi"}); !errors.Is(err, chat.ErrClosed) {
			t.Errorf("%s: %v", when, err)
		}
	}
	asking("before the start")
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	e = &chat.Engine{DB: db, Source: source, Catalogue: bedrock.NewCatalogue(source)}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := e.Start(t.Context()); err == nil {
		t.Error("it starts twice")
	}
	for range 2 {
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	asking("after the end")
}
