package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"tegata/awsfake"
	"tegata/awsfake/wire"
	"tegata/bedrock"
	"tegata/internal/fault"
	"tegata/internal/policy"
	"tegata/login"
	"tegata/store"
)

const (
	sonnet     = "anthropic.claude-sonnet-4-6" // only its profiles can be called
	sonnetInJP = "jp." + sonnet
	dead       = "anthropic.claude-3-sonnet-20240229-v1:0"
	region     = "ap-northeast-1"
	account    = "123456789012"
)

// keys sign for the gateway. The test of the logs looks for their secrets.
var keys = aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret-of-the-test", SessionToken: "token-of-the-test"}

const allowAll = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// A world is a gateway with all of its surroundings, on loopback.
type world struct {
	*Server
	aws *httptest.Server
	url string // of the gateway
	key string // of the client
	log lockedBuffer

	lists atomic.Int32 // how often the models were listed

	mu    sync.Mutex
	calls []store.Call
}

type settings struct {
	replies []fault.Rule
	policy  string           // of the caller; "" allows everything
	pace    time.Duration    // of streams
	aws     http.HandlerFunc // in place of the imitation
	change  func(*Server)
}

func start(t *testing.T, o settings) *world {
	t.Helper()
	w := &world{}
	aws := w.newAWS(t, o)
	w.aws = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/foundation-models" {
			w.lists.Add(1)
		}
		aws.ServeHTTP(rw, r)
	}))
	t.Cleanup(w.aws.Close)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	client := bedrock.New(bedrock.Config{
		Region: region, Endpoint: w.aws.URL, Attempts: 1, HTTPClient: &http.Client{Transport: transport},
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	})
	source := func(context.Context) (*bedrock.Client, error) { return client, nil }
	w.Server = &Server{
		Source: source, Catalogue: bedrock.NewCatalogue(source), Record: w.record, Version: "test",
		Logger: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	if o.change != nil {
		o.change(w.Server)
	}
	w.url, w.key = serve(t, w.Server)
	return w
}

// newAWS returns the imitation, which answers at once unless it is paced.
func (w *world) newAWS(t *testing.T, o settings) http.Handler {
	if o.aws != nil {
		return o.aws
	}
	replies, err := fault.New(o.replies)
	if err != nil {
		t.Fatal(err)
	}
	if o.policy == "" {
		o.policy = allowAll
	}
	if o.pace == 0 {
		o.pace = time.Microsecond
	}
	document, err := policy.Parse([]byte(o.policy))
	if err != nil {
		t.Fatal(err)
	}
	return awsfake.New(awsfake.Options{
		Account: account, Region: region,
		Replies: replies, Pace: o.pace,
		Credentials: func(id string) (awsfake.Credential, bool) {
			return awsfake.Credential{
				SecretAccessKey: keys.SecretAccessKey, SessionToken: keys.SessionToken, Expires: time.Now().Add(time.Hour),
				Caller: wire.Caller{
					ARN:      "arn:aws:sts::" + account + ":assumed-role/app/i-0abc",
					Policies: policy.Layers{Identity: []policy.Named{{Document: document}}},
				},
			}, id == keys.AccessKeyID
		},
	})
}

// clientName is who asks in tests.
const clientName = "tests"

// A clientBook is a store with one client, which all tests share: to make one
// takes longer than most of them.
type clientBook struct {
	db  *store.DB
	key string
}

var book clientBook

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "tegata-gateway-")
	if err == nil {
		defer os.RemoveAll(dir)
		book.db, err = store.Open(context.Background(), filepath.Join(dir, "tegata.db"))
	}
	if err == nil {
		defer book.db.Close()
		book.key, err = login.AddClient(context.Background(), book.db, clientName)
	}
	if err != nil {
		panic(err)
	}
	m.Run()
}

// serve puts the routes behind their login, as the program does, and returns
// the key of a client.
func serve(t *testing.T, s *Server) (url, key string) {
	t.Helper()
	guard := login.Guard{DB: book.db}
	srv := httptest.NewServer(guard.Mux(s.Routes()...))
	t.Cleanup(srv.Close)
	return srv.URL, book.key
}

func (w *world) record(_ context.Context, c store.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, c)
}

// recorded returns the calls so far, and waits until there are n.
func (w *world) recorded(t *testing.T, n int) []store.Call {
	t.Helper()
	var calls []store.Call
	eventually(t, "calls to be recorded", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		calls = w.calls
		return len(calls) >= n
	})
	return calls
}

// eventually polls for what another goroutine does after it has answered.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// openAI returns a client that a program would use.
func (w *world) openAI() openai.Client {
	return openai.NewClient(option.WithBaseURL(w.url+"/v1"), option.WithAPIKey(w.key), option.WithMaxRetries(0))
}

// post sends a body by hand and returns the answer with its body.
func (w *world) post(t *testing.T, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	return w.do(t, "POST", completionsPath, strings.NewReader(body), headers...)
}

func (w *world) get(t *testing.T, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	return w.do(t, "GET", path, nil, headers...)
}

func (w *world) do(t *testing.T, method, path string, body io.Reader, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.key)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v after %q", method, path, err, b)
	}
	return resp, string(b)
}

// errorIn reads the error of an answer.
func errorIn(t *testing.T, body string) errorBody {
	t.Helper()
	var e struct{ Error *errorBody }
	if err := json.Unmarshal([]byte(body), &e); err != nil || e.Error == nil {
		t.Fatalf("no error in %q: %v", body, err)
	}
	return *e.Error
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func ask(model, question string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)}}
}

// A lockedBuffer takes a log from many goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
