package cloudwatch

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// An Alarm compares what was measured with a threshold.
type Alarm struct {
	Name, Description         string
	ActionsEnabled            bool
	OK, Alarm, Insufficient   []string // ARNs of actions
	Metric                    Metric   // that is compared; zero where Queries say it
	Queries                   []query
	Unit                      string
	Statistic, Extended       string // one of the two
	Period                    int    // seconds
	Evaluations, Datapoints   int    // of so many periods so many must be breaching; Datapoints 0 means all
	Threshold                 float64
	Comparison                string
	Missing                   string // TreatMissingData; "" means missing
	LowSamples                string
	Configured                time.Time
	State, Reason, ReasonData string
	Updated, Transitioned     time.Time // of the state
	Evaluated                 time.Time // the minute until which the state counts
	Tags                      map[string]string
}

// The states of an alarm.
const (
	stateOK           = "OK"
	stateAlarm        = "ALARM"
	stateInsufficient = "INSUFFICIENT_DATA"
)

func states() []string { return []string{stateOK, stateAlarm, stateInsufficient} }

type alarmIn struct {
	AlarmName                        *string
	AlarmDescription                 string
	ActionsEnabled                   *bool
	OKActions                        []string
	AlarmActions                     []string
	InsufficientDataActions          []string
	MetricName, Namespace            string
	Statistic, ExtendedStatistic     string
	Dimensions                       []dimension
	Period                           *int
	Unit                             string
	EvaluationPeriods                *int
	DatapointsToAlarm                *int
	Threshold                        *wire.Double
	ComparisonOperator               *string
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
	Metrics                          []query
	ThresholdMetricID                string `json:"ThresholdMetricId" query:"ThresholdMetricId"`
	Tags                             []wire.Tag
	EvaluationCriteria               *struct{ PromQLCriteria *struct{ Query string } }
}

func alarmARN(c *wire.Call, name string) string { return c.ARN("cloudwatch", "alarm:"+name) }

// invalid is a refusal as the operations on alarms have it.
func invalid(message string) error { return refuse("ValidationException", message) }

func (s *Service) putMetricAlarm(c *wire.Call, in alarmIn) (wire.Empty, error) {
	if err := in.check(c); err != nil {
		return wire.Empty{}, err
	}
	arn := alarmARN(c, *in.AlarmName)
	if err := c.Authorize("cloudwatch:PutMetricAlarm", arn, wire.RequestTags(in.Tags)); err != nil {
		return wire.Empty{}, err
	}
	if len(in.Tags) > 0 {
		if err := c.Authorize("cloudwatch:TagResource", arn, wire.RequestTags(in.Tags)); err != nil {
			return wire.Empty{}, err
		}
	}
	alarm := in.alarm(c.Now())
	if old := s.alarms(c)[alarm.Name]; old != nil { // keeps its state and its tags
		alarm.State, alarm.Reason, alarm.ReasonData = old.State, old.Reason, old.ReasonData
		alarm.Updated, alarm.Transitioned, alarm.Evaluated, alarm.Tags = old.Updated, old.Transitioned, old.Evaluated, old.Tags
	}
	s.alarms(c)[alarm.Name] = alarm
	return wire.Empty{}, nil
}

func (s *Service) alarms(c *wire.Call) map[string]*Alarm {
	if s.State.Regions == nil {
		s.State.Regions = map[string]map[string]*Alarm{}
	}
	if s.State.Regions[c.Region] == nil {
		s.State.Regions[c.Region] = map[string]*Alarm{}
	}
	return s.State.Regions[c.Region]
}

