package cloudwatch

import (
	"fmt"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

// The limits of ListMetrics
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html).
const (
	metricsPage  = 500
	listed       = 14 * 24 * time.Hour // since something was measured
	active       = 3 * time.Hour
	activePeriod = "PT3H"
	maxFilters   = 10
)

type listIn struct {
	Namespace, MetricName string
	Dimensions            []dimensionFilter
	NextToken             string
	RecentlyActive        string
}

// A dimensionFilter without a value is met by any.
type dimensionFilter struct {
	Name  string
	Value *string
}

type listOut struct {
	Metrics   wire.List[shownMetric]
	NextToken string `xml:",omitempty" json:",omitempty"`
}

type shownMetric struct {
	Namespace, MetricName string
	Dimensions            wire.List[dimension]
}

func (s *Service) listMetrics(c *wire.Call, in listIn) (listOut, error) {
	var v checks
	v.size("Dimensions", len(in.Dimensions), maxFilters)
	for i, f := range in.Dimensions {
		v.length(fmt.Sprintf("Dimensions.member.%d.Name", i+1), f.Name, maxName)
	}
	since := c.Now().Add(-listed)
	if in.RecentlyActive != "" {
		v.oneOf("RecentlyActive", in.RecentlyActive, activePeriod)
		since = c.Now().Add(-active)
	}
	if err := v.err(); err != nil {
		return listOut{}, err
	}
	if err := c.Authorize("cloudwatch:ListMetrics", "*", nil); err != nil {
		return listOut{}, err
	}
	var out listOut
	page, next, err := wire.Page(slices.DeleteFunc(s.Metrics.names(c.Region, since), in.without), metricsPage, in.NextToken)
	if err != nil {
		return listOut{}, refuse(invalidValue, "Request parameter NextToken is invalid")
	}
	out.NextToken = next
	for _, m := range page {
		out.Metrics = append(out.Metrics, m.shown())
	}
	return out, nil
}

// without reports whether a metric is not asked for.
func (in listIn) without(m Metric) bool {
	if in.Namespace != "" && in.Namespace != m.Namespace || in.MetricName != "" && in.MetricName != m.Name {
		return true
	}
	return slices.ContainsFunc(in.Dimensions, func(f dimensionFilter) bool {
		return !slices.ContainsFunc(m.Dimensions, func(d Dimension) bool {
			return d.Name == f.Name && (f.Value == nil || d.Value == *f.Value)
		})
	})
}

func (m Metric) shown() shownMetric {
	shown := shownMetric{Namespace: m.Namespace, MetricName: m.Name}
	for _, d := range m.Dimensions {
		shown.Dimensions = append(shown.Dimensions, dimension(d))
	}
	return shown
}
