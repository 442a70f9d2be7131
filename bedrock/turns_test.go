package bedrock

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// bodyOf returns what a request is on the wire, as any JSON.
func bodyOf(t *testing.T, r Request) (body map[string]any) {
	t.Helper()
	c := newTestClient(t, func(w http.ResponseWriter, req *http.Request) {
		raw, _ := io.ReadAll(req.Body)
		if err := json.Unmarshal(raw, &body); err != nil {
			t.Errorf("body %s: %v", raw, err)
		}
		io.WriteString(w, `{"output":{"message":{"role":"assistant","content":[{"text":"ok"}]}},"stopReason":"end_turn"}`)
	})
	if _, err := c.Converse(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return body
}

func TestTurnsOnTheWire(t *testing.T) {
	use := ToolUse{ID: "call_1", Name: "clock", Input: json.RawMessage(`{"zone":"JST","big":12345678901234567890,"list":[1.50,null]}`)}
	result := ToolResult{ID: "call_1", Text: "12:00"}
	for _, tt := range []struct {
		name     string
		messages []Message
		want     string
	}{
		{"text and picture", []Message{{Role: User, Text: "what?", Blocks: []Block{Image{Format: "png", Data: []byte("P")}, TextBlock{"and?"}}}},
			`[{"role":"user","content":[{"text":"what?"},{"image":{"format":"png","source":{"bytes":"UA=="}}},{"text":"and?"}]}]`},
		{"one role in a row", []Message{{Role: User, Text: "a"}, {Role: User, Text: "b"}, {Role: Assistant, Text: "c"}, {Role: Assistant, Text: "d"}},
			`[{"role":"user","content":[{"text":"a"},{"text":"b"}]},{"role":"assistant","content":[{"text":"c"},{"text":"d"}]}]`},
		{"blanks, and the turns around them", []Message{{Role: User, Text: "a"}, {Role: Assistant, Text: " \n"}, {Role: User, Blocks: []Block{TextBlock{""}, TextBlock{"b"}}}},
			`[{"role":"user","content":[{"text":"a"},{"text":"b"}]}]`},
		{"a tool is used", []Message{{Role: User, Text: "time?"}, {Role: Assistant, Blocks: []Block{use}}, {Role: User, Blocks: []Block{result}}},
			`[{"role":"user","content":[{"text":"time?"}]},
			  {"role":"assistant","content":[{"toolUse":{"toolUseId":"call_1","name":"clock","input":{"zone":"JST","big":12345678901234567890,"list":[1.50,null]}}}]},
			  {"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"text":"12:00"}]}}]}]`},
		{"results come first", []Message{{Role: User, Text: "q"}, {Role: Assistant, Blocks: []Block{use}}, {Role: User, Text: "well?"}, {Role: User, Blocks: []Block{result}}},
			`[{"role":"user","content":[{"text":"q"}]},
			  {"role":"assistant","content":[{"toolUse":{"toolUseId":"call_1","name":"clock","input":{"zone":"JST","big":12345678901234567890,"list":[1.50,null]}}}]},
			  {"role":"user","content":[{"toolResult":{"toolUseId":"call_1","content":[{"text":"12:00"}]}},{"text":"well?"}]}]`},
		{"nothing in, failure out", []Message{{Role: User, Text: "q"}, {Role: Assistant, Blocks: []Block{ToolUse{ID: "x", Name: "f"}, ToolUse{ID: "y", Name: "f", Input: json.RawMessage(" {} ")}}},
			{Role: User, Blocks: []Block{ToolResult{ID: "x", Failed: true, Text: "no network"}, ToolResult{ID: "y"}}}},
			`[{"role":"user","content":[{"text":"q"}]},
			  {"role":"assistant","content":[{"toolUse":{"toolUseId":"x","name":"f","input":{}}},{"toolUse":{"toolUseId":"y","name":"f","input":{}}}]},
			  {"role":"user","content":[{"toolResult":{"toolUseId":"x","content":[{"text":"no network"}],"status":"error"}},{"toolResult":{"toolUseId":"y","content":[]}}]}]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var want any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, bodyOf(t, Request{Model: "m", Messages: tt.messages})["messages"]); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
		})
	}
}

// Numbers must keep the digits that the model wrote: as float64 the first
// would end in 8000.
func TestNumbersKeepTheirDigits(t *testing.T) {
	var raw []byte
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ = io.ReadAll(r.Body)
		io.WriteString(w, `{"stopReason":"end_turn"}`)
	})
	r := Request{Model: "m", Messages: []Message{{Role: Assistant, Blocks: []Block{
		ToolUse{ID: "1", Name: "f", Input: json.RawMessage(`{"id":1234567890123456789,"x":1.10}`)},
	}}}}
	if _, err := c.Converse(t.Context(), r); err != nil || !strings.Contains(string(raw), `{"id":1234567890123456789,"x":1.10}`) {
		t.Errorf("%v: %s", err, raw)
	}
}

func TestToolsOnTheWire(t *testing.T) {
	tools := []Tool{
		{Name: "get_weather", Description: "Weather of a city", Schema: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`)},
		{Name: "clock"},
	}
	const specs = `"tools":[{"toolSpec":{"name":"get_weather","description":"Weather of a city","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}}}}}},
		{"toolSpec":{"name":"clock","inputSchema":{"json":{"type":"object"}}}}]`
	hi := []Message{{Role: User, Text: "hi"}}
	past := append(hi,
		Message{Role: Assistant, Blocks: []Block{ToolUse{ID: "1", Name: "gone"}, ToolUse{ID: "2", Name: "gone"}}},
		Message{Role: User, Blocks: []Block{ToolResult{ID: "1"}, ToolResult{ID: "2"}}})
	const known = `{"tools":[{"toolSpec":{"name":"gone","inputSchema":{"json":{"type":"object"}}}}]}`
	for _, tt := range []struct {
		name    string
		request Request
		want    string
	}{
		{"none", Request{Messages: hi}, `null`},
		{"a choice without tools", Request{Messages: hi, ToolChoice: ToolChoice{Mode: "any"}}, `null`},
		{"the model's choice", Request{Messages: hi, Tools: tools}, `{` + specs + `}`},
		{"any", Request{Messages: hi, Tools: tools, ToolChoice: ToolChoice{Mode: "any"}}, `{` + specs + `,"toolChoice":{"any":{}}}`},
		{"one", Request{Messages: hi, Tools: tools, ToolChoice: ToolChoice{Mode: "tool", Name: "clock"}}, `{` + specs + `,"toolChoice":{"tool":{"name":"clock"}}}`},
		{"only in the past", Request{Messages: past}, known},
		{"only in the past, with a choice", Request{Messages: past, ToolChoice: ToolChoice{Mode: "any"}}, known},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var want any
			if err := json.Unmarshal([]byte(tt.want), &want); err != nil {
				t.Fatal(err)
			}
			tt.request.Model = "m"
			if diff := cmp.Diff(want, bodyOf(t, tt.request)["toolConfig"]); diff != "" {
				t.Errorf("toolConfig (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInferenceOnTheWire(t *testing.T) {
	topP := 0.25
	got := bodyOf(t, Request{Model: "m", System: " \n", Messages: []Message{{Role: User, Text: "hi"}}, MaxTokens: 1 << 40, TopP: &topP, Stop: []string{"END", "\n\n"}})
	want := map[string]any{
		"messages":        []any{map[string]any{"role": "user", "content": []any{map[string]any{"text": "hi"}}}},
		"inferenceConfig": map[string]any{"maxTokens": float64(1<<31 - 1), "topP": 0.25, "stopSequences": []any{"END", "\n\n"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
}

func TestRequestsThatCannotBeWritten(t *testing.T) {
	c := newTestClient(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	using := func(input string) Request {
		return Request{Model: "m", Messages: []Message{{Role: Assistant, Blocks: []Block{ToolUse{ID: "call_1", Name: "f", Input: json.RawMessage(input)}}}}}
	}
	for _, tt := range []struct {
		request Request
		want    string
	}{
		{using(`{"secret":`), `read the input of tool use "call_1": not a JSON object`},
		{using(`"{}"`), `read the input of tool use "call_1": not a JSON object`},
		{using(`null`), `read the input of tool use "call_1": not a JSON object`},
		{using(`{} {}`), `read the input of tool use "call_1": not a JSON object`},
		{Request{Model: "m", Tools: []Tool{{Name: "f", Schema: json.RawMessage(`[]`)}}}, `read the schema of tool "f": not a JSON object`},
	} {
		_, unary := c.Converse(t.Context(), tt.request)
		_, streamed := collect(t.Context(), c, tt.request)
		for _, err := range []error{unary, streamed} {
			var e *RequestError
			if !errors.As(err, &e) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		}
	}
}

func TestToolUseID(t *testing.T) {
	valid := regexp.MustCompile(`^[a-zA-Z0-9_.:-]{1,64}$`)
	seen := map[string]string{}
	for _, id := range []string{
		"tooluse_kZJMlvQmRJ6eAyJE5GIl7Q", "call_abc.1:2-3", strings.Repeat("a", 64), // as they are
		"", "a b", "a_b", "a/b", "日本", "call|fc_1", strings.Repeat("a", 65), strings.Repeat("a", 66), strings.Repeat("語", 70),
	} {
		got := toolUseID(id)
		if !valid.MatchString(got) {
			t.Errorf("%q becomes %q", id, got)
		}
		if valid.MatchString(id) && got != id {
			t.Errorf("%q is changed to %q for nothing", id, got)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q both become %q", id, other, got)
		}
		seen[got] = id
	}
}

func FuzzToolUseID(f *testing.F) {
	f.Add("call_1", "call 1")
	f.Fuzz(func(t *testing.T, a, b string) {
		one, other := toolUseID(a), toolUseID(b)
		if len(one) == 0 || len(one) > 64 || a != b && one == other {
			t.Errorf("%q → %q, %q → %q", a, one, b, other)
		}
	})
}

func TestAnswerWithTools(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},
			"output":{"message":{"role":"assistant","content":[
				{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"text":"Let me look."},
				{"toolUse":{"toolUseId":"t1","name":"clock","input":{"zone":"JST","n":12345678901234567890}}},
				{"toolUse":{"toolUseId":"t2","name":"clock","input":{}}}]}}}`)
	})
	got, err := c.Converse(t.Context(), question)
	if err != nil {
		t.Fatal(err)
	}
	want := Answer{
		Text: "Let me look.", Reasoning: "hm", StopReason: "tool_use", Usage: Usage{Input: 1, Output: 2, Total: 3},
		ToolUses: []ToolUse{
			{ID: "t1", Name: "clock", Input: json.RawMessage(`{"n":12345678901234567890,"zone":"JST"}`)},
			{ID: "t2", Name: "clock", Input: json.RawMessage(`{}`)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}
