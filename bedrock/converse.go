package bedrock

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// DefaultMaxTokens is the bound of an answer when a [Request] gives none.
const DefaultMaxTokens = 1024

// Role says who speaks a [Message].
type Role string

const (
	User      Role = "user"
	Assistant Role = "assistant"
)

// A Message is one turn of a conversation.
type Message struct {
	Role Role
	Text string
}

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
}

// An Answer is what a model said to a [Request].
type Answer struct {
	Text       string
	Reasoning  string // what the model thought aloud, "" for most models
	StopReason string // "end_turn", "max_tokens", …
	Usage      Usage
	RequestID  string
}

// Usage counts the tokens of one call.
type Usage struct {
	Input, Output, Total  int
	CacheRead, CacheWrite int
}

// Converse asks a model and waits for the whole answer. Errors are of type
// [*Error], except [ErrNoRegion].
func (c *Client) Converse(ctx context.Context, r Request) (Answer, error) {
	if c.config.Region == "" {
		return Answer{}, ErrNoRegion
	}
	in := r.input()
	out, err := c.runtime.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: in.ModelId, System: in.System, Messages: in.Messages, InferenceConfig: in.InferenceConfig,
	})
	if err != nil {
		return Answer{}, c.runtimeError("Converse", r.Model, err)
	}
	c.runtimeAnswered.Store(true)
	c.conversed.Store(r.Model, nil)
	a := Answer{StopReason: string(out.StopReason), Usage: usageOf(out.Usage), RequestID: requestID(out.ResultMetadata)}
	if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
		a.Text, a.Reasoning = textOf(m.Value.Content)
	}
	return a, nil
}

// input returns the request in the SDK's words. Both operations take the
// same members.
func (r Request) input() bedrockruntime.ConverseStreamInput {
	in := bedrockruntime.ConverseStreamInput{
		ModelId:         aws.String(r.Model),
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(DefaultMaxTokens)},
	}
	if r.MaxTokens > 0 {
		in.InferenceConfig.MaxTokens = aws.Int32(int32(r.MaxTokens))
	}
	if r.Temperature != nil {
		in.InferenceConfig.Temperature = aws.Float32(float32(*r.Temperature))
	}
	if r.System != "" {
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: r.System}}
	}
	for _, m := range r.Messages {
		in.Messages = append(in.Messages, types.Message{
			Role:    types.ConversationRole(m.Role),
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: m.Text}},
		})
	}
	return in
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
