package sandbox

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"tegata/awsfake/bedrock"
)

// models is the catalogue with what the scenario says of it.
func (b Bedrock) models() []bedrock.Model {
	all := bedrock.DefaultModels()
	for _, m := range b.Models {
		i := slices.IndexFunc(all, func(known bedrock.Model) bool { return known.ID == m.ID })
		if i < 0 {
			i = len(all)
			all = append(all, bedrock.Model{ID: m.ID, Name: m.ID, InferenceTypes: []string{"ON_DEMAND"}, Streaming: true})
		}
		m.over(&all[i])
	}
	for i := range all {
		all[i].Access = b.access(all[i].ID)
	}
	return all
}

func (m Model) over(known *bedrock.Model) {
	known.Name = cmp.Or(m.Name, known.Name)
	known.Provider = cmp.Or(m.Provider, known.Provider)
	if m.Streaming != nil {
		known.Streaming = *m.Streaming
	}
	if m.InferenceTypes != nil {
		known.InferenceTypes = m.InferenceTypes
	}
	known.Lifecycle = bedrock.Lifecycle{
		Status:    cmp.Or(m.Lifecycle.Status, known.Lifecycle.Status),
		Legacy:    cmp.Or(m.Lifecycle.Legacy, known.Lifecycle.Legacy),
		EndOfLife: cmp.Or(m.Lifecycle.EndOfLife, known.Lifecycle.EndOfLife),
	}
}

// access is what the scenario says of a model under the longest pattern that
// matches its id.
func (b Bedrock) access(id string) string {
	if access := b.Access[longest(b.Access, id)]; access != "granted" {
		return access
	}
	return bedrock.AccessGranted
}

// quota is how much of a kind the scenario grants of a model in a minute, less
// than zero for any amount.
func (b Bedrock) quota(_, id, kind string) float64 {
	q := b.Quotas[longest(b.Quotas, id)]
	limit := q.Tokens
	switch kind {
	case bedrock.OnDemandRequests, bedrock.CrossRegionRequests, bedrock.GlobalRequests:
		limit = q.Requests
	}
	if limit == nil {
		return -1
	}
	return float64(*limit)
}

// longest is the longest pattern that matches an id; "" for none.
func longest[T any](patterns map[string]T, id string) (best string) {
	for _, pattern := range slices.Sorted(maps.Keys(patterns)) {
		if ok, _ := path.Match(pattern, id); ok && len(pattern) > len(best) {
			best = pattern
		}
	}
	return best
}

// profiles is the catalogue with what the scenario says of them.
func (b Bedrock) profiles() []bedrock.Profile {
	all := bedrock.DefaultProfiles("")
	for _, p := range b.Profiles {
		i := slices.IndexFunc(all, func(known bedrock.Profile) bool { return known.ID == p.ID })
		if i < 0 {
			i = len(all)
			all = append(all, bedrock.Profile{ID: p.ID, Name: p.ID})
		}
		p.over(&all[i])
	}
	return all
}

func (p Profile) over(known *bedrock.Profile) {
	known.Name = cmp.Or(p.Name, known.Name)
	if p.Models != nil {
		known.Models = p.Models
	}
	if p.Regions != nil {
		known.Regions = p.Regions
	}
	if p.Source != nil {
		known.Source = p.Source
	}
}
