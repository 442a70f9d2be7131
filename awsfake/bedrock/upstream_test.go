package bedrock_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake"
)

// upstreamWorld is an account whose models are those of an OpenAI-compatible
// server.
func upstreamWorld(t *testing.T, serve http.HandlerFunc) *world {
	t.Helper()
	s := httptest.NewServer(serve)
	t.Cleanup(s.Close)
	base, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	base.User = url.UserPassword("user", "hidden")
	return newWorld(t, allowAll, func(o *awsfake.Options) { o.Bedrock.Upstream = base })
}

// The model of an OpenAI-compatible server answers in the words of Converse
// and of InvokeModel, streamed or not.
func TestUpstream(t *testing.T) {
	t.Parallel()
	var asked struct {
		Model    string
		Messages []struct{ Role, Content string }
		Max      int `json:"max_tokens"`
		Stream   bool
	}
	w := upstreamWorld(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			fmt.Fprint(w, `{"data":[{"id":"small"},{"id":"large"}]}`)
			return
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.URL.Path != "/v1/chat/completions" {
			t.Errorf("%s: %v", r.URL.Path, err)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, `data: {"choices":[{"delta":{"content":"Hello, "}}]}

data: {"choices":[{"delta":{"content":"Nara"}}]}

data: {"choices":[{"delta":{},"finish_reason":"stop"}]}

data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}

data: [DONE]

`)
	})
	want := said{Text: "Hello, Nara", Stop: "end_turn", In: 7, Out: 3}
	got := w.conversed(t, "jp."+haiku, `{"system":[{"text":"Be kind."}],"inferenceConfig":{"maxTokens":9},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Converse (-want +got):\n%s", diff)
	}
	if asked.Model != "small" || asked.Max != 9 || !asked.Stream || len(asked.Messages) != 2 || asked.Messages[0].Content != "Be kind." || asked.Messages[1].Content != "Hi" {
		t.Errorf("the server was asked %+v", asked)
	}
	const body = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`
	if diff := cmp.Diff(want, w.invoked(t, "jp."+haiku, body)); diff != "" {
		t.Errorf("InvokeModel (-want +got):\n%s", diff)
	}
	// The stream begins before the server has counted, and ends after it.
	all := string(bytes.Join(w.chunks(t, "jp."+haiku, body), nil))
	for _, part := range []string{`"text":"Hello, "`, `"text":"Nara"`, `"stop_reason":"end_turn"`, `"inputTokenCount":7`, `"outputTokenCount":3`} {
		if !strings.Contains(all, part) {
			t.Errorf("the stream lacks %s:\n%s", part, all)
		}
	}
}

// What fails at the server has a code of Bedrock's, and tells no password.
func TestUpstreamFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   int
		part   string
	}{
		{"a bad question", 400, `{"error":{"message":"too long"}}`, 400, "The model returned the following errors: too long"},
		{"too many", 429, ``, 429, "Too many requests, please wait before trying again."},
		{"no model", 404, `{"error":"model 'small' not found"}`, 424, "--upstream-model"},
		{"a fault", 500, `oops`, 424, "answered 500 Internal Server Error"},
		{"a redirect", 302, ``, 424, "answered 302 Found"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := upstreamWorld(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/v1/models" {
					fmt.Fprint(w, `{"data":[{"id":"small"}]}`)
					return
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tt.status)
				fmt.Fprint(w, tt.body)
			})
			a := w.call(t, "POST", "/model/jp."+haiku+"/converse", `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`)
			a.want(t, tt.want, tt.part)
			if strings.Contains(a.body, "hidden") {
				t.Errorf("the answer has the password: %s", a.body)
			}
		})
	}
}
