package bedrock

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Each model of the catalogue has a row, each row a model, and no code is there
// twice.
func TestAllowanceTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for line := range strings.Lines(allowances) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 8 {
			t.Fatalf("a row of %d fields: %s", len(fields), line)
		}
		if !slices.ContainsFunc(DefaultModels(), func(m Model) bool { return m.ID == fields[0] }) {
			t.Errorf("the catalogue has no %s", fields[0])
		}
		for _, column := range fields[1:7] {
			code, value, ok := strings.Cut(column, ":")
			if _, err := strconv.Atoi(value); ok && err != nil || code != "" && code != "-" && (seen[code] || len(code) != 10) {
				t.Errorf("%s: %s", fields[0], column)
			}
			seen[code] = true
		}
	}
	for _, m := range DefaultModels() {
		if _, name := row(m); !strings.HasPrefix(name, m.Provider+" ") {
			t.Errorf("%s is called %s", m.ID, name)
		}
	}
}

// A scenario's limits are the account's values; those that AWS doesn't have
// appear where they bind.
func TestAllowances(t *testing.T) {
	t.Parallel()
	models := slices.DeleteFunc(DefaultModels(), func(m Model) bool { return m.ID != "anthropic.claude-sonnet-5" })
	own := Model{ID: "own.model", Name: "Model", Provider: "Own", InferenceTypes: []string{onDemandOK}}
	limits := func(requests, tokens float64) func(_, _, kind string) float64 {
		return func(_, _, kind string) float64 {
			if strings.Contains(kind, "requests") {
				return requests
			}
			return tokens
		}
	}
	sentence := func(way, what, model string) string {
		return "The maximum number of " + way + " " + what + " that you can submit for model inference in one minute for " + model +
			". The quota considers the combined sum of Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream."
	}
	const sonnet = "Anthropic Claude Sonnet 5"
	cross := func(value float64) Allowance {
		return Allowance{"L-D4FBCF4E", CrossRegionTokens + " for " + sonnet, sentence("cross-region", "tokens", sonnet), 6_000_000, value, true}
	}
	global := func(value float64) Allowance {
		return Allowance{"L-DD84E5CA", GlobalTokens + " for " + sonnet, sentence("global cross-region", "tokens", sonnet), 6_000_000, value, true}
	}
	for _, tt := range []struct {
		name  string
		in    Options
		wants []Allowance
	}{
		{"AWS's", Options{Models: models}, []Allowance{cross(6_000_000), global(6_000_000)}},
		{"nothing is limited", Options{Models: append(models, own), Quota: limits(-1, -1)}, []Allowance{cross(6_000_000), global(6_000_000)}},
		{"tokens", Options{Models: models, Quota: limits(-1, 200)}, []Allowance{cross(200), global(200)}},
		{"none at all", Options{Models: models, Quota: limits(-1, 0)}, []Allowance{cross(0), global(0)}},
		{"requests, of which AWS has no quota", Options{Models: models, Quota: limits(5, -1)}, []Allowance{
			{"L-D9DF038E", CrossRegionRequests + " for " + sonnet, sentence("cross-region", "requests", sonnet), 5, 5, true},
			cross(6_000_000),
			{"L-ACD29041", GlobalRequests + " for " + sonnet, sentence("global cross-region", "requests", sonnet), 5, 5, true},
			global(6_000_000),
		}},
		{"a model that AWS doesn't have", Options{Models: []Model{own}, Quota: limits(5, -1)}, []Allowance{
			{"L-DACBF203", OnDemandRequests + " for Own Model", sentence("on-demand", "requests", "Own Model"), 5, 5, false},
		}},
	} {
		got := New("", new(State), tt.in, 0).Allowances("us-east-1")
		if diff := cmp.Diff(tt.wants, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
