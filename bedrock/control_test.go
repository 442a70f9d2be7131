package bedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// catalogue serves a small control plane of ap-northeast-1.
func catalogue(w http.ResponseWriter, r *http.Request) {
	switch r.URL.EscapedPath() {
	case "/foundation-models":
		io.WriteString(w, `{"modelSummaries":[
			{"modelId":"anthropic.claude-sonnet-4-6","modelArn":"arn:aws:bedrock:ap-northeast-1::foundation-model/anthropic.claude-sonnet-4-6",
			 "modelName":"Claude Sonnet 4.6","providerName":"Anthropic","inputModalities":["TEXT","IMAGE"],"outputModalities":["TEXT"],
			 "responseStreamingSupported":true,"inferenceTypesSupported":["INFERENCE_PROFILE"],"modelLifecycle":{"status":"ACTIVE"}},
			{"modelId":"anthropic.claude-opus-5","inferenceTypesSupported":["INFERENCE_PROFILE"],"modelLifecycle":{"status":"ACTIVE"}},
			{"modelId":"anthropic.claude-haiku-4-5-20251001-v1:0","inferenceTypesSupported":["INFERENCE_PROFILE"],"modelLifecycle":{"status":"ACTIVE"}},
			{"modelId":"anthropic.claude-old","inferenceTypesSupported":["ON_DEMAND"],
			 "modelLifecycle":{"status":"LEGACY","legacyTime":"2026-01-30T00:00:00Z","endOfLifeTime":"2026-07-30T00:00:00Z"}},
			{"modelId":"amazon.nova-lite-v1:0","inferenceTypesSupported":["ON_DEMAND","INFERENCE_PROFILE"],"modelLifecycle":{"status":"ACTIVE"}},
			{"modelId":"amazon.nova-premier-v1:0","inferenceTypesSupported":["INFERENCE_PROFILE"],"modelLifecycle":{"status":"ACTIVE"}}]}`)
	case "/inference-profiles":
		if r.URL.Query().Get("nextToken") == "" {
			fmt.Fprintf(w, `{"nextToken":"a+b/c=","inferenceProfileSummaries":[%s,%s]}`,
				wireOf("global.anthropic.claude-sonnet-4-6", ""), wireOf("apac.anthropic.claude-sonnet-4-6", "ap-northeast-1"))
			return
		}
		if got := r.URL.Query().Get("nextToken"); got != "a+b/c=" {
			refuse(w, http.StatusBadRequest, "ValidationException", "bad token "+got)
			return
		}
		fmt.Fprintf(w, `{"inferenceProfileSummaries":[%s,%s,%s,%s]}`,
			wireOf("jp.anthropic.claude-sonnet-4-6", "ap-northeast-1", "ap-northeast-3"), wireOf("global.anthropic.claude-opus-5", ""),
			wireOf("jp.anthropic.claude-haiku-4-5-20251001-v1:0", "ap-northeast-1"), wireOf("apac.amazon.nova-lite-v1:0", "ap-northeast-1"))
	case "/foundation-models/anthropic.claude-old":
		io.WriteString(w, `{"modelDetails":{"modelId":"anthropic.claude-old","modelLifecycle":{"status":"LEGACY","endOfLifeTime":"2026-07-30T00:00:00Z"}}}`)
	case "/foundation-model-availability/arn%3Aaws%3Abedrock%3Aap-northeast-1%3A%3Afoundation-model%2Fa.b-v1%3A0":
		io.WriteString(w, `{"modelId":"a.b-v1:0","agreementAvailability":{"status":"ERROR","errorMessage":"no card"},
			"authorizationStatus":"AUTHORIZED","entitlementAvailability":"AVAILABLE","regionAvailability":"AVAILABLE"}`)
	default:
		refuse(w, http.StatusNotFound, "ResourceNotFoundException", "no "+r.URL.EscapedPath())
	}
}

func wireOf(id string, regions ...string) string {
	var models []string
	for _, r := range regions {
		models = append(models, fmt.Sprintf(`{"modelArn":"arn:aws:bedrock:%s::foundation-model/%s"}`, r, BaseID(id)))
	}
	return fmt.Sprintf(`{"inferenceProfileId":%q,"inferenceProfileName":"n","status":"ACTIVE","type":"SYSTEM_DEFINED","models":[%s]}`,
		id, strings.Join(models, ","))
}

