package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/internal/report"
	"tegata/login"
)

// The rules of readiness:
//
//   - One look at the chain runs at a time, and everybody gets its outcome.
//   - An outcome holds for 15 s, or 5 s if something is broken, so that a
//     mended chain is noticed soon.
//   - Nobody waits for a new outcome for long when there is an old one: a load
//     balancer would take a slow answer for a dead server.
//   - A call that fails without a cause of its own wants an outcome that is
//     hardly older than itself.
const (
	holdsHealthy = 15 * time.Second
	holdsBroken  = 5 * time.Second
	holdsForCall = time.Second
	waitForNewer = 2 * time.Second
	lookWithin   = 20 * time.Second // of doctor's checks every one ends within 15 s
	waitForCause = 5 * time.Second
)

// Report returns the state of the chain as it was a few seconds ago at most,
// as far as it can be known in a moment.
func (s *Server) Report(ctx context.Context) report.Report {
	return s.readiness.report(ctx, s.Ready, holdsHealthy, waitForNewer)
}

// Explain tells the cause of an error of [bedrock]. Where the error names none
// itself, the cause is what is broken in the chain. Credentials that can't be
// had although the chain is whole, as when metadata is slow for a moment, are
// TG3900.
func (s *Server) Explain(ctx context.Context, err error) bedrock.Problem {
	p := s.Catalogue.Problem(err)
	if p.ID == "TG6014" && p.Fields["end_of_life"] == "" {
		p.Fields["end_of_life"] = s.endOf(ctx, p.Fields["model"])
	}
	if p.ID != "" || p.Status == http.StatusBadRequest || p.Status == bedrock.StatusGone {
		return p
	}
	ctx, cancel := context.WithTimeout(ctx, waitForCause)
	defer cancel()
	found := s.readiness.report(ctx, s.Ready, holdsForCall, waitForCause)
	root := found.Root()
	if root == nil || root.Status != report.Failed {
		return withoutCredentials(p, err, found)
	}
	p.ID, p.Status, p.Retry = root.Finding.ID, http.StatusServiceUnavailable, true
	p.Fields = map[string]string{}
	for _, f := range root.Finding.Evidence {
		p.Fields[f.Name] = f.Value
	}
	return p
}

// withoutCredentials names the failure of a call for which the role's
// credentials could not be had: the only one without an id that a call has.
func withoutCredentials(p bedrock.Problem, err error, found report.Report) bedrock.Problem {
	call, ok := errors.AsType[*bedrock.Error](err)
	if !ok || !call.FromInstance {
		return p
	}
	p.ID = "TG3900"
	p.Fields = map[string]string{
		"request": "Bedrock " + call.Operation, "outcome": p.Detail, "region": call.Region, "role": found.Step("role").Fact("role"),
		"instance_id": found.Step("instance").Fact("instance_id"),
	}
	return p
}

// endOf returns the day on which a model ended, "?" if that can't be had. The
// catalogue does not list a model that has ended; its own page stays.
func (s *Server) endOf(ctx context.Context, model string) string {
	ctx, cancel := context.WithTimeout(ctx, waitForNewer)
	defer cancel()
	if client, err := s.Source(ctx); err == nil {
		if m, err := client.Model(ctx, bedrock.BaseID(model)); err == nil && !m.Lifecycle.EndOfLifeTime.IsZero() {
			return m.Lifecycle.EndOfLifeTime.Format(time.DateOnly)
		}
	}
	return "?"
}

// readiness remembers how the chain was.
type readiness struct {
	mu      sync.Mutex
	last    report.Report
	at      time.Time     // when last was known; zero for never
	running chan struct{} // closed when the look that is under way has ended; nil for none
}

