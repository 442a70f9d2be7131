package sandbox

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"tegata/awsfake/wire"
	"tegata/imds"
)

// A running scenario, and clients for both of its sides.
type running struct {
	Scenario
	imds    *imds.Client
	aws     string // base URL
	sandbox *Sandbox
}

func runScenario(t *testing.T, s Scenario) running {
	t.Helper()
	l := Listeners{IMDS: []net.Listener{listenOn(t, "127.0.0.1:0")}, AWS: listenOn(t, "127.0.0.1:0")}
	b, err := s.Start(l)
	if err != nil {
		t.Fatal(err)
	}
	c := &imds.Client{Endpoint: "http://" + l.IMDS[0].Addr().String()}
	t.Cleanup(func() {
		c.Close()
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return running{s, c, "http://" + l.AWS.Addr().String(), b}
}

func runFault(t *testing.T, fault string) running {
	t.Helper()
	s := Default()
	if err := s.Apply(fault); err != nil {
		t.Fatal(err)
	}
	return runScenario(t, s)
}

func listenOn(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// Retrieve makes the credentials of the instance those of an SDK client.
func (r running) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := r.imds.Credentials(ctx)
	if errors.Is(err, imds.ErrExpired) {
		err = nil // SDKs use them
	}
	return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey.Reveal(), SessionToken: c.Token.Reveal()}, err
}

func (r running) identity(ctx context.Context) (*sts.GetCallerIdentityOutput, error) {
	client := sts.New(sts.Options{Region: r.Instance.Region, BaseEndpoint: &r.aws, Credentials: r, Retryer: aws.NopRetryer{}})
	return client.GetCallerIdentity(ctx, nil)
}

func (r running) converse(ctx context.Context) (string, error) {
	client := bedrockruntime.New(bedrockruntime.Options{Region: r.Instance.Region, BaseEndpoint: &r.aws, Credentials: r, Retryer: aws.NopRetryer{}})
	out, err := client.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId:  r.Environment["BEDROCK_MODEL_ID"],
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}}},
	})
	if err != nil {
		return "", err
	}
	return out.Output.(*types.ConverseOutputMemberMessage).Value.Content[0].(*types.ContentBlockMemberText).Value, nil
}

// call signs by hand for the services whose SDK clients are not among our
// modules. An empty body makes it a GET. It fails unless the answer is 200.
func (r running) call(ctx context.Context, service, path, target, body string) (string, error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.aws+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if target != "" {
		req.Header.Set("Content-Type", "application/x-amz-json-1.1")
		req.Header.Set("X-Amz-Target", target)
	}
	c, err := r.Retrieve(ctx)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(body))
	if err := v4.NewSigner().SignHTTP(ctx, c, req, hex.EncodeToString(sum[:]), service, r.Instance.Region, time.Now()); err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return string(answer), err
}

func TestWholeChain(t *testing.T) {
	r := runScenario(t, Default())
	if region, err := r.imds.Region(t.Context()); err != nil || region != "ap-northeast-1" {
		t.Errorf("region is %q, %v", region, err)
	}
	out, err := r.identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *out.Arn, "arn:aws:sts::123456789012:assumed-role/bedrock-ui-ec2-role/i-0a1b2c3d4e5f60718"; got != want {
		t.Errorf("identity is %s, want %s", got, want)
	}
	if id := *out.UserId; !strings.HasPrefix(id, "AROA") || !strings.HasSuffix(id, ":i-0a1b2c3d4e5f60718") || len(id) != 21+1+19 {
		t.Errorf("user id is %s", id)
	}
	if answer, err := r.converse(t.Context()); err != nil || answer == "" {
		t.Errorf("the model answers %q, %v", answer, err)
	}
	for _, c := range []struct{ service, path, target, body, want string }{
		{"ssm", "/", "AmazonSSM.GetParameter", `{"Name":"/bedrock-ui/system-prompt"}`, "You are a helpful assistant."},
		{"bedrock", "/foundation-models", "", "", "anthropic.claude-sonnet-4-6"},
		{"bedrock", "/foundation-models/anthropic.claude-sonnet-4-6", "", "", "INFERENCE_PROFILE"},
		{"bedrock", "/foundation-model-availability/anthropic.claude-sonnet-4-6", "", "", "AUTHORIZED"},
		{"bedrock", "/inference-profiles", "", "", "jp.anthropic.claude-sonnet-4-6"},
	} {
		if got, err := r.call(t.Context(), c.service, c.path, c.target, c.body); err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s %s: got %s, %v; want …%s…", c.service, c.path+c.target, got, err, c.want)
		}
	}
}

