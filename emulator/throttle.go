package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"sync"
	"time"
)

func (t *Throttle) complete() error {
	switch {
	case t.PerSecond < 0:
		return fmt.Errorf("%d requests a second: want 0 or more", t.PerSecond)
	case t.Burst < 0:
		return fmt.Errorf("burst of %d: want 0 or more", t.Burst)
	case t.PerSecond == 0 && t.Burst > 0:
		return fmt.Errorf("burst of %d without a bound for the second", t.Burst)
	case t.Status != 0 && t.Status != http.StatusTooManyRequests && t.Status != http.StatusServiceUnavailable:
		return fmt.Errorf("status %d: want 429 or 503", t.Status)
	}
	t.Burst = cmp.Or(t.Burst, t.PerSecond)
	t.Status = cmp.Or(t.Status, http.StatusTooManyRequests)
	return nil
}

// A bucket holds the requests that an instance may still make. It fills with
// the machine's time, not with that of Options.Now, which may stand still.
type bucket struct {
	bound Throttle
	mu    sync.Mutex
	left  float64
	last  time.Time
}

// newBucket returns a full bucket, or nil for no bound.
func newBucket(t Throttle) *bucket {
	if t.PerSecond == 0 {
		return nil
	}
	return &bucket{bound: t, left: float64(t.Burst), last: time.Now()}
}

// take reports whether one more request is answered now.
func (b *bucket) take() bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.left = min(float64(b.bound.Burst), b.left+now.Sub(b.last).Seconds()*float64(b.bound.PerSecond))
	b.last = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
