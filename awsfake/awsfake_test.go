package awsfake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"tegata/awsfake/ssm"
	"tegata/awsfake/wire"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

const (
	account   = "123456789012"
	callerARN = "arn:aws:sts::123456789012:assumed-role/app/i-0abc"
	haiku     = "anthropic.claude-haiku-4-5-20251001-v1:0"
)

// key is the credential that a test's clients sign with.
var key = aws.Credentials{AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "secret/+example", SessionToken: "token=="}

// A box is a running server with what it knows of its one key.
type box struct {
	*httptest.Server
	region     string
	credential Credential
}

const allowAll = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// start runs a server in ap-northeast-1 with the default catalogue. Changes
// to the credential count from the next call on.
func start(t *testing.T, change func(*Options)) *box {
	t.Helper()
	const region = "ap-northeast-1"
	b := &box{region: region, credential: Credential{
		SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken,
		Expires: time.Now().Add(time.Hour),
		Caller: wire.Caller{
			ARN: callerARN, UserID: "AROAEXAMPLE:i-0abc", Role: "app",
			Principal: "arn:aws:iam::123456789012:role/app", Policies: policies(t, allowAll),
		},
	}}
	o := Options{
		Account: account, Region: region,
		Credentials: func(id string) (Credential, bool) { return b.credential, id == key.AccessKeyID },
		FirstByte:   time.Millisecond, // unless the SDK is the client
	}
	if change != nil {
		change(&o)
	}
	b.Server = httptest.NewServer(New(o))
	t.Cleanup(b.Close)
	return b
}

func policies(t *testing.T, documents ...string) policy.Layers {
	t.Helper()
	var all policy.Layers
	for _, text := range documents {
		d, err := policy.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all.Identity = append(all.Identity, policy.Named{Document: d})
	}
	return all
}

func replies(t *testing.T, rules ...fault.Rule) *fault.Set {
	t.Helper()
	set, err := fault.New(rules)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// sdkPause is the default pause, for tests in which the SDK is the client.
func sdkPause(o *Options) { o.FirstByte = 0 }

func (b *box) runtime(t *testing.T, region string) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region: region, BaseEndpoint: &b.URL, RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: key},
	})
}

func (b *box) sts() *sts.Client {
	return sts.New(sts.Options{
		Region: b.region, BaseEndpoint: &b.URL, RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: key},
	})
}

// An exchange is a request and its answer, for what no SDK client here does.
type exchange struct {
	service, method, path, body string
	host                        string // "" means the box's own
	header                      map[string]string
	region                      string              // "" means the box's own
	at                          time.Time           // of signing; zero means now
	key                         aws.Credentials     // zero means the test's key
	tamper                      func(*http.Request) // after signing
	unsigned                    bool
}

type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		t.Fatalf("%v in %q", err, r.body)
	}
	return v
}

func (b *box) do(t *testing.T, e exchange) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), e.method, b.URL+e.path, strings.NewReader(e.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Host = e.host
	for name, value := range e.header {
		r.Header.Set(name, value)
	}
	if !e.unsigned {
		b.sign(t, e, r)
	}
	if e.tamper != nil {
		e.tamper(r)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(body)}
}

func (b *box) sign(t *testing.T, e exchange, r *http.Request) {
	t.Helper()
	if e.region == "" {
		e.region = b.region
	}
	if e.at.IsZero() {
		e.at = time.Now()
	}
	if e.key.AccessKeyID == "" {
		e.key = key
	}
	hash := sha256.Sum256([]byte(e.body))
	err := v4.NewSigner().SignHTTP(context.Background(), e.key, r, hex.EncodeToString(hash[:]), e.service, e.region, e.at)
	if err != nil {
		t.Fatal(err)
	}
}

var (
	whoAmI = exchange{
		service: "sts", method: "POST", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15",
		header: map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"},
	}
	listModels = exchange{service: "bedrock", method: "GET", path: "/foundation-models"}
)

func getParameter(body string) exchange {
	return exchange{service: "ssm", method: "POST", path: "/", body: body, header: map[string]string{
		"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.GetParameter",
	}}
}

