package logs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

type streamInput struct{ LogGroupName, LogStreamName string }

func (s *Service) createStream(c *wire.Call, in streamInput) (wire.Empty, error) {
	if err := checkName(c, "logStreamName", in.LogStreamName, streamPattern); err != nil {
		return wire.Empty{}, err
	}
	g, err := s.group(c, "CreateLogStream", in.LogGroupName)
	if err != nil {
		return wire.Empty{}, err
	}
	if g.Streams[in.LogStreamName] != nil {
		return wire.Empty{}, wire.Refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	g.Streams[in.LogStreamName] = &Stream{Name: in.LogStreamName, Created: c.Now()}
	return wire.Empty{}, nil
}

func (s *Service) deleteStream(c *wire.Call, in streamInput) (wire.Empty, error) {
	st, err := s.stream(c, "DeleteLogStream", in.LogGroupName, in.LogStreamName)
	if err == nil {
		delete(s.region(c).Groups[in.LogGroupName].Streams, st.Name)
	}
	return wire.Empty{}, err
}

type describeStreamsInput struct {
	LogGroupName, LogStreamNamePrefix string
	OrderBy                           string
	Descending                        bool
	Limit                             *int
	NextToken                         string
}

type streamAnswer struct {
	ARN         string `json:"arn"`
	Created     int64  `json:"creationTime"`
	First       int64  `json:"firstEventTimestamp,omitempty"`
	Last        int64  `json:"lastEventTimestamp,omitempty"`
	Ingested    int64  `json:"lastIngestionTime,omitempty"`
	Name        string `json:"logStreamName"`
	StoredBytes int64  `json:"storedBytes"`
}

type streamsAnswer struct {
	LogStreams []streamAnswer `json:"logStreams"`
	NextToken  string         `json:"nextToken,omitempty"`
}

func (s *Service) describeStreams(c *wire.Call, in describeStreamsInput) (streamsAnswer, error) {
	answer := streamsAnswer{LogStreams: []streamAnswer{}}
	size, err := pageSize(c, in.Limit)
	if err != nil {
		return answer, err
	}
	if in.OrderBy == "LastEventTime" && in.LogStreamNamePrefix != "" {
		return answer, invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
	}
	g, err := s.group(c, "DescribeLogStreams", in.LogGroupName)
	if err != nil {
		return answer, err
	}
	all := starting(g.Streams, in.LogStreamNamePrefix)
	if in.OrderBy == "LastEventTime" {
		slices.SortStableFunc(all, func(a, b *Stream) int { return int(a.last() - b.last()) })
	}
	if in.Descending {
		slices.Reverse(all)
	}
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return answer, invalid("The specified nextToken is invalid.")
	}
	for _, st := range page {
		answer.LogStreams = append(answer.LogStreams, st.answer(c, g.Name))
	}
	answer.NextToken = next
	return answer, nil
}

func (st *Stream) last() int64 {
	if len(st.Events) == 0 {
		return 0
	}
	return st.Events[len(st.Events)-1].Timestamp
}

func (st *Stream) answer(c *wire.Call, group string) streamAnswer {
	a := streamAnswer{
		ARN: streamARN(c, group, st.Name), Name: st.Name, Created: st.Created.UnixMilli(), Last: st.last(),
	}
	if len(st.Events) > 0 {
		a.First, a.Ingested = st.Events[0].Timestamp, st.Ingested.UnixMilli()
	}
	return a
}

type putEventsInput struct {
	LogGroupName, LogStreamName string
	LogEvents                   []struct {
		Timestamp *int64
		Message   *string
	}
}

type rejected struct {
	TooNewFrom *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOldTo   *int `json:"tooOldLogEventEndIndex,omitempty"`
	ExpiredTo  *int `json:"expiredLogEventEndIndex,omitempty"`
}

type putEventsAnswer struct {
	NextSequenceToken string    `json:"nextSequenceToken"`
	Rejected          *rejected `json:"rejectedLogEventsInfo,omitempty"`
}

// What a batch may hold
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
const (
	maxEvents   = 10_000
	maxBytes    = 1_048_576
	perEvent    = 26 // bytes that each event counts beside its message
	maxAhead    = 2 * time.Hour
	maxAge      = 14 * 24 * time.Hour
	maxSpan     = 24 * time.Hour
	streamToken = "49039859655034" // no client needs it any longer; the field is still there
)

