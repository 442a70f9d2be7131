package chat

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"tegata/bedrock"
	"tegata/store"
)

// Why an answer ended that neither the model nor AWS did.
var (
	errStopped     = errors.New("a person stopped the answer")
	errInterrupted = errors.New("the program ended")
)

// An answer is one that runs. It does so until its end is stored.
type answer struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	stored chan struct{} // closed once the end is written down

	mu              sync.Mutex
	message         store.Message // id, conversation and role never change
	called          bool          // the model was, by the id in message
	text, reasoning strings.Builder
	written         int    // how many bytes of both the store has
	requestID       string // of AWS
}

func newAnswer(run context.Context, conversation string) *answer {
	a := &answer{stored: make(chan struct{})}
	a.ctx, a.cancel = context.WithCancelCause(run)
	a.message = store.Message{
		ID: store.NewID(), Conversation: conversation, Role: string(bedrock.Assistant), State: store.Running, Created: time.Now(),
	}
	return a
}

// chosen notes which model shall answer.
func (a *answer) chosen(model string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.message.Model = model
}

// calls notes the id by which the model is called now.
func (a *answer) calls(model string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.message.Model, a.called = model, true
}

// now returns the message as it is at the moment.
func (a *answer) now() store.Message {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := a.message
	m.Text, m.Reasoning = a.text.String(), a.reasoning.String()
	return m
}

