// Package doctor looks at every link of the way from an instance's identity
// to a model's answer, and says which one is broken.
//
// Start with [Run]: it takes a [Host], which is everything that doctor may
// look at, and the [Checks], and returns a report in which one root cause
// stands first. [Diagnose] prints the same report as a numbered checklist.
package doctor

import (
	"context"
	"iter"
	"net"
	"strconv"
	"strings"
	"time"

	"tegata/bedrock"
	"tegata/imds"
	"tegata/internal/message"
	"tegata/internal/report"
)

// A Host is everything that doctor may look at. A nil function means that
// this can't be known here; the checks that need it say so and do not run.
type Host struct {
	Getenv    func(string) string
	Environ   []string // "NAME=value"; tells an empty variable from none
	ReadFile  func(path string) ([]byte, error)
	Dir, Home string                                                            // where the application lives, and the home of its user
	IMDS      string                                                            // base URL of instance metadata; "" means the real address
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error) // nil means imds.Dial
	Now       func() time.Time                                                  // the clock of this machine; nil means time.Now
	AWS       func(ctx context.Context, c Caller) (Services, error)
	Model     string // id of the application's model; "" means that none is configured
	Processes func() ([]Process, error)
}

// A Caller is who calls AWS, and where.
type Caller struct {
	Region string
	Role   *imds.Credentials // what the instance has handed out for its role; nil if that is of no use
}

// Services are what doctor asks of AWS: with one configuration and one set of
// credentials, the first that an application would find here, and without
// retries, which would hide what went wrong.
type Services struct {
	Identity func(ctx context.Context) (Identity, error) // STS GetCallerIdentity
	Bedrock  Bedrock
}

// An Identity is what STS GetCallerIdentity answers.
type Identity struct{ Account, ARN, UserID string }

// A Process is one of the running programs.
type Process struct {
	PID    int
	Name   string
	Cgroup string // path of its control group; names the container, if it runs in one
	Ports  []int  // TCP ports on which it listens
}

// Bedrock is both of its halves in one region. [bedrock.Client] is one.
type Bedrock interface {
	Catalogue
	Runtime
}

// A Catalogue says what there is, and costs nothing.
type Catalogue interface {
	Models(ctx context.Context) ([]bedrock.Model, error)
	Availability(ctx context.Context, id string) (bedrock.Availability, error)
}

// A Runtime asks a model, in both of the ways in which applications do.
type Runtime interface {
	Converse(ctx context.Context, r bedrock.Request) (bedrock.Answer, error)
	Stream(ctx context.Context, r bedrock.Request) iter.Seq2[bedrock.Event, error]
}

// A Check looks at one link of the chain.
type Check struct {
	Name     string
	Title    message.Text
	Requires []string // checks that have to succeed before
	After    []string // checks that have to end before, in whatever way
	Unknown  string   // id of the finding when Run crashes or does not end
	Run      func(ctx context.Context, h *Host, known Facts) Outcome
}

// Facts is what the checks have learnt so far. Each check gets a copy with
// all that the checks before it in the graph have found out.
type Facts struct {
	Token        string        // for instance metadata; secret
	Skew         time.Duration // how far the clock here is ahead of the service's
	InstanceID   string
	IMDSRegion   string            // where the instance says it is
	Region       string            // where the application calls AWS
	RegionOrigin string            // where Region was set
	Role         string            // name that instance metadata lists
	Credentials  *imds.Credentials // of the role; nil unless they are valid now
	ClockBlamed  bool              // AWS refused a signature for its time
	Bedrock      Bedrock
	Models       []bedrock.Model
	Answered     bool   // by the model
	ModelBlock   string // the check that found why the model can't answer
}

// An Outcome is what came of one check. Make one with pass, fail, warn, skip
// or blocked.
type Outcome struct {
	status  report.Status
	facts   []report.Field
	finding *finding
	behind  string       // of a check that could not run: the one in its way
	learn   func(*Facts) // nil means nothing new
}

