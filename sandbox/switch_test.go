package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

func TestSwitchable(t *testing.T) {
	var names []string
	for _, f := range Switchable() {
		names = append(names, f.Name)
	}
	for _, f := range Faults() {
		if f.Demo && !slices.Contains(names, f.Name) {
			t.Errorf("a page can't switch %s", f.Name)
		}
	}
	for _, name := range []string{"region-cut", "user-keys", "not-on-ec2", "registry-not-logged-in"} {
		if slices.Contains(names, name) {
			t.Errorf("%s changes what a command finds when it starts", name)
		}
	}
	Switchable()[0].Name = "changed"
	if Switchable()[0].Name != names[0] {
		t.Error("the list belongs to whoever asked for it first")
	}
}

// Each fault breaks what worked before, and what it broke works again after.
func TestSwitch(t *testing.T) {
	t.Parallel()
	converse := func(ctx context.Context, r running) error { _, err := r.converse(ctx); return err }
	role := func(ctx context.Context, r running) error { _, err := r.imds.Role(ctx); return err }
	credentials := func(ctx context.Context, r running) error { _, err := r.imds.Credentials(ctx); return err }
	token := func(ctx context.Context, r running) error {
		fresh := &imds.Client{Endpoint: r.imds.Endpoint}
		defer fresh.Close()
		_, err := fresh.InstanceID(ctx)
		return err
	}
	for _, tt := range []struct {
		fault string
		ask   func(context.Context, running) error
		want  string // in the error
	}{
		{"model-eol", converse, "end of its life"},
		{"model-access", converse, "have access to the model"},
		{"no-role", role, imds.ErrAbsent.Error()},
		{"role-trust", credentials, "AssumeRoleUnauthorizedAccess"},
		{"expired-credentials", converse, "expired"},
		{"imds-disabled", token, imds.ErrDisabled.Error()},
		{"hop-limit", token, imds.ErrHopLimit.Error()},
	} {
		t.Run(tt.fault, func(t *testing.T) {
			t.Parallel()
			r := runScenario(t, Default())
			for _, on := range []bool{false, true, false} {
				var faults []string
				if on {
					faults = []string{tt.fault}
				}
				if err := r.sandbox.Switch(faults...); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(faults, r.sandbox.Faults()); diff != "" {
					t.Error(diff)
				}
				err := tt.ask(t.Context(), r)
				if !on && err != nil {
					t.Errorf("without the fault: %v", err)
				}
				if on && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("with the fault: %v, want …%s…", err, tt.want)
				}
			}
		})
	}
}

// A client that never pauses sees one truth or the other, and the new one as
// soon as the switch is thrown.
func TestSwitchUnderLoad(t *testing.T) {
	t.Parallel()
	r := runScenario(t, Default())
	held := hold(t, r)
	var thrown atomic.Int64 // odd while the switch moves, then even; the fault is on at 2, 6, 10, …
	var load sync.WaitGroup
	var stop atomic.Bool
	defer load.Wait()
	defer stop.Store(true)
	for range 4 {
		load.Go(func() {
			for !stop.Load() {
				before := thrown.Load()
				err := held.converse(t.Context(), r)
				if thrown.Load() != before || before%2 == 1 {
					continue // either is right
				}
				if err := plausible(err, before%4 == 2); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 10 {
		for _, faults := range [][]string{{"model-eol", "hop-limit"}, nil} {
			thrown.Add(1)
			if err := r.sandbox.Switch(faults...); err != nil {
				t.Fatal(err)
			}
			thrown.Add(1)
			if err := held.converse(t.Context(), r); plausible(err, faults != nil) != nil {
				t.Errorf("after Switch(%v): %v", faults, err)
			}
		}
	}
}

// plausible returns an error if err is not what a call gets.
func plausible(err error, broken bool) error {
	api, isAPI := errors.AsType[smithy.APIError](err)
	switch {
	case !broken && err != nil:
		return fmt.Errorf("without the fault: %w", err)
	case broken && (!isAPI || api.ErrorCode() != "ResourceNotFoundException"):
		return fmt.Errorf("with the fault: %v", err)
	}
	return nil
}

func TestSwitchLeavesCredentials(t *testing.T) {
	t.Parallel()
	r := runScenario(t, Default())
	held := hold(t, r)
	for _, faults := range [][]string{{"no-role"}, {"expired-credentials"}, {"role-trust", "imds-disabled"}, nil} {
		if err := r.sandbox.Switch(faults...); err != nil {
			t.Fatal(err)
		}
		if err := held.converse(t.Context(), r); err != nil {
			t.Errorf("%v: what was handed out before is refused: %v", faults, err)
		}
	}
	after, err := r.imds.Credentials(t.Context())
	if err != nil || after.AccessKeyID != held.AccessKeyID {
		t.Errorf("the role that is back has the key %s, %v; want %s", after.AccessKeyID, err, held.AccessKeyID)
	}
}

// heldCredentials are those that the instance handed out once.
type heldCredentials aws.Credentials

func hold(t *testing.T, r running) heldCredentials {
	t.Helper()
	c, err := r.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return heldCredentials(c)
}

func (h heldCredentials) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials(h), nil
}

func (h heldCredentials) converse(ctx context.Context, r running) error {
	client := bedrockruntime.New(bedrockruntime.Options{Region: r.Instance.Region, BaseEndpoint: &r.aws, Credentials: h, Retryer: aws.NopRetryer{}})
	_, err := client.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: r.Environment["BEDROCK_MODEL_ID"], Messages: question("hello")})
	return err
}

func question(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func TestSwitchRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ fault, want string }{
		{"region-cut", `switch the fault "region-cut": it lies in what the command finds when it starts, not in what it meets`},
		{"region-unset", `switch the fault "region-unset": it lies`},
		{"model-profile", `switch the fault "model-profile": it lies`},
		{"norole", `unknown fault "norole" (did you mean "no-role"?)`},
	} {
		r := runScenario(t, Default())
		if err := r.sandbox.Switch("model-access"); err != nil {
			t.Fatal(err)
		}
		err := r.sandbox.Switch("no-role", tt.fault)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("Switch(%q) is %v, want %s", tt.fault, err, tt.want)
		}
		if diff := cmp.Diff([]string{"model-access"}, r.sandbox.Faults()); diff != "" {
			t.Errorf("after the refusal: %s", diff)
		}
		_, err = r.converse(t.Context())
		wantCode(t, err, "AccessDeniedException", "have access to the model")
	}
}

