package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"tegata/bedrock"
	"tegata/store"
)

// A Question is what a person asks.
type Question struct {
	Conversation string // "" begins a new one
	Text         string
	Model        string // id of a model or a profile; "" means that of the conversation, else the first that can be called
	System       string // prompt of a new conversation; "" means none. [Engine.Edit] changes it
}

// Begin asks a question and returns as soon as both the question and the place
// of its answer are stored: the answer goes on whatever becomes of ctx. Errors:
// [ErrBusy], [ErrEmpty], [ErrTooLong], [ErrTooMany], [ErrClosed], and
// [store.ErrNotFound] for a conversation that does not exist.
func (e *Engine) Begin(ctx context.Context, q Question) (conversation, answer string, err error) {
	q.Text, q.System = plain(q.Text), plain(q.System)
	switch {
	case strings.TrimSpace(q.Text) == "":
		return "", "", ErrEmpty
	case len(q.Text) > LongestQuestion || len(q.System) > LongestQuestion:
		return "", "", ErrTooLong
	}
	a, err := e.reserve(cmp.Or(q.Conversation, store.NewID()))
	if err != nil {
		return "", "", err
	}
	if err := e.begin(ctx, a, q); err != nil {
		e.release(a)
		return "", "", fmt.Errorf("begin an answer: %w", err)
	}
	e.answer(a)
	return a.message.Conversation, a.message.ID, nil
}

// plain is text as it is stored and sent: forms end lines in two characters,
// and only valid UTF-8 can be sent to a model.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\r\n", "\n")
}

// begin writes the question down, and the place of its answer.
func (e *Engine) begin(ctx context.Context, a *answer, q Question) (err error) {
	id := a.message.Conversation
	if q.Conversation == "" {
		a.chosen(q.Model)
		err = e.DB.CreateConversation(ctx, store.Conversation{ID: id, Title: title(q.Text), Model: q.Model, System: q.System})
	} else {
		err = e.choose(ctx, a, q.Model)
	}
	if err != nil {
		return err
	}
	question := store.Message{ID: store.NewID(), Conversation: id, Role: string(bedrock.User), Text: q.Text, State: store.Done}
	err = e.DB.AddMessages(ctx, question, a.message)
	if err != nil && q.Conversation == "" { // nobody has seen it
		err = errors.Join(err, e.DB.DeleteConversation(context.WithoutCancel(ctx), id))
	}
	return err
}

// choose notes which model answers, and that the conversation goes on with it.
func (e *Engine) choose(ctx context.Context, a *answer, model string) error {
	c, err := e.edit(ctx, a.message.Conversation, func(c *store.Conversation) { c.Model = cmp.Or(model, c.Model) })
	a.chosen(c.Model)
	return err
}

// Again has the last answer of a conversation given anew, however it ended; it
// takes the place of the old one. A model of "" means that of the conversation.
// Errors are those of [Engine.Begin]; [ErrEmpty] says that nothing has been
// asked yet.
func (e *Engine) Again(ctx context.Context, conversation, model string) (answer string, err error) {
	a, err := e.reserve(conversation)
	if err != nil {
		return "", err
	}
	if err := e.again(ctx, a, model); err != nil {
		e.release(a)
		return "", fmt.Errorf("give an answer anew: %w", err)
	}
	e.answer(a)
	return a.message.ID, nil
}

func (e *Engine) again(ctx context.Context, a *answer, model string) error {
	_, messages, err := e.stored(ctx, a.message.Conversation)
	if err != nil {
		return err
	}
	if len(messages) == 0 {
		return ErrEmpty
	}
	if err := e.choose(ctx, a, model); err != nil {
		return err
	}
	last := messages[len(messages)-1]
	if last.Role == string(bedrock.User) { // its answer was never written down
		return e.DB.AddMessages(ctx, a.message)
	}
	return e.DB.Replace(ctx, last.ID, a.message)
}

