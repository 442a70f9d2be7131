// Package logs is Amazon CloudWatch Logs as far as a box needs it: log groups
// with retention and tags, streams, and their events
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/Welcome.html).
//
// It differs from AWS in this: events can be read as soon as they are
// written; events that a retention setting ends are gone at once, where AWS
// takes up to 72 hours; sequence tokens are never asked for; a word of a filter
// pattern may be part of a longer one in the message; there are no queries,
// subscriptions and transformers. Metric filters measure events as they come
// in, and their default for each minute in which events came and none was chosen.
package logs

import (
	"errors"
	"time"

	"tegata/awsfake/wire"
)

// State is what one account keeps. The zero value is ready.
type State struct {
	Regions map[string]map[string]*Group // by region and name
}

// A Group is a log group.
type Group struct {
	Name      string
	Class     string // STANDARD or INFREQUENT_ACCESS
	KMSKey    string
	Created   int64 // milliseconds since 1970, as all times here
	Retention int   // days; 0 means for ever
	Tags      map[string]string
	Streams   map[string]*Stream
	Filters   map[string]*MetricFilter // by name
}

// A Stream is a log stream, whose events are in the order of their times.
type Stream struct {
	Name     string
	Created  int64
	Ingested int64 // when the last events came in
	Events   []Event
}

// An Event is one line of a log.
type Event struct {
	Timestamp, Ingested int64
	Message             string
}

// Service is CloudWatch Logs over one account's state.
type Service struct {
	State   *State
	Measure func(*wire.Call, Measurement) // is told what metric filters find; nil means nobody asks
}

// Wire returns CloudWatch Logs as the account offers it.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "logs", Protocol: wire.JSON, Target: "Logs_20140328",
		Operations: []wire.Operation{
			wire.Op("CreateLogGroup", s.createGroup),
			wire.Op("DeleteLogGroup", s.deleteGroup),
			wire.Op("DescribeLogGroups", s.describeGroups),
			wire.Op("PutRetentionPolicy", s.putRetention),
			wire.Op("DeleteRetentionPolicy", s.deleteRetention),
			wire.Op("TagResource", s.tag),
			wire.Op("UntagResource", s.untag),
			wire.Op("ListTagsForResource", s.listTags),
			wire.Op("CreateLogStream", s.createStream),
			wire.Op("DeleteLogStream", s.deleteStream),
			wire.Op("DescribeLogStreams", s.describeStreams),
			wire.Op("PutLogEvents", s.putEvents),
			wire.Op("GetLogEvents", s.getEvents),
			wire.Op("FilterLogEvents", s.filterEvents),
			wire.Op("PutMetricFilter", s.putMetricFilter),
			wire.Op("DescribeMetricFilters", s.describeMetricFilters),
			wire.Op("DeleteMetricFilter", s.deleteMetricFilter),
		},
	}
}

func (s *Service) groups(c *wire.Call) map[string]*Group {
	if s.State.Regions == nil {
		s.State.Regions = map[string]map[string]*Group{}
	}
	if s.State.Regions[c.Region] == nil {
		s.State.Regions[c.Region] = map[string]*Group{}
	}
	return s.State.Regions[c.Region]
}

// groupARN is the name of a group without the ":*" that policies need.
func groupARN(c *wire.Call, name string) string { return c.ARN("logs", "log-group:"+name) }

// authorize asks about a stream of a group, which is what IAM compares with a
// policy; operations on a group have a stream without a name.
func authorize(c *wire.Call, action, group, stream string) error {
	return c.Authorize("logs:"+action, groupARN(c, group)+":log-stream:"+stream, nil)
}

// invalid gives what was noted the code of this service.
func invalid(c *wire.Call, v *wire.Checks) error {
	err := v.Err(c)
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return wire.Refuse("InvalidParameterException", e.Message)
	}
	return err
}

func millis(t time.Time) int64 { return t.UnixMilli() }

func checkGroup(v *wire.Checks, name *string) {
	v.Required("logGroupName", name != nil)
	if name != nil {
		v.Length("logGroupName", *name, 1, 512)
		v.Pattern("logGroupName", *name, `[\.\-_/#A-Za-z0-9]+`)
	}
}

func checkStream(v *wire.Checks, name *string) {
	v.Required("logStreamName", name != nil)
	if name != nil {
		v.Length("logStreamName", *name, 1, 512)
		v.Pattern("logStreamName", *name, `[^:*]*`)
	}
}

func noGroup() error {
	return wire.Refuse("ResourceNotFoundException", "The specified log group does not exist.")
}

func noStream() error {
	return wire.Refuse("ResourceNotFoundException", "The specified log stream does not exist.")
}
