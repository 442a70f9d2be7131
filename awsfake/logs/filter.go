package logs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type filterIn struct {
	LogGroupName        *string  `json:"logGroupName"`
	LogGroupIdentifier  *string  `json:"logGroupIdentifier"`
	LogStreamNames      []string `json:"logStreamNames"`
	LogStreamNamePrefix *string  `json:"logStreamNamePrefix"`
	StartTime           *int64   `json:"startTime"`
	EndTime             *int64   `json:"endTime"`
	FilterPattern       string   `json:"filterPattern"`
	Limit               *int     `json:"limit"`
	NextToken           string   `json:"nextToken"`
}

type filterOut struct {
	Events             []foundEvent `json:"events"`
	SearchedLogStreams []struct{}   `json:"searchedLogStreams"` // AWS has left it empty since 2020
	NextToken          string       `json:"nextToken,omitempty"`
}

type foundEvent struct {
	LogStreamName string `json:"logStreamName"`
	Timestamp     int64  `json:"timestamp"`
	Message       string `json:"message"`
	IngestionTime int64  `json:"ingestionTime"`
	EventID       string `json:"eventId"`
}

const (
	maxStreams = 100
	maxPattern = 1024
)

// filterEvents searches the events of a group, those of all streams in the
// order of their times.
func (s *Service) filterEvents(c *wire.Call, in filterIn) (filterOut, error) {
	size := maxEvents
	if in.Limit != nil {
		size = *in.Limit
	}
	p, err := in.check(c, size)
	if err != nil {
		return filterOut{}, err
	}
	g, err := s.group(c, "FilterLogEvents", groupIn{in.LogGroupName})
	if err != nil {
		return filterOut{}, err
	}
	streams, err := in.streams(g)
	if err != nil {
		return filterOut{}, err
	}
	var all []foundEvent
	for _, stream := range streams {
		for i, e := range stream.Events {
			if !e.within(in.StartTime, in.EndTime, c.Now(), g.Retention) {
				continue
			}
			if _, ok := p.match(e.Message); ok {
				id := fmt.Sprintf("%020d%016d%020d", e.Timestamp, e.Ingested, i)
				all = append(all, foundEvent{stream.Name, e.Timestamp, e.Message, e.Ingested, id})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b foundEvent) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return filterOut{}, wire.Refuse("InvalidParameterException", "The specified nextToken is invalid.")
	}
	return filterOut{append([]foundEvent{}, page...), []struct{}{}, next}, nil
}

func (in *filterIn) check(c *wire.Call, size int) (pattern, error) {
	var v wire.Checks
	v.Range("limit", size, 1, maxEvents)
	v.Count("logStreamNames", in.LogStreamNames, 0, maxStreams)
	v.Length("filterPattern", in.FilterPattern, 0, maxPattern)
	if err := invalid(c, &v); err != nil {
		return nil, err
	}
	switch {
	case in.LogGroupName != nil && in.LogGroupIdentifier != nil:
		return nil, wire.Refuse("InvalidParameterException", "LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case in.LogGroupIdentifier != nil:
		name := strings.TrimSuffix(strings.TrimPrefix(*in.LogGroupIdentifier, groupARN(c, "")), ":*")
		in.LogGroupName = &name
	}
	if len(in.LogStreamNames) > 0 && in.LogStreamNamePrefix != nil {
		return nil, wire.Refuse("InvalidParameterException", "Cannot specify both logStreamNames and logStreamNamePrefix.")
	}
	p, err := parsePattern(in.FilterPattern)
	if err != nil {
		return nil, badPattern()
	}
	return p, nil
}

func badPattern() error { return wire.Refuse("InvalidParameterException", "Invalid filter pattern") }

// streams are those that are searched.
func (in filterIn) streams(g *Group) (all []*Stream, err error) {
	if len(in.LogStreamNames) > 0 {
		for _, name := range in.LogStreamNames {
			if g.Streams[name] == nil {
				return nil, noStream()
			}
			all = append(all, g.Streams[name])
		}
		return all, nil
	}
	for _, name := range slices.Sorted(maps.Keys(g.Streams)) {
		if in.LogStreamNamePrefix == nil || strings.HasPrefix(name, *in.LogStreamNamePrefix) {
			all = append(all, g.Streams[name])
		}
	}
	return all, nil
}
