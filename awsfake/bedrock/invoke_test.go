package bedrock_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/google/go-cmp/cmp"
)

// said is what all forms of an answer tell.
type said struct {
	Text, Tool, Input, Stop string
	In, Out                 int
}

// conversed asks by Converse.
func (w *world) conversed(t *testing.T, model, body string) said {
	t.Helper()
	a := w.call(t, "POST", "/model/"+model+"/converse", body)
	a.want(t, 200, "")
	return converseSaid(t, a.body)
}

func converseSaid(t *testing.T, body string) said {
	t.Helper()
	var out struct {
		Output struct {
			Message struct {
				Content []struct {
					Text    string
					ToolUse struct {
						Name  string
						Input json.RawMessage
					}
				}
			}
		}
		StopReason string
		Usage      struct{ InputTokens, OutputTokens int }
	}
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	s := said{Stop: out.StopReason, In: out.Usage.InputTokens, Out: out.Usage.OutputTokens}
	for _, b := range out.Output.Message.Content {
		s.Text += b.Text
		s.Tool += b.ToolUse.Name
		s.Input += string(b.ToolUse.Input)
	}
	return s
}

// invoked asks by InvokeModel in Anthropic's form, by the SDK.
func (w *world) invoked(t *testing.T, model, body string) said {
	t.Helper()
	out, err := w.runtime().InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
		ModelId: &model, Body: []byte(body), ContentType: aws.String("application/json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Type, Role, Model, ID string
		Content               []struct {
			Type, Text, Name string
			Input            json.RawMessage
		}
		Stop  string `json:"stop_reason"`
		Usage struct {
			In  int `json:"input_tokens"`
			Out int `json:"output_tokens"`
		}
	}
	if err := json.Unmarshal(out.Body, &m); err != nil {
		t.Fatalf("%v in %s", err, out.Body)
	}
	if m.Type != "message" || m.Role != "assistant" || m.Model != "claude-haiku-4-5-20251001" || !strings.HasPrefix(m.ID, "msg_bdrk_01") {
		t.Errorf("head of the answer: %+v", m)
	}
	s := said{Stop: m.Stop, In: m.Usage.In, Out: m.Usage.Out}
	for _, b := range m.Content {
		s.Text += b.Text
		s.Tool += b.Name
		s.Input += string(b.Input)
	}
	return s
}

// invokedStream asks by InvokeModelWithResponseStream, by the SDK, and returns
// the types of the events besides.
func (w *world) invokedStream(t *testing.T, model, body string) (said, []string) {
	t.Helper()
	var s said
	var kinds []string
	for _, chunk := range w.chunks(t, model, body) {
		var e struct {
			Type    string
			Message struct {
				Usage struct {
					In int `json:"input_tokens"`
				}
			}
			Block struct{ Name string } `json:"content_block"`
			Delta struct {
				Text  string
				Input string `json:"partial_json"`
				Stop  string `json:"stop_reason"`
			}
			Usage struct {
				Out int `json:"output_tokens"`
			}
			Metrics struct{ InputTokenCount, OutputTokenCount int } `json:"amazon-bedrock-invocationMetrics"`
		}
		if err := json.Unmarshal(chunk, &e); err != nil {
			t.Fatalf("%v in %s", err, chunk)
		}
		kinds = append(kinds, e.Type)
		s.Text, s.Tool, s.Input, s.Stop = s.Text+e.Delta.Text, s.Tool+e.Block.Name, s.Input+e.Delta.Input, s.Stop+e.Delta.Stop
		s.In, s.Out = s.In+e.Message.Usage.In, s.Out+e.Usage.Out
		if e.Type == "message_stop" && (e.Metrics.InputTokenCount != s.In || e.Metrics.OutputTokenCount != s.Out) {
			t.Errorf("metrics %+v, usage %d and %d", e.Metrics, s.In, s.Out)
		}
	}
	return s, slices.Compact(kinds)
}

