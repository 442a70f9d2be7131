package imds

import (
	"context"
	"errors"
	"strings"
	"time"
)

const (
	spotActionPath      = "/latest/meta-data/spot/instance-action"
	spotTerminationPath = "/latest/meta-data/spot/termination-time"
	rebalancePath       = "/latest/meta-data/events/recommendations/rebalance"
	lifecyclePath       = "/latest/meta-data/autoscaling/target-lifecycle-state"
)

// A SpotAction is what EC2 is about to do with a Spot Instance.
type SpotAction struct {
	Action string    `json:"action"` // stop, hibernate or terminate
	Time   time.Time `json:"time"`   // about two minutes after the notice; of hibernate, at once
}

// SpotAction reads the interruption notice of a Spot Instance. It fails with
// [ErrAbsent] as long as there is none.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
func (c *Client) SpotAction(ctx context.Context) (SpotAction, error) {
	return notice(ctx, c, spotActionPath, parseSpotAction)
}

// notice reads an announcement, which has none of the members by which other
// documents of the service are known.
func notice[T any](ctx context.Context, c *Client, path string, parse func([]byte) (T, error)) (T, error) {
	var none T
	body, err := c.Get(ctx, path)
	if err != nil {
		return none, err
	}
	doc, err := parse([]byte(body))
	if err != nil {
		return none, malformed(path, err)
	}
	return doc, nil
}

func parseSpotAction(data []byte) (SpotAction, error) {
	a, err := parse[SpotAction](data)
	switch {
	case err != nil:
	case a.Action == "":
		err = errors.New("missing action")
	case a.Time.IsZero():
		err = errors.New("missing time")
	}
	if err != nil {
		return SpotAction{}, err
	}
	return a, nil
}

// SpotTermination reads when a Spot Instance gets the signal to shut down. It
// fails with [ErrAbsent] if it is not to be terminated, for which AWS may
// also serve a value that is not a time. [Client.SpotAction] tells more.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
func (c *Client) SpotTermination(ctx context.Context) (time.Time, error) {
	body, err := c.Get(ctx, spotTerminationPath)
	if err != nil {
		return time.Time{}, err
	}
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(body))
	if err != nil {
		return time.Time{}, &Error{Kind: ErrAbsent, Method: "GET", Path: spotTerminationPath, Status: 200, Err: errors.New("the value is not a time")}
	}
	return at, nil
}

// RebalanceRecommendation reads when EC2 told that the instance is at an
// elevated risk of interruption. It fails with [ErrAbsent] if it did not.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
func (c *Client) RebalanceRecommendation(ctx context.Context) (noticed time.Time, err error) {
	return notice(ctx, c, rebalancePath, parseRebalance)
}

func parseRebalance(data []byte) (time.Time, error) {
	n, err := parse[struct {
		NoticeTime time.Time `json:"noticeTime"`
	}](data)
	if err == nil && n.NoticeTime.IsZero() {
		err = errors.New("missing noticeTime")
	}
	return n.NoticeTime, err
}

// TargetLifecycleState reads the state that Auto Scaling wants the instance
// to get into, such as InService, Terminated or Warmed:Stopped. It fails with
// [ErrAbsent] if the instance is in no group.
//
// Source: https://docs.aws.amazon.com/autoscaling/ec2/userguide/retrieving-target-lifecycle-state-through-imds.html
func (c *Client) TargetLifecycleState(ctx context.Context) (string, error) {
	return c.value(ctx, strings.TrimPrefix(lifecyclePath, "/latest/"), isLifecycleState)
}

func isLifecycleState(s string) bool {
	return s != "" && len(s) <= 64 && consistsOf(s, lower+upper+":")
}
