package control

import (
	"fmt"
	"time"

	"tegata/emulator"
)

// The state of an instance as the API tells it.
type state struct {
	Name   string   `json:"name"`
	ID     string   `json:"instance_id"`
	IMDS   settings `json:"imds"`
	Events events   `json:"events"`
	Faults []string `json:"faults"`
}

// The settings of a metadata service, in the keys of scenario files.
type settings struct {
	Tokens   string   `json:"tokens"`
	Endpoint string   `json:"endpoint"`
	HopLimit int      `json:"hop_limit"`
	Hops     int      `json:"hops"`
	Bridged  bool     `json:"bridged"`
	Tags     bool     `json:"tags"`
	Throttle throttle `json:"throttle"`
}

type throttle struct {
	PerSecond int `json:"per_second"`
	Burst     int `json:"burst"`
	Status    int `json:"status"`
}

type events struct {
	Spot        *emulator.SpotInterruption `json:"spot,omitempty"`
	Rebalance   *time.Time                 `json:"rebalance,omitempty"`
	Lifecycle   []emulator.Lifecycle       `json:"lifecycle,omitempty"`
	Maintenance []emulator.Maintenance     `json:"maintenance,omitempty"`
}

func (i *controlled) state() state {
	e := i.Options.Events
	s := state{Name: i.Name, ID: i.Options.Instance.ID, IMDS: settingsOf(i.Options), Faults: i.faults}
	s.Events = events{Spot: e.Spot, Lifecycle: e.Lifecycle, Maintenance: e.Maintenance}
	if !e.Rebalance.IsZero() {
		s.Events.Rebalance = &e.Rebalance
	}
	return s
}

func settingsOf(o emulator.Options) settings {
	endpoint := "enabled"
	if o.Disabled {
		endpoint = "disabled"
	}
	return settings{
		Tokens: o.Tokens, Endpoint: endpoint, HopLimit: o.HopLimit, Hops: o.Hops,
		Bridged: o.Bridged, Tags: o.Tags, Throttle: throttle(o.Throttle),
	}
}

// patchIMDS changes the settings that the body names and leaves the others.
func (i *controlled) patchIMDS(body []byte) error {
	s := settingsOf(i.Options)
	if err := decode(body, &s); err != nil {
		return err
	}
	if s.Endpoint != "enabled" && s.Endpoint != "disabled" {
		return fmt.Errorf("endpoint %q: want enabled or disabled", s.Endpoint)
	}
	o := i.Options
	o.Tokens, o.Disabled = s.Tokens, s.Endpoint == "disabled"
	o.HopLimit, o.Hops, o.Bridged, o.Tags = s.HopLimit, s.Hops, s.Bridged, s.Tags
	o.Throttle = emulator.Throttle(s.Throttle)
	return i.change(o)
}
