package awsfake

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/bedrock"
	"tegata/awsfake/wire"
)

func ids(t *testing.T, r reply, list, id string) []string {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	var all []string
	for _, item := range r.json(t)[list].([]any) {
		all = append(all, item.(map[string]any)[id].(string))
	}
	return all
}

func TestListFoundationModels(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, tt := range []struct {
		query         string
		with, without string
	}{
		{"", haiku, ""},
		{"?byProvider=anthropic", haiku, "amazon.nova-lite-v1:0"},
		{"?byProvider=Amazon", "amazon.nova-lite-v1:0", haiku},
		{"?byInferenceType=ON_DEMAND", "amazon.nova-lite-v1:0", haiku},
		{"?byOutputModality=EMBEDDING", "amazon.titan-embed-text-v2:0", haiku},
		{"?byOutputModality=TEXT&byProvider=Amazon", "amazon.nova-lite-v1:0", "amazon.titan-embed-text-v2:0"},
	} {
		e := listModels
		e.path += tt.query
		got := ids(t, b.do(t, e), "modelSummaries", "modelId")
		if !slices.Contains(got, tt.with) || slices.Contains(got, tt.without) {
			t.Errorf("%s: %v, want %s and not %s", tt.query, got, tt.with, tt.without)
		}
	}
	e := listModels
	e.path += "?byInferenceType=SOMETIMES"
	if got := b.do(t, e); got.status != 400 || !strings.Contains(got.body, "Member must satisfy enum value set: [ON_DEMAND, PROVISIONED]") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	e = listModels
	e.region = "eu-west-1"
	if got := b.do(t, e); got.body != `{"modelSummaries":[]}` {
		t.Errorf("in another region: %s", got.body)
	}
}