func (s *Service) putEvents(c *wire.Call, in putEventsInput) (putEventsAnswer, error) {
	answer := putEventsAnswer{NextSequenceToken: streamToken}
	if err := in.check(c); err != nil {
		return answer, err
	}
	st, err := s.stream(c, "PutLogEvents", in.LogGroupName, in.LogStreamName)
	if err != nil {
		return answer, err
	}
	if err := in.inOrder(); err != nil {
		return answer, err
	}
	g, now := s.region(c).Groups[in.LogGroupName], c.Now()
	var refused rejected
	for i, e := range in.LogEvents {
		age := now.Sub(time.UnixMilli(*e.Timestamp))
		switch end := i + 1; {
		case age > maxAge:
			refused.TooOldTo = &end
		case g.RetentionDays > 0 && age > time.Duration(g.RetentionDays)*24*time.Hour:
			refused.ExpiredTo = &end
		case age < -maxAhead:
			if refused.TooNewFrom == nil {
				refused.TooNewFrom = &i
			}
		default:
			st.Events = append(st.Events, Event{*e.Timestamp, now.UnixMilli(), *e.Message})
		}
	}
	slices.SortStableFunc(st.Events, func(a, b Event) int { return int(a.Timestamp - b.Timestamp) })
	st.Ingested = now
	if refused != (rejected{}) {
		answer.Rejected = &refused
	}
	return answer, nil
}

// check bounds the batch.
func (in putEventsInput) check(c *wire.Call) error {
	size := 0
	var v wire.Checks
	v.Required("logEvents", len(in.LogEvents) > 0)
	for i, e := range in.LogEvents {
		v.Required(fmt.Sprintf("logEvents.%d.member.timestamp", i+1), e.Timestamp != nil)
		v.Required(fmt.Sprintf("logEvents.%d.member.message", i+1), e.Message != nil)
		if e.Message != nil {
			v.Length(fmt.Sprintf("logEvents.%d.member.message", i+1), *e.Message, 1, 0)
			size += len(*e.Message) + perEvent
		}
	}
	if err := v.Err(c); err != nil {
		return invalid(err.(*wire.Error).Message)
	}
	if len(in.LogEvents) > maxEvents {
		return invalid(fmt.Sprintf("1 validation error detected: Value at 'logEvents' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", maxEvents))
	}
	if size > maxBytes {
		return invalid(fmt.Sprintf("Upload too large: %d bytes exceeds limit of %d", size, maxBytes))
	}
	return nil
}

// inOrder wants the events of a batch by their times, within a day.
func (in putEventsInput) inOrder() error {
	for i, e := range in.LogEvents[1:] {
		if *e.Timestamp < *in.LogEvents[i].Timestamp {
			return invalid("Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	first, last := time.UnixMilli(*in.LogEvents[0].Timestamp), time.UnixMilli(*in.LogEvents[len(in.LogEvents)-1].Timestamp)
	if last.Sub(first) > maxSpan {
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

type getEventsInput struct {
	LogGroupName, LogStreamName string
	StartTime, EndTime          *int64
	NextToken                   string
	Limit                       *int
	StartFromHead               bool
}

type eventAnswer struct {
	Ingestion int64  `json:"ingestionTime"`
	Message   string `json:"message"`
	Timestamp int64  `json:"timestamp"`
}

type eventsAnswer struct {
	Events   []eventAnswer `json:"events"`
	Backward string        `json:"nextBackwardToken"`
	Forward  string        `json:"nextForwardToken"`
}

// getEvents reads a stream from its end, or from its head. The tokens of a
// page lead to the ones beside it; at an end they lead to themselves.
func (s *Service) getEvents(c *wire.Call, in getEventsInput) (eventsAnswer, error) {
	answer := eventsAnswer{Events: []eventAnswer{}}
	size := maxEvents
	if in.Limit != nil {
		size = max(1, min(*in.Limit, maxEvents))
	}
	st, err := s.stream(c, "GetLogEvents", in.LogGroupName, in.LogStreamName)
	if err != nil {
		return answer, err
	}
	all := slices.DeleteFunc(slices.Clone(st.Events), func(e Event) bool {
		return in.StartTime != nil && e.Timestamp < *in.StartTime || in.EndTime != nil && e.Timestamp >= *in.EndTime
	})
	from, to := max(0, len(all)-size), len(all)
	if in.StartFromHead {
		from, to = 0, min(size, len(all))
	}
	if in.NextToken != "" {
		if from, to, err = window(in.NextToken, size, len(all)); err != nil {
			return answer, err
		}
	}
	for _, e := range all[from:to] {
		answer.Events = append(answer.Events, eventAnswer{e.Ingestion, e.Message, e.Timestamp})
	}
	answer.Forward, answer.Backward = fmt.Sprintf("f/%056d/s", to), fmt.Sprintf("b/%056d/s", from)
	return answer, nil
}

// window is the page that a token leads to: forward from a place, or backward.
func window(token string, size, n int) (from, to int, err error) {
	kind, rest, _ := strings.Cut(strings.TrimSuffix(token, "/s"), "/")
	place, err := strconv.Atoi(strings.TrimLeft(rest, "0") + "")
	if strings.Trim(rest, "0") == "" && rest != "" {
		place, err = 0, nil
	}
	if err != nil || place < 0 || place > n || kind != "f" && kind != "b" {
		return 0, 0, invalid("The specified nextToken is invalid.")
	}
	if kind == "f" {
		return place, min(place+size, n), nil
	}
	return max(0, place-size), place, nil
}
