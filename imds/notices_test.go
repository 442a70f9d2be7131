package imds

import (
	"testing"
	"time"
)

// FuzzParseNotices wants every notice that is read to be whole, and each of
// its times to be one that can be written down again.
func FuzzParseNotices(f *testing.F) {
	for _, seed := range []string{
		`{"action": "stop", "time": "2017-09-18T08:22:00Z"}`, `{"noticeTime": "2017-09-18T08:22:00Z"}`, `[]`, `null`, `{}`,
		`[{"NotBefore": "8 Sep 2017 08:22:00 GMT", "Code": "system-reboot", "State": "active"}]`, `[{"Code": "x", "NotAfter": "soon"}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if a, err := parseSpotAction([]byte(body)); err == nil && (a.Action == "" || a.Time.IsZero()) {
			t.Errorf("half a notice: %+v", a)
		}
		if at, err := parseRebalance([]byte(body)); err == nil && at.IsZero() {
			t.Error("a recommendation without a time")
		}
		events, err := parseMaintenance([]byte(body))
		if err != nil && events != nil {
			t.Errorf("failed with %v and %v", events, err)
		}
		for _, e := range events {
			var again eventTime
			if err := again.UnmarshalText([]byte(e.NotBefore.Format(time.RFC3339Nano))); e.Code == "" || err != nil {
				t.Errorf("%+v: %v", e, err)
			}
		}
	})
}
