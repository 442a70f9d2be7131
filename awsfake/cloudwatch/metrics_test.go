package cloudwatch

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// sums are what was measured in each minute of the last hour.
func sums(m *Metrics, metric Metric, now time.Time) (all []string) {
	for _, d := range m.Read("eu-west-1", metric, "", Span{now.Add(-time.Hour), now.Add(time.Hour), time.Minute}, now) {
		all = append(all, fmt.Sprintf("%s %s %v/%v", d.At.Format("15:04"), d.Unit, d.Sum, d.Count))
	}
	return all
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	one := Metric{"App", "m", []Dimension{{"a", "1"}, {"b", "2"}}}
	other := Metric{"App", "m", []Dimension{{"b", "2"}, {"a", "1"}}} // the same in another order
	var m Metrics
	add := func(metric Metric, s Sample) { m.Add("eu-west-1", metric, s, epoch) }
	add(one, Sample{At: epoch, Values: Values(1, 2)})
	add(other, Sample{At: epoch.Add(59 * time.Second), Values: map[float64]float64{3: 2}})
	add(one, Sample{At: epoch, Unit: "Count", Values: Values(5)})
	add(one, Sample{At: epoch.Add(time.Minute), Set: Set{2, 10, 4, 6}})
	m.Put("eu-west-1", one, Sample{At: epoch.Add(2 * time.Minute), Values: Values(1)}, epoch)
	m.Put("eu-west-1", one, Sample{At: epoch.Add(2 * time.Minute), Values: Values(7, 0)}, epoch)
	m.Add("us-east-1", one, Sample{At: epoch, Values: Values(100)}, epoch)
	want := []string{"12:00 Count 5/1", "12:00 None 9/4", "12:01 None 10/2", "12:02 None 7/2"}
	if diff := cmp.Diff(want, sums(&m, other, epoch)); diff != "" {
		t.Error(diff)
	}
	if got := sums(&m, one, epoch.Add(kept+time.Minute)); got != nil {
		t.Errorf("after 15 days: %v", got)
	}
}

// Whoever counts is asked before anything is read.
func TestMetricsOnRead(t *testing.T) {
	t.Parallel()
	var m Metrics
	n := 0.0
	metric := Metric{Namespace: "App", Name: "m"}
	m.OnRead = func() {
		n++
		m.Put("eu-west-1", metric, Sample{At: epoch, Values: Values(n)}, epoch)
	}
	if got := m.names("eu-west-1", epoch); len(got) != 1 {
		t.Errorf("listed: %v", got)
	}
	if diff := cmp.Diff([]string{"12:00 None 2/1"}, sums(&m, metric, epoch)); diff != "" {
		t.Error(diff)
	}
}

// However much is measured, what is kept is bounded: the old goes, then what
// has been still the longest.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	const most = 10_000
	m := Metrics{most: most}
	series := func(n int) Metric { return Metric{Namespace: "App", Name: fmt.Sprint(n)} }
	const each = 400
	for n := range 2 * most / each {
		for i := range each {
			m.Add("eu-west-1", series(n), Sample{At: epoch.Add(time.Duration(i-each) * time.Minute), Set: Set{1, 1, 1, 1}}, epoch)
		}
		m.Add("eu-west-1", series(n), Sample{At: epoch.Add(time.Duration(n) * time.Second), Second: true, Set: Set{1, 1, 1, 1}}, epoch)
	}
	points := 0
	for _, s := range m.series {
		points += len(s.points)
	}
	if points > most || points < most/2 || points != m.points {
		t.Errorf("%d points, counted as %d", points, m.points)
	}
	last := 2*most/each - 1
	if m.series[series(0).key("eu-west-1")] != nil || m.series[series(last).key("eu-west-1")] == nil {
		t.Error("the first series is still there, or the last is not")
	}
	m.sweep(epoch.Add(kept + time.Hour))
	if len(m.series) != 0 || m.points != 0 {
		t.Errorf("%d series of %d points after 15 days", len(m.series), m.points)
	}
}

// Measuring and reading at the same time, for the race detector.
func TestMetricsAtOnce(t *testing.T) {
	t.Parallel()
	var m Metrics
	metric := Metric{Namespace: "App", Name: "m"}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				m.Add("eu-west-1", metric, Sample{At: epoch, Values: Values(1)}, epoch)
				m.Read("eu-west-1", metric, "", Span{epoch, epoch.Add(time.Minute), time.Minute}, epoch)
			}
		})
	}
	all.Wait()
	if diff := cmp.Diff([]string{"12:00 None 800/800"}, sums(&m, metric, epoch)); diff != "" {
		t.Error(diff)
	}
}

func TestPercentiles(t *testing.T) {
	t.Parallel()
	p := *Sample{Values: map[float64]float64{1: 50, 2: 40, 3: 10}}.point()
	for name, want := range map[string]float64{"p0": 1, "p50": 1, "p50.1": 2, "p90": 2, "p99.9": 3, "p100": 3} {
		if got, ok := p.statistic(name); got != want || !ok {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"p101", "p-1", "p", "pNaN", "50", "p+5", "Median"} {
		if got, ok := p.statistic(name); ok {
			t.Errorf("%s: %v", name, got)
		}
	}
}
