package awsfake

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/bedrock"
	"tegata/internal/fault"
)

const hello = `{"messages":[{"role":"user","content":[{"text":"Hello, who are you?"}]}],"inferenceConfig":{"maxTokens":200}}`

func userMessage(text string) []types.Message {
	return []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
	}}
}

// A talk is a streamed answer as the SDK gives it.
type talk struct {
	chunks     []string
	stopReason types.StopReason
	usage      *types.TokenUsage
	events     []string
}

func (b *box) stream(t *testing.T, in *bedrockruntime.ConverseStreamInput) (talk, error) {
	t.Helper()
	var got talk
	out, err := b.runtime(t, b.region).ConverseStream(t.Context(), in)
	if err != nil {
		return got, err
	}
	events := out.GetStream()
	defer events.Close()
	for event := range events.Events() {
		got.events = append(got.events, strings.TrimPrefix(fmt.Sprintf("%T", event), "*types.ConverseStreamOutputMember"))
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			got.chunks = append(got.chunks, e.Value.Delta.(*types.ContentBlockDeltaMemberText).Value)
		case *types.ConverseStreamOutputMemberMessageStop:
			got.stopReason = e.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			got.usage = e.Value.Usage
		}
	}
	return got, events.Err()
}

func TestConverseAndStreamAgree(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	const id = "jp." + haiku
	limited := int32(12)
	for _, tt := range []struct {
		name   string
		text   string
		config *types.InferenceConfiguration
		want   types.StopReason
		begins string
	}{
		{"english", "Hello, who are you?", nil, types.StopReasonEndTurn, "This is tegata's stand-in and not a real model."},
		{"japanese", "東京の天気は?", nil, types.StopReasonEndTurn, "こちらは tegata の代役で、本物のモデルではありません。「東京の天気は?」"},
		{"max tokens", "Hello", &types.InferenceConfiguration{MaxTokens: &limited}, types.StopReasonMaxTokens, "This is tegata's stand-in"},
		{"stop sequence", "one END two", &types.InferenceConfiguration{StopSequences: []string{"nowhere", "END"}}, types.StopReasonStopSequence, "This is tegata's stand-in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			model := id
			unary, err := b.runtime(t, b.region).Converse(t.Context(), &bedrockruntime.ConverseInput{
				ModelId: &model, Messages: userMessage(tt.text), InferenceConfig: tt.config,
			})
			if err != nil {
				t.Fatal(err)
			}
			message := unary.Output.(*types.ConverseOutputMemberMessage).Value
			text := message.Content[0].(*types.ContentBlockMemberText).Value
			if !strings.HasPrefix(text, tt.begins) || unary.StopReason != tt.want {
				t.Errorf("got %q, %s; want %q…, %s", text, unary.StopReason, tt.begins, tt.want)
			}
			if tt.config != nil && strings.Contains(text, "END") {
				t.Errorf("the stop sequence is in %q", text)
			}
			got, err := b.stream(t, &bedrockruntime.ConverseStreamInput{
				ModelId: &model, Messages: userMessage(tt.text), InferenceConfig: tt.config,
			})
			if err != nil {
				t.Fatal(err)
			}
			if joined := strings.Join(got.chunks, ""); joined != text || len(got.chunks) < 3 {
				t.Errorf("the stream says %q in %d chunks, Converse %q", joined, len(got.chunks), text)
			}
			if got.stopReason != tt.want {
				t.Errorf("stop reason of the stream: %s, want %s", got.stopReason, tt.want)
			}
			counts := func(u *types.TokenUsage) [3]int32 { return [3]int32{*u.InputTokens, *u.OutputTokens, *u.TotalTokens} }
			u := counts(unary.Usage)
			if diff := cmp.Diff(u, counts(got.usage)); diff != "" || u[0]+u[1] != u[2] || u[0] < 3 || u[1] < 3 {
				t.Errorf("usage %v (-Converse +stream):\n%s", u, diff)
			}
			if tt.want == types.StopReasonMaxTokens && u[1] != limited {
				t.Errorf("%d tokens, want %d", u[1], limited)
			}
			order := slices.Compact(got.events)
			want := []string{"MessageStart", "ContentBlockDelta", "ContentBlockStop", "MessageStop", "Metadata"}
			if diff := cmp.Diff(want, order); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// An answer that comes too fast makes some streams of the SDK fail.
func TestStreamsInARow(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	model, tokens := "jp."+haiku, int32(8)
	for i := range 48 {
		got, err := b.stream(t, &bedrockruntime.ConverseStreamInput{ModelId: &model, Messages: userMessage("again"),
			InferenceConfig: &types.InferenceConfiguration{MaxTokens: &tokens}})
		if err != nil || got.usage == nil {
			t.Fatalf("stream %d: %v, usage %v", i, err, got.usage)
		}
	}
}

func TestStreamComesInPieces(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	model := "jp." + haiku
	out, err := b.runtime(t, b.region).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: &model, Messages: userMessage("hi")})
	if err != nil {
		t.Fatal(err)
	}
	defer out.GetStream().Close()
	var first, last time.Time
	for range out.GetStream().Events() {
		last = time.Now()
		if first.IsZero() {
			first = last
		}
	}
	if took := last.Sub(first); took < 20*time.Millisecond {
		t.Errorf("all events arrived within %v", took)
	}
}

// A cut stream has no messageStop: that is all a client can go by, as the SDK
// reports no error.
func TestTruncatedStream(t *testing.T) {
	t.Parallel()
	for _, at := range []int{40, 300, 700} {
		b := start(t, func(o *Options) {
			o.FirstByte = 0
			o.Replies = replies(t, fault.Rule{Match: fault.Match{Operation: "ConverseStream"}, Reply: fault.Reply{Truncate: &at}})
		})
		model := "jp." + haiku
		got, _ := b.stream(t, &bedrockruntime.ConverseStreamInput{ModelId: &model, Messages: userMessage("hi")})
		if got.stopReason != "" || got.usage != nil {
			t.Errorf("cut at %d bytes: %+v", at, got)
		}
	}
}

func TestStreamFrames(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	got := b.do(t, exchange{service: "bedrock", method: "POST", path: "/model/jp." + haiku + "/converse-stream", body: hello})
	if kind := got.header.Get("Content-Type"); kind != "application/vnd.amazon.eventstream" {
		t.Errorf("Content-Type %q", kind)
	}
	m, err := eventstream.NewDecoder().Decode(bytes.NewReader([]byte(got.body)), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{":message-type": "event", ":event-type": "messageStart", ":content-type": "application/json"} {
		if v := m.Headers.Get(name); v == nil || v.String() != want {
			t.Errorf("%s is %v, want %s", name, v, want)
		}
	}
	if string(m.Payload) != `{"role":"assistant"}` {
		t.Errorf("payload %s", m.Payload)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	const (
		nova      = "amazon.nova-lite-v1:0"
		novaModel = "arn:aws:bedrock:ap-northeast-1::foundation-model/" + nova
		apac      = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/apac." + nova
	)
	allow := func(actions, resources string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + actions + `],"Resource":[` + resources + `]}}`
	}
	modelOnly := allow(`"bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream","bedrock:ListFoundationModels"`, `"arn:aws:bedrock:*::foundation-model/*"`)
	denied := func(action, on string) string {
		return "User: " + callerARN + " is not authorized to perform: " + action + on + " because no identity-based policy allows the " + action + " action"
	}
	post := func(path string) exchange {
		return exchange{service: "bedrock", method: "POST", path: path, body: hello}
	}
	get := func(path string) exchange { return exchange{service: "bedrock", method: "GET", path: path} }
	for _, tt := range []struct {
		name   string
		policy string
		in     exchange
		want   string // "" means allowed
	}{
		{"model, by id", modelOnly, post("/model/" + nova + "/converse"), ""},
		{"profile with a policy for models only", modelOnly, post("/model/apac." + nova + "/converse"), denied("bedrock:InvokeModel", " on resource: "+apac)},
		{"profile, streamed", modelOnly, post("/model/apac." + nova + "/converse-stream"), denied("bedrock:InvokeModelWithResponseStream", " on resource: "+apac)},
		{"profile and models", allow(`"bedrock:InvokeModel"`, `"`+apac+`","arn:aws:bedrock:*::foundation-model/*"`), post("/model/apac." + nova + "/converse"), ""},
		{"profile and the model here only", allow(`"bedrock:InvokeModel"`, `"`+apac+`","`+novaModel+`"`), post("/model/apac." + nova + "/converse"),
			denied("bedrock:InvokeModel", " on resource: arn:aws:bedrock:ap-northeast-2::foundation-model/"+nova)},
		{"profile alone", allow(`"bedrock:InvokeModel"`, `"`+apac+`"`), post("/model/apac." + nova + "/converse"), denied("bedrock:InvokeModel", " on resource: "+novaModel)},
		{"stream needs its own action", allow(`"bedrock:InvokeModel"`, `"*"`), post("/model/" + nova + "/converse-stream"),
			denied("bedrock:InvokeModelWithResponseStream", " on resource: "+novaModel)},
		{"global routing has an ARN without region", allow(`"bedrock:InvokeModel"`, `"arn:aws:bedrock:*:*:inference-profile/*","arn:aws:bedrock:ap-*::foundation-model/*"`),
			post("/model/global." + haiku + "/converse"), denied("bedrock:InvokeModel", " on resource: arn:aws:bedrock:::foundation-model/"+haiku)},
		{"global routing", allow(`"bedrock:InvokeModel"`, `"arn:aws:bedrock:*:*:inference-profile/*","arn:aws:bedrock:*::foundation-model/*"`), post("/model/global." + haiku + "/converse"), ""},
		{"global routing is in no requested region", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},
			{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["ap-northeast-1","ap-northeast-3"]}}}]}`,
			post("/model/global." + haiku + "/converse"), "User: " + callerARN + " is not authorized to perform: bedrock:InvokeModel on resource: arn:aws:bedrock:::foundation-model/" + haiku + " with an explicit deny in an identity-based policy"},
		{"global routing is in the region unspecified", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["ap-northeast-1","unspecified"]}}}]}`,
			post("/model/global." + haiku + "/converse"), ""},
		{"model only by way of the profile", `{"Statement":[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*:*:inference-profile/*"},
			{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"arn:aws:bedrock:*::foundation-model/*","Condition":{"ArnLike":{"bedrock:InferenceProfileArn":"` + apac + `"}}}]}`,
			post("/model/apac." + nova + "/converse"), ""},
		{"the same without the profile", `{"Statement":{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"*","Condition":{"ArnLike":{"bedrock:InferenceProfileArn":"` + apac + `"}}}}`,
			post("/model/" + nova + "/converse"), denied("bedrock:InvokeModel", " on resource: "+novaModel)},
		{"list on an ARN", modelOnly, get("/foundation-models"), denied("bedrock:ListFoundationModels", "")},
		{"list on all", allow(`"bedrock:List*"`, `"*"`), get("/foundation-models"), ""},
		{"profiles on an ARN", allow(`"bedrock:ListInferenceProfiles"`, `"`+apac+`"`), get("/inference-profiles"), denied("bedrock:ListInferenceProfiles", "")},
		{"one model", allow(`"bedrock:GetFoundationModel"`, `"`+novaModel+`"`), get("/foundation-models/" + nova), ""},
		{"one profile", allow(`"bedrock:GetInferenceProfile"`, `"`+apac+`"`), get("/inference-profiles/apac." + nova), ""},
		{"availability", allow(`"bedrock:Get*"`, `"`+novaModel+`"`), get("/foundation-model-availability/" + nova), denied("bedrock:GetFoundationModelAvailability", "")},
		{"role in a condition", `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:role/app"}}}}`, get("/foundation-models"), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := start(t, nil)
			b.credential.Caller.Policies = policies(t, tt.policy)
			got := b.do(t, tt.in)
			if tt.want == "" {
				if got.status != 200 {
					t.Errorf("got %d %s", got.status, got.body)
				}
				return
			}
			if got.status != 403 || got.body != `{"Message":"`+tt.want+`"}` || !strings.HasPrefix(got.header.Get("X-Amzn-ErrorType"), "AccessDeniedException") {
				t.Errorf("got %d %s\nwant %s", got.status, got.body, tt.want)
			}
		})
	}
}

