package gateway

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/shared"

	"tegata/bedrock"
	"tegata/internal/fault"
	"tegata/login"
	"tegata/store"
)

func TestWholeAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	client := w.openAI()
	var resp *http.Response
	a, err := client.Chat.Completions.New(t.Context(), ask(sonnet, "repeat after me: <b>手形</b> & more"), withResponse(&resp))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Choices[0].Message.Content; got != "<b>手形</b> & more" {
		t.Errorf("content is %q", got)
	}
	if a.Model != sonnetInJP || a.Object != "chat.completion" || !strings.HasPrefix(a.ID, "chatcmpl-") || a.Choices[0].FinishReason != "stop" {
		t.Errorf("model %q, object %q, id %q, finish %q", a.Model, a.Object, a.ID, a.Choices[0].FinishReason)
	}
	if age := time.Since(time.Unix(a.Created, 0)); age < 0 || age > time.Minute {
		t.Errorf("created %v ago", age)
	}
	u := a.Usage
	if u.PromptTokens < 3 || u.CompletionTokens < 3 || u.TotalTokens != u.PromptTokens+u.CompletionTokens {
		t.Errorf("usage %+v", u)
	}
	calls := w.recorded(t, 1)
	want := store.Call{Client: clientName, Model: sonnetInJP, Status: 200, RequestID: resp.Header.Get("X-Request-Id"),
		Usage: store.Usage{Input: int(u.PromptTokens), Output: int(u.CompletionTokens)}}
	if diff := cmp.Diff(want, calls[0], cmpopts.IgnoreFields(store.Call{}, "Time", "Cost")); diff != "" {
		t.Errorf("recorded (-want +got):\n%s", diff)
	}
	if len(want.RequestID) != 36 { // a UUID of AWS
		t.Errorf("X-Request-Id is %q", want.RequestID)
	}
	if price, _ := bedrock.PriceOf(sonnetInJP); calls[0].Cost != price.Cost(bedrock.Usage{Input: int(u.PromptTokens), Output: int(u.CompletionTokens)}) || calls[0].Cost == 0 {
		t.Errorf("cost %v", calls[0].Cost)
	}
}

func TestStreamedAnswer(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	params := ask(sonnet, "repeat after me: Grüße aus 東京 <i>!</i>")
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	client := w.openAI()
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	defer stream.Close()
	var said strings.Builder
	var finish []string
	var counted []openai.CompletionUsage
	for n := 0; stream.Next(); n++ {
		c := stream.Current()
		if c.Object != "chat.completion.chunk" || c.Model != sonnetInJP {
			t.Errorf("object %q, model %q", c.Object, c.Model)
		}
		if len(c.Choices) == 0 {
			counted = append(counted, c.Usage)
			continue
		}
		if role := c.Choices[0].Delta.Role; (role == "assistant") != (n == 0) {
			t.Errorf("chunk %d has the role %q", n, role)
		}
		said.WriteString(c.Choices[0].Delta.Content)
		if r := c.Choices[0].FinishReason; r != "" {
			finish = append(finish, r)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if said.String() != "Grüße aus 東京 <i>!</i>" {
		t.Errorf("said %q", said.String())
	}
	if diff := cmp.Diff([]string{"stop"}, finish); diff != "" {
		t.Errorf("finish reasons (-want +got):\n%s", diff)
	}
	if len(counted) != 1 || counted[0].TotalTokens != counted[0].PromptTokens+counted[0].CompletionTokens || counted[0].CompletionTokens < 3 {
		t.Errorf("usage %+v", counted)
	}
	if c := w.recorded(t, 1)[0]; c.Status != 200 || c.Usage.Output != int(counted[0].CompletionTokens) || c.RequestID == "" {
		t.Errorf("recorded %+v", c)
	}
}

// What clients of other makes read line by line.
func TestStreamOnTheWire(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	resp, body := w.post(t, `{"model":"`+sonnet+`","stream":true,"messages":[{"role":"user","content":"repeat after me: a<b"}]}`)
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || got != "text/event-stream" {
		t.Errorf("status %d, type %q", resp.StatusCode, got)
	}
	for name, want := range map[string]string{"Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := resp.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if id := resp.Header.Get("X-Request-Id"); len(id) != 36 || id != w.recorded(t, 1)[0].RequestID {
		t.Errorf("X-Request-Id is %q, not that of AWS", id)
	}
	events := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
	if last := events[len(events)-1]; last != "data: [DONE]" {
		t.Errorf("the last event is %q", last)
	}
	if strings.Contains(body, `"usage"`) {
		t.Error("usage was sent to one who had not asked for it")
	}
	if want := `"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}]}`; !strings.HasSuffix(events[0], want) {
		t.Errorf("the first event is %s", events[0])
	}
	if want := `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]}`; !strings.HasSuffix(events[len(events)-2], want) {
		t.Errorf("the last chunk is %s", events[len(events)-2])
	}
}

var weather = openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
	Name:        "get_weather",
	Description: openai.String("The weather of a city"),
	Parameters: shared.FunctionParameters{
		"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []string{"city"},
	},
})

