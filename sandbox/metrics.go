package sandbox

import (
	"maps"
	"net/http"
	"sync"
	"time"

	"tegata/awsfake/cloudwatch"
	"tegata/emulator"
)

// traffic counts the requests that the metadata service gets without a token,
// for the metrics that EC2 has of them: MetadataNoToken, how many were answered,
// and MetadataNoTokenRejected, how many were refused because tokens are required,
// which is there only if there were any
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html).
// EC2 samples each minute and tells a datapoint each five minutes, or each
// minute with detailed monitoring.
type traffic struct {
	metrics  cloudwatch.Metrics
	instance emulator.Instance
	now      func() time.Time

	mu       sync.Mutex
	answered map[int64]float64 // by minutes since 1970
	rejected map[int64]float64
	begun    int64 // the first minute that is counted
	since    int64 // the first of the datapoint that was told last
}

// remembered is how many minutes are counted at most until somebody asks.
const remembered = 15 * 24 * 60

func minute(t time.Time) int64 { return t.Unix() / 60 }

// begin counts from now on.
func (c *traffic) begin(i emulator.Instance, now func() time.Time) {
	c.instance, c.now = i, now
	c.answered, c.rejected = map[int64]float64{}, map[int64]float64{}
	c.begun = minute(now())
	c.since = c.begun
	c.metrics.OnRead = c.tell
}

// count is told of each request to the metadata service.
func (c *traffic) count(a emulator.Access) {
	if a.Version != emulator.AccessV1 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch at := minute(c.now()); a.Status {
	case http.StatusOK:
		add(c.answered, at)
	case http.StatusUnauthorized:
		add(c.rejected, at)
	}
}

func add(counts map[int64]float64, at int64) {
	if len(counts) >= remembered {
		maps.DeleteFunc(counts, func(m int64, _ float64) bool { return m < at-remembered/2 })
	}
	counts[at]++
}

// tell brings the metrics up to now. The last datapoint changes as long as its
// minutes last.
func (c *traffic) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	step := int64(5)
	if c.instance.Monitoring {
		step = 1
	}
	now := minute(c.now())
	c.since = max(c.since, now-remembered)
	first := c.since - c.since%step
	for at := first; at <= now; at += step {
		c.datapoint(at, min(at+step-1, now))
	}
	c.since = max(c.since, now-now%step)
	forget := func(m int64, _ float64) bool { return m < c.since }
	maps.DeleteFunc(c.answered, forget)
	maps.DeleteFunc(c.rejected, forget)
}

// datapoint tells the samples of some minutes, the last included.
func (c *traffic) datapoint(first, last int64) {
	var answered, rejected []float64
	for m := max(first, c.begun); m <= last; m++ {
		answered = append(answered, c.answered[m])
		if n := c.rejected[m]; n > 0 {
			rejected = append(rejected, n)
		}
	}
	c.put("MetadataNoToken", first, answered)
	if rejected != nil {
		c.put("MetadataNoTokenRejected", first, rejected)
	}
}

func (c *traffic) put(name string, at int64, values []float64) {
	sample := cloudwatch.Sample{At: time.Unix(at*60, 0), Unit: "Count", Values: cloudwatch.Values(values...)}
	c.metrics.Put(c.instance.Region, c.metric(name), sample, c.now())
}

func (c *traffic) metric(name string) cloudwatch.Metric {
	return cloudwatch.Metric{Namespace: "AWS/EC2", Name: name, Dimensions: []cloudwatch.Dimension{{Name: "InstanceId", Value: c.instance.ID}}}
}
