package sandbox

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/message"
)

func TestFaults(t *testing.T) {
	var names []string
	for _, f := range Faults() {
		names = append(names, f.Name)
		if !regexp.MustCompile(`^TG[0-9]{4}$`).MatchString(f.Finding) {
			t.Errorf("%s: finding %q has not the form TGnnnn", f.Name, f.Finding)
		}
		for _, l := range []message.Lang{message.English, message.Japanese} {
			if f.Title[l] == "" || strings.Contains(f.Title[l], "\n") {
				t.Errorf("%s: title in %s is %q, want one line", f.Name, l, f.Title[l])
			}
		}
	}
	if diff := cmp.Diff(faultNames(), names); diff != "" || len(names) < 60 {
		t.Errorf("%d faults: %s", len(names), diff)
	}
}

func TestApplyOverCustomScenario(t *testing.T) {
	custom := parse(t, `
instance: {id: i-00000000, region: eu-west-1, account: "999999999999"}
imds: {tokens: optional, hop_limit: 3}
role: {attached: false, name: other}
environment: {BEDROCK_MODEL_ID: eu.anthropic.claude-sonnet-4-6, A: b}
bedrock: {access: {x: form}}
replies: [{reply: {delay: 1s}}]
`)
	before := text(t, custom)
	for _, f := range Faults() {
		s := custom
		if err := s.Apply(f.Name); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
		if s.Instance.ID != "i-00000000" || *s.Environment["A"] != "b" {
			t.Errorf("%s: what it does not speak of has changed", f.Name)
		}
		after := text(t, s)
		if after == before && f.Name != "no-role" && f.Name != "parameter-missing" {
			t.Errorf("%s: changes nothing", f.Name)
		}
		if text(t, custom) != before {
			t.Fatalf("%s: wrote to the scenario below", f.Name)
		}
		if strings.Contains(after, f.Name) || strings.Contains(after, f.Finding) {
			t.Errorf("%s: the scenario tells the fault", f.Name)
		}
	}
}

func TestFaultsCombine(t *testing.T) {
	s := Default()
	for _, name := range []string{"region-cut", "model-access", "region-unset"} {
		if err := s.Apply(name); err != nil {
			t.Fatal(err)
		}
	}
	if v := s.Environment["AWS_REGION"]; v != nil {
		t.Errorf("AWS_REGION is %q, want the last fault to win", *v)
	}
	if diff := cmp.Diff(map[string]string{"*": "denied"}, s.Bedrock.Access); diff != "" {
		t.Error(diff)
	}
}

func TestApplyUnknownFault(t *testing.T) {
	tests := map[string]string{
		"hoplimit":      `unknown fault "hoplimit" (did you mean "hop-limit"?)`,
		"model":         `unknown fault "model" (known: ` + strings.Join(faultNames(), ", ") + `)`,
		"../scenario":   `unknown fault "../scenario" (known: ` + strings.Join(faultNames(), ", ") + `)`,
		"model-acces":   `unknown fault "model-acces" (did you mean "model-access"?)`,
		"region-unsett": `unknown fault "region-unsett" (did you mean "region-unset"?)`,
	}
	for name, want := range tests {
		s := Default()
		err := s.Apply(name)
		if err == nil || err.Error() != want {
			t.Errorf("Apply(%q) is %v, want %s", name, err, want)
		}
		if diff := cmp.Diff(Default(), s); diff != "" {
			t.Errorf("Apply(%q) changed the scenario: %s", name, diff)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	tests := []struct{ name, want string }{
		{"cat", ` (did you mean "bat" or "rat"?)`},
		{"elephant", " (known: bat, horse, rat)"},
		{"hosre", ` (known: bat, horse, rat)`},
		{"hors", ` (did you mean "horse"?)`},
	}
	for _, tt := range tests {
		if got := didYouMean(tt.name, []string{"bat", "horse", "rat"}); got != tt.want {
			t.Errorf("didYouMean(%q) is %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFaultNamesSorted(t *testing.T) {
	if !slices.IsSorted(faultNames()) {
		t.Errorf("not sorted: %v", faultNames())
	}
}

func text(t *testing.T, s Scenario) string {
	t.Helper()
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
