package chat

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"tegata/store"
)

const (
	// writeEvery is how much of an answer a killed process may lose.
	writeEvery = 250 * time.Millisecond
	// writeWithin bounds one try to write.
	writeWithin = 10 * time.Second
	// writeAgain is the pause before the end of an answer is tried again.
	writeAgain = time.Second
)

// write stores what running answers have become, all in one transaction. While
// none grows it sleeps.
func (e *Engine) write() {
	for {
		select {
		case <-e.grown:
		case <-e.run.Done():
			return
		}
		e.writeGrown()
		if !e.pause(writeEvery) {
			return
		}
	}
}

// wakeWriter says that an answer has grown.
func (e *Engine) wakeWriter() {
	select {
	case e.grown <- struct{}{}:
	default: // it will look anyway
	}
}

func (e *Engine) writeGrown() {
	answers, growths := e.unwritten()
	if len(growths) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.run), writeWithin)
	defer cancel()
	if err := e.DB.Grow(ctx, growths); err != nil {
		e.log().Error("growing answers could not be stored", slog.Int("answers", len(growths)), slog.Any("error", err))
		e.wakeWriter()
		return
	}
	for i, a := range answers {
		a.writtenAs(growths[i])
	}
}

// unwritten returns the answers that have grown, and what they have become.
func (e *Engine) unwritten() (answers []*answer, growths []store.Growth) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range e.running {
		if g, ok := a.growth(); ok {
			answers, growths = append(answers, a), append(growths, g)
		}
	}
	return answers, growths
}

// growth returns what an answer has become, and whether that is news to the
// store.
func (a *answer) growth() (store.Growth, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := store.Growth{ID: a.message.ID, Text: a.text.String(), Reasoning: a.reasoning.String()}
	return g, len(g.Text)+len(g.Reasoning) > a.written
}

// writtenAs notes what the store has.
func (a *answer) writtenAs(g store.Growth) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.written = len(g.Text) + len(g.Reasoning)
}

// storeEnd stores the end of an answer. A store that fails is tried again for
// as long as the engine runs: until then the answer is no different for who
// looks at it, and a restart would take it for interrupted.
func (e *Engine) storeEnd(m store.Message) {
	for {
		err := e.tryStoreEnd(m)
		if err == nil || errors.Is(err, store.ErrNotFound) { // somebody else has removed it
			return
		}
		e.log().Error("the end of an answer could not be stored", slog.String("message", m.ID), slog.Any("error", err))
		if !e.pause(writeAgain) {
			return
		}
	}
}

func (e *Engine) tryStoreEnd(m store.Message) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.run), writeWithin)
	defer cancel()
	return e.DB.Finish(ctx, m)
}

// pause waits, and reports false if the engine ends meanwhile.
func (e *Engine) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-e.run.Done():
		return false
	}
}
