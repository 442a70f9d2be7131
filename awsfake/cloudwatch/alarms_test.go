package cloudwatch_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/cloudwatch"
)

// alarm is the body of a PutMetricAlarm on the sums of minutes.
func alarm(more string) string {
	return `{"AlarmName":"a","Namespace":"App","MetricName":"m","Statistic":"Sum","Period":60,"EvaluationPeriods":3,"Threshold":5,"ComparisonOperator":"GreaterThanThreshold"` + more + `}`
}

type state struct{ StateValue, StateReason, StateReasonData string }

func (d *desk) state(t *testing.T) state {
	t.Helper()
	var out struct{ MetricAlarms []state }
	if err := json.Unmarshal([]byte(d.do("DescribeAlarms", `{"AlarmNames":["a"]}`)), &out); err != nil || len(out.MetricAlarms) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	return out.MetricAlarms[0]
}

// A letter is a minute: X breaches the threshold, 0 does not, - is one in
// which nothing was measured. The rows are those of
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html.
func TestAlarmStates(t *testing.T) {
	t.Parallel()
	const kept = "INSUFFICIENT_DATA" // that of a new alarm
	for _, tt := range []struct {
		minutes, of                              string
		missing, ignore, breaching, notBreaching string
	}{
		{"0-X-X", "3", "OK", "OK", "OK", "OK"},
		{"0----", "3", "OK", "OK", "OK", "OK"},
		{"-----", "3", "INSUFFICIENT_DATA", kept, "ALARM", "OK"},
		{"0XX-X", "3", "ALARM", "ALARM", "ALARM", "ALARM"},
		{"----0", "3", "OK", "OK", "OK", "OK"},
		{"--X--", "3", "ALARM", kept, "ALARM", "OK"},
		{"---X-", "3", kept, kept, "ALARM", "OK"},
		{"0-X-X", "2", "ALARM", "ALARM", "ALARM", "ALARM"},
		{"00X0X", "2", "ALARM", "ALARM", "ALARM", "ALARM"},
		{"0-X--", "2", "OK", "OK", "ALARM", "OK"},
		{"----0", "2", "OK", "OK", "ALARM", "OK"},
		{"---X-", "2", "ALARM", kept, "ALARM", "OK"},
		{"XXX00", "3", "OK", "OK", "OK", "OK"},
	} {
		for treatment, want := range map[string]string{"missing": tt.missing, "ignore": tt.ignore, "breaching": tt.breaching, "notBreaching": tt.notBreaching} {
			d := newDesk()
			if got := d.do("PutMetricAlarm", alarm(`,"DatapointsToAlarm":`+tt.of+`,"TreatMissingData":"`+treatment+`"`)); got != "" {
				t.Fatal(got)
			}
			if got := d.state(t); got.StateReason != "Unchecked: Initial alarm creation" {
				t.Errorf("at first: %v", got)
			}
			d.now = d.now.Add(time.Minute)
			for i, c := range tt.minutes {
				if c != '-' {
					d.put(t, "m", map[rune]float64{'X': 6, '0': 5}[c], time.Duration(5-i)*time.Minute)
				}
			}
			if got := d.state(t); got.StateValue != want {
				t.Errorf("%s, %s of 3, %s: %s, want %s", tt.minutes, tt.of, treatment, got.StateValue, want)
			}
		}
	}
}

// Reasons are worded as https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
// and notifications show them.
func TestAlarmReasons(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.do("PutMetricAlarm", alarm(`,"EvaluationPeriods":1`))
	d.now = d.now.Add(time.Minute)
	d.put(t, "m", 7.25, time.Minute)
	if diff := cmp.Diff(state{"ALARM",
		"Threshold Crossed: 1 out of the last 1 datapoints [7.25 (23/11/26 12:00:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).",
		`{"version":"1.0","queryDate":"2026-11-23T12:01:00.000+0000","statistic":"Sum","period":60,"recentDatapoints":[7.25],"threshold":5,` +
			`"evaluatedDatapoints":[{"timestamp":"2026-11-23T12:00:00.000+0000","value":7.25}]}`}, d.state(t)); diff != "" {
		t.Error(diff)
	}
	d.now = d.now.Add(30 * time.Second)
	d.put(t, "m", 0, 30*time.Second)
	if got := d.state(t); got.StateValue != "ALARM" {
		t.Errorf("before the minute is full: %v", got)
	}
	d.now = d.now.Add(30 * time.Second)
	if got := d.state(t); got.StateReason != "Threshold Crossed: 1 out of the last 1 datapoints [0.0 (23/11/26 12:01:00)] was not greater than the threshold (5.0) (minimum 1 datapoint for ALARM -> OK transition)." {
		t.Errorf("OK: %v", got)
	}
	d.do("SetAlarmState", `{"AlarmName":"a","StateValue":"ALARM","StateReason":"a drill"}`)
	d.now = d.now.Add(59 * time.Second)
	if got := d.state(t); got != (state{"ALARM", "a drill", ""}) {
		t.Errorf("set by hand: %v", got)
	}
	d.now = d.now.Add(time.Second)
	if got := d.state(t); got.StateValue != "OK" {
		t.Errorf("a minute after it was set by hand: %v", got)
	}
	d.now = d.now.Add(time.Hour)
	if got := d.state(t); got.StateValue != "INSUFFICIENT_DATA" || got.StateReason != "Insufficient Data: 1 datapoint was unknown." {
		t.Errorf("an hour later: %v", got)
	}
}

