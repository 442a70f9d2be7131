package bedrock_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"tegata/awsfake"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

const (
	region = "ap-northeast-1"
	haiku  = "anthropic.claude-haiku-4-5-20251001-v1:0"
	nova   = "amazon.nova-lite-v1:0"
	titan  = "amazon.titan-embed-text-v2:0"
)

var key = aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret", SessionToken: "token=="}

// A world is an account with one caller, who may do what its policy says.
type world struct {
	*httptest.Server
	account *awsfake.Server
	mu      sync.Mutex
	uses    []string // action and resource of every decision
}

const allowAll = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

func newWorld(t testing.TB, document string, change func(*awsfake.Options)) *world {
	t.Helper()
	w := &world{}
	d, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	credential := awsfake.Credential{
		SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken, Expires: time.Now().Add(24 * time.Hour),
		Caller: wire.Caller{
			ARN: "arn:aws:sts::123456789012:assumed-role/app/i-0abc", UserID: "AROAEXAMPLE:i-0abc", Role: "app",
			Principal: "arn:aws:iam::123456789012:role/app", Policies: policy.Layers{Identity: []policy.Named{{Document: d}}},
		},
	}
	o := awsfake.Options{
		Account: "123456789012", Pace: time.Microsecond,
		Credentials: func(id string) (awsfake.Credential, bool) { return credential, id == key.AccessKeyID },
		OnAuthorize: func(u policy.Use) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.uses = append(w.uses, u.Action+" "+u.Resource)
		},
	}
	if change != nil {
		change(&o)
	}
	w.account = awsfake.New(o)
	w.Server = httptest.NewServer(w.account)
	t.Cleanup(w.Close)
	return w
}

// used are the decisions since the last time it was asked.
func (w *world) used() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := slices.Compact(w.uses)
	w.uses = nil
	return all
}

func (w *world) runtime() *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: region, BaseEndpoint: &w.URL, RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: key},
	})
}

type answer struct {
	status int
	header http.Header
	body   string
}

// members are those of an answer in JSON.
func (a answer) members(t testing.TB) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %q", err, a.body)
	}
	return v
}

// call sends a signed request. Headers come in pairs of name and value.
func (w *world) call(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	hash := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(hash[:]), "bedrock", region, time.Now()); err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(data)}
}

// want checks the status and a part of the body.
func (a answer) want(t testing.TB, status int, part string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.body, part) {
		t.Errorf("got %d %s, want %d %s", a.status, a.body, status, part)
	}
}
