package sandbox

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/imds"
)

// What a file says of times, by the clock.
func TestEventsFrom(t *testing.T) {
	begun := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	second := begun.Truncate(time.Second)
	noon := time.Date(2026, 7, 30, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, yaml string
		want       emulator.Events
	}{
		{"none", "{}", emulator.Events{}},
		{"spot in a while", "events: {spot: {in: 5m}}", emulator.Events{
			Spot: &emulator.SpotInterruption{Time: second.Add(5 * time.Minute), Notice: second.Add(3 * time.Minute)}}},
		{"spot at once", "events: {spot: {action: hibernate}}", emulator.Events{
			Spot: &emulator.SpotInterruption{Action: "hibernate", Time: second.Add(2 * time.Minute), Notice: second}}},
		{"spot at once, with its own notice", "events: {spot: {notice: 30s}}", emulator.Events{
			Spot: &emulator.SpotInterruption{Time: second.Add(30 * time.Second), Notice: second}}},
		{"spot at a time", "events: {spot: {at: 2026-07-30T12:00:00Z, notice: 1h}}", emulator.Events{
			Spot: &emulator.SpotInterruption{Time: noon, Notice: noon.Add(-time.Hour)}}},
		{"rebalance at once", "events: {rebalance: {}}", emulator.Events{Rebalance: second}},
		{"rebalance in the past", "events: {rebalance: {in: -1h}}", emulator.Events{Rebalance: second.Add(-time.Hour)}},
		{"lifecycle", "events: {lifecycle: [{state: InService}, {state: Standby, in: 1m}, {state: Terminated, at: 2026-07-30T12:00:00Z}]}", emulator.Events{
			Lifecycle: []emulator.Lifecycle{{State: "InService", From: second}, {State: "Standby", From: second.Add(time.Minute)}, {State: "Terminated", From: noon}}}},
		{"maintenance", "events: {maintenance: [{code: system-reboot, at: 2026-07-30T12:00:00Z, for: 2h, notice: 24h, deadline: 2026-08-30, id: instance-event-1, description: x, state: active}, {code: instance-stop}]}", emulator.Events{
			Maintenance: []emulator.Maintenance{
				{Code: "system-reboot", ID: "instance-event-1", Description: "x", State: "active", NotBefore: noon, NotAfter: noon.Add(2 * time.Hour),
					Notice: noon.Add(-24 * time.Hour), NotBeforeDeadline: time.Date(2026, 8, 30, 0, 0, 0, 0, time.UTC)},
				{Code: "instance-stop", NotBefore: second},
			}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, parse(t, tt.yaml).Events.from(begun)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// An announcement does not move when a fault is switched on and off, and is
// by the clock of AWS.
func TestEventsStayWhereTheyWere(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, "events: {spot: {in: 1m}}\nclock_skew: 48h\n"))
	const path = "meta-data/spot/termination-time"
	before, err := r.imds.Get(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Parse(time.RFC3339, before)
	if away := time.Until(at); err != nil || away < 47*time.Hour || away > 49*time.Hour {
		t.Errorf("it ends at %s, %v", before, err)
	}
	want := at.Add(-time.Hour).Format(time.RFC3339)
	r.sandbox.begun = r.sandbox.begun.Add(-time.Hour) // as if it ran for an hour
	for _, faults := range [][]string{{"no-role"}, nil} {
		if err := r.sandbox.Switch(faults...); err != nil {
			t.Fatal(err)
		}
		if again, err := r.imds.Get(t.Context(), path); err != nil || again != want {
			t.Errorf("with %v: got %q, %v, want %q", faults, again, err, want)
		}
	}
}

// Metadata is the same service as that of the sandbox, without the sandbox.
func TestMetadata(t *testing.T) {
	s := parse(t, `
instance: {interfaces: [{card: 1, private_ips: [10.0.2.10]}]}
imds: {tokens: optional, endpoint: disabled, hop_limit: 3, hops: 2, bridged: true, profile: legacy, tags: true, keep_alive: true, throttle: {per_second: 5, burst: 10, status: 503}}
role: {credentials: expired, lifetime: 2h}
clock_skew: 1h
events: {rebalance: {at: 2026-07-30}}
`)
	o, err := s.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	if o.Replies == nil {
		t.Error("replies can't be counted")
	}
	if ahead := time.Until(o.Now()); ahead < 59*time.Minute || ahead > 61*time.Minute {
		t.Errorf("the clock is ahead by %v", ahead)
	}
	o.Replies, o.Now = nil, nil
	want := emulator.Options{
		Instance: emulator.Instance(s.Instance), Tokens: "optional", Disabled: true, HopLimit: 3, Hops: 2, Bridged: true, Profile: "legacy", Tags: true, KeepAlive: true,
		Throttle: emulator.Throttle{PerSecond: 5, Burst: 10, Status: 503},
		Events:   emulator.Events{Rebalance: time.Date(2026, 7, 30, 0, 0, 0, 0, time.UTC)},
		Role:     &emulator.Role{Name: "bedrock-ui-ec2-role", Lifetime: 2 * time.Hour, Expired: true},
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Error(diff)
	}
	plain, err := Default().Metadata()
	if err != nil || plain.Now != nil {
		t.Errorf("without a skew the clock is given as well: %v", err)
	}
	s.IMDS.HopLimit = 0
	if _, err := s.Metadata(); err == nil || err.Error() != "imds.hop_limit: 0 is not within 1 to 64" {
		t.Errorf("an invalid scenario: %v", err)
	}
}

// A plain scenario announces nothing.
func TestNoEvents(t *testing.T) {
	t.Parallel()
	r := runScenario(t, Default())
	for _, path := range []string{"meta-data/spot/instance-action", "meta-data/events/recommendations/rebalance", "meta-data/autoscaling/target-lifecycle-state"} {
		if got, err := r.imds.Get(t.Context(), path); !errors.Is(err, imds.ErrAbsent) {
			t.Errorf("%s: got %q, %v", path, got, err)
		}
	}
}
