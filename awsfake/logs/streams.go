package logs

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type describeStreamsIn struct {
	groupIn
	LogStreamNamePrefix *string `json:"logStreamNamePrefix"`
	OrderBy             string  `json:"orderBy"`
	Descending          bool    `json:"descending"`
	Limit               *int    `json:"limit"`
	NextToken           string  `json:"nextToken"`
}

type describeStreamsOut struct {
	LogStreams []shownStream `json:"logStreams"`
	NextToken  string        `json:"nextToken,omitempty"`
}

type shownStream struct {
	ARN                 string `json:"arn"`
	CreationTime        int64  `json:"creationTime"`
	FirstEventTimestamp int64  `json:"firstEventTimestamp,omitempty"`
	LastEventTimestamp  int64  `json:"lastEventTimestamp,omitempty"`
	LastIngestionTime   int64  `json:"lastIngestionTime,omitempty"`
	LogStreamName       string `json:"logStreamName"`
	StoredBytes         int64  `json:"storedBytes"`
}

const byLastEvent = "LastEventTime"

// describeStreams lists the streams of a group by name, or by their newest
// events.
func (s *Service) describeStreams(c *wire.Call, in describeStreamsIn) (describeStreamsOut, error) {
	out := describeStreamsOut{LogStreams: []shownStream{}}
	size := 50
	if in.Limit != nil {
		size = *in.Limit
	}
	var v wire.Checks
	v.Range("limit", size, 1, 50)
	v.Enum("orderBy", cmp.Or(in.OrderBy, "LogStreamName"), "LogStreamName", byLastEvent)
	if err := invalid(c, &v); err != nil {
		return out, err
	}
	if in.OrderBy == byLastEvent && in.LogStreamNamePrefix != nil {
		return out, wire.Refuse("InvalidParameterException", "Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	g, err := s.group(c, "DescribeLogStreams", in.groupIn)
	if err != nil {
		return out, err
	}
	page, next, err := wire.Page(g.ordered(in), size, in.NextToken)
	if err != nil {
		return out, wire.Refuse("InvalidParameterException", "The specified nextToken is invalid.")
	}
	for _, stream := range page {
		out.LogStreams = append(out.LogStreams, stream.shown(groupARN(c, g.Name)))
	}
	out.NextToken = next
	return out, nil
}

func (g *Group) ordered(in describeStreamsIn) []*Stream {
	var all []*Stream
	for _, name := range slices.Sorted(maps.Keys(g.Streams)) {
		if in.LogStreamNamePrefix == nil || strings.HasPrefix(name, *in.LogStreamNamePrefix) {
			all = append(all, g.Streams[name])
		}
	}
	if in.OrderBy == byLastEvent {
		slices.SortStableFunc(all, func(a, b *Stream) int { return cmp.Compare(a.last(), b.last()) })
	}
	if in.Descending {
		slices.Reverse(all)
	}
	return all
}

// last is the time of the newest event, 0 for none.
func (s *Stream) last() int64 {
	if len(s.Events) == 0 {
		return 0
	}
	return s.Events[len(s.Events)-1].Timestamp
}

// shown has no stored bytes: AWS tells 0 for every stream since 2019.
func (s *Stream) shown(group string) shownStream {
	shown := shownStream{
		ARN: group + ":log-stream:" + s.Name, LogStreamName: s.Name, CreationTime: s.Created,
		LastEventTimestamp: s.last(), LastIngestionTime: s.Ingested,
	}
	if len(s.Events) > 0 {
		shown.FirstEventTimestamp = s.Events[0].Timestamp
	}
	return shown
}
