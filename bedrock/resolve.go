package bedrock

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
)

// areas are the first labels of the ids of system-defined profiles.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html
var areas = []string{"global", "us", "us-gov", "eu", "apac", "jp", "au", "ca", "amer"}

// areasOf lists the areas that serve a region, the narrowest first. Their
// prices are about a tenth above global ones; what they buy is that the data
// stay in the area.
var areasOf = []struct {
	region string // prefix of region names
	areas  []string
}{
	{"ap-northeast-1", []string{"jp", "apac"}},
	{"ap-northeast-3", []string{"jp", "apac"}},
	{"ap-southeast-2", []string{"au", "apac"}},
	{"ap-southeast-4", []string{"au", "apac"}},
	{"ap-", []string{"apac"}},
	{"ca-", []string{"ca", "us", "amer"}},
	{"eu-", []string{"eu"}},
	{"us-gov-", []string{"us-gov"}},
	{"us-", []string{"us", "amer"}},
}

// A NoProfileError says that a region can't call a model at all.
type NoProfileError struct {
	Model, Region string
	Instead       []string // ids that this region can call, those most like Model first
}

func (e *NoProfileError) Error() string {
	s := fmt.Sprintf("find an id for model %s in %s: neither on demand nor in an inference profile", e.Model, e.Region)
	if len(e.Instead) > 0 {
		s += "; these would work: " + strings.Join(e.Instead, ", ")
	}
	return s
}

// Resolve returns the id by which to call a model in this region. The id of a
// model that only inference profiles serve becomes that of a profile: of the
// region's own area if there is one, else the global one. Ids of profiles,
// ARNs and models on demand come back unchanged, the first two without a call.
//
// The error is a [*NoProfileError] when nothing leads to the model from here.
func (c *Client) Resolve(ctx context.Context, id string) (string, error) {
	if strings.HasPrefix(id, "arn:") || isProfile(id) {
		return id, nil
	}
	models, err := c.Models(ctx)
	if err != nil {
		return "", err
	}
	for _, m := range models {
		if call := callable(m, c.config.Region); m.ID == id && call != "" {
			return call, nil
		}
	}
	return "", &NoProfileError{Model: id, Region: c.config.Region, Instead: instead(models, id, c.config.Region)}
}

func isProfile(id string) bool {
	area, rest, _ := strings.Cut(id, ".")
	return strings.Contains(rest, ".") && slices.Contains(areas, area)
}

// baseOf returns the id of the model behind the id of a profile.
func baseOf(id string) string {
	if isProfile(id) {
		_, id, _ = strings.Cut(id, ".")
	}
	return id
}

// callable returns the id by which a region calls a model, or "".
func callable(m Model, region string) string {
	if m.OnDemand() {
		return m.ID
	}
	for _, area := range append(areasFor(region), "global") {
		if id := area + "." + m.ID; slices.Contains(m.Profiles, id) {
			return id
		}
	}
	return ""
}

func areasFor(region string) []string {
	for _, a := range areasOf {
		if strings.HasPrefix(region, a.region) {
			return slices.Clone(a.areas)
		}
	}
	return nil
}

// maxInstead bounds the suggestions of an error to what is read at a glance.
const maxInstead = 5

// instead returns ids of the same provider that can be called, those that
// share most parts of their names with id first.
func instead(models []Model, id, region string) []string {
	var found []Model
	for _, m := range models {
		if providerOf(m.ID) == providerOf(id) && m.Lifecycle.Status != "LEGACY" && callable(m, region) != "" {
			found = append(found, m)
		}
	}
	slices.SortStableFunc(found, func(a, b Model) int { return cmp.Compare(shared(b.ID, id), shared(a.ID, id)) })
	var ids []string
	for _, m := range found[:min(len(found), maxInstead)] {
		ids = append(ids, callable(m, region))
	}
	return ids
}

func providerOf(id string) string {
	provider, _, _ := strings.Cut(baseOf(id), ".")
	return provider
}

// shared counts the parts that two names have in common.
func shared(a, b string) int {
	n := 0
	parts := strings.Split(b, "-")
	for _, p := range strings.Split(a, "-") {
		if slices.Contains(parts, p) {
			n++
		}
	}
	return n
}
