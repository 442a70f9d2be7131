package logs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/logs"
	"tegata/awsfake/wire"
)

// filled is a group with two streams, whose events alternate.
func filled(t *testing.T, s *logs.Service) {
	t.Helper()
	put := func(stream string, events ...string) {
		t.Helper()
		for _, step := range [][2]string{
			{"CreateLogStream", `{"logGroupName":"/app","logStreamName":"` + stream + `"}`},
			{"PutLogEvents", `{"logGroupName":"/app","logStreamName":"` + stream + `","logEvents":[` + strings.Join(events, ",") + `]}`},
		} {
			if got := do(s, "", step[0], step[1]); got != "" && got[0] != '{' {
				t.Fatal(got)
			}
		}
	}
	event := func(ago time.Duration, message string) string {
		return fmt.Sprintf(`{"timestamp":%d,"message":%q}`, now.Add(-ago).UnixMilli(), message)
	}
	do(s, "", "CreateLogGroup", `{"logGroupName":"/app"}`)
	put("a", event(4*time.Minute, "ERROR one"), event(2*time.Minute, "INFO three"))
	put("b", event(3*time.Minute, "ERROR two"), event(time.Minute, "ERROR four"))
}

func TestFilterLogEvents(t *testing.T) {
	t.Parallel()
	s := &logs.Service{State: &logs.State{}}
	filled(t, s)
	at := func(ago time.Duration) int64 { return now.Add(-ago).UnixMilli() }
	const invalid = "InvalidParameterException: "
	for _, tt := range []struct{ name, refused, more, want string }{
		{"all", "", ``, "a:ERROR one b:ERROR two a:INFO three b:ERROR four"},
		{"by pattern", "", `,"filterPattern":"ERROR"`, "a:ERROR one b:ERROR two b:ERROR four"},
		{"from, and up to", "", fmt.Sprintf(`,"startTime":%d,"endTime":%d`, at(3*time.Minute), at(time.Minute)), "b:ERROR two a:INFO three"},
		{"one stream", "", `,"logStreamNames":["a"]`, "a:ERROR one a:INFO three"},
		{"by prefix", "", `,"logStreamNamePrefix":"b"`, "b:ERROR two b:ERROR four"},
		{"a page", "", `,"filterPattern":"ERROR","limit":2`, "a:ERROR one b:ERROR two next Mg"},
		{"the next page", "", `,"filterPattern":"ERROR","limit":2,"nextToken":"Mg"`, "b:ERROR four"},
		{"no such stream", "", `,"logStreamNames":["c"]`, "ResourceNotFoundException: The specified log stream does not exist."},
		{"names and prefix", "", `,"logStreamNames":["a"],"logStreamNamePrefix":"b"`, invalid + "Cannot specify both logStreamNames and logStreamNamePrefix."},
		{"no pattern", "", `,"filterPattern":"{ $.a"`, invalid + "Invalid filter pattern"},
		{"no token of ours", "", `,"nextToken":"x"`, invalid + "The specified nextToken is invalid."},
		{"limit", "", `,"limit":10001`, invalid + "1 validation error detected: Value '10001' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 10000"},
		{"forbidden", "logs:FilterLogEvents", ``, "AccessDeniedException: logs:FilterLogEvents on arn:aws:logs:eu-west-1:123456789012:log-group:/app:log-stream:"},
	} {
		text := do(s, tt.refused, "FilterLogEvents", `{"logGroupName":"/app"`+tt.more+`}`)
		var out struct {
			Events []struct {
				LogStreamName, Message, EventID string
			}
			NextToken string
		}
		if json.Unmarshal([]byte(text), &out) == nil {
			var found []string
			seen := map[string]bool{}
			for _, e := range out.Events {
				found = append(found, e.LogStreamName+":"+e.Message)
				if len(e.EventID) != 56 || seen[e.EventID+e.LogStreamName] {
					t.Errorf("%s: event id %s", tt.name, e.EventID)
				}
				seen[e.EventID+e.LogStreamName] = true
			}
			if out.NextToken != "" {
				found = append(found, "next "+out.NextToken)
			}
			text = strings.Join(found, " ")
		}
		if text != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, text, tt.want)
		}
	}
	const arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/app"
	if got := do(s, "", "FilterLogEvents", `{"logGroupIdentifier":"`+arn+`","filterPattern":"three"}`); !strings.Contains(got, "INFO three") {
		t.Errorf("by its ARN: %s", got)
	}
}

