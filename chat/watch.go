package chat

import (
	"context"
	"iter"

	"tegata/store"
)

// A Change is what somebody who watches a conversation has to know. Exactly
// one of its fields is set.
type Change struct {
	Message store.Message // is like this now
	Thread  bool          // messages have come or gone: read the conversation anew
	Gone    bool          // the conversation was deleted
}

// A watcher collects what changes until its owner has time for it. What
// changes twice meanwhile is told once, so that a slow reader holds nothing up
// and costs nothing.
type watcher struct {
	wake     chan struct{} // holds one
	thread   bool
	gone     bool
	messages map[string]bool
}

// tell notes a change for every watcher. The caller holds the engine's lock.
func (t *thread) tell(note func(*watcher)) {
	for w := range t.watchers {
		note(w)
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (e *Engine) threadChanged(conversation string) {
	e.changed(conversation, func(w *watcher) { w.thread = true })
}

func (e *Engine) messageChanged(conversation, message string) {
	e.changed(conversation, func(w *watcher) { w.messages[message] = true })
}

func (e *Engine) changed(conversation string, note func(*watcher)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t := e.threads[conversation]; t != nil {
		t.tell(note)
	}
}

// Watch yields what happens in a conversation: first that it is there to be
// read, with the answer that runs if there is one, then each change. It ends
// with ctx, with the engine, and after [Change.Gone].
func (e *Engine) Watch(ctx context.Context, conversation string) iter.Seq[Change] {
	return func(yield func(Change) bool) {
		w := e.join(conversation)
		defer e.leave(conversation, w)
		for {
			over := false
			select {
			case <-ctx.Done():
				return
			case <-w.wake:
			case <-e.over:
				over = true
			}
			if !e.report(ctx, w, yield) || over {
				return
			}
		}
	}
}

func (e *Engine) join(conversation string) *watcher {
	w := &watcher{wake: make(chan struct{}, 1), thread: true, messages: map[string]bool{}}
	w.wake <- struct{}{}
	e.mu.Lock()
	defer e.mu.Unlock()
	t := e.threadOf(conversation)
	t.watchers[w] = struct{}{}
	if t.answer != nil {
		w.messages[t.answer.message.ID] = true
	}
	return w
}

func (e *Engine) leave(conversation string, w *watcher) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.threadOf(conversation).watchers, w)
	e.settle(conversation)
}

// report yields what has changed, and reports whether to go on.
func (e *Engine) report(ctx context.Context, w *watcher, yield func(Change) bool) bool {
	e.mu.Lock()
	thread, gone, messages := w.thread, w.gone, w.messages
	w.thread, w.messages = false, map[string]bool{}
	e.mu.Unlock()
	if gone {
		yield(Change{Gone: true})
		return false
	}
	if thread && !yield(Change{Thread: true}) {
		return false
	}
	for id := range messages {
		m, err := e.Message(ctx, id)
		if err == nil && !yield(Change{Message: m}) { // one that is gone was replaced, which the thread tells
			return false
		}
	}
	return true
}

// WatchList yields at once, as what the reader has may be old, and whenever the
// list of conversations has changed: one came, went, got another name or moved
// to the top. It ends with ctx and with the engine.
func (e *Engine) WatchList(ctx context.Context) iter.Seq[struct{}] {
	return func(yield func(struct{}) bool) {
		wake := make(chan struct{}, 1)
		wake <- struct{}{}
		e.mu.Lock()
		e.lists[wake] = struct{}{}
		e.mu.Unlock()
		defer func() {
			e.mu.Lock()
			delete(e.lists, wake)
			e.mu.Unlock()
		}()
		for {
			select {
			case <-ctx.Done():
				return
			case <-e.over:
				return
			case <-wake:
			}
			if !yield(struct{}{}) {
				return
			}
		}
	}
}

func (e *Engine) listChanged() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for wake := range e.lists {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// Thread returns a conversation with its messages, the running answer as it
// is now. Returns [store.ErrNotFound] if there is none.
func (e *Engine) Thread(ctx context.Context, conversation string) (store.Conversation, []store.Message, error) {
	c, messages, err := e.stored(ctx, conversation)
	for i, m := range messages {
		if err == nil && m.State == store.Running {
			messages[i], err = e.Message(ctx, m.ID)
			messages[i].Position = m.Position
		}
	}
	return c, messages, err
}

// stored returns a conversation with its messages as the store has them.
func (e *Engine) stored(ctx context.Context, conversation string) (store.Conversation, []store.Message, error) {
	c, err := e.DB.Conversation(ctx, conversation)
	if err != nil {
		return c, nil, err
	}
	messages, err := e.DB.Messages(ctx, conversation)
	return c, messages, err
}

// Message returns a message, as it is now if it is an answer that runs.
// Returns [store.ErrNotFound] if there is none.
func (e *Engine) Message(ctx context.Context, id string) (store.Message, error) {
	e.mu.Lock()
	a := e.running[id]
	e.mu.Unlock()
	if a != nil {
		return a.now(), nil
	}
	m, err := e.DB.Message(ctx, id)
	if err == nil && m.State == store.Running { // its end could not be stored
		m.State = store.Interrupted
	}
	return m, err
}
