package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// gatewayBeside compares `tegata serve` with calling Bedrock directly, and
// with net/http's own reverse proxy in between. All of it, the stand-in for
// Bedrock too, runs in the sandbox.
func gatewayBeside(ctx context.Context, tegata string) (rows []row, err error) {
	var taken struct{ Whole, First turns }
	if err := inABox(ctx, tegata, "answers", "{}", &taken); err != nil {
		return nil, err
	}
	rows = append(rows,
		taken.Whole.row("a whole answer, p50", 0.5, 300*time.Microsecond),
		taken.Whole.row("a whole answer, p99", 0.99, 0),
		taken.First.row("up to the first token, p50", 0.5, time.Millisecond),
		taken.First.row("up to the first token, p99", 0.99, 0))
	var held memory
	// One piece a second to each stream keeps all of them open and moving.
	if err := inABox(ctx, tegata, "streams", "bedrock: {pace: 1s}", &held); err != nil {
		return rows, err
	}
	return append(rows, held), nil
}

// inABox runs one of our own measurements in the sandbox and reads what it
// tells.
func inABox(ctx context.Context, tegata, what, scenario string, into any) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(tegata), what+".yaml")
	if err := os.WriteFile(file, []byte(scenario), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, tegata, "sandbox", "--scenario", file, "--", self, what, tegata)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("run %s: %w", cmd, err)
	}
	if err := json.Unmarshal(out, into); err != nil {
		return fmt.Errorf("read what was measured in the sandbox: %w", err)
	}
	return nil
}

// turns are the times that the same question took on each way. The three with
// the same index were taken right after each other.
type turns struct{ Direct, Proxy, Gateway []time.Duration }

// An added is a row with one quantile of the times, and how much longer each
// way around takes. For the median that is the median of the differences
// within each turn, so that a machine that gets busier on the way falls on
// both; for others it is the difference of the quantiles.
type added struct {
	what                         string
	direct, proxy, gateway       time.Duration
	addedByProxy, addedByGateway time.Duration
	budget                       time.Duration // greatest that we allow the gateway to add; 0 for none
}

func (t turns) row(what string, q float64, budget time.Duration) added {
	a := added{
		what: what, direct: quantile(t.Direct, q), proxy: quantile(t.Proxy, q), gateway: quantile(t.Gateway, q),
		budget: budget,
	}
	a.addedByProxy, a.addedByGateway = a.proxy-a.direct, a.gateway-a.direct
	if q == 0.5 {
		a.addedByProxy, a.addedByGateway = median(differences(t.Proxy, t.Direct)), median(differences(t.Gateway, t.Direct))
	}
	return a
}

func differences(longer, shorter []time.Duration) (all []time.Duration) {
	for i := range longer {
		all = append(all, longer[i]-shorter[i])
	}
	return all
}

// quantile returns the least of the values that at least the share q of them
// does not exceed.
func quantile(values []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

const addedHeader = `| what | directly | through a ReverseProxy | it adds | through tegata | it adds | budget |
| --- | ---: | ---: | ---: | ---: | ---: | ---: |
`

func (a added) String() string {
	budget := "–"
	if a.budget > 0 {
		budget = "≤ " + rounded(a.budget)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |", a.what, rounded(a.direct),
		rounded(a.proxy), rounded(a.addedByProxy), rounded(a.gateway), rounded(a.addedByGateway), budget)
}

// memory is a row with what each open stream takes: the greatest resident set
// of the process with all of them, less that before, shared out. Bytes.
type memory struct{ Proxy, Gateway int64 }

func (m memory) String() string {
	return fmt.Sprintf("| memory for an open stream, at %d | – | %d KiB | – | %d KiB | – | ≤ 150 KiB |", streams, m.Proxy>>10, m.Gateway>>10)
}
