package bedrock

import (
	"cmp"
	"context"
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// DefaultMaxTokens is the bound of an answer when a [Request] gives none.
const DefaultMaxTokens = 1024

// A Request asks a model.
//
// MaxTokens is always sent, because Bedrock reserves it from the quota when
// the request starts: without it a call reserves what the model could answer
// at most, which is the usual cause of throttling.
type Request struct {
	Model       string // id of a model or of an inference profile, or an ARN
	System      string // "" means none
	Messages    []Message
	MaxTokens   int      // most tokens of the answer; 0 means DefaultMaxTokens
	Temperature *float64 // nil means the model's own
	TopP        *float64 // nil means the model's own
	Stop        []string // texts that end the answer
	Tools       []Tool   // that the model may ask for
	ToolChoice  ToolChoice
}

// An Answer is what a model said to a [Request].
type Answer struct {
	Text       string
	Reasoning  string // what the model thought aloud, "" for most models
	ToolUses   []ToolUse
	StopReason string // "end_turn", "max_tokens", "tool_use", …
	Usage      Usage
	RequestID  string
}

// Usage counts the tokens of one call.
type Usage struct {
	Input, Output, Total  int
	CacheRead, CacheWrite int
}

// Converse asks a model and waits for the whole answer. Errors are of type
// [*Error], except [ErrNoRegion] and [*RequestError].
func (c *Client) Converse(ctx context.Context, r Request) (Answer, error) {
	if c.config.Region == "" {
		return Answer{}, ErrNoRegion
	}
	in, err := r.input()
	if err != nil {
		return Answer{}, err
	}
	began := time.Now()
	out, err := c.runtime.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: in.ModelId, System: in.System, Messages: in.Messages,
		InferenceConfig: in.InferenceConfig, ToolConfig: in.ToolConfig,
	})
	if err != nil {
		return Answer{}, c.runtimeError("Converse", r.Model, began, err)
	}
	c.runtimeAnswered.Store(true)
	c.conversed.Store(r.Model, nil)
	a := Answer{StopReason: string(out.StopReason), Usage: usageOf(out.Usage), RequestID: requestID(out.ResultMetadata)}
	if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
		a.Text, a.Reasoning = textOf(m.Value.Content)
		a.ToolUses = toolUsesOf(m.Value.Content)
	}
	return a, nil
}

// input returns the request in the SDK's words. Both operations take the
// same members.
func (r Request) input() (in bedrockruntime.ConverseStreamInput, err error) {
	in.ModelId = aws.String(r.Model)
	in.InferenceConfig = r.inferenceConfig()
	if strings.TrimSpace(r.System) != "" {
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: r.System}}
	}
	if in.Messages, err = turns(r.Messages); err != nil {
		return in, err
	}
	in.ToolConfig, err = r.toolConfig()
	return in, err
}

func (r Request) inferenceConfig() *types.InferenceConfiguration {
	return &types.InferenceConfiguration{
		MaxTokens:     aws.Int32(int32(min(cmp.Or(max(r.MaxTokens, 0), DefaultMaxTokens), math.MaxInt32))),
		Temperature:   float32Of(r.Temperature),
		TopP:          float32Of(r.TopP),
		StopSequences: r.Stop,
	}
}

func float32Of(f *float64) *float32 {
	if f == nil {
		return nil
	}
	return aws.Float32(float32(*f))
}

// textOf joins the blocks of text, and those of reasoning.
func textOf(blocks []types.ContentBlock) (text, reasoning string) {
	var t, r strings.Builder
	for _, b := range blocks {
		switch b := b.(type) {
		case *types.ContentBlockMemberText:
			t.WriteString(b.Value)
		case *types.ContentBlockMemberReasoningContent:
			if v, ok := b.Value.(*types.ReasoningContentBlockMemberReasoningText); ok {
				r.WriteString(aws.ToString(v.Value.Text))
			}
		}
	}
	return t.String(), r.String()
}

func usageOf(u *types.TokenUsage) Usage {
	if u == nil {
		return Usage{}
	}
	return Usage{
		Input:      int(aws.ToInt32(u.InputTokens)),
		Output:     int(aws.ToInt32(u.OutputTokens)),
		Total:      int(aws.ToInt32(u.TotalTokens)),
		CacheRead:  int(aws.ToInt32(u.CacheReadInputTokens)),
		CacheWrite: int(aws.ToInt32(u.CacheWriteInputTokens)),
	}
}
