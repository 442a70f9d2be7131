package bedrock

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An Allowance is a quota of a model as Service Quotas tells it.
type Allowance struct {
	Code       string // L-58BE175A
	Name       string // one of the kinds, " for " and the model
	What       string // a sentence
	Default    float64
	Value      float64 // what the account has
	Adjustable bool
}

//go:embed allowances.txt
var allowances string

// Allowances returns the quotas of all models in a region, in the order of
// their names. A model that AWS doesn't have has those that [Options.Quota] gives
// it, and codes that follow from their names.
func (s *Service) Allowances(region string) []Allowance {
	var all []Allowance
	for _, m := range s.Options.Models {
		for i, kind := range kinds() {
			if a, ok := s.allowance(region, m, kind, i); ok {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, func(a, b Allowance) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// kinds are the quotas of a model, in the order of the table.
func kinds() []string {
	return []string{OnDemandRequests, OnDemandTokens, CrossRegionRequests, CrossRegionTokens, GlobalRequests, GlobalTokens}
}

func (s *Service) allowance(region string, m Model, kind string, column int) (Allowance, bool) {
	value := -1.0
	if s.Options.Quota != nil {
		value = s.Options.Quota(region, m.ID, kind)
	}
	known, model := row(m)
	code, byDefault, _ := strings.Cut(known[column], ":")
	preset, err := strconv.ParseFloat(byDefault, 64)
	switch {
	case err != nil && (value < 0 || !s.takes(m, kind)):
		return Allowance{}, false
	case err != nil:
		code, preset = "", value
	case value < 0:
		value = preset
	}
	a := Allowance{Code: code, Name: kind + " for " + model, Default: preset, Value: value, Adjustable: kind != OnDemandRequests && kind != OnDemandTokens}
	if a.Code == "" {
		sum := sha256.Sum256([]byte(a.Name))
		a.Code = fmt.Sprintf("L-%08X", sum[:4])
	}
	a.What = a.sentence(kind, model)
	return a, true
}

// row is what the table has of a model: nothing of one that AWS doesn't have.
func row(m Model) (columns []string, model string) {
	for line := range strings.Lines(allowances) {
		if fields := strings.Fields(line); len(fields) > 7 && fields[0] == m.ID {
			return fields[1:7], strings.Join(fields[7:], " ")
		}
	}
	return strings.Fields("- - - - - -"), strings.TrimSpace(m.Provider + " " + m.Name)
}

// takes reports whether a model can be called in the way that a kind counts.
func (s *Service) takes(m Model, kind string) bool {
	if kind == OnDemandRequests || kind == OnDemandTokens {
		return slices.Contains(m.InferenceTypes, onDemandOK)
	}
	return slices.ContainsFunc(s.Options.Profiles, func(p Profile) bool {
		requests, tokens := target{model: m, profile: &p}.quotaKinds()
		return slices.Contains(p.Models, m.ID) && (kind == requests || kind == tokens)
	})
}

func (a Allowance) sentence(kind, model string) string {
	way, what, _ := strings.Cut(kind, " model inference ")
	what, _, _ = strings.Cut(what, " ")
	return "The maximum number of " + strings.ToLower(way) + " " + what + " that you can submit for model inference in one minute for " + model +
		". The quota considers the combined sum of Converse, ConverseStream, InvokeModel and InvokeModelWithResponseStream."
}
