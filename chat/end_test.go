package chat_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
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

func TestFailure(t *testing.T) {
	const retired = "This model version has reached the end of its life. Please refer to the AWS documentation for more details."
	for name, test := range map[string]struct {
		fails   func(*call)
		text    string
		problem store.Problem
		status  int
	}{
		"refused": {
			fails:   func(c *call) { c.refuses(http.StatusNotFound, "ResourceNotFoundException", retired) },
			problem: store.Problem{ID: "TG6014", Detail: retired, RequestID: requestID}, status: 404,
		},
		"cut off": {
			fails: func(c *call) { c.says("half an "); c.breaks() },
			text:  "half an ", problem: store.Problem{ID: "TG6019", RequestID: requestID}, status: 502,
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				id, answer, c := w.ask(chat.Question{Text: "a secret question", Model: sonnet})
				test.fails(c)
				m := w.ended(answer)
				if m.State != store.Failed || m.Text != test.text || m.Problem == nil {
					t.Fatalf("got %+v", m)
				}
				if m.Problem.Fields["model"] == "" && test.problem.ID == "TG6014" {
					t.Errorf("no evidence: %+v", m.Problem)
				}
				got := *m.Problem
				got.Fields = nil
				if test.problem.Detail == "" {
					got.Detail = ""
				}
				if diff := cmp.Diff(test.problem, got); diff != "" {
					t.Errorf("problem (-want +got):\n%s", diff)
				}
				if c := w.calls[0]; c.Status != test.status || c.Finding != got.ID || c.RequestID != requestID {
					t.Errorf("recorded %+v", c)
				}
				logged := w.logs.String()
				for _, want := range []string{"level=WARN", "finding=" + got.ID, "conversation=" + id} {
					if !strings.Contains(logged, want) {
						t.Errorf("the log has no %s: %s", want, logged)
					}
				}
				if strings.Contains(logged, "secret question") || test.text != "" && strings.Contains(logged, test.text) {
					t.Errorf("the log repeats what was said: %s", logged)
				}
			})
		})
	}
}

// What the error itself does not say, somebody who knows the chain may.
func TestExplain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.Engine.Explain = func(ctx context.Context, err error) bedrock.Problem {
			if _, ok := ctx.Deadline(); !ok || !errors.Is(err, bedrock.ErrTruncated) {
				t.Errorf("asked to explain %v", err)
			}
			return bedrock.Problem{ID: "TG4103", Status: 503, Fields: map[string]string{"host": "h"}}
		}
		_, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("half")
		c.breaks()
		want := &store.Problem{ID: "TG4103", Fields: map[string]string{"host": "h"}, RequestID: requestID}
		if diff := cmp.Diff(want, w.ended(answer).Problem); diff != "" {
			t.Errorf("problem (-want +got):\n%s", diff)
		}
	})
}

func TestNoClient(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		broken := func(context.Context) (*bedrock.Client, error) {
			return nil, errors.New("load the settings: no such profile")
		}
		e := &chat.Engine{DB: w.DB, Source: broken, Catalogue: bedrock.NewCatalogue(broken)}
		e.Record = func(_ context.Context, c store.Call) { t.Errorf("no model was called: %+v", c) }
		if err := e.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer e.Close(t.Context())
		_, answer, err := e.Begin(t.Context(), chat.Question{Text: "hi", Model: sonnet})
		if err != nil {
			t.Fatal(err)
		}
		if m := w.ended(answer); m.State != store.Failed || m.Model != sonnet || !strings.Contains(m.Problem.Detail, "no such profile") {
			t.Errorf("got %+v, %+v", m, m.Problem)
		}
	})
}

// AWS itself says why a model can't be called that the region knows.
func TestModelThatNothingLeadsTo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.lists = map[string]string{
			"/foundation-models": `{"modelSummaries":[{"modelId":"acme.talker-v1:0","modelArn":"arn:aws:bedrock:ap-northeast-1::foundation-model/acme.talker-v1:0",
				"inputModalities":["TEXT"],"outputModalities":["TEXT"],"inferenceTypesSupported":["INFERENCE_PROFILE"],"modelLifecycle":{"status":"ACTIVE"}}]}`,
			"/inference-profiles": `{"inferenceProfileSummaries":[]}`,
		}
		for _, chosen := range []string{"acme.talker-v1:0", ""} {
			_, answer, c := w.ask(chat.Question{Text: "hi", Model: chosen})
			c.refuses(http.StatusBadRequest, "ValidationException", "no")
			if m := w.ended(answer); c.id != "acme.talker-v1:0" || m.Model != c.id || m.State != store.Failed {
				t.Errorf("chosen %q: asked %q, got %+v", chosen, c.id, m)
			}
		}
	})
}

