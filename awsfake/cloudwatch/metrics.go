package cloudwatch

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// kept is how long what was measured stays. AWS has 15 days for one minute,
// and less exact figures for longer.
const kept = 15 * 24 * time.Hour

// Metrics is what was measured in an account. The zero value is ready. It may
// be used from many goroutines.
type Metrics struct {
	// OnRead, if not nil, is called before what was measured is read, so that
	// whoever counts can bring it up to date. It must be set before the first use.
	OnRead func()

	mu      sync.Mutex
	series  map[string]*series
	points  int
	sweepAt int // how many points make a sweep worth its time
	most    int // points; 0 means maxPoints
}

// A Metric is the name of a series of measurements. The order of its
// dimensions means nothing.
type Metric struct {
	Namespace, Name string
	Dimensions      []Dimension
}

// A Dimension is part of a metric's name.
type Dimension struct{ Name, Value string }

// A Sample is what was measured in a moment: values, or what they come to.
type Sample struct {
	At     time.Time // to the minute; with Second, to the second
	Second bool
	Unit   string // "" means None
	Values map[float64]float64
	Set    Set // of no Values
}

// A Set is what some values come to.
type Set struct{ Count, Sum, Least, Most float64 }

// series are the measurements of one metric in one region.
type series struct {
	region string
	metric Metric
	points map[moment]*point
	last   time.Time // the newest point
}

type moment struct {
	second int64
	unit   string
}

// A point is what was measured in one moment. Values is how often each value
// occurred, or nil where only sets are known.
type point struct {
	Set
	values map[float64]float64
}

// Values counts how often each value occurs.
func Values(values ...float64) map[float64]float64 {
	all := map[float64]float64{}
	for _, v := range values {
		all[v]++
	}
	return all
}

// key names a metric in a region, whatever the order of its dimensions.
func (m Metric) key(region string) string {
	parts := []string{region, m.Namespace, m.Name}
	for _, d := range m.Dimensions {
		parts = append(parts, d.Name, d.Value)
	}
	return strings.Join(parts, "\x00")
}

func (m Metric) sorted() Metric {
	m.Dimensions = slices.SortedFunc(slices.Values(m.Dimensions), func(a, b Dimension) int { return cmp.Compare(a.Name, b.Name) })
	return m
}

// Add adds a sample to what was measured in its moment.
func (m *Metrics) Add(region string, metric Metric, sample Sample, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.place(region, metric, sample, now).add(sample.point())
}

// Put makes a sample all that was measured in its moment.
func (m *Metrics) Put(region string, metric Metric, sample Sample, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	*m.place(region, metric, sample, now) = *sample.point()
}

// place returns the point that a sample belongs to.
func (m *Metrics) place(region string, metric Metric, sample Sample, now time.Time) *point {
	if m.points >= m.sweepAt {
		m.sweep(now)
	}
	metric = metric.sorted()
	key := metric.key(region)
	s := m.series[key]
	if s == nil {
		if m.series == nil {
			m.series = map[string]*series{}
		}
		s = &series{region: region, metric: metric, points: map[moment]*point{}}
		m.series[key] = s
	}
	at := moment{sample.At.Truncate(time.Minute).Unix(), cmp.Or(sample.Unit, "None")}
	if sample.Second {
		at.second = sample.At.Unix()
	}
	if sample.At.After(s.last) {
		s.last = sample.At
	}
	if s.points[at] == nil {
		s.points[at] = &point{values: map[float64]float64{}}
		m.points++
	}
	return s.points[at]
}

// maxPoints bounds the memory of what was measured: about 100 bytes each.
const maxPoints = 500_000

// sweep takes away what is too old, and series that have been still the
// longest as long as there is too much.
func (m *Metrics) sweep(now time.Time) {
	oldest := now.Add(-kept).Unix()
	for key, s := range m.series {
		maps.DeleteFunc(s.points, func(at moment, _ *point) bool { return at.second < oldest })
		if len(s.points) == 0 {
			delete(m.series, key)
		}
	}
	m.points = 0
	for _, s := range m.series {
		m.points += len(s.points)
	}
	most := cmp.Or(m.most, maxPoints)
	still := slices.SortedFunc(maps.Keys(m.series), func(a, b string) int { return m.series[a].last.Compare(m.series[b].last) })
	for _, key := range still {
		if m.points < most*9/10 {
			break
		}
		m.points -= len(m.series[key].points)
		delete(m.series, key)
	}
	m.sweepAt = min(max(2*m.points, 10_000), most)
}

// maxValues is how many values of a point are told apart, which percentiles
// need.
const maxValues = 5000

func (s Sample) point() *point {
	p := &point{Set: s.Set}
	if s.Values == nil {
		if s.Set.Count == 1 || s.Set.Least == s.Set.Most {
			p.values = map[float64]float64{s.Set.Least: s.Set.Count}
		}
		return p
	}
	p.Set, p.values = Set{}, maps.Clone(s.Values)
	for v, n := range s.Values {
		p.Set = p.Set.with(Set{n, n * v, v, v})
	}
	return p
}

func (p *point) add(more *point) {
	p.Set = p.Set.with(more.Set)
	if p.values == nil || more.values == nil || len(p.values)+len(more.values) > maxValues {
		p.values = nil
		return
	}
	for v, n := range more.values {
		p.values[v] += n
	}
}

// with is what two sets come to. The zero set is that of no values.
func (s Set) with(o Set) Set {
	switch {
	case s == Set{}:
		return o
	case o == Set{}:
		return s
	}
	return Set{s.Count + o.Count, s.Sum + o.Sum, min(s.Least, o.Least), max(s.Most, o.Most)}
}

// A Span is the time that is asked for: periods from Start on, up to End,
// which is not in it.
type Span struct {
	Start, End time.Time
	Period     time.Duration
}

// A Datum is what was measured in one period, in one unit.
type Datum struct {
	At   time.Time // the beginning
	Unit string
	point
}

// Read returns what was measured in a span, in one unit or, with "", in each.
func (m *Metrics) Read(region string, metric Metric, unit string, in Span, now time.Time) []Datum {
	m.refresh()
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.series[metric.sorted().key(region)]
	if s == nil {
		return nil
	}
	oldest := now.Add(-kept)
	found := map[moment]*point{}
	for at, p := range s.points {
		t := time.Unix(at.second, 0)
		if t.Before(in.Start) || !t.Before(in.End) || t.Before(oldest) || unit != "" && unit != at.unit {
			continue
		}
		at.second = int64(t.Sub(in.Start) / in.Period)
		if found[at] == nil {
			found[at] = &point{values: map[float64]float64{}}
		}
		found[at].add(p)
	}
	var all []Datum
	for at, p := range found {
		all = append(all, Datum{in.Start.Add(time.Duration(at.second) * in.Period), at.unit, *p})
	}
	slices.SortFunc(all, func(a, b Datum) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Unit, b.Unit)) })
	return all
}

func (m *Metrics) refresh() {
	if m.OnRead != nil {
		m.OnRead()
	}
}

// names returns the metrics of a region of which something was measured since
// then, in order.
func (m *Metrics) names(region string, since time.Time) []Metric {
	m.refresh()
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []Metric
	for _, key := range slices.Sorted(maps.Keys(m.series)) {
		if s := m.series[key]; s.region == region && !s.last.Before(since) {
			all = append(all, s.metric)
		}
	}
	return all
}
