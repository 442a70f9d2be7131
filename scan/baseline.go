package scan

import (
	"encoding/json"
	"fmt"
	"io"
)

// A Baseline is what an earlier scan found. Nil knows nothing.
type Baseline struct {
	left map[string]int // how many results of a fingerprint are still to come
}

// ReadBaseline reads what [Report.JSON] wrote.
func ReadBaseline(r io.Reader) (*Baseline, error) {
	var in jsonReport
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return nil, fmt.Errorf("read the baseline: %w", err)
	}
	if in.Version != Version {
		return nil, fmt.Errorf("read the baseline: it has version %d, want %d", in.Version, Version)
	}
	b := &Baseline{left: map[string]int{}}
	for _, f := range in.Findings {
		b.left[f.Fingerprint]++
	}
	return b, nil
}

// knows reports whether the result was found before. Two that are alike count
// as two.
func (b *Baseline) knows(r *Result) bool {
	if b == nil || b.left[r.Fingerprint()] == 0 {
		return false
	}
	b.left[r.Fingerprint()]--
	return true
}
