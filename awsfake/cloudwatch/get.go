package cloudwatch

import (
	"encoding/xml"
	"fmt"
	"maps"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

// maxDatapoints is how many GetMetricStatistics may be asked for
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html).
const maxDatapoints = 1440

type statisticsIn struct {
	Namespace, MetricName string
	Dimensions            []dimension
	StartTime, EndTime    *wire.Time
	Period                *int
	Statistics            []string
	ExtendedStatistics    []string
	Unit                  string
}

type statisticsOut struct {
	Label      string
	Datapoints wire.List[datapoint]
}

type datapoint struct {
	Timestamp          wire.Time
	SampleCount        *wire.Double `xml:",omitempty" json:",omitempty"`
	Average            *wire.Double `xml:",omitempty" json:",omitempty"`
	Sum                *wire.Double `xml:",omitempty" json:",omitempty"`
	Minimum            *wire.Double `xml:",omitempty" json:",omitempty"`
	Maximum            *wire.Double `xml:",omitempty" json:",omitempty"`
	Unit               string
	ExtendedStatistics percentiles `xml:",omitempty" json:",omitempty"`
}

// percentiles are values by the names of their statistics.
type percentiles map[string]wire.Double

// MarshalXML writes the entries of a map as the query protocol has them.
func (p percentiles) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	type entry struct {
		Key   string      `xml:"key"`
		Value wire.Double `xml:"value"`
	}
	var all struct {
		Entries []entry `xml:"entry"`
	}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		all.Entries = append(all.Entries, entry{name, p[name]})
	}
	return e.EncodeElement(all, start)
}

func (s *Service) getMetricStatistics(c *wire.Call, in statisticsIn) (statisticsOut, error) {
	asked, err := in.check(c.Now())
	if err != nil {
		return statisticsOut{}, err
	}
	if err := c.Authorize("cloudwatch:GetMetricStatistics", "*", nil); err != nil {
		return statisticsOut{}, err
	}
	out := statisticsOut{Label: in.MetricName}
	for _, d := range s.Metrics.Read(c.Region, Metric{in.Namespace, in.MetricName, named(in.Dimensions)}, in.Unit, asked, c.Now()) {
		out.Datapoints = append(out.Datapoints, in.shown(d))
	}
	return out, nil
}

// check returns the span that is asked for. Periods begin with StartTime,
// rounded down to a minute, or to the period where that is less.
func (in statisticsIn) check(now time.Time) (Span, error) {
	var v checks
	v.namespace(in.Namespace)
	v.length("MetricName", in.MetricName, maxName)
	v.dimensions("Dimensions", in.Dimensions)
	v.required("StartTime", in.StartTime != nil)
	v.required("EndTime", in.EndTime != nil)
	period := v.period("Period", in.Period)
	v.unit("Unit", in.Unit)
	v.statistics(in)
	if in.StartTime != nil && in.EndTime != nil && !in.StartTime.Before(in.EndTime.Time) {
		v.wrong("The parameter StartTime must be less than the parameter EndTime.")
	}
	if err := v.err(); err != nil {
		return Span{}, err
	}
	asked := Span{in.StartTime.Truncate(grain(in.StartTime.Time, now, period)), in.EndTime.Time, period}
	if n := int(in.EndTime.Sub(in.StartTime.Time) / period); n > maxDatapoints {
		return Span{}, refuse(invalidCombination, fmt.Sprintf("You have requested up to %d datapoints, which exceeds the limit of %d. "+
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range.", n, maxDatapoints))
	}
	return asked, nil
}

// grain is what the beginning of a span is rounded down to.
func grain(start, now time.Time, period time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch age := now.Sub(start); {
	case age >= 63*day:
		return time.Hour
	case age >= 15*day:
		return 5 * time.Minute
	}
	return min(period, time.Minute)
}

func (v *checks) statistics(in statisticsIn) {
	if len(in.Statistics) == 0 && len(in.ExtendedStatistics) == 0 {
		v.clash("Must specify either Statistics or ExtendedStatistics.")
	}
	if len(in.Statistics) > 0 && len(in.ExtendedStatistics) > 0 {
		v.clash("The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.")
	}
	for i, name := range in.Statistics {
		v.oneOf(fmt.Sprintf("Statistics.member.%d", i+1), name, statistics()...)
	}
	v.size("ExtendedStatistics", len(in.ExtendedStatistics), 10)
	for _, name := range in.ExtendedStatistics {
		if _, ok := percentile(name); !ok {
			v.wrong("The value %s for parameter ExtendedStatistics is not supported.", name)
		}
	}
}

func (in statisticsIn) shown(d Datum) datapoint {
	shown := datapoint{Timestamp: wire.Time{Time: d.At}, Unit: d.Unit}
	member := map[string]**wire.Double{
		sampleCount: &shown.SampleCount, average: &shown.Average, sum: &shown.Sum, minimum: &shown.Minimum, maximum: &shown.Maximum,
	}
	for _, name := range in.Statistics {
		value, _ := d.statistic(name)
		*member[name] = (*wire.Double)(&value)
	}
	for _, name := range in.ExtendedStatistics {
		if value, ok := d.statistic(name); ok {
			if shown.ExtendedStatistics == nil {
				shown.ExtendedStatistics = percentiles{}
			}
			shown.ExtendedStatistics[name] = wire.Double(value)
		}
	}
	return shown
}
