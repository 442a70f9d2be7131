package fault

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Rate is a speed in bytes a second.
type Rate float64

const rateUnit = "B/s"

// maxPause keeps the time for one byte of a very slow rate in range.
const maxPause = 24 * time.Hour

// UnmarshalText reads a rate as scenarios write it, "10B/s" or "0.5 B/s".
func (r *Rate) UnmarshalText(text []byte) error {
	number, found := strings.CutSuffix(string(text), rateUnit)
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || !Rate(f).valid() {
		return fmt.Errorf("rate %q: want bytes a second, as in 10B/s", text)
	}
	*r = Rate(f)
	return nil
}

// MarshalText writes the rate as UnmarshalText reads it.
func (r Rate) MarshalText() ([]byte, error) {
	return append(strconv.AppendFloat(nil, float64(r), 'f', -1, 64), rateUnit...), nil
}

func (r Rate) valid() bool {
	return r >= 0 && !math.IsInf(float64(r), 0) && !math.IsNaN(float64(r))
}

// piece returns how many bytes to send at once, and the pause before them.
func (r Rate) piece() (size int, pause time.Duration) {
	size = int(max(1, min(float64(r)*dripTick.Seconds(), 1<<20)))
	seconds := float64(size) / float64(r)
	return size, time.Duration(min(seconds, maxPause.Seconds()) * float64(time.Second))
}