// reserve takes the place of the one answer that may run in a conversation.
func (e *Engine) reserve(conversation string) (*answer, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch t := e.threads[conversation]; {
	case e.closed || e.run == nil:
		return nil, ErrClosed
	case t != nil && t.leaving:
		return nil, store.ErrNotFound
	case t != nil && t.answer != nil:
		return nil, ErrBusy
	case len(e.running) >= mostAnswers:
		return nil, ErrTooMany
	}
	a := newAnswer(e.run, conversation)
	e.threadOf(conversation).answer = a
	e.running[a.message.ID] = a
	e.answers.Add(1)
	return a, nil
}

// release gives the place back, once the answer is stored or was never begun,
// and tells who watches.
func (e *Engine) release(a *answer) {
	e.mu.Lock()
	delete(e.running, a.message.ID)
	e.threadOf(a.message.Conversation).answer = nil
	e.settle(a.message.Conversation)
	e.mu.Unlock()
	e.messageChanged(a.message.Conversation, a.message.ID)
	e.listChanged()
	a.cancel(nil)
	close(a.stored)
	e.answers.Done()
}

// Stop ends a running answer, at AWS too, keeps what came, and returns once
// that is stored. Returns [store.ErrNotFound] if no such answer runs.
func (e *Engine) Stop(ctx context.Context, answer string) error {
	e.mu.Lock()
	a := e.running[answer]
	e.mu.Unlock()
	if a == nil {
		return fmt.Errorf("stop answer %s: %w", answer, store.ErrNotFound)
	}
	ctx, cancel := context.WithTimeout(ctx, stopWithin)
	defer cancel()
	return a.stop(ctx, errStopped)
}

// stopWithin is how long a person waits for a stopped answer to be stored. A
// full disk can hold that up for ever.
const stopWithin = 5 * time.Second

// Delete removes a conversation, and stops the answer that runs in it. Returns
// [store.ErrNotFound] if there is none.
func (e *Engine) Delete(ctx context.Context, conversation string) error {
	e.mu.Lock()
	t := e.threadOf(conversation)
	t.leaving = true
	a := t.answer
	e.mu.Unlock()
	if a != nil {
		stopping, cancel := context.WithTimeout(ctx, stopWithin)
		a.stop(stopping, errStopped) // whose end can't be stored goes all the same
		cancel()
	}
	err := e.DB.DeleteConversation(ctx, conversation)
	e.mu.Lock()
	t.leaving = false
	if err == nil || errors.Is(err, store.ErrNotFound) {
		t.tell(func(w *watcher) { w.gone = true })
	}
	e.settle(conversation)
	e.mu.Unlock()
	e.listChanged()
	return err
}

// Edit changes title, model and system prompt of a conversation. Returns
// [store.ErrNotFound] if there is none.
func (e *Engine) Edit(ctx context.Context, conversation string, change func(*store.Conversation)) error {
	if _, err := e.edit(ctx, conversation, change); err != nil {
		return err
	}
	e.threadChanged(conversation)
	e.listChanged()
	return nil
}

// edit keeps two who change different things from undoing each other's.
func (e *Engine) edit(ctx context.Context, id string, change func(*store.Conversation)) (store.Conversation, error) {
	e.editing.Lock()
	defer e.editing.Unlock()
	c, err := e.DB.Conversation(ctx, id)
	if err != nil {
		return c, err
	}
	before := c
	if change(&c); c == before {
		return c, nil
	}
	return c, e.DB.UpdateConversation(ctx, c)
}

// longestTitle is in characters; the list of conversations shows about thirty.
const longestTitle = 60

// title names a conversation after the first line of its first question.
func title(question string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(question), "\n")
	words := strings.FieldsFunc(line, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	return shorten([]rune(strings.Join(words, " ")))
}

// shorten cuts a title, but not between a letter and its accent, or within an
// emoji that is made of several.
func shorten(title []rune) string {
	if len(title) <= longestTitle {
		return string(title)
	}
	const joiner = '\u200D'
	end := longestTitle - 1
	for end > longestTitle/2 && (unicode.IsMark(title[end]) || title[end] == joiner || title[end-1] == joiner) {
		end--
	}
	return strings.TrimSpace(string(title[:end])) + "…"
}
