// Package logs is CloudWatch Logs: groups, streams and the events in them.
//
// What differs from AWS: there are no queries, subscriptions, filters and
// metric filters; events are found as soon as they are put, and kept however
// old they grow; stored bytes are those of the messages alone.
package logs

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// State is what Logs keeps of one account. The zero value is ready.
type State struct {
	Regions map[string]*Region // by name
}

// A Region holds the groups of one region, by name.
type Region struct {
	Groups map[string]*Group
}

// A Group is a log group.
type Group struct {
	Name          string
	Created       time.Time
	RetentionDays int // 0 means for ever
	Class         string
	KeyID         string            `json:",omitempty"`
	Tags          map[string]string `json:",omitempty"`
	Streams       map[string]*Stream
}

// A Stream is a sequence of events of one source.
type Stream struct {
	Name     string
	Created  time.Time
	Ingested time.Time `json:",omitzero"` // of the last events
	Events   []Event   // by time
}

// An Event is one line. Its times are milliseconds since 1970.
type Event struct {
	Timestamp, Ingestion int64
	Message              string
}

// A Service is CloudWatch Logs in one account.
type Service struct{ State *State }

// Wire returns the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "logs", Target: "Logs_20140328", Protocol: wire.JSON,
		Operations: []wire.Operation{
			wire.Op("CreateLogGroup", s.createGroup),
			wire.Op("CreateLogStream", s.createStream),
			wire.Op("DeleteLogGroup", s.deleteGroup),
			wire.Op("DeleteLogStream", s.deleteStream),
			wire.Op("DeleteRetentionPolicy", s.deleteRetention),
			wire.Op("DescribeLogGroups", s.describeGroups),
			wire.Op("DescribeLogStreams", s.describeStreams),
			wire.Op("GetLogEvents", s.getEvents),
			wire.Op("ListTagsForResource", s.listTags),
			wire.Op("ListTagsLogGroup", s.listTagsOfGroup),
			wire.Op("PutLogEvents", s.putEvents),
			wire.Op("PutRetentionPolicy", s.putRetention),
			wire.Op("TagResource", s.tag),
			wire.Op("UntagResource", s.untag),
		},
	}
}

// region returns the call's region to be read or changed.
func (s *Service) region(c *wire.Call) *Region {
	if s.State.Regions == nil {
		s.State.Regions = map[string]*Region{}
	}
	r := s.State.Regions[c.Region]
	if r == nil {
		r = &Region{Groups: map[string]*Group{}}
		s.State.Regions[c.Region] = r
	}
	return r
}

// groupARN names a group. The service tells it with :* behind, and IAM wants
// it so for everything but tags
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html).
func groupARN(c *wire.Call, name string) string { return c.ARN("logs", "log-group:"+name) }

func streamARN(c *wire.Call, group, stream string) string {
	return groupARN(c, group) + ":log-stream:" + stream
}

func notFound(message string) error { return wire.Refuse("ResourceNotFoundException", message) }

func invalid(message string) error { return wire.Refuse("InvalidParameterException", message) }

// The names that the API's model allows.
const (
	groupPattern  = `[\.\-_/#A-Za-z0-9]+`
	streamPattern = `[^:*]*`
)

// checkName validates the name of a group or a stream; AWS calls what is wrong
// an invalid parameter.
func checkName(c *wire.Call, member, name, pattern string) error {
	var v wire.Checks
	v.Length(member, name, 1, 512)
	v.Pattern(member, name, pattern)
	if err := v.Err(c); err != nil {
		return invalid(err.(*wire.Error).Message)
	}
	return nil
}

// group finds a group that the caller may act on.
func (s *Service) group(c *wire.Call, action, name string) (*Group, error) {
	if err := checkName(c, "logGroupName", name, groupPattern); err != nil {
		return nil, err
	}
	g := s.region(c).Groups[name]
	if err := c.Authorize("logs:"+action, groupARN(c, name)+":*", g.keys()); err != nil {
		return nil, err
	}
	if g == nil {
		return nil, notFound("The specified log group does not exist.")
	}
	return g, nil
}

// keys are the condition keys that a group brings along.
func (g *Group) keys() map[string]string {
	if g == nil {
		return nil
	}
	keys := map[string]string{}
	for key, value := range g.Tags {
		keys["aws:ResourceTag/"+key] = value
	}
	return keys
}

// stream finds a stream that the caller may act on.
func (s *Service) stream(c *wire.Call, action, group, name string) (*Stream, error) {
	if err := checkName(c, "logGroupName", group, groupPattern); err != nil {
		return nil, err
	}
	if err := checkName(c, "logStreamName", name, streamPattern); err != nil {
		return nil, err
	}
	g := s.region(c).Groups[group]
	if err := c.Authorize("logs:"+action, streamARN(c, group, name), g.keys()); err != nil {
		return nil, err
	}
	if g == nil {
		return nil, notFound("The specified log group does not exist.")
	}
	if g.Streams[name] == nil {
		return nil, notFound("The specified log stream does not exist.")
	}
	return g.Streams[name], nil
}

// bytes is what a stream's messages take.
func (st *Stream) bytes() (n int64) {
	for _, e := range st.Events {
		n += int64(len(e.Message))
	}
	return n
}

// starting returns the values of a map, by their keys, whose keys have a
// prefix.
func starting[T any](m map[string]T, prefix string) (all []T) {
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if strings.HasPrefix(key, prefix) {
			all = append(all, m[key])
		}
	}
	return all
}

// pageSize is the limit of a call, of which 50 is the default and the most.
func pageSize(c *wire.Call, limit *int) (int, error) {
	const most = 50
	if limit == nil {
		return most, nil
	}
	var v wire.Checks
	v.Range("limit", *limit, 1, most)
	if err := v.Err(c); err != nil {
		return 0, invalid(err.(*wire.Error).Message)
	}
	return *limit, nil
}
