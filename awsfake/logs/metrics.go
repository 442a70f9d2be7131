package logs

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// A MetricFilter makes a measurement of each event that its pattern chooses.
type MetricFilter struct {
	Name, Pattern string
	Created       int64
	Transform     Transformation
}

// A Transformation is what a metric filter measures.
type Transformation struct {
	MetricName      string            `json:"metricName"`
	MetricNamespace string            `json:"metricNamespace"`
	MetricValue     string            `json:"metricValue"` // a number, or the selector of one
	DefaultValue    *wire.Double      `json:"defaultValue,omitempty"`
	Dimensions      map[string]string `json:"dimensions,omitempty"` // selectors by name
	Unit            string            `json:"unit,omitempty"`
}

// A Measurement is what a metric filter has found.
type Measurement struct {
	Namespace, Name string
	Dimensions      map[string]string
	Unit            string
	Value           float64
	At              time.Time
}

// measure runs the metric filters of a group over events that have come in.
func (s *Service) measure(c *wire.Call, g *Group, events []Event) {
	if s.Measure == nil {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(g.Filters)) {
		f := g.Filters[name]
		p, err := parsePattern(f.Pattern)
		if err != nil {
			continue // PutMetricFilter keeps none that can't be read
		}
		found := map[int64]bool{} // by minute
		for _, e := range events {
			minute := e.Timestamp / time.Minute.Milliseconds()
			values, ok := p.match(e.Message)
			found[minute] = found[minute] || ok
			if m, good := f.Transform.of(values); ok && good {
				m.At = time.UnixMilli(e.Timestamp)
				s.Measure(c, m)
			}
		}
		for minute, any := range found {
			if d := f.Transform.DefaultValue; d != nil && !any {
				m := f.Transform.measurement(float64(*d))
				m.At = time.UnixMilli(minute * time.Minute.Milliseconds())
				s.Measure(c, m)
			}
		}
	}
}

func (t Transformation) measurement(v float64) Measurement {
	return Measurement{Namespace: t.MetricNamespace, Name: t.MetricName, Unit: t.Unit, Value: v}
}

// of takes a measurement out of an event; not good means that the value or a
// dimension isn't there.
func (t Transformation) of(values func(string) (string, bool)) (m Measurement, good bool) {
	text := t.MetricValue
	if strings.HasPrefix(text, "$") && values != nil {
		text, _ = values(text)
	}
	v, err := strconv.ParseFloat(text, 64)
	m = t.measurement(v)
	for name, selector := range t.Dimensions {
		if values == nil {
			return m, false
		}
		text, ok := values(selector)
		if !ok || text == "" {
			return m, false
		}
		if m.Dimensions == nil {
			m.Dimensions = map[string]string{}
		}
		m.Dimensions[name] = text
	}
	return m, err == nil && !math.IsNaN(v) && !math.IsInf(v, 0)
}

type putFilterIn struct {
	groupIn
	FilterName            *string          `json:"filterName"`
	FilterPattern         *string          `json:"filterPattern"`
	MetricTransformations []Transformation `json:"metricTransformations"`
}

// The limits of PutMetricFilter
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html).
const (
	maxFilters    = 100 // of a group
	maxDimensions = 3
)

func (s *Service) putMetricFilter(c *wire.Call, in putFilterIn) (wire.Empty, error) {
	var v wire.Checks
	checkFilter(&v, in.FilterName)
	v.Required("filterPattern", in.FilterPattern != nil)
	v.Required("metricTransformations", in.MetricTransformations != nil)
	if in.FilterPattern != nil {
		v.Length("filterPattern", *in.FilterPattern, 0, maxPattern)
	}
	if err := invalid(c, &v); err != nil {
		return wire.Empty{}, err
	}
	if err := checkTransformations(c, in.MetricTransformations); err != nil {
		return wire.Empty{}, err
	}
	if _, err := parsePattern(*in.FilterPattern); err != nil {
		return wire.Empty{}, wire.Refuse("InvalidParameterException", "Invalid metric filter pattern")
	}
	g, err := s.group(c, "PutMetricFilter", in.groupIn)
	if err != nil {
		return wire.Empty{}, err
	}
	if g.Filters[*in.FilterName] == nil && len(g.Filters) >= maxFilters {
		return wire.Empty{}, wire.Refuse("LimitExceededException", "Resource limit exceeded.")
	}
	if g.Filters == nil {
		g.Filters = map[string]*MetricFilter{}
	}
	g.Filters[*in.FilterName] = &MetricFilter{*in.FilterName, *in.FilterPattern, millis(c.Now()), in.MetricTransformations[0]}
	return wire.Empty{}, nil
}

func checkFilter(v *wire.Checks, name *string) {
	v.Required("filterName", name != nil)
	if name != nil {
		v.Length("filterName", *name, 1, 512)
		v.Pattern("filterName", *name, `[^:*]*`)
	}
}

