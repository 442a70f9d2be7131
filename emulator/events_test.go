package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
)

// peek asks without a network, for synctest. What is not there is "".
func peek(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/latest/meta-data/"+path, nil))
	switch w.Code {
	case http.StatusNotFound:
		return ""
	case http.StatusOK:
		return w.Body.String()
	}
	t.Errorf("%s: got %d", path, w.Code)
	return ""
}

// Everything that is announced appears at its time and not a moment before.
func TestEventsAppear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now() // the bubble's clock begins at 2000-01-01T00:00:00Z
		s, err := emulator.New(emulator.Options{Tokens: "optional", Events: emulator.Events{
			Spot:      &emulator.SpotInterruption{Time: begin.Add(5 * time.Minute)},
			Rebalance: begin.Add(time.Minute),
			Lifecycle: []emulator.Lifecycle{
				{State: "Terminated", From: begin.Add(4 * time.Minute)}, {State: "InService"}, {State: "Standby", From: begin.Add(time.Minute)},
			},
			Maintenance: []emulator.Maintenance{
				{Code: "system-reboot", ID: "instance-event-1", NotBefore: begin.Add(time.Hour), NotAfter: begin.Add(2 * time.Hour), Notice: begin.Add(10 * time.Minute)},
				{Code: "instance-stop", ID: "instance-event-2", Description: `degraded "hardware"`, NotBefore: begin.Add(24 * time.Hour), NotBeforeDeadline: begin.Add(48 * time.Hour)},
				{Code: "system-maintenance", ID: "instance-event-3", State: "canceled", NotBefore: begin, NotAfter: begin.Add(time.Hour)},
			},
		}})
		if err != nil {
			t.Fatal(err)
		}
		const reboot = `"NotBefore" : "1 Jan 2000 01:00:00 GMT", "Code" : "system-reboot", "Description" : "?scheduled reboot", "EventId" : "instance-event-1", "NotAfter" : "1 Jan 2000 02:00:00 GMT", "State" : `
		const stop = `{ "NotBefore" : "2 Jan 2000 00:00:00 GMT", "Code" : "instance-stop", "Description" : "degraded \"hardware\"", "EventId" : "instance-event-2", "NotBeforeDeadline" : "3 Jan 2000 00:00:00 GMT", "State" : "active" }`
		const canceled = `{ "NotBefore" : "1 Jan 2000 00:00:00 GMT", "Code" : "system-maintenance", "Description" : "[Canceled] scheduled maintenance", "EventId" : "instance-event-3", "NotAfter" : "1 Jan 2000 01:00:00 GMT", "State" : "canceled" }`
		active := "{ " + strings.Replace(reboot, "?", "", 1) + `"active" }`
		completed := "{ " + strings.Replace(reboot, "?", "[Completed] ", 1) + `"completed" }`
		const action, at = `{"action": "terminate", "time": "2000-01-01T00:05:00Z"}`, "2000-01-01T00:05:00Z"
		const rebalance = `{"noticeTime": "2000-01-01T00:01:00Z"}`
		type state struct{ Action, Time, Rebalance, Lifecycle, Scheduled, History string }
		for _, step := range []struct {
			after time.Duration // since the beginning
			want  state
		}{
			{0, state{"", "", "", "InService", "[ " + stop + " ]", "[ " + canceled + " ]"}},
			{time.Minute - 1, state{"", "", "", "InService", "[ " + stop + " ]", "[ " + canceled + " ]"}},
			{time.Minute, state{"", "", rebalance, "Standby", "[ " + stop + " ]", "[ " + canceled + " ]"}},
			{3*time.Minute - 1, state{"", "", rebalance, "Standby", "[ " + stop + " ]", "[ " + canceled + " ]"}},
			{3 * time.Minute, state{action, at, rebalance, "Standby", "[ " + stop + " ]", "[ " + canceled + " ]"}},
			{4 * time.Minute, state{action, at, rebalance, "Terminated", "[ " + stop + " ]", "[ " + canceled + " ]"}},
			{10 * time.Minute, state{action, at, rebalance, "Terminated", "[ " + active + ", " + stop + " ]", "[ " + canceled + " ]"}},
			{2*time.Hour - 1, state{action, at, rebalance, "Terminated", "[ " + active + ", " + stop + " ]", "[ " + canceled + " ]"}},
			{2 * time.Hour, state{action, at, rebalance, "Terminated", "[ " + stop + " ]", "[ " + completed + ", " + canceled + " ]"}},
		} {
			time.Sleep(time.Until(begin.Add(step.after)))
			got := state{
				peek(t, s, "spot/instance-action"), peek(t, s, "spot/termination-time"), peek(t, s, "events/recommendations/rebalance"),
				peek(t, s, "autoscaling/target-lifecycle-state"), flat(peek(t, s, "events/maintenance/scheduled")), flat(peek(t, s, "events/maintenance/history")),
			}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("after %v: %s", step.after, diff)
			}
		}
	})
}

// flat puts a document on one line.
func flat(document string) string { return strings.Join(strings.Fields(document), " ") }

