package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/login"
	"tegata/store"
)

// A call is one request for an answer.
type call struct {
	server    *Server
	id        string // "chatcmpl-…"
	who       string // name of the client
	lang      message.Lang
	request   bedrock.Request // Model is the id by which the region calls it
	offer     bedrock.Offer   // what the catalogue knows of the model
	wantUsage bool            // at the end of the stream

	outcome
}

// An outcome is what metrics and the log keep of a request.
type outcome struct {
	route      string
	began      time.Time
	status     int    // sent, or that of a client which has left
	finding    string // TG id
	requestID  string // of AWS
	model      string // without area; "" if none was asked
	streamed   bool
	ended      string        // how a stream ended; "" if none began
	firstToken time.Duration // since the request came; 0 if none did
	tokens     bedrock.Usage
	cost       float64 // USD
}

func (s *Server) complete(w http.ResponseWriter, r *http.Request) {
	c := &call{server: s, id: "chatcmpl-" + strings.ToLower(rand.Text()), lang: langOf(r), who: login.WhoIs(r.Context()).Name}
	c.outcome = outcome{route: "chat", began: time.Now(), status: http.StatusOK}
	w.Header().Set("X-Request-Id", c.id)
	s.counts.enter()
	defer s.counts.leave()
	if !s.gate.enter() {
		w.Header().Set("Connection", "close")
		c.fail(r.Context(), w, shuttingDown())
	} else {
		defer s.gate.leave()
		if err := c.answer(w, r); err != nil {
			c.fail(r.Context(), w, err)
		}
	}
	c.tell(r.Context())
}

// answer takes a request from its body to its answer. An error comes before
// anything was sent.
func (c *call) answer(w http.ResponseWriter, r *http.Request) error {
	body, give, err := c.server.read(w, r)
	defer give()
	if err != nil {
		return err
	}
	asked, err := parse(body)
	if err != nil {
		return err
	}
	c.streamed, c.wantUsage = asked.Stream, asked.StreamOptions.IncludeUsage
	if c.request, err = asked.converse(c.server.maxTokens()); err != nil {
		return err
	}
	if err := c.findModel(r.Context(), asked.Model); err != nil {
		return err
	}
	client, err := c.server.Source(r.Context())
	if err != nil {
		return err
	}
	if c.streamed {
		return c.answerStreamed(r.Context(), w, client)
	}
	return c.answerWhole(r.Context(), w, client)
}

// readWithin is how long a client may take to send its request.
const readWithin = time.Minute

// read returns the body of a request. Its bytes count until give is called,
// which has to be done in any case.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (body []byte, give func(), err error) {
	size := r.ContentLength
	if size < 0 || size > maxBody {
		size = maxBody
	}
	if !s.bodies.take(size) {
		return nil, func() {}, refuse(http.StatusServiceUnavailable, "", "too many large requests at once; try again")
	}
	give = func() { s.bodies.give(size) }
	c := http.NewResponseController(w)
	c.SetReadDeadline(time.Now().Add(readWithin))
	if r.ContentLength <= maxBody {
		body, err = io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	}
	switch {
	case r.ContentLength > maxBody, len(body) > maxBody:
		swallow(r)
		return nil, give, tooLarge()
	case err != nil: // the deadline stays: the server looks for the rest of the body
		return nil, give, refuse(http.StatusRequestTimeout, "", "the body did not arrive whole")
	}
	c.SetReadDeadline(time.Time{})
	return body, give, nil
}

// maxSwallowed bounds what is read of a body only to be thrown away.
const maxSwallowed = 64 << 20

// swallow reads what is left of a body, as far as that makes sense: most
// clients look for an answer only when they have sent everything, and lose it
// when the connection closes before. One that asks first is told at once.
func swallow(r *http.Request) {
	if r.Header.Get("Expect") == "" {
		io.CopyN(io.Discard, r.Body, maxSwallowed)
	}
}

// findModel finds out by which id this region calls the model.
func (c *call) findModel(ctx context.Context, asked string) error {
	if asked == "" || asked == "default" {
		asked = c.server.Model
	}
	if asked == "" {
		return badField("model", "name a model; GET /v1/models lists them")
	}
	offer, err := c.server.Catalogue.Find(ctx, asked)
	if err != nil {
		return err
	}
	c.offer, c.model = offer, bedrock.BaseID(asked)
	c.request.Model = cmp.Or(offer.ID, asked)
	return nil
}

// errNoAnswer is about a success without an answer, which no model gives, but
// what stands on the way to it may.
var errNoAnswer = errors.New("the answer does not say why it ended")

// answerWhole asks for the answer and sends it when all of it is there.
func (c *call) answerWhole(ctx context.Context, w http.ResponseWriter, client *bedrock.Client) error {
	a, err := client.Converse(ctx, c.request)
	if err != nil {
		return err
	}
	if a.StopReason == "" {
		return &bedrock.Error{
			Operation: "Converse", Model: c.request.Model, Region: client.Region(), RequestID: a.RequestID,
			Took: time.Since(c.began), Err: errNoAnswer,
		}
	}
	c.succeeded(a.RequestID, a.Usage)
	if a.RequestID != "" {
		w.Header().Set("X-Request-Id", a.RequestID)
	}
	m := messageOf(a)
	writeJSON(w, http.StatusOK, chatCompletion{
		ID: c.id, Object: "chat.completion", Created: c.began.Unix(), Model: c.request.Model,
		Choices: []choice{{Message: &m, FinishReason: optional(finishReason(a.StopReason))}},
		Usage:   usageOf(a.Usage),
	})
	return nil
}

