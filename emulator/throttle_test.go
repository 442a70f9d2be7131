package emulator_test

import (
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
)

// How many of ten requests at once are answered, now and after a second, with
// a change of something else between.
func TestThrottle(t *testing.T) {
	for _, tt := range []struct {
		name     string
		throttle emulator.Throttle
		want     []int // answered
		status   int   // of the others
	}{
		{"none", emulator.Throttle{}, []int{10, 10, 10}, 200},
		{"as many at once", emulator.Throttle{PerSecond: 4}, []int{4, 0, 4}, 429},
		{"more at once", emulator.Throttle{PerSecond: 4, Burst: 7}, []int{7, 0, 4}, 429},
		{"fewer at once", emulator.Throttle{PerSecond: 100, Burst: 1, Status: 503}, []int{1, 0, 1}, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := emulator.Options{Tokens: "optional", Throttle: tt.throttle}
				s, err := emulator.New(o)
				if err != nil {
					t.Fatal(err)
				}
				ask := func() (answered int) {
					for range 10 {
						w := httptest.NewRecorder()
						s.ServeHTTP(w, httptest.NewRequest("GET", "/latest/meta-data/mac", nil))
						if w.Code == 200 {
							answered++
						} else if w.Code != tt.status {
							t.Errorf("got %d, want %d", w.Code, tt.status)
						}
					}
					return answered
				}
				got := []int{ask()}
				o.Tags = true
				if err := s.Change(o); err != nil {
					t.Fatal(err)
				}
				got = append(got, ask())
				time.Sleep(time.Second)
				got = append(got, ask())
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestFrontEndRefuses(t *testing.T) {
	throttle := func(t emulator.Throttle) emulator.Options { return emulator.Options{Throttle: t} }
	for want, o := range map[string]emulator.Options{
		`profile "xen": want nitro or legacy`:                 {Profile: "xen"},
		"throttle: -1 requests a second: want 0 or more":      throttle(emulator.Throttle{PerSecond: -1}),
		"throttle: burst of -1: want 0 or more":               throttle(emulator.Throttle{PerSecond: 1, Burst: -1}),
		"throttle: burst of 2 without a bound for the second": throttle(emulator.Throttle{Burst: 2}),
		"throttle: status 500: want 429 or 503":               throttle(emulator.Throttle{PerSecond: 1, Status: 500}),
	} {
		if _, err := emulator.New(o); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
