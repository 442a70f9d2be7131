package cloudwatch_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/cloudwatch"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A desk is CloudWatch with a clock that a test sets, and a caller who is
// refused one action.
type desk struct {
	cloudwatch.Service
	now     time.Time
	refused string
}

func newDesk() *desk {
	return &desk{Service: cloudwatch.Service{State: new(cloudwatch.State), Metrics: new(cloudwatch.Metrics)}, now: noon}
}

func (d *desk) do(operation, body string) string {
	for _, o := range d.Wire().Operations {
		if o.Name != operation {
			continue
		}
		c := &wire.Call{Region: "eu-west-1", Account: "123456789012", Protocol: wire.JSON10, Body: []byte(body), Clock: func() time.Time { return d.now }}
		c.Decide = func(r policy.Request, _ *policy.Named) error {
			if r.Action == d.refused {
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
	return "no such operation"
}

// put measures a metric some time ago.
func (d *desk) put(t *testing.T, name string, value float64, ago time.Duration) {
	t.Helper()
	body := fmt.Sprintf(`{"Namespace":"App","MetricData":[{"MetricName":%q,"Value":%v,"Timestamp":%d}]}`, name, value, d.now.Add(-ago).Unix())
	if got := d.do("PutMetricData", body); got != "" {
		t.Fatal(got)
	}
}

func TestPutMetricData(t *testing.T) {
	t.Parallel()
	one := func(members string) string {
		return `{"Namespace":"App","MetricData":[{"MetricName":"m",` + members + `}]}`
	}
	const invalid = "InvalidParameterValueException: The parameter MetricData.member.1."
	many := strings.TrimSuffix(strings.Repeat(`{"MetricName":"m","Value":1},`, 1001), ",")
	dimensions := strings.TrimSuffix(strings.Repeat(`{"Name":"n","Value":"v"},`, 31), ",")
	for _, tt := range []struct{ name, body, want string }{
		{"a value", one(`"Value":0`), ""},
		{"values", one(`"Values":[1,2],"Counts":[1,3],"Unit":"Count"`), ""},
		{"a set", one(`"StatisticValues":{"SampleCount":2,"Sum":3,"Minimum":1,"Maximum":2}`), ""},
		{"an hour ahead", one(fmt.Sprintf(`"Value":1,"Timestamp":%d`, noon.Add(time.Hour).Unix())), ""},
		{"by the second", one(`"Value":1,"StorageResolution":1`), ""},
		{"of an entity", `{"Namespace":"App","EntityMetricData":[{"Entity":{},"MetricData":[{"MetricName":"m","Value":1}]}]}`, ""},
		{"no namespace", `{"MetricData":[{"MetricName":"m","Value":1}]}`, "MissingRequiredParameterException: The parameter Namespace is required."},
		{"AWS's namespace", `{"Namespace":"AWS/EC2","MetricData":[{"MetricName":"m","Value":1}]}`,
			"InvalidParameterValueException: The value AWS/ for parameter Namespace is invalid."},
		{"nothing", `{"Namespace":"App"}`, "MissingRequiredParameterException: The parameter MetricData is required."},
		{"too many", `{"Namespace":"App","MetricData":[` + many + `]}`,
			"InvalidParameterValueException: The collection MetricData must not have a size greater than 1000."},
		{"no name", `{"Namespace":"App","MetricData":[{"Value":1}]}`,
			"MissingRequiredParameterException: The parameter MetricData.member.1.MetricName is required."},
		{"no value", one(`"Unit":"Count"`), "InvalidParameterCombinationException: At least one of the parameters " +
			"MetricData.member.1.Value and MetricData.member.1.StatisticValues must be specified."},
		{"two values", one(`"Value":1,"StatisticValues":{"SampleCount":1,"Sum":1,"Minimum":1,"Maximum":1}`), "InvalidParameterCombinationException: The parameters " +
			"MetricData.member.1.Value and MetricData.member.1.StatisticValues are mutually exclusive and you have specified both."},
		{"NaN", one(`"Value":"NaN"`), "InvalidParameterValueException: The value \uFFFD for parameter MetricData.member.1.Value is invalid."},
		{"infinity", one(`"Value":"-Infinity"`), "InvalidParameterValueException: The value -∞ for parameter MetricData.member.1.Value is invalid."},
		{"too great", one(`"Value":1e109`), "InvalidParameterValueException: The value 1e+109 for parameter MetricData.member.1.Value is invalid."},
		{"too old", one(fmt.Sprintf(`"Value":1,"Timestamp":%d`, noon.Add(-15*24*time.Hour).Unix())),
			invalid + "Timestamp must specify a time within the past two weeks."},
		{"too far ahead", one(fmt.Sprintf(`"Value":1,"Timestamp":%d`, noon.Add(3*time.Hour).Unix())),
			invalid + "Timestamp must specify a time within the past two weeks."},
		{"set upside down", one(`"StatisticValues":{"SampleCount":1,"Sum":1,"Minimum":2,"Maximum":1}`),
			invalid + "StatisticValues.Maximum must be greater than MetricData.member.1.StatisticValues.Minimum."},
		{"half a set", one(`"StatisticValues":{"SampleCount":1,"Sum":1}`), "MissingRequiredParameterException: " +
			"The parameter MetricData.member.1.StatisticValues.Maximum is required.\nThe parameter MetricData.member.1.StatisticValues.Minimum is required."},
		{"counts of others", one(`"Values":[1,2],"Counts":[1]`), "InvalidParameterValueException: The parameters " +
			"MetricData.member.1.Values and MetricData.member.1.Counts must be of the same size."},
		{"resolution", one(`"Value":1,"StorageResolution":5`), invalid + "StorageResolution must be a value in the set [ 1, 60 ]."},
		{"one dimension twice", one(`"Value":1,"Dimensions":[{"Name":"n","Value":"a"},{"Name":"n","Value":"b"}]`),
			"InvalidParameterValueException: No metric may specify the same dimension name twice."},
		{"dimensions", one(`"Value":1,"Dimensions":[` + dimensions + `]`), "InvalidParameterValueException: " +
			"The collection MetricData.member.1.Dimensions must not have a size greater than 30." + strings.Repeat("\nNo metric may specify the same dimension name twice.", 30)},
	} {
		if got := newDesk().do("PutMetricData", tt.body); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	d := newDesk()
	d.refused = "cloudwatch:PutMetricData"
	if got := d.do("PutMetricData", one(`"Value":1`)); got != "AccessDeniedException: cloudwatch:PutMetricData on *" {
		t.Error(got)
	}
}

func TestGetMetricStatistics(t *testing.T) {
	t.Parallel()
	d := newDesk()
	for i := range 10 {
		d.put(t, "m", float64(i+1), 5*time.Minute+time.Duration(i)*6*time.Second) // 1 in 11:55, 2 to 10 in 11:54
	}
	d.do("PutMetricData", `{"Namespace":"App","MetricData":[{"MetricName":"m","Unit":"Count","StatisticValues":{"SampleCount":4.0,"Sum":10.0,"Minimum":1.0,"Maximum":4.0}}]}`)
	ask := func(from, to time.Duration, period int, more string) string {
		return fmt.Sprintf(`{"Namespace":"App","MetricName":"m","StartTime":%d,"EndTime":%d,"Period":%d,%s}`, noon.Add(from).Unix(), noon.Add(to).Unix(), period, more)
	}
	at := func(ago time.Duration) int64 { return noon.Add(-ago).Unix() }
	const minutes = time.Minute
	for _, tt := range []struct{ name, body, want string }{
		{"by minutes", ask(-7*minutes, -4*minutes, 60, `"Statistics":["Sum","Average"]`), fmt.Sprintf(
			`{"Label":"m","Datapoints":[{"Timestamp":%d,"Average":6.0,"Sum":54.0,"Unit":"None"},{"Timestamp":%d,"Average":1.0,"Sum":1.0,"Unit":"None"}]}`, at(6*minutes), at(5*minutes))},
		{"periods begin with the start", ask(-7*minutes, 0, 300, `"Statistics":["SampleCount","Minimum","Maximum"]`), fmt.Sprintf(
			`{"Label":"m","Datapoints":[{"Timestamp":%d,"SampleCount":10.0,"Minimum":1.0,"Maximum":10.0,"Unit":"None"}]}`, at(7*minutes))},
		{"percentiles", ask(-10*minutes, 0, 600, `"ExtendedStatistics":["p50","p90.5","p100"]`), fmt.Sprintf(
			`{"Label":"m","Datapoints":[{"Timestamp":%d,"Unit":"None","ExtendedStatistics":{"p100":10.0,"p50":5.0,"p90.5":10.0}}]}`, at(10*minutes))},
		{"no percentiles of a set", ask(0, minutes, 60, `"ExtendedStatistics":["p50"]`), fmt.Sprintf(
			`{"Label":"m","Datapoints":[{"Timestamp":%d,"Unit":"Count"}]}`, at(0))},
		{"each unit", ask(-60*minutes, minutes, 86400, `"Statistics":["Sum"]`), fmt.Sprintf(
			`{"Label":"m","Datapoints":[{"Timestamp":%d,"Sum":10.0,"Unit":"Count"},{"Timestamp":%[1]d,"Sum":55.0,"Unit":"None"}]}`, at(60*minutes))},
		{"one unit", ask(-60*minutes, minutes, 86400, `"Statistics":["Sum"],"Unit":"Count"`), fmt.Sprintf(
			`{"Label":"m","Datapoints":[{"Timestamp":%d,"Sum":10.0,"Unit":"Count"}]}`, at(60*minutes))},
		{"other dimensions", ask(-60*minutes, minutes, 86400, `"Statistics":["Sum"],"Dimensions":[{"Name":"n","Value":"v"}]`), `{"Label":"m","Datapoints":[]}`},
		{"the end is not in it", ask(-10*minutes, -6*minutes, 60, `"Statistics":["Sum"]`), `{"Label":"m","Datapoints":[]}`},
		{"too much", ask(-25*time.Hour, 0, 60, `"Statistics":["Sum"]`), "InvalidParameterCombinationException: You have requested up to 1500 datapoints, which exceeds the limit of 1440. " +
			"You may reduce the datapoints requested by increasing Period, or decreasing the time range."},
		{"backwards", ask(0, -minutes, 60, `"Statistics":["Sum"]`), "InvalidParameterValueException: The parameter StartTime must be less than the parameter EndTime."},
		{"period", ask(-minutes, 0, 61, `"Statistics":["Sum"]`), "InvalidParameterValueException: The parameter Period must be a value in the set [ 1, 5, 10, 20, 30 ] or a multiple of 60."},
		{"no statistics", ask(-minutes, 0, 60, `"Unit":"Count"`), "InvalidParameterCombinationException: Must specify either Statistics or ExtendedStatistics."},
		{"nothing", `{}`, "MissingRequiredParameterException: The parameter Namespace is required.\nThe parameter MetricName is required.\n" +
			"The parameter StartTime is required.\nThe parameter EndTime is required.\nThe parameter Period is required."},
	} {
		if got := d.do("GetMetricStatistics", tt.body); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}

func TestListMetrics(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.put(t, "old", 1, 13*24*time.Hour)
	d.put(t, "new", 1, time.Hour)
	d.do("PutMetricData", `{"Namespace":"Web","MetricData":[{"MetricName":"m","Value":1,"Dimensions":[{"Name":"b","Value":"2"},{"Name":"a","Value":"1"}]}]}`)
	const (
		old = `{"Namespace":"App","MetricName":"old","Dimensions":[]}`
		new = `{"Namespace":"App","MetricName":"new","Dimensions":[]}`
		web = `{"Namespace":"Web","MetricName":"m","Dimensions":[{"Name":"a","Value":"1"},{"Name":"b","Value":"2"}]}`
	)
	list := func(metrics ...string) string { return `{"Metrics":[` + strings.Join(metrics, ",") + `]}` }
	for _, tt := range []struct{ name, body, want string }{
		{"all", `{}`, list(new, old, web)},
		{"recent", `{"RecentlyActive":"PT3H"}`, list(new, web)},
		{"namespace", `{"Namespace":"Web"}`, list(web)},
		{"name", `{"MetricName":"old"}`, list(old)},
		{"dimension", `{"Dimensions":[{"Name":"a"}]}`, list(web)},
		{"dimension and value", `{"Dimensions":[{"Name":"a","Value":"2"}]}`, list()},
		{"token", `{"NextToken":"x"}`, "InvalidParameterValueException: Request parameter NextToken is invalid"},
		{"recency", `{"RecentlyActive":"PT1H"}`, "InvalidParameterValueException: The parameter RecentlyActive must be a value in the set [ PT3H ]."},
	} {
		if got := d.do("ListMetrics", tt.body); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	d.now = d.now.Add(2 * 24 * time.Hour)
	if got := d.do("ListMetrics", `{}`); got != list(new, web) {
		t.Errorf("two weeks after the last measurement: %s", got)
	}
	for i := range 501 {
		d.put(t, fmt.Sprint("m", i), 1, 0)
	}
	var page struct {
		Metrics   []any
		NextToken string
	}
	if err := json.Unmarshal([]byte(d.do("ListMetrics", `{"RecentlyActive":"PT3H"}`)), &page); err != nil || len(page.Metrics) != 500 || page.NextToken == "" {
		t.Errorf("a page of %d, next %q, %v", len(page.Metrics), page.NextToken, err)
	}
}

func TestGetMetricData(t *testing.T) {
	t.Parallel()
	d := newDesk()
	d.put(t, "errors", 1, 10*time.Minute)
	d.put(t, "errors", 2, 5*time.Minute)
	d.put(t, "calls", 10, 10*time.Minute)
	d.put(t, "calls", 0, 5*time.Minute)
	stat := func(id, name, more string) string {
		return fmt.Sprintf(`{"Id":%q,"MetricStat":{"Metric":{"Namespace":"App","MetricName":%q},"Period":300,"Stat":"Sum"}%s}`, id, name, more)
	}
	expression := func(id, text string) string { return fmt.Sprintf(`{"Id":%q,"Expression":%q}`, id, text) }
	ask := func(more string, queries ...string) string {
		return fmt.Sprintf(`{"StartTime":%d,"EndTime":%d,"MetricDataQueries":[%s]%s}`, noon.Add(-12*time.Minute).Unix(), noon.Unix(), strings.Join(queries, ","), more)
	}
	first, second := noon.Add(-10*time.Minute).Unix(), noon.Add(-5*time.Minute).Unix()
	both := func(id, label, more string, a, b float64) string {
		return fmt.Sprintf(`{"MetricDataResults":[{"Id":%q,"Label":%q,"Timestamps":[%d,%d],"Values":[%.1f,%.1f],"StatusCode":"Complete"}],"Messages":[]%s}`, id, label, second, first, b, a, more)
	}
	hidden := stat("e", "errors", `,"ReturnData":false`)
	for _, tt := range []struct{ name, body, want string }{
		{"newest first", ask("", stat("e", "errors", "")), both("e", "errors", "", 1, 2)},
		{"labelled", ask("", stat("e", "errors", `,"Label":"Errors"`)), both("e", "Errors", "", 1, 2)},
		{"arithmetic", ask("", hidden, expression("x", "-(e + 1) * 2 - e/2")), both("x", "x", "", -4.5, -7)},
		{"no division by zero", ask(`,"ScanBy":"TimestampAscending"`, hidden, stat("c", "calls", `,"ReturnData":false`), expression("rate", "100 * e / c")), fmt.Sprintf(
			`{"MetricDataResults":[{"Id":"rate","Label":"rate","Timestamps":[%d],"Values":[10.0],"StatusCode":"Complete"}],"Messages":[]}`, first)},
		{"a page", ask(`,"MaxDatapoints":1`, stat("e", "errors", "")), fmt.Sprintf(
			`{"MetricDataResults":[{"Id":"e","Label":"errors","Timestamps":[%d],"Values":[2.0],"StatusCode":"PartialData"}],"Messages":[],"NextToken":"MQ"}`, second)},
		{"the next page", ask(`,"MaxDatapoints":1,"NextToken":"MQ"`, stat("e", "errors", "")), fmt.Sprintf(
			`{"MetricDataResults":[{"Id":"e","Label":"errors","Timestamps":[%d],"Values":[1.0],"StatusCode":"Complete"}],"Messages":[]}`, first)},
		{"nothing measured", ask("", stat("o", "other", "")), `{"MetricDataResults":[{"Id":"o","Label":"other","Timestamps":[],"Values":[],"StatusCode":"Complete"}],"Messages":[]}`},
		{"no token of ours", ask(`,"NextToken":"x"`, stat("e", "errors", "")), "InvalidNextToken: The next token specified is invalid."},
		{"id", ask("", stat("E", "errors", "")), "ValidationException: The value E for parameter MetricDataQueries.member.1.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$."},
		{"one id twice", ask("", stat("e", "errors", ""), stat("e", "calls", "")), "ValidationException: The values for parameter id in MetricDataQueries are not unique."},
		{"unknown id", ask("", expression("x", "e + 1")), "ValidationException: Error in expression 'x': undefined variable: e"},
		{"circle", ask("", expression("x", "y + 1"), expression("y", "x + 1")), "ValidationException: Error in expression 'x': it refers to itself"},
		{"function", ask("", expression("x", "SEARCH('a', 'Sum')")), "ValidationException: Error in expression 'x': unsupported function SEARCH: tegata's stand-in knows arithmetic only"},
		{"no expression", ask("", expression("x", "1 +")), "ValidationException: Error in expression 'x': it is no expression"},
		{"a number", ask("", expression("x", "1 + 1")), "ValidationException: Error in expression 'x': it is no time series"},
		{"neither", ask("", `{"Id":"x"}`), "ValidationException: The parameters MetricDataQueries.member.1.Expression and MetricDataQueries.member.1.MetricStat are mutually exclusive and exactly one must be specified."},
		{"no queries", `{}`, "MissingRequiredParameterException: The parameter MetricDataQueries is required.\nThe parameter StartTime is required.\nThe parameter EndTime is required."},
	} {
		if got := d.do("GetMetricData", tt.body); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}
