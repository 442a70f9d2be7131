package awsfake

import (
	"encoding/json"
	"testing"
)

// Service Quotas tells what Bedrock keeps to.
func TestQuotaOfTheAccount(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) { o.Bedrock.Quota = func(string, string, string) float64 { return 123 } })
	r := b.do(t, exchange{
		service: "servicequotas", method: "POST", path: "/", body: `{"ServiceCode":"bedrock","QuotaCode":"L-58BE175A"}`,
		header: map[string]string{"X-Amz-Target": "ServiceQuotasV20190624.GetServiceQuota", "Content-Type": "application/x-amz-json-1.1"},
	})
	var got struct {
		Quota struct {
			QuotaName string
			Value     float64
		}
	}
	if err := json.Unmarshal([]byte(r.body), &got); err != nil || got.Quota.Value != 123 ||
		got.Quota.QuotaName != "Cross-region model inference tokens per minute for Anthropic Claude Haiku 4.5" {
		t.Errorf("%d %s: %v", r.status, r.body, err)
	}
}
