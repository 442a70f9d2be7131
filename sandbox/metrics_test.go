package sandbox

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	fake "tegata/awsfake/cloudwatch"
	"tegata/emulator"
)

// What the box asks of its metadata service without a token is in CloudWatch.
func TestTrafficInCloudWatch(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, administrator))
	if status, _ := r.plain(t, "/latest/meta-data/instance-id"); status != 200 {
		t.Fatalf("IMDSv1: %d", status)
	}
	held := r.held(t) // by IMDSv2, which doesn't count
	client := cloudwatch.New(cloudwatch.Options{Region: r.Instance.Region, BaseEndpoint: &r.aws, Credentials: r, Retryer: aws.NopRetryer{}})
	sums := func(name string) (all []float64) {
		t.Helper()
		out, err := client.GetMetricStatistics(t.Context(), &cloudwatch.GetMetricStatisticsInput{
			Namespace: aws.String("AWS/EC2"), MetricName: &name, Statistics: []types.Statistic{types.StatisticSum}, Period: aws.Int32(300),
			Dimensions: []types.Dimension{{Name: aws.String("InstanceId"), Value: aws.String(sample)}},
			StartTime:  aws.Time(time.Now().Truncate(5 * time.Minute).Add(-5 * time.Minute)), EndTime: aws.Time(time.Now().Add(time.Minute)),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range out.Datapoints {
			all = append(all, *d.Sum)
		}
		return all
	}
	total := func(all []float64) (n float64) {
		for _, one := range all {
			n += one
		}
		return n
	}
	if got := total(sums("MetadataNoToken")); got != 1 {
		t.Errorf("MetadataNoToken: %v, want 1", got)
	}
	if got := sums("MetadataNoTokenRejected"); got != nil {
		t.Errorf("MetadataNoTokenRejected before there was any: %v", got)
	}
	r.must(t, held, "ec2", "Action=ModifyInstanceMetadataOptions&InstanceId="+sample+"&HttpTokens=required")
	if status, _ := r.plain(t, "/latest/meta-data/instance-id"); status != 401 {
		t.Fatalf("IMDSv1 with tokens required: %d", status)
	}
	if got, old := total(sums("MetadataNoTokenRejected")), total(sums("MetadataNoToken")); got != 1 || old != 1 {
		t.Errorf("MetadataNoTokenRejected: %v, MetadataNoToken %v, want 1 of each", got, old)
	}
}

// measured is a datapoint.
type measured struct {
	at         string
	count, sum float64
}

func (c *traffic) read(name string) (all []measured) {
	in := fake.Span{Start: time.Now().Add(-time.Hour), End: time.Now().Add(time.Hour), Period: time.Minute}
	for _, d := range c.metrics.Read("eu-west-1", c.metric(name), "Count", in, time.Now()) {
		all = append(all, measured{d.At.UTC().Format("15:04"), d.Count, d.Sum})
	}
	return all
}

// A minute is a sample; a datapoint has five of them, or one.
func TestTrafficByMinutes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		monitoring bool
		want       []measured
	}{
		{"basic", false, []measured{{"00:00", 1, 2}, {"00:05", 3, 1}}}, // 00:04; 00:05 to 00:07
		{"detailed", true, []measured{{"00:04", 1, 2}, {"00:05", 1, 0}, {"00:06", 1, 1}, {"00:07", 1, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // from midnight on
				time.Sleep(4 * time.Minute)
				var c traffic
				c.begin(emulator.Instance{ID: "i-0", Region: "eu-west-1", Monitoring: tt.monitoring}, time.Now)
				v1 := emulator.Access{Version: emulator.AccessV1, Status: 200}
				c.count(v1)
				c.count(v1)
				c.count(emulator.Access{Version: emulator.AccessV2, Status: 200})
				c.count(emulator.Access{Version: emulator.AccessV1, Status: 404})
				time.Sleep(2 * time.Minute)
				c.tell()
				c.count(v1)
				time.Sleep(time.Minute)
				if diff := cmp.Diff(tt.want, c.read("MetadataNoToken"), cmp.AllowUnexported(measured{})); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}
