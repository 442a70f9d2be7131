package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tegata/internal/report"
)

// A run ends within 15 s whatever happens: no check is started after
// lastStart, and each is given up after budget and a little more.
const (
	lastStart = 11 * time.Second
	budget    = 3 * time.Second
	grace     = 300 * time.Millisecond  // for a check to say itself what took so long
	wait      = 2700 * time.Millisecond // of a check for one answer, so that it can still speak
)

// Run runs the checks, each as soon as what it waits for has ended, and
// reports them in the order in which they are given. It ends within 15 s; a
// check that hangs or panics becomes a finding of its own.
func Run(ctx context.Context, h Host, checks []Check) report.Report {
	r := run{ctx: ctx, host: &h, checks: checks, began: time.Now(), ended: make(chan ended), found: map[int]finding{}}
	r.steps = make([]report.Step, len(checks))
	for i, c := range checks {
		r.steps[i] = report.Step{Name: c.Name, Title: c.Title}
	}
	r.all()
	for i, f := range r.found {
		r.steps[i].Finding = h.complete(f.inHindsight(r.known), r.known)
	}
	h.redactor(r.known).facts(r.steps)
	return report.Report{Started: h.now(), Elapsed: time.Since(r.began), Steps: r.steps}
}

// A run is what one goroutine knows while the checks are at work. Only that
// goroutine touches it.
type run struct {
	ctx     context.Context
	host    *Host
	checks  []Check
	steps   []report.Step // Status is "" until the check has ended
	started []bool
	known   Facts
	found   map[int]finding // by check
	began   time.Time
	ended   chan ended
}

type ended struct {
	check   int
	outcome Outcome
	took    time.Duration
}

func (r *run) all() {
	r.started = make([]bool, len(r.checks))
	for running := r.start(); running > 0; running += r.start() {
		e := <-r.ended
		running--
		r.record(e)
	}
}

// start starts every check that is ready, and returns how many there are.
// One that can't run ends here, which may make others ready.
func (r *run) start() int {
	n := 0
	for i := 0; i < len(r.checks); i++ {
		if r.started[i] || !r.ready(r.checks[i]) {
			continue
		}
		r.started[i] = true
		if o, ok := r.notRun(r.checks[i]); ok {
			r.record(ended{check: i, outcome: o})
			i = -1
			continue
		}
		n++
		go r.checks[i].run(r.ctx, r.host, r.known, i, r.ended)
	}
	return n
}

// ready reports whether everything that the check waits for has ended. What
// is not part of this run is not waited for.
func (r *run) ready(c Check) bool {
	for _, name := range slices.Concat(c.Requires, c.After) {
		if i := r.index(name); i >= 0 && r.steps[i].Status == "" {
			return false
		}
	}
	return true
}

// notRun returns the outcome of a check that can't run.
func (r *run) notRun(c Check) (Outcome, bool) {
	for _, name := range c.Requires {
		if i := r.index(name); i >= 0 && (r.steps[i].Status == report.Failed || r.steps[i].Status == report.NotRun) {
			return blocked(name), true
		}
	}
	if r.ctx.Err() != nil || time.Since(r.began) > lastStart {
		return skip("the time for the whole run was used up"), true
	}
	return Outcome{}, false
}

func (r *run) index(name string) int {
	return slices.IndexFunc(r.checks, func(c Check) bool { return c.Name == name })
}

func (r *run) record(e ended) {
	s := &r.steps[e.check]
	s.Status, s.Facts, s.Elapsed = e.outcome.status, e.outcome.facts, e.took
	if f := e.outcome.finding; f != nil {
		s.Finding = &report.Finding{ID: f.id} // with evidence once every check has ended
		r.found[e.check] = *f
	}
	if i := r.index(e.outcome.behind); i >= 0 {
		s.Because = because(r.steps[i])
		if s.Because == "" && s.Facts == nil {
			s.Facts = r.steps[i].Facts
		}
	}
	if e.outcome.learn != nil {
		e.outcome.learn(&r.known)
	}
}

// because returns the finding that stands in the way of whoever needs the step.
func because(s report.Step) string {
	if s.Finding != nil {
		return s.Finding.ID
	}
	return s.Because
}

// run runs the check and sends what came of it. It waits a little longer than
// the check was given, then leaves it behind: a report that says so is worth
// more than none.
func (c Check) run(ctx context.Context, h *Host, known Facts, index int, done chan<- ended) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	began := time.Now()
	outcome := make(chan Outcome, 1)
	go func() { outcome <- c.caught(ctx, h, known) }()
	e := ended{check: index}
	select {
	case e.outcome = <-outcome:
	case <-ctx.Done():
		select {
		case e.outcome = <-outcome:
		case <-time.After(grace):
			e.outcome = c.unknown("no answer", time.Since(began))
		}
	}
	e.took = time.Since(began)
	done <- e
}

// caught runs the check and turns a panic into a finding.
func (c Check) caught(ctx context.Context, h *Host, known Facts) (o Outcome) {
	began := time.Now()
	defer func() {
		if p := recover(); p != nil {
			o = c.unknown(fmt.Sprintf("crash: %v", p), time.Since(began))
		}
	}()
	return c.Run(ctx, h, known)
}

func (c Check) unknown(outcome string, took time.Duration) Outcome {
	return fail(found(c.Unknown, map[string]string{
		"request": c.Name, "outcome": outcome, "waited": ms(took),
	}))
}

// ms writes a duration as people compare them.
func ms(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}
