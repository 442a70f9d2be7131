package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"

	"tegata/bedrock"
)

// A world is the far side of every wire: metadata, STS and Bedrock, healthy
// unless a test changes it. It works in memory, so that tests run in a
// synctest bubble, where waiting takes no time.
type world struct {
	env        map[string]string
	files      map[string]string
	model      string
	now        time.Time // of AWS
	skew       time.Duration
	sts        func(ctx context.Context) (Identity, error) // nil: over the wire
	replies    map[string]http.HandlerFunc                 // "PUT /latest/api/token" → instead of the healthy answer
	delay      time.Duration                               // before every answer
	refuse     bool                                        // no connection to metadata
	refused    string                                      // part of an address of metadata: no connection to it
	dropped    string                                      // part of a host: packets to it get lost
	unnamed    string                                      // part of a host: DNS does not know it
	routeless  string                                      // part of a host: no route leads there
	noServices error                                       // why no AWS client can be configured
	// endpoint of metadata, "" for the real address, to which nothing here is sent
	endpoint  string
	processes func() ([]Process, error)

	mu       sync.Mutex
	requests []string
}

const (
	testRole     = "bedrock-ui-ec2-role"
	testInstance = "i-0a1b2c3d4e5f60718"
	testRegion   = "ap-northeast-1"
	testModel    = "jp.anthropic.claude-sonnet-4-6"
)

func healthy() *world {
	w := &world{
		env:     map[string]string{"AWS_REGION": testRegion, "AWS_DEFAULT_REGION": testRegion},
		files:   map[string]string{},
		model:   testModel,
		now:     time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
		replies: map[string]http.HandlerFunc{},
	}
	return w
}

// setEndpoint sets the address of metadata in the environment.
func (w *world) setEndpoint(url string) {
	w.endpoint, w.env[endpointVariable] = url, url
}

// ServeHTTP answers for metadata and for Bedrock; their paths do not meet.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	w.mu.Lock()
	w.requests = append(w.requests, call)
	w.mu.Unlock()
	sleep(r.Context(), w.delay)
	rw.Header().Set("Date", w.now.Format(http.TimeFormat))
	rw.Header().Set("Server", "EC2ws")
	for pattern, reply := range w.replies {
		if pattern == call || strings.HasSuffix(pattern, "*") && strings.HasPrefix(call, strings.TrimSuffix(pattern, "*")) {
			reply(rw, r)
			return
		}
	}
	w.serve(rw, r)
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	isIMDS := strings.HasPrefix(r.URL.Path, "/latest/")
	if isIMDS && r.Method == "GET" && r.Header.Get("X-aws-ec2-metadata-token") != "TOKEN==" {
		rw.WriteHeader(http.StatusUnauthorized)
		return
	}
	switch path := r.URL.Path; {
	case r.Method == "PUT" && path == tokenPath:
		rw.Header().Set(ttlHeader, r.Header.Get(ttlHeader))
		fmt.Fprint(rw, "TOKEN==")
	case path == instanceIDPath:
		fmt.Fprint(rw, testInstance)
	case path == "/latest/meta-data/placement/region":
		fmt.Fprint(rw, testRegion)
	case path == "/latest/dynamic/instance-identity/document":
		fmt.Fprintf(rw, `{"accountId":"123456789012","instanceId":%q,"instanceType":"t3.medium","region":%q,"version":"2017-09-30"}`, testInstance, testRegion)
	case path == "/latest/"+rolePath:
		fmt.Fprint(rw, testRole)
	case path == "/latest/"+rolePath+testRole:
		fmt.Fprint(rw, credentialsUntil(w.now.Add(6*time.Hour)))
	case path == "/foundation-models":
		models(rw)
	case path == "/inference-profiles":
		profiles(rw)
	case strings.HasPrefix(path, "/foundation-model-availability/"):
		fmt.Fprint(rw, `{"modelId":"x","agreementAvailability":{"status":"AVAILABLE"},"authorizationStatus":"AUTHORIZED","entitlementAvailability":"AVAILABLE","regionAvailability":"AVAILABLE"}`)
	case path == "/sts":
		fmt.Fprintf(rw, `{"Account":"123456789012","ARN":"arn:aws:sts::123456789012:assumed-role/%s/%s"}`, testRole, testInstance)
	case strings.HasSuffix(path, "/converse-stream"):
		events(rw, "messageStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata")
	case strings.HasSuffix(path, "/converse"):
		fmt.Fprint(rw, `{"output":{"message":{"role":"assistant","content":[{"text":"p"}]}},"stopReason":"max_tokens","usage":{"inputTokens":8,"outputTokens":1,"totalTokens":9},"metrics":{"latencyMs":1}}`)
	default:
		http.NotFound(rw, r)
	}
}