func (w *world) chunks(t *testing.T, model, body string) [][]byte {
	t.Helper()
	out, err := w.runtime().InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
		ModelId: &model, Body: []byte(body), ContentType: aws.String("application/json"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer out.GetStream().Close()
	var all [][]byte
	for event := range out.GetStream().Events() {
		all = append(all, event.(*types.ResponseStreamMemberChunk).Value.Bytes)
	}
	if err := out.GetStream().Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

const (
	anthropicTool = `{"name":"get_weather","description":"Weather of a city","input_schema":{"type":"object","properties":{"city":{"type":"string"}}}}`
	converseTool  = `{"toolSpec":{"name":"get_weather","description":"Weather of a city","inputSchema":{"json":{"type":"object","properties":{"city":{"type":"string"}}}}}}`
)

// The same question in both forms has the same answer.
func TestInvokeModelAndConverseAgree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	const head = `{"anthropic_version":"bedrock-2023-05-31",`
	for _, tt := range []struct{ name, messages, converse, stop string }{
		{"a text", head + `"max_tokens":500,"messages":[{"role":"user","content":"Who are you?"}]}`,
			`{"inferenceConfig":{"maxTokens":500},"messages":[{"role":"user","content":[{"text":"Who are you?"}]}]}`, "end_turn"},
		{"blocks and a system text", head + `"max_tokens":500,"system":"Be kind.","messages":[{"role":"user","content":[{"type":"text","text":"どなた?"}]}]}`,
			`{"inferenceConfig":{"maxTokens":500},"system":[{"text":"Be kind."}],"messages":[{"role":"user","content":[{"text":"どなた?"}]}]}`, "end_turn"},
		{"max_tokens", head + `"max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`,
			`{"inferenceConfig":{"maxTokens":5},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`, "max_tokens"},
		{"stop_sequences", head + `"max_tokens":500,"stop_sequences":["not a real"],"messages":[{"role":"user","content":"Hi"}]}`,
			`{"inferenceConfig":{"maxTokens":500,"stopSequences":["not a real"]},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`, "stop_sequence"},
		{"a tool", head + `"max_tokens":500,"tools":[` + anthropicTool + `],"messages":[{"role":"user","content":"How is the weather in \"Nara\"?"}]}`,
			`{"inferenceConfig":{"maxTokens":500},"toolConfig":{"tools":[` + converseTool + `]},"messages":[{"role":"user","content":[{"text":"How is the weather in \"Nara\"?"}]}]}`, "tool_use"},
		{"a tool by force", head + `"max_tokens":500,"tool_choice":{"type":"tool","name":"get_weather"},"tools":[` + anthropicTool + `],"messages":[{"role":"user","content":"Hi"}]}`,
			`{"inferenceConfig":{"maxTokens":500},"toolConfig":{"toolChoice":{"tool":{"name":"get_weather"}},"tools":[` + converseTool + `]},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`, "tool_use"},
		{"a tool's result", head + `"max_tokens":500,"tools":[` + anthropicTool + `],"messages":[{"role":"user","content":"Weather?"},
			{"role":"assistant","content":[{"type":"tool_use","id":"toolu_1","name":"get_weather","input":{}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"22 degrees"}]}]}`,
			`{"inferenceConfig":{"maxTokens":500},"toolConfig":{"tools":[` + converseTool + `]},"messages":[{"role":"user","content":[{"text":"Weather?"}]},
			{"role":"assistant","content":[{"toolUse":{"toolUseId":"toolu_1","name":"get_weather","input":{}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"toolu_1","content":[{"text":"22 degrees"}],"status":"success"}}]}]}`, "end_turn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := w.conversed(t, "jp."+haiku, tt.converse)
			got := w.invoked(t, "jp."+haiku, tt.messages)
			// Blocks other than texts are counted by their size, of which key order is no part.
			if diff := cmp.Diff(want, got); diff != "" || got.Stop != tt.stop {
				t.Errorf("stopped by %s (-Converse +InvokeModel):\n%s", got.Stop, diff)
			}
			streamed, kinds := w.invokedStream(t, "jp."+haiku, tt.messages)
			if diff := cmp.Diff(want, streamed); diff != "" {
				t.Errorf("(-Converse +InvokeModelWithResponseStream):\n%s", diff)
			}
			if kinds[0] != "message_start" || !slices.Equal(kinds[len(kinds)-3:], []string{"content_block_stop", "message_delta", "message_stop"}) {
				t.Errorf("events %v", kinds)
			}
		})
	}
}

func TestNovaForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	const question = `{"schemaVersion":"messages-v1","inferenceConfig":{"max_new_tokens":9,"topK":5},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`
	a := w.call(t, "POST", "/model/"+nova+"/invoke", question)
	a.want(t, 200, `"role":"assistant"`)
	got := converseSaid(t, a.body)
	want := w.conversed(t, nova, `{"inferenceConfig":{"maxTokens":9},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`)
	if diff := cmp.Diff(want, got); diff != "" || got.Out != 9 {
		t.Errorf("(-Converse +InvokeModel):\n%s", diff)
	}
	var kinds []string
	var text string
	for _, chunk := range w.chunks(t, nova, question) {
		var e map[string]json.RawMessage
		if err := json.Unmarshal(chunk, &e); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"} {
			if raw, ok := e[kind]; ok {
				kinds = append(kinds, kind)
				var delta struct{ Delta struct{ Text string } }
				if err := json.Unmarshal(raw, &delta); err != nil {
					t.Fatal(err)
				}
				text += delta.Delta.Text
			}
		}
		if _, last := e["amazon-bedrock-invocationMetrics"]; last != (e["metadata"] != nil) {
			t.Errorf("metrics in %s", chunk)
		}
	}
	if diff := cmp.Diff([]string{"messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata"}, slices.Compact(kinds)); diff != "" || text != got.Text {
		t.Errorf("%q, events (-want +got):\n%s", text, diff)
	}
	w.call(t, "POST", "/model/"+nova+"/invoke", `{"max_tokens":5,"messages":[]}`).want(t, 400, "#: extraneous key [max_tokens] is not permitted")
	w.call(t, "POST", "/model/"+nova+"/invoke", `[]`).want(t, 400, "Malformed input request, please")
	w.call(t, "POST", "/model/"+titan+"/invoke", `{"inputText":"x"}`).want(t, 400, "forms of Anthropic's and Amazon Nova's models only")
}

func TestInvokeHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	const body = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":7,"messages":[{"role":"user","content":"Hello"}]}`
	a := w.call(t, "POST", "/model/jp."+haiku+"/invoke", body)
	got := []string{a.header.Get("Content-Type"), a.header.Get("X-Amzn-Bedrock-Input-Token-Count"), a.header.Get("X-Amzn-Bedrock-Output-Token-Count")}
	if diff := cmp.Diff([]string{"application/json", "5", "7"}, got); diff != "" || a.header.Get("X-Amzn-Bedrock-Invocation-Latency") == "" {
		t.Errorf("headers %v (-want +got):\n%s", a.header, diff)
	}
	a = w.call(t, "POST", "/model/jp."+haiku+"/invoke-with-response-stream", body)
	got = []string{a.header.Get("Content-Type"), a.header.Get("X-Amzn-Bedrock-Content-Type")}
	if diff := cmp.Diff([]string{"application/vnd.amazon.eventstream", "application/json"}, got); diff != "" {
		t.Errorf("headers of the stream (-want +got):\n%s", diff)
	}
}

