package awsfake

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/google/go-cmp/cmp"
)

// weather is a tool as programs describe theirs.
func weather(choice types.ToolChoice) *types.ToolConfiguration {
	return &types.ToolConfiguration{ToolChoice: choice, Tools: []types.Tool{
		&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String("clock"), InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})},
		}},
		&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String("get_weather"), Description: aws.String("Current weather of a city"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{
				"type":     "object",
				"required": []string{"city", "days"},
				"properties": map[string]any{
					"city": map[string]any{"type": "string"},
					"days": map[string]any{"type": "integer"},
					"unit": map[string]any{"enum": []string{"celsius", "fahrenheit"}},
				},
			})},
		}},
	}}
}

// asked is what an answer asks for.
type asked struct{ Text, Tool, Input, Stop string }

func (b *box) converse(t *testing.T, text string, config *types.ToolConfiguration) (asked, types.Message) {
	t.Helper()
	out, err := b.runtime(t, b.region).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("jp." + haiku), Messages: userMessage(text), ToolConfig: config,
	})
	if err != nil {
		t.Fatal(err)
	}
	got := asked{Stop: string(out.StopReason)}
	message := out.Output.(*types.ConverseOutputMemberMessage).Value
	for _, block := range message.Content {
		switch v := block.(type) {
		case *types.ContentBlockMemberText:
			got.Text = v.Value
		case *types.ContentBlockMemberToolUse:
			input, err := v.Value.Input.MarshalSmithyDocument()
			if err != nil || !strings.HasPrefix(*v.Value.ToolUseId, "tooluse_") {
				t.Errorf("tool use %q, %v", *v.Value.ToolUseId, err)
			}
			got.Tool, got.Input = *v.Value.Name, string(input)
		}
	}
	return got, message
}

func (b *box) streamed(t *testing.T, text string, config *types.ToolConfiguration) asked {
	t.Helper()
	out, err := b.runtime(t, b.region).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("jp." + haiku), Messages: userMessage(text), ToolConfig: config,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer out.GetStream().Close()
	var got asked
	for event := range out.GetStream().Events() {
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockStart:
			got.Tool = *e.Value.Start.(*types.ContentBlockStartMemberToolUse).Value.Name
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				got.Text += d.Value
			case *types.ContentBlockDeltaMemberToolUse:
				got.Input += *d.Value.Input
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			got.Stop = string(e.Value.StopReason)
		}
	}
	return got
}

func TestToolsAreAskedFor(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { sdkPause(o); o.Pace = time.Microsecond })
	const text = "This is tegata's stand-in and not a real model. Your question speaks of what the tool `get_weather` does, so I ask for it."
	for _, tt := range []struct {
		name     string
		question string
		choice   types.ToolChoice
		want     asked
	}{
		{"by a word of the description", `What is the weather in "Tokyo" for 3 days?`, nil, asked{Text: text, Tool: "get_weather", Input: `{"city":"Tokyo","days":3}`, Stop: "tool_use"}},
		{"by its name", "get_weather!", &types.ToolChoiceMemberAuto{}, asked{Text: text, Tool: "get_weather", Input: `{"city":"get_weather!","days":1}`, Stop: "tool_use"}},
		{"any, the one that fits", "How is the weather?", &types.ToolChoiceMemberAny{}, asked{Tool: "get_weather", Input: `{"city":"How is the weather?","days":1}`, Stop: "tool_use"}},
		{"any, none fits", "Hello", &types.ToolChoiceMemberAny{}, asked{Tool: "clock", Input: `{}`, Stop: "tool_use"}},
		{"this one", "こんにちは", &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("get_weather")}},
			asked{Tool: "get_weather", Input: `{"city":"こんにちは","days":1}`, Stop: "tool_use"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			unary, _ := b.converse(t, tt.question, weather(tt.choice))
			if diff := cmp.Diff(tt.want, unary); diff != "" {
				t.Errorf("Converse (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, b.streamed(t, tt.question, weather(tt.choice))); diff != "" {
				t.Errorf("ConverseStream (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		if got, _ := b.converse(t, "Who are you?", weather(nil)); got.Tool != "" || got.Stop != "end_turn" {
			t.Errorf("a question that no tool answers: %+v", got)
		}
	})
}

// The loop of every agent: ask, call, tell, and an answer that ends it.
func TestToolResultIsQuoted(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	const question = "What is the weather in Osaka?"
	_, use := b.converse(t, question, weather(nil))
	id := use.Content[1].(*types.ContentBlockMemberToolUse).Value.ToolUseId
	result := func(content ...types.ToolResultContentBlock) types.Message {
		return types.Message{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
			&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: id, Content: content}},
		}}
	}
	out, err := b.runtime(t, b.region).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("jp." + haiku), ToolConfig: weather(nil),
		Messages: append(userMessage(question), use, result(
			&types.ToolResultContentBlockMemberText{Value: "22 degrees,\nrain"},
			&types.ToolResultContentBlockMemberJson{Value: document.NewLazyDocument(map[string]any{"wind": 4})})),
	})
	if err != nil {
		t.Fatal(err)
	}
	text := out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberText).Value
	if out.StopReason != types.StopReasonEndTurn || !strings.Contains(text, "> 22 degrees,\n> rain\n> {\"wind\":4}") {
		t.Errorf("%s: %q", out.StopReason, text)
	}
}

// A tool is asked for in whole or not at all: half an input is no JSON.
func TestLimitBeforeATool(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	out, err := b.runtime(t, b.region).Converse(t.Context(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("jp." + haiku), Messages: userMessage("How is the weather?"), ToolConfig: weather(nil),
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(5)},
	})
	if err != nil {
		t.Fatal(err)
	}
	content := out.Output.(*types.ConverseOutputMemberMessage).Value.Content
	if out.StopReason != types.StopReasonMaxTokens || len(content) != 1 || *out.Usage.OutputTokens != 5 {
		t.Errorf("%s after %d tokens, %d blocks", out.StopReason, *out.Usage.OutputTokens, len(content))
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	const pace = 30 * time.Millisecond
	b := start(t, func(o *Options) { sdkPause(o); o.Pace = pace })
	began := time.Now()
	tokens := int32(12)
	got, err := b.stream(t, &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("jp." + haiku), Messages: userMessage("hi"), InferenceConfig: &types.InferenceConfiguration{MaxTokens: &tokens},
	})
	if took := time.Since(began); err != nil || len(got.chunks) != 3 || took < 3*pace {
		t.Errorf("%d pieces within %v, %v", len(got.chunks), took, err)
	}
}
