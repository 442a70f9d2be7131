package wire

import (
	"encoding/json"
	"strconv"
	"time"
)

// Time is a moment as the protocols write it: seconds since 1970 with
// milliseconds in JSON, ISO 8601 in XML and in forms.
type Time struct{ time.Time }

// At returns a pointer to a Time, for members that may be absent; nil for the
// zero time.
func At(t time.Time) *Time {
	if t.IsZero() {
		return nil
	}
	return &Time{t}
}

// MarshalJSON writes seconds since 1970, such as 1767225600.123.
func (t Time) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(t.UnixMilli())/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads seconds since 1970.
func (t *Time) UnmarshalJSON(data []byte) error {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return err
	}
	t.Time = time.UnixMilli(int64(seconds * 1000)).UTC()
	return nil
}

// MarshalText writes 2006-01-02T15:04:05Z.
func (t Time) MarshalText() ([]byte, error) {
	return []byte(t.UTC().Format("2006-01-02T15:04:05Z")), nil
}
