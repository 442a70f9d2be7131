package cloudwatch

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The statistics that are asked for by name.
const (
	sampleCount = "SampleCount"
	average     = "Average"
	sum         = "Sum"
	minimum     = "Minimum"
	maximum     = "Maximum"
)

func statistics() []string { return []string{sampleCount, average, sum, minimum, maximum} }

// statistic is what a point comes to by one of the statistics, or by a
// percentile such as p99.9. Not ok means that AWS has none: percentiles need to
// know each value.
func (p point) statistic(name string) (value float64, ok bool) {
	switch name {
	case sampleCount:
		return p.Count, true
	case average:
		return p.Sum / p.Count, true
	case sum:
		return p.Sum, true
	case minimum:
		return p.Least, true
	case maximum:
		return p.Most, true
	}
	rank, ok := percentile(name)
	if !ok || p.values == nil || p.Least < 0 {
		return 0, false
	}
	return p.percentile(rank), true
}

// percentile reads p0 to p100.
func percentile(name string) (rank float64, ok bool) {
	text, ok := strings.CutPrefix(name, "p")
	rank, err := strconv.ParseFloat(text, 64)
	return rank, ok && err == nil && text[0] != '+' && rank >= 0 && rank <= 100
}

// percentile is the least value that so many percent of the values don't
// exceed.
func (p point) percentile(rank float64) float64 {
	var seen float64
	for _, v := range slices.Sorted(maps.Keys(p.values)) {
		if seen += p.values[v]; seen >= p.Count*rank/100 {
			return v
		}
	}
	return p.Most
}
