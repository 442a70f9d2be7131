package chat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"tegata/bedrock"
	"tegata/chat"
	"tegata/store"
)

const (
	sonnet    = "jp.anthropic.claude-sonnet-4-6"
	haiku     = "jp.anthropic.claude-haiku-4-5-20251001-v1:0"
	requestID = "6f1c9c8e-0000-4000-8000-00000000beef"
)

// A world is an engine in a bubble of its own, with a store on disk and a
// model that says what the test tells it to say.
type world struct {
	*chat.Engine
	t     *testing.T
	path  string // of the store
	model *model
	logs  bytes.Buffer

	mu    sync.Mutex
	calls []store.Call // that were recorded
}

// inWorld runs a test in a bubble, where waiting takes no time.
func inWorld(t *testing.T, test func(*testing.T, *world)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, path: filepath.Join(t.TempDir(), "tegata.db"), model: &model{t: t, asked: make(chan *call, 300)}}
		w.start()
		defer w.close()
		test(t, w)
	})
}

// start opens the store and starts an engine on it.
func (w *world) start() {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), w.path)
	if err != nil {
		w.t.Fatal(err)
	}
	client := bedrock.New(bedrock.Config{
		Region: "ap-northeast-1", HTTPClient: &http.Client{Transport: w.model},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", "token"),
	})
	source := func(context.Context) (*bedrock.Client, error) { return client, nil }
	w.Engine = &chat.Engine{DB: db, Source: source, Catalogue: bedrock.NewCatalogue(source),
		Logger: slog.New(slog.NewTextHandler(&w.logs, nil)),
		Record: w.record}
	if err := w.Start(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) record(_ context.Context, c store.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
}

// close ends the engine, which interrupts what runs.
func (w *world) close() {
	w.t.Helper()
	now, cancel := context.WithCancel(context.Background())
	cancel()
	if err := w.Close(now); err != nil && !errors.Is(err, context.Canceled) {
		w.t.Error(err)
	}
	if err := w.DB.Close(); err != nil {
		w.t.Error(err)
	}
	synctest.Wait()
}

// ask asks and returns the conversation, the answer and the call of the model.
func (w *world) ask(q chat.Question) (conversation, answer string, c *call) {
	w.t.Helper()
	conversation, answer, err := w.Begin(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return conversation, answer, <-w.model.asked
}

// said asks in a conversation, has the model answer, and returns the answer.
func (w *world) said(conversation, question, answer string) store.Message {
	w.t.Helper()
	_, id, c := w.ask(chat.Question{Conversation: conversation, Text: question, Model: sonnet})
	c.says(answer)
	c.ends("end_turn")
	return w.ended(id)
}

// ended returns an answer once nothing happens any more.
func (w *world) ended(id string) store.Message {
	w.t.Helper()
	synctest.Wait()
	m := w.message(id)
	if m.State == store.Running {
		w.t.Fatalf("answer %s still runs", id)
	}
	return m
}

func (w *world) message(id string) store.Message {
	w.t.Helper()
	m, err := w.Message(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// texts returns a conversation as roles, states and texts.
func (w *world) texts(conversation string) []string {
	w.t.Helper()
	_, messages, err := w.Thread(w.t.Context(), conversation)
	if err != nil {
		w.t.Fatal(err)
	}
	var all []string
	for i, m := range messages {
		if m.Position != i {
			w.t.Errorf("message %d has position %d", i, m.Position)
		}
		all = append(all, fmt.Sprintf("%s %s: %s", m.Role, m.State, m.Text))
	}
	return all
}

// A model is Bedrock without a network.
type model struct {
	t     *testing.T
	asked chan *call        // every call of ConverseStream
	lists map[string]string // by path; what is not here may not be listed

	mu   sync.Mutex
	open int // answers that are being read
	most int
}

// A call is one of ConverseStream.
type call struct {
	m     *model
	id    string // of the model
	begun chan *http.Response
	body  *io.PipeWriter
	read  *io.PipeReader
	gone  <-chan struct{} // closed when nobody reads the answer any more
	in    struct {
		System   []struct{ Text string }
		Messages []struct {
			Role    string
			Content []struct{ Text string }
		}
		InferenceConfig struct{ MaxTokens int }
	}
}

// RoundTrip answers a call when the test says so.
func (m *model) RoundTrip(r *http.Request) (*http.Response, error) {
	id, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, "/model/"), "/converse-stream")
	if list := m.lists[r.URL.Path]; !ok && list != "" {
		return reply(http.StatusOK, []byte(list)), nil
	} else if !ok {
		return refusal(http.StatusForbidden, "AccessDeniedException", "not for you"), nil
	}
	gone := make(chan struct{})
	c := &call{m: m, id: id, begun: make(chan *http.Response), gone: gone}
	if err := json.NewDecoder(r.Body).Decode(&c.in); err != nil {
		return nil, err
	}
	c.read, c.body = io.Pipe()
	m.count(1)
	context.AfterFunc(r.Context(), func() {
		c.read.CloseWithError(context.Cause(r.Context()))
		m.count(-1)
		close(gone)
	})
	m.asked <- c
	select {
	case response := <-c.begun:
		return response, nil
	case <-r.Context().Done():
		return nil, context.Cause(r.Context())
	}
}

func (m *model) count(more int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open += more
	m.most = max(m.most, m.open)
}

func refusal(status int, code, message string) *http.Response {
	body, _ := json.Marshal(map[string]string{"message": message})
	response := reply(status, body)
	response.Header.Set("X-Amzn-ErrorType", code)
	return response
}

func reply(status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		Header: http.Header{"X-Amzn-Requestid": {requestID}, "Content-Type": {"application/json"}}}
}