func TestGlobalProfile(t *testing.T) {
	r := runScenario(t, parse(t, "environment: {BEDROCK_MODEL_ID: global.anthropic.claude-sonnet-4-6}"))
	if answer, err := r.converse(t.Context()); err != nil || answer == "" {
		t.Errorf("the model answers %q, %v", answer, err)
	}
}

func TestIdentityFollowsTheScenario(t *testing.T) {
	r := runScenario(t, parse(t, `
instance: {id: i-12345678, region: eu-west-1, account: "000000000042"}
role: {name: other-role}
`))
	out, err := r.identity(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := *out.Arn, "arn:aws:sts::000000000042:assumed-role/other-role/i-12345678"; got != want {
		t.Errorf("identity is %s, want %s", got, want)
	}
}

func TestPartition(t *testing.T) {
	for region, want := range map[string]string{"eu-west-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		if got := wire.Partition(region); got != want {
			t.Errorf("partition of %s is %s, want %s", region, got, want)
		}
	}
}

func TestPoliciesDecide(t *testing.T) {
	r := runScenario(t, parse(t, "role: {policies: {bedrock-ui-invoke: null}}"))
	_, err := r.converse(t.Context())
	wantCode(t, err, "AccessDeniedException", "bedrock:InvokeModel")
}

func TestFaultsBreakTheirLink(t *testing.T) {
	t.Run("imds-disabled", func(t *testing.T) {
		_, err := runFault(t, "imds-disabled").imds.InstanceID(t.Context())
		wantError(t, err, imds.ErrDisabled)
	})
	t.Run("hop-limit", func(t *testing.T) {
		r := runFault(t, "hop-limit")
		_, err := r.imds.InstanceID(t.Context())
		wantError(t, err, imds.ErrHopLimit)
	})
	t.Run("no-role", func(t *testing.T) {
		_, err := runFault(t, "no-role").imds.Role(t.Context())
		wantError(t, err, imds.ErrAbsent)
	})
	t.Run("role-trust", func(t *testing.T) {
		r := runFault(t, "role-trust")
		if role, err := r.imds.Role(t.Context()); err != nil || role != "bedrock-ui-ec2-role" {
			t.Errorf("role is %q, %v", role, err)
		}
		_, err := r.imds.Credentials(t.Context())
		wantError(t, err, imds.ErrCredentials)
		var ie *imds.Error
		if errors.As(err, &ie) && ie.Code != "AssumeRoleUnauthorizedAccess" {
			t.Errorf("code is %q", ie.Code)
		}
	})
	t.Run("expired-credentials", func(t *testing.T) {
		r := runFault(t, "expired-credentials")
		c, err := r.imds.Credentials(t.Context())
		wantError(t, err, imds.ErrExpired)
		if c.Expiration.After(time.Now()) {
			t.Errorf("credentials end %v, %v; want a time in the past", c.Expiration, err)
		}
		_, err = r.identity(t.Context())
		wantCode(t, err, "ExpiredToken", "expired")
	})
	t.Run("model-access", func(t *testing.T) {
		_, err := runFault(t, "model-access").converse(t.Context())
		wantCode(t, err, "AccessDeniedException", "have access to the model")
	})
	t.Run("model-profile", func(t *testing.T) {
		_, err := runFault(t, "model-profile").converse(t.Context())
		wantCode(t, err, "ValidationException", "on-demand throughput")
	})
	t.Run("model-eol", func(t *testing.T) {
		_, err := runFault(t, "model-eol").converse(t.Context())
		wantCode(t, err, "ResourceNotFoundException", "end of its life")
	})
}

