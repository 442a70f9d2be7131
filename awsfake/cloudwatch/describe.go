package cloudwatch

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type describeIn struct {
	AlarmNames                              []string
	AlarmNamePrefix                         *string
	AlarmTypes                              []string
	ChildrenOfAlarmName, ParentsOfAlarmName *string
	StateValue                              string
	ActionPrefix                            string
	MaxRecords                              *int
	NextToken                               string
}

type describeOut struct {
	CompositeAlarms wire.List[answered]
	MetricAlarms    wire.List[shownAlarm]
	NextToken       string `json:",omitempty" xml:",omitempty"`
}

type shownAlarm struct {
	AlarmName                          string
	AlarmARN                           string `json:"AlarmArn" xml:"AlarmArn"`
	AlarmDescription                   string `json:",omitempty" xml:",omitempty"`
	AlarmConfigurationUpdatedTimestamp *wire.Time
	ActionsEnabled                     bool
	OKActions                          wire.List[string]
	AlarmActions                       wire.List[string]
	InsufficientDataActions            wire.List[string]
	StateValue                         string
	StateReason                        string
	StateReasonData                    string `json:",omitempty" xml:",omitempty"`
	StateUpdatedTimestamp              *wire.Time
	MetricName                         string `json:",omitempty" xml:",omitempty"`
	Namespace                          string `json:",omitempty" xml:",omitempty"`
	Statistic                          string `json:",omitempty" xml:",omitempty"`
	Dimensions                         wire.List[dimension]
	Period                             int    `json:",omitempty" xml:",omitempty"`
	Unit                               string `json:",omitempty" xml:",omitempty"`
	EvaluationPeriods                  int
	Threshold                          wire.Double
	ComparisonOperator                 string
	ExtendedStatistic                  string           `json:",omitempty" xml:",omitempty"`
	TreatMissingData                   string           `json:",omitempty" xml:",omitempty"`
	EvaluateLowSampleCountPercentile   string           `json:",omitempty" xml:",omitempty"`
	DatapointsToAlarm                  int              `json:",omitempty" xml:",omitempty"`
	Metrics                            wire.List[query] `json:",omitempty" xml:",omitempty"`
	StateTransitionedTimestamp         *wire.Time
}

func (s *Service) describeAlarms(c *wire.Call, in describeIn) (describeOut, error) {
	size := 50
	if in.MaxRecords != nil {
		size = *in.MaxRecords
	}
	var v wire.Checks
	v.Range("maxRecords", size, 1, 100)
	v.Count("alarmNames", in.AlarmNames, 0, 100)
	if in.StateValue != "" {
		v.Enum("stateValue", in.StateValue, states()...)
	}
	if err := v.Err(c); err != nil {
		return describeOut{}, err
	}
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return describeOut{}, invalid("AlarmNames and AlarmNamePrefix are mutually exclusive parameters.")
	}
	if err := c.Authorize("cloudwatch:DescribeAlarms", alarmARN(c, "*"), nil); err != nil {
		return describeOut{}, err
	}
	page, next, err := wire.Page(slices.DeleteFunc(s.current(c), in.without), size, in.NextToken)
	if err != nil {
		return describeOut{}, refuse("InvalidNextToken", "The next token specified is invalid.")
	}
	out := describeOut{NextToken: next}
	for _, a := range page {
		out.MetricAlarms = append(out.MetricAlarms, a.shown(c))
	}
	return out, nil
}

// without reports whether an alarm is not asked for. There are metric alarms
// only, which have neither parents nor children.
func (in describeIn) without(a *Alarm) bool {
	actions := slices.Concat(a.OK, a.Alarm, a.Insufficient)
	switch {
	case in.ChildrenOfAlarmName != nil, in.ParentsOfAlarmName != nil,
		in.AlarmTypes != nil && !slices.Contains(in.AlarmTypes, "MetricAlarm"),
		in.AlarmNames != nil && !slices.Contains(in.AlarmNames, a.Name),
		in.AlarmNamePrefix != nil && !strings.HasPrefix(a.Name, *in.AlarmNamePrefix),
		in.StateValue != "" && in.StateValue != a.State,
		in.ActionPrefix != "" && !slices.ContainsFunc(actions, func(arn string) bool { return strings.HasPrefix(arn, in.ActionPrefix) }):
		return true
	}
	return false
}

func (a *Alarm) shown(c *wire.Call) shownAlarm {
	metric := a.Metric.shown()
	return shownAlarm{
		AlarmName: a.Name, AlarmARN: alarmARN(c, a.Name), AlarmDescription: a.Description,
		AlarmConfigurationUpdatedTimestamp: wire.At(a.Configured),
		ActionsEnabled:                     a.ActionsEnabled, OKActions: a.OK, AlarmActions: a.Alarm, InsufficientDataActions: a.Insufficient,
		StateValue: a.State, StateReason: a.Reason, StateReasonData: a.ReasonData,
		StateUpdatedTimestamp: wire.At(a.Updated), StateTransitionedTimestamp: wire.At(a.Transitioned),
		MetricName: metric.MetricName, Namespace: metric.Namespace, Dimensions: metric.Dimensions,
		Statistic: a.Statistic, ExtendedStatistic: a.Extended, Period: a.Period, Unit: a.Unit,
		EvaluationPeriods: a.Evaluations, DatapointsToAlarm: a.Datapoints, Threshold: wire.Double(a.Threshold),
		ComparisonOperator: a.Comparison, TreatMissingData: a.Missing, EvaluateLowSampleCountPercentile: a.LowSamples,
		Metrics: a.Queries,
	}
}

type forMetricIn struct {
	MetricName, Namespace        *string
	Statistic, ExtendedStatistic string
	Dimensions                   []dimension
	Period                       int
	Unit                         string
}

type forMetricOut struct{ MetricAlarms wire.List[shownAlarm] }

func (s *Service) describeAlarmsForMetric(c *wire.Call, in forMetricIn) (forMetricOut, error) {
	var v wire.Checks
	if v.Required("metricName", in.MetricName != nil); in.MetricName != nil {
		v.Length("metricName", *in.MetricName, 1, 255)
	}
	if v.Required("namespace", in.Namespace != nil); in.Namespace != nil {
		v.Length("namespace", *in.Namespace, 1, 255)
	}
	if err := v.Err(c); err != nil {
		return forMetricOut{}, err
	}
	if err := c.Authorize("cloudwatch:DescribeAlarmsForMetric", "*", nil); err != nil {
		return forMetricOut{}, err
	}
	var out forMetricOut
	want := Metric{*in.Namespace, *in.MetricName, named(in.Dimensions)}.sorted()
	for _, a := range s.current(c) {
		if reflect.DeepEqual(a.Metric.sorted(), want) && in.like(a) {
			out.MetricAlarms = append(out.MetricAlarms, a.shown(c))
		}
	}
	return out, nil
}

// like compares what else may be asked for.
func (in forMetricIn) like(a *Alarm) bool {
	same := func(asked, is string) bool { return asked == "" || asked == is }
	return same(in.Statistic, a.Statistic) && same(in.ExtendedStatistic, a.Extended) && same(in.Unit, a.Unit) &&
		cmp.Or(in.Period, a.Period) == a.Period
}
