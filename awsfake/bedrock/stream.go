package bedrock

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"tegata/awsfake/wire"
)

// chunkTokens is how many tokens one piece of a streamed answer holds.
const chunkTokens = 4

// A stream writes events until the first error: then the client has gone.
type stream struct {
	w       http.ResponseWriter
	encoder *eventstream.Encoder
	err     error
}

func newStream(w http.ResponseWriter) *stream {
	return &stream{w: w, encoder: eventstream.NewEncoder()}
}

// event writes one event and hands it to the network at once.
func (s *stream) event(kind string, payload any) { s.send("event", ":event-type", kind, payload) }

// fail ends the answer with an exception in its middle. A model that fails has
// its own words in the member that the API has for them.
func (s *stream) fail(err error) {
	if errors.Is(err, context.Canceled) {
		return // nobody is left to be told
	}
	code, payload := "internalServerException", map[string]any{"message": err.Error()}
	if e, ok := errors.AsType[*wire.Error](err); ok {
		code, payload["message"] = inStream(e.Code), e.Message
		if code == "modelStreamErrorException" {
			payload["originalStatusCode"], payload["originalMessage"] = e.Status, e.Message
		}
	}
	s.send("exception", ":exception-type", code, payload)
}

// inStream names an error as a member of the stream.
func inStream(code string) string {
	switch code {
	case "ThrottlingException":
		return "throttlingException"
	case "ValidationException":
		return "validationException"
	case "ServiceUnavailableException":
		return "serviceUnavailableException"
	case "ModelErrorException", "ModelTimeoutException":
		return "modelStreamErrorException"
	}
	return "internalServerException"
}

func (s *stream) send(message, typed, kind string, payload any) {
	if s.err != nil {
		return
	}
	var headers eventstream.Headers
	headers.Set(typed, eventstream.StringValue(kind))
	headers.Set(":content-type", eventstream.StringValue("application/json"))
	headers.Set(":message-type", eventstream.StringValue(message))
	s.err = s.encoder.Encode(s.w, eventstream.Message{Headers: headers, Payload: wire.Marshal(payload)})
	if s.err == nil {
		s.err = http.NewResponseController(s.w).Flush()
	}
}
