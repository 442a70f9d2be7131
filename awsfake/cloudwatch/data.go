package cloudwatch

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

// A query is what GetMetricData and alarms ask for: a statistic of a metric, or
// an expression over other queries.
type query struct {
	ID         string      `query:"Id" json:"Id" xml:"Id"`
	MetricStat *metricStat `json:",omitempty" xml:",omitempty"`
	Expression string      `json:",omitempty" xml:",omitempty"`
	Label      string      `json:",omitempty" xml:",omitempty"`
	ReturnData *bool       `json:",omitempty" xml:",omitempty"` // nil means true
	Period     *int        `json:",omitempty" xml:",omitempty"`
	AccountID  string      `query:"AccountId" json:"AccountId,omitempty" xml:"AccountId,omitempty"`
}

type metricStat struct {
	Metric shownMetric
	Period *int
	Stat   string
	Unit   string `json:",omitempty" xml:",omitempty"`
}

func (q query) returned() bool { return q.ReturnData == nil || *q.ReturnData }

// The limits of GetMetricData
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html).
const (
	maxQueries  = 500
	dataPage    = 100_800
	queryID     = `^[a-z][a-zA-Z0-9_]*$`
	ascending   = "TimestampAscending"
	descending  = "TimestampDescending"
	complete    = "Complete"
	partialData = "PartialData"
)

type dataIn struct {
	MetricDataQueries  []query
	StartTime, EndTime *wire.Time
	NextToken          string
	ScanBy             string
	MaxDatapoints      *int
}

type dataOut struct {
	MetricDataResults wire.List[dataResult]
	Messages          wire.List[answered]
	NextToken         string `json:",omitempty" xml:",omitempty"`
}

type dataResult struct {
	ID         string `json:"Id" xml:"Id"`
	Label      string
	Timestamps wire.List[wire.Time]
	Values     wire.List[wire.Double]
	StatusCode string
}

func (s *Service) getMetricData(c *wire.Call, in dataIn) (dataOut, error) {
	if err := in.check(); err != nil {
		return dataOut{}, err
	}
	if err := c.Authorize("cloudwatch:GetMetricData", "*", nil); err != nil {
		return dataOut{}, err
	}
	asked := Span{Start: in.StartTime.Time, End: in.EndTime.Time}
	results := s.results(c.Region, in.MetricDataQueries, asked, c.Now())
	var all []found
	for i, q := range in.MetricDataQueries {
		if !q.returned() {
			continue
		}
		r, err := results.of(q.ID)
		if err != nil {
			return dataOut{}, err
		}
		if r.points == nil {
			return dataOut{}, q.wrong(errNoSeries)
		}
		all = append(all, r.found(i, in.ScanBy)...)
	}
	return in.page(all)
}

// found is a value of a query.
type found struct {
	query int
	at    int64
	value float64
}