// The form of the guide, line by line.
func TestMaintenanceDocument(t *testing.T) {
	s := start(t, emulator.Options{Events: emulator.Events{Maintenance: []emulator.Maintenance{{
		Code: "system-reboot", ID: "instance-event-0d59937288b749b32",
		NotBefore: time.Date(2219, 1, 21, 9, 0, 43, 0, time.UTC), NotAfter: time.Date(2219, 1, 21, 9, 17, 23, 0, time.UTC),
	}}}})
	const want = `[
  {
    "NotBefore" : "21 Jan 2219 09:00:43 GMT",
    "Code" : "system-reboot",
    "Description" : "scheduled reboot",
    "EventId" : "instance-event-0d59937288b749b32",
    "NotAfter" : "21 Jan 2219 09:17:23 GMT",
    "State" : "active"
  }
]`
	if diff := cmp.Diff(want, do(t, "GET", s.URL+"/latest/meta-data/events/maintenance/scheduled").body); diff != "" {
		t.Error(diff)
	}
}

func TestSpotActions(t *testing.T) {
	end := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("JST", 9*60*60))
	for _, tt := range []struct{ action, want, at string }{
		{"", `{"action": "terminate", "time": "2026-01-01T18:04:05Z"}`, "2026-01-01T18:04:05Z"},
		{"stop", `{"action": "stop", "time": "2026-01-01T18:04:05Z"}`, ""},
		{"hibernate", `{"action": "hibernate", "time": "2026-01-01T18:04:05Z"}`, ""},
	} {
		s := start(t, emulator.Options{Now: func() time.Time { return end },
			Events: emulator.Events{Spot: &emulator.SpotInterruption{Action: tt.action, Time: end, Notice: end}}})
		if got := peek(t, s, "spot/instance-action"); got != tt.want {
			t.Errorf("%s: got %s", tt.action, got)
		}
		if got := peek(t, s, "spot/termination-time"); got != tt.at {
			t.Errorf("%s: termination-time is %q", tt.action, got)
		}
		a := do(t, "GET", s.URL+"/latest/meta-data/spot/instance-action")
		checkHeader(t, a, map[string]string{"Last-Modified": "Thu, 01 Jan 2026 18:04:05 GMT"})
	}
}

// Change announces and takes back; what was there otherwise stays.
func TestChangeEvents(t *testing.T) {
	s := start(t, emulator.Options{})
	const path = "spot/instance-action"
	if got := peek(t, s, path); got != "" {
		t.Errorf("before: %s", got)
	}
	change(t, s, emulator.Options{Tokens: "optional", Events: emulator.Events{Spot: &emulator.SpotInterruption{Time: time.Now()}}})
	if got := peek(t, s, path); !strings.HasPrefix(got, `{"action": "terminate"`) {
		t.Errorf("announced: %q", got)
	}
	if got := peek(t, s, "instance-life-cycle"); got != "on-demand" {
		t.Errorf("the instance became %s", got)
	}
	change(t, s, emulator.Options{Tokens: "optional"})
	if got := peek(t, s, path); got != "" {
		t.Errorf("taken back: %s", got)
	}
}

// A clock that is put back takes back what it had brought.
func TestEventsFollowTheClock(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	clock := now
	s := start(t, emulator.Options{Now: func() time.Time { return clock }, Events: emulator.Events{Rebalance: now.Add(time.Second)}})
	for _, step := range []struct {
		at   time.Duration
		want bool
	}{{0, false}, {time.Second, true}, {time.Hour, true}, {0, false}, {-time.Hour, false}, {2 * time.Second, true}} {
		clock = now.Add(step.at)
		if got := peek(t, s, "events/recommendations/rebalance") != ""; got != step.want {
			t.Errorf("at %v: there is %v", step.at, got)
		}
	}
}

// Readers that meet the moment of an announcement get the one state or the
// other.
func TestEventsUnderLoad(t *testing.T) {
	begin := time.Now()
	s, err := emulator.New(emulator.Options{Tokens: "optional", Events: emulator.Events{
		Lifecycle: []emulator.Lifecycle{{State: "InService"}, {State: "Terminated", From: begin.Add(20 * time.Millisecond)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			was := "InService"
			for t.Context().Err() == nil && time.Since(begin) < 10*time.Second {
				got := peek(t, s, "autoscaling/target-lifecycle-state")
				if got != "Terminated" && got != was {
					t.Errorf("%q after %q", got, was)
				}
				if was = got; was == "Terminated" {
					return
				}
			}
			t.Error("it is never announced")
		})
	}
	readers.Wait()
}

func TestEventsRefuse(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for want, e := range map[string]emulator.Events{
		`events: spot: action "reboot": want terminate, stop, hibernate`: {Spot: &emulator.SpotInterruption{Action: "reboot", Time: noon}},
		"events: spot: the time is missing":                              {Spot: &emulator.SpotInterruption{}},
		`events: lifecycle 1: state "Dead": want Detached, InService`:    {Lifecycle: []emulator.Lifecycle{{State: "InService"}, {State: "Dead"}}},
		`events: maintenance 0: code "reboot": want instance-reboot`:     {Maintenance: []emulator.Maintenance{{Code: "reboot", NotBefore: noon}}},
		`events: maintenance 0: state "done": want active`:               {Maintenance: []emulator.Maintenance{{Code: "system-reboot", State: "done", NotBefore: noon}}},
		"events: maintenance 0: not before: the time is missing":         {Maintenance: []emulator.Maintenance{{Code: "system-reboot"}}},
		"events: maintenance 0: not after 2026-01-02 11:00":              {Maintenance: []emulator.Maintenance{{Code: "system-reboot", NotBefore: noon, NotAfter: noon.Add(-time.Hour)}}},
	} {
		if _, err := emulator.New(emulator.Options{Events: e}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
	}
}

func BenchmarkNewWithEverything(b *testing.B) {
	o := everything()
	for b.Loop() {
		if _, err := emulator.New(o); err != nil {
			b.Fatal(err)
		}
	}
}
