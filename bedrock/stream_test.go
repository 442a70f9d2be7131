package bedrock

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

var question = Request{Model: "jp.anthropic.claude-sonnet-4-6", Messages: []Message{{Role: User, Text: "hi"}}}

// collect reads a stream to its end.
func collect(ctx context.Context, c *Client, r Request) (events []Event, err error) {
	for e, eErr := range c.Stream(ctx, r) {
		if eErr != nil {
			return events, eErr
		}
		events = append(events, e)
	}
	return events, nil
}

func TestStream(t *testing.T) {
	noLeaks(t)
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		s := startStream(t, w)
		s.event("messageStart", `{"role":"assistant"}`)
		s.event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}`)
		s.event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`)
		s.event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"東京 🗼"}}`)
		s.event("contentBlockStart", `{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"tooluse_1","name":"clock"}}}`)
		s.event("contentBlockDelta", `{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"zone\":"}}}`)
		s.event("somethingNewer", `{"x":1}`)
		s.event("contentBlockStop", `{"contentBlockIndex":2}`)
		s.end("tool_use")
	})
	got, err := collect(t.Context(), c, question)
	if err != nil {
		t.Fatal(err)
	}
	want := []Event{
		Start{Role: Assistant, RequestID: "6f1c9c8e-0000-4000-8000-00000000beef"},
		ReasoningDelta{Block: 0, Text: "hm"},
		ReasoningDelta{Block: 0, Signature: "c2ln"},
		TextDelta{Block: 1, Text: "東京 🗼"},
		ToolStart{Block: 2, ID: "tooluse_1", Name: "clock"},
		ToolDelta{Block: 2, ID: "tooluse_1", Input: `{"zone":`},
		BlockStop{Block: 2},
		BlockStop{Block: 0},
		Stop{Reason: "tool_use"},
		Metadata{Usage: Usage{Input: 9, Output: 2, Total: 11, CacheRead: 3}, Latency: 120 * time.Millisecond},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// The text must come as it is written, and not all at the end.
func TestStreamArrivesAsItIsSent(t *testing.T) {
	noLeaks(t)
	seen := make(chan struct{})
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		s := startStream(t, w)
		s.text("first")
		select {
		case <-seen:
			s.text("second")
			s.end("end_turn")
		case <-time.After(3 * time.Second):
			t.Error("the first words were not seen before the second were sent")
		}
	})
	for e, err := range c.Stream(t.Context(), question) {
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := e.(TextDelta); ok && d.Text == "first" {
			close(seen)
		}
	}
}

func TestRequestOnTheWire(t *testing.T) {
	temperature := 0.5
	tests := []struct {
		name    string
		request Request
		want    string
	}{
		{
			"bare", Request{Model: "m", Messages: []Message{{Role: User, Text: "hi"}}},
			`{"inferenceConfig":{"maxTokens":1024},"messages":[{"content":[{"text":"hi"}],"role":"user"}]}`,
		},
		{
			"full", Request{Model: "m", System: "be brief", Messages: []Message{{Role: User, Text: "a"}, {Role: Assistant, Text: "b"}}, MaxTokens: 7, Temperature: &temperature},
			`{"inferenceConfig":{"maxTokens":7,"temperature":0.5},"messages":[{"content":[{"text":"a"}],"role":"user"},{"content":[{"text":"b"}],"role":"assistant"}],"system":[{"text":"be brief"}]}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var body []byte
			c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ = io.ReadAll(r.Body)
				startStream(t, w).end("end_turn")
			})
			if _, err := collect(t.Context(), c, tt.request); err != nil {
				t.Fatal(err)
			}
			var got, want any
			if err := errors.Join(json.Unmarshal(body, &got), json.Unmarshal([]byte(tt.want), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestStreamIsWholeOrAnError(t *testing.T) {
	tests := []struct {
		name  string
		serve func(wire)
	}{
		{"after a delta", func(s wire) { s.text("half an ans") }},
		{"after messageStop", func(s wire) { s.text("all"); s.event("messageStop", `{"stopReason":"end_turn"}`) }},
		{"metadata alone", func(s wire) { s.event("metadata", `{"usage":{}}`) }},
		{"empty", func(wire) {}},
		{"within a frame", func(s wire) { s.text("x"); s.half() }},
		{"reset", func(s wire) { s.text("x"); panic(http.ErrAbortHandler) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			noLeaks(t)
			c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) { tt.serve(startStream(t, w)) })
			_, err := collect(t.Context(), c, question)
			if !errors.Is(err, ErrTruncated) {
				t.Fatalf("error is %v, want ErrTruncated", err)
			}
			var e *Error
			if !errors.As(err, &e) || e.RequestID != "6f1c9c8e-0000-4000-8000-00000000beef" || e.Model != question.Model {
				t.Errorf("error is %#v, want the model and the request id in it", e)
			}
			if id, _, ok := Explain(err); id != "TG6019" || !ok {
				t.Errorf("Explain: %s, %v", id, ok)
			}
		})
	}
}

