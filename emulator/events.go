package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Events are what EC2 announces to an instance ahead of time. Each appears in
// the metadata when it is announced and not before.
type Events struct {
	Spot        *SpotInterruption
	Rebalance   time.Time // when the rebalance recommendation was emitted; zero means none
	Lifecycle   []Lifecycle
	Maintenance []Maintenance
}

// A SpotInterruption is the end of a Spot Instance. The notice stays once it
// is there, past the end too.
type SpotInterruption struct {
	Action string    // one of SpotActions; "" means terminate
	Time   time.Time // when it happens
	Notice time.Time // from when on it is announced; zero means two minutes before
}

// A Lifecycle is a state that Auto Scaling wants the instance to get into
// (meta-data/autoscaling/target-lifecycle-state). The latest one counts.
type Lifecycle struct {
	State string    // one of LifecycleStates
	From  time.Time // when it appears; zero means at once
}

// A Maintenance is a scheduled event, past or to come
// (meta-data/events/maintenance).
type Maintenance struct {
	Code              string // one of MaintenanceCodes
	Description       string // "" means one that fits
	ID                string // instance-event-...; "" means one that fits
	State             string // one of MaintenanceStates; "" means active until NotAfter, and completed from then on
	NotBefore         time.Time
	NotAfter          time.Time // zero means none
	NotBeforeDeadline time.Time // zero means none
	Notice            time.Time // from when on it is announced; zero means at once
}

// The words that the guides of EC2 and of Auto Scaling have.
var (
	SpotActions       = []string{"terminate", "stop", "hibernate"}
	LifecycleStates   = []string{"Detached", "InService", "Standby", "Terminated", "Warmed:Hibernated", "Warmed:Running", "Warmed:Stopped", "Warmed:Terminated"}
	MaintenanceCodes  = []string{"instance-reboot", "system-reboot", "system-maintenance", "instance-retirement", "instance-stop"}
	MaintenanceStates = []string{"active", "completed", "canceled"}
)

// spotNotice is how long before its end a Spot Instance is told of it.
const spotNotice = 2 * time.Minute

// complete fills in the defaults and checks the rest. What the caller holds
// stays as it is.
func (e *Events) complete(instance string) error {
	if err := e.completeSpot(); err != nil {
		return err
	}
	for n, l := range e.Lifecycle {
		if err := oneOf(fmt.Sprintf("lifecycle %d: state", n), l.State, LifecycleStates); err != nil {
			return err
		}
	}
	e.Lifecycle = slices.Clone(e.Lifecycle)
	slices.SortStableFunc(e.Lifecycle, func(a, b Lifecycle) int { return a.From.Compare(b.From) })
	e.Maintenance = slices.Clone(e.Maintenance)
	for n := range e.Maintenance {
		if err := e.Maintenance[n].complete(instance, n); err != nil {
			return fmt.Errorf("maintenance %d: %w", n, err)
		}
	}
	return nil
}

func (e *Events) completeSpot() error {
	if e.Spot == nil {
		return nil
	}
	spot := *e.Spot
	fill(&spot.Action, "terminate")
	if err := oneOf("spot: action", spot.Action, SpotActions); err != nil {
		return err
	}
	if spot.Time.IsZero() {
		return fmt.Errorf("spot: the time is missing")
	}
	if spot.Notice.IsZero() {
		spot.Notice = spot.Time.Add(-spotNotice)
	}
	e.Spot = &spot
	return nil
}

func (m *Maintenance) complete(instance string, place int) error {
	if err := oneOf("code", m.Code, MaintenanceCodes); err != nil {
		return err
	}
	if err := oneOf("state", cmp.Or(m.State, "active"), MaintenanceStates); err != nil {
		return err
	}
	switch {
	case m.NotBefore.IsZero():
		return fmt.Errorf("not before: the time is missing")
	case !m.NotAfter.IsZero() && m.NotAfter.Before(m.NotBefore):
		return fmt.Errorf("not after %v: lies before %v", m.NotAfter, m.NotBefore)
	}
	fill(&m.ID, "instance-event-"+derived(instance, m.Code, m.NotBefore.UTC().String(), strconv.Itoa(place)))
	_, what, _ := strings.Cut(m.Code, "-")
	fill(&m.Description, "scheduled "+what)
	return nil
}

func oneOf(what, value string, words []string) error {
	if !slices.Contains(words, value) {
		return fmt.Errorf("%s %q: want %s", what, value, strings.Join(words, ", "))
	}
	return nil
}