func TestTools(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	params := ask(sonnet, "What is the weather in Tokyo? Use the tool.")
	params.Tools = []openai.ChatCompletionToolUnionParam{weather}
	params.ToolChoice.OfAuto = openai.String("required")
	client := w.openAI()
	whole, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	defer stream.Close()
	var streamed openai.ChatCompletionAccumulator
	for stream.Next() {
		streamed.AddChunk(stream.Current())
	}
	if stream.Err() != nil {
		t.Fatal(stream.Err())
	}
	for name, choice := range map[string]openai.ChatCompletionChoice{"whole": whole.Choices[0], "streamed": streamed.Choices[0]} {
		var input struct{ City string }
		calls := choice.Message.ToolCalls
		if len(calls) != 1 || choice.FinishReason != "tool_calls" || calls[0].Function.Name != "get_weather" || calls[0].ID == "" || calls[0].Type != "function" {
			t.Fatalf("%s: finish %q, calls %+v", name, choice.FinishReason, calls)
		}
		if err := json.Unmarshal([]byte(calls[0].Function.Arguments), &input); err != nil || input.City == "" {
			t.Errorf("%s: arguments %q: %v", name, calls[0].Function.Arguments, err)
		}
	}

	call := whole.Choices[0].Message.ToolCalls[0].ID
	params.Messages = append(params.Messages, whole.Choices[0].Message.ToParam(), openai.ToolMessage("cloudy with meatballs", call))
	params.ToolChoice.OfAuto = openai.String("auto")
	after, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if got := after.Choices[0].Message.Content; !strings.Contains(got, "cloudy with meatballs") || after.Choices[0].FinishReason != "stop" {
		t.Errorf("after the result: %q, finish %q", got, after.Choices[0].FinishReason)
	}
	params.Messages[2] = openai.ToolMessage("for nobody", "call_of_another")
	_, err = client.Chat.Completions.New(t.Context(), params)
	var refused *openai.Error
	if !errors.As(err, &refused) || refused.StatusCode != 400 || !strings.Contains(refused.Message, call) {
		t.Errorf("a result for another call: %v", err)
	}
}

