package control

import (
	"errors"
	"fmt"
	"time"

	"tegata/emulator"
)

// A moment is so long from now, or a time of the day. Without either it is
// now.
type moment struct {
	In duration  `json:"in"`
	At time.Time `json:"at"`
}

func (m moment) from(now time.Time) (time.Time, error) {
	switch {
	case m.In != 0 && !m.At.IsZero():
		return time.Time{}, errors.New(`"in" and "at" exclude each other`)
	case !m.At.IsZero():
		return m.At, nil
	}
	return now.Add(time.Duration(m.In)), nil
}

// A duration is written as Go does: "90s", "2m".
type duration time.Duration

func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err == nil && v < 0 {
		err = errors.New("is negative")
	}
	if err != nil {
		return fmt.Errorf("duration %q: %w", text, err)
	}
	*d = duration(v)
	return nil
}

// A setter reads one kind of events from a body; without a body it removes
// them.
type setter func(e *emulator.Events, body []byte, now time.Time) error

func eventKinds() map[string]setter {
	return map[string]setter{
		"spot":        setSpot,
		"rebalance":   setRebalance,
		"lifecycle":   setLifecycle,
		"maintenance": setMaintenance,
	}
}

func (i *controlled) changeEvents(set setter, body []byte) error {
	now := time.Now
	if i.Options.Now != nil {
		now = i.Options.Now
	}
	o := i.Options
	if err := set(&o.Events, body, now()); err != nil {
		return err
	}
	return i.change(o)
}

// setSpot announces an interruption at once where no time is given: then it
// happens in two minutes, as on EC2.
func setSpot(e *emulator.Events, body []byte, now time.Time) (err error) {
	e.Spot = nil
	if body == nil {
		return nil
	}
	var b struct {
		moment
		Action string   `json:"action"`
		Notice duration `json:"notice"`
	}
	b.Notice = duration(2 * time.Minute)
	if err = decode(body, &b); err != nil {
		return err
	}
	if b.In == 0 && b.At.IsZero() {
		b.In = b.Notice
	}
	s := emulator.SpotInterruption{Action: b.Action}
	if s.Time, err = b.from(now); err != nil {
		return err
	}
	s.Notice = s.Time.Add(-time.Duration(b.Notice))
	e.Spot = &s
	return nil
}

func setRebalance(e *emulator.Events, body []byte, now time.Time) (err error) {
	e.Rebalance = time.Time{}
	if body == nil {
		return nil
	}
	var b moment
	if err = decode(body, &b); err != nil {
		return err
	}
	e.Rebalance, err = b.from(now)
	return err
}

func setLifecycle(e *emulator.Events, body []byte, now time.Time) error {
	e.Lifecycle = nil
	if body == nil {
		return nil
	}
	var list []struct {
		moment
		State string `json:"state"`
	}
	if err := decode(body, &list); err != nil {
		return err
	}
	for n, l := range list {
		from, err := l.from(now)
		if err != nil {
			return fmt.Errorf("lifecycle %d: %w", n, err)
		}
		e.Lifecycle = append(e.Lifecycle, emulator.Lifecycle{State: l.State, From: from})
	}
	return nil
}

func setMaintenance(e *emulator.Events, body []byte, now time.Time) error {
	e.Maintenance = nil
	if body == nil {
		return nil
	}
	var list []struct {
		moment
		Code        string   `json:"code"`
		Description string   `json:"description"`
		ID          string   `json:"id"`
		State       string   `json:"state"`
		For         duration `json:"for"`
	}
	if err := decode(body, &list); err != nil {
		return err
	}
	for n, l := range list {
		begins, err := l.from(now)
		if err != nil {
			return fmt.Errorf("maintenance %d: %w", n, err)
		}
		m := emulator.Maintenance{Code: l.Code, Description: l.Description, ID: l.ID, State: l.State, NotBefore: begins}
		if l.For > 0 {
			m.NotAfter = begins.Add(time.Duration(l.For))
		}
		e.Maintenance = append(e.Maintenance, m)
	}
	return nil
}