func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	const (
		version = `"anthropic_version":"bedrock-2023-05-31"`
		hi      = `"messages":[{"role":"user","content":"Hi"}]`
		violate = `Malformed input request: #: subject must not be valid against schema {\"required\":[\"messages\"]}`
		again   = `, please reformat your input and try again."}`
	)
	for _, tt := range []struct{ name, body, want string }{
		{"no JSON", `x`, `{"message":"Malformed input request, please reformat your input and try again."}`},
		{"no object", `null`, "Malformed input request, please"},
		{"no UTF-8", "{\"messages\":\"\xff\"}", "Malformed input request, please"},
		{"no version", `{"max_tokens":5,` + hi + `}`, violate + "#: required key [anthropic_version] not found" + again},
		{"no max_tokens", `{` + version + `,` + hi + `}`, violate + "#: required key [max_tokens] not found" + again},
		{"no messages", `{` + version + `,"max_tokens":5}`, `{"message":"Malformed input request: #: required key [messages] not found` + again},
		{"another version", `{"anthropic_version":"v1","max_tokens":5,` + hi + `}`, "#/anthropic_version: v1 is not a valid enum value"},
		{"what the body doesn't have", `{` + version + `,"max_tokens":5,"stream":true,"model":"x",` + hi + `}`,
			violate + "#: extraneous key [model] is not permitted#: extraneous key [stream] is not permitted" + again},
		{"wrong type", `{` + version + `,"max_tokens":"5",` + hi + `}`, "#/max_tokens: expected type: Integer, found: String"},
		{"a fraction", `{` + version + `,"max_tokens":5.5,` + hi + `}`, "#/max_tokens: expected type: Integer, found: Double"},
		{"too few tokens", `{` + version + `,"max_tokens":0,` + hi + `}`, "#/max_tokens: 0 is not greater or equal to 1"},
		{"too hot", `{` + version + `,"max_tokens":5,"temperature":1.5,` + hi + `}`, "#/temperature: 1.5 is not less or equal to 1"},
		{"no turn", `{` + version + `,"max_tokens":5,"messages":[]}`, `"messages: at least one message is required"`},
		{"wrong role", `{` + version + `,"max_tokens":5,"messages":[{"role":"system","content":"x"}]}`, "messages.0.role: Input should be 'user' or 'assistant'"},
		{"assistant first", `{` + version + `,"max_tokens":5,"messages":[{"role":"assistant","content":"x"}]}`, `messages: first message must use the \"user\" role`},
		{"empty text", `{` + version + `,"max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":" "}]}]}`, "text content blocks must be non-empty"},
		{"no content", `{` + version + `,"max_tokens":5,"messages":[{"role":"user","content":""}]}`, "messages.0: all messages must have non-empty content"},
		{"content of no kind", `{` + version + `,"max_tokens":5,"messages":[{"role":"user","content":7}]}`, "messages.0.content: Input should be a valid list"},
		{"Converse's block", `{` + version + `,"max_tokens":5,"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`, "messages.0.content.0: Input tag '' found using 'type'"},
		{"a result of nothing", `{` + version + `,"max_tokens":5,"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]}]}`,
			"unexpected `tool_use_id` found in `tool_result` blocks: a"},
		{"a use without result", `{` + version + `,"max_tokens":5,"messages":[{"role":"user","content":"x"},{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]},{"role":"user","content":"y"}]}`,
			"messages.2: `tool_use` ids were found without `tool_result` blocks immediately after: a."},
		{"a tool without schema", `{` + version + `,"max_tokens":5,"tools":[{"name":"f"}],` + hi + `}`, "tools.0.custom.input_schema: Input should be a valid dictionary"},
		{"a tool that isn't there", `{` + version + `,"max_tokens":5,"tool_choice":{"type":"tool","name":"g"},"tools":[` + anthropicTool + `],` + hi + `}`,
			"tool_choice: Tool 'g' not found in provided tools"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, path := range []string{"/invoke", "/invoke-with-response-stream"} {
				w.call(t, "POST", "/model/jp."+haiku+path, tt.body).want(t, 400, tt.want)
			}
		})
	}
}