func (c *call) refuses(status int, code, message string) { c.begun <- refusal(status, code, message) }

// begins sends the head of an answer.
func (c *call) begins() {
	if c.begun == nil {
		return
	}
	c.begun <- &http.Response{StatusCode: http.StatusOK, Body: c.read, ContentLength: -1,
		Header: http.Header{"X-Amzn-Requestid": {requestID}, "Content-Type": {"application/vnd.amazon.eventstream"}}}
	c.begun = nil
	c.event("messageStart", `{"role":"assistant"}`)
}

func (c *call) says(words ...string) {
	c.begins()
	for _, word := range words {
		text, _ := json.Marshal(word)
		c.event("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":1,"delta":{"text":%s}}`, text))
	}
}

func (c *call) thinks(word string) {
	c.begins()
	c.event("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":%q}}}`, word))
}

func (c *call) ends(reason string) {
	c.begins()
	c.event("messageStop", fmt.Sprintf(`{"stopReason":%q}`, reason))
	c.event("metadata", `{"usage":{"inputTokens":1000,"outputTokens":200,"totalTokens":1200,"cacheReadInputTokens":30},"metrics":{"latencyMs":120}}`)
	c.body.Close()
}

// breaks cuts the connection in the middle of an answer.
func (c *call) breaks() {
	c.begins()
	c.body.Close()
}

func (c *call) event(kind, payload string) {
	e := eventstream.Message{Payload: []byte(payload)}
	e.Headers.Set(":message-type", eventstream.StringValue("event"))
	e.Headers.Set(":event-type", eventstream.StringValue(kind))
	e.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, e); err != nil {
		c.m.t.Errorf("encode %s: %v", kind, err)
	}
	c.body.Write(b.Bytes()) // fails once nobody reads, which is what tests of that look at
	synctest.Wait()
}

// heard returns what the model was asked, as roles and texts.
func (c *call) heard() []string {
	var all []string
	for _, m := range c.in.Messages {
		for _, part := range m.Content {
			all = append(all, m.Role+": "+part.Text)
		}
	}
	return all
}

// isClosed reports whether a channel is closed, once nothing happens any more.
func isClosed(c <-chan struct{}) bool {
	synctest.Wait()
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// within is a context that ends after a while of the bubble.
func (w *world) within(d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	w.t.Cleanup(cancel)
	return ctx
}