func TestNoModel(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.model.lists = map[string]string{"/foundation-models": `{"modelSummaries":[]}`, "/inference-profiles": `{"inferenceProfileSummaries":[]}`}
		_, answer, err := w.Begin(t.Context(), chat.Question{Text: "hi"})
		if err != nil {
			t.Fatal(err)
		}
		if m := w.ended(answer); m.State != store.Failed || !strings.Contains(m.Problem.Detail, "no model is chosen") {
			t.Errorf("got %+v, %+v", m, m.Problem)
		}
	})
}

// A model that says nothing for a long time holds no place for ever.
func TestSilence(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.thinks("hm")
		for range 3 { // each of them a sign of life
			time.Sleep(4 * time.Minute)
			c.thinks("…")
		}
		c.says("well")
		time.Sleep(4 * time.Minute)
		if m := w.message(answer); m.State != store.Running {
			t.Fatalf("after a while: %+v", m)
		}
		time.Sleep(2 * time.Minute)
		m := w.ended(answer)
		if m.State != store.Failed || m.Text != "well" || !isClosed(c.gone) || w.calls[0].Status != http.StatusGatewayTimeout {
			t.Errorf("got %s %q, problem %+v, recorded %+v", m.State, m.Text, m.Problem, w.calls)
		}
	})
}

// A kill of the process may take a quarter of a second, and nothing of what
// came before.
func TestStoredAsItGrows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const answers = 50
		var ids []string
		var calls []*call
		for i := range answers {
			_, id, c := w.ask(chat.Question{Text: fmt.Sprint("question ", i), Model: sonnet})
			ids, calls = append(ids, id), append(calls, c)
		}
		for part := 1; part <= 4; part++ {
			for i, c := range calls {
				c.thinks("t")
				c.says(fmt.Sprint(i, ","))
			}
			time.Sleep(250 * time.Millisecond)
			synctest.Wait()
			for i, id := range ids {
				m, err := w.DB.Message(t.Context(), id)
				if want := strings.Repeat(fmt.Sprint(i, ","), part); err != nil || m.Text != want || m.Reasoning != strings.Repeat("t", part) {
					t.Fatalf("stored %q and %q, %v, want %q", m.Text, m.Reasoning, err, want)
				}
			}
		}
		for i, c := range calls[:answers/2] {
			c.ends("end_turn")
			if m := w.ended(ids[i]); m.State != store.Done {
				t.Errorf("answer %d: %s", i, m.State)
			}
		}
		if w.model.most != answers {
			t.Errorf("%d at once, want %d", w.model.most, answers)
		}
	})
}

// Quiet is no work: an answer that doesn't grow is not written again, whatever
// the others do.
func TestStoredOnlyWhenItGrows(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		_, _, other := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("word")
		time.Sleep(time.Second)
		if err := w.DB.Grow(t.Context(), []store.Growth{{ID: answer, Text: "untouched"}}); err != nil {
			t.Fatal(err)
		}
		other.says("another")
		time.Sleep(time.Minute)
		if m, err := w.DB.Message(t.Context(), answer); err != nil || m.Text != "untouched" {
			t.Errorf("stored %q, %v", m.Text, err)
		}
	})
}

// A killed process leaves what SQLite has in its files at that moment.
func TestKilled(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		const answers = 50
		want := map[string]string{}
		for i := range answers {
			id, _, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
			c.says("stored ")
			want[id] = "assistant interrupted: stored "
			if i%2 == 0 {
				c.says("and whole")
				c.ends("end_turn")
				want[id] = "assistant done: stored and whole"
			}
			if i%3 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		time.Sleep(250 * time.Millisecond)
		synctest.Wait()
		left := &world{t: t, path: filepath.Join(t.TempDir(), "tegata.db"), model: w.model}
		for _, suffix := range []string{"", "-wal"} {
			b, err := os.ReadFile(w.path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(left.path+suffix, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		left.start()
		defer left.close()
		for id, answer := range want {
			if diff := cmp.Diff([]string{"user done: hi", answer}, left.texts(id)); diff != "" {
				t.Errorf("thread (-want +got):\n%s", diff)
			}
		}
		for id := range want {
			if _, err := left.Again(t.Context(), id, ""); err != nil {
				t.Errorf("again: %v", err)
			}
			(<-w.model.asked).ends("end_turn")
		}
	})
}

func TestCloseWaits(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			if err := w.Close(w.within(time.Minute)); err != nil {
				t.Error(err)
			}
		}()
		if isClosed(closed) {
			t.Fatal("it does not wait")
		}
		if _, _, err := w.Begin(t.Context(), chat.Question{Text: "hi"}); !errors.Is(err, chat.ErrClosed) {
			t.Errorf("a question while it closes: %v", err)
		}
		c.says("to the end")
		c.ends("end_turn")
		if !isClosed(closed) {
			t.Error("it waits for nothing")
		}
		if m := w.ended(answer); m.State != store.Done {
			t.Errorf("the answer is %s", m.State)
		}
	})
}

