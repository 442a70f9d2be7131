package imds

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const maintenancePath = "/latest/meta-data/events/maintenance/"

// A MaintenanceEvent is something that EC2 has scheduled for the instance, or
// had.
type MaintenanceEvent struct {
	Code              string // instance-reboot, system-reboot, system-maintenance, instance-retirement or instance-stop
	Description       string // of a past event, with [Completed] or [Canceled] in front
	ID                string // "instance-event-..."
	State             string // active, completed or canceled
	NotBefore         time.Time
	NotAfter          time.Time // zero if no end is told
	NotBeforeDeadline time.Time // to which the start can be put off; zero if it can't
}

// MaintenanceEvents reads the events to come or, for history, the past ones.
// There may be none, which is no failure.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_scheduled_events.html
func (c *Client) MaintenanceEvents(ctx context.Context, history bool) ([]MaintenanceEvent, error) {
	path := maintenancePath + "scheduled"
	if history {
		path = maintenancePath + "history"
	}
	return notice(ctx, c, path, parseMaintenance)
}

func parseMaintenance(data []byte) ([]MaintenanceEvent, error) {
	list, err := parse[[]struct {
		Code, Description, State               string
		ID                                     string `json:"EventId"`
		NotBefore, NotAfter, NotBeforeDeadline eventTime
	}](data)
	if err != nil {
		return nil, err
	}
	var events []MaintenanceEvent
	for n, e := range list {
		if e.Code == "" {
			return nil, fmt.Errorf("missing Code of event %d", n)
		}
		events = append(events, MaintenanceEvent{
			Code: e.Code, Description: e.Description, ID: e.ID, State: e.State,
			NotBefore: time.Time(e.NotBefore), NotAfter: time.Time(e.NotAfter), NotBeforeDeadline: time.Time(e.NotBeforeDeadline),
		})
	}
	return events, nil
}

// An eventTime is written as "21 Jan 2019 09:00:43 GMT" in scheduled events,
// unlike every other time in the metadata.
type eventTime time.Time

func (t *eventTime) UnmarshalText(text []byte) error {
	for _, layout := range []string{"2 Jan 2006 15:04:05 GMT", time.RFC3339} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			*t = eventTime(at)
			return nil
		}
	}
	return errors.New("not a time")
}
