package scan

import (
	"maps"
	"slices"

	"tegata/internal/edit"
)

// A Change is what mends the results of one file.
type Change struct {
	Path          string
	Before, After []byte
	Results       []*Result // that are mended
}

// Why a result is not mended, besides what detectors say.
const (
	whyNotUnderstood = "the rewritten text would not be understood again"
	whyOverlaps      = "another change stands in the same place"
	whyCallersLeft   = "something on it still asks without a token"
)

// mendable returns the results that edits mend, without settings: those wait
// for what other files say.
func (r *reading) mendable() (all []*Result) {
	for _, f := range r.results {
		if len(f.Edits) > 0 && !r.isSetting(f) {
			all = append(all, f)
		}
	}
	return all
}

func (r *reading) isSetting(f *Result) bool {
	return slices.ContainsFunc(r.units, func(u *joined) bool { return slices.Contains(u.settings, f) })
}

// verify applies the edits of results and reads the outcome again. What it
// would not mend, or what would make new findings, is withheld. It returns the
// outcome for those that are left.
func (o *Options) verify(r *reading, chosen []*Result) (after []byte, mended []*Result) {
	if len(chosen) == 0 {
		return r.data, nil
	}
	if slices.Equal(chosen, r.mended) {
		return r.after, chosen
	}
	defer func() { r.after, r.mended = after, mended }()
	if after, why := o.tried(r, chosen); why == "" {
		return after, chosen
	}
	after = r.data
	for _, f := range chosen { // one by one: the others should not wait for the bad one
		next, why := o.tried(r, append(slices.Clone(mended), f))
		if why != "" {
			f.Edits, f.Why = nil, why
			continue
		}
		after, mended = next, append(mended, f)
	}
	return after, mended
}

// tried returns the file with the edits of all results, or why they can't be
// made.
func (o *Options) tried(r *reading, chosen []*Result) (after []byte, why string) {
	text, err := edit.Apply(string(r.data), editsOf(chosen))
	if err != nil {
		return nil, whyOverlaps
	}
	next := r.source
	next.data = []byte(text)
	again, err := o.read(next)
	if err != nil || !mends(r.results, again.results, chosen) {
		return nil, whyNotUnderstood
	}
	return next.data, ""
}

func editsOf(results []*Result) (all []edit.Edit) {
	for _, f := range results {
		all = append(all, f.Edits...)
	}
	return all
}

// mends reports whether what was found after a change is what was found
// before, without what was to be mended.
func mends(before, after, mended []*Result) bool {
	left := map[string]int{}
	for _, f := range before {
		left[f.ID]++
	}
	for _, f := range mended {
		left[f.ID]--
	}
	found := map[string]int{}
	for _, f := range after {
		found[f.ID]++
	}
	for id := range maps.Keys(found) {
		if found[id] > left[id] {
			return false
		}
	}
	return true
}

// change returns what mends the told results of a file.
func (s *scan) change(r *reading, told []*Result) (c Change, ok bool) {
	s.settle(r)
	var chosen []*Result
	for _, f := range told {
		if len(f.Edits) > 0 && !(s.Write && f.onlyShown()) {
			chosen = append(chosen, f)
		}
	}
	after, mended := s.verify(r, chosen)
	return Change{Path: r.path, Before: r.data, After: after, Results: mended}, len(mended) > 0
}

// settle withholds the edits of settings while something on their unit would
// break.
func (s *scan) settle(r *reading) {
	for _, u := range r.units {
		if u.clean(s.Write) {
			continue
		}
		for _, f := range u.settings {
			if len(f.Edits) > 0 {
				f.Edits, f.Why = nil, whyCallersLeft
			}
		}
	}
}

// onlyShown reports whether the rewrite is for a person to look at before it
// is written: PowerShell's has not been run by any test.
func (r *Result) onlyShown() bool { return r.Evident("interpreter") == "powershell" }
