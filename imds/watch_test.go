package imds_test

import (
	"context"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

// unfolding serves what values says about the time since the start of a bubble.
func unfolding(values func(at time.Duration, path string) (string, int)) http.HandlerFunc {
	start := time.Now()
	return func(w http.ResponseWriter, r *http.Request) {
		body, code := values(time.Since(start), r.URL.Path)
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// story runs Watch for a while and returns what was told.
func story(ctx context.Context, c *imds.Client, w imds.Watching, d time.Duration) []string {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var told []string
	for change, err := range c.Watch(ctx, w) {
		if err != nil {
			told = append(told, fmt.Sprintf("%s failed", change.Path))
			continue
		}
		told = append(told, fmt.Sprintf("%s %s %q", change.Path, change.Event, change.Value))
	}
	return told
}

func TestWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{get: unfolding(func(at time.Duration, path string) (string, int) {
			switch m := at.Minutes(); {
			case path == "/latest/meta-data/instance-id":
				return instanceID, 200
			case m < 1:
				return "", 404
			case m < 2:
				return "stop", 200
			case m < 3:
				return "terminate", 200
			case m < 4: // a failing service says nothing about the value
				return "", 500
			case m < 5:
				return "terminate", 200
			default:
				return "", 404
			}
		})}
		c := s.client(t)
		const spot = "meta-data/spot/instance-action"
		got := story(t.Context(), c, imds.Watching{Paths: []string{"meta-data/instance-id", spot}}, 10*time.Minute)
		var changes []string
		failures := 0
		for _, line := range got {
			if line == spot+" failed" {
				failures++
				continue
			}
			changes = append(changes, line)
		}
		want := []string{
			`meta-data/instance-id present "` + instanceID + `"`,
			spot + ` absent ""`,
			spot + ` appeared "stop"`,
			spot + ` changed "terminate"`,
			spot + ` disappeared ""`,
		}
		if diff := cmp.Diff(want, changes); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		if failures < 2 || failures > 4 { // a minute: after 5, 10, 20 and 40 s
			t.Errorf("%d failures told, want the doubling to leave 2 to 4", failures)
		}
	})
}

// TestWatchDoesNotStorm counts the requests of an hour, of a service that is
// well and of services that are not.
func TestWatchDoesNotStorm(t *testing.T) {
	t.Parallel()
	paths := []string{"meta-data/a", "meta-data/b", "meta-data/c"}
	tests := []struct {
		name        string
		put, get    http.HandlerFunc
		interval    time.Duration
		least, most int32 // GETs and PUTs in an hour
	}{
		{name: "well", least: 1900, most: 2410}, // 3 each 5 s, a little more
		{name: "well, slower", interval: time.Minute, least: 165, most: 202},
		{name: "throttled", get: status(429), least: 4, most: 80}, // 4 each about 5 minutes
		{name: "token throttled", put: status(429), least: 4, most: 80},
		{name: "failing", get: status(503), least: 4, most: 80},
		{name: "forbidden", get: status(403), least: 4, most: 25},
		{name: "silent", get: silent, least: 4, most: 25},
		{name: "unauthorized", get: status(401), least: 4, most: 90},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{put: test.put, get: test.get}
				c := s.client(t)
				story(t.Context(), c, imds.Watching{Paths: paths, Interval: test.interval}, time.Hour)
				if n := s.gets.Load() + s.puts.Load(); n < test.least || n > test.most {
					t.Errorf("%d requests, want %d to %d", n, test.least, test.most)
				}
			})
		})
	}
}

// TestWatchGoesRound has one path fail for ever: the others are read all the
// same.
func TestWatchGoesRound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{get: unfolding(func(_ time.Duration, path string) (string, int) {
			if path == "/latest/meta-data/a" {
				return "", 403
			}
			return path, 200
		})}
		got := story(t.Context(), s.client(t), imds.Watching{Paths: []string{"meta-data/a", "meta-data/b"}}, 12*time.Second)
		want := []string{"meta-data/a failed", `meta-data/b present "/latest/meta-data/b"`, "meta-data/a failed"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestWatchLeavesNothing stops in every way, also in the middle of a read and
// of a pause.
func TestWatchLeavesNothing(t *testing.T) {
	t.Parallel()
	w := imds.Watching{Paths: []string{"meta-data/a"}}
	ways := map[string]func(*testing.T, *service){
		"the loop is left": func(t *testing.T, s *service) {
			for range s.client(t).Watch(t.Context(), w) {
				break
			}
		},
		"the loop is left at a failure": func(t *testing.T, s *service) {
			s.get = status(403)
			for _, err := range s.client(t).Watch(t.Context(), w) {
				wantKind(t, err, imds.ErrForbidden)
				break
			}
		},
		"cancelled in a pause": func(t *testing.T, s *service) {
			story(t.Context(), s.client(t), w, 3*time.Second)
		},
		"cancelled in a read": func(t *testing.T, s *service) {
			s.get = silent
			if told := story(t.Context(), s.client(t), w, 500*time.Millisecond); told != nil {
				t.Errorf("told %q", told)
			}
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var s service
				began := time.Now()
				way(t, &s)
				took, asked := time.Since(began), s.gets.Load()
				if took > 3*time.Second {
					t.Errorf("took %v", took)
				}
				time.Sleep(time.Hour)
				if n := s.gets.Load(); n != asked || asked != 1 {
					t.Errorf("%d reads, and %d an hour later; want 1", asked, n)
				}
			})
		})
	}
}

func TestWatchInvalid(t *testing.T) {
	t.Parallel()
	tests := map[string]imds.Watching{
		"no path":            {},
		"too fast":           {Paths: []string{"meta-data/a"}, Interval: time.Second - 1},
		"before it began":    {Paths: []string{"meta-data/a"}, Interval: -time.Second},
		"twice":              {Paths: []string{"meta-data/a", "meta-data/a"}},
		"a path that climbs": {Paths: []string{"meta-data/../x"}},
	}
	for name, w := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := 0
			for _, err := range (&service{}).client(t).Watch(t.Context(), w) {
				wantKind(t, err, imds.ErrInvalid)
				n++
			}
			if n != 1 {
				t.Errorf("told %d times", n)
			}
		})
	}
}

// TestWatchBeside starts many and ends them. A goroutine of theirs that were
// left in the bubble would fail the test.
func TestWatchBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s service
		c := s.client(t)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan int)
		for range 50 {
			go func() {
				n := 0
				for range c.Watch(ctx, imds.Watching{Paths: []string{"meta-data/a"}}) {
					n++
				}
				done <- n
			}()
		}
		time.Sleep(time.Minute)
		cancel()
		for range 50 {
			if n := <-done; n != 1 {
				t.Errorf("told %d times", n)
			}
		}
		c.Close()
		if n := s.puts.Load(); n != 1 {
			t.Errorf("%d tokens, want one for all", n)
		}
	})
}
