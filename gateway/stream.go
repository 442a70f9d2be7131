package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"tegata/bedrock"
)

// The rules of a streamed answer:
//
//   - The head waits for the first event of Bedrock, so that a refusal has its
//     own status. After commitAfter it goes out all the same, since clients and
//     load balancers give up on a silent connection.
//   - From then on a comment keeps the connection awake in every silence.
//   - An error after the head is an event of its own, and the end: no finish
//     reason and no [DONE] stand behind it.
//   - The finish reason is sent when the answer is known to be whole.
//   - A client that takes nothing for writeWithin loses the answer, and Bedrock
//     stops working on it.
//   - Bedrock that says nothing for longestSilence will not say more: our own
//     comments would keep the client waiting for ever. Thoughts are no silence.
const (
	commitAfter    = 10 * time.Second
	pingEvery      = 15 * time.Second // an ALB closes after 60 s of silence, others after 30 s
	writeWithin    = 30 * time.Second
	longestSilence = 5 * time.Minute
)

// How streams end, as metrics name it.
const (
	endedWhole   = "whole"
	endedGone    = "client_gone"
	endedStalled = "client_stalled"
	endedError   = "error"
)

// answerStreamed passes the answer on as it comes. An error that it returns
// came before anything was sent.
func (c *call) answerStreamed(ctx context.Context, w http.ResponseWriter, client *bedrock.Client) error {
	asking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	silence := time.AfterFunc(longestSilence, func() { stop(context.DeadlineExceeded) })
	defer silence.Stop()
	a := streamedAnswer{call: c, out: newEventStream(w, func() { stop(nil) }, &c.server.counts)}
	defer a.out.close()
	for event, err := range client.Stream(asking, c.request) {
		silence.Reset(longestSilence)
		if err == nil {
			err = a.pass(event)
		}
		if err != nil {
			return c.brokenOff(ctx, a.out, err)
		}
	}
	c.succeeded(c.requestID, a.tokens)
	if err := a.end(); err != nil {
		return c.brokenOff(ctx, a.out, err)
	}
	c.ended = endedWhole
	return nil
}

// brokenOff ends a stream that is not whole. It returns the error if the head
// has not been sent, so that there is still a status for it.
func (c *call) brokenOff(ctx context.Context, out *eventStream, err error) error {
	begun, lost := out.stop()
	switch {
	case !begun:
		return err
	case lost != nil:
		c.status, c.ended = bedrock.StatusGone, endedGone
		if errors.Is(lost, os.ErrDeadlineExceeded) {
			c.ended = endedStalled
		}
		return nil
	}
	f, gone := c.failed(ctx, err)
	c.ended = endedGone
	if !gone {
		c.ended = endedError
		out.send(f.envelope())
	}
	return nil
}

// A streamedAnswer says Bedrock's events in OpenAI's words.
type streamedAnswer struct {
	*call
	out    *eventStream
	tools  []toolBlock
	reason string
	tokens bedrock.Usage
}

// A toolBlock is a call of a tool, whose position in tools is its index.
type toolBlock struct {
	block int  // of Bedrock's answer
	input bool // some has come
}

// pass sends what an event says. An error is one of the connection.
func (a *streamedAnswer) pass(event bedrock.Event) error {
	switch e := event.(type) {
	case bedrock.Start:
		a.requestID = e.RequestID
		a.out.setRequestID(e.RequestID)
		return a.chunk(delta{Role: "assistant", Content: new(string)})
	case bedrock.TextDelta:
		return a.token(delta{Content: &e.Text})
	case bedrock.ReasoningDelta:
		if e.Text != "" {
			return a.token(delta{Reasoning: e.Text})
		}
	case bedrock.ToolStart:
		a.tools = append(a.tools, toolBlock{block: e.Block})
		return a.tool(len(a.tools)-1, chatToolCall{ID: e.ID, Type: "function", Function: functionCall{Name: e.Name}})
	case bedrock.ToolDelta:
		if i := a.toolAt(e.Block); i >= 0 && e.Input != "" {
			a.tools[i].input = true
			return a.tool(i, chatToolCall{Function: functionCall{Arguments: e.Input}})
		}
	case bedrock.BlockStop:
		if i := a.toolAt(e.Block); i >= 0 && !a.tools[i].input {
			a.tools[i].input = true
			return a.tool(i, chatToolCall{Function: functionCall{Arguments: argumentsOf(nil)}})
		}
	case bedrock.Stop:
		a.reason = e.Reason
	case bedrock.Metadata:
		a.tokens = e.Usage
	}
	return nil
}