// stop ends the answer for a reason and waits until that is stored.
func (a *answer) stop(ctx context.Context, why error) error {
	a.cancel(why)
	select {
	case <-a.stored:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// answer has the answer written, whoever looks.
func (e *Engine) answer(a *answer) {
	e.threadChanged(a.message.Conversation)
	e.listChanged()
	go func() {
		e.finish(a, e.ask(a))
		e.release(a)
	}()
}

// longestSilence of a model ends its answer. Thoughts are not silence.
const longestSilence = 5 * time.Minute

// ask puts the conversation to the model and lets the answer grow.
func (e *Engine) ask(a *answer) error {
	ctx, cancel := context.WithCancelCause(a.ctx)
	defer cancel(nil)
	silence := time.AfterFunc(longestSilence, func() { cancel(context.DeadlineExceeded) })
	defer silence.Stop()
	client, err := e.Source(ctx)
	if err != nil {
		return err
	}
	request, err := e.request(ctx, a)
	if err != nil {
		return err
	}
	a.calls(request.Model)
	for event, err := range client.Stream(ctx, request) {
		if err != nil {
			return err
		}
		silence.Reset(longestSilence)
		if a.take(event) {
			e.messageChanged(a.message.Conversation, a.message.ID)
			e.wakeWriter()
		}
	}
	return nil
}

// take adds an event of the stream, and reports whether there is more to see.
func (a *answer) take(event bedrock.Event) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch v := event.(type) {
	case bedrock.Start:
		a.requestID = v.RequestID
	case bedrock.TextDelta:
		a.text.WriteString(v.Text)
		return v.Text != ""
	case bedrock.ReasoningDelta:
		a.reasoning.WriteString(v.Text)
		return v.Text != ""
	case bedrock.Stop:
		a.message.StopReason = v.Reason
	case bedrock.Metadata:
		a.message.Usage = store.Usage{
			Input: v.Usage.Input, Output: v.Usage.Output, CacheRead: v.Usage.CacheRead, CacheWrite: v.Usage.CacheWrite,
		}
		if price, ok := bedrock.PriceOf(a.message.Model); ok {
			a.message.Cost = price.Cost(v.Usage)
		}
	}
	return false
}

// request is the conversation up to the answer, for the model by the id that
// the region calls it by.
func (e *Engine) request(ctx context.Context, a *answer) (bedrock.Request, error) {
	c, messages, err := e.stored(ctx, a.message.Conversation)
	if err != nil {
		return bedrock.Request{}, err
	}
	model, err := e.resolve(ctx, c.Model)
	if err != nil {
		return bedrock.Request{}, err
	}
	request := bedrock.Request{Model: model, System: c.System, MaxTokens: cmp.Or(e.MaxTokens, defaultMaxTokens)}
	for _, m := range messages {
		if isTurn(m) { // the answer itself is still empty
			request.Messages = append(request.Messages, bedrock.Message{Role: bedrock.Role(m.Role), Text: m.Text})
		}
	}
	return request, nil
}

// isTurn reports whether a message is part of what the model is told. An
// answer that failed is not; one that was cut short is, as far as it came.
func isTurn(m store.Message) bool {
	return m.State != store.Failed && strings.TrimSpace(m.Text) != ""
}

// resolve returns the id by which the region calls a model. Where nothing
// leads to it, that is its own, and AWS says why it does not answer.
func (e *Engine) resolve(ctx context.Context, model string) (string, error) {
	if model == "" {
		return e.anyModel(ctx)
	}
	offer, err := e.Catalogue.Find(ctx, model)
	return cmp.Or(offer.ID, model), err
}

var errNoModel = errors.New("no model is chosen, and the region offers none")

// anyModel returns the first model of the catalogue: where one can be called,
// that is first.
func (e *Engine) anyModel(ctx context.Context) (string, error) {
	offers, err := e.Catalogue.Offers(ctx)
	if err == nil && len(offers) == 0 {
		err = errNoModel
	}
	if err != nil {
		return "", err
	}
	return cmp.Or(offers[0].ID, offers[0].Model.ID), nil
}

// finish stores how an answer ended, and tells log and record.
func (e *Engine) finish(a *answer, err error) {
	m, p := e.ending(a, err)
	e.storeEnd(m)
	e.log().LogAttrs(a.ctx, levelOf(m.State), "answer",
		slog.String("message", m.ID), slog.String("conversation", m.Conversation), slog.String("model", m.Model),
		slog.String("state", string(m.State)), slog.Int("status", p.Status), slog.String("finding", p.ID), slog.String("request_id", p.RequestID),
		slog.Duration("took", m.Finished.Sub(m.Created)), slog.Int("input_tokens", m.Usage.Input), slog.Int("output_tokens", m.Usage.Output))
	if e.Record == nil || !a.called {
		return
	}
	e.Record(context.WithoutCancel(a.ctx), store.Call{
		Time: m.Created, Client: person, Model: m.Model, Usage: m.Usage, Cost: m.Cost, Status: p.Status, Finding: p.ID, RequestID: p.RequestID,
	})
}

// person is who asks here, in the record of calls: people have no other name.
const person = "person"

func levelOf(s store.State) slog.Level {
	if s == store.Failed {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// ending returns what an answer has become, and the outcome as a gateway would
// tell it.
func (e *Engine) ending(a *answer, err error) (store.Message, bedrock.Problem) {
	why := context.Cause(a.ctx) // before explaining, which takes its time
	m := a.now()
	m.Finished = time.Now()
	p := bedrock.Problem{RequestID: a.requestID}
	switch {
	case err == nil:
		m.State, p.Status = store.Done, http.StatusOK
	case errors.Is(why, errStopped):
		m.State, p.Status = store.Stopped, bedrock.StatusGone
	case errors.Is(why, errInterrupted):
		m.State, p.Status = store.Interrupted, http.StatusServiceUnavailable
	default:
		p = e.explain(a.ctx, err)
		p.RequestID = cmp.Or(p.RequestID, a.requestID)
		m.State, m.Problem = store.Failed, &store.Problem{ID: p.ID, Detail: p.Detail, RequestID: p.RequestID, Fields: p.Fields}
	}
	return m, p
}

// explainWithin bounds the search for a cause, which may look at the chain.
const explainWithin = 6 * time.Second

func (e *Engine) explain(ctx context.Context, err error) bedrock.Problem {
	if e.Explain == nil {
		return e.Catalogue.Problem(err)
	}
	ctx, cancel := context.WithTimeout(ctx, explainWithin)
	defer cancel()
	return e.Explain(ctx, err)
}