func TestMetricFilters(t *testing.T) {
	t.Parallel()
	filter := func(more string) string {
		return `{"logGroupName":"/app","filterName":"errors","filterPattern":"ERROR","metricTransformations":[{"metricName":"Errors","metricNamespace":"App","metricValue":"1"` + more + `}]}`
	}
	const (
		invalid = "InvalidParameterException: "
		group   = `{"logGroupName":"/app"}`
		shown   = `{"filterName":"errors","filterPattern":"ERROR","metricTransformations":[{"metricName":"Errors","metricNamespace":"App","metricValue":"1"%s}],` +
			`"creationTime":1795406706000,"logGroupName":"/app","applyOnTransformedLogs":false}`
	)
	all := func(filters ...string) string { return `{"metricFilters":[` + strings.Join(filters, ",") + `]}` }
	s := &logs.Service{State: &logs.State{}}
	for _, step := range []struct{ name, refused, operation, body, want string }{
		{"no group", "", "PutMetricFilter", filter(""), "ResourceNotFoundException: The specified log group does not exist."},
		{"group", "", "CreateLogGroup", group, ""},
		{"forbidden", "logs:PutMetricFilter", "PutMetricFilter", filter(""), "AccessDeniedException: logs:PutMetricFilter on arn:aws:logs:eu-west-1:123456789012:log-group:/app:log-stream:"},
		{"put", "", "PutMetricFilter", filter(""), ""},
		{"describe", "", "DescribeMetricFilters", group, all(fmt.Sprintf(shown, ""))},
		{"put again", "", "PutMetricFilter", filter(`,"defaultValue":0,"unit":"Count"`), ""},
		{"describe by metric", "", "DescribeMetricFilters", `{"metricName":"Errors","metricNamespace":"App"}`, all(fmt.Sprintf(shown, `,"defaultValue":0.0,"unit":"Count"`))},
		{"describe another metric", "", "DescribeMetricFilters", `{"metricName":"Calls","metricNamespace":"App"}`, all()},
		{"describe half a metric", "", "DescribeMetricFilters", `{"metricName":"Errors"}`, invalid + "metricName and metricNamespace must be specified together."},
		{"describe by prefix", "", "DescribeMetricFilters", `{"logGroupName":"/app","filterNamePrefix":"x"}`, all()},
		{"counted", "", "DescribeLogGroups", `{}`, `{"logGroups":[{"arn":"arn:aws:logs:eu-west-1:123456789012:log-group:/app:*","creationTime":1795406706000,` +
			`"logGroupArn":"arn:aws:logs:eu-west-1:123456789012:log-group:/app","logGroupClass":"STANDARD","logGroupName":"/app","metricFilterCount":1,"storedBytes":0}]}`},
		{"no pattern", "", "PutMetricFilter", strings.Replace(filter(""), `"ERROR"`, `"{ $.a"`, 1), invalid + "Invalid metric filter pattern"},
		{"default and dimensions", "", "PutMetricFilter", filter(`,"defaultValue":0,"dimensions":{"Code":"$.code"}`),
			invalid + "Invalid metric transformation: dimensions and default value are mutually exclusive properties."},
		{"too many dimensions", "", "PutMetricFilter", filter(`,"dimensions":{"a":"$.a","b":"$.b","c":"$.c","d":"$.d"}`), invalid + "Invalid metric transformation: a metric filter can have at most 3 dimensions."},
		{"no value", "", "PutMetricFilter", strings.Replace(filter(""), `"metricValue":"1"`, `"metricValue":"one"`, 1), invalid + "Invalid metric transformation: metricValue must be a number or the name of a field"},
		{"nothing", "", "PutMetricFilter", `{}`, invalid + "3 validation errors detected: Value null at 'filterName' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'filterPattern' failed to satisfy constraint: Member must not be null; Value null at 'metricTransformations' failed to satisfy constraint: Member must not be null"},
		{"delete another", "", "DeleteMetricFilter", `{"logGroupName":"/app","filterName":"x"}`, "ResourceNotFoundException: The specified metric filter does not exist."},
		{"delete", "", "DeleteMetricFilter", `{"logGroupName":"/app","filterName":"errors"}`, ""},
		{"gone", "", "DescribeMetricFilters", group, all()},
	} {
		if got := do(s, step.refused, step.operation, step.body); got != step.want {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got, step.want)
		}
		saved, _ := json.Marshal(s.State)
		loaded := new(logs.State)
		if err := json.Unmarshal(saved, loaded); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(loaded); string(again) != string(saved) {
			t.Errorf("%s: the state became %s, was %s", step.name, again, saved)
		}
		s.State = loaded
	}
}

