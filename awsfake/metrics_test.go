package awsfake

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tegata/internal/fault"
)

func (b *box) metrics() *cloudwatch.Client {
	return cloudwatch.New(cloudwatch.Options{
		Region: b.region, BaseEndpoint: &b.URL, RetryMaxAttempts: 1,
		Credentials: credentials.StaticCredentialsProvider{Value: key},
	})
}

// The SDK speaks CBOR, and compresses what is long.
func TestMetricsOverCBOR(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	c := b.metrics()
	at := time.Now().Add(-time.Minute).Truncate(time.Minute).UTC()
	var data []types.MetricDatum
	for i := range 1000 {
		data = append(data, types.MetricDatum{
			MetricName: aws.String("Latency"), Value: aws.Float64(float64(i)), Timestamp: &at, Unit: types.StandardUnitMilliseconds,
			Dimensions: []types.Dimension{{Name: aws.String("Host"), Value: aws.String("a")}},
		})
	}
	if _, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("App"), MetricData: data}); err != nil {
		t.Fatal(err)
	}
	out, err := c.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("App"), MetricName: aws.String("Latency"), Dimensions: data[0].Dimensions,
		StartTime: &at, EndTime: aws.Time(at.Add(time.Minute)), Period: aws.Int32(60),
		Statistics: []types.Statistic{types.StatisticSum, types.StatisticSampleCount, types.StatisticMaximum},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []types.Datapoint{{
		Timestamp: &at, Unit: types.StandardUnitMilliseconds, Sum: aws.Float64(499500), SampleCount: aws.Float64(1000), Maximum: aws.Float64(999),
	}}
	if diff := cmp.Diff(want, out.Datapoints, cmp.AllowUnexported(types.Datapoint{}), cmp.Comparer(time.Time.Equal)); diff != "" {
		t.Error(diff)
	}
	listed, err := c.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{RecentlyActive: types.RecentlyActivePt3h})
	if err != nil || len(listed.Metrics) != 1 || *listed.Metrics[0].Dimensions[0].Value != "a" {
		t.Errorf("%v, %v", listed, err)
	}
	_, err = c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("App"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("x"), Value: aws.Float64(math.NaN())},
	}})
	refused, ok := errors.AsType[*types.InvalidParameterValueException](err)
	if !ok || refused.ErrorMessage() != "The value \uFFFD for parameter MetricData.member.1.Value is invalid." || refused.ErrorCode() != "InvalidParameterValue" {
		t.Errorf("NaN: %v", err)
	}
	b.credential.Caller.Policies = policies(t, `{"Statement":{"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*","Condition":{"StringEquals":{"cloudwatch:namespace":"App"}}}}`)
	_, err = c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("Other"), MetricData: data[:1]})
	denied, ok := errors.AsType[smithy.APIError](err)
	if !ok || denied.ErrorCode() != "AccessDenied" || !strings.Contains(denied.ErrorMessage(), "cloudwatch:PutMetricData") {
		t.Errorf("denied: %v", err)
	}
	if _, err = c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("App"), MetricData: data[:1]}); err != nil {
		t.Error(err)
	}
}