// events writes an event stream.
func events(rw http.ResponseWriter, kinds ...string) {
	payloads := map[string]string{
		"messageStart": `{"role":"assistant"}`, "contentBlockDelta": `{"contentBlockIndex":0,"delta":{"text":"p"}}`,
		"contentBlockStop": `{"contentBlockIndex":0}`, "messageStop": `{"stopReason":"max_tokens"}`,
		"metadata": `{"usage":{"inputTokens":8,"outputTokens":1,"totalTokens":9},"metrics":{"latencyMs":1}}`,
	}
	rw.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	rw.Header().Set("X-Amzn-RequestId", "6f1d3c9e-0000-4000-8000-000000000002")
	for _, kind := range kinds {
		m := eventstream.Message{Payload: []byte(payloads[kind])}
		m.Headers.Set(":message-type", eventstream.StringValue("event"))
		m.Headers.Set(":event-type", eventstream.StringValue(kind))
		m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
		eventstream.NewEncoder().Encode(rw, m)
	}
}

func credentialsUntil(end time.Time) string {
	return fmt.Sprintf(`{"Code":"Success","LastUpdated":"2026-11-22T03:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIAEXAMPLEEXAMPLE01","SecretAccessKey":"very-secret","Token":"also-secret","Expiration":%q}`,
		end.Format(time.RFC3339))
}

// dumb is the one model that does not stream.
const dumb = "amazon.titan-tg1-large"

var catalogue = []struct {
	id        string
	onDemand  bool
	profiles  []string
	endOfLife string
}{
	{"anthropic.claude-sonnet-4-6", false, []string{"global", "jp"}, ""},
	{"anthropic.claude-sonnet-5", false, []string{"global", "jp"}, ""},
	{"anthropic.claude-haiku-4-5-20251001-v1:0", false, []string{"jp"}, ""},
	{"anthropic.claude-old-1", true, nil, "2026-11-01T00:00:00Z"},
	{"amazon.nova-lite-v1:0", true, []string{"apac"}, ""},
	{dumb, true, nil, ""},
}

func models(rw http.ResponseWriter) {
	var list []map[string]any
	for _, m := range catalogue {
		inference, lifecycle := "INFERENCE_PROFILE", map[string]string{"status": "ACTIVE"}
		if m.onDemand {
			inference = "ON_DEMAND"
		}
		if m.endOfLife != "" {
			lifecycle = map[string]string{"status": "LEGACY", "endOfLifeTime": m.endOfLife}
		}
		list = append(list, map[string]any{"modelId": m.id, "inferenceTypesSupported": []string{inference}, "modelLifecycle": lifecycle,
			"responseStreamingSupported": m.id != dumb})
	}
	json.NewEncoder(rw).Encode(map[string]any{"modelSummaries": list})
}

func profiles(rw http.ResponseWriter) {
	var list []map[string]any
	for _, m := range catalogue {
		for _, area := range m.profiles {
			list = append(list, map[string]any{
				"inferenceProfileId": area + "." + m.id,
				"models":             []map[string]string{{"modelArn": "arn:aws:bedrock:ap-northeast-1::foundation-model/" + m.id}},
			})
		}
	}
	json.NewEncoder(rw).Encode(map[string]any{"inferenceProfileSummaries": list})
}

// Replies that break something.

func status(code int) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(code) }
}

func body(s string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, s) }
}

func page(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("X-Amzn-RequestId", "6f1d3c9e-0000-4000-8000-000000000003")
	fmt.Fprint(rw, "<!DOCTYPE html><html><body>log in</body></html>")
}

func hang(_ http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body) // or else the server does not see the client go
	<-r.Context().Done()
}