// Each filter measures the events that it chooses, or its default in minutes
// without.
func TestMeasurements(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) time.Time { return now.Add(d).Truncate(time.Millisecond) }
	minute := now.Truncate(time.Minute)
	for _, tt := range []struct {
		name, pattern, transformation string
		want                          []logs.Measurement
	}{
		{"counts", `{ $.level = "error" }`, `"metricValue":"1","unit":"Count"`, []logs.Measurement{{Namespace: "App", Name: "M", Unit: "Count", Value: 1, At: at(0)}}},
		{"a value", `{ $.ms > 0 }`, `"metricValue":"$.ms"`, []logs.Measurement{{Namespace: "App", Name: "M", Value: 12.5, At: at(-2 * time.Minute)}, {Namespace: "App", Name: "M", Value: 3, At: at(0)}}},
		{"a value that isn't there", `{ $.ms > 0 }`, `"metricValue":"$.other"`, nil},
		{"dimensions", `{ $.ms > 0 }`, `"metricValue":"1","dimensions":{"Level":"$.level"}`,
			[]logs.Measurement{{Namespace: "App", Name: "M", Value: 1, At: at(0), Dimensions: map[string]string{"Level": "error"}}}},
		{"a default", `{ $.level = "error" }`, `"metricValue":"1","defaultValue":0`,
			[]logs.Measurement{{Namespace: "App", Name: "M", Value: 1, At: at(0)}, {Namespace: "App", Name: "M", Value: 0, At: minute.Add(-2 * time.Minute)}}},
	} {
		var got []logs.Measurement
		s := &logs.Service{State: &logs.State{}, Measure: func(_ *wire.Call, m logs.Measurement) {
			m.At = m.At.UTC()
			got = append(got, m)
		}}
		for _, step := range [][2]string{
			{"CreateLogGroup", `{"logGroupName":"/app"}`},
			{"CreateLogStream", `{"logGroupName":"/app","logStreamName":"a"}`},
			{"PutMetricFilter", fmt.Sprintf(`{"logGroupName":"/app","filterName":"f","filterPattern":%q,"metricTransformations":[{"metricName":"M","metricNamespace":"App",%s}]}`, tt.pattern, tt.transformation)},
			{"PutLogEvents", fmt.Sprintf(`{"logGroupName":"/app","logStreamName":"a","logEvents":[{"timestamp":%d,"message":"{\"ms\":12.5}"},{"timestamp":%d,"message":"{\"level\":\"error\",\"ms\":3}"}]}`,
				at(-2*time.Minute).UnixMilli(), at(0).UnixMilli())},
		} {
			if text := do(s, "", step[0], step[1]); text != "" && text[0] != '{' {
				t.Fatalf("%s: %s", tt.name, text)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}