// What a call needs is a right of InvokeModel, by whatever operation it asks.
func TestActions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	const (
		converse = `{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`
		messages = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}`
		model    = " arn:aws:bedrock:ap-northeast-1::foundation-model/" + haiku
		osaka    = " arn:aws:bedrock:ap-northeast-3::foundation-model/" + haiku
		profile  = " arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp." + haiku
		unary    = "bedrock:InvokeModel"
		stream   = "bedrock:InvokeModelWithResponseStream"
	)
	for _, tt := range []struct {
		name, path, body string
		want             []string
	}{
		{"Converse", "/model/jp." + haiku + "/converse", converse, []string{unary + profile, unary + model, unary + osaka}},
		{"ConverseStream", "/model/jp." + haiku + "/converse-stream", converse, []string{stream + profile, stream + model, stream + osaka}},
		{"InvokeModel", "/model/jp." + haiku + "/invoke", messages, []string{unary + profile, unary + model, unary + osaka}},
		{"InvokeModelWithResponseStream", "/model/jp." + haiku + "/invoke-with-response-stream", messages, []string{stream + profile, stream + model, stream + osaka}},
		{"CountTokens", "/model/" + haiku + "/count-tokens", `{"input":{"converse":` + converse + `}}`, []string{"bedrock:CountTokens" + model}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.used()
			w.call(t, "POST", tt.path, tt.body).want(t, 200, "")
			if diff := cmp.Diff(tt.want, w.used()); diff != "" {
				t.Errorf("rights (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCountTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	count := func(in *types.CountTokensInputMemberInvokeModel, converse *types.CountTokensInputMemberConverse) int32 {
		t.Helper()
		input := &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku), Input: in}
		if in == nil {
			input.Input = converse
		}
		out, err := w.runtime().CountTokens(t.Context(), input)
		if err != nil {
			t.Fatal(err)
		}
		return *out.InputTokens
	}
	const body = `{"anthropic_version":"bedrock-2023-05-31","max_tokens":5,"messages":[{"role":"user","content":"How many tokens are these?"}]}`
	invoke := count(&types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: []byte(body)}}, nil)
	converse := count(nil, &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "How many tokens are these?"}},
	}}}})
	if asked := w.invoked(t, "jp."+haiku, body); int(invoke) != asked.In || invoke != converse {
		t.Errorf("counted %d and %d, used %d", invoke, converse, asked.In)
	}
	const good = `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"Hi"}]}]}}}`
	for _, tt := range []struct {
		name, model, body string
		status            int
		want              string
	}{
		{"a profile", "jp." + haiku, good, 400, "The provided model doesn't support counting tokens."},
		{"an ARN", "arn%3Aaws%3Abedrock%3Aap-northeast-1%3A%3Afoundation-model%2F" + haiku, good, 400, "The provided model doesn't support counting tokens."},
		{"another provider's", nova, good, 400, "The provided model doesn't support counting tokens."},
		{"no model", "acme.none", good, 400, "The provided model identifier is invalid."},
		{"nothing", haiku, `{"input":{}}`, 400, "must set one of the following keys: invokeModel, converse"},
		{"no messages", haiku, `{"input":{"converse":{"messages":[]}}}`, 400, "A conversation must start with a user message."},
		{"dead", "anthropic.claude-3-sonnet-20240229-v1:0", good, 404, "end of its life"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.call(t, "POST", "/model/"+tt.model+"/count-tokens", tt.body).want(t, tt.status, tt.want)
		})
	}
	none := newWorld(t, `{"Statement":{"Effect":"Allow","Action":"bedrock:InvokeModel*","Resource":"*"}}`, nil)
	none.call(t, "POST", "/model/"+haiku+"/count-tokens", good).want(t, 403, "not authorized to perform: bedrock:CountTokens on resource: arn:aws:bedrock:ap-northeast-1::foundation-model/"+haiku)
}
