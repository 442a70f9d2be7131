package gateway

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tegata/bedrock"
)

// metrics are what /metrics shows, in the text format of Prometheus. It is
// written by hand: the client library costs more at every start of the program
// than all of this does in its life.
//
// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
type metrics struct {
	running atomic.Int64 // requests for answers
	pings   atomic.Int64

	mu       sync.Mutex
	models   map[string]bool                    // those that are told apart
	families [len(described)]map[string]*series // by their labels
}

// The families with labels, by their place in described.
const (
	requests = iota
	tokens
	costs
	firstTokens
	durations
	ends
)

// described are the families in the order in which they are shown.
var described = [...]struct {
	name, help, kind string
	buckets          []float64 // of a histogram, in seconds
}{
	requests:    {name: "tegata_requests_total", kind: "counter", help: "Requests that were answered, by route, status, model and finding. A stream that broke counts with the status of its error."},
	tokens:      {name: "tegata_tokens_total", kind: "counter", help: "Tokens of whole answers, by model and kind."},
	costs:       {name: "tegata_cost_usd_total", kind: "counter", help: "What whole answers have cost by list price, in USD, where the price is known."},
	firstTokens: {name: "tegata_first_token_seconds", kind: "histogram", help: "Time from a request to the first token of its stream.", buckets: []float64{.1, .25, .5, 1, 2, 3, 5, 8, 13, 20, 30, 60}},
	durations:   {name: "tegata_request_seconds", kind: "histogram", help: "Time from a request to the end of its answer.", buckets: []float64{.05, .25, .5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600}},
	ends:        {name: "tegata_streams_ended_total", kind: "counter", help: "Streams that began, by how they ended: whole, error, client_gone, client_stalled."},
}

// A series is one line of a counter, or the lines of one histogram.
type series struct {
	sum     float64 // the value of a counter
	count   uint64
	buckets []uint64 // not cumulated
}

// maxModels bounds what is kept: a client may name any model.
const maxModels = 100

// labels are written into lines as they are: {a="b",c="d"} without the braces.
func labels(pairs ...string) string {
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(pairs[i] + `="` + escapeLabel(pairs[i+1]) + `"`)
	}
	return b.String()
}

func escapeLabel(s string) string {
	if !strings.ContainsAny(s, "\\\n\"") {
		return s
	}
	return strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`).Replace(s)
}

// add adds to a series; mu is held.
func (m *metrics) add(family int, value float64, labels string) {
	all := m.families[family]
	if all == nil {
		all = map[string]*series{}
		m.families[family] = all
	}
	one := all[labels]
	if one == nil {
		one = &series{buckets: make([]uint64, len(described[family].buckets))}
		all[labels] = one
	}
	one.sum += value
	one.count++
	if i, _ := slices.BinarySearch(described[family].buckets, value); i < len(one.buckets) {
		one.buckets[i]++
	}
}

// told returns the name under which a model is counted; mu is held.
func (m *metrics) told(model string) string {
	switch {
	case model == "" || m.models[model]:
		return model
	case len(m.models) >= maxModels:
		return "other"
	case m.models == nil:
		m.models = map[string]bool{}
	}
	m.models[model] = true
	return model
}

// request counts a request that has been answered.
func (m *metrics) request(o outcome) {
	took := time.Since(o.began)
	m.mu.Lock()
	defer m.mu.Unlock()
	o.model = m.told(o.model)
	m.add(requests, 1, labels("route", o.route, "status", strconv.Itoa(o.status), "model", o.model, "finding", o.finding))
	m.add(durations, took.Seconds(), labels("route", o.route, "stream", strconv.FormatBool(o.streamed)))
	if o.firstToken > 0 {
		m.add(firstTokens, o.firstToken.Seconds(), labels("model", o.model))
	}
	if o.ended != "" {
		m.add(ends, 1, labels("how", o.ended))
	}
	m.spent(o.model, o.tokens, o.cost)
}

// spent counts what an answer has taken; mu is held.
func (m *metrics) spent(model string, u bedrock.Usage, cost float64) {
	if u == (bedrock.Usage{}) {
		return
	}
	for kind, n := range map[string]int{"input": u.Input, "output": u.Output, "cache_read": u.CacheRead, "cache_write": u.CacheWrite} {
		m.add(tokens, float64(n), labels("model", model, "kind", kind))
	}
	if cost > 0 {
		m.add(costs, cost, labels("model", model))
	}
}

func (m *metrics) enter() { m.running.Add(1) }
func (m *metrics) leave() { m.running.Add(-1) }
func (m *metrics) ping()  { m.pings.Add(1) }

func (s *Server) showMetrics(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	s.writeMetrics(&b)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	within(w, writeWithin)
	w.Write(b.Bytes())
}

// writeMetrics looks at nothing: whether the chain is in order is told as it
// was last known, and left out before that.
func (s *Server) writeMetrics(b *bytes.Buffer) {
	gauge(b, "tegata_build_info", "The running program.", labels("version", s.Version), 1)
	if found, ok := s.readiness.known(); ok {
		gauge(b, "tegata_ready", "1 if every link to Bedrock was in order when last looked at.", "", ready01(!broken(found) && !s.gate.closed()))
	}
	gauge(b, "tegata_requests_in_flight", "Requests for answers that run.", "", float64(s.counts.running.Load()))
	gauge(b, "tegata_goroutines", "Goroutines of the program.", "", float64(runtime.NumGoroutine()))
	head(b, "tegata_pings_total", "Comments that kept silent streams awake.", "counter")
	line(b, "tegata_pings_total", "", float64(s.counts.pings.Load()))
	s.counts.write(b)
}

func ready01(ready bool) float64 {
	if ready {
		return 1
	}
	return 0
}

func (m *metrics) write(b *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, family := range described {
		if len(m.families[i]) == 0 {
			continue
		}
		head(b, family.name, family.help, family.kind)
		for _, labels := range slices.Sorted(maps.Keys(m.families[i])) {
			if family.kind == "histogram" {
				m.families[i][labels].histogram(b, family.name, labels, family.buckets)
			} else {
				line(b, family.name, labels, m.families[i][labels].sum)
			}
		}
	}
}

func (s *series) histogram(b *bytes.Buffer, name, labels string, buckets []float64) {
	below := uint64(0)
	for i, bound := range buckets {
		below += s.buckets[i]
		line(b, name+"_bucket", labels+`,le="`+number(bound)+`"`, float64(below))
	}
	line(b, name+"_bucket", labels+`,le="+Inf"`, float64(s.count))
	line(b, name+"_sum", labels, s.sum)
	line(b, name+"_count", labels, float64(s.count))
}

func gauge(b *bytes.Buffer, name, help, labels string, v float64) {
	head(b, name, help, "gauge")
	line(b, name, labels, v)
}

func head(b *bytes.Buffer, name, help, kind string) {
	fmt.Fprintf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func line(b *bytes.Buffer, name, labels string, v float64) {
	b.WriteString(name)
	if labels != "" {
		b.WriteString("{" + labels + "}")
	}
	b.WriteString(" " + number(v) + "\n")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