func TestGetCallerIdentity(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	b.credential.Caller.Policies = policies(t, `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)
	got, err := b.sts().GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if *got.Arn != callerARN || *got.Account != account || *got.UserId != "AROAEXAMPLE:i-0abc" {
		t.Errorf("got %s, %s, %s", *got.Arn, *got.Account, *got.UserId)
	}
}

func TestRequestIDs(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	seen := map[string]bool{}
	for _, e := range []exchange{whoAmI, listModels, {service: "bedrock", method: "GET", path: "/nowhere"}} {
		id := b.do(t, e).header.Get("x-amzn-RequestId")
		if len(id) != 36 || seen[id] {
			t.Errorf("request id %q", id)
		}
		seen[id] = true
	}
}

func TestUnknownOperations(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	form := map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
	for _, tt := range []struct {
		name   string
		in     exchange
		status int
		code   string
	}{
		{"path", exchange{service: "bedrock", method: "GET", path: "/nowhere"}, 404, "UnknownOperationException"},
		{"method", exchange{service: "bedrock", method: "DELETE", path: "/foundation-models"}, 404, "UnknownOperationException"},
		{"not offered", exchange{service: "bedrock", method: "POST", path: "/model/" + haiku + "/async-invoke", body: "{}"}, 404, "UnknownOperationException"},
		{"ARN with a bare slash", exchange{service: "bedrock", method: "POST", path: "/model/arn:aws:x/y/converse", body: "{}"}, 404, "UnknownOperationException"},
		{"target", exchange{service: "ssm", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": "AmazonSSM.StartSession"}}, 400, "UnknownOperationException"},
		{"another service", exchange{service: "dynamodb", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": "DynamoDB_20120810.ListTables"}}, 400, "UnknownOperationException"},
		{"action", exchange{service: "sts", method: "POST", path: "/", body: "Action=GetFederationToken&Version=2011-06-15", header: form}, 400, "<Code>InvalidAction</Code>"},
		{"no action", exchange{service: "sts", method: "POST", path: "/", body: "Version=2011-06-15", header: form}, 400, "<Code>MissingAction</Code>"},
		{"no version", exchange{service: "sts", method: "POST", path: "/", body: "Action=GetCallerIdentity", header: form}, 400, "NO_VERSION_SPECIFIED"},
		{"RPC", exchange{service: "monitoring", method: "POST", path: "/service/" + granite + "/operation/PutDashboard", header: map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}}, 400, "UnknownOperationException"},
		{"RPC of another service", exchange{service: "x", method: "POST", path: "/service/X/operation/Y", header: map[string]string{"Smithy-Protocol": "rpc-v2-cbor"}}, 400, "UnknownOperationException"},
		{"S3", exchange{service: "s3", method: "GET", path: "/"}, 404, "<Error><Code>UnknownOperationException</Code><Message>The requested"},
		{"action of another service", exchange{service: "ec2", method: "POST", path: "/", body: "Action=RunInstances&Version=2016-11-15", header: form}, 400, "<Code>InvalidAction</Code>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := b.do(t, tt.in)
			if got.status != tt.status || !strings.Contains(got.header.Get("X-Amzn-ErrorType")+got.body, tt.code) {
				t.Errorf("got %d %v %s, want %d %s", got.status, got.header, got.body, tt.status, tt.code)
			}
		})
	}
}

func TestGetParameter(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) {
		o.Parameters = map[string]ssm.Seed{
			"/app/url":    {Value: "https://例.jp", Version: 3},
			"plain":       {Value: "x"},
			"/app/secret": {Value: "hidden", Type: "SecureString"},
			"/app/locked": {Value: "hidden", Type: "SecureString", KeyID: "1234"},
		}
	})
	for _, tt := range []struct {
		name, body, policy string
		status             int
		want               string
	}{
		{"string", `{"Name":"/app/url"}`, allowAll, 200, `"Value":"https://例.jp","Version":3`},
		{"name, ARN and type", `{"Name":"plain"}`, allowAll, 200, `{"ARN":"arn:aws:ssm:ap-northeast-1:123456789012:parameter/plain","DataType":"text","LastModifiedDate":1767225600,"Name":"plain","Type":"String"`},
		{"one slash in the ARN", `{"Name":"/app/url"}`, allowAll, 200, `:parameter/app/url"`},
		{"by ARN", `{"Name":"arn:aws:ssm:ap-northeast-1:123456789012:parameter/app/url"}`, allowAll, 200, `"Name":"/app/url"`},
		{"by ARN, without a slash", `{"Name":"arn:aws:ssm:ap-northeast-1:123456789012:parameter/plain"}`, allowAll, 200, `"Name":"plain"`},
		{"by version", `{"Name":"/app/url:3"}`, allowAll, 200, `"Selector":":3"`},
		{"another version", `{"Name":"/app/url:2"}`, allowAll, 400, `"__type":"ParameterVersionNotFound"`},
		{"secret", `{"Name":"/app/secret","WithDecryption":true}`, allowAll, 200, `"Value":"hidden"`},
		{"secret with AWS's key needs no KMS right", `{"Name":"/app/secret","WithDecryption":true}`,
			`{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*"}}`, 200, `"Value":"hidden"`},
		{"secret with a key of one's own", `{"Name":"/app/locked","WithDecryption":true}`,
			`{"Statement":[{"Effect":"Allow","Action":"ssm:*","Resource":"*"},{"Effect":"Allow","Action":"kms:Decrypt","Resource":"arn:aws:kms:*:*:key/1234"}]}`, 200, `"Value":"hidden"`},
		{"the same without the right", `{"Name":"/app/locked","WithDecryption":true}`,
			`{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*"}}`, 400, "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access."},
		{"the same without decryption", `{"Name":"/app/locked"}`,
			`{"Statement":{"Effect":"Allow","Action":"ssm:*","Resource":"*"}}`, 200, `"Type":"SecureString"`},
		{"missing", `{"Name":"/app/none"}`, allowAll, 400, `{"__type":"ParameterNotFound"}`},
		{"no leading slash", `{"Name":"app/url"}`, allowAll, 400, `Parameter name: can't be prefixed with \"ssm\"`},
		{"no name", `{}`, allowAll, 400, `"__type":"ValidationException"`},
		{"no JSON", `{`, allowAll, 400, `{"__type":"SerializationException"}`},
		{"only GetParameters", `{"Name":"/app/url"}`, `{"Statement":{"Effect":"Allow","Action":"ssm:GetParameters","Resource":"*"}}`, 400,
			`{"Message":"User: ` + callerARN + ` is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:ap-northeast-1:123456789012:parameter/app/url because no identity-based policy allows the ssm:GetParameter action","__type":"AccessDeniedException"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b.credential.Caller.Policies = policies(t, tt.policy)
			got := b.do(t, getParameter(tt.body))
			if got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.want)
			}
			if strings.Contains(got.body, "hidden") && !strings.Contains(tt.want, "hidden") {
				t.Errorf("the value is given away: %s", got.body)
			}
		})
	}
	t.Run("in another region", func(t *testing.T) {
		b.credential.Caller.Policies = policies(t, allowAll)
		e := getParameter(`{"Name":"/app/url"}`)
		e.region = "us-east-1"
		if got := b.do(t, e); !strings.Contains(got.body, "ParameterNotFound") {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

func TestReplies(t *testing.T) {
	t.Parallel()
	truncated := 40
	b := start(t, func(o *Options) {
		o.Replies = replies(t,
			fault.Rule{Match: fault.Match{Service: "sts", Operation: "GetCallerIdentity"}, Reply: fault.Reply{Status: 403, Code: "ExpiredToken", Message: "over"}},
			fault.Rule{Match: fault.Match{Service: "ssm"}, Reply: fault.Reply{Code: "ThrottlingException", Message: "slow down"}},
			fault.Rule{Match: fault.Match{Service: "bedrock-runtime", Model: "jp.anthropic.*", Times: 1}, Reply: fault.Reply{Status: 429, Code: "ThrottlingException", Message: "Too many tokens, please wait before trying again."}},
			fault.Rule{Match: fault.Match{Path: "/foundation-models", Times: 1}, Reply: fault.Reply{Status: 503}},
			fault.Rule{Match: fault.Match{Operation: "ListFoundationModels"}, Reply: fault.Reply{Truncate: &truncated}},
		)
	})
	converse := exchange{service: "bedrock", method: "POST", path: "/model/jp." + haiku + "/converse", body: hello}
	arn := converse
	arn.path = "/model/arn%3Aaws%3Abedrock%3Aap-northeast-1%3A123456789012%3Ainference-profile%2Fjp." + haiku + "/converse"
	for _, tt := range []struct {
		name   string
		in     exchange
		status int
		want   string
	}{
		{"XML", whoAmI, 403, "<Type>Sender</Type><Code>ExpiredToken</Code><Message>over</Message>"},
		{"JSON with __type", getParameter(`{}`), 400, `{"__type":"ThrottlingException","message":"slow down"}`},
		{"REST, by model in an ARN", arn, 429, `{"message":"Too many tokens, please wait before trying again."}`},
		{"once only", converse, 200, "stand-in"},
		{"a bare status", listModels, 503, `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := b.do(t, tt.in); got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.status, tt.want)
			}
		})
	}
	t.Run("truncated", func(t *testing.T) {
		r, _ := http.NewRequest("GET", b.URL+"/foundation-models", nil)
		b.sign(t, listModels, r)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != io.ErrUnexpectedEOF || len(body) != truncated {
			t.Errorf("got %d bytes and %v", len(body), err)
		}
	})
}

func TestBodyLimit(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	New(Options{}).ServeHTTP(w, httptest.NewRequest("POST", "/model/x/converse", bytes.NewReader(make([]byte, maxBody+1))))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