// pass is a healthy link.
func pass(facts ...report.Field) Outcome {
	return Outcome{status: report.Passed, facts: facts}
}

func fail(f finding) Outcome { return Outcome{status: report.Failed, finding: &f} }

// warn is a finding that keeps no other check from running.
func warn(f finding, facts ...report.Field) Outcome {
	return Outcome{status: report.Warned, finding: &f, facts: facts}
}

// skip is a link that is not needed or can't be seen here.
func skip(why string, facts ...report.Field) Outcome {
	return Outcome{status: report.NotRun, facts: append([]report.Field{told("reason", why, "%s")}, facts...)}
}

// blocked is a link that can't be looked at because of what another check found.
func blocked(check string) Outcome { return Outcome{status: report.NotRun, behind: check} }

// learning returns the outcome with something that later checks may use.
func (o Outcome) learning(learn func(*Facts)) Outcome {
	o.learn = learn
	return o
}

// fact is something learnt that only programs are told.
func fact(name, value string) report.Field { return report.Field{Name: name, Value: value} }

// told is something learnt that people are told too, by a phrase in which the
// value stands as %s.
func told(name, value, phrase string) report.Field {
	return report.Field{Name: name, Value: value, Phrase: phrase}
}

// A finding is a message of the catalogue with the evidence of the check that
// found it.
type finding struct {
	id       string
	evidence map[string]string
}

func found(id string, evidence map[string]string) finding { return finding{id, evidence} }

// complete puts the evidence into the order of the catalogue, and adds what
// the check did not know and others found out, or the host knows.
func (h *Host) complete(f finding, known Facts) *report.Finding {
	out := &report.Finding{ID: f.id}
	m, _ := message.Lookup(f.id)
	secrets := h.redactor(known)
	for _, name := range m.Evidence {
		if v := or(f.evidence[name], func() string { return h.common(name, known) }); v != "" {
			out.Evidence = append(out.Evidence, fact(name, clip(visible(name, secrets.Replace(v)))))
		}
	}
	return out
}

// common returns what many findings name: who and where we are.
func (h *Host) common(name string, known Facts) string {
	switch name {
	case "endpoint":
		return h.endpoint()
	case "instance_id":
		return or(known.InstanceID, h.instanceIDFromFiles)
	case "region":
		return or(known.Region, func() string { return or(known.IMDSRegion, h.regionFromEnvironment) })
	case "role":
		return known.Role
	case "model":
		return h.Model
	case "now":
		return h.now().UTC().Format(time.RFC3339)
	case "source":
		return string(h.source().kind)
	}
	return ""
}

// visible puts quotes around a setting with spaces at its ends, which nobody
// would see otherwise.
func visible(name, value string) string {
	if (name == "model" || name == "value") && strings.TrimSpace(value) != value {
		return strconv.Quote(value)
	}
	return value
}

func or(value string, otherwise func() string) string {
	if value != "" {
		return value
	}
	return otherwise()
}

// maxValue keeps a page of HTML in a variable from filling the screen.
const maxValue = 500

func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > maxValue {
		return string(r[:maxValue]) + "…"
	}
	return s
}

func (h *Host) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

func (h *Host) getenv(name string) string {
	if h.Getenv == nil {
		return ""
	}
	return h.Getenv(name)
}

// isSet tells an empty variable from none.
func (h *Host) isSet(name string) bool {
	for _, kv := range h.Environ {
		if n, _, _ := strings.Cut(kv, "="); n == name {
			return true
		}
	}
	return h.getenv(name) != ""
}

// read returns the content of a file, or "" when it can't be read.
func (h *Host) read(path string) string {
	if h.ReadFile == nil {
		return ""
	}
	b, err := h.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}

func (h *Host) dial(ctx context.Context, addr string) (net.Conn, error) {
	if h.Dial == nil {
		return imds.Dial(ctx, "tcp", addr)
	}
	return h.Dial(ctx, "tcp", addr)
}