// page cuts a page out of all values. A query of which more is to come has
// partial data.
func (in dataIn) page(all []found) (dataOut, error) {
	size := dataPage
	if in.MaxDatapoints != nil {
		size = min(max(1, *in.MaxDatapoints), dataPage)
	}
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return dataOut{}, refuse("InvalidNextToken", "The next token specified is invalid.")
	}
	out := dataOut{NextToken: next}
	cut := -1
	if next != "" {
		cut = page[len(page)-1].query
	}
	for i, q := range in.MetricDataQueries {
		if !q.returned() {
			continue
		}
		r := dataResult{ID: q.ID, Label: q.label(), StatusCode: complete}
		for _, f := range page {
			if f.query == i {
				r.Timestamps = append(r.Timestamps, wire.Time{Time: time.Unix(f.at, 0)})
				r.Values = append(r.Values, wire.Double(f.value))
			}
		}
		if cut >= 0 && i >= cut {
			r.StatusCode = partialData
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	return out, nil
}

// label is what a query is called where it doesn't say.
func (q query) label() string {
	switch {
	case q.Label != "":
		return q.Label
	case q.MetricStat != nil:
		return q.MetricStat.Metric.MetricName
	}
	return q.ID
}

func (in dataIn) check() error {
	var v checks
	v.required("MetricDataQueries", len(in.MetricDataQueries) > 0)
	v.required("StartTime", in.StartTime != nil)
	v.required("EndTime", in.EndTime != nil)
	v.size("MetricDataQueries", len(in.MetricDataQueries), maxQueries)
	if in.ScanBy != "" {
		v.oneOf("ScanBy", in.ScanBy, descending, ascending)
	}
	if err := v.err(); err != nil {
		return err
	}
	if !in.StartTime.Before(in.EndTime.Time) {
		return invalid("The parameter StartTime must be less than the parameter EndTime.")
	}
	return checkQueries("MetricDataQueries", in.MetricDataQueries)
}

func checkQueries(collection string, all []query) error {
	pattern := regexp.MustCompile(queryID)
	seen := map[string]bool{}
	for i, q := range all {
		name := fmt.Sprintf("%s.member.%d", collection, i+1)
		switch {
		case !pattern.MatchString(q.ID) || len(q.ID) > maxName:
			return invalid("The value " + q.ID + " for parameter " + name + ".Id is not matching the expected pattern " + queryID + ".")
		case seen[q.ID]:
			return invalid("The values for parameter id in " + collection + " are not unique.")
		case (q.MetricStat == nil) == (q.Expression == ""):
			return invalid("The parameters " + name + ".Expression and " + name + ".MetricStat are mutually exclusive and exactly one must be specified.")
		}
		seen[q.ID] = true
		if err := q.check(name); err != nil {
			return err
		}
	}
	return nil
}

func (q query) check(name string) error {
	if q.MetricStat == nil {
		_, err := parseExpression(q.Expression)
		if err != nil {
			return q.wrong(err)
		}
		return nil
	}
	m := *q.MetricStat
	var v checks
	v.namespace(m.Metric.Namespace)
	v.length(name+".MetricStat.Metric.MetricName", m.Metric.MetricName, maxName)
	v.dimensions(name+".MetricStat.Metric.Dimensions", m.Metric.Dimensions)
	v.period(name+".MetricStat.Period", m.Period)
	v.unit(name+".MetricStat.Unit", m.Unit)
	if _, ok := percentile(m.Stat); !ok && !slices.Contains(statistics(), m.Stat) {
		v.wrong("The value %s for parameter %s.MetricStat.Stat is not supported.", m.Stat, name)
	}
	return v.err()
}

func (q query) wrong(err error) error {
	return invalid("Error in expression '" + q.ID + "': " + err.Error())
}

// A result is the value of a query: a number, or one in each period.
type result struct {
	number float64
	points map[int64]float64 // by the seconds at which their periods begin; nil for a number
}

func (r result) found(query int, scanBy string) (all []found) {
	for _, at := range slices.Sorted(maps.Keys(r.points)) {
		all = append(all, found{query, at, r.points[at]})
	}
	if scanBy != ascending {
		slices.Reverse(all)
	}
	return all
}

// results are the values of queries in a span, each found when it is asked
// for. A span without a period is cut at multiples of each query's own.
type results struct {
	queries map[string]query
	known   map[string]result
	asked   map[string]bool // that are being found
	metric  func(metricStat) result
}

func (s *Service) results(region string, queries []query, in Span, now time.Time) *results {
	r := &results{queries: map[string]query{}, known: map[string]result{}, asked: map[string]bool{}}
	for _, q := range queries {
		r.queries[q.ID] = q
	}
	r.metric = func(m metricStat) result {
		in := in
		if in.Period == 0 {
			in.Period = time.Duration(*m.Period) * time.Second
			in.Start = in.Start.Truncate(in.Period)
		}
		return s.values(region, m, in, now)
	}
	return r
}

// values is a statistic in each period of a span, of the first unit that there
// is.
func (s *Service) values(region string, m metricStat, in Span, now time.Time) result {
	r := result{points: map[int64]float64{}}
	metric := Metric{m.Metric.Namespace, m.Metric.MetricName, named(m.Metric.Dimensions)}
	for _, d := range s.Metrics.Read(region, metric, m.Unit, in, now) {
		if _, there := r.points[d.At.Unix()]; there {
			continue
		}
		if value, ok := d.statistic(m.Stat); ok {
			r.points[d.At.Unix()] = value
		}
	}
	return r
}

// of returns the value of a query.
func (r *results) of(id string) (result, error) {
	q, ok := r.queries[id]
	switch known, there := r.known[id]; {
	case there:
		return known, nil
	case !ok:
		return result{}, fmt.Errorf("undefined variable: %s", id)
	case r.asked[id]:
		return result{}, q.wrong(errCircle)
	}
	r.asked[id] = true
	value, err := r.find(q)
	if err != nil {
		return result{}, err
	}
	r.known[id] = value
	return value, nil
}

func (r *results) find(q query) (result, error) {
	if q.MetricStat != nil {
		return r.metric(*q.MetricStat), nil
	}
	e, err := parseExpression(q.Expression)
	if err == nil {
		var value result
		if value, err = e(r); err == nil {
			return value, nil
		}
	}
	if _, told := err.(*wire.Error); told {
		return result{}, err
	}
	return result{}, q.wrong(err)
}