// alarm is a new one, which AWS evaluates first within a minute.
func (in alarmIn) alarm(now time.Time) *Alarm {
	a := &Alarm{
		Name: *in.AlarmName, Description: in.AlarmDescription, ActionsEnabled: in.ActionsEnabled == nil || *in.ActionsEnabled,
		OK: in.OKActions, Alarm: in.AlarmActions, Insufficient: in.InsufficientDataActions,
		Queries: in.Metrics, Unit: in.Unit, Statistic: in.Statistic, Extended: in.ExtendedStatistic,
		Evaluations: *in.EvaluationPeriods, Threshold: float64(*in.Threshold), Comparison: *in.ComparisonOperator,
		Missing: in.TreatMissingData, LowSamples: in.EvaluateLowSampleCountPercentile,
		Configured: now, State: stateInsufficient, Reason: "Unchecked: Initial alarm creation", Updated: now, Transitioned: now, Evaluated: now,
		Tags: map[string]string{},
	}
	if in.MetricName != "" {
		a.Metric, a.Period = Metric{in.Namespace, in.MetricName, named(in.Dimensions)}, *in.Period
	}
	if in.DatapointsToAlarm != nil {
		a.Datapoints = *in.DatapointsToAlarm
	}
	for _, t := range in.Tags {
		a.Tags[t.Key] = t.Value
	}
	return a
}

// The limits of PutMetricAlarm
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html).
const (
	maxDescription = 1024
	maxActions     = 5
	day            = 86400 // seconds
)

// check is the shape first, then what belongs together.
func (in alarmIn) check(c *wire.Call) error {
	var v wire.Checks
	v.Required("alarmName", in.AlarmName != nil)
	if in.AlarmName != nil {
		v.Length("alarmName", *in.AlarmName, 1, maxName)
	}
	v.Length("alarmDescription", in.AlarmDescription, 0, maxDescription)
	v.Count("oKActions", in.OKActions, 0, maxActions)
	v.Count("alarmActions", in.AlarmActions, 0, maxActions)
	v.Count("insufficientDataActions", in.InsufficientDataActions, 0, maxActions)
	if in.ComparisonOperator != nil {
		v.Enum("comparisonOperator", *in.ComparisonOperator, slices.Sorted(maps.Keys(comparisons()))...)
	}
	if in.Statistic != "" {
		v.Enum("statistic", in.Statistic, statistics()...)
	}
	if in.Unit != "" {
		v.Enum("unit", in.Unit, units()...)
	}
	positive(&v, "period", in.Period)
	positive(&v, "evaluationPeriods", in.EvaluationPeriods)
	positive(&v, "datapointsToAlarm", in.DatapointsToAlarm)
	if err := v.Err(c); err != nil {
		return err
	}
	return cmp.Or(in.checkMetric(), in.checkParts())
}

func positive(v *wire.Checks, member string, n *int) {
	if n != nil {
		v.Range(member, *n, 1, math.MaxInt32)
	}
}

// checkMetric wants one metric, or queries that come to one.
func (in alarmIn) checkMetric() error {
	switch {
	case in.EvaluationCriteria != nil:
		return invalid("tegata's stand-in has no alarms on PromQL.")
	case in.ThresholdMetricID != "":
		return invalid("tegata's stand-in has no alarms on anomaly detection.")
	case len(in.Metrics) > 0 && (in.MetricName != "" || in.Namespace != "" || in.Statistic != "" || in.Period != nil):
		return invalid("Metrics list must not be set together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic.")
	case len(in.Metrics) > 0:
		_, err := compared(in.Metrics)
		return err
	case in.MetricName == "" || in.Namespace == "":
		return invalid("MetricName and Namespace must be set, or a list of Metrics.")
	case in.Period == nil:
		return invalid("Period must not be null")
	case *in.Period != 10 && *in.Period != 20 && *in.Period != 30 && *in.Period%60 != 0:
		return invalid("Period must be 10, 20, 30 or a multiple of 60")
	case (in.Statistic == "") == (in.ExtendedStatistic == ""):
		return invalid("Exactly one of Statistic and ExtendedStatistic must be set.")
	}
	if _, ok := percentile(in.ExtendedStatistic); !ok && in.ExtendedStatistic != "" {
		return refuse(invalidValue, "The value "+in.ExtendedStatistic+" for parameter ExtendedStatistic is not supported.")
	}
	var v checks
	v.namespace(in.Namespace)
	v.length("MetricName", in.MetricName, maxName)
	v.dimensions("Dimensions", in.Dimensions)
	return v.err()
}

