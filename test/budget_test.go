//go:build unix

package test

import (
	"encoding/json"
	"testing"
	"time"

	"tegata/doctor"
)

// latency is put before every answer of the instance and of AWS.
const latency = 100 * time.Millisecond

// A look at the whole chain takes as long as its longest way, and no longer:
// the checks that do not wait for each other run side by side, and nothing is
// asked that a check has not declared. The best of three runs counts, since
// the machine may have other things to do.
func TestDoctorBudget(t *testing.T) {
	requireBox(t)
	budget := time.Duration(depth(t, doctor.Checks()))*latency + 50*time.Millisecond
	slow := scenario(t, "replies: [{reply: {delay: "+latency.String()+"}}]\n")
	best := time.Hour
	for range 3 {
		best = min(best, elapsed(t, slow))
	}
	if best > budget {
		t.Errorf("took %v with %v before every answer, want at most %v", best, latency, budget)
	}
	if least := 5 * latency; best < least { // token, role, credentials, STS, Bedrock
		t.Errorf("took %v, which can't be with %v before every answer", best, latency)
	}
}

// What fails once is a finding: a second try would hide it, and use up the
// time for the links behind it.
func TestDoctorDoesNotTryAgain(t *testing.T) {
	requireBox(t)
	for _, test := range []struct{ match, reply, want string }{
		{"{service: sts, times: 1}", "{status: 503, code: InternalFailure}", "TG4900"},
		{"{service: bedrock, operation: ListFoundationModels, times: 1}", "{status: 500, code: InternalServerException}", "TG6900"},
		{"{service: bedrock-runtime, operation: Converse, times: 1}", "{status: 429, code: ThrottlingException}", "TG6010"},
		{"{service: bedrock-runtime, operation: ConverseStream, times: 1}", "{status: 429, code: ThrottlingException}", "TG6010"},
	} {
		r := run(t, "sandbox", "--scenario", scenario(t, "replies: [{match: "+test.match+", reply: "+test.reply+"}]\n"), "--", "tegata", "doctor")
		r.wants(t, 3)
		if got := anyID.FindString(r.stdout); got != test.want {
			t.Errorf("%s: first finding %q, want %s\n%s", test.match, got, test.want, r.stdout)
		}
	}
}

// Applications stream: a model that answers in one piece only is not healthy.
func TestDoctorStream(t *testing.T) {
	requireBox(t)
	for name, test := range map[string]struct{ scenario, want string }{
		"cut": {"replies: [{match: {service: bedrock-runtime, operation: ConverseStream}, reply: {truncate: 600}}]\n", "TG6019"},
		"no right": {"role: {policies: {bedrock-ui-invoke: {Version: \"2012-10-17\", Statement: [{Effect: Allow, " +
			"Action: [\"bedrock:InvokeModel\", \"bedrock:List*\", \"bedrock:Get*\"], Resource: \"*\"}]}}}\n", "TG6004"},
	} {
		r := run(t, "sandbox", "--scenario", scenario(t, test.scenario), "--", "tegata", "doctor")
		r.wants(t, 3, "Stream", "✓ an answer of the model")
		if got := anyID.FindString(r.stdout); got != test.want {
			t.Errorf("%s: first finding %q, want %s\n%s", name, got, test.want, r.stdout)
		}
	}
}

// elapsed runs doctor in a box and returns how long it says that it took.
func elapsed(t *testing.T, scenario string) time.Duration {
	t.Helper()
	r := run(t, "sandbox", "--scenario", scenario, "--", "tegata", "doctor", "-o", "json")
	r.wants(t, 0)
	var report struct {
		Elapsed int64 `json:"elapsed_ms"`
	}
	if err := json.Unmarshal([]byte(r.stdout), &report); err != nil {
		t.Fatal(err)
	}
	return time.Duration(report.Elapsed) * time.Millisecond
}

// depth is the number of checks on the longest way through the graph.
func depth(t *testing.T, checks []doctor.Check) int {
	t.Helper()
	deepest := map[string]int{}
	longest := 0
	for _, c := range checks { // in the order of the chain: what a check waits for stands before it
		d := 0
		for _, name := range append(append([]string{}, c.Requires...), c.After...) {
			if deepest[name] == 0 {
				t.Fatalf("%s waits for %s, which stands behind it or nowhere", c.Name, name)
			}
			d = max(d, deepest[name])
		}
		deepest[c.Name] = d + 1
		longest = max(longest, d+1)
	}
	return longest
}