func (a *streamedAnswer) toolAt(block int) int {
	return slices.IndexFunc(a.tools, func(t toolBlock) bool { return t.block == block })
}

func (a *streamedAnswer) tool(index int, t chatToolCall) error {
	t.Index = &index
	return a.token(delta{ToolCalls: []chatToolCall{t}})
}

// token sends something that the model has said, and remembers when the first
// came.
func (a *streamedAnswer) token(d delta) error {
	if a.firstToken == 0 {
		a.firstToken = time.Since(a.began)
	}
	return a.chunk(d)
}

func (a *streamedAnswer) chunk(d delta) error { return a.out.send(a.of(choice{Delta: &d})) }

// end sends how the answer ended, and what it took.
func (a *streamedAnswer) end() error {
	last := []any{a.of(choice{Delta: &delta{}, FinishReason: optional(finishReason(a.reason))})}
	if a.wantUsage {
		counted := a.of()
		counted.Usage = usageOf(a.tokens)
		last = append(last, counted)
	}
	return a.out.finish(last...)
}

func (a *streamedAnswer) of(choices ...choice) chatCompletion {
	if choices == nil {
		choices = []choice{} // no null
	}
	return chatCompletion{ID: a.id, Object: "chat.completion.chunk", Created: a.began.Unix(), Model: a.request.Model, Choices: choices}
}

// An eventStream is the way to the client. It keeps itself awake, so all of it
// is safe for concurrent use.
type eventStream struct {
	w      http.ResponseWriter
	cancel func() // ends what is sent, because the connection is lost
	counts *metrics

	mu     sync.Mutex
	buf    bytes.Buffer
	begun  bool // the head has been sent
	closed bool
	err    error // of the connection
	awake  *time.Timer
}

func newEventStream(w http.ResponseWriter, cancel func(), counts *metrics) *eventStream {
	s := &eventStream{w: w, cancel: cancel, counts: counts}
	s.mu.Lock() // the timer's function must not see the struct without it
	defer s.mu.Unlock()
	s.awake = time.AfterFunc(commitAfter, s.ping)
	return s
}

// setRequestID names the request to the client if the head is still here.
func (s *eventStream) setRequestID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.begun && id != "" {
		s.w.Header().Set("X-Request-Id", id)
	}
}

// send sends events of JSON at once.
func (s *eventStream) send(events ...any) error { return s.write(events, false) }

// finish sends the last events of a whole answer.
func (s *eventStream) finish(events ...any) error { return s.write(events, true) }

func (s *eventStream) write(events []any, done bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buf.Reset()
	e := json.NewEncoder(&s.buf)
	e.SetEscapeHTML(false)
	for _, event := range events {
		s.buf.WriteString("data: ")
		if err := e.Encode(event); err != nil {
			return err
		}
		s.buf.WriteByte('\n')
	}
	if done {
		s.buf.WriteString("data: [DONE]\n\n")
	}
	return s.flush()
}

// ping sends a comment, which clients skip, unless something is being sent.
func (s *eventStream) ping() {
	if !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.buf.Reset()
	s.buf.WriteString(": ping\n\n")
	if s.flush() == nil {
		s.counts.ping()
	}
}

// flush sends what is in the buffer, after the head if that is still here.
func (s *eventStream) flush() error {
	if s.err != nil {
		return s.err
	}
	if !s.begun {
		s.begun = true
		h := s.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // nginx would wait for more
	}
	within(s.w, writeWithin)
	_, err := s.w.Write(s.buf.Bytes())
	if err == nil {
		err = http.NewResponseController(s.w).Flush()
	}
	if err != nil {
		s.err = err
		s.cancel()
		return err
	}
	s.awake.Reset(pingEvery)
	return nil
}

// stop ends the pings. It reports whether the head has been sent, and why the
// connection is lost if it is.
func (s *eventStream) stop() (begun bool, lost error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.awake.Stop()
	return s.begun, s.err
}

func (s *eventStream) close() { s.stop() }
