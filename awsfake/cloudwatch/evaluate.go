package cloudwatch

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// comparisons are the operators of alarms, and their words in the reasons.
func comparisons() map[string]string {
	return map[string]string{
		"GreaterThanOrEqualToThreshold": "greater than or equal to",
		"GreaterThanThreshold":          "greater than",
		"LessThanThreshold":             "less than",
		"LessThanOrEqualToThreshold":    "less than or equal to",
	}
}

func (a *Alarm) breaching(value float64) bool {
	switch a.Comparison {
	case "GreaterThanOrEqualToThreshold":
		return value >= a.Threshold
	case "GreaterThanThreshold":
		return value > a.Threshold
	case "LessThanThreshold":
		return value < a.Threshold
	}
	return value <= a.Threshold
}

// compared is the query of an alarm that is compared, and the period in
// seconds.
func compared(queries []query) (query, error) {
	if err := checkQueries("Metrics", queries); err != nil {
		return query{}, err
	}
	var all []query
	period := 0
	for _, q := range queries {
		if q.returned() {
			all = append(all, q)
		}
		if q.MetricStat != nil {
			period = max(period, *q.MetricStat.Period)
		}
	}
	if len(all) != 1 {
		return query{}, invalid("Exactly one element of the metrics list should return data.")
	}
	if period == 0 {
		return query{}, invalid("The expression of an alarm must refer to a metric.")
	}
	all[0].Period = &period
	return all[0], nil
}

// extra is how many periods more than it needs an alarm looks back, for
// datapoints that are missing. AWS doesn't tell how many these are.
const extra = 2

// evaluate brings the state of an alarm up to now. AWS looks each minute at
// the periods that end then, or each ten seconds for periods of less than a
// minute; a state that was set by hand stays until it looks again
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html).
func (s *Service) evaluate(region string, a *Alarm, now time.Time) {
	step := time.Minute
	if a.Period > 0 && a.Period < 60 {
		step = 10 * time.Second
	}
	at := now.Truncate(step)
	if !at.After(a.Evaluated) {
		return
	}
	a.Evaluated = at
	values, period, err := s.datapoints(region, a, at, now)
	if err != nil {
		return
	}
	e := a.judge(values)
	if e.state == "" || e.state == a.State {
		return
	}
	a.Reason, a.ReasonData = e.reason(a), e.data(a, at, period)
	a.State, a.Updated, a.Transitioned = e.state, now, now
}

// A reading is the value of one period; nil if nothing was measured.
type reading struct {
	at    time.Time
	value *float64
}

// datapoints are the periods until at, the newest first.
func (s *Service) datapoints(region string, a *Alarm, at, now time.Time) (all []reading, period time.Duration, err error) {
	queries, id := a.Queries, ""
	seconds := a.Period
	if len(queries) == 0 {
		id = "m1"
		queries = []query{{ID: id, MetricStat: &metricStat{Metric: a.Metric.shown(), Period: &seconds, Stat: cmp.Or(a.Statistic, a.Extended), Unit: a.Unit}}}
	} else {
		q, err := compared(queries)
		if err != nil {
			return nil, 0, err
		}
		id, seconds = q.ID, *q.Period
	}
	period = time.Duration(seconds) * time.Second
	n := a.Evaluations + extra
	start := at.Add(-time.Duration(n) * period)
	values, err := s.results(region, queries, Span{start, at, period}, now).of(id)
	if err != nil {
		return nil, 0, err
	}
	for i := n - 1; i >= 0; i-- {
		r := reading{at: start.Add(time.Duration(i) * period)}
		if v, ok := values.at(r.at.Unix()); ok {
			r.value = &v
		}
		all = append(all, r)
	}
	return all, period, nil
}

// A verdict is what an evaluation comes to. No state means that the alarm
// keeps its own.
type verdict struct {
	state   string
	counted []reading // the newest that there are, as many as the alarm needs, newest first
	bad     int       // of them
	missing int       // how many more the alarm needs
	oldest  int       // breaching one of the newest periods that the alarm needs: 1 is the newest
}

// judge decides by the newest datapoints that there are, and fills in those
// that are missing as the alarm says. Where all of them are breaching and there
// are too few, the alarm waits until the oldest is as old as if there were
// enough
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html).
func (a *Alarm) judge(all []reading) verdict {
	var v verdict
	for i, r := range all {
		if r.value == nil || len(v.counted) == a.Evaluations {
			continue
		}
		v.counted = append(v.counted, r)
		if a.breaching(*r.value) {
			v.bad++
			if i < a.Evaluations {
				v.oldest = i + 1
			}
		}
	}
	v.missing = a.Evaluations - len(v.counted)
	bad, needed := v.bad, a.needed()
	if a.Missing == "breaching" {
		bad += v.missing
	}
	switch {
	case bad >= needed:
		v.state = stateAlarm
	case a.Missing == "breaching", a.Missing == "notBreaching", v.bad < len(v.counted):
		v.state = stateOK
	case a.Missing == "ignore":
	case len(v.counted) == 0:
		v.state = stateInsufficient
	case v.oldest >= needed: // long enough that nothing speaks against it
		v.state = stateAlarm
	}
	return v
}