// A tool without input has arguments that a client can parse.
func TestToolWithoutInput(t *testing.T) {
	t.Parallel()
	w := start(t, settings{aws: awsOf(func(u *events) {
		u.event("messageStart", `{"role":"assistant"}`)
		u.event("contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t1","name":"clock"}}}`)
		u.event("contentBlockStop", `{"contentBlockIndex":0}`)
		u.event("contentBlockStart", `{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t2","name":"sum"}}}`)
		u.event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":""}}}`)
		u.event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"{\"a\":"}}}`)
		u.event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"toolUse":{"input":"1}"}}}`)
		u.event("contentBlockStop", `{"contentBlockIndex":1}`)
		u.end("tool_use")
	})})
	client := w.openAI()
	stream := client.Chat.Completions.NewStreaming(t.Context(), ask(sonnetInJP, "hi"))
	defer stream.Close()
	var a openai.ChatCompletionAccumulator
	for stream.Next() {
		a.AddChunk(stream.Current())
	}
	if stream.Err() != nil {
		t.Fatal(stream.Err())
	}
	var got []string
	for _, c := range a.Choices[0].Message.ToolCalls {
		got = append(got, c.ID+" "+c.Function.Name+c.Function.Arguments)
	}
	if diff := cmp.Diff([]string{"t1 clock{}", `t2 sum{"a":1}`}, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestReasoningAndCachedTokens(t *testing.T) {
	t.Parallel()
	w := start(t, settings{aws: func(rw http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/converse") {
			io.WriteString(rw, `{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"yes"}]}},
				"stopReason":"end_turn","usage":{"inputTokens":5,"outputTokens":2,"totalTokens":7,"cacheReadInputTokens":30,"cacheWriteInputTokens":4}}`)
			return
		}
		awsOf(func(u *events) {
			u.event("messageStart", `{"role":"assistant"}`)
			u.event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}`)
			u.event("contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}`)
			u.event("contentBlockDelta", `{"contentBlockIndex":1,"delta":{"text":"yes"}}`)
			u.end("end_turn")
		})(rw, r)
	}})
	_, whole := w.post(t, `{"model":"`+sonnetInJP+`","messages":[{"role":"user","content":"hi"}]}`)
	for _, want := range []string{`"reasoning_content":"hm"`, `"content":"yes"`,
		`"usage":{"prompt_tokens":39,"completion_tokens":2,"total_tokens":41,"prompt_tokens_details":{"cached_tokens":30}}`} {
		if !strings.Contains(whole, want) {
			t.Errorf("%s lacks %s", whole, want)
		}
	}
	_, streamed := w.post(t, `{"model":"`+sonnetInJP+`","stream":true,"messages":[{"role":"user","content":"hi"}]}`)
	if n := strings.Count(streamed, `"delta":{"reasoning_content":"hm"}`); n != 1 || strings.Count(streamed, "reasoning_content") != 1 {
		t.Errorf("reasoning in %s", streamed)
	}
}

// A success with nothing in it is none: an agent would take it for the end of
// its work.
func TestEmptySuccess(t *testing.T) {
	t.Parallel()
	for _, said := range []string{``, `{}`, `{"output":{"message":{"role":"assistant","content":[{"text":"so f"}]}}}`} {
		w := start(t, settings{aws: func(rw http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.Path, "/converse") {
				rw.WriteHeader(http.StatusForbidden)
				return
			}
			rw.Header().Set("X-Amzn-RequestId", requestOfAWS)
			io.WriteString(rw, said)
		}})
		resp, body := w.post(t, `{"model":"`+sonnetInJP+`","messages":[{"role":"user","content":"hi"}]}`)
		if e := errorIn(t, body); resp.StatusCode != 502 || deref(e.Code) != "TG6900" || e.RequestID != requestOfAWS || strings.Contains(e.Cause, "<") {
			t.Errorf("%q: status %d, %s", said, resp.StatusCode, body)
		}
	}
}

func TestFinishReasons(t *testing.T) {
	for stop, want := range map[string]string{
		"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
		"tool_use": "tool_calls", "guardrail_intervened": "content_filter", "content_filtered": "content_filter", "newer": "stop",
	} {
		if got := finishReason(stop); got != want {
			t.Errorf("finishReason(%q) = %q, want %q", stop, got, want)
		}
	}
}

