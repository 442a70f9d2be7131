package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"tegata/bedrock"
	"tegata/internal/report"
)

// reportOf is a look at the chain in which id is broken, or nothing if "".
func reportOf(id string, status report.Status) report.Report {
	r := report.Report{Started: time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC), Steps: []report.Step{
		{Name: "region", Status: report.Passed, Facts: []report.Field{{Name: "region", Value: region}, {Name: "origin", Value: "$AWS_REGION"}}},
		{Name: "role", Status: report.Passed, Facts: []report.Field{{Name: "role", Value: "app"}}},
		{Name: "role-credentials", Status: report.Passed, Facts: []report.Field{{Name: "expiration", Value: "2026-11-22T07:00:00Z"}}},
		{Name: "credentials", Status: report.Passed, Facts: []report.Field{{Name: "source", Value: "role"}}},
		{Name: "identity", Status: report.Passed, Facts: []report.Field{{Name: "arn", Value: "arn:aws:sts::" + account + ":assumed-role/app/i-0abc"}}},
	}}
	if id != "" {
		r.Steps = append(r.Steps, report.Step{Name: "broken", Status: status, Finding: &report.Finding{
			ID: id, Evidence: []report.Field{{Name: "role", Value: "app"}, {Name: "endpoint", Value: "http://169.254.169.254"}},
		}})
	}
	return r
}

// A chain is one that tests break and mend.
type chain struct {
	looks  atomic.Int32
	broken atomic.Value // id
	takes  time.Duration
}

func (c *chain) look(ctx context.Context) report.Report {
	c.looks.Add(1)
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
	}
	id, _ := c.broken.Load().(string)
	return reportOf(id, report.Failed)
}

func TestReportIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{takes: time.Second}
		s := &Server{Ready: c.look}
		for range 3 {
			go s.Report(t.Context())
		}
		began := time.Now()
		if r := s.Report(t.Context()); broken(r) || len(r.Steps) == 0 || time.Since(began) != time.Second || c.looks.Load() != 1 {
			t.Errorf("%d looks in %v: %+v", c.looks.Load(), time.Since(began), r)
		}
		time.Sleep(holdsHealthy - time.Millisecond)
		s.Report(t.Context())
		if n := c.looks.Load(); n != 1 {
			t.Errorf("%d looks while the first one held", n)
		}
		c.broken.Store("TG3001")
		time.Sleep(time.Millisecond)
		if r := s.Report(t.Context()); !broken(r) || c.looks.Load() != 2 {
			t.Errorf("%d looks, broken %v", c.looks.Load(), broken(r))
		}
		c.broken.Store("")
		time.Sleep(holdsBroken)
		if r := s.Report(t.Context()); broken(r) || c.looks.Load() != 3 {
			t.Errorf("%d looks, broken %v after it was mended", c.looks.Load(), broken(r))
		}
	})
}

// A look that takes long keeps nobody who can be told an older outcome, and
// nobody who has to go.
func TestSlowLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &chain{}
		s := &Server{Ready: c.look}
		s.Report(t.Context())
		c.takes = 10 * time.Second
		time.Sleep(holdsHealthy)
		began := time.Now()
		if r := s.Report(t.Context()); len(r.Steps) == 0 || time.Since(began) != waitForNewer {
			t.Errorf("an answer after %v", time.Since(began))
		}
		short, cancel := context.WithTimeout(t.Context(), 150*time.Millisecond)
		defer cancel()
		began = time.Now()
		if r := s.Report(short); len(r.Steps) == 0 || time.Since(began) != 150*time.Millisecond {
			t.Errorf("an answer after %v", time.Since(began))
		}
		if n := c.looks.Load(); n != 2 {
			t.Errorf("%d looks, want no third beside the second", n)
		}
		synctest.Wait()
		time.Sleep(c.takes)
	})
}

func TestLookIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{Ready: func(ctx context.Context) report.Report { <-ctx.Done(); return reportOf("TG2900", report.Failed) }}
		began := time.Now()
		if r := s.Report(t.Context()); !broken(r) || time.Since(began) != lookWithin {
			t.Errorf("a look of %v", time.Since(began))
		}
	})
}