func TestModelErrors(t *testing.T) {
	t.Parallel()
	const (
		dead = "anthropic.claude-3-7-sonnet-20250219-v1:0"
		open = "amazon.nova-lite-v1:0"
	)
	for _, tt := range []struct {
		name   string
		model  string
		region string
		access string
		at     time.Time // zero means 2026-11-22
		want   string    // the SDK's type and text; "" means an answer
	}{
		{name: "on demand", model: open},
		{name: "profile", model: "jp." + haiku},
		{name: "global profile", model: "global." + haiku},
		{name: "ARN of a profile", model: "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp." + haiku},
		{name: "ARN of a model", model: "arn:aws:bedrock:ap-northeast-1::foundation-model/" + open},
		{name: "bare id", model: haiku,
			want: "ValidationException: Invocation of model ID " + haiku + " with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model."},
		{name: "prefix of elsewhere", model: "us." + haiku, want: "ValidationException: The provided model identifier is invalid."},
		{name: "unknown", model: "anthropic.claude-9", want: "ValidationException: The provided model identifier is invalid."},
		{name: "ARN of elsewhere", model: "arn:aws:bedrock:us-east-1::foundation-model/" + open, want: "ValidationException: The provided model identifier is invalid."},
		{name: "region without models", model: open, region: "us-east-1", want: "ValidationException: The provided model identifier is invalid."},
		{name: "dead, by profile", model: "apac." + dead,
			want: "ResourceNotFoundException: This model version has reached the end of its life. Please refer to the AWS documentation for more details."},
		{name: "dead, bare", model: dead,
			want: "ResourceNotFoundException: This model version has reached the end of its life. Please refer to the AWS documentation for more details."},
		{name: "the day before its death", model: "apac." + dead, at: time.Date(2026, 4, 27, 23, 59, 59, 0, time.UTC)},
		{name: "the day before its death, bare", model: dead, at: time.Date(2026, 4, 27, 23, 59, 59, 0, time.UTC),
			want: "ValidationException: Invocation of model ID " + dead + " with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model."},
		{name: "no access", model: open, access: bedrock.AccessDenied, want: "AccessDeniedException: You don't have access to the model with the specified model ID."},
		{name: "no form", model: open, access: bedrock.AccessForm, want: "ResourceNotFoundException: Model use case details have not been submitted for this account."},
		{name: "no subscription", model: open, access: bedrock.AccessSubscription, want: "AccessDeniedException: Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe)"},
		{name: "unused", model: open, access: bedrock.AccessInactive, want: "ResourceNotFoundException: Access denied. This Model is marked by provider as Legacy"},
		{name: "no conversation", model: "amazon.titan-embed-text-v2:0", want: "ValidationException: This action doesn't support the model that you provided."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			now := tt.at
			if now.IsZero() {
				now = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
			}
			// The SDK signs with the true time.
			offset := time.Until(now)
			b := start(t, func(o *Options) {
				o.FirstByte = 0
				models := bedrock.DefaultModels()
				for i := range models {
					models[i].Access = tt.access
					if !models[i].Lifecycle.EndOfLife.IsZero() {
						models[i].Lifecycle.EndOfLife = models[i].Lifecycle.EndOfLife.Add(-offset)
					}
				}
				o.Bedrock.Models = models
			})
			region := tt.region
			if region == "" {
				region = b.region
			}
			client := b.runtime(t, region)
			_, unary := client.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: &tt.model, Messages: userMessage("hi")})
			out, streamed := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: &tt.model, Messages: userMessage("hi")})
			if streamed == nil {
				out.GetStream().Close()
			}
			for name, err := range map[string]error{"Converse": unary, "ConverseStream": streamed} {
				if got := typed(err); !strings.HasPrefix(got, tt.want) || (got == "") != (tt.want == "") {
					t.Errorf("%s: got %q, want %q", name, got, tt.want)
				}
			}
		})
	}
}

