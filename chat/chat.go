// Package chat holds conversations with models. An answer belongs to the
// process and not to whoever asked: it is stored while it grows, goes on when
// nobody looks, and everybody who looks sees the same.
//
// Start with an [Engine]: [Engine.Start] it, ask with [Engine.Begin], and
// follow what becomes of a conversation with [Engine.Watch].
package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"tegata/bedrock"
	"tegata/store"
)

// Why a question is not taken. What is not there is [store.ErrNotFound].
var (
	ErrBusy    = errors.New("an answer is still being written in this conversation")
	ErrEmpty   = errors.New("the question is empty")
	ErrTooLong = errors.New("the question is too long")
	ErrTooMany = errors.New("too many answers are being written")
	ErrClosed  = errors.New("no questions are taken: the program is about to end")
)

const (
	// LongestQuestion is how many bytes a question, or a system prompt, may have.
	LongestQuestion = 200 << 10

	mostAnswers      = 200  // at once; each holds a connection and its text
	defaultMaxTokens = 4096 // of an answer
)

// An Engine asks the questions and holds the answers that run. Set its fields
// before [Engine.Start]. It is safe for concurrent use.
type Engine struct {
	DB        *store.DB
	Source    bedrock.Source
	Catalogue *bedrock.Catalogue

	// Explain says what an error means; nil means that the error has to speak
	// for itself.
	Explain func(context.Context, error) bedrock.Problem

	// Record is told of every call of a model, and must not wait; nil means
	// that nobody counts.
	Record func(context.Context, store.Call)

	MaxTokens int          // of an answer; 0 means 4096
	Logger    *slog.Logger // nil means none; gets no word of a conversation

	run     context.Context // of the answers
	end     context.CancelCauseFunc
	answers sync.WaitGroup
	grown   chan struct{} // holds one; wakes the writer
	writer  sync.WaitGroup
	over    chan struct{} // closed when nothing will change any more

	editing sync.Mutex // held while a conversation is read, changed and written

	mu      sync.Mutex
	closed  bool
	threads map[string]*thread // by conversation: those with an answer that runs, or a watcher
	running map[string]*answer // by id of the message
	lists   map[chan struct{}]struct{}
}

// A thread is what is known of a conversation beyond what is stored.
type thread struct {
	answer   *answer // that runs; nil for none
	leaving  bool    // the conversation is being deleted
	watchers map[*watcher]struct{}
}

// Start makes the engine ready; it does so once. Of ctx it keeps the values
// alone: [Engine.Close] ends what it starts.
func (e *Engine) Start(ctx context.Context) error {
	if e.DB == nil || e.Source == nil || e.Catalogue == nil {
		return errors.New("start the chat: it needs a store, a source of clients and a catalogue")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.run != nil {
		return errors.New("start the chat: it was started before")
	}
	e.run, e.end = context.WithCancelCause(context.WithoutCancel(ctx))
	e.threads, e.running, e.lists = map[string]*thread{}, map[string]*answer{}, map[chan struct{}]struct{}{}
	e.grown, e.over = make(chan struct{}, 1), make(chan struct{})
	e.writer.Go(e.write)
	return nil
}

// Close takes no more questions and lets running answers end until ctx does.
// Those that are left then are kept as far as they have come, as interrupted;
// the error says how many. Who watches sees how they end, and then the
// sequences end too. The store is not used after it. Called again, it waits as
// well.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	started, again := e.run != nil, e.closed
	e.closed = true
	e.mu.Unlock()
	if !started {
		return nil
	}
	err := e.drain(ctx)
	e.end(errInterrupted) // nothing but the writer is left
	e.writer.Wait()
	if !again {
		close(e.over)
	}
	return err
}

// drain waits for the answers, and ends them with ctx.
func (e *Engine) drain(ctx context.Context) (err error) {
	ended := make(chan struct{})
	go func() {
		e.answers.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		if n := e.count(); n > 0 {
			err = fmt.Errorf("wait for running answers: %d interrupted: %w", n, context.Cause(ctx))
		}
		e.end(errInterrupted)
		<-ended
	}
	return err
}

func (e *Engine) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.running)
}

// threadOf returns the thread of a conversation. The caller holds e.mu and
// calls [Engine.settle] when it may have become useless.
func (e *Engine) threadOf(conversation string) *thread {
	t := e.threads[conversation]
	if t == nil {
		t = &thread{watchers: map[*watcher]struct{}{}}
		e.threads[conversation] = t
	}
	return t
}

// settle forgets a thread that holds nothing. The caller holds e.mu.
func (e *Engine) settle(conversation string) {
	if t := e.threads[conversation]; t != nil && t.answer == nil && !t.leaving && len(t.watchers) == 0 {
		delete(e.threads, conversation)
	}
}

func (e *Engine) log() *slog.Logger {
	if e.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return e.Logger
}