func checkTransformations(c *wire.Call, all []Transformation) error {
	if len(all) != 1 {
		return wire.Refuse("InvalidParameterException", fmt.Sprintf(
			"1 validation error detected: Value at 'metricTransformations' failed to satisfy constraint: Member must have length between 1 and 1, has %d", len(all)))
	}
	t := all[0]
	var v wire.Checks
	v.Required("metricTransformations.1.member.metricName", t.MetricName != "")
	v.Required("metricTransformations.1.member.metricNamespace", t.MetricNamespace != "")
	v.Required("metricTransformations.1.member.metricValue", t.MetricValue != "")
	v.Pattern("metricTransformations.1.member.metricName", t.MetricName, `[^:*$]*`)
	v.Pattern("metricTransformations.1.member.metricNamespace", t.MetricNamespace, `[^:*$]*`)
	v.Length("metricTransformations.1.member.metricValue", t.MetricValue, 0, 100)
	if err := invalid(c, &v); err != nil {
		return err
	}
	_, err := strconv.ParseFloat(t.MetricValue, 64)
	switch {
	case err != nil && !strings.HasPrefix(t.MetricValue, "$"):
		return wire.Refuse("InvalidParameterException", "Invalid metric transformation: metricValue must be a number or the name of a field")
	case t.DefaultValue != nil && len(t.Dimensions) > 0:
		return wire.Refuse("InvalidParameterException", "Invalid metric transformation: dimensions and default value are mutually exclusive properties.")
	case len(t.Dimensions) > maxDimensions:
		return wire.Refuse("InvalidParameterException", fmt.Sprintf("Invalid metric transformation: a metric filter can have at most %d dimensions.", maxDimensions))
	}
	return nil
}

type describeFiltersIn struct {
	LogGroupName     *string `json:"logGroupName"`
	FilterNamePrefix *string `json:"filterNamePrefix"`
	MetricName       *string `json:"metricName"`
	MetricNamespace  *string `json:"metricNamespace"`
	Limit            *int    `json:"limit"`
	NextToken        string  `json:"nextToken"`
}

type describeFiltersOut struct {
	MetricFilters []shownFilter `json:"metricFilters"`
	NextToken     string        `json:"nextToken,omitempty"`
}

type shownFilter struct {
	FilterName             string           `json:"filterName"`
	FilterPattern          string           `json:"filterPattern"`
	MetricTransformations  []Transformation `json:"metricTransformations"`
	CreationTime           int64            `json:"creationTime"`
	LogGroupName           string           `json:"logGroupName"`
	ApplyOnTransformedLogs bool             `json:"applyOnTransformedLogs"`
}

func (s *Service) describeMetricFilters(c *wire.Call, in describeFiltersIn) (describeFiltersOut, error) {
	size := 50
	if in.Limit != nil {
		size = *in.Limit
	}
	var v wire.Checks
	v.Range("limit", size, 1, 50)
	if err := invalid(c, &v); err != nil {
		return describeFiltersOut{}, err
	}
	if (in.MetricName == nil) != (in.MetricNamespace == nil) {
		return describeFiltersOut{}, wire.Refuse("InvalidParameterException", "metricName and metricNamespace must be specified together.")
	}
	groups, err := s.searched(c, in.LogGroupName)
	if err != nil {
		return describeFiltersOut{}, err
	}
	var all []shownFilter
	for _, g := range groups {
		for _, name := range slices.Sorted(maps.Keys(g.Filters)) {
			if f := g.Filters[name]; in.asks(f) {
				all = append(all, shownFilter{FilterName: f.Name, FilterPattern: f.Pattern, MetricTransformations: []Transformation{f.Transform}, CreationTime: f.Created, LogGroupName: g.Name})
			}
		}
	}
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return describeFiltersOut{}, wire.Refuse("InvalidParameterException", "The specified nextToken is invalid.")
	}
	return describeFiltersOut{append([]shownFilter{}, page...), next}, nil
}

// searched are the group of a name, or all without one.
func (s *Service) searched(c *wire.Call, name *string) ([]*Group, error) {
	if name != nil {
		g, err := s.group(c, "DescribeMetricFilters", groupIn{name})
		return []*Group{g}, err
	}
	if err := authorize(c, "DescribeMetricFilters", "", ""); err != nil {
		return nil, err
	}
	return s.matching(c, describeGroupsIn{}), nil
}

func (in describeFiltersIn) asks(f *MetricFilter) bool {
	return (in.FilterNamePrefix == nil || strings.HasPrefix(f.Name, *in.FilterNamePrefix)) &&
		(in.MetricName == nil || *in.MetricName == f.Transform.MetricName && *in.MetricNamespace == f.Transform.MetricNamespace)
}

type deleteFilterIn struct {
	groupIn
	FilterName *string `json:"filterName"`
}

func (s *Service) deleteMetricFilter(c *wire.Call, in deleteFilterIn) (wire.Empty, error) {
	var v wire.Checks
	checkFilter(&v, in.FilterName)
	if err := invalid(c, &v); err != nil {
		return wire.Empty{}, err
	}
	g, err := s.group(c, "DeleteMetricFilter", in.groupIn)
	if err == nil && g.Filters[*in.FilterName] == nil {
		err = wire.Refuse("ResourceNotFoundException", "The specified metric filter does not exist.")
	}
	if err == nil {
		delete(g.Filters, *in.FilterName)
	}
	return wire.Empty{}, err
}