func (in alarmIn) checkParts() error {
	for _, name := range slices.Concat(in.OKActions, in.AlarmActions, in.InsufficientDataActions) {
		if !strings.HasPrefix(name, "arn:") || strings.Count(name, ":") < 5 {
			return invalid("Invalid arn syntax: " + name)
		}
	}
	switch {
	case in.EvaluationPeriods == nil:
		return invalid("EvaluationPeriods must not be null")
	case in.Threshold == nil:
		return invalid("Threshold must not be null")
	case in.ComparisonOperator == nil:
		return invalid("ComparisonOperator must not be null")
	case in.DatapointsToAlarm != nil && *in.DatapointsToAlarm > *in.EvaluationPeriods:
		return invalid("EvaluationPeriods must be greater than or equal to DatapointsToAlarm")
	case !slices.Contains([]string{"", "breaching", "notBreaching", "ignore", "missing"}, in.TreatMissingData):
		return invalid("Option " + in.TreatMissingData + " is not supported. Supported options for parameter TreatMissingData are breaching, notBreaching, ignore and missing.")
	case !slices.Contains([]string{"", "evaluate", "ignore"}, in.EvaluateLowSampleCountPercentile):
		return invalid("Option " + in.EvaluateLowSampleCountPercentile + " is not supported. Supported options for parameter EvaluateLowSampleCountPercentile are evaluate and ignore.")
	case in.Period != nil && *in.Period**in.EvaluationPeriods > maxWindow(*in.Period):
		return invalid(fmt.Sprintf("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= %d).", maxWindow(*in.Period)))
	}
	return checkTags(in.Tags)
}

// maxWindow is how many seconds an alarm may look back: a day, or a week with
// periods of an hour and more.
func maxWindow(period int) int {
	if period >= 3600 {
		return 7 * day
	}
	return day
}

type namesIn struct{ AlarmNames []string }

// permit authorises an action on each of some alarms.
func (in namesIn) permit(c *wire.Call, action string) error {
	var v wire.Checks
	v.Required("alarmNames", in.AlarmNames != nil)
	v.Count("alarmNames", in.AlarmNames, 0, 100)
	if err := v.Err(c); err != nil {
		return err
	}
	for _, name := range in.AlarmNames {
		if err := c.Authorize("cloudwatch:"+action, alarmARN(c, name), nil); err != nil {
			return err
		}
	}
	return nil
}

// switchActions makes an operation that switches the actions of alarms on or
// off, and passes over names of none.
func (s *Service) switchActions(action string, on bool) wire.Operation {
	return wire.Op(action, func(c *wire.Call, in namesIn) (wire.Empty, error) {
		if err := in.permit(c, action); err != nil {
			return wire.Empty{}, err
		}
		for _, name := range in.AlarmNames {
			if a := s.alarms(c)[name]; a != nil {
				a.ActionsEnabled = on
			}
		}
		return wire.Empty{}, nil
	})
}

// deleteAlarms deletes all or, if one is not there, none.
func (s *Service) deleteAlarms(c *wire.Call, in namesIn) (wire.Empty, error) {
	if err := in.permit(c, "DeleteAlarms"); err != nil {
		return wire.Empty{}, err
	}
	for _, name := range in.AlarmNames {
		if s.alarms(c)[name] == nil {
			return wire.Empty{}, wire.NotFound("ResourceNotFound", "")
		}
	}
	maps.DeleteFunc(s.alarms(c), func(name string, _ *Alarm) bool { return slices.Contains(in.AlarmNames, name) })
	return wire.Empty{}, nil
}
