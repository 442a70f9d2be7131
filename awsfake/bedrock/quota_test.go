package bedrock_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/bedrock"
)

// A call takes its input and all of its maxTokens as it begins, five tokens
// for each of output once it has ended, and what is left comes back.
func TestQuota(t *testing.T) {
	t.Parallel()
	const (
		asks  = `{"inferenceConfig":{"maxTokens":40},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`
		small = `{"inferenceConfig":{"maxTokens":1},"messages":[{"role":"user","content":[{"text":"Hi"}]}]}`
		path  = "/model/jp." + haiku + "/converse"
	)
	for _, tt := range []struct {
		name             string
		requests, tokens float64
		first, second    string
		status           int
		want             string
	}{
		{"any amount", -1, -1, asks, asks, 200, `"usage"`},
		{"a second request", 1, -1, asks, asks, 429, `{"message":"Too many requests, please wait before trying again."}`},
		{"maxTokens are reserved", -1, 30, small, asks, 429, `{"message":"Too many tokens, please wait before trying again."}`},
		{"output burns five times", -1, 200, asks, small, 429, `{"message":"Too many tokens, please wait before trying again."}`},
		{"what was reserved and not used comes back", -1, 260, asks, asks, 200, `"usage"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var minutes atomic.Int64
			began := time.Now()
			w := newWorld(t, allowAll, func(o *awsfake.Options) {
				o.Now = func() time.Time { return began.Add(time.Duration(minutes.Load()) * time.Minute) }
				o.Bedrock.Quota = func(region, model, kind string) float64 {
					switch {
					case model != haiku || region != "ap-northeast-1":
						t.Errorf("asked for %s in %s", model, region)
					case kind == bedrock.CrossRegionRequests:
						return tt.requests
					case kind == bedrock.CrossRegionTokens:
						return tt.tokens
					}
					return -1
				}
			})
			w.call(t, "POST", path, tt.first).want(t, 200, `"usage"`)
			second := w.call(t, "POST", path, tt.second)
			second.want(t, tt.status, tt.want)
			if code := second.header.Get("X-Amzn-ErrorType"); tt.status == 429 && !strings.HasPrefix(code, "ThrottlingException:") {
				t.Errorf("code %q", code)
			}
			minutes.Add(3)
			w.call(t, "POST", path, small).want(t, 200, `"usage"`)
		})
	}
}