// needed is how many periods must be breaching.
func (a *Alarm) needed() int { return cmp.Or(a.Datapoints, a.Evaluations) }

// reason words a change of state as AWS does.
func (v verdict) reason(a *Alarm) string {
	needed := a.needed()
	if v.state == stateInsufficient {
		return fmt.Sprintf("Insufficient Data: %d %s unknown.", v.missing, was(v.missing))
	}
	if len(v.counted) == 0 {
		treated := "NonBreaching"
		if v.state == stateAlarm {
			treated = "Breaching"
		}
		return fmt.Sprintf("Threshold Crossed: no datapoints were received for %d %s and %d missing %s treated as [%s].",
			a.Evaluations, plural("period", a.Evaluations), v.missing, was(v.missing), treated)
	}
	shown, not := v.bad, ""
	if v.state == stateOK {
		shown, not = len(v.counted)-v.bad, "not "
	}
	var values []string
	for _, r := range v.counted {
		if a.breaching(*r.value) == (v.state == stateAlarm) {
			values = append(values, number(*r.value)+" ("+r.at.Format("02/01/06 15:04:05")+")")
		}
	}
	transition, minimum := "OK -> ALARM", needed
	if v.state == stateOK {
		transition, minimum = "ALARM -> OK", a.Evaluations-needed+1
	}
	return fmt.Sprintf("Threshold Crossed: %d out of the last %d datapoints [%s] %s %s%s the threshold (%s) (minimum %d %s for %s transition).",
		shown, a.Evaluations, strings.Join(values, ", "), verb(shown), not, comparisons()[a.Comparison], number(a.Threshold), minimum, plural("datapoint", minimum), transition)
}

func was(n int) string { return plural("datapoint", n) + " " + verb(n) }

func verb(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func plural(noun string, n int) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

// number has a fraction always, as AWS writes doubles.
func number(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// data is the reason as JSON.
func (v verdict) data(a *Alarm, at time.Time, period time.Duration) string {
	const format = "2006-01-02T15:04:05.000-0700"
	type evaluated struct {
		Timestamp string   `json:"timestamp"`
		Value     *float64 `json:"value,omitempty"`
	}
	recent, each := []float64{}, []evaluated{}
	for _, r := range v.counted {
		recent = append(recent, *r.value)
		each = append(each, evaluated{r.at.UTC().Format(format), r.value})
	}
	slices.Reverse(recent)
	return string(wire.Marshal(struct {
		Version   string      `json:"version"`
		QueryDate string      `json:"queryDate"`
		Statistic string      `json:"statistic,omitempty"`
		Period    int         `json:"period"`
		Recent    []float64   `json:"recentDatapoints"`
		Threshold float64     `json:"threshold"`
		Each      []evaluated `json:"evaluatedDatapoints"`
	}{"1.0", at.UTC().Format(format), cmp.Or(a.Statistic, a.Extended), int(period.Seconds()), recent, a.Threshold, each}))
}

type setStateIn struct {
	AlarmName, StateValue, StateReason *string
	StateReasonData                    string
}

func (s *Service) setAlarmState(c *wire.Call, in setStateIn) (wire.Empty, error) {
	var v wire.Checks
	v.Required("alarmName", in.AlarmName != nil)
	v.Required("stateValue", in.StateValue != nil)
	v.Required("stateReason", in.StateReason != nil)
	if in.AlarmName != nil {
		v.Length("alarmName", *in.AlarmName, 1, maxName)
	}
	if in.StateValue != nil {
		v.Enum("stateValue", *in.StateValue, states()...)
	}
	if in.StateReason != nil {
		v.Length("stateReason", *in.StateReason, 0, 1023)
	}
	v.Length("stateReasonData", in.StateReasonData, 0, 4000)
	if err := v.Err(c); err != nil {
		return wire.Empty{}, err
	}
	if err := c.Authorize("cloudwatch:SetAlarmState", alarmARN(c, *in.AlarmName), nil); err != nil {
		return wire.Empty{}, err
	}
	a := s.alarms(c)[*in.AlarmName]
	switch {
	case a == nil:
		return wire.Empty{}, wire.NotFound("ResourceNotFound", "")
	case in.StateReasonData != "" && !json.Valid([]byte(in.StateReasonData)):
		return wire.Empty{}, refuse("InvalidFormatFault", "")
	}
	if a.State != *in.StateValue {
		a.Transitioned = c.Now()
	}
	a.State, a.Reason, a.ReasonData, a.Updated, a.Evaluated = *in.StateValue, *in.StateReason, in.StateReasonData, c.Now(), c.Now()
	return wire.Empty{}, nil
}

// current are the alarms of the call's region as they are now, by name.
func (s *Service) current(c *wire.Call) (all []*Alarm) {
	alarms := s.alarms(c)
	for _, name := range slices.Sorted(maps.Keys(alarms)) {
		s.evaluate(c.Region, alarms[name], c.Now())
		all = append(all, alarms[name])
	}
	return all
}
