package doctor

import (
	"context"
	"fmt"
	"time"
)

func clockChecks() []Check {
	return []Check{
		{
			Name: "clock", Requires: []string{"imds-token"}, After: []string{"identity"}, Unknown: "TG2900", Run: checkClock,
			Title: title("clock", "時計"),
		},
	}
}

// tolerance is what AWS lets a signature differ from its own clock.
//
// Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
const tolerance = 5 * time.Minute

// checkClock compares the clock with the date that metadata gave its answer.
// A clock that is wrong need not stop a call: some SDKs correct it.
func checkClock(_ context.Context, h *Host, known Facts) Outcome {
	if known.ClockBlamed {
		return blocked("identity")
	}
	if known.Skew.Abs() < tolerance {
		within := max(known.Skew.Abs().Round(time.Second), time.Second)
		return pass(fact("skew", known.Skew.Round(time.Second).String()), told("within", fmt.Sprintf("%.0f s", within.Seconds()), "agrees within %s"))
	}
	return warn(found("TG3010", h.clockEvidence(known)))
}

func (h *Host) clockEvidence(known Facts) map[string]string {
	return map[string]string{
		"skew":  known.Skew.Round(time.Second).String(),
		"clock": h.now().UTC().Format(time.RFC3339),
		"date":  h.now().Add(-known.Skew).UTC().Format(time.RFC3339),
	}
}