func TestErrorsKeepTheirCause(t *testing.T) {
	t.Parallel()
	refusing := func(status int, code, message string) []fault.Rule {
		return []fault.Rule{{Match: fault.Match{Service: "bedrock-runtime"}, Reply: fault.Reply{Status: status, Code: code, Message: message}}}
	}
	tests := []struct {
		name       string
		settings   settings
		model      string
		status     int
		code, kind string
		says       string // in the message
		header     string // and its value
	}{
		{"end of life", settings{}, dead, 404, "TG6014", "not_found_error", dead, ""},
		{"unknown model", settings{}, "anthropic.claude-none", 404, "TG6003", "not_found_error", "anthropic.claude-none", ""},
		{"no right", settings{policy: `{"Statement":{"Effect":"Allow","Action":["bedrock:List*","bedrock:Get*"],"Resource":"*"}}`},
			sonnet, 403, "TG6005", "permission_error", "profile", ""},
		{"may not list, and calls", settings{policy: `{"Statement":{"Effect":"Allow","Action":"bedrock:InvokeModel*","Resource":"*"}}`},
			sonnet, 400, "TG6002", "invalid_request_error", sonnet, ""},
		{"throttled", settings{replies: refusing(429, "ThrottlingException", "Too many tokens, please wait before trying again.")},
			sonnet, 429, "TG6010", "rate_limit_error", "quota", "Retry-After 15"},
		{"no tokens today", settings{replies: refusing(429, "ThrottlingException", "Too many tokens per day, please wait before trying again.")},
			sonnet, 429, "TG6017", "rate_limit_error", "daily", "X-Should-Retry false"},
		{"malformed", settings{replies: refusing(400, "ValidationException", "messages.0: text content blocks must be non-empty")},
			sonnet, 400, "TG6900", "invalid_request_error", "must be non-empty", ""},
		{"out of service", settings{replies: refusing(503, "ServiceUnavailableException", "busy")},
			sonnet, 503, "TG6900", "api_error", "busy", "Retry-After 5"},
		{"its own fault", settings{replies: refusing(500, "InternalServerException", "oops")},
			sonnet, 502, "TG6900", "api_error", "oops", ""},
	}
	for _, tt := range tests {
		for _, streamed := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, streamed %v", tt.name, streamed), func(t *testing.T) {
				t.Parallel()
				w := start(t, tt.settings)
				resp, body := w.post(t, fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"hi"}]}`, tt.model, streamed))
				e := errorIn(t, body)
				if resp.StatusCode != tt.status || deref(e.Code) != tt.code || e.Type != tt.kind || !strings.Contains(e.Message, tt.says) {
					t.Errorf("status %d, error %+v", resp.StatusCode, e)
				}
				if e.Remedy == "" || !strings.Contains(e.Message, e.Remedy) || e.Title == "" || e.Where == "" {
					t.Errorf("no remedy in %+v", e)
				}
				if tt.header != "" {
					name, want, _ := strings.Cut(tt.header, " ")
					if got := resp.Header.Get(name); got != want {
						t.Errorf("%s is %q, want %q", name, got, want)
					}
				}
				if e.RequestID != "" && e.RequestID != resp.Header.Get("X-Request-Id") {
					t.Errorf("request id %q in the body, %q in the header", e.RequestID, resp.Header.Get("X-Request-Id"))
				}
			})
		}
	}
}

func TestErrorsInJapanese(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	_, body := w.post(t, `{"model":"`+dead+`","messages":[{"role":"user","content":"hi"}]}`, "Accept-Language", "fr, ja;q=0.9, en;q=0.8")
	if e := errorIn(t, body); !strings.Contains(e.Message, "。") || e.RequestID == "" || !strings.Contains(e.Title, dead) {
		t.Errorf("error %+v", e)
	}
	_, body = w.post(t, `{"model":"m","n":2}`, "Accept-Language", "ja")
	if e := errorIn(t, body); !strings.Contains(e.Message, "1") || !strings.ContainsAny(e.Message, "ですます") || deref(e.Param) != "n" {
		t.Errorf("error %+v", e)
	}
}

// An error after the head can't have a status. It must not look like an end.
func TestStreamsThatBreak(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		serve  func(*events)
		code   string
		status int
	}{
		{"cut off", func(u *events) { u.text("half an ans") }, "TG6019", 502},
		{"cut off before the count", func(u *events) { u.text("all"); u.event("messageStop", `{"stopReason":"end_turn"}`) }, "TG6019", 502},
		{"throttled", func(u *events) {
			u.text("x")
			u.exception("throttlingException", `{"message":"Too many tokens, please wait before trying again."}`)
		}, "TG6010", 429},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, settings{aws: awsOf(func(u *events) { u.event("messageStart", `{"role":"assistant"}`); tt.serve(u) })})
			client := w.openAI()
			stream := client.Chat.Completions.NewStreaming(t.Context(), ask(sonnetInJP, "hi"))
			defer stream.Close()
			for stream.Next() {
				for _, c := range stream.Current().Choices {
					if c.FinishReason != "" {
						t.Errorf("finish reason %q", c.FinishReason)
					}
				}
			}
			if err := stream.Err(); err == nil || !strings.Contains(err.Error(), tt.code) {
				t.Errorf("error is %v", err)
			}
			resp, body := w.post(t, `{"model":"`+sonnetInJP+`","stream":true,"messages":[{"role":"user","content":"hi"}]}`)
			events := strings.Split(strings.TrimSuffix(body, "\n\n"), "\n\n")
			e := errorIn(t, strings.TrimPrefix(events[len(events)-1], "data: "))
			if resp.StatusCode != 200 || deref(e.Code) != tt.code || e.RequestID != requestOfAWS || strings.Contains(body, "[DONE]") {
				t.Errorf("status %d, error %+v", resp.StatusCode, e)
			}
			for _, c := range w.recorded(t, 2) {
				if c.Status != tt.status || c.Finding != tt.code || c.RequestID != requestOfAWS {
					t.Errorf("recorded %+v", c)
				}
			}
		})
	}
}

// A client that leaves must not be billed for words that nobody reads.
func TestClientGoneEndsTheCall(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{false, true} {
		t.Run(fmt.Sprintf("streamed %v", streamed), func(t *testing.T) {
			t.Parallel()
			asked, ended := make(chan struct{}), make(chan struct{})
			w := start(t, settings{aws: func(rw http.ResponseWriter, r *http.Request) {
				if !strings.HasPrefix(r.URL.Path, "/model/") {
					http.NotFound(rw, r)
					return
				}
				if streamed {
					startEvents(rw).event("messageStart", `{"role":"assistant"}`)
				}
				io.Copy(io.Discard, r.Body)
				close(asked)
				<-r.Context().Done()
				close(ended)
			}})
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			body := fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"hi"}]}`, sonnetInJP, streamed)
			r, _ := http.NewRequestWithContext(ctx, "POST", w.url+completionsPath, strings.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+w.key)
			go func() {
				<-asked
				leave()
			}()
			if resp, err := http.DefaultClient.Do(r); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			select {
			case <-ended:
			case <-time.After(5 * time.Second):
				t.Fatal("Bedrock still works for a client that has left")
			}
			if c := w.recorded(t, 1)[0]; c.Status != bedrock.StatusGone || c.Finding != "" {
				t.Errorf("recorded %+v", c)
			}
		})
	}
}

