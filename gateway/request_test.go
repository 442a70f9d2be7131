package gateway

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tegata/bedrock"
	"tegata/internal/message"
)

func number64(v float64) *float64 { return &v }

func TestRequestsInBedrocksWords(t *testing.T) {
	user := func(blocks ...bedrock.Block) bedrock.Message {
		return bedrock.Message{Role: bedrock.User, Blocks: blocks}
	}
	said := func(s string) bedrock.Block { return bedrock.TextBlock{Text: s} }
	tests := []struct {
		name, body string
		want       bedrock.Request
	}{
		{"instructions from everywhere",
			`{"messages":[{"role":"system","content":"a"},{"role":"user","content":"hi"},{"role":"developer","content":[{"type":"text","text":"b"},{"type":"text","text":"c"}]}]}`,
			bedrock.Request{System: "a\n\nb\nc", Messages: []bedrock.Message{user(said("hi"))}}},
		{"limits",
			`{"messages":[{"role":"user","content":"hi"}],"max_tokens":5,"temperature":0,"top_p":0.5,"stop":"END","n":1,"response_format":{"type":"text"},"stream_options":null,"tool_choice":null}`,
			bedrock.Request{MaxTokens: 5, Temperature: number64(0), TopP: number64(.5), Stop: []string{"END"}, Messages: []bedrock.Message{user(said("hi"))}}},
		{"a top_p that says nothing",
			`{"messages":[{"role":"user","content":"hi"}],"max_tokens":5,"max_completion_tokens":6,"temperature":0.2,"top_p":1,"stop":["a","b"]}`,
			bedrock.Request{MaxTokens: 6, Temperature: number64(.2), Stop: []string{"a", "b"}, Messages: []bedrock.Message{user(said("hi"))}}},
		{"pictures",
			`{"messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},{"type":"image_url","image_url":{"url":"data:image/jpg;base64,/9j/4A==","detail":"low"}}]}]}`,
			bedrock.Request{Messages: []bedrock.Message{user(said("what is it?"), bedrock.Image{Format: "jpeg", Data: []byte{0xff, 0xd8, 0xff, 0xe0}})}}},
		{"nothing said is left out",
			`{"messages":[{"role":"user","content":"hi"},{"role":"assistant","content":""},{"role":"assistant","content":null},{"role":"user","content":[{"type":"text","text":" "},{"type":"text","text":"more"}]}]}`,
			bedrock.Request{Messages: []bedrock.Message{user(said("hi")), user(said("more"))}}},
		{"tools, and pictures behind their results",
			`{"messages":[{"role":"user","content":"go"},
				{"role":"assistant","content":"so","tool_calls":[{"id":"c1","type":"function","function":{"name":"look","arguments":"{\"at\":1}"}},{"id":"c2","type":"function","function":{"name":"wait","arguments":""}}]},
				{"role":"tool","tool_call_id":"c1","content":[{"type":"text","text":"seen"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"text","text":"twice"}]},
				{"role":"tool","tool_call_id":"c2","content":"waited"},
				{"role":"user","content":"and?"}],
			"tools":[{"type":"function","function":{"name":"look","description":"d","parameters":{"type":"object"},"strict":true}},{"type":"function","function":{"name":"wait","parameters":null}}],
			"tool_choice":{"type":"function","function":{"name":"look"}},"parallel_tool_calls":true}`,
			bedrock.Request{
				Messages: []bedrock.Message{
					user(said("go")),
					{Role: bedrock.Assistant, Blocks: []bedrock.Block{said("so"),
						bedrock.ToolUse{ID: "c1", Name: "look", Input: json.RawMessage(`{"at":1}`)}, bedrock.ToolUse{ID: "c2", Name: "wait", Input: json.RawMessage(`{}`)}}},
					user(bedrock.ToolResult{ID: "c1", Text: "seen\ntwice"}, bedrock.ToolResult{ID: "c2", Text: "waited"}, bedrock.Image{Format: "png", Data: []byte{0, 0, 0}}),
					user(said("and?")),
				},
				Tools:      []bedrock.Tool{{Name: "look", Description: "d", Schema: json.RawMessage(`{"type":"object"}`)}, {Name: "wait"}},
				ToolChoice: bedrock.ToolChoice{Mode: "tool", Name: "look"},
			}},
		{"arguments that are no object",
			`{"messages":[{"role":"assistant","tool_calls":[{"id":"c1","function":{"name":"f","arguments":"{\"a\": \"cut of"}},{"id":"c2","function":{"name":"f","arguments":"[1]"}},{"id":"c3","function":{"name":"f","arguments":"null"}}]}]}`,
			bedrock.Request{Messages: []bedrock.Message{{Role: bedrock.Assistant, Blocks: []bedrock.Block{
				bedrock.ToolUse{ID: "c1", Name: "f", Input: json.RawMessage(`{"invalid_json":"{\"a\": \"cut of"}`)},
				bedrock.ToolUse{ID: "c2", Name: "f", Input: json.RawMessage(`{"invalid_json":"[1]"}`)},
				bedrock.ToolUse{ID: "c3", Name: "f", Input: json.RawMessage(`{"invalid_json":"null"}`)}}}}}},
		{"tools that are forbidden",
			`{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"none"}`,
			bedrock.Request{Messages: []bedrock.Message{user(said("hi"))}}},
		{"some tool is required",
			`{"messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"f"}}],"tool_choice":"required"}`,
			bedrock.Request{Messages: []bedrock.Message{user(said("hi"))}, Tools: []bedrock.Tool{{Name: "f"}}, ToolChoice: bedrock.ToolChoice{Mode: "any"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := parse([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.converse(4096)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want.MaxTokens == 0 {
				tt.want.MaxTokens = 4096
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBadRequests(t *testing.T) {
	const hi = `"messages":[{"role":"user","content":"hi"}]`
	part := func(s string) string { return `{"messages":[{"role":"user","content":[` + s + `]}]}` }
	tests := []struct{ body, param, says string }{
		{``, "", "not JSON"},
		{`[]`, "", "array"},
		{`{"messages":1}`, "messages", "number"},
		{`{"messages":[{"role":"user","content":1}]}`, "messages.content", "number"},
		{`{` + hi + `,"max_tokens":"many"}`, "max_tokens", "string"},
		{`{` + hi + `,"max_tokens":0}`, "max_tokens", "1 or more"},
		{`{` + hi + `,"max_completion_tokens":3000000000}`, "max_completion_tokens", "1 or more"},
		{`{` + hi + `,"n":2}`, "n", "one answer"},
		{`{` + hi + `,"response_format":{"type":"json_schema"}}`, "response_format", "tool_choice"},
		{`{` + hi + `,"functions":[{}]}`, "functions", "tools"},
		{`{` + hi + `,"stop":["a","b","c","d","e"]}`, "stop", "4"},
		{`{` + hi + `,"temperature":1.5}`, "temperature", "0 to 1"},
		{`{` + hi + `,"top_p":-1}`, "top_p", "0 to 1"},
		{`{` + hi + `,"tools":[{"type":"custom"}]}`, "tools.0.type", "custom"},
		{`{` + hi + `,"tool_choice":"required"}`, "tool_choice", "none in tools"},
		{`{` + hi + `,"tool_choice":"maybe"}`, "tool_choice", "maybe"},
		{`{` + hi + `,"tool_choice":{"type":"allowed_tools"}}`, "tool_choice", "allowed_tools"},
		{`{"messages":[]}`, "messages", "at least one"},
		{`{"messages":[{"role":"system","content":"a"}]}`, "messages", "at least one"},
		{`{"messages":[{"role":"system","content":[{"type":"image_url"}]}]}`, "messages.0.content", "image_url"},
		{`{"messages":[{"role":"function","content":"a"}]}`, "messages.0.role", "function"},
		{`{"messages":[{"role":"tool","content":"a"}]}`, "messages.0.tool_call_id", "call"},
		{part(`{"type":"input_audio"}`), "messages.0.content", "input_audio"},
		{part(`{"type":"image_url","image_url":{"url":"http://169.254.169.254/latest/"}}`), "messages.0.content", "not fetched"},
		{part(`{"type":"image_url","image_url":{"url":"file:///etc/passwd,"}}`), "messages.0.content", "not fetched"},
		{part(`{"type":"image_url","image_url":{"url":"data:image/svg+xml;base64,AAAA"}}`), "messages.0.content", "svg"},
		{part(`{"type":"image_url","image_url":{"url":"data:image/png,AAAA"}}`), "messages.0.content", "base64"},
		{part(`{"type":"image_url","image_url":{"url":"data:image/png;base64,%"}}`), "messages.0.content", "not base64"},
	}
	for _, tt := range tests {
		r, err := parse([]byte(tt.body))
		if err == nil {
			_, err = r.converse(1)
		}
		refused, ok := err.(*refusal)
		if !ok || refused.status != 400 || refused.param != tt.param || !strings.Contains(refused.Error(), tt.says) {
			t.Errorf("%s: %#v", tt.body, err)
		}
		if ok && strings.Contains(message.English.T(refused.phrase, refused.args...), "%!") {
			t.Errorf("%s: %v", tt.body, refused)
		}
	}
}

// What clients have been seen to send passes, to the last field.
func TestRecordedRequests(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	files, err := filepath.Glob("testdata/requests/*.json")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d recorded requests, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			var recorded struct {
				From   string
				Says   string // what the answer contains
				Finish string
				Body   json.RawMessage
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &recorded); err != nil || recorded.From == "" {
				t.Fatalf("from %q, %v", recorded.From, err)
			}
			resp, body := w.post(t, string(recorded.Body))
			if resp.StatusCode != 200 || !strings.Contains(body, recorded.Says) || !strings.Contains(body, `"finish_reason":"`+recorded.Finish+`"`) {
				t.Errorf("status %d, %s", resp.StatusCode, body)
			}
		})
	}
}

// Phrases of refusals are found by their position, which the test of the
// catalogue does not know.
func TestRefusalsAreTranslated(t *testing.T) {
	position := map[string]int{"refuse": 2, "badField": 1}
	found := 0
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, _ := call.Fun.(*ast.Ident)
			if name == nil {
				return true
			}
			i, ok := position[name.Name]
			if !ok || len(call.Args) <= i {
				return true
			}
			if literal, ok := call.Args[i].(*ast.BasicLit); ok {
				found++
				phrase, _ := strconv.Unquote(literal.Value)
				if message.Japanese.T(phrase) == phrase {
					t.Errorf("%s: %q has no translation", file, phrase)
				}
			}
			return true
		})
	}
	if found < 20 {
		t.Errorf("only %d phrases found", found)
	}
}

// No body makes the gateway panic or send Bedrock a turn without anything.
func FuzzParse(f *testing.F) {
	f.Add(`{"messages":[{"role":"user","content":"hi"}],"stop":null,"tools":[{}],"tool_choice":{}}`)
	f.Add(`{"messages":[{"role":"tool","tool_call_id":"a","content":[{"type":"text"}]},{"role":"tool","tool_call_id":"b"}]}`)
	f.Add(`{"messages":[{"role":"assistant","tool_calls":[{}]}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		r, err := parse([]byte(body))
		if err != nil {
			return
		}
		q, err := r.converse(1)
		if err != nil {
			return
		}
		for i, m := range q.Messages {
			if len(m.Blocks) == 0 {
				t.Errorf("turn %d is empty", i)
			}
			for _, b := range m.Blocks {
				if use, ok := b.(bedrock.ToolUse); ok && !json.Valid(use.Input) {
					t.Errorf("input %s is no JSON", use.Input)
				}
			}
		}
	})
}