// Credentials that can't be had are told by what keeps them away.
func TestExplainLooksAtTheChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		noKeys := errors.New("no credentials")
		source := func(context.Context) (*bedrock.Client, error) { return nil, noKeys }
		c := &chain{}
		s := &Server{Ready: c.look, Source: source, Catalogue: bedrock.NewCatalogue(source)}
		if p := s.Explain(t.Context(), noKeys); p.ID != "" || p.Status != 503 {
			t.Errorf("in a chain without a fault: %+v", p)
		}
		c.broken.Store("TG3001")
		time.Sleep(holdsForCall)
		p := s.Explain(t.Context(), noKeys)
		want := bedrock.Problem{ID: "TG3001", Status: 503, Retry: true, Detail: "no credentials",
			Fields: map[string]string{"role": "app", "endpoint": "http://169.254.169.254"}}
		if diff := cmp.Diff(want, p); diff != "" {
			t.Errorf("problem (-want +got):\n%s", diff)
		}
		looks := c.looks.Load()
		if p := s.Explain(t.Context(), bedrock.ErrNoRegion); p.ID != "TG4003" {
			t.Errorf("a cause of its own became %+v", p)
		}
		if p := s.Explain(t.Context(), context.Canceled); p.ID != "" || p.Status != bedrock.StatusGone {
			t.Errorf("a cancellation became %+v", p)
		}
		if c.looks.Load() != looks {
			t.Error("looked at the chain for an error with a cause")
		}
		time.Sleep(holdsBroken)
		c.takes = time.Hour
		began := time.Now()
		if s.Explain(t.Context(), noKeys); time.Since(began) != waitForCause {
			t.Errorf("waited %v for a cause", time.Since(began))
		}
		time.Sleep(lookWithin)
	})
}

// slowMetadata gives no credentials.
type slowMetadata struct{ sources []aws.CredentialSource }

func (slowMetadata) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("PUT /latest/api/token: no byte came back")
}

func (m slowMetadata) ProviderSources() []aws.CredentialSource { return m.sources }

// Credentials that fail for a moment, in a chain that is whole before and
// after, are no riddle for the client.
func TestErrorsNameMissingCredentials(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from aws.CredentialSource
		code string
	}{
		{aws.CredentialSourceIMDS, "TG3900"},
		{aws.CredentialSourceProcess, ""}, // metadata has nothing to do with it
	} {
		client := bedrock.New(bedrock.Config{Region: region, Credentials: slowMetadata{[]aws.CredentialSource{tt.from}}})
		w := start(t, settings{change: func(s *Server) {
			s.Source = func(context.Context) (*bedrock.Client, error) { return client, nil }
			s.Ready = func(context.Context) report.Report { return reportOf("", "") }
		}})
		resp, body := w.post(t, `{"model":"`+sonnet+`","messages":[{"role":"user","content":"hi"}]}`)
		e := errorIn(t, body)
		if resp.StatusCode != 503 || deref(e.Code) != tt.code || resp.Header.Get("Retry-After") != "5" || !strings.Contains(e.Message, "no byte came back") || strings.Contains(e.Message, "{") {
			t.Errorf("credentials of %v: status %d, error %+v", tt.from, resp.StatusCode, e)
		}
	}
}

func TestErrorsNameTheRoot(t *testing.T) {
	t.Parallel()
	w := start(t, settings{change: func(s *Server) {
		s.Source = func(context.Context) (*bedrock.Client, error) { return nil, errors.New("no role") }
		s.Catalogue = bedrock.NewCatalogue(s.Source)
		s.Ready = func(context.Context) report.Report { return reportOf("TG3001", report.Failed) }
	}})
	resp, body := w.post(t, `{"model":"`+sonnet+`","messages":[{"role":"user","content":"hi"}]}`)
	if e := errorIn(t, body); resp.StatusCode != 503 || deref(e.Code) != "TG3001" || resp.Header.Get("Retry-After") != "5" || e.Remedy == "" {
		t.Errorf("status %d, error %+v", resp.StatusCode, e)
	}
	resp, body = w.get(t, "/v1/models")
	if e := errorIn(t, body); resp.StatusCode != 503 || deref(e.Code) != "TG3001" {
		t.Errorf("models: status %d, error %+v", resp.StatusCode, e)
	}
}