// report returns an outcome that is younger than holds, unless that can't be
// had before wait and an older one is there.
func (r *readiness) report(ctx context.Context, look func(context.Context) report.Report, holds, wait time.Duration) report.Report {
	if look == nil {
		return report.Report{}
	}
	last, known, running := r.begin(ctx, look, holds)
	if running == nil {
		return last
	}
	patience := time.NewTimer(wait)
	defer patience.Stop()
	enough := patience.C
	if !known {
		enough = nil // there is nothing else to say
	}
	select {
	case <-running:
	case <-enough:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// begin returns the last outcome and, if that is too old, the channel that is
// closed when there is a new one.
func (r *readiness) begin(ctx context.Context, look func(context.Context) report.Report, holds time.Duration) (last report.Report, known bool, running chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known = !r.at.IsZero()
	if broken(r.last) {
		holds = min(holds, holdsBroken)
	}
	if known && time.Since(r.at) < holds {
		return r.last, known, nil
	}
	if r.running == nil {
		r.running = make(chan struct{})
		go r.look(context.WithoutCancel(ctx), look)
	}
	return r.last, known, r.running
}

// look ends by itself: it belongs to nobody who asks.
func (r *readiness) look(ctx context.Context, look func(context.Context) report.Report) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	found := look(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last, r.at = found, time.Now()
	close(r.running)
	r.running = nil
}

// known returns the last outcome without a look, and whether there is one.
func (r *readiness) known() (report.Report, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, !r.at.IsZero()
}

// broken reports whether a link of the chain fails. A warning is none.
func broken(r report.Report) bool {
	root := r.Root()
	return root != nil && root.Status == report.Failed
}

// health says that the process answers, and nothing more: whoever restarts it
// for a role that is missing would only add to the trouble.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readyState is what /ready answers. Strangers get the status, and the id and
// the title of the finding.
type readyState struct {
	Status      string            `json:"status"` // "ready", "not-ready" or "draining"
	Finding     *readyFinding     `json:"finding,omitempty"`
	Version     string            `json:"version,omitempty"`
	Checked     *time.Time        `json:"checked,omitempty"`
	Region      *readyRegion      `json:"region,omitempty"`
	Credentials *readyCredentials `json:"credentials,omitempty"`
	Bedrock     *readyBedrock     `json:"bedrock,omitempty"`
}

type readyFinding struct {
	ID       string            `json:"id"`
	Severity message.Severity  `json:"severity"`
	Title    string            `json:"title"`
	Cause    string            `json:"cause,omitempty"`
	Remedy   string            `json:"remedy,omitempty"`
	Command  string            `json:"command,omitempty"`
	Where    string            `json:"where,omitempty"`
	Evidence map[string]string `json:"evidence,omitempty"`
}

type readyRegion struct {
	Name   string `json:"name"`
	Origin string `json:"origin"` // where it is set
}

type readyCredentials struct {
	Source  string `json:"source"`           // "role", "environment", …
	Origin  string `json:"origin,omitempty"` // where they are set, if not on the instance
	Role    string `json:"role,omitempty"`
	ARN     string `json:"arn,omitempty"` // who AWS says that we are
	Expires string `json:"expires,omitempty"`
}

type readyBedrock struct {
	Client      string        `json:"client"` // "ready" or "not-ready"
	LastAnswer  *time.Time    `json:"last_answer,omitempty"`
	LastFailure *readyFailure `json:"last_failure,omitempty"`
}

type readyFailure struct {
	Time      time.Time `json:"time"`
	ID        string    `json:"id,omitempty"` // TG id
	RequestID string    `json:"request_id,omitempty"`
}

func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	found := s.Report(r.Context())
	state := readyState{Status: "ready"}
	status := http.StatusOK
	if broken(found) {
		state.Status, status = "not-ready", http.StatusServiceUnavailable
	}
	if s.gate.closed() {
		state.Status, status = "draining", http.StatusServiceUnavailable
	}
	if status != http.StatusOK {
		w.Header().Set("Retry-After", seconds(afterOutage))
	}
	known := login.WhoIs(r.Context()).Name != ""
	state.Finding = findingOf(found.Root(), langOf(r), known)
	if known {
		s.tellMore(r.Context(), &state, found)
	}
	writeJSON(w, status, state)
}

func findingOf(root *report.Step, l message.Lang, known bool) *readyFinding {
	if root == nil {
		return nil
	}
	w := root.Words(l)
	f := readyFinding{ID: w.ID, Severity: w.Severity, Title: w.Title}
	if known {
		f.Cause, f.Remedy, f.Command, f.Where = w.Cause, w.Remedy, w.Command, w.Where.In(l)
		f.Evidence = map[string]string{}
		for _, e := range root.Finding.Evidence {
			f.Evidence[e.Name] = strings.TrimSpace(f.Evidence[e.Name] + " " + e.Value)
		}
	}
	return &f
}

// tellMore adds what only those may read who may use the API.
func (s *Server) tellMore(ctx context.Context, state *readyState, found report.Report) {
	state.Version = s.Version
	if !found.Started.IsZero() {
		checked := found.Started.UTC()
		state.Checked = &checked
	}
	if region := found.Step("region"); region.Fact("region") != "" {
		state.Region = &readyRegion{Name: region.Fact("region"), Origin: region.Fact("origin")}
	}
	if source := found.Step("credentials"); source.Fact("source") != "" {
		state.Credentials = &readyCredentials{
			Source: source.Fact("source"), Origin: source.Fact("origin"),
			Role: found.Step("role").Fact("role"), ARN: found.Step("identity").Fact("arn"),
			Expires: found.Step("role-credentials").Fact("expiration"),
		}
	}
	state.Bedrock = s.bedrockState(ctx)
}

func (s *Server) bedrockState(ctx context.Context) *readyBedrock {
	b := &readyBedrock{Client: "ready"}
	if _, err := s.Source(ctx); err != nil {
		b.Client = "not-ready"
	}
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	if t := s.seen.answered.UTC(); !t.IsZero() {
		b.LastAnswer = &t
	}
	if t := s.seen.failed.UTC(); !t.IsZero() {
		b.LastFailure = &readyFailure{Time: t, ID: s.seen.finding, RequestID: s.seen.requestID}
	}
	return b
}