func cut(rw http.ResponseWriter, _ *http.Request) {
	rw.Header().Set("Content-Length", "1000")
	fmt.Fprint(rw, "beginning")
	rw.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func drop(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func awsError(status int, code, text string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("X-Amzn-ErrorType", code)
		rw.Header().Set("X-Amzn-RequestId", "6f1d3c9e-0000-4000-8000-000000000001")
		rw.WriteHeader(status)
		fmt.Fprintf(rw, `{"message":%q}`, text)
	}
}

// An apiError has the methods of an AWS client's errors.
type apiError struct {
	code, text string
	status     int
}

func (e apiError) Error() string        { return e.code + ": " + e.text }
func (e apiError) ErrorCode() string    { return e.code }
func (e apiError) ErrorMessage() string { return e.text }
func (e apiError) HTTPStatusCode() int  { return e.status }

func stsError(code, text string) func(context.Context) (Identity, error) {
	return func(context.Context) (Identity, error) { return Identity{}, apiError{code, text, 403} }
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// host starts the world and returns the view of it that doctor gets.
func (w *world) host(t *testing.T) Host {
	l := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: w}
	go server.Serve(l)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		switch host, _, _ := net.SplitHostPort(addr); {
		case w.unnamed != "" && strings.Contains(host, w.unnamed):
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		case w.routeless != "" && strings.Contains(host, w.routeless):
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ENETUNREACH}
		case w.dropped != "" && strings.Contains(host, w.dropped):
			<-l.closed // net/http goes on dialling when the request has ended
			return nil, net.ErrClosed
		}
		return l.dial(ctx, network, addr)
	}}}
	t.Cleanup(func() { server.Close() })
	if w.endpoint == "" {
		w.endpoint = "http://metadata.test/"
	}
	var environ []string
	for name, value := range w.env {
		environ = append(environ, name+"="+value)
	}
	return Host{
		Getenv:  func(name string) string { return w.env[name] },
		Environ: environ,
		ReadFile: func(path string) ([]byte, error) {
			if text, ok := w.files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		},
		Dir: "/app", Home: "/home/app",
		IMDS: w.endpoint,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if w.refuse || w.refused != "" && strings.Contains(addr, w.refused) {
				return nil, &net.OpError{Op: "dial", Err: errors.New("no route to host")}
			}
			return l.dial(ctx, network, addr)
		},
		Now:       func() time.Time { return w.now.Add(w.skew) },
		AWS:       func(_ context.Context, c Caller) (Services, error) { return w.services(c, client) },
		Model:     w.model,
		Processes: w.processes,
	}
}

// services are AWS for a caller who must have the role's credentials, unless
// others are set.
func (w *world) services(c Caller, client *http.Client) (Services, error) {
	keys := aws.Credentials{AccessKeyID: w.env["AWS_ACCESS_KEY_ID"], SecretAccessKey: "very-secret", SessionToken: "also-secret"}
	if keys.AccessKeyID == "" && c.Role != nil {
		keys.AccessKeyID = c.Role.AccessKeyID
	}
	if w.noServices != nil {
		return Services{}, w.noServices
	}
	if keys.AccessKeyID == "" && w.files["/home/app/.aws/credentials"] == "" {
		return Services{}, errors.New("no credentials")
	}
	return Services{
		Identity: func(ctx context.Context) (Identity, error) { return w.identity(ctx, client) },
		Bedrock: bedrock.New(bedrock.Config{
			Region: c.Region, ControlEndpoint: "http://bedrock-control.test", RuntimeEndpoint: "http://bedrock-runtime.test", HTTPClient: client, Attempts: 1,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return keys, nil }),
		}),
	}, nil
}

// identity asks STS over the wire, where a test does not say what it answers.
func (w *world) identity(ctx context.Context, client *http.Client) (id Identity, err error) {
	if w.sts != nil {
		return w.sts(ctx)
	}
	req, err := http.NewRequestWithContext(ctx, "POST", "http://sts.test/sts", nil)
	if err != nil {
		return id, err
	}
	res, err := client.Do(req)
	if err != nil {
		return id, err
	}
	defer res.Body.Close()
	return id, json.NewDecoder(res.Body).Decode(&id)
}

// memory is a listener whose connections are pipes.
type memory struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case m.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

func (m *memory) Addr() net.Addr { return &net.TCPAddr{} }
