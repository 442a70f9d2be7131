package bedrock

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"tegata/awsfake/wire"
)

// chunkTokens is how many tokens one piece of a streamed answer holds.
const chunkTokens = 4

func (s *Service) converseStream(w http.ResponseWriter, c *wire.Call) error {
	a, err := s.ask(c, "bedrock:InvokeModelWithResponseStream")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	events := stream{w: w, call: c, encoder: eventstream.NewEncoder(), pace: s.Pace}
	events.send("messageStart", map[string]any{"role": "assistant"})
	events.text(a)
	events.tool(a)
	events.send("messageStop", map[string]any{"stopReason": a.stopReason})
	events.send("metadata", map[string]any{
		"usage": a.usage(), "metrics": map[string]int64{"latencyMs": latency(c)},
	})
	return nil
}

// text sends the block of text. An answer that is nothing but a tool has none.
func (s *stream) text(a answer) {
	if len(a.tokens) == 0 {
		return
	}
	for piece := range pieces(a.tokens, chunkTokens) {
		s.delta(map[string]string{"text": piece})
	}
	s.endBlock()
}

// tool sends the block that asks for a tool. Its input comes as pieces of
// JSON text, of which none is JSON by itself.
func (s *stream) tool(a answer) {
	if a.tool == nil {
		return
	}
	s.send("contentBlockStart", map[string]any{"contentBlockIndex": s.block, "start": map[string]any{
		"toolUse": map[string]string{"toolUseId": a.tool.ID, "name": a.tool.Name},
	}})
	for piece := range pieces(a.toolTokens(), chunkTokens) {
		s.delta(map[string]any{"toolUse": map[string]string{"input": piece}})
	}
	s.endBlock()
}

func (s *stream) delta(delta any) {
	s.pause()
	s.send("contentBlockDelta", map[string]any{"contentBlockIndex": s.block, "delta": delta})
}

func (s *stream) endBlock() {
	s.send("contentBlockStop", map[string]any{"contentBlockIndex": s.block})
	s.block++
}

// A stream writes events until the first error: then the client has gone.
type stream struct {
	w       http.ResponseWriter
	call    *wire.Call
	encoder *eventstream.Encoder
	pace    time.Duration
	block   int // the one that is being sent
	err     error
}

// send writes one event and hands it to the network at once.
func (s *stream) send(kind string, payload any) {
	if s.err != nil {
		return
	}
	var headers eventstream.Headers
	headers.Set(":event-type", eventstream.StringValue(kind))
	headers.Set(":content-type", eventstream.StringValue("application/json"))
	headers.Set(":message-type", eventstream.StringValue("event"))
	s.err = s.encoder.Encode(s.w, eventstream.Message{Headers: headers, Payload: wire.Marshal(payload)})
	if s.err == nil {
		s.err = http.NewResponseController(s.w).Flush()
	}
}

func (s *stream) pause() {
	if s.err == nil && !sleep(s.call.Request.Context(), s.pace) {
		s.err = s.call.Request.Context().Err()
	}
}