func TestModels(t *testing.T) {
	c := newTestClient(t, catalogue)
	models, err := c.Models(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := Model{
		ID: "anthropic.claude-sonnet-4-6", ARN: "arn:aws:bedrock:ap-northeast-1::foundation-model/anthropic.claude-sonnet-4-6",
		Name: "Claude Sonnet 4.6", Provider: "Anthropic", Input: []string{"TEXT", "IMAGE"}, Output: []string{"TEXT"},
		Streaming: true, InferenceTypes: []string{"INFERENCE_PROFILE"}, Lifecycle: Lifecycle{Status: "ACTIVE"},
		Profiles: []string{"global.anthropic.claude-sonnet-4-6", "apac.anthropic.claude-sonnet-4-6", "jp.anthropic.claude-sonnet-4-6"},
	}
	if diff := cmp.Diff(want, models[0]); diff != "" {
		t.Errorf("first model (-want +got):\n%s", diff)
	}
}

func TestModelLifecycle(t *testing.T) {
	m, err := newTestClient(t, catalogue).Model(t.Context(), "anthropic.claude-old")
	if err != nil {
		t.Fatal(err)
	}
	end := time.Date(2026, 7, 30, 0, 0, 0, 0, time.UTC)
	if !m.Lifecycle.EndOfLifeTime.Equal(end) || m.Lifecycle.Ended(end.Add(-1)) || !m.Lifecycle.Ended(end) {
		t.Errorf("lifecycle is %+v", m.Lifecycle)
	}
	if (Lifecycle{}).Ended(time.Now()) {
		t.Error("a model without dates has ended")
	}
}

func TestAvailabilityOfAnARN(t *testing.T) {
	a, err := newTestClient(t, catalogue).Availability(t.Context(), "arn:aws:bedrock:ap-northeast-1::foundation-model/a.b-v1:0")
	if err != nil {
		t.Fatal(err)
	}
	if a.Agreement != (Agreement{Status: "ERROR", Message: "no card"}) || a.Granted() {
		t.Errorf("availability is %+v", a)
	}
	a.Agreement.Status = "AVAILABLE"
	if !a.Granted() {
		t.Errorf("not granted: %+v", a)
	}
}

func TestProfileRegions(t *testing.T) {
	profiles, err := newTestClient(t, catalogue).Profiles(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, p := range profiles {
		got[p.ID] = append([]string{p.Base()}, p.Regions()...)
	}
	want := map[string][]string{
		"global.anthropic.claude-sonnet-4-6":          {"anthropic.claude-sonnet-4-6"},
		"apac.anthropic.claude-sonnet-4-6":            {"anthropic.claude-sonnet-4-6", "ap-northeast-1"},
		"jp.anthropic.claude-sonnet-4-6":              {"anthropic.claude-sonnet-4-6", "ap-northeast-1", "ap-northeast-3"},
		"global.anthropic.claude-opus-5":              {"anthropic.claude-opus-5"},
		"jp.anthropic.claude-haiku-4-5-20251001-v1:0": {"anthropic.claude-haiku-4-5-20251001-v1:0", "ap-northeast-1"},
		"apac.amazon.nova-lite-v1:0":                  {"amazon.nova-lite-v1:0", "ap-northeast-1"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
}

func TestResolve(t *testing.T) {
	arn := "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
	tests := []struct{ name, id, want string }{
		{"own area before the wider and the global", "anthropic.claude-sonnet-4-6", "jp.anthropic.claude-sonnet-4-6"},
		{"global when there is no other", "anthropic.claude-opus-5", "global.anthropic.claude-opus-5"},
		{"on demand", "amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"},
		{"profile", "global.anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6"},
		{"profile of another area", "us.anthropic.claude-sonnet-4-6", "us.anthropic.claude-sonnet-4-6"},
		{"ARN", arn, arn},
	}
	c := newTestClient(t, catalogue)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := c.Resolve(t.Context(), tt.id); got != tt.want || err != nil {
				t.Errorf("Resolve(%q) = %q, %v; want %q", tt.id, got, err, tt.want)
			}
		})
	}
}

func TestResolveSaysWhatWouldWork(t *testing.T) {
	tests := []struct {
		id   string
		want []string
	}{
		{"anthropic.claude-3-7-sonnet-20250219-v1:0", []string{
			"jp.anthropic.claude-sonnet-4-6", "jp.anthropic.claude-haiku-4-5-20251001-v1:0", "global.anthropic.claude-opus-5"}},
		{"amazon.nova-premier-v1:0", []string{"amazon.nova-lite-v1:0"}},
		{"nobody.knows", nil},
	}
	c := newTestClient(t, catalogue)
	for _, tt := range tests {
		_, err := c.Resolve(t.Context(), tt.id)
		var e *NoProfileError
		if !errors.As(err, &e) {
			t.Fatalf("Resolve(%q): %v", tt.id, err)
		}
		if diff := cmp.Diff(tt.want, e.Instead, cmp.Transformer("set", toSet)); diff != "" {
			t.Errorf("Resolve(%q) offers (-want +got):\n%s", tt.id, diff)
		}
		for _, id := range tt.want {
			if !strings.Contains(err.Error(), id) {
				t.Errorf("%q does not name %s", err, id)
			}
		}
	}
}

func toSet(ids []string) map[string]bool {
	set := map[string]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

func TestAreas(t *testing.T) {
	all := func(id string) []string {
		var profiles []string
		for _, a := range areas {
			profiles = append(profiles, a+"."+id)
		}
		return profiles
	}
	tests := []struct{ region, want string }{
		{"ap-northeast-1", "jp.x.y"}, {"ap-northeast-3", "jp.x.y"}, {"ap-northeast-2", "apac.x.y"}, {"ap-south-1", "apac.x.y"},
		{"ap-southeast-2", "au.x.y"}, {"ap-southeast-4", "au.x.y"}, {"eu-west-1", "eu.x.y"}, {"us-west-2", "us.x.y"},
		{"us-gov-west-1", "us-gov.x.y"}, {"ca-central-1", "ca.x.y"}, {"me-central-1", "global.x.y"}, {"sa-east-1", "global.x.y"},
	}
	for _, tt := range tests {
		if got := (Model{ID: "x.y", Profiles: all("x.y")}).CallIn(tt.region); got != tt.want {
			t.Errorf("in %s: %s, want %s", tt.region, got, tt.want)
		}
	}
	newer := Model{ID: "x.y", Profiles: []string{"a1b2c3d4", "global.x.y", "us.x.y", "mars.x.y"}}
	if got := newer.CallIn("ap-northeast-1"); got != "mars.x.y" {
		t.Errorf("of %v: %s", newer.Profiles, got)
	}
}

func TestAlternatives(t *testing.T) {
	models, err := newTestClient(t, catalogue).Models(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	models = append(models,
		Model{ID: "anthropic.claude-sonnet-5", InferenceTypes: []string{"ON_DEMAND"}},
		Model{ID: "anthropic.claude-sonnet-9", InferenceTypes: []string{"ON_DEMAND"}, Lifecycle: Lifecycle{Status: "LEGACY"}})
	for id, want := range map[string][]string{
		"apac.anthropic.claude-3-sonnet-20240229-v1:0": {
			"anthropic.claude-sonnet-5", "jp.anthropic.claude-sonnet-4-6",
			"global.anthropic.claude-opus-5", "jp.anthropic.claude-haiku-4-5-20251001-v1:0"},
		"anthropic.claude-3-haiku-20240307-v1:0": {
			"jp.anthropic.claude-haiku-4-5-20251001-v1:0", "anthropic.claude-sonnet-5",
			"jp.anthropic.claude-sonnet-4-6", "global.anthropic.claude-opus-5"},
		"anthropic.claude-sonnet-5": {
			"jp.anthropic.claude-sonnet-4-6", "global.anthropic.claude-opus-5", "jp.anthropic.claude-haiku-4-5-20251001-v1:0"},
		"nobody.knows": nil,
	} {
		if diff := cmp.Diff(want, Alternatives(models, id, "ap-northeast-1")); diff != "" {
			t.Errorf("instead of %s (-want +got):\n%s", id, diff)
		}
	}
}

func TestIDs(t *testing.T) {
	tests := []struct {
		id      string
		profile bool
		base    string
	}{
		{"jp.anthropic.claude-sonnet-4-6", true, "anthropic.claude-sonnet-4-6"},
		{"us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", true, "anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"anthropic.claude-sonnet-4-6", false, "anthropic.claude-sonnet-4-6"},
		{"moonshotai.kimi-k2.5", false, "moonshotai.kimi-k2.5"},
		{"arn:aws:bedrock:us-east-1::foundation-model/a.b-v1:0", false, "a.b-v1:0"},
		{"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.a.b-v1:0", false, "a.b-v1:0"},
		{"", false, ""},
	}
	for _, tt := range tests {
		if got := isProfile(tt.id); got != tt.profile {
			t.Errorf("isProfile(%q) = %v", tt.id, got)
		}
		if got := BaseID(tt.id); got != tt.base {
			t.Errorf("BaseID(%q) = %q", tt.id, got)
		}
	}
}

func TestControlPlaneErrors(t *testing.T) {
	tests := []struct {
		name    string
		respond http.HandlerFunc
		want    Error
	}{
		{
			"code in the header", func(w http.ResponseWriter, r *http.Request) {
				refuse(w, 403, "AccessDeniedException", "no")
			},
			Error{Code: "AccessDeniedException", Status: 403, Message: "no", RequestID: "6f1c9c8e-0000-4000-8000-00000000beef"},
		},
		{
			"code in the body", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(400)
				io.WriteString(w, `{"__type":"com.amazon.bedrock#ValidationException","Message":"no"}`)
			},
			Error{Code: "ValidationException", Status: 400, Message: "no"},
		},
		{
			"a proxy's page", func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(407)
				io.WriteString(w, `<html>who are you</html>`)
			},
			Error{Code: "Proxy Authentication Required", Status: 407},
		},
		{
			"a refused signature", func(w http.ResponseWriter, r *http.Request) {
				refuse(w, 403, "InvalidSignatureException", "Does not match. \n\nThe Canonical String for this request should have been\n'GET\n/\nx-amz-security-token:"+r.Header.Get("X-Amz-Security-Token"))
			},
			Error{Code: "InvalidSignatureException", Status: 403, Message: "Does not match.", RequestID: "6f1c9c8e-0000-4000-8000-00000000beef"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := newTestClient(t, tt.respond)
			tt.want.Operation, tt.want.Model, tt.want.Region = "GetFoundationModel", "m", "ap-northeast-1"
			_, err := c.Model(t.Context(), "m")
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("error is %v", err)
			}
			if got.Took <= 0 {
				t.Error("the error does not say how long the call took")
			}
			got.Took = 0
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSecretsStayOut(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Security-Token") != "token-of-the-test" {
			t.Error("the session token was not sent")
		}
		refuse(w, 403, "InvalidSignatureException", "The Canonical String for this request should have been 'x-amz-security-token:token-of-the-test'")
	})
	_, converse := c.Converse(t.Context(), question)
	_, stream := collect(t.Context(), c, question)
	_, control := c.Profiles(t.Context())
	for _, err := range []error{converse, stream, control} {
		_, fields, _ := Explain(err)
		for ; err != nil; err = errors.Unwrap(err) {
			if text := fmt.Sprintf("%v %+v %v", err, err, fields); strings.Contains(text, "of-the-test") {
				t.Errorf("a secret shows in %s", text)
			}
		}
	}
}

func TestControlBase(t *testing.T) {
	tests := []struct {
		config Config
		want   string
	}{
		{Config{Region: "ap-northeast-1"}, "https://bedrock.ap-northeast-1.amazonaws.com"},
		{Config{Region: "us-gov-west-1"}, "https://bedrock.us-gov-west-1.amazonaws.com"},
		{Config{Region: "cn-north-1"}, "https://bedrock.cn-north-1.amazonaws.com.cn"},
		{Config{Region: "r", Endpoint: "http://127.0.0.1:1/"}, "http://127.0.0.1:1"},
		{Config{Region: "r", Endpoint: "http://127.0.0.1:1", ControlEndpoint: "http://127.0.0.1:2"}, "http://127.0.0.1:2"},
		{Config{Region: "ap-south-1", RuntimeEndpoint: "http://127.0.0.1:1"}, "https://bedrock.ap-south-1.amazonaws.com"},
	}
	for _, tt := range tests {
		if got, err := New(tt.config).controlBase(t.Context()); got != tt.want || err != nil {
			t.Errorf("%+v: %q, %v; want %q", tt.config, got, err, tt.want)
		}
	}
}

// roundTripper is a network of the test's making.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A VPC with an endpoint for bedrock-runtime alone: the control plane is
// silent while the runtime answers.
func TestSilentControlPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Config{Region: "ap-northeast-1", Credentials: testKeys, HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Host, "bedrock-runtime.") {
				return inMemory(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{}`) }).RoundTrip(r)
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}})
		_, err := c.Profiles(t.Context())
		if id, _, ok := Explain(err); id != "TG6900" || !ok {
			t.Errorf("before the runtime answered: %s, %v", id, err)
		}
		if _, err := c.Converse(t.Context(), question); err != nil {
			t.Fatal(err)
		}
		_, err = c.Profiles(t.Context())
		if id, fields, _ := Explain(err); id != "TG6013" || fields["operation"] != "ListInferenceProfiles" {
			t.Errorf("after it answered: %s, %v, %v", id, fields, err)
		}
	})
}

func TestControlPlaneObeysTheContext(t *testing.T) {
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := c.Models(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

func TestUnknownHosts(t *testing.T) {
	tests := []struct{ region, host, want string }{
		{"ap", "bedrock-runtime.ap.amazonaws.com", "TG4002"},
		{"me-central-1", "bedrock-runtime.me-central-1.amazonaws.com", "TG4005"},
	}
	for _, tt := range tests {
		c := New(Config{Region: tt.region, Credentials: testKeys, HTTPClient: &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
		})}})
		synctest.Test(t, func(t *testing.T) {
			_, err := c.Converse(t.Context(), question)
			if id, fields, _ := Explain(err); id != tt.want || fields["host"] != tt.host {
				t.Errorf("%s: %s, %v; error %v", tt.region, id, fields, err)
			}
		})
	}
}