// The SDK reads alarms and results as they were put.
func TestAlarmsOverCBOR(t *testing.T) {
	t.Parallel()
	b := start(t, sdkPause)
	c := b.metrics()
	errorsOf := types.MetricDataQuery{Id: aws.String("errors"), ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: aws.String("App"), MetricName: aws.String("Errors"), Dimensions: []types.Dimension{{Name: aws.String("Host"), Value: aws.String("a")}}},
		Period: aws.Int32(60), Stat: aws.String("Sum"),
	}}
	rate := types.MetricDataQuery{Id: aws.String("rate"), Expression: aws.String("errors * 2"), Label: aws.String("Rate")}
	put := cloudwatch.PutMetricAlarmInput{
		AlarmName: aws.String("a"), AlarmDescription: aws.String("d"), ActionsEnabled: aws.Bool(false), EvaluationPeriods: aws.Int32(3), DatapointsToAlarm: aws.Int32(2),
		Threshold: aws.Float64(1.5), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, TreatMissingData: aws.String("notBreaching"),
		OKActions: []string{"arn:aws:sns:ap-northeast-1:123456789012:topic"}, Metrics: []types.MetricDataQuery{errorsOf, rate},
		Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}},
	}
	if _, err := c.PutMetricAlarm(t.Context(), &put); err != nil {
		t.Fatal(err)
	}
	described, err := c.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}})
	if err != nil || len(described.MetricAlarms) != 1 {
		t.Fatalf("%v, %v", described, err)
	}
	got := described.MetricAlarms[0]
	if time.Since(*got.StateUpdatedTimestamp) > time.Minute || got.StateTransitionedTimestamp == nil || got.AlarmConfigurationUpdatedTimestamp == nil {
		t.Errorf("times %v, %v, %v", got.StateUpdatedTimestamp, got.StateTransitionedTimestamp, got.AlarmConfigurationUpdatedTimestamp)
	}
	got.StateUpdatedTimestamp, got.StateTransitionedTimestamp, got.AlarmConfigurationUpdatedTimestamp = nil, nil, nil
	want := types.MetricAlarm{
		AlarmArn: aws.String("arn:aws:cloudwatch:ap-northeast-1:123456789012:alarm:a"), AlarmName: put.AlarmName, AlarmDescription: put.AlarmDescription, ActionsEnabled: put.ActionsEnabled,
		EvaluationPeriods: put.EvaluationPeriods, DatapointsToAlarm: put.DatapointsToAlarm, Threshold: put.Threshold, ComparisonOperator: put.ComparisonOperator,
		TreatMissingData: put.TreatMissingData, OKActions: put.OKActions, AlarmActions: []string{}, InsufficientDataActions: []string{}, Dimensions: []types.Dimension{},
		Metrics: put.Metrics, StateValue: types.StateValueInsufficientData, StateReason: aws.String("Unchecked: Initial alarm creation"),
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.MetricAlarm{}, types.MetricDataQuery{}, types.MetricStat{}, types.Metric{}, types.Dimension{})); diff != "" {
		t.Error(diff)
	}
	tags, err := c.ListTagsForResource(t.Context(), &cloudwatch.ListTagsForResourceInput{ResourceARN: got.AlarmArn})
	if err != nil || len(tags.Tags) != 1 || *tags.Tags[0].Value != "v" {
		t.Errorf("tags %v, %v", tags, err)
	}
	at := time.Now().Truncate(time.Minute)
	if _, err := c.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{Namespace: aws.String("App"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Errors"), Dimensions: errorsOf.MetricStat.Metric.Dimensions, Values: []float64{3, 0.5}, Counts: []float64{1, 2}, Timestamp: &at},
	}}); err != nil {
		t.Fatal(err)
	}
	data, err := c.GetMetricData(t.Context(), &cloudwatch.GetMetricDataInput{
		MetricDataQueries: put.Metrics, StartTime: &at, EndTime: aws.Time(at.Add(time.Minute)), ScanBy: types.ScanByTimestampAscending,
	})
	if err != nil || len(data.MetricDataResults) != 1 {
		t.Fatalf("%v, %v", data, err)
	}
	r := data.MetricDataResults[0]
	if *r.Id != "rate" || *r.Label != "Rate" || r.StatusCode != types.StatusCodeComplete || len(r.Values) != 1 || r.Values[0] != 8 || !r.Timestamps[0].Equal(at) {
		t.Errorf("%s, %s, %s: %v at %v", *r.Id, *r.Label, r.StatusCode, r.Values, r.Timestamps)
	}
	if _, err := c.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{AlarmName: aws.String("none"), StateValue: types.StateValueOk, StateReason: aws.String("x")}); err == nil {
		t.Error("the state of no alarm was set")
	} else if _, ok := errors.AsType[*types.ResourceNotFound](err); !ok {
		t.Errorf("the state of no alarm: %v", err)
	}
}

const granite = "GraniteServiceVersion20100801"

// putMetric is one call in each of the protocols.
func putMetric(protocol, value string) exchange {
	e := exchange{service: "monitoring", method: "POST", path: "/"}
	switch protocol {
	case "query":
		e.header = map[string]string{"Content-Type": "application/x-www-form-urlencoded"}
		e.body = "Action=PutMetricData&Version=2010-08-01&Namespace=App&MetricData.member.1.MetricName=m&MetricData.member.1.Value=" + value
	case "json":
		e.header = map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": granite + ".PutMetricData"}
		e.body = `{"Namespace":"App","MetricData":[{"MetricName":"m","Value":` + value + `}]}`
		if value == "NaN" {
			e.body = strings.Replace(e.body, "NaN", `"NaN"`, 1)
		}
	case "cbor":
		e.path = "/service/" + granite + "/operation/PutMetricData"
		e.header = map[string]string{"Content-Type": "application/cbor", "Smithy-Protocol": "rpc-v2-cbor"}
		number := cbor.Value(cbor.Float64(math.NaN()))
		if value != "NaN" {
			number = cbor.Uint(7)
		}
		e.body = string(cbor.Encode(cbor.Map{"Namespace": cbor.String("App"), "MetricData": cbor.List{
			cbor.Map{"MetricName": cbor.String("m"), "Value": number},
		}}))
	}
	return e
}

