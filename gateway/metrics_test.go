package gateway

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"tegata/bedrock"
)

func metricsOf(s *Server) string {
	var b bytes.Buffer
	s.writeMetrics(&b)
	return b.String()
}

// lines are the values of metrics by name and labels, as Prometheus reads
// them. Histograms show their count.
func lines(t *testing.T, text string) map[string]float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	all := map[string]float64{}
	for name, family := range families {
		if family.GetHelp() == "" || family.GetType().String() == "UNTYPED" {
			t.Errorf("%s has no help or no type", name)
		}
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(labels)
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			all[strings.TrimSpace(name+" "+strings.Join(labels, " "))] = value
			if h := m.GetHistogram(); h != nil {
				last := uint64(0)
				for _, b := range h.GetBucket() {
					if b.GetCumulativeCount() < last || b.GetCumulativeCount() > h.GetSampleCount() {
						t.Errorf("%s: bucket %v has %d of %d", name, b.GetUpperBound(), b.GetCumulativeCount(), h.GetSampleCount())
					}
					last = b.GetCumulativeCount()
				}
				if last != h.GetSampleCount() || h.GetSampleSum() <= 0 {
					t.Errorf("%s: last bucket %d, count %d, sum %v", name, last, h.GetSampleCount(), h.GetSampleSum())
				}
			}
		}
	}
	return all
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	c := &chain{}
	w := start(t, settings{change: func(s *Server) { s.Ready = c.look; s.Version = "1 \"x\"\\" }})
	if got := metricsOf(w.Server); strings.Contains(got, "tegata_ready") || c.looks.Load() != 0 {
		t.Errorf("ready before anybody looked:\n%s", got)
	}
	hi := `"messages":[{"role":"user","content":"hi"}]}`
	w.post(t, `{"model":"`+sonnet+`",`+hi)
	w.post(t, `{"model":"`+sonnetInJP+`","stream":true,`+hi)
	w.post(t, `{"model":"`+dead+`",`+hi)
	w.get(t, "/v1/models")
	w.get(t, "/v1/none")
	w.get(t, "/ready")
	w.recorded(t, 3)
	resp, body := w.get(t, "/metrics")
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != 200 || !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("status %d, type %q", resp.StatusCode, got)
	}
	got := lines(t, body)
	for name, want := range map[string]float64{
		`tegata_build_info version=1 "x"\`: 1,
		"tegata_ready":                     1,
		"tegata_requests_in_flight":        0,
		"tegata_pings_total":               0,
		"tegata_requests_total finding= model=" + sonnet + " route=chat status=200":     2,
		"tegata_requests_total finding=TG6014 model=" + dead + " route=chat status=404": 1,
		"tegata_requests_total finding= model= route=models status=200":                 1,
		"tegata_requests_total finding= model= route=unknown status=404":                1,
		"tegata_first_token_seconds model=" + sonnet:                                    1,
		"tegata_request_seconds route=chat stream=true":                                 1,
		"tegata_request_seconds route=chat stream=false":                                2,
		"tegata_streams_ended_total how=whole":                                          1,
	} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v, %v; want %v", name, v, ok, want)
		}
	}
	var u bedrock.Usage
	for _, c := range w.recorded(t, 3) {
		u.Input, u.Output = u.Input+c.Usage.Input, u.Output+c.Usage.Output
	}
	if in, out := got["tegata_tokens_total kind=input model="+sonnet], got["tegata_tokens_total kind=output model="+sonnet]; int(in) != u.Input || int(out) != u.Output || in == 0 {
		t.Errorf("%v tokens in and %v out, want %+v", in, out, u)
	}
	if got["tegata_cost_usd_total model="+sonnet] <= 0 {
		t.Error("answers have cost nothing")
	}
	c.broken.Store("TG3001")
	w.readiness.report(t.Context(), w.Ready, 0, time.Minute)
	if got := lines(t, metricsOf(w.Server))["tegata_ready"]; got != 0 {
		t.Errorf("ready is %v in a broken chain", got)
	}
}

// A client may name any model; memory stays bounded.
func TestMetricsAreBounded(t *testing.T) {
	var s Server
	for i := range 3 * maxModels {
		s.counts.request(outcome{route: "chat", began: time.Now().Add(-time.Second), status: 200, model: fmt.Sprintf("model-%d\n\"", i), firstToken: time.Millisecond})
	}
	got := lines(t, metricsOf(&s))
	if n := got["tegata_requests_total finding= model=other route=chat status=200"]; n != 2*maxModels {
		t.Errorf("%v requests of other models", n)
	}
	if len(got) > 2*maxModels+10 {
		t.Errorf("%d series", len(got))
	}
}