func TestModelOfTheServer(t *testing.T) {
	t.Parallel()
	w := start(t, settings{change: func(s *Server) { s.Model = sonnet }})
	for _, model := range []string{`"model":"default",`, `"model":"",`, ``} {
		_, body := w.post(t, `{`+model+`"messages":[{"role":"user","content":"hi"}]}`)
		if !strings.Contains(body, `"model":"`+sonnetInJP+`"`) {
			t.Errorf("{%s…}: %s", model, body)
		}
	}
	w = start(t, settings{})
	resp, body := w.post(t, `{"messages":[{"role":"user","content":"hi"}]}`)
	if e := errorIn(t, body); resp.StatusCode != 400 || deref(e.Param) != "model" {
		t.Errorf("status %d, error %+v", resp.StatusCode, e)
	}
}

func TestMaxTokensIsAlwaysSent(t *testing.T) {
	t.Parallel()
	sent := make(chan int, 1)
	w := start(t, settings{aws: func(rw http.ResponseWriter, r *http.Request) {
		var in struct{ InferenceConfig struct{ MaxTokens int } }
		if strings.HasPrefix(r.URL.Path, "/model/") && json.NewDecoder(r.Body).Decode(&in) == nil {
			sent <- in.InferenceConfig.MaxTokens
		}
		rw.WriteHeader(400)
	}})
	for given, want := range map[string]int{``: 4096, `"max_tokens":7,`: 7, `"max_completion_tokens":8,`: 8, `"max_tokens":7,"max_completion_tokens":8,`: 8} {
		w.post(t, `{`+given+`"model":"`+sonnetInJP+`","messages":[{"role":"user","content":"hi"}]}`)
		if got := <-sent; got != want {
			t.Errorf("{%s…}: maxTokens %d, want %d", given, got, want)
		}
	}
}