// One service speaks three protocols, and what one client puts, all can read.
func TestProtocolsOfMetrics(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	const nan = "The value \uFFFD for parameter MetricData.member.1.Value is invalid."
	for _, tt := range []struct{ protocol, contentType, body, errorType, refusal string }{
		{"query", "text/xml", `<PutMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></PutMetricDataResponse>` + "\n",
			"", `<ErrorResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/"><Error><Type>Sender</Type><Code>InvalidParameterValue</Code><Message>` + nan +
				`</Message></Error><RequestId>ID</RequestId></ErrorResponse>` + "\n"},
		{"json", "application/x-amz-json-1.0", "", "InvalidParameterValue;Sender", `{"__type":"InvalidParameterValueException","message":"` + nan + `"}`},
		{"cbor", "application/cbor", "", "InvalidParameterValue;Sender",
			""},
	} {
		got := b.do(t, putMetric(tt.protocol, "7"))
		id := got.header.Get("x-amzn-RequestId")
		if body := strings.ReplaceAll(got.body, id, "ID"); got.status != 200 || got.header.Get("Content-Type") != tt.contentType || body != tt.body {
			t.Errorf("%s: %d %v %s", tt.protocol, got.status, got.header, body)
		}
		got = b.do(t, putMetric(tt.protocol, "NaN"))
		id = got.header.Get("x-amzn-RequestId")
		body := strings.ReplaceAll(got.body, id, "ID")
		if tt.protocol == "cbor" {
			v, err := cbor.Decode([]byte(got.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(cbor.Map{"__type": cbor.String("InvalidParameterValueException"), "message": cbor.String(nan)}, v); diff != "" {
				t.Error(diff)
			}
			body = ""
		}
		if got.status != 400 || got.header.Get("X-Amzn-Query-Error") != tt.errorType || body != tt.refusal {
			t.Errorf("%s, refused: %d %v %s", tt.protocol, got.status, got.header, body)
		}
	}
	read := exchange{service: "monitoring", method: "POST", path: "/", header: map[string]string{"X-Amz-Target": granite + ".GetMetricStatistics"},
		body: fmt.Sprintf(`{"Namespace":"App","MetricName":"m","StartTime":%d,"EndTime":%d,"Period":3600,"Statistics":["Sum"]}`,
			time.Now().Add(-30*time.Minute).Unix(), time.Now().Add(30*time.Minute).Unix())}
	var out struct{ Datapoints []struct{ Sum float64 } }
	if err := json.Unmarshal([]byte(b.do(t, read).body), &out); err != nil || len(out.Datapoints) != 1 || out.Datapoints[0].Sum != 21 {
		t.Errorf("the three together: %v, %v", out, err)
	}
}

// What a scenario says of CloudWatch's answers is told in each protocol, by both
// names of the error.
func TestRepliesOfMetrics(t *testing.T) {
	t.Parallel()
	b := start(t, func(o *Options) {
		o.Replies = replies(t, fault.Rule{Match: fault.Match{Service: "cloudwatch"}, Reply: fault.Reply{Status: 400, Code: "ThrottlingException", Message: "Rate exceeded"}})
	})
	for _, tt := range []struct{ protocol, header, body string }{
		{"query", "", "<Code>Throttling</Code><Message>Rate exceeded</Message>"},
		{"json", "Throttling;Sender", `{"__type":"ThrottlingException","message":"Rate exceeded"}`},
		{"cbor", "Throttling;Sender", "ThrottlingException"},
	} {
		got := b.do(t, putMetric(tt.protocol, "7"))
		if (got.header.Get("Smithy-Protocol") == "rpc-v2-cbor") != (tt.protocol == "cbor") {
			t.Errorf("%s: %v", tt.protocol, got.header)
		}
		if got.status != 400 || got.header.Get("X-Amzn-Query-Error") != tt.header || !strings.Contains(got.body, tt.body) {
			t.Errorf("%s: %d %v %s", tt.protocol, got.status, got.header, got.body)
		}
	}
}

// A form has as many members as a service takes, and one more to be refused.
func TestManyMetricsInAForm(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for n, want := range map[int]string{1000: "<PutMetricDataResponse ", 1001: "The collection MetricData must not have a size greater than 1000."} {
		e := putMetric("query", "7")
		for i := 2; i <= n; i++ {
			e.body += fmt.Sprintf("&MetricData.member.%d.MetricName=m&MetricData.member.%[1]d.Value=1", i)
		}
		if got := b.do(t, e); !strings.Contains(got.body, want) {
			t.Errorf("%d: %d %s", n, got.status, got.body)
		}
	}
}

// A body that came compressed is signed as it came.
func TestCompressedCall(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for _, protocol := range []string{"query", "json", "cbor"} {
		e := putMetric(protocol, "7")
		e.header["Content-Encoding"] = "gzip"
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		w.Write([]byte(e.body))
		w.Close()
		e.body = packed.String()
		if got := b.do(t, e); got.status != 200 {
			t.Errorf("%s: %d %s", protocol, got.status, got.body)
		}
	}
}
