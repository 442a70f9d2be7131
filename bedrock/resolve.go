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
		if call := m.CallIn(c.config.Region); m.ID == id && call != "" {
			return call, nil
		}
	}
	return "", &NoProfileError{Model: id, Region: c.config.Region, Instead: Alternatives(models, id, c.config.Region)}
}

func isProfile(id string) bool {
	area, rest, _ := strings.Cut(id, ".")
	return strings.Contains(rest, ".") && slices.Contains(areas, area)
}

// BaseID returns the id of the model behind the id of a profile, or behind an
// ARN of either. The id of a model comes back unchanged.
func BaseID(id string) string {
	id = id[strings.LastIndexByte(id, '/')+1:]
	if isProfile(id) {
		_, id, _ = strings.Cut(id, ".")
	}
	return id
}

// CallIn returns the id by which to call the model in a region: its own if it
// takes calls on demand, else that of the profile that keeps the data
// nearest. It returns "" if there is none.
func (m Model) CallIn(region string) string {
	if m.OnDemand() {
		return m.ID
	}
	near := areasFor(region)
	distance := func(profile string) int {
		switch area, _, _ := strings.Cut(profile, "."); {
		case slices.Contains(near, area):
			return slices.Index(near, area)
		case area == "global":
			return len(near) + 1
		case slices.Contains(areas, area):
			return len(near) + 2
		}
		return len(near) // an area newer than our lists, and offered here
	}
	best := ""
	for _, p := range m.Profiles {
		if strings.HasSuffix(p, "."+m.ID) && (best == "" || distance(p) < distance(best)) {
			best = p
		}
	}
	return best
}

func areasFor(region string) []string {
	for _, a := range areasOf {
		if strings.HasPrefix(region, a.region) {
			return slices.Clone(a.areas)
		}
	}
	return nil
}

// maxInstead bounds suggestions to what is read at a glance.
const maxInstead = 5

// Alternatives returns up to five ids that a region can call instead of a
// model, those of the same provider that are not about to end. The names that
// are most like the model's stand first, and the newer before the older.
func Alternatives(models []Model, id, region string) []string {
	var found []Model
	for _, m := range models {
		if providerOf(m.ID) == providerOf(id) && m.ID != BaseID(id) && m.Lifecycle.Status != "LEGACY" && m.CallIn(region) != "" {
			found = append(found, m)
		}
	}
	old := words(id)
	slices.SortStableFunc(found, func(a, b Model) int {
		return cmp.Or(cmp.Compare(shared(words(b.ID), old), shared(words(a.ID), old)), cmp.Compare(b.ID, a.ID))
	})
	var ids []string
	for _, m := range found[:min(len(found), maxInstead)] {
		ids = append(ids, m.CallIn(region))
	}
	return ids
}

func providerOf(id string) string {
	provider, _, _ := strings.Cut(BaseID(id), ".")
	return provider
}

// words are the parts of a model's name that are no version.
func words(id string) []string {
	parts := strings.FieldsFunc(BaseID(id), func(r rune) bool { return r == '.' || r == '-' })
	return slices.DeleteFunc(parts, func(p string) bool { return strings.Trim(p, "0123456789v:") == "" })
}

// shared counts the words that two names have in common.
func shared(a, b []string) int {
	n := 0
	for _, w := range a {
		if slices.Contains(b, w) {
			n++
		}
	}
	return n
}