func TestLargeBodies(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	large := strings.Repeat("x", 10<<20)
	tests := []struct {
		name    string
		body    io.Reader
		headers []string
	}{
		{"of known length", strings.NewReader(large), nil},
		{"of unknown length", io.MultiReader(strings.NewReader(large)), nil},
		{"announced", strings.NewReader(large), []string{"Expect", "100-continue"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := w.do(t, "POST", completionsPath, tt.body, tt.headers...)
			if e := errorIn(t, body); resp.StatusCode != 413 || e.Type != "invalid_request_error" {
				t.Errorf("status %d, error %+v", resp.StatusCode, e)
			}
		})
	}
	t.Run("sent before the answer is read", func(t *testing.T) {
		c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		r, _ := http.NewRequest("POST", w.url+completionsPath, strings.NewReader(large))
		r.Header.Set("Authorization", "Bearer "+w.key)
		if err := r.Write(c); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), r)
		if err != nil || resp.StatusCode != 413 {
			t.Errorf("%v, %v", resp, err)
		}
	})
	if n := w.bodies.taken.Load(); n != 0 {
		t.Errorf("%d bytes are still counted", n)
	}
	if !w.bodies.take(maxBodies - 10) {
		t.Fatal("the budget is smaller than it says")
	}
	resp, body := w.post(t, `{"model":"m","messages":[]}`)
	if e := errorIn(t, body); resp.StatusCode != 503 || e.Type != "api_error" || resp.Header.Get("Retry-After") == "" {
		t.Errorf("beyond the budget: status %d, error %+v", resp.StatusCode, e)
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan struct{})
	w := start(t, settings{aws: awsOf(func(u *events) {
		u.event("messageStart", `{"role":"assistant"}`)
		close(asked)
		<-answer
		u.text("whole")
		u.end("end_turn")
	})})
	running := make(chan string)
	go func() {
		_, body := w.post(t, `{"model":"`+sonnetInJP+`","stream":true,"messages":[{"role":"user","content":"hi"}]}`)
		running <- body
	}()
	<-asked
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := w.Drain(short); err == nil || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "1 requests") {
		t.Errorf("Drain ended with %v while an answer ran", err)
	}
	resp, body := w.post(t, `{"model":"`+sonnetInJP+`","messages":[{"role":"user","content":"hi"}]}`)
	if e := errorIn(t, body); resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || e.Type != "api_error" {
		t.Errorf("a new request: status %d, error %+v", resp.StatusCode, e)
	}
	if resp, body := w.get(t, "/ready"); resp.StatusCode != 503 || !strings.Contains(body, `"draining"`) {
		t.Errorf("/ready: %d %s", resp.StatusCode, body)
	}
	if resp, _ := w.get(t, "/health"); resp.StatusCode != 200 {
		t.Errorf("/health: %d", resp.StatusCode)
	}
	close(answer)
	if body := <-running; !strings.Contains(body, "whole") || !strings.HasSuffix(body, "data: [DONE]\n\n") {
		t.Errorf("the running answer became %s", body)
	}
	if err := w.Drain(t.Context()); err != nil {
		t.Error(err)
	}
}