func TestStreamExceptions(t *testing.T) {
	tests := []struct{ kind, payload, code, message, id string }{
		{"throttlingException", `{"message":"Too many tokens, please wait before trying again."}`, "ThrottlingException", "Too many tokens, please wait before trying again.", "TG6010"},
		{"validationException", `{"message":"The provided model identifier is invalid."}`, "ValidationException", "The provided model identifier is invalid.", "TG6003"},
		{"modelStreamErrorException", `{"message":"model failed","originalStatusCode":500,"originalMessage":"out of memory"}`, "ModelStreamErrorException", "model failed: out of memory", "TG6900"},
		{"internalServerException", `{"message":"oops"}`, "InternalServerException", "oops", "TG6900"},
		{"serviceUnavailableException", `{"message":"busy"}`, "ServiceUnavailableException", "busy", "TG6900"},
	}
	for _, tt := range tests {
		t.Run(tt.kind, func(t *testing.T) {
			noLeaks(t)
			c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				s := startStream(t, w)
				s.text("so far")
				s.exception(tt.kind, tt.payload)
			})
			events, err := collect(t.Context(), c, question)
			if diff := cmp.Diff([]Event{TextDelta{Text: "so far"}}, events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("error is %v", err)
			}
			if e.Code != tt.code || e.Message != tt.message || e.RequestID == "" {
				t.Errorf("error is %#v", e)
			}
			if id, _, _ := Explain(err); id != tt.id {
				t.Errorf("Explain: %s, want %s", id, tt.id)
			}
		})
	}
}

func TestStreamRetriesBeforeTheFirstEventOnly(t *testing.T) {
	var calls atomic.Int32
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			refuse(w, http.StatusTooManyRequests, "ThrottlingException", "Too many requests, please wait before trying again.")
		case 2:
			s := startStream(t, w)
			s.text("x")
			s.exception("throttlingException", `{"message":"Too many tokens, please wait before trying again."}`)
		}
	})
	_, err := collect(t.Context(), c, question)
	var e *Error
	if !errors.As(err, &e) || e.Code != "ThrottlingException" || calls.Load() != 2 {
		t.Errorf("%d calls, error %v; want the error of the second call", calls.Load(), err)
	}
}

// inMemory answers requests without a network, for tests in which time stands
// still.
type inMemory http.HandlerFunc

func (f inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	f(w, r)
	return w.Result(), nil
}

func TestAttemptsAreBounded(t *testing.T) {
	tests := []struct {
		name string
		call func(context.Context, *Client) error
	}{
		{"runtime", func(ctx context.Context, c *Client) error { _, err := c.Converse(ctx, question); return err }},
		{"stream", func(ctx context.Context, c *Client) error { _, err := collect(ctx, c, question); return err }},
		{"control plane", func(ctx context.Context, c *Client) error { _, err := c.Profiles(ctx); return err }},
	}
	for _, tt := range tests {
		for attempts, want := range map[int]int{0: 3, 1: 1, 2: 2} {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				c := New(Config{
					Region: "ap-northeast-1", Credentials: testKeys, Attempts: attempts,
					HTTPClient: &http.Client{Transport: inMemory(func(w http.ResponseWriter, r *http.Request) {
						calls++
						refuse(w, http.StatusServiceUnavailable, "ServiceUnavailableException", "busy")
					})},
				})
				err := tt.call(t.Context(), c)
				var e *Error
				if !errors.As(err, &e) || e.Code != "ServiceUnavailableException" || e.Status != http.StatusServiceUnavailable {
					t.Errorf("%s: error is %v", tt.name, err)
				}
				if calls != want {
					t.Errorf("%s with Attempts %d: %d calls, want %d", tt.name, attempts, calls, want)
				}
			})
		}
	}
}

