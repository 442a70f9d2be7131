package cloudwatch

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// The limits of PutMetricData
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html).
const (
	maxMetrics = 1000
	maxUnique  = 150 // values of one metric
	maxAge     = 14 * 24 * time.Hour
	maxAhead   = 2 * time.Hour
	maxLog2    = 360 // of a value
)

type metricIn struct {
	MetricName        string
	Dimensions        []dimension
	Timestamp         *wire.Time
	Value             *wire.Double
	StatisticValues   *setIn
	Values, Counts    []wire.Double
	Unit              string
	StorageResolution *int
}

type setIn struct{ SampleCount, Sum, Minimum, Maximum *wire.Double }

type putIn struct {
	Namespace        string
	MetricData       []metricIn
	EntityMetricData []struct{ MetricData []metricIn }
}

// all are the metrics of a call, and how CloudWatch names each.
func (in putIn) all() (metrics []metricIn, names []string) {
	add := func(collection string, more []metricIn) {
		for i, d := range more {
			metrics = append(metrics, d)
			names = append(names, fmt.Sprintf("%s.member.%d", collection, i+1))
		}
	}
	add("MetricData", in.MetricData)
	for i, e := range in.EntityMetricData {
		add(fmt.Sprintf("EntityMetricData.member.%d.MetricData", i+1), e.MetricData)
	}
	return metrics, names
}

func (s *Service) putMetricData(c *wire.Call, in putIn) (wire.Empty, error) {
	metrics, names := in.all()
	var v checks
	v.namespace(in.Namespace)
	if strings.HasPrefix(in.Namespace, "AWS/") {
		v.wrong("The value AWS/ for parameter Namespace is invalid.")
	}
	v.required("MetricData", len(metrics) > 0)
	v.size("MetricData", len(metrics), maxMetrics)
	if len(metrics) <= maxMetrics {
		for i, d := range metrics {
			v.metric(names[i], d, c.Now())
		}
	}
	if err := v.err(); err != nil {
		return wire.Empty{}, err
	}
	if err := c.Authorize("cloudwatch:PutMetricData", "*", map[string]string{"cloudwatch:namespace": in.Namespace}); err != nil {
		return wire.Empty{}, err
	}
	for _, d := range metrics {
		s.Metrics.Add(c.Region, Metric{in.Namespace, d.MetricName, named(d.Dimensions)}, d.sample(c.Now()), c.Now())
	}
	return wire.Empty{}, nil
}

func (v *checks) metric(name string, d metricIn, now time.Time) {
	v.length(name+".MetricName", d.MetricName, maxName)
	v.dimensions(name+".Dimensions", d.Dimensions)
	v.unit(name+".Unit", d.Unit)
	if t := d.Timestamp; t != nil && (t.Before(now.Add(-maxAge)) || t.After(now.Add(maxAhead))) {
		v.wrong("The parameter %s.Timestamp must specify a time within the past two weeks.", name)
	}
	if r := d.StorageResolution; r != nil && *r != 1 && *r != 60 {
		v.wrong("The parameter %s.StorageResolution must be a value in the set [ 1, 60 ].", name)
	}
	v.measured(name, d)
}

// measured wants one of Value, Values and StatisticValues, and nothing that
// can't be measured in them.
func (v *checks) measured(name string, d metricIn) {
	switch {
	case d.Value != nil && d.StatisticValues != nil:
		v.clash("The parameters %s.Value and %[1]s.StatisticValues are mutually exclusive and you have specified both.", name)
	case d.Value != nil && len(d.Values) > 0:
		v.clash("The parameters %s.Value and %[1]s.Values are mutually exclusive and you have specified both.", name)
	case d.StatisticValues != nil && len(d.Values) > 0:
		v.clash("The parameters %s.Values and %[1]s.StatisticValues are mutually exclusive and you have specified both.", name)
	case d.Value != nil:
		v.number(name+".Value", *d.Value)
	case d.StatisticValues != nil:
		v.set(name+".StatisticValues", *d.StatisticValues)
	case len(d.Values) > 0:
		v.values(name, d)
	default:
		v.clash("At least one of the parameters %s.Value and %[1]s.StatisticValues must be specified.", name)
	}
}

// number refuses what isn't finite, and shows it as AWS does.
func (v *checks) number(parameter string, d wire.Double) {
	f := float64(d)
	switch {
	case math.IsNaN(f):
		v.wrong("The value \uFFFD for parameter %s is invalid.", parameter)
	case math.IsInf(f, 0):
		v.wrong("The value %s for parameter %s is invalid.", strings.Trim(strconv.FormatFloat(f, 'f', -1, 64), "+Inf")+"∞", parameter)
	case math.Abs(f) > math.Ldexp(1, maxLog2):
		v.wrong("The value %v for parameter %s is invalid.", f, parameter)
	}
}

func (v *checks) set(name string, s setIn) {
	ok := true
	for _, member := range []struct {
		name  string
		value *wire.Double
	}{{"Maximum", s.Maximum}, {"Minimum", s.Minimum}, {"SampleCount", s.SampleCount}, {"Sum", s.Sum}} {
		v.required(name+"."+member.name, member.value != nil)
		if ok = ok && member.value != nil; member.value != nil {
			v.number(name+"."+member.name, *member.value)
		}
	}
	switch {
	case !ok:
	case *s.Maximum < *s.Minimum:
		v.wrong("The parameter %s.Maximum must be greater than %[1]s.Minimum.", name)
	case *s.SampleCount < 0:
		v.wrong("The parameter %s.SampleCount must be greater than 0.", name)
	case *s.SampleCount == 0:
		v.wrong("The parameter %s.SampleCount must not equal 0.", name)
	}
}

func (v *checks) values(name string, d metricIn) {
	v.size(name+".Values", len(d.Values), maxUnique)
	if d.Counts != nil && len(d.Counts) != len(d.Values) {
		v.wrong("The parameters %s.Values and %[1]s.Counts must be of the same size.", name)
	}
	for i, f := range d.Values {
		v.number(fmt.Sprintf("%s.Values.member.%d", name, i+1), f)
	}
	for i, n := range d.Counts {
		v.number(fmt.Sprintf("%s.Counts.member.%d", name, i+1), n)
		if n <= 0 {
			v.wrong("The parameter %s.Counts.member.%d must be greater than 0.", name, i+1)
		}
	}
}

// sample is what was measured, now if nobody says when.
func (d metricIn) sample(now time.Time) Sample {
	sample := Sample{At: now, Unit: d.Unit, Second: d.StorageResolution != nil && *d.StorageResolution == 1}
	if d.Timestamp != nil {
		sample.At = d.Timestamp.Time
	}
	switch {
	case d.Value != nil:
		sample.Values = Values(float64(*d.Value))
	case d.StatisticValues != nil:
		s := d.StatisticValues
		sample.Set = Set{float64(*s.SampleCount), float64(*s.Sum), float64(*s.Minimum), float64(*s.Maximum)}
	default:
		sample.Values = map[float64]float64{}
		for i, f := range d.Values {
			n := 1.0
			if d.Counts != nil {
				n = float64(d.Counts[i])
			}
			sample.Values[float64(f)] += n
		}
	}
	return sample
}