func TestHealthLooksAtNothing(t *testing.T) {
	t.Parallel()
	w := start(t, settings{change: func(s *Server) {
		s.Ready = func(context.Context) report.Report { t.Error("health looked at the chain"); return report.Report{} }
	}})
	resp, body := w.get(t, "/health", "Authorization", "")
	if resp.StatusCode != 200 || body != "{\"status\":\"alive\"}\n" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %q", resp.StatusCode, body)
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	const stranger, known = false, true
	tests := []struct {
		name   string
		report report.Report
		who    bool
		status int
		want   string
	}{
		{"stranger, in order", reportOf("", ""), stranger, 200, `{"status":"ready"}`},
		{"stranger, broken", reportOf("TG3001", report.Failed), stranger, 503,
			`{"status":"not-ready","finding":{"id":"TG3001","severity":"error","title":"TITLE"}}`},
		{"stranger, warned", reportOf("TG3001", report.Warned), stranger, 200,
			`{"status":"ready","finding":{"id":"TG3001","severity":"warning","title":"TITLE"}}`},
		{"client, in order", reportOf("", ""), known, 200,
			`{"status":"ready","version":"test","checked":"2026-11-22T01:02:03Z","region":{"name":"ap-northeast-1","origin":"$AWS_REGION"},` +
				`"credentials":{"source":"role","role":"app","arn":"arn:aws:sts::123456789012:assumed-role/app/i-0abc","expires":"2026-11-22T07:00:00Z"},"bedrock":{"client":"ready"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, settings{change: func(s *Server) { s.Ready = func(context.Context) report.Report { return tt.report } }})
			var headers []string
			if !tt.who {
				headers = []string{"Authorization", ""}
			}
			resp, body := w.get(t, "/ready", headers...)
			if root := tt.report.Root(); root != nil {
				tt.want = strings.Replace(tt.want, "TITLE", root.Words("en").Title, 1)
			}
			var got, want any
			if err := errors.Join(json.Unmarshal([]byte(body), &got), json.Unmarshal([]byte(tt.want), &want)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" || resp.StatusCode != tt.status || (resp.Header.Get("Retry-After") != "") != (tt.status == 503) {
				t.Errorf("status %d (-want +got):\n%s", resp.StatusCode, diff)
			}
		})
	}
}

func TestReadyTellsClientsEverything(t *testing.T) {
	t.Parallel()
	w := start(t, settings{change: func(s *Server) {
		s.Ready = func(context.Context) report.Report { return reportOf("TG3001", report.Failed) }
	}})
	w.post(t, `{"model":"`+sonnet+`","messages":[{"role":"user","content":"hi"}]}`)
	w.post(t, `{"model":"`+dead+`","messages":[{"role":"user","content":"hi"}]}`)
	w.recorded(t, 2)
	_, body := w.get(t, "/ready", "Accept-Language", "ja")
	var got readyState
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	if f := got.Finding; f == nil || f.Remedy == "" || f.Cause == "" || f.Where == "" || f.Evidence["role"] != "app" || !strings.Contains(f.Where, "実行") && !strings.Contains(f.Where, "操作") {
		t.Errorf("finding %+v", f)
	}
	if b := got.Bedrock; b == nil || b.LastAnswer == nil || b.LastFailure == nil || b.LastFailure.ID != "TG6014" || b.LastFailure.RequestID == "" {
		t.Errorf("bedrock %+v", b)
	}
}

func TestLanguages(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "*": "en", "ja": "ja", "ja-JP,ja;q=0.9,en-US;q=0.8": "ja", "en-GB, ja;q=0.9": "en", "fr, ja;q=0.2, en;q=0.1": "ja",
		"en;q=0.5, ja ;q=0.7": "ja", "ja;q=0": "en", "ja;q=x": "en", ";;q=,": "en",
	} {
		r, _ := http.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", header)
		if got := langOf(r); string(got) != want {
			t.Errorf("%q: %s, want %s", header, got, want)
		}
	}
}

// The day of a model's end is asked for where the error does not tell it.
func TestEndOfLife(t *testing.T) {
	for body, want := range map[string]string{
		`{"modelDetails":{"modelId":"` + sonnet + `","modelLifecycle":{"status":"LEGACY","endOfLifeTime":"2026-10-14T00:00:00Z"}}}`: "2026-10-14",
		`{"modelDetails":{"modelId":"` + sonnet + `"}}`: "?",
		`{}`: "?",
	} {
		w := start(t, settings{aws: func(rw http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/foundation-models/"+sonnet {
				io.WriteString(rw, body)
				return
			}
			rw.WriteHeader(http.StatusInternalServerError)
		}})
		gone := &bedrock.Error{Operation: "Converse", Model: sonnetInJP, Region: region, Status: 404,
			Code: "ResourceNotFoundException", Message: "This model version has reached the end of its life."}
		if p := w.Explain(t.Context(), gone); p.ID != "TG6014" || p.Fields["end_of_life"] != want {
			t.Errorf("%s: %s, end of life %q, want %q", body, p.ID, p.Fields["end_of_life"], want)
		}
	}
}
