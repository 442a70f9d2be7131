package logs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

type streamIn struct {
	LogGroupName  *string `json:"logGroupName"`
	LogStreamName *string `json:"logStreamName"`
}

// open authorises an action on the stream that is meant, and looks up its
// group and, where it is there, the stream.
func (s *Service) open(c *wire.Call, action string, in streamIn) (*Group, *Stream, error) {
	var v wire.Checks
	checkGroup(&v, in.LogGroupName)
	checkStream(&v, in.LogStreamName)
	if err := invalid(c, &v); err != nil {
		return nil, nil, err
	}
	if err := authorize(c, action, *in.LogGroupName, *in.LogStreamName); err != nil {
		return nil, nil, err
	}
	g := s.groups(c)[*in.LogGroupName]
	if g == nil {
		return nil, nil, noGroup()
	}
	return g, g.Streams[*in.LogStreamName], nil
}

func (s *Service) createStream(c *wire.Call, in streamIn) (wire.Empty, error) {
	g, stream, err := s.open(c, "CreateLogStream", in)
	if err != nil {
		return wire.Empty{}, err
	}
	if stream != nil {
		return wire.Empty{}, wire.Refuse("ResourceAlreadyExistsException", "The specified log stream already exists")
	}
	g.Streams[*in.LogStreamName] = &Stream{Name: *in.LogStreamName, Created: millis(c.Now())}
	return wire.Empty{}, nil
}

func (s *Service) deleteStream(c *wire.Call, in streamIn) (wire.Empty, error) {
	g, stream, err := s.open(c, "DeleteLogStream", in)
	if err == nil && stream == nil {
		err = noStream()
	}
	if err == nil {
		delete(g.Streams, stream.Name)
	}
	return wire.Empty{}, err
}

// The limits of PutLogEvents
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html).
const (
	maxEvents = 10_000
	maxBatch  = 1_048_576 // bytes, with overhead for each event
	overhead  = 26
	maxSpan   = 24 * time.Hour
	maxAge    = 14 * 24 * time.Hour
	maxAhead  = 2 * time.Hour
)

type eventIn struct {
	Timestamp int64  `json:"timestamp"`
	Message   string `json:"message"`
}

type putIn struct {
	streamIn
	LogEvents []eventIn `json:"logEvents"`
}

type putOut struct {
	NextSequenceToken string    `json:"nextSequenceToken"`
	Rejected          *rejected `json:"rejectedLogEventsInfo,omitempty"`
}

// rejected tells which events were not taken: those before and those from an
// index.
type rejected struct {
	TooNew  *int `json:"tooNewLogEventStartIndex,omitempty"`
	TooOld  *int `json:"tooOldLogEventEndIndex,omitempty"`
	Expired *int `json:"expiredLogEventEndIndex,omitempty"`
}