func TestGetFoundationModel(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	b := start(t, func(o *Options) { o.Now = func() time.Time { return now } })
	b.credential.Expires = time.Time{}
	const id = "anthropic.claude-3-7-sonnet-20250219-v1:0"
	get := func(id string) reply {
		return b.do(t, exchange{service: "bedrock", method: "GET", path: "/foundation-models/" + id, at: now})
	}
	want := map[string]any{
		"modelArn": "arn:aws:bedrock:ap-northeast-1::foundation-model/" + id, "modelId": id,
		"modelName": "Claude 3.7 Sonnet", "providerName": "Anthropic",
		"inputModalities": []any{"TEXT", "IMAGE"}, "outputModalities": []any{"TEXT"},
		"responseStreamingSupported": true, "customizationsSupported": []any{},
		"inferenceTypesSupported": []any{"INFERENCE_PROFILE"},
		"modelLifecycle":          map[string]any{"status": "LEGACY", "legacyTime": "2025-10-28T00:00:00Z", "endOfLifeTime": "2026-04-28T00:00:00Z"},
	}
	for _, name := range []string{id, "arn%3Aaws%3Abedrock%3Aap-northeast-1%3A%3Afoundation-model%2F" + id} {
		if diff := cmp.Diff(want, get(name).json(t)["modelDetails"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	now = time.Date(2025, 10, 27, 0, 0, 0, 0, time.UTC)
	if got := get(id).body; !strings.Contains(got, `"status":"ACTIVE"`) {
		t.Errorf("before its end was told: %s", got)
	}
	if got := get("anthropic.claude-9"); got.status != 400 || !strings.Contains(got.body, "The provided model identifier is invalid.") {
		t.Errorf("unknown: %d %s", got.status, got.body)
	}
}

func TestAvailability(t *testing.T) {
	t.Parallel()
	const yes, no = "AVAILABLE", "NOT_AVAILABLE"
	for _, tt := range []struct {
		access, region                               string
		agreement, authorized, entitlement, regional string
	}{
		{bedrock.AccessGranted, "", yes, "AUTHORIZED", yes, yes},
		{bedrock.AccessDenied, "", yes, "NOT_AUTHORIZED", no, yes},
		{bedrock.AccessForm, "", no, "AUTHORIZED", no, yes},
		{bedrock.AccessSubscription, "", no, "AUTHORIZED", no, yes},
		{bedrock.AccessGranted, "eu-west-1", yes, "AUTHORIZED", yes, no},
	} {
		b := start(t, func(o *Options) { o.Bedrock.Models = []bedrock.Model{{ID: "a.b", Access: tt.access}} })
		got := b.do(t, exchange{service: "bedrock", method: "GET", path: "/foundation-model-availability/a.b", region: tt.region})
		want := map[string]any{
			"modelId": "a.b", "agreementAvailability": map[string]any{"status": tt.agreement}, "authorizationStatus": tt.authorized,
			"entitlementAvailability": tt.entitlement, "regionAvailability": tt.regional,
		}
		if diff := cmp.Diff(want, got.json(t)); diff != "" {
			t.Errorf("%q in %q (-want +got):\n%s", tt.access, tt.region, diff)
		}
	}
}

func TestListInferenceProfiles(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	list := func(query string) reply {
		return b.do(t, exchange{service: "bedrock", method: "GET", path: "/inference-profiles" + query})
	}
	all := ids(t, list(""), "inferenceProfileSummaries", "inferenceProfileId")
	for _, id := range []string{"jp." + haiku, "global." + haiku, "apac.amazon.nova-lite-v1:0"} {
		if !slices.Contains(all, id) {
			t.Errorf("%s is missing in %v", id, all)
		}
	}
	if i := slices.IndexFunc(all, func(id string) bool { return strings.HasPrefix(id, "us.") || strings.HasPrefix(id, "eu.") }); i >= 0 {
		t.Errorf("%s can't be called in Tokyo", all[i])
	}
	var paged []string
	for query := "?maxResults=4"; ; {
		r := list(query)
		page := ids(t, r, "inferenceProfileSummaries", "inferenceProfileId")
		paged = append(paged, page...)
		next, more := r.json(t)["nextToken"].(string)
		if !more {
			break
		}
		if len(page) != 4 {
			t.Fatalf("a page of %d", len(page))
		}
		query = "?maxResults=4&nextToken=" + next
	}
	if diff := cmp.Diff(all, paged); diff != "" {
		t.Errorf("pages (-all +paged):\n%s", diff)
	}
	if got := list("?type=APPLICATION").body; got != `{"inferenceProfileSummaries":[]}` {
		t.Errorf("application profiles: %s", got)
	}
	if got := ids(t, list("?type=SYSTEM_DEFINED"), "inferenceProfileSummaries", "inferenceProfileId"); len(got) != len(all) {
		t.Errorf("%d profiles of AWS, want %d", len(got), len(all))
	}
	for _, query := range []string{"?maxResults=0", "?maxResults=x", "?nextToken=%21", "?nextToken=LTE", "?type=MINE"} {
		if got := list(query); got.status != 400 || !strings.Contains(got.header.Get("X-Amzn-ErrorType"), "ValidationException") {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestGetInferenceProfile(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	get := func(id string) reply {
		return b.do(t, exchange{service: "bedrock", method: "GET", path: "/inference-profiles/" + id})
	}
	want := map[string]any{
		"inferenceProfileId": "jp." + haiku, "inferenceProfileName": "JP Claude Haiku 4.5",
		"inferenceProfileArn": "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp." + haiku,
		"description":         "Routes requests to ap-northeast-1, ap-northeast-3.",
		"status":              "ACTIVE", "type": "SYSTEM_DEFINED",
		"models": []any{
			map[string]any{"modelArn": "arn:aws:bedrock:ap-northeast-1::foundation-model/" + haiku},
			map[string]any{"modelArn": "arn:aws:bedrock:ap-northeast-3::foundation-model/" + haiku},
		},
	}
	for _, id := range []string{"jp." + haiku, "arn%3Aaws%3Abedrock%3Aap-northeast-1%3A123456789012%3Ainference-profile%2Fjp." + haiku} {
		if diff := cmp.Diff(want, get(id).json(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	if got := get("us." + haiku); got.status != 404 {
		t.Errorf("of elsewhere: %d %s", got.status, got.body)
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	models := bedrock.DefaultModels()
	known := map[string]bool{}
	for _, m := range models {
		if known[m.ID] || m.Name == "" || len(m.InferenceTypes) == 0 {
			t.Errorf("model %+v", m)
		}
		known[m.ID] = true
	}
	for _, p := range bedrock.DefaultProfiles("") {
		if !known[p.Models[0]] || !strings.HasSuffix(p.ID, "."+p.Models[0]) {
			t.Errorf("profile %+v", p)
		}
		for _, region := range slices.Concat(p.Regions, p.Source) {
			if region != "" && !wire.KnownRegion(region) {
				t.Errorf("%s: unknown region %q", p.ID, region)
			}
		}
	}
	for region, prefix := range map[string]string{
		"ap-northeast-1": "jp.", "us-west-2": "us.", "eu-west-1": "eu.", "ap-southeast-2": "au.", "sa-east-1": "global.",
	} {
		if !slices.ContainsFunc(bedrock.DefaultProfiles(region), func(p bedrock.Profile) bool { return p.ID == prefix+haiku }) {
			t.Errorf("%s has no %s%s", region, prefix, haiku)
		}
	}
	if wire.KnownRegion("ap") || wire.KnownRegion("") || !wire.KnownRegion("ap-northeast-1") {
		t.Error("KnownRegion")
	}
}