func messageOf(a bedrock.Answer) chatAnswer {
	m := chatAnswer{Role: "assistant", Content: &a.Text, Reasoning: a.Reasoning}
	for _, t := range a.ToolUses {
		m.ToolCalls = append(m.ToolCalls, chatToolCall{ID: t.ID, Type: "function", Function: functionCall{t.Name, argumentsOf(t.Input)}})
	}
	if a.Text == "" && len(m.ToolCalls) > 0 {
		m.Content = nil
	}
	return m
}

// argumentsOf returns the input of a tool as JSON text. Clients parse it, so
// an input without members is not empty.
func argumentsOf(input []byte) string { return cmp.Or(string(input), "{}") }

// finishReason says in OpenAI's words why a model stopped. What is newer than
// this list is the model's own decision.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
func finishReason(stopReason string) string {
	switch stopReason {
	case "max_tokens", "model_context_window_exceeded":
		return "length"
	case "tool_use":
		return "tool_calls"
	case "guardrail_intervened", "content_filtered":
		return "content_filter"
	}
	return "stop"
}

// usageOf counts as OpenAI does, where tokens from the cache are a part of the
// prompt's.
func usageOf(u bedrock.Usage) *usage {
	prompt := u.Input + u.CacheRead + u.CacheWrite
	return &usage{
		PromptTokens: prompt, CompletionTokens: u.Output, TotalTokens: prompt + u.Output,
		PromptDetails: promptDetails{CachedTokens: u.CacheRead},
	}
}

// succeeded takes note of a whole answer.
func (c *call) succeeded(requestID string, u bedrock.Usage) {
	c.requestID, c.tokens = requestID, u
	if price, ok := bedrock.PriceOf(c.request.Model); ok {
		c.cost = price.Cost(u)
	}
	c.server.seen.answer()
}

// fail answers with an error before anything else was sent.
func (c *call) fail(ctx context.Context, w http.ResponseWriter, err error) {
	f, gone := c.failed(ctx, err)
	if !gone {
		f.write(w)
	}
}

// failed takes note of an error and returns how to tell it. It reports gone
// when nobody is there to be told.
func (c *call) failed(ctx context.Context, err error) (f failure, gone bool) {
	_, own := errors.AsType[*refusal](err)
	switch {
	case ctx.Err() == nil || own:
	case c.server.gate.closed():
		err = shuttingDown()
	default:
		c.status = bedrock.StatusGone
		return f, true
	}
	f = c.server.failureOf(ctx, c.lang, err)
	c.status, c.finding, c.requestID = f.status, f.finding, cmp.Or(f.requestID, c.requestID)
	c.learn()
	return f, false
}

// learn takes note of a failure of the chain. When it says what the catalogue
// did not know, the catalogue is read again.
func (c *call) learn() {
	if c.finding == "" {
		return
	}
	c.server.seen.failure(c.finding, c.requestID)
	ofTheModel := []string{"TG6001", "TG6003", "TG6008", "TG6014", "TG6015"}
	if slices.Contains(ofTheModel, c.finding) && c.offer.Callable() && c.server.seen.mayForget() {
		c.server.Catalogue.Forget()
	}
}

func shuttingDown() error {
	return refuse(http.StatusServiceUnavailable, "", "the gateway is shutting down; try again")
}

// tell gives the outcome to metrics, log and record.
func (c *call) tell(ctx context.Context) {
	s := c.server
	s.counts.request(c.outcome)
	took := time.Since(c.began)
	s.log().LogAttrs(ctx, level(c.status), "chat completion",
		slog.String("client", c.who), slog.String("model", c.request.Model), slog.Int("status", c.status),
		slog.String("finding", c.finding), slog.String("request_id", c.requestID), slog.String("stream", c.ended),
		slog.Duration("first_token", c.firstToken), slog.Duration("took", took),
		slog.Int("input_tokens", c.tokens.Input), slog.Int("output_tokens", c.tokens.Output))
	if s.Record == nil || c.request.Model == "" {
		return
	}
	s.Record(context.WithoutCancel(ctx), store.Call{
		Time: c.began, Client: c.who, Model: c.request.Model, Cost: c.cost,
		Usage:  store.Usage{Input: c.tokens.Input, Output: c.tokens.Output, CacheRead: c.tokens.CacheRead, CacheWrite: c.tokens.CacheWrite},
		Status: c.status, Finding: c.finding, RequestID: c.requestID,
	})
}

func level(status int) slog.Level {
	if status >= http.StatusInternalServerError {
		return slog.LevelWarn
	}
	return slog.LevelInfo
}
