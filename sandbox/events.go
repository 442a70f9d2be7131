package sandbox

import (
	"cmp"
	"time"

	"tegata/emulator"
)

// Events are what EC2 announces to the instance while the scenario runs.
type Events struct {
	Spot        *Spot         `yaml:"spot"`      // nil means that the instance is not taken back
	Rebalance   *When         `yaml:"rebalance"` // nil means no such recommendation
	Lifecycle   []State       `yaml:"lifecycle"`
	Maintenance []Maintenance `yaml:"maintenance"`
}

// When is a moment: so long after the scenario begins, or at a time of the
// day. The zero value is the beginning.
type When struct {
	In time.Duration `yaml:"in"`
	At time.Time     `yaml:"at"`
}

// Spot is the interruption of a Spot Instance. Without a time it comes once
// the notice is over.
type Spot struct {
	When
	Action string        `yaml:"action"` // terminate, stop or hibernate; empty means terminate
	Notice time.Duration `yaml:"notice"` // how long before it is announced; 0 means two minutes
}

// A State is one that Auto Scaling wants the instance to get into.
type State struct {
	When
	State string `yaml:"state"` // InService, Terminated, Warmed:Hibernated, ...
}

// A Maintenance is a scheduled event of the instance. Its time is that of its
// beginning.
type Maintenance struct {
	When
	Code        string        `yaml:"code"`        // instance-reboot, system-reboot, system-maintenance, instance-retirement, instance-stop
	Description string        `yaml:"description"` // empty means one that fits
	ID          string        `yaml:"id"`          // instance-event-...; empty means one that fits
	State       string        `yaml:"state"`       // active, completed or canceled; empty means active and, once it is over, completed
	For         time.Duration `yaml:"for"`         // how long it takes; 0 leaves that open
	Notice      time.Duration `yaml:"notice"`      // how long before it is announced; 0 means from the beginning of the scenario on
	Deadline    time.Time     `yaml:"deadline"`    // until when its beginning can be put off
}

const spotNotice = 2 * time.Minute // of EC2

// from tells the events by the clock, of a scenario that began then.
func (e Events) from(begun time.Time) emulator.Events {
	all := emulator.Events{}
	if e.Spot != nil {
		all.Spot = e.Spot.from(begun)
	}
	if e.Rebalance != nil {
		all.Rebalance = e.Rebalance.from(begun)
	}
	for _, l := range e.Lifecycle {
		all.Lifecycle = append(all.Lifecycle, emulator.Lifecycle{State: l.State, From: l.When.from(begun)})
	}
	for _, m := range e.Maintenance {
		all.Maintenance = append(all.Maintenance, m.from(begun))
	}
	return all
}

// from is the moment by the clock. The metadata has whole seconds.
func (w When) from(begun time.Time) time.Time {
	if !w.At.IsZero() {
		return w.At
	}
	return begun.Add(w.In).Truncate(time.Second)
}

func (s Spot) from(begun time.Time) *emulator.SpotInterruption {
	notice := cmp.Or(s.Notice, spotNotice)
	if s.When == (When{}) {
		s.In = notice
	}
	at := s.When.from(begun)
	return &emulator.SpotInterruption{Action: s.Action, Time: at, Notice: at.Add(-notice)}
}

func (m Maintenance) from(begun time.Time) emulator.Maintenance {
	event := emulator.Maintenance{
		Code: m.Code, Description: m.Description, ID: m.ID, State: m.State,
		NotBefore: m.When.from(begun), NotBeforeDeadline: m.Deadline,
	}
	if m.For > 0 {
		event.NotAfter = event.NotBefore.Add(m.For)
	}
	if m.Notice > 0 {
		event.Notice = event.NotBefore.Add(-m.Notice)
	}
	return event
}

func (s Scenario) validateEvents() error {
	var err error
	if spot := s.Events.Spot; spot != nil {
		err = firstOf(
			spot.validate("events.spot"),
			oneOf("events.spot.action", cmp.Or(spot.Action, "terminate"), emulator.SpotActions...),
			notNegative("events.spot.notice", spot.Notice),
		)
	}
	if s.Events.Rebalance != nil {
		err = firstOf(err, s.Events.Rebalance.validate("events.rebalance"))
	}
	for n, l := range s.Events.Lifecycle {
		key := element("events.lifecycle", n)
		err = firstOf(err, l.validate(key), oneOf(key+".state", l.State, emulator.LifecycleStates...))
	}
	for n, m := range s.Events.Maintenance {
		err = firstOf(err, m.validate(element("events.maintenance", n)))
	}
	return err
}

func (m Maintenance) validate(key string) error {
	return firstOf(
		m.When.validate(key),
		oneOf(key+".code", m.Code, emulator.MaintenanceCodes...),
		oneOf(key+".state", cmp.Or(m.State, "active"), emulator.MaintenanceStates...),
		notNegative(key+".for", m.For),
		notNegative(key+".notice", m.Notice),
	)
}

// validate lets a time be in the past: the scenario begins behind it then.
func (w When) validate(key string) error {
	if w.In != 0 && !w.At.IsZero() {
		return invalid(key, "in and at exclude each other")
	}
	return nil
}

func notNegative(key string, d time.Duration) error {
	if d < 0 {
		return invalid(key, "%v is negative", d)
	}
	return nil
}
