package awsfake

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// The pieces of a streamed answer: how many tokens one holds, and how long the
// stand-in seems to think about it.
const (
	chunkTokens = 4
	chunkPause  = 4 * time.Millisecond
)

func (s *Server) converseStream(w http.ResponseWriter, c *call) error {
	a, err := s.ask(c, "bedrock:InvokeModelWithResponseStream")
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	events := stream{w: w, call: c, encoder: eventstream.NewEncoder()}
	events.send("messageStart", map[string]any{"role": "assistant"})
	for chunk := range a.chunks(chunkTokens) {
		events.pause()
		events.send("contentBlockDelta", map[string]any{"contentBlockIndex": 0, "delta": map[string]string{"text": chunk}})
	}
	events.send("contentBlockStop", map[string]any{"contentBlockIndex": 0})
	events.send("messageStop", map[string]any{"stopReason": a.stopReason})
	events.send("metadata", map[string]any{
		"usage": a.usage(), "metrics": map[string]int64{"latencyMs": c.latency()},
	})
	return nil
}

// A stream writes events until the first error: then the client has gone.
type stream struct {
	w       http.ResponseWriter
	call    *call
	encoder *eventstream.Encoder
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
	s.err = s.encoder.Encode(s.w, eventstream.Message{Headers: headers, Payload: marshal(payload)})
	if s.err == nil {
		s.err = http.NewResponseController(s.w).Flush()
	}
}

func (s *stream) pause() {
	if s.err == nil && !sleep(s.call.request.Context(), chunkPause) {
		s.err = s.call.request.Context().Err()
	}
}
