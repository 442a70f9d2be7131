package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tegata/internal/message"
	"tegata/internal/report"
)

// An examined is what was found when somebody asked last for a full look. It
// holds until the free looks find something else than they did then, or until
// it is old.
type examined struct {
	one  sync.Mutex // held by the look, so that there is one at a time
	mu   sync.Mutex
	full report.Report
	free string        // root of the free look at that time
	news chan struct{} // closed by the next full look
}

// next returns a channel that is closed when another full look has been taken.
func (e *examined) next() <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.news == nil {
		e.news = make(chan struct{})
	}
	return e.news
}

// keep takes in what a full look found.
func (e *examined) keep(full report.Report, free string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.full, e.free = full, free
	if e.news != nil {
		close(e.news)
		e.news = nil
	}
}

// holds is how long a full look is shown at most.
const holds = 2 * time.Minute

// current returns what pages show: the full look while it holds, or else the
// free one.
func (s *Site) current(ctx context.Context) report.Report {
	free := s.Report(ctx)
	s.examined.mu.Lock()
	defer s.examined.mu.Unlock()
	full := s.examined.full
	if len(full.Steps) == 0 || rootOf(free) != s.examined.free || time.Since(full.Started) > holds {
		return free
	}
	return full
}

// lookFully takes a full look.
func (s *Site) lookFully(ctx context.Context) {
	s.examined.one.Lock()
	defer s.examined.one.Unlock()
	full := s.Examine(ctx)
	s.examined.keep(full, rootOf(s.Report(ctx)))
}

func rootOf(r report.Report) string {
	if root := r.Root(); root != nil {
		return root.Finding.ID
	}
	return ""
}

// doctor shows the report in full.
func (s *Site) doctor(v *visit) error {
	p, err := v.framed(pageDoctor, v.lang.T("Doctor"), "")
	if err != nil {
		return err
	}
	r := s.current(v.r.Context())
	p.Chain, p.Doctor = strip(v.lang, r), diagnosis(v.lang, r)
	p.Events += "&page=doctor"
	return v.show(http.StatusOK, p)
}

// examine takes a full look and shows what it found.
func (s *Site) examine(v *visit) error {
	s.lookFully(v.r.Context())
	return v.move(v.path("/doctor"))
}

// switchFaults breaks the stand-in, or mends it when no fault is named, and
// looks what came of it.
func (s *Site) switchFaults(v *visit) error {
	if s.Demo == nil {
		return s.missing(v)
	}
	names := slices.DeleteFunc(v.r.PostForm["fault"], func(name string) bool { return name == "" })
	if err := s.Demo.Switch(names...); err != nil {
		return fmt.Errorf("switch faults of the stand-in: %w", err)
	}
	s.Catalogue.Forget()
	return s.examine(v)
}

// faults returns the panel that breaks the stand-in; nil when it is real.
func (v *visit) faults() *FaultPanel {
	if v.site.Demo == nil {
		return nil
	}
	panel := &FaultPanel{}
	for _, f := range v.site.Demo.Faults() {
		panel.Faults = append(panel.Faults, Fault{Name: f.Name, Title: f.Title.Fill(v.lang, nil), On: f.On})
		panel.On = panel.On || f.On
	}
	return panel
}

// chain returns the strip as it is known now.
func (v *visit) chain() Chain {
	ctx, cancel := context.WithTimeout(v.r.Context(), patience)
	defer cancel()
	return strip(v.lang, v.site.current(ctx))
}

// strip says a report in one line.
func strip(l message.Lang, r report.Report) Chain {
	if len(r.Steps) == 0 {
		return Chain{State: "unknown", Text: l.T("looking at the way to the model")}
	}
	c := Chain{State: "green", Text: l.T("ready"), When: r.Started.Format(time.TimeOnly)}
	root := r.Root()
	if root == nil {
		return c
	}
	w := root.Words(l)
	c.Root, c.Text = w.ID, w.Title
	if w.Severity == message.Error {
		c.State = "red"
	}
	return c
}

// diagnosis is a report for the doctor's page.
func diagnosis(l message.Lang, r report.Report) *Doctor {
	d := &Doctor{Healthy: len(r.Steps) > 0 && r.Healthy(), Elapsed: elapsed(r.Elapsed)}
	if !r.Started.IsZero() {
		d.Checked = r.Started.Format(time.TimeOnly)
	}
	for _, s := range r.Findings() {
		d.Findings = append(d.Findings, finding(l, s))
	}
	for _, s := range r.Steps {
		d.Checks = append(d.Checks, check(l, s))
	}
	return d
}

func finding(l message.Lang, s report.Step) Finding {
	w := s.Words(l)
	f := Finding{
		ID: w.ID, Severity: string(w.Severity), Label: l.T(string(w.Severity)),
		Title: w.Title, Cause: w.Cause, Remedy: w.Remedy, Command: w.Command,
	}
	if w.Command != "" {
		f.Where = w.Where.In(l)
	}
	known := map[string]string{}
	for _, e := range s.Finding.Evidence {
		known[e.Name] = l.T(e.Value)
		if e.Value != "" {
			f.Evidence = append(f.Evidence, Field{Name: l.T(strings.ReplaceAll(e.Name, "_", " ")), Value: known[e.Name]})
		}
	}
	for _, id := range w.Similar {
		m, _ := message.Lookup(id)
		f.Similar = append(f.Similar, Similar{ID: id, Title: m.Title.Fill(l, known)})
	}
	return f
}

func check(l message.Lang, s report.Step) Check {
	c := Check{Name: s.Name, Title: s.Title.Fill(l, nil), Status: string(s.Status), Label: statusName(l, s.Status), Told: s.Told(l)}
	if s.Elapsed >= time.Second/2 {
		c.Elapsed = elapsed(s.Elapsed)
	}
	switch {
	case s.Finding != nil:
		c.Finding = s.Finding.ID
		c.Told = s.Words(l).Title
	case s.Because != "":
		c.Told = l.T("not run because of %s", s.Because)
	}
	return c
}

func statusName(l message.Lang, s report.Status) string {
	switch s {
	case report.Passed:
		return l.T("in order")
	case report.Warned:
		return l.T("warning")
	case report.Failed:
		return l.T("error")
	}
	return l.T("not looked at")
}
