package bedrock

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// ErrTruncated says that a stream ended without the two events that close
// every whole answer, messageStop and metadata.
//
// The SDK takes a connection that breaks in the middle of an answer for its
// end, so nothing below us notices.
var ErrTruncated = errors.New("the stream ended before the answer did")

// An Event is one of [Start], [TextDelta], [ReasoningDelta], [ToolStart],
// [ToolDelta], [BlockStop], [Stop] and [Metadata]. Block is the position of
// the piece of the answer that it belongs to.
type Event interface{ event() }

type (
	// Start opens an answer.
	Start struct {
		Role      Role
		RequestID string
	}
	// TextDelta is more of the text.
	TextDelta struct {
		Block int
		Text  string
	}
	// ReasoningDelta is more of what the model thinks: words, or the
	// signature over them, or thoughts that only the model can read.
	ReasoningDelta struct {
		Block     int
		Text      string
		Signature string
		Redacted  []byte
	}
	// ToolStart asks for a tool; its input follows in ToolDeltas.
	ToolStart struct {
		Block    int
		ID, Name string
	}
	// ToolDelta is more of the input of a tool, a piece of JSON text.
	ToolDelta struct {
		Block int
		ID    string // as in its ToolStart
		Input string
	}
	// BlockStop ends a block.
	BlockStop struct{ Block int }
	// Stop ends the answer and says why.
	Stop struct{ Reason string }
	// Metadata is the last event.
	Metadata struct {
		Usage   Usage
		Latency time.Duration // as Bedrock measured it
	}
)

func (Start) event()          {}
func (TextDelta) event()      {}
func (ReasoningDelta) event() {}
func (ToolStart) event()      {}
func (ToolDelta) event()      {}
func (BlockStop) event()      {}
func (Stop) event()           {}
func (Metadata) event()       {}

// Stream asks a model and yields the answer as it comes. The call is made
// when the loop over it starts, and is retried only until the first event.
//
// An error is the last thing that it yields: a [*Error], which is
// [ErrTruncated] where the answer was cut off, [ErrNoRegion], or a
// [*RequestError]. Leaving the loop early, like
// the end of ctx, closes the connection, so that Bedrock stops as well.
func (c *Client) Stream(ctx context.Context, r Request) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if c.config.Region == "" {
			yield(nil, ErrNoRegion)
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()

		in, err := r.input()
		if err != nil {
			yield(nil, err)
			return
		}
		began := time.Now()
		out, err := c.runtime.ConverseStream(ctx, &in)
		if err != nil {
			yield(nil, c.runtimeError("ConverseStream", r.Model, began, err))
			return
		}
		c.runtimeAnswered.Store(true)
		s := stream{sdk: out.GetStream(), requestID: requestID(out.ResultMetadata), tools: map[int]string{}}
		defer s.close()
		if err := s.run(ctx, yield); err != nil {
			e := c.runtimeError("ConverseStream", r.Model, began, err)
			e.RequestID = s.requestID
			yield(nil, e)
		}
	}
}

// A stream is one answer on its way.
type stream struct {
	sdk       *bedrockruntime.ConverseStreamEventStream
	requestID string
	tools     map[int]string // block → id of the tool that is asked for
	stopped   bool           // messageStop came
	counted   bool           // metadata came
}

// run yields the events until there are no more, which the end of ctx brings
// about, or the loop was left. It returns why the answer is not whole.
func (s *stream) run(ctx context.Context, yield func(Event, error) bool) error {
	for raw := range s.sdk.Events() {
		if e := s.translate(raw); e != nil && !yield(e, nil) {
			return nil
		}
	}
	return s.end(ctx)
}

func (s *stream) end(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := s.sdk.Err()
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if err != nil || !s.stopped || !s.counted {
		return ErrTruncated
	}
	return nil
}

// close ends the connection, and waits until the SDK has let go of it.
func (s *stream) close() {
	s.sdk.Close()
	for range s.sdk.Events() {
	}
}

// translate returns the event in our words, or nil for one of a kind that is
// newer than this package.
func (s *stream) translate(raw types.ConverseStreamOutput) Event {
	switch e := raw.(type) {
	case *types.ConverseStreamOutputMemberMessageStart:
		return Start{Role: Role(e.Value.Role), RequestID: s.requestID}
	case *types.ConverseStreamOutputMemberContentBlockStart:
		return s.blockStart(int(aws.ToInt32(e.Value.ContentBlockIndex)), e.Value.Start)
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		return s.blockDelta(int(aws.ToInt32(e.Value.ContentBlockIndex)), e.Value.Delta)
	case *types.ConverseStreamOutputMemberContentBlockStop:
		return BlockStop{Block: int(aws.ToInt32(e.Value.ContentBlockIndex))}
	case *types.ConverseStreamOutputMemberMessageStop:
		s.stopped = true
		return Stop{Reason: string(e.Value.StopReason)}
	case *types.ConverseStreamOutputMemberMetadata:
		s.counted = true
		return metadataOf(e.Value)
	}
	return nil
}

func (s *stream) blockStart(block int, start types.ContentBlockStart) Event {
	tool, ok := start.(*types.ContentBlockStartMemberToolUse)
	if !ok {
		return nil
	}
	s.tools[block] = aws.ToString(tool.Value.ToolUseId)
	return ToolStart{Block: block, ID: s.tools[block], Name: aws.ToString(tool.Value.Name)}
}

func (s *stream) blockDelta(block int, delta types.ContentBlockDelta) Event {
	switch d := delta.(type) {
	case *types.ContentBlockDeltaMemberText:
		return TextDelta{Block: block, Text: d.Value}
	case *types.ContentBlockDeltaMemberToolUse:
		return ToolDelta{Block: block, ID: s.tools[block], Input: aws.ToString(d.Value.Input)}
	case *types.ContentBlockDeltaMemberReasoningContent:
		return reasoningOf(block, d.Value)
	}
	return nil
}

func reasoningOf(block int, delta types.ReasoningContentBlockDelta) Event {
	switch d := delta.(type) {
	case *types.ReasoningContentBlockDeltaMemberText:
		return ReasoningDelta{Block: block, Text: d.Value}
	case *types.ReasoningContentBlockDeltaMemberSignature:
		return ReasoningDelta{Block: block, Signature: d.Value}
	case *types.ReasoningContentBlockDeltaMemberRedactedContent:
		return ReasoningDelta{Block: block, Redacted: d.Value}
	}
	return nil
}

func metadataOf(e types.ConverseStreamMetadataEvent) Metadata {
	m := Metadata{Usage: usageOf(e.Usage)}
	if e.Metrics != nil {
		m.Latency = time.Duration(aws.ToInt64(e.Metrics.LatencyMs)) * time.Millisecond
	}
	return m
}
