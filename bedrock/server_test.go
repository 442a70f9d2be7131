package bedrock

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

var testKeys = credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret-of-the-test", "token-of-the-test")

// newTestClient returns a client of a server that answers with handler.
func newTestClient(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return New(Config{
		Region: "ap-northeast-1", Endpoint: srv.URL, Credentials: testKeys,
		HTTPClient: &http.Client{Transport: transport},
	})
}

// refuse answers as Bedrock does when it refuses.
func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("X-Amzn-ErrorType", code+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	w.Header().Set("X-Amzn-RequestId", "6f1c9c8e-0000-4000-8000-00000000beef")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]string{"message": message})
}

// A wire writes an event stream by hand.
type wire struct {
	w http.ResponseWriter
	t *testing.T
}

// startStream sends the head of a stream.
func startStream(t *testing.T, w http.ResponseWriter) wire {
	w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	w.Header().Set("X-Amzn-RequestId", "6f1c9c8e-0000-4000-8000-00000000beef")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	return wire{w, t}
}

func (s wire) event(kind, payload string)     { s.send("event", ":event-type", kind, payload) }
func (s wire) exception(kind, payload string) { s.send("exception", ":exception-type", kind, payload) }

func (s wire) send(messageType, header, kind, payload string) {
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(":message-type", eventstream.StringValue(messageType))
	m.Headers.Set(header, eventstream.StringValue(kind))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	if err := eventstream.NewEncoder().Encode(s.w, m); err != nil {
		s.t.Logf("encode %s: %v", kind, err)
	}
	s.w.(http.Flusher).Flush()
}

// half sends the first bytes of an event.
func (s wire) half() {
	r := httptest.NewRecorder()
	wire{r, s.t}.text("never seen")
	s.w.Write(r.Body.Bytes()[:r.Body.Len()/2])
}

func (s wire) text(words ...string) {
	for _, word := range words {
		s.event("contentBlockDelta", fmt.Sprintf(`{"contentBlockIndex":0,"delta":{"text":%q}}`, word))
	}
}

func (s wire) end(reason string) {
	s.event("contentBlockStop", `{"contentBlockIndex":0}`)
	s.event("messageStop", fmt.Sprintf(`{"stopReason":%q}`, reason))
	s.event("metadata", `{"usage":{"inputTokens":9,"outputTokens":2,"totalTokens":11,"cacheReadInputTokens":3},"metrics":{"latencyMs":120}}`)
}

// noLeaks fails the test if goroutines of HTTP or of the SDK outlive it.
func noLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var stacks string
		for range 100 {
			buf := make([]byte, 1<<20)
			stacks = string(buf[:runtime.Stack(buf, true)])
			if !strings.Contains(stacks, "aws/smithy-go") && !strings.Contains(stacks, "service/bedrockruntime") &&
				!strings.Contains(stacks, "net/http.(*persistConn)") {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Errorf("goroutines left behind:\n%s", stacks)
	})
}