func TestClockSkew(t *testing.T) {
	for skew, want := range map[string]string{"20m": "expired", "-20m": "not yet current"} {
		_, err := runScenario(t, parse(t, "clock_skew: "+skew)).identity(t.Context())
		wantCode(t, err, "SignatureDoesNotMatch", want)
	}
}

func TestRepliesReachBothSides(t *testing.T) {
	r := runScenario(t, parse(t, `
replies:
  - match: {service: imds, path: /latest/meta-data/ami-id}
    reply: {body: other}
  - match: {service: sts}
    reply: {status: 418, code: Teapot, message: short and stout}
`))
	if got, err := r.imds.Get(t.Context(), "meta-data/ami-id"); err != nil || got != "other" {
		t.Errorf("ami-id is %q, %v", got, err)
	}
	_, err := r.identity(t.Context())
	wantCode(t, err, "Teapot", "short and stout")
}

func TestListenRefuse(t *testing.T) {
	_, err := runScenario(t, parse(t, "imds: {listen: refuse}")).imds.InstanceID(t.Context())
	wantError(t, err, imds.ErrNotDetected)
}

func TestIPv6Off(t *testing.T) {
	l6, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here: ", err)
	}
	s := parse(t, "imds: {ipv6: false}")
	b, err := s.Start(Listeners{IMDS: []net.Listener{l6}, AWS: listenOn(t, "127.0.0.1:0")})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if c, err := net.Dial("tcp", l6.Addr().String()); err == nil {
		c.Close()
		t.Error("answers over IPv6")
	}
}

func TestCloseEndsCallsThatHang(t *testing.T) {
	l := Listeners{IMDS: []net.Listener{listenOn(t, "127.0.0.1:0")}, AWS: listenOn(t, "127.0.0.1:0")}
	b, err := parse(t, "replies: [{reply: {hang: true}}]").Start(l)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, one := range []net.Listener{l.IMDS[0], l.AWS} {
		c, err := net.Dial("tcp", one.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		go func() {
			_, err := c.Read(make([]byte, 1))
			ended <- err
		}()
	}
	select {
	case err := <-ended:
		t.Errorf("a call ended with %v before Close", err)
	case <-time.After(50 * time.Millisecond):
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("a call that hung was answered")
		}
	}
}

func TestCloseFreesListeners(t *testing.T) {
	l := Listeners{IMDS: []net.Listener{listenOn(t, "127.0.0.1:0")}, AWS: listenOn(t, "127.0.0.1:0")}
	b, err := Default().Start(l)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	wantClosed(t, l)
}

func TestStartClosesListenersOfAnInvalidScenario(t *testing.T) {
	s := Default()
	s.IMDS.HopLimit = 0
	l := Listeners{IMDS: []net.Listener{listenOn(t, "127.0.0.1:0")}, AWS: listenOn(t, "127.0.0.1:0")}
	if _, err := s.Start(l); err == nil || !strings.Contains(err.Error(), "imds.hop_limit: 0 is not within 1 to 64") {
		t.Errorf("Start returns %v", err)
	}
	wantClosed(t, l)
}

func wantClosed(t *testing.T, l Listeners) {
	t.Helper()
	for _, one := range append(l.IMDS, l.AWS) {
		if c, err := net.Dial("tcp", one.Addr().String()); err == nil {
			c.Close()
			t.Errorf("%s still accepts connections", one.Addr())
		}
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error is %v, want %v", err, want)
	}
}

func wantCode(t *testing.T, err error, code, text string) {
	t.Helper()
	var ae smithy.APIError
	if !errors.As(err, &ae) || ae.ErrorCode() != code || !strings.Contains(ae.ErrorMessage(), text) {
		t.Errorf("error is %v, want %s: …%s…", err, code, text)
	}
}
