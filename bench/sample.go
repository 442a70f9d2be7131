package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A sample is what one run of a program took: on the clock, and of the
// processors for it and its children, in the kernel too.
type sample struct{ Wall, CPU time.Duration }

func runOnce(cmd *exec.Cmd) (sample, error) {
	began := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(began)
	if err != nil {
		return sample{}, fmt.Errorf("run %s: %w\n%s", cmd, err, out)
	}
	return sample{wall, processorTime(cmd.ProcessState)}, nil
}

func processorTime(p *os.ProcessState) time.Duration { return p.UserTime() + p.SystemTime() }

// A pair holds one sample of ours and one of the peer's, taken right after
// each other, so that what else the machine does falls on both.
type pair struct{ Ours, Theirs sample }

func alternately(n int, ours, theirs func() (sample, error)) (pairs []pair, err error) {
	for range n {
		var p pair
		if p.Ours, err = ours(); err != nil {
			return nil, err
		}
		if p.Theirs, err = theirs(); err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// A comparison is a row with one time of ours with the peer's. Each number is a median,
// the ratio that of the ratios within each pair: a machine that gets busier
// on the way shifts the times, and leaves the ratio.
type comparison struct {
	what, peer   string
	ours, theirs time.Duration
	ratio        float64
	budget       float64 // greatest ratio that we allow ourselves; 0 for none
}

func compare(what, peer string, budget float64, pairs []pair, of func(sample) time.Duration) comparison {
	var ours, theirs []time.Duration
	var ratios []float64
	for _, p := range pairs {
		a, b := of(p.Ours), of(p.Theirs)
		ours, theirs, ratios = append(ours, a), append(theirs, b), append(ratios, float64(a)/float64(b))
	}
	return comparison{what, peer, median(ours), median(theirs), median(ratios), budget}
}

func onTheClock(s sample) time.Duration  { return s.Wall }
func ofProcessor(s sample) time.Duration { return s.CPU }

func median[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}

const ratioHeader = `| what | tegata | peer | | ratio | budget |
| --- | ---: | --- | ---: | ---: | ---: |
`

func (c comparison) String() string {
	budget := "–"
	if c.budget > 0 {
		budget = fmt.Sprintf("≤ %g", c.budget)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %.2f | %s |",
		c.what, rounded(c.ours), c.peer, rounded(c.theirs), c.ratio, budget)
}

// rounded keeps three digits.
func rounded(d time.Duration) string {
	step := time.Duration(1)
	for d.Abs()/step >= 1000 {
		step *= 10
	}
	return d.Round(step).String()
}

// machine says where the figures come from.
func machine() string {
	return fmt.Sprintf("%s, %s/%s, %s, %d processors: %s",
		time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(), processor())
}

func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "model unknown"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "model unknown"
}