// An alarm on an expression compares its value.
func TestAlarmOnExpression(t *testing.T) {
	t.Parallel()
	d := newDesk()
	stat := func(id, name string) string {
		return fmt.Sprintf(`{"Id":%q,"MetricStat":{"Metric":{"Namespace":"App","MetricName":%q},"Period":300,"Stat":"Sum"},"ReturnData":false}`, id, name)
	}
	body := `{"AlarmName":"a","Metrics":[` + stat("e", "errors") + `,` + stat("c", "calls") + `,{"Id":"rate","Expression":"e/c"}],"EvaluationPeriods":1,"Threshold":0.5,"ComparisonOperator":"GreaterThanOrEqualToThreshold"}`
	if got := d.do("PutMetricAlarm", body); got != "" {
		t.Fatal(got)
	}
	d.now = d.now.Add(time.Minute)
	d.put(t, "errors", 1, 2*time.Minute)
	d.put(t, "calls", 2, 4*time.Minute)
	if got := d.state(t); got.StateValue != "ALARM" || !strings.Contains(got.StateReason, "[0.5 (23/11/26 11:56:00)]") {
		t.Errorf("got %v", got)
	}
}

func TestPutMetricAlarm(t *testing.T) {
	t.Parallel()
	const invalid = "ValidationException: "
	for _, tt := range []struct{ name, body, want string }{
		{"good", alarm(""), ""},
		{"percentile", alarm(`,"Statistic":"","ExtendedStatistic":"p99"`), ""},
		{"actions", alarm(`,"AlarmActions":["arn:aws:sns:eu-west-1:123456789012:topic"],"Tags":[{"Key":"k","Value":"v"}]`), ""},
		{"nothing", `{}`, invalid + "1 validation error detected: Value null at 'alarmName' failed to satisfy constraint: Member must not be null"},
		{"comparison", alarm(`,"ComparisonOperator":"Over"`), invalid + "1 validation error detected: Value 'Over' at 'comparisonOperator' failed to satisfy constraint: " +
			"Member must satisfy enum value set: [GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanOrEqualToThreshold, LessThanThreshold]"},
		{"no statistic", alarm(`,"Statistic":""`), invalid + "Exactly one of Statistic and ExtendedStatistic must be set."},
		{"period", alarm(`,"Period":61`), invalid + "Period must be 10, 20, 30 or a multiple of 60"},
		{"more than a day", alarm(`,"Period":1800,"EvaluationPeriods":49`), invalid + "Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400)."},
		{"a week of hours", alarm(`,"Period":3600,"EvaluationPeriods":168`), ""},
		{"missing data", alarm(`,"TreatMissingData":"x"`), invalid + "Option x is not supported. Supported options for parameter TreatMissingData are breaching, notBreaching, ignore and missing."},
		{"no ARN", alarm(`,"AlarmActions":["topic"]`), invalid + "Invalid arn syntax: topic"},
		{"two series", `{"AlarmName":"a","EvaluationPeriods":1,"Threshold":1,"ComparisonOperator":"GreaterThanThreshold","Metrics":[` +
			`{"Id":"a","MetricStat":{"Metric":{"Namespace":"App","MetricName":"m"},"Period":60,"Stat":"Sum"}},{"Id":"b","Expression":"a"}]}`,
			invalid + "Exactly one element of the metrics list should return data."},
		{"metric and metrics", alarm(`,"Metrics":[{"Id":"b","Expression":"a"}]`),
			invalid + "Metrics list must not be set together with MetricName, Namespace, Dimensions, Period, Unit, Statistic or ExtendedStatistic."},
	} {
		d := newDesk()
		if got := d.do("PutMetricAlarm", tt.body); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestAlarms(t *testing.T) {
	t.Parallel()
	d := newDesk()
	const arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:a"
	shown := func(more string) string {
		return `{"AlarmName":"a","AlarmArn":"` + arn + `","AlarmConfigurationUpdatedTimestamp":1795435200,"ActionsEnabled":true,"OKActions":[],"AlarmActions":[],"InsufficientDataActions":[],` +
			`"StateValue":"INSUFFICIENT_DATA","StateReason":"Unchecked: Initial alarm creation","StateUpdatedTimestamp":1795435200,"MetricName":"m","Namespace":"App","Statistic":"Sum","Dimensions":[],` +
			`"Period":60,"EvaluationPeriods":3,"Threshold":5.0,"ComparisonOperator":"GreaterThanThreshold",` + more + `"StateTransitionedTimestamp":1795435200}`
	}
	all := func(alarms ...string) string {
		return `{"CompositeAlarms":[],"MetricAlarms":[` + strings.Join(alarms, ",") + `]}`
	}
	const tagged = `,"Tags":[{"Key":"team","Value":"red"}]`
	for _, step := range []struct{ name, refused, operation, body, want string }{
		{"none", "", "DescribeAlarms", `{}`, all()},
		{"forbidden", "cloudwatch:PutMetricAlarm", "PutMetricAlarm", alarm(""), "AccessDeniedException: cloudwatch:PutMetricAlarm on " + arn},
		{"tags need a permission", "cloudwatch:TagResource", "PutMetricAlarm", alarm(tagged), "AccessDeniedException: cloudwatch:TagResource on " + arn},
		{"put", "", "PutMetricAlarm", alarm(tagged), ""},
		{"describe", "", "DescribeAlarms", `{"AlarmNames":["a"]}`, all(shown(""))},
		{"put again, with tags that don't count", "", "PutMetricAlarm", alarm(`,"TreatMissingData":"ignore","Tags":[{"Key":"k","Value":"v"}]`), ""},
		{"describe again", "", "DescribeAlarms", `{"AlarmNamePrefix":"a"}`, all(shown(`"TreatMissingData":"ignore",`))},
		{"switch off, forbidden", "cloudwatch:DisableAlarmActions", "DisableAlarmActions", `{"AlarmNames":["a"]}`, "AccessDeniedException: cloudwatch:DisableAlarmActions on " + arn},
		{"switch off", "", "DisableAlarmActions", `{"AlarmNames":["a","none"]}`, ""},
		{"switched off", "", "DescribeAlarms", `{}`, all(strings.Replace(shown(`"TreatMissingData":"ignore",`), `"ActionsEnabled":true`, `"ActionsEnabled":false`, 1))},
		{"switch on", "", "EnableAlarmActions", `{"AlarmNames":["a"]}`, ""},
		{"tags", "", "ListTagsForResource", `{"ResourceARN":"` + arn + `"}`, `{"Tags":[{"Key":"team","Value":"red"}]}`},
		{"tag", "", "TagResource", `{"ResourceARN":"` + arn + `","Tags":[{"Key":"k","Value":"v"}]}`, `{}`},
		{"untag", "", "UntagResource", `{"ResourceARN":"` + arn + `","TagKeys":["team"]}`, `{}`},
		{"tags now", "", "ListTagsForResource", `{"ResourceARN":"` + arn + `"}`, `{"Tags":[{"Key":"k","Value":"v"}]}`},
		{"tags of none", "", "ListTagsForResource", `{"ResourceARN":"` + arn + `b"}`, "ResourceNotFoundException: "},
		{"by state", "", "DescribeAlarms", `{"StateValue":"OK"}`, all()},
		{"by type", "", "DescribeAlarms", `{"AlarmTypes":["CompositeAlarm"]}`, all()},
		{"by action", "", "DescribeAlarms", `{"ActionPrefix":"arn:aws:sns"}`, all()},
		{"for its metric", "", "DescribeAlarmsForMetric", `{"Namespace":"App","MetricName":"m","Period":60}`, `{"MetricAlarms":[` + shown(`"TreatMissingData":"ignore",`) + `]}`},
		{"for another", "", "DescribeAlarmsForMetric", `{"Namespace":"App","MetricName":"m","Dimensions":[{"Name":"n","Value":"v"}]}`, `{"MetricAlarms":[]}`},
		{"describing is forbidden", "cloudwatch:DescribeAlarms", "DescribeAlarms", `{}`, "AccessDeniedException: cloudwatch:DescribeAlarms on arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"},
		{"set none", "", "SetAlarmState", `{"AlarmName":"b","StateValue":"OK","StateReason":"x"}`, "ResourceNotFound: "},
		{"set without JSON", "", "SetAlarmState", `{"AlarmName":"a","StateValue":"OK","StateReason":"x","StateReasonData":"x"}`, "InvalidFormatFault: "},
		{"set to what is no state", "", "SetAlarmState", `{"AlarmName":"a","StateValue":"x","StateReason":"x"}`, "ValidationException: 1 validation error detected: " +
			"Value 'x' at 'stateValue' failed to satisfy constraint: Member must satisfy enum value set: [OK, ALARM, INSUFFICIENT_DATA]"},
		{"delete one too many", "", "DeleteAlarms", `{"AlarmNames":["a","b"]}`, "ResourceNotFound: "},
		{"delete", "", "DeleteAlarms", `{"AlarmNames":["a"]}`, ""},
		{"gone", "", "DescribeAlarms", `{}`, all()},
	} {
		d.refused = step.refused
		if got := d.do(step.operation, step.body); got != step.want {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got, step.want)
		}
		saved, _ := json.Marshal(d.State)
		loaded := new(cloudwatch.State)
		if err := json.Unmarshal(saved, loaded); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(loaded); string(again) != string(saved) {
			t.Errorf("%s: the state became %s, was %s", step.name, again, saved)
		}
		d.State = loaded
	}
}