func TestCancelMidStream(t *testing.T) {
	noLeaks(t)
	gone := make(chan struct{})
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		startStream(t, w).text("first")
		<-r.Context().Done()
		close(gone)
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	var since time.Time
	for _, err := range c.Stream(ctx, question) {
		if last = err; err == nil {
			since = time.Now()
			cancel()
		}
	}
	if took := time.Since(since); took > time.Second {
		t.Errorf("the stream went on for %v after the cancellation", took)
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("error is %v, want context.Canceled", last)
	}
	if _, _, ok := Explain(last); ok {
		t.Error("Explain takes a cancellation for a fault")
	}
	waitFor(t, gone, "the server to see the connection end")
}

func TestBreakClosesTheConnection(t *testing.T) {
	noLeaks(t)
	gone := make(chan struct{})
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		s := startStream(t, w)
		defer close(gone)
		for r.Context().Err() == nil {
			s.text("more")
			time.Sleep(time.Millisecond)
		}
	})
	for range c.Stream(t.Context(), question) {
		break
	}
	waitFor(t, gone, "the server to see the connection end")
}

func waitFor(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(3 * time.Second):
		t.Fatalf("waited in vain for %s", what)
	}
}

// Without detached, a few streams in a hundred are lost to a server that
// sends the head of its answer at once and the rest a little later. Without
// ownProtocol, the race detector finds the streams in each other's decoder.
func TestManyStreams(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		s := startStream(t, w)
		time.Sleep(5 * time.Millisecond)
		s.text("a", "b")
		time.Sleep(5 * time.Millisecond)
		s.end("end_turn")
	})
	var streams sync.WaitGroup
	for range 16 {
		streams.Go(func() {
			for range 40 {
				if _, err := collect(t.Context(), c, question); err != nil {
					t.Error(err)
				}
			}
		})
	}
	streams.Wait()
}

func TestConverse(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Amzn-RequestId", "id-1")
		io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[
			{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"Hello"},{"text":" there"}]}},
			"stopReason":"max_tokens","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}`)
	})
	got, err := c.Converse(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	want := Answer{Text: "Hello there", Reasoning: "hm", StopReason: "max_tokens", Usage: Usage{Input: 1, Output: 2, Total: 3}, RequestID: "id-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// A bearer token in the environment must not shadow the credentials.
func TestBearerTokenIsIgnored(t *testing.T) {
	t.Setenv("AWS_BEARER_TOKEN_BEDROCK", "stale")
	var authorization string
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		authorization = r.Header.Get("Authorization")
		startStream(t, w).end("end_turn")
	})
	if _, err := collect(t.Context(), c, question); err != nil {
		t.Fatal(err)
	}
	if want := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"; len(authorization) < len(want) || authorization[:len(want)] != want {
		t.Errorf("Authorization is %q", authorization)
	}
}

func TestNoRegion(t *testing.T) {
	c := New(Config{Endpoint: "http://127.0.0.1:1"})
	_, streamErr := collect(t.Context(), c, question)
	_, converseErr := c.Converse(t.Context(), question)
	_, modelsErr := c.Models(t.Context())
	for _, err := range []error{streamErr, converseErr, modelsErr} {
		if id, _, _ := Explain(err); !errors.Is(err, ErrNoRegion) || id != "TG4003" {
			t.Errorf("error is %v, explained as %q", err, id)
		}
	}
}