func TestCloseInterrupts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("as far ", "as this")
		began := time.Now()
		err := w.Close(w.within(10 * time.Second))
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(fmt.Sprint(err), "1 interrupted") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
		if !isClosed(c.gone) {
			t.Error("AWS goes on")
		}
		if m := w.ended(answer); m.State != store.Interrupted || m.Text != "as far as this" || m.Finished.IsZero() {
			t.Errorf("got %+v", m)
		}
		if err := w.DB.Close(); err != nil {
			t.Fatal(err)
		}
		w.start() // and the conversation goes on, with what came
		_, _, c = w.ask(chat.Question{Conversation: id, Text: "more"})
		if diff := cmp.Diff([]string{"user: hi", "assistant: as far as this", "user: more"}, c.heard()); diff != "" {
			t.Errorf("heard (-want +got):\n%s", diff)
		}
	})
}

// breakStore makes the store refuse to write messages, by "INSERT" or "UPDATE",
// until it is mended.
func (w *world) breakStore(statement string) (mend func()) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		w.t.Fatal(err)
	}
	do := func(statement string) {
		if _, err := db.ExecContext(w.t.Context(), statement); err != nil {
			w.t.Error(err)
		}
	}
	do(`CREATE TRIGGER broken BEFORE ` + statement + ` ON messages BEGIN SELECT RAISE(FAIL, 'no space left'); END`)
	return func() {
		do(`DROP TRIGGER broken`)
		if err := db.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

// While the end of an answer can't be stored it still runs, for everybody, and
// nothing of it is lost.
func TestStoreThatFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		mend := w.breakStore("UPDATE")
		c.says("all of it")
		c.ends("end_turn")
		time.Sleep(time.Minute)
		if m := w.message(answer); m.State != store.Running || m.Text != "all of it" {
			t.Errorf("while the store fails: %+v", m)
		}
		if _, _, err := w.Begin(t.Context(), chat.Question{Conversation: id, Text: "more"}); !errors.Is(err, chat.ErrBusy) {
			t.Errorf("the next question: %v", err)
		}
		mend()
		time.Sleep(time.Minute)
		if m := w.ended(answer); m.State != store.Done || m.Text != "all of it" || m.Usage.Output != 200 {
			t.Errorf("after it: %+v", m)
		}
		if logged := w.logs.String(); !strings.Contains(logged, "could not be stored") || strings.Contains(logged, "all of it") {
			t.Errorf("logged: %s", logged)
		}
	})
}

// What a store refused is tried again though the answer grows no further.
func TestStoreThatFailsForAWhile(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		_, answer, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		mend := w.breakStore("UPDATE")
		c.says("word")
		time.Sleep(time.Minute)
		mend()
		time.Sleep(time.Second)
		synctest.Wait()
		if m, err := w.DB.Message(t.Context(), answer); err != nil || m.Text != "word" {
			t.Errorf("stored %q, %v", m.Text, err)
		}
	})
}

// A conversation that could not begin is not there.
func TestStoreThatTakesNoQuestion(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		mend := w.breakStore("INSERT")
		_, _, err := w.Begin(t.Context(), chat.Question{Text: "a secret question", Model: sonnet})
		if err == nil || strings.Contains(err.Error(), "secret question") {
			t.Errorf("got %v", err)
		}
		mend()
		if all, err := w.DB.Conversations(t.Context(), 0, time.Time{}); err != nil || len(all) != 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// From the moment somebody deletes a conversation nobody asks in it, also while
// the answer that runs there takes its time to end.
func TestQuestionWhileDeleting(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		id, _, c := w.ask(chat.Question{Text: "hi", Model: sonnet})
		c.says("word")
		mend := w.breakStore("UPDATE")
		deleted := make(chan struct{})
		go func() {
			defer close(deleted)
			if err := w.Delete(t.Context(), id); err != nil {
				t.Error(err)
			}
		}()
		if isClosed(deleted) {
			t.Fatal("it does not wait for the answer")
		}
		if _, _, err := w.Begin(t.Context(), chat.Question{Conversation: id, Text: "more"}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v", err)
		}
		mend()
		<-deleted
		if _, _, err := w.Thread(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the thread: %v", err)
		}
	})
}
