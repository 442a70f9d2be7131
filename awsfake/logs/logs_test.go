package logs_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/logs"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

var now = time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)

// do runs an operation for a caller who is refused one action.
func do(s *logs.Service, refused, operation, body string) string {
	for _, o := range s.Wire().Operations {
		if o.Name != operation {
			continue
		}
		c := &wire.Call{Region: "eu-west-1", Account: "123456789012", Protocol: wire.JSON, Body: []byte(body), Clock: func() time.Time { return now }}
		c.Decide = func(r policy.Request, _ *policy.Named) error {
			if r.Action == refused {
				return wire.Refuse("AccessDeniedException", r.Action+" on "+r.Resource)
			}
			return nil
		}
		w := httptest.NewRecorder()
		if err := o.Serve(w, c, &sync.Mutex{}); err != nil {
			return err.Error()
		}
		return w.Body.String()
	}
	return http.StatusText(http.StatusNotFound)
}

func TestGroupsAndEvents(t *testing.T) {
	t.Parallel()
	const (
		arn    = "arn:aws:logs:eu-west-1:123456789012:log-group:/app"
		app    = `{"logGroupName":"/app"}`
		stream = `{"logGroupName":"/app","logStreamName":"a"}`
		shown  = `{"logGroups":[{"arn":"` + arn + `:*","creationTime":1795406706000,"logGroupArn":"` + arn + `","logGroupClass":"STANDARD","logGroupName":"/app","metricFilterCount":0%s,"storedBytes":0}]}`
		lost   = "ResourceNotFoundException: The specified log group does not exist."
	)
	at := func(d time.Duration) int64 { return now.Add(d).UnixMilli() }
	put := func(events string) string {
		return `{"logGroupName":"/app","logStreamName":"a","logEvents":[` + events + `]}`
	}
	event := func(d time.Duration, text string) string {
		return fmt.Sprintf(`{"timestamp":%d,"message":%q}`, at(d), text)
	}
	token := func(way string, n int) string { return fmt.Sprintf("%s/%056d/s", way, n) }
	answer := func(text string, d time.Duration, start, end int) string {
		return fmt.Sprintf(`{"events":[{"ingestionTime":%d,"message":%q,"timestamp":%d}],"nextForwardToken":%q,"nextBackwardToken":%q}`,
			at(0), text, at(d), token("f", end), token("b", start))
	}
	get := func(more string) string { return `{"logGroupName":"/app","logStreamName":"a","limit":1` + more + `}` }
	taken := fmt.Sprintf(`{"nextSequenceToken":"%056d"`, at(0))
	s := &logs.Service{State: &logs.State{}}
	for _, step := range []struct{ name, refused, operation, body, want string }{
		{"delete what is not there", "", "DeleteLogGroup", app, lost},
		{"bad name", "", "CreateLogGroup", `{"logGroupName":"a b"}`,
			`InvalidParameterException: 1 validation error detected: Value 'a b' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\.\-_/#A-Za-z0-9]+`},
		{"forbidden", "logs:CreateLogGroup", "CreateLogGroup", app, "AccessDeniedException: logs:CreateLogGroup on " + arn + ":log-stream:"},
		{"tags need a permission", "logs:TagResource", "CreateLogGroup", `{"logGroupName":"/app","tags":{"a":"b"}}`,
			"AccessDeniedException: logs:TagResource on " + arn + ":log-stream:"},
		{"create", "", "CreateLogGroup", `{"logGroupName":"/app","tags":{"a":"b"}}`, ""},
		{"create again", "", "CreateLogGroup", app, "ResourceAlreadyExistsException: The specified log group already exists"},
		{"tags", "", "ListTagsForResource", `{"resourceArn":"` + arn + `"}`, `{"tags":{"a":"b"}}`},
		{"tags by the other ARN", "", "ListTagsForResource", `{"resourceArn":"` + arn + `:*"}`, "ResourceNotFoundException: The specified resource does not exist."},
		{"untag", "", "UntagResource", `{"resourceArn":"` + arn + `","tagKeys":["a"]}`, ""},
		{"no tags", "", "ListTagsForResource", `{"resourceArn":"` + arn + `"}`, `{"tags":{}}`},
		{"describe", "", "DescribeLogGroups", `{"logGroupNamePrefix":"/a"}`, fmt.Sprintf(shown, "")},
		{"other prefix", "", "DescribeLogGroups", `{"logGroupNamePrefix":"a"}`, `{"logGroups":[]}`},
		{"retention", "", "PutRetentionPolicy", `{"logGroupName":"/app","retentionInDays":7}`, ""},
		{"describe retention", "", "DescribeLogGroups", `{"logGroupNamePattern":"PP"}`, fmt.Sprintf(shown, `,"retentionInDays":7`)},
		{"no stream", "", "PutLogEvents", put(event(0, "x")), "ResourceNotFoundException: The specified log stream does not exist."},
		{"stream", "", "CreateLogStream", stream, ""},
		{"stream again", "", "CreateLogStream", stream, "ResourceAlreadyExistsException: The specified log stream already exists"},
		{"put, forbidden", "logs:PutLogEvents", "PutLogEvents", put(event(0, "x")), "AccessDeniedException: logs:PutLogEvents on " + arn + ":log-stream:a"},
		{"out of order", "", "PutLogEvents", put(event(0, "x") + "," + event(-1e6, "y")),
			"InvalidParameterException: Log events in a single PutLogEvents request must be in chronological order."},
		{"put", "", "PutLogEvents", put(event(-time.Second, "one") + "," + event(0, "two")), taken + "}"},
		{"too new", "", "PutLogEvents", put(event(3*time.Hour, "x")), taken + `,"rejectedLogEventsInfo":{"tooNewLogEventStartIndex":0}}`},
		{"expired", "", "PutLogEvents", put(event(-8*24*time.Hour, "x")), taken + `,"rejectedLogEventsInfo":{"expiredLogEventEndIndex":1}}`},
		{"too old", "", "PutLogEvents", put(event(-15*24*time.Hour, "x")), taken + `,"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":1,"expiredLogEventEndIndex":1}}`},
		{"the last", "", "GetLogEvents", get(""), answer("two", 0, 1, 2)},
		{"from the head", "", "GetLogEvents", get(`,"startFromHead":true`), answer("one", -time.Second, 0, 1)},
		{"forward", "", "GetLogEvents", get(`,"nextToken":"` + token("f", 1) + `"`), answer("two", 0, 1, 2)},
		{"backward", "", "GetLogEvents", get(`,"nextToken":"` + token("b", 1) + `"`), answer("one", -time.Second, 0, 1)},
		{"bad token", "", "GetLogEvents", get(`,"nextToken":"f/9/s"`), "InvalidParameterException: The specified nextToken is invalid."},
		{"delete stream", "", "DeleteLogStream", stream, ""},
		{"delete", "", "DeleteLogGroup", app, ""},
		{"gone", "", "DeleteRetentionPolicy", app, lost},
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

func TestStreams(t *testing.T) {
	t.Parallel()
	s := &logs.Service{State: &logs.State{}}
	for _, step := range []struct{ operation, body string }{
		{"CreateLogGroup", `{"logGroupName":"/app"}`},
		{"CreateLogStream", `{"logGroupName":"/app","logStreamName":"a"}`},
		{"CreateLogStream", `{"logGroupName":"/app","logStreamName":"b"}`},
		{"CreateLogStream", `{"logGroupName":"/app","logStreamName":"web"}`},
		{"PutLogEvents", fmt.Sprintf(`{"logGroupName":"/app","logStreamName":"a","logEvents":[{"timestamp":%d,"message":"x"}]}`, now.UnixMilli())},
	} {
		if got := do(s, "", step.operation, step.body); len(got) > 0 && got[0] != '{' {
			t.Fatalf("%s: %s", step.operation, got)
		}
	}
	for more, want := range map[string][]string{
		``:                           {"a", "b", "web"},
		`,"descending":true`:         {"web", "b", "a"},
		`,"logStreamNamePrefix":"w"`: {"web"},
		`,"limit":1`:                 {"a"},
		`,"orderBy":"LastEventTime","descending":true,"limit":1`: {"a"},
	} {
		var got struct {
			LogStreams []struct {
				LogStreamName, ARN string
				LastEventTimestamp int64
			}
			NextToken string
		}
		text := do(s, "", "DescribeLogStreams", `{"logGroupName":"/app"`+more+`}`)
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		var names []string
		for _, stream := range got.LogStreams {
			names = append(names, stream.LogStreamName)
			if has := stream.LastEventTimestamp == now.UnixMilli(); has != (stream.LogStreamName == "a") {
				t.Errorf("%s: the last event of %s at %d", more, stream.LogStreamName, stream.LastEventTimestamp)
			}
		}
		if fmt.Sprint(names) != fmt.Sprint(want) || (got.NextToken != "") != (len(want) == 1 && want[0] == "a") {
			t.Errorf("%s: %v, next %q, want %v", more, names, got.NextToken, want)
		}
	}
	for body, want := range map[string]string{
		`{"logGroupName":"/none"}`:                                                    "ResourceNotFoundException: The specified log group does not exist.",
		`{"logGroupName":"/app","limit":51}`:                                          "InvalidParameterException: 1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
		`{"logGroupName":"/app","nextToken":"x"}`:                                     "InvalidParameterException: The specified nextToken is invalid.",
		`{"logGroupName":"/app","orderBy":"LastEventTime","logStreamNamePrefix":"a"}`: "InvalidParameterException: Cannot order by LastEventTime with a logStreamNamePrefix.",
	} {
		if got := do(s, "", "DescribeLogStreams", body); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
	}
}
