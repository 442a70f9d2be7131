package awsfake

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
)

// A policy that people write for one model, and what is wrong with it: no
// profile, and lists that take no ARN. The model is called by its profile
// alone, so that it could never have worked.
const (
	modelOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
		"Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream","bedrock:ListModelCustomizationJobs","bedrock:ListFoundationModels","bedrock:GetFoundationModel"],
		"Resource":["arn:aws:bedrock:*::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0"]}]}`
	withProfile = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"Resource":[
			"arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-haiku-4-5-20251001-v1:0",
			"arn:aws:bedrock:ap-northeast-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0",
			"arn:aws:bedrock:ap-northeast-3::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0"]},
		{"Effect":"Allow","Action":["bedrock:ListFoundationModels","bedrock:ListInferenceProfiles"],"Resource":"*"}]}`
)

func TestPolicyForOneModel(t *testing.T) {
	t.Parallel()
	const refused = "User: " + callerARN + " is not authorized to perform: "
	for _, tt := range []struct {
		name, policy, method, path, want string
		status                           int
	}{
		{"the model alone", modelOnly, "POST", "/model/" + haiku + "/converse", "Retry your request with the ID or ARN of an inference profile", 400},
		{"its profile", modelOnly, "POST", "/model/jp." + haiku + "/converse",
			refused + "bedrock:InvokeModel on resource: arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp." + haiku + " because no identity-based policy allows the bedrock:InvokeModel action", 403},
		{"a stream by its profile", modelOnly, "POST", "/model/jp." + haiku + "/converse-stream",
			refused + "bedrock:InvokeModelWithResponseStream on resource: arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp." + haiku, 403},
		{"the list", modelOnly, "GET", "/foundation-models", refused + "bedrock:ListFoundationModels because no identity-based policy allows the bedrock:ListFoundationModels action", 403},
		{"the model's card", modelOnly, "GET", "/foundation-models/" + haiku, `"modelId":"` + haiku, 200},
		{"the profile, mended", withProfile, "POST", "/model/jp." + haiku + "/converse", `"stopReason"`, 200},
		{"a stream, mended", withProfile, "POST", "/model/jp." + haiku + "/converse-stream", "messageStop", 200},
		{"the list, mended", withProfile, "GET", "/foundation-models", `"modelSummaries"`, 200},
		{"a region that is missing", strings.Replace(withProfile, "ap-northeast-3", "ap-northeast-2", 1), "POST", "/model/jp." + haiku + "/converse",
			refused + "bedrock:InvokeModel on resource: arn:aws:bedrock:ap-northeast-3::foundation-model/" + haiku, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(o *Options) { o.Pace = time.Microsecond })
			b.credential.Caller.Policies = policies(t, tt.policy)
			in := exchange{service: "bedrock", method: tt.method, path: tt.path}
			if tt.method == "POST" {
				in.body = hello
			}
			if got := b.do(t, in); got.status != tt.status || !strings.Contains(got.body, tt.want) {
				t.Errorf("got %d %.300s, want %d %s", got.status, got.body, tt.status, tt.want)
			}
		})
	}
}

// Two hundred clients at once all get their whole answers.
func TestManyStreams(t *testing.T) {
	t.Parallel()
	const clients = 200
	b := start(t, func(o *Options) { o.Pace = time.Millisecond })
	var all sync.WaitGroup
	errs := make(chan string, clients)
	for i := range clients {
		all.Go(func() {
			body := strings.Replace(hello, "Hello, who are you?", fmt.Sprintf("Repeat after me: %d-%d", i, i*i), 1)
			got := b.do(t, exchange{service: "bedrock", method: "POST", path: "/model/jp." + haiku + "/converse-stream", body: body})
			if got.status != 200 || !strings.Contains(got.body, "messageStop") || !strings.Contains(got.body, `"usage"`) {
				errs <- fmt.Sprintf("client %d: %d %.200q", i, got.status, got.body)
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}
