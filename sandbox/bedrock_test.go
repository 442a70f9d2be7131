package sandbox

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/bedrock"
)

func TestModelsOverCatalogue(t *testing.T) {
	s := parse(t, `
bedrock:
  models:
    - id: anthropic.claude-sonnet-4-6
      streaming: false
      lifecycle: {status: LEGACY, end_of_life: 2026-07-30}
    - id: acme.parrot
      provider: Acme
  access: {"anthropic.*": denied, anthropic.claude-sonnet-4-6: form, "*": subscription, "amazon.*": granted}
`)
	want := bedrock.DefaultModels()
	for i := range want {
		switch m := &want[i]; {
		case m.ID == "anthropic.claude-sonnet-4-6":
			m.Streaming = false
			m.Lifecycle.Status = "LEGACY"
			m.Lifecycle.EndOfLife = time.Date(2026, 7, 30, 0, 0, 0, 0, time.UTC)
			m.Access = "form"
		case m.Provider == "Anthropic":
			m.Access = "denied"
		case m.Provider == "Amazon":
			m.Access = ""
		default:
			m.Access = "subscription"
		}
	}
	want = append(want, bedrock.Model{ID: "acme.parrot", Name: "acme.parrot", Provider: "Acme", Streaming: true,
		InferenceTypes: []string{"ON_DEMAND"}, Access: "subscription"})
	if diff := cmp.Diff(want, s.Bedrock.models()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(bedrock.DefaultModels(), Default().Bedrock.models()); diff != "" {
		t.Errorf("without a word on Bedrock: %s", diff)
	}
}

func TestProfilesOverCatalogue(t *testing.T) {
	const known = "jp.anthropic.claude-sonnet-4-6"
	s := parse(t, `
bedrock:
  profiles:
    - {id: jp.anthropic.claude-sonnet-4-6, regions: [ap-northeast-1]}
    - {id: jp.acme.parrot, models: [acme.parrot], regions: [ap-northeast-1], source: [ap-northeast-3]}
`)
	want := bedrock.DefaultProfiles("")
	found := false
	for i := range want {
		if want[i].ID == known {
			want[i].Regions, found = []string{"ap-northeast-1"}, true
		}
	}
	if !found {
		t.Fatalf("the catalogue has no %s", known)
	}
	want = append(want, bedrock.Profile{ID: "jp.acme.parrot", Name: "jp.acme.parrot", Models: []string{"acme.parrot"},
		Regions: []string{"ap-northeast-1"}, Source: []string{"ap-northeast-3"}})
	if diff := cmp.Diff(want, s.Bedrock.profiles()); diff != "" {
		t.Error(diff)
	}
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	b := parse(t, `bedrock: {quotas: {"anthropic.*": {requests: 0}, anthropic.claude-sonnet-4-6: {tokens: 500}}}`).Bedrock
	for _, tt := range []struct {
		model, kind string
		want        float64
	}{
		{"anthropic.claude-haiku-4-5-20251001-v1:0", bedrock.CrossRegionRequests, 0},
		{"anthropic.claude-haiku-4-5-20251001-v1:0", bedrock.CrossRegionTokens, -1},
		{"anthropic.claude-sonnet-4-6", bedrock.GlobalTokens, 500},
		{"anthropic.claude-sonnet-4-6", bedrock.OnDemandRequests, -1},
		{"amazon.nova-lite-v1:0", bedrock.OnDemandTokens, -1},
	} {
		if got := b.quota("ap-northeast-1", tt.model, tt.kind); got != tt.want {
			t.Errorf("%s, %s: got %v, want %v", tt.model, tt.kind, got, tt.want)
		}
	}
}
