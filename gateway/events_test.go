package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/openai/openai-go/v3/option"
)

// requestOfAWS is the id of every request to AWS that a test answers itself.
const requestOfAWS = "6f1c9c8e-0000-4000-8000-00000000beef"

// events are the answer of ConverseStream, written by hand.
type events struct{ w io.Writer }

// startEvents sends the head of a stream.
func startEvents(w http.ResponseWriter) *events {
	time.Sleep(3 * time.Millisecond) // the SDK loses answers that come before it has sent the question
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("X-Amzn-RequestId", requestOfAWS)
	w.WriteHeader(http.StatusOK)
	return &events{flushing{w}}
}

type flushing struct{ http.ResponseWriter }

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	f.ResponseWriter.(http.Flusher).Flush()
	return n, err
}

func (e *events) event(kind, payload string) { e.send("event", ":event-type", kind, payload) }
func (e *events) exception(kind, payload string) {
	e.send("exception", ":exception-type", kind, payload)
}

func (e *events) send(messageType, header, kind, payload string) {
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":message-type", eventstream.StringValue(messageType))
	m.Headers.Set(header, eventstream.StringValue(kind))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	eventstream.NewEncoder().Encode(e.w, m)
}

func (e *events) text(s string) {
	e.event("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":%q}}`, s))
}

func (e *events) end(reason string) {
	e.event("contentBlockStop", `{"contentBlockIndex":0}`)
	e.event("messageStop", fmt.Sprintf(`{"stopReason":%q}`, reason))
	e.event("metadata", `{"usage":{"inputTokens":9,"outputTokens":2,"totalTokens":11},"metrics":{"latencyMs":120}}`)
}

// awsOf is an AWS that streams one answer and refuses all else: without a list
// of models, ids are called as they are.
func awsOf(serve func(*events)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/converse-stream") {
			http.NotFound(w, r)
			return
		}
		serve(startEvents(w))
	}
}

// withResponse keeps the response of a call by the client of OpenAI.
func withResponse(resp **http.Response) option.RequestOption { return option.WithResponseInto(resp) }