func (s *Service) putEvents(c *wire.Call, in putIn) (putOut, error) {
	var v wire.Checks
	v.Required("logEvents", in.LogEvents != nil)
	if err := invalid(c, &v); err != nil {
		return putOut{}, err
	}
	g, stream, err := s.open(c, "PutLogEvents", in.streamIn)
	if err == nil && stream == nil {
		err = noStream()
	}
	if err == nil {
		err = checkBatch(in.LogEvents)
	}
	if err != nil {
		return putOut{}, err
	}
	first, end, info := accepted(in.LogEvents, c.Now(), g.Retention)
	stream.Ingested = millis(c.Now())
	var taken []Event
	for _, e := range in.LogEvents[first:end] {
		taken = append(taken, Event{e.Timestamp, stream.Ingested, e.Message})
	}
	s.measure(c, g, taken)
	stream.Events = append(stream.Events, taken...)
	slices.SortStableFunc(stream.Events, func(a, b Event) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return putOut{fmt.Sprintf("%056d", stream.Ingested), info}, nil
}

func checkBatch(events []eventIn) error {
	size := 0
	for i, e := range events {
		size += len(e.Message) + overhead
		if i > 0 && e.Timestamp < events[i-1].Timestamp {
			return wire.Refuse("InvalidParameterException", "Log events in a single PutLogEvents request must be in chronological order.")
		}
	}
	switch {
	case len(events) == 0 || len(events) > maxEvents:
		return wire.Refuse("InvalidParameterException", fmt.Sprintf(
			"1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length between 1 and %d", maxEvents))
	case size > maxBatch:
		return wire.Refuse("InvalidParameterException", fmt.Sprintf("Upload too large: %d bytes exceeds limit of %d", size, maxBatch))
	case events[len(events)-1].Timestamp-events[0].Timestamp > maxSpan.Milliseconds():
		return wire.Refuse("InvalidParameterException", "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// accepted returns which events of a batch in order are young and old enough.
func accepted(events []eventIn, now time.Time, retention int) (first, end int, info *rejected) {
	count := func(limit time.Time) int {
		n, _ := slices.BinarySearchFunc(events, millis(limit), func(e eventIn, ms int64) int { return cmp.Compare(e.Timestamp, ms) })
		return n
	}
	var r rejected
	if n := count(now.Add(-maxAge)); n > 0 {
		first, r.TooOld = n, &n
	}
	if retention > 0 {
		if n := count(now.AddDate(0, 0, -retention)); n > 0 {
			first, r.Expired = max(first, n), &n
		}
	}
	end = count(now.Add(maxAhead + time.Millisecond))
	if end < len(events) {
		r.TooNew = &end
	}
	if r != (rejected{}) {
		info = &r
	}
	return first, max(first, end), info
}

type getIn struct {
	streamIn
	StartTime     *int64 `json:"startTime"`
	EndTime       *int64 `json:"endTime"`
	Limit         *int   `json:"limit"`
	StartFromHead bool   `json:"startFromHead"`
	NextToken     string `json:"nextToken"`
}

type getOut struct {
	Events            []shownEvent `json:"events"`
	NextForwardToken  string       `json:"nextForwardToken"`
	NextBackwardToken string       `json:"nextBackwardToken"`
}

type shownEvent struct {
	IngestionTime int64  `json:"ingestionTime"`
	Message       string `json:"message"`
	Timestamp     int64  `json:"timestamp"`
}

// getEvents pages both ways: a token tells where the next page starts (f/) or
// where the one before ends (b/), and comes back unchanged at either end.
func (s *Service) getEvents(c *wire.Call, in getIn) (getOut, error) {
	size := maxEvents
	if in.Limit != nil {
		size = *in.Limit
	}
	var v wire.Checks
	v.Range("limit", size, 1, maxEvents)
	if err := invalid(c, &v); err != nil {
		return getOut{}, err
	}
	g, stream, err := s.open(c, "GetLogEvents", in.streamIn)
	if err == nil && stream == nil {
		err = noStream()
	}
	if err != nil {
		return getOut{}, err
	}
	events := between(stream.Events, in, c.Now(), g.Retention)
	start, end, err := window(len(events), size, in)
	if err != nil {
		return getOut{}, err
	}
	out := getOut{[]shownEvent{}, fmt.Sprintf("f/%056d/s", end), fmt.Sprintf("b/%056d/s", start)}
	for _, e := range events[start:end] {
		out.Events = append(out.Events, shownEvent{e.Ingested, e.Message, e.Timestamp})
	}
	return out, nil
}

// between are the events that have not expired, in the time that is asked for.
func between(events []Event, in getIn, now time.Time, retention int) []Event {
	var found []Event
	for _, e := range events {
		if e.within(in.StartTime, in.EndTime, now, retention) {
			found = append(found, e)
		}
	}
	return found
}

// within reports whether an event lies in the time that is asked for, up to
// its end, and has not expired.
func (e Event) within(start, end *int64, now time.Time, retention int) bool {
	switch {
	case start != nil && e.Timestamp < *start, end != nil && e.Timestamp >= *end:
		return false
	}
	return retention == 0 || e.Timestamp >= millis(now.AddDate(0, 0, -retention))
}

// window is the page that a token means, of n events.
func window(n, size int, in getIn) (start, end int, err error) {
	if in.NextToken == "" {
		if in.StartFromHead {
			return 0, min(size, n), nil
		}
		return max(0, n-size), n, nil
	}
	var place int
	_, err = fmt.Sscanf(strings.TrimLeft(in.NextToken, "fb"), "/%d/s", &place)
	if err != nil || place < 0 || place > n {
		return 0, 0, wire.Refuse("InvalidParameterException", "The specified nextToken is invalid.")
	}
	if in.NextToken[0] == 'f' {
		return place, min(place+size, n), nil
	}
	return max(0, place-size), place, nil
}