// dates are when something appears or changes, in order.
func (e *Events) dates() []time.Time {
	all := []time.Time{e.Rebalance}
	if e.Spot != nil {
		all = append(all, e.Spot.Notice)
	}
	for _, l := range e.Lifecycle {
		all = append(all, l.From)
	}
	for _, m := range e.Maintenance {
		all = append(all, m.Notice)
		if m.State == "" {
			all = append(all, m.NotAfter)
		}
	}
	all = slices.DeleteFunc(all, time.Time.IsZero)
	slices.SortFunc(all, time.Time.Compare)
	return all
}

// categories lists what has been announced by now, in the forms that the
// guides show.
func (e *Events) categories(now time.Time) []category {
	list := append(e.spotCategories(now), e.maintenanceCategories(now)...)
	if !e.Rebalance.IsZero() && !now.Before(e.Rebalance) {
		body := fmt.Sprintf(`{"noticeTime": %q}`, e.Rebalance.UTC().Format(time.RFC3339))
		list = append(list, category{path: "meta-data/events/recommendations/rebalance", since: "2020-10-27", body: body, appeared: e.Rebalance})
	}
	for _, l := range slices.Backward(e.Lifecycle) {
		if !now.Before(l.From) {
			return append(list, category{path: "meta-data/autoscaling/target-lifecycle-state", since: "2021-07-15", body: l.State, appeared: l.From})
		}
	}
	return list
}

// spotCategories tells of the time alone, too, but only where the instance
// ends for good.
func (e *Events) spotCategories(now time.Time) []category {
	if e.Spot == nil || now.Before(e.Spot.Notice) {
		return nil
	}
	at := e.Spot.Time.UTC().Format(time.RFC3339)
	body := fmt.Sprintf(`{"action": %q, "time": %q}`, e.Spot.Action, at)
	list := []category{{path: "meta-data/spot/instance-action", since: "2016-11-15", body: body, appeared: e.Spot.Notice}}
	if e.Spot.Action == "terminate" {
		list = append(list, category{path: "meta-data/spot/termination-time", since: "2014-11-05", body: at, appeared: e.Spot.Notice})
	}
	return list
}

func (e *Events) maintenanceCategories(now time.Time) []category {
	var scheduled, history []Maintenance
	for _, m := range e.Maintenance {
		if now.Before(m.Notice) {
			continue
		}
		if m = m.at(now); m.State == "active" {
			scheduled = append(scheduled, m)
		} else {
			history = append(history, m)
		}
	}
	const since = "2018-08-17"
	return []category{
		{path: "meta-data/events/maintenance/history", since: since, body: maintenanceDocument(history)},
		{path: "meta-data/events/maintenance/scheduled", since: since, body: maintenanceDocument(scheduled)},
	}
}

// at is the event as it stands now.
func (m Maintenance) at(now time.Time) Maintenance {
	if m.State == "" && !m.NotAfter.IsZero() && !now.Before(m.NotAfter) {
		m.State = "completed"
	}
	fill(&m.State, "active")
	prefix := map[string]string{"completed": "[Completed] ", "canceled": "[Canceled] "}[m.State]
	if !strings.HasPrefix(m.Description, prefix) {
		m.Description = prefix + m.Description
	}
	return m
}

// maintenanceDocument writes a list of events as the guide shows it.
func maintenanceDocument(list []Maintenance) string {
	if len(list) == 0 {
		return "[]"
	}
	var all []string
	for _, m := range list {
		all = append(all, "  {\n"+strings.Join(m.fields(), ",\n")+"\n  }")
	}
	return "[\n" + strings.Join(all, ",\n") + "\n]"
}

// fields are the members of an event, a line for each. Times have another
// form than anywhere else in the metadata.
func (m Maintenance) fields() []string {
	var all []string
	for _, f := range []struct{ name, value string }{
		{"NotBefore", maintenanceTime(m.NotBefore)},
		{"Code", m.Code},
		{"Description", m.Description},
		{"EventId", m.ID},
		{"NotAfter", maintenanceTime(m.NotAfter)},
		{"NotBeforeDeadline", maintenanceTime(m.NotBeforeDeadline)},
		{"State", m.State},
	} {
		if f.value != "" {
			value, _ := json.Marshal(f.value) // text always can be
			all = append(all, fmt.Sprintf("    %q : %s", f.name, value))
		}
	}
	return all
}

func maintenanceTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006 15:04:05 GMT")
}