// typed is the type that the SDK gave to an error, and its text.
func typed(err error) string {
	var api interface {
		ErrorCode() string
		ErrorMessage() string
	}
	if !errors.As(err, &api) {
		if err != nil {
			return "untyped: " + err.Error()
		}
		return ""
	}
	return api.ErrorCode() + ": " + api.ErrorMessage()
}

func TestInvalidQuestions(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	user := func(content string) string { return `{"role":"user","content":[` + content + `]}` }
	messages := func(list ...string) string { return `{"messages":[` + strings.Join(list, ",") + `]}` }
	const (
		hi      = `{"text":"hi"}`
		use     = `{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"f","input":{}}}]}`
		result  = `{"toolResult":{"toolUseId":"t1","content":[{"text":"1"}]}}`
		toolset = `,"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}]}}`
	)
	withTools := func(list ...string) string { return strings.TrimSuffix(messages(list...), "}") + toolset }
	withConfig := func(config string) string {
		return strings.TrimSuffix(messages(user(hi)), "}") + `,"inferenceConfig":` + config + `}`
	}
	for _, tt := range []struct{ name, body, want string }{
		{"good", messages(user(hi)), ""},
		{"good with tools", withTools(user(hi), use, user(result)), ""},
		{"good with a picture", messages(user(hi + `,{"image":{"format":"png","source":{"bytes":"AAAA"}}}`)), ""},
		{"good prefill", messages(user(hi), `{"role":"assistant","content":[{"text":"I"}]}`), ""},
		{"no JSON", `{`, "Unexpected field type"},
		{"another type", `{"messages":"hi"}`, "Unexpected field type"},
		{"text that isn't", messages(user(`{"text":1}`)), "Unexpected field type"},
		{"not UTF-8", messages(user("{\"text\":\"\xff\"}")), "Unexpected field type"},
		{"misspelt in a message", messages(`{"Role":"user","content":[` + hi + `]}`), "extraneous key [Role] is not permitted"},
		{"misspelt", `{"messages":[],"inferenceconfig":{}}`, "extraneous key [inferenceconfig] is not permitted"},
		{"misspelt within", withConfig(`{"max_tokens":1}`), "extraneous key [max_tokens] is not permitted"},
		{"misspelt block", messages(user(`{"txt":"hi"}`)), "extraneous key [txt] is not permitted"},
		{"no messages", `{}`, "A conversation must start with a user message."},
		{"empty messages", messages(), "A conversation must start with a user message."},
		{"assistant first", messages(`{"role":"assistant","content":[{"text":"hi"}]}`), "A conversation must start with a user message."},
		{"system role", messages(`{"role":"system","content":[{"text":"hi"}]}`), "Member must satisfy enum value set: [user, assistant]"},
		{"not in turn", messages(user(hi), user(hi)), "A conversation must alternate between user and assistant roles."},
		{"empty content", messages(`{"role":"user","content":[]}`), "The content field in the Message object at messages.0 is empty."},
		{"blank text", messages(user(`{"text":" "}`)), "The text field in the ContentBlock object at messages.0.content.0 is blank."},
		{"two in one block", messages(user(`{"text":"a","image":{}}`)), "ContentBlock object at messages.0.content.0 must set one of the following keys: text, image"},
		{"maxTokens", withConfig(`{"maxTokens":0}`), "Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"temperature", withConfig(`{"temperature":1.5}`), "Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: Member must have value less than or equal to 1"},
		{"tools without config", messages(user(hi), use, user(result)), "The toolConfig field must be defined when using toolUse and toolResult content blocks."},
		{"no tools in the config", strings.TrimSuffix(messages(user(hi)), "}") + `,"toolConfig":{"tools":[]}}`, "at 'toolConfig.tools' failed to satisfy constraint"},
		{"name of a tool", strings.TrimSuffix(messages(user(hi)), "}") + `,"toolConfig":{"tools":[{"toolSpec":{"name":"get weather","inputSchema":{"json":{}}}}]}}`,
			"Value 'get weather' at 'toolConfig.tools.1.member.toolSpec.name' failed to satisfy constraint"},
		{"tool without schema", strings.TrimSuffix(messages(user(hi)), "}") + `,"toolConfig":{"tools":[{"toolSpec":{"name":"f"}}]}}`, "toolSpec.inputSchema.json is empty"},
		{"choice of no tool", strings.TrimSuffix(messages(user(hi)), "}") + `,"toolConfig":{"toolChoice":{"tool":{"name":"g"}},"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{}}}}]}}`, "toolChoice, g,"},
		{"id of a use", withTools(user(hi), strings.Replace(use, `"t1"`, `"call 1"`, 1)), "Value 'call 1' at 'messages.1.content.0.toolUse.toolUseId' failed to satisfy constraint"},
		{"long id of a use", withTools(user(hi), strings.Replace(use, `"t1"`, `"`+strings.Repeat("x", 65)+`"`, 1)), "'messages.1.content.0.toolUse.toolUseId' failed"},
		{"input that is text", withTools(user(hi), strings.Replace(use, `{}`, `"{}"`, 1)), "The format of the value at messages.1.content.0.toolUse.input is invalid."},
		{"use by the user", withTools(user(`{"toolUse":{"toolUseId":"t1","name":"f","input":{}}}`)), "may only be in a message of the role assistant"},
		{"another id", withTools(user(hi), use, user(strings.Replace(result, `"t1"`, `"t2"`, 1))), "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
		{"result without use", withTools(user(result)), "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn."},
		{"use without result", withTools(user(hi), use, user(hi)), "Expected toolResult blocks at messages.2.content for the following Ids: t1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, operation := range []string{"converse", "converse-stream"} {
				got := b.do(t, exchange{service: "bedrock", method: "POST", path: "/model/jp." + haiku + "/" + operation, body: tt.body})
				if tt.want == "" && got.status != 200 || tt.want != "" && (got.status != 400 || !strings.Contains(got.body, tt.want)) {
					t.Errorf("%s: got %d %s, want %q", operation, got.status, got.body, tt.want)
				}
			}
		})
	}
}