// A server that ends before its answers do says so to those who wait.
func TestEndOfTheServer(t *testing.T) {
	t.Parallel()
	for _, streamed := range []bool{false, true} {
		asked := make(chan struct{})
		w := start(t, settings{aws: func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/model/") {
				if streamed {
					startEvents(rw).event("messageStart", `{"role":"assistant"}`)
				}
				io.Copy(io.Discard, r.Body)
				close(asked)
				<-r.Context().Done()
			}
		}})
		body := fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"hi"}]}`, sonnetInJP, streamed)
		ctx, end := context.WithCancel(t.Context())
		r := httptest.NewRequestWithContext(ctx, "POST", completionsPath, strings.NewReader(body))
		rec := &telling{ResponseRecorder: httptest.NewRecorder(), written: make(chan struct{})}
		go func() {
			<-asked
			if streamed {
				<-rec.written
			}
			w.gate.close()
			end()
		}()
		w.complete(rec, r)
		if got := rec.Body.String(); !strings.Contains(got, "shutting down") || strings.Contains(got, "[DONE]") || (rec.Code == 503) == streamed {
			t.Errorf("streamed %v: status %d, %s", streamed, rec.Code, got)
		}
	}
}

// telling tells of the first write.
type telling struct {
	*httptest.ResponseRecorder
	written chan struct{}
	once    sync.Once
}

func (w *telling) Write(b []byte) (int, error) {
	defer w.once.Do(func() { close(w.written) })
	return w.ResponseRecorder.Write(b)
}

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	for _, tt := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/v1/engines", 404}, {"POST", "/v1/responses", 404}, {"GET", completionsPath, 405}, {"DELETE", "/v1/models", 405}, {"GET", "/v1/", 404},
	} {
		resp, body := w.do(t, tt.method, tt.path, nil)
		if e := errorIn(t, body); resp.StatusCode != tt.status || e.Message == "" || (resp.Header.Get("Allow") != "") != (tt.status == 405) {
			t.Errorf("%s %s: status %d, error %+v", tt.method, tt.path, resp.StatusCode, e)
		}
	}
}

func TestRoutesAreClosed(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	for _, r := range w.Routes() {
		method, path, found := strings.Cut(r.Pattern, " ")
		if !found {
			method, path = "GET", r.Pattern
		}
		resp, body := w.do(t, method, strings.Replace(path, "{id...}", sonnet, 1), nil, "Authorization", "")
		if open := r.Access == login.Public; open != (resp.StatusCode == 200) || !open && (resp.StatusCode != 401 || errorIn(t, body).Type != "authentication_error") {
			t.Errorf("%s without a key: %d %s", r.Pattern, resp.StatusCode, body)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			said := fmt.Sprintf("number %d of many", i)
			body := fmt.Sprintf(`{"model":%q,"stream":%v,"messages":[{"role":"user","content":"repeat after me: %s"}]}`, sonnet, i%2 == 0, said)
			resp, got := w.post(t, body)
			if resp.StatusCode != 200 || textOf(t, got) != said {
				t.Errorf("status %d, %s", resp.StatusCode, got)
			}
		})
	}
	all.Wait()
}

// textOf joins what an answer says, streamed or whole.
func textOf(t *testing.T, body string) string {
	t.Helper()
	var said strings.Builder
	for event := range strings.SplitSeq(body, "\n\n") {
		event = strings.TrimPrefix(strings.TrimSpace(event), "data: ")
		if event == "" || event == "[DONE]" {
			continue
		}
		var c chatCompletion
		if err := json.Unmarshal([]byte(event), &c); err != nil {
			t.Fatalf("%v in %q", err, event)
		}
		for _, choice := range c.Choices {
			if choice.Delta != nil && choice.Delta.Content != nil {
				said.WriteString(*choice.Delta.Content)
			}
			if choice.Message != nil {
				said.WriteString(*choice.Message.Content)
			}
		}
	}
	return said.String()
}

// Nothing that is said, and nothing that opens doors, is written down.
func TestLogsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	const prompt, answer = "prompt-of-the-test", "answer-of-the-test"
	for _, body := range []string{
		`{"model":"` + sonnet + `","messages":[{"role":"system","content":"` + prompt + `"},{"role":"user","content":"repeat after me: ` + answer + `"}]}`,
		`{"model":"` + sonnet + `","stream":true,"messages":[{"role":"user","content":"repeat after me: ` + answer + `"}]}`,
		`{"model":"` + dead + `","messages":[{"role":"user","content":"` + prompt + `"}]}`,
		`{"model":"` + sonnet + `","messages":[{"role":"` + prompt + `"}]}`,
		`{"messages":"` + prompt + `"}`,
		prompt,
	} {
		w.post(t, body)
	}
	log := w.log.String()
	for _, secret := range []string{prompt, answer, w.key, keys.SecretAccessKey, keys.SessionToken} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
	if n := strings.Count(log, "chat completion"); n != 6 || !strings.Contains(log, "finding=TG6014") || !strings.Contains(log, "status=200") {
		t.Errorf("the log has %d lines:\n%s", n, log)
	}
}
