//go:build linux

package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A model of one's own answers from outside the box, for a program that asks
// Bedrock within it, and has to the program what Bedrock's would have.
func TestModelUpstream(t *testing.T) {
	t.Parallel()
	requireBox(t)
	asked := make(chan map[string]any, 1)
	model := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/models" {
			io.WriteString(w, `{"data":[{"id":"tiny"},{"id":"other"}]}`)
			return
		}
		var question map[string]any
		if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		asked <- question
		w.Header().Set("Content-Type", "text/event-stream")
		for _, word := range []string{"I ", "am ", question["model"].(string)} {
			fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":%q}}]}\n\n", word)
		}
		io.WriteString(w, `data: {"choices":[{"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":5}}`+"\n\ndata: [DONE]\n\n")
	}))
	t.Cleanup(model.Close)
	for _, tt := range []struct{ upstream, model string }{
		{model.URL, "tiny"}, // the first that the server lists
		{model.URL + "#other", "other"},
	} {
		r := run(t, "sandbox", "--model-upstream", tt.upstream, "--", requirePython(t), "-c", `
import botocore.session
said = botocore.session.Session().create_client("bedrock-runtime").converse(
    modelId="jp.anthropic.claude-sonnet-4-6", messages=[{"role": "user", "content": [{"text": "who are you?"}]}])
print(said["output"]["message"]["content"][0]["text"], said["stopReason"], said["usage"]["inputTokens"], said["usage"]["outputTokens"])
`)
		if want := "I am " + tt.model + " max_tokens 3 5\n"; r.stdout != want || r.status != 0 {
			t.Fatalf("%s: status %d, %q %s, want %q", tt.upstream, r.status, r.stdout, r.stderr, want)
		}
		if question := <-asked; question["model"] != tt.model || !strings.Contains(fmt.Sprint(question["messages"]), "who are you?") {
			t.Errorf("%s: asked %v", tt.upstream, question)
		}
	}
}

func TestModelUpstreamFails(t *testing.T) {
	t.Parallel()
	requireBox(t)
	r := run(t, "sandbox", "--model-upstream", "127.0.0.1:11434", "--", "true")
	if want := "tegata: error: the model upstream \"127.0.0.1:11434\" is no address\ntegata: hint: give its address, such as http://127.0.0.1:11434\n"; r.status != 2 || r.stderr != want {
		t.Errorf("status %d, %q", r.status, r.stderr)
	}
	r = run(t, "demo", "--check", "--model-upstream", "http://127.0.0.1:1")
	if r.status != 3 || !strings.Contains(r.stdout, "ModelErrorException") || !strings.Contains(r.stdout, "http://127.0.0.1:1/v1 answered 502") {
		t.Errorf("nobody answers: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}