// What the scenario breaks itself stays broken, and its rules count on.
func TestSwitchLeavesTheScenario(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, `
imds: {tokens: optional}
replies:
  - match: {service: bedrock-runtime, times: 1}
    reply: {status: 503}
`))
	_, err := r.converse(t.Context())
	wantCode(t, err, "ServiceUnavailableException", "")
	for _, faults := range [][]string{{"hop-limit"}, nil} {
		if err := r.sandbox.Switch(faults...); err != nil {
			t.Fatal(err)
		}
		res, err := http.Get(r.imds.Endpoint + "/latest/meta-data/instance-id")
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusOK {
			t.Errorf("%v: status %d without a token, want 200", faults, res.StatusCode)
		}
	}
	if _, err := r.converse(t.Context()); err != nil {
		t.Errorf("a rule for one call was used twice: %v", err)
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	const pace = 40 * time.Millisecond
	r := runScenario(t, parse(t, fmt.Sprintf("bedrock: {pace: %v}", pace)))
	client := bedrockruntime.New(bedrockruntime.Options{Region: r.Instance.Region, BaseEndpoint: &r.aws, Credentials: r, Retryer: aws.NopRetryer{}})
	began := time.Now()
	out, err := client.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
		ModelId:         r.Environment["BEDROCK_MODEL_ID"],
		Messages:        question("hello"),
		InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(20)},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer out.GetStream().Close()
	pieces := 0
	for e := range out.GetStream().Events() {
		if _, ok := e.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
			pieces++
		}
	}
	if took := time.Since(began); pieces < 3 || took < time.Duration(pieces)*pace {
		t.Errorf("%d pieces in %v, want some, and %v for each", pieces, took, pace)
	}
}

func TestOwns(t *testing.T) {
	t.Parallel()
	b := new(Sandbox)
	for _, tt := range []struct {
		request, header string
		want            bool
	}{
		{"GET /", "", false},
		{"GET /", "X-aws-ec2-metadata-token: AQAEA", true},
		{"PUT /latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 60", true},
		{"GET /latest", "", true},
		{"GET //latest/api/token", "", true},
		{"GET /latest/meta-data/instance-id", "", true},
		{"GET /1.0/meta-data/", "", true},
		{"GET /2021-07-15/meta-data/", "", true},
		{"GET /2021-07/", "", false},
		{"POST /", "Authorization: AWS4-HMAC-SHA256 Credential=…", true},
		{"POST /", "Authorization: Bearer tgk_…", false},
		{"POST /", "X-Amz-Target: AmazonSSM.GetParameter", true},
		{"POST /model/jp.anthropic.claude-sonnet-4-6/converse", "", true},
		{"POST /model/arn%3Aaws%3Abedrock%3Aap-northeast-1%3A%3Afoundation-model%2Fa.b/converse", "", true},
		{"GET /foundation-models", "", true},
		{"GET /foundation-models/a.b", "", true},
		{"GET /foundation-model-availability/a.b", "", true},
		{"GET /inference-profiles?type=SYSTEM_DEFINED", "", true},
		{"GET /v1/models", "", false},
		{"POST /v1/chat/completions", "Authorization: Bearer tgk_…", false},
		{"GET /models", "", false},
		{"GET /c/latest", "", false},
		{"GET /m/1/text", "", false},
		{"GET /latests", "", false},
		{"GET /ready", "", false},
	} {
		method, target, _ := strings.Cut(tt.request, " ")
		r, err := http.NewRequest(method, "http://127.0.0.1:8099"+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		if name, value, ok := strings.Cut(tt.header, ": "); ok {
			r.Header.Set(name, value)
		}
		if got := b.Owns(r); got != tt.want {
			t.Errorf("%s with %q: %t, want %t", tt.request, tt.header, got, tt.want)
		}
	}
}

// One address serves both sides, and tells which of them refuses.
func TestHandler(t *testing.T) {
	t.Parallel()
	handler := runScenario(t, Default()).sandbox.Handler()
	for _, tt := range []struct{ method, target, header, want string }{
		{http.MethodGet, "/latest/meta-data/", "", "401 "},
		{http.MethodPost, "/model/a.b/converse", "", "403 application/json"},
		{http.MethodPost, "/", "AmazonSSM.GetParameter", "400 application/x-amz-json-1.1"},
	} {
		r := httptest.NewRequest(tt.method, tt.target, nil)
		if tt.header != "" {
			r.Header.Set("X-Amz-Target", tt.header)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if got := fmt.Sprint(w.Code, " ", w.Header().Get("Content-Type")); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.target, got, tt.want)
		}
	}
}
