package bedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

// A plane is a control plane without a network, so that time in a test can be
// that of its bubble.
type plane struct {
	mu    sync.Mutex
	serve http.HandlerFunc
	delay time.Duration

	lists   atomic.Int64 // how often the models were asked for
	access  atomic.Int64
	at      atomic.Int64 // questions for access under way
	highest atomic.Int64
}

func (p *plane) set(serve http.HandlerFunc, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serve, p.delay = serve, delay
}

func (p *plane) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	serve, delay := p.serve, p.delay
	p.mu.Unlock()
	if r.URL.Path == "/foundation-models" {
		p.lists.Add(1)
	}
	if strings.HasPrefix(r.URL.Path, "/foundation-model-availability/") {
		p.access.Add(1)
		for at, high := p.at.Add(1), p.highest.Load(); at > high && !p.highest.CompareAndSwap(high, at); high = p.highest.Load() {
		}
		defer p.at.Add(-1)
	}
	if err := sleep(r.Context(), delay); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	serve(w, r)
	return w.Result(), nil
}

func (p *plane) client() *Client {
	return New(Config{
		Region: "ap-northeast-1", Endpoint: "http://bedrock.test", Credentials: testKeys, Attempts: 1, HTTPClient: &http.Client{Transport: p},
	})
}

func (p *plane) catalogue() *Catalogue {
	client := p.client()
	return NewCatalogue(func(context.Context) (*Client, error) { return client, nil })
}

// granting serves the small control plane of these tests, and grants access to
// all models but those named.
func granting(denied ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		model, ok := strings.CutPrefix(r.URL.Path, "/foundation-model-availability/")
		if !ok {
			catalogue(w, r)
			return
		}
		authorization := "AUTHORIZED"
		for _, d := range denied {
			if model == d {
				authorization = "NOT_AUTHORIZED"
			}
		}
		fmt.Fprintf(w, `{"agreementAvailability":{"status":"NOT_AVAILABLE"},"authorizationStatus":%q,"entitlementAvailability":"NOT_AVAILABLE","regionAvailability":"AVAILABLE"}`, authorization)
	}
}

func denyAll(w http.ResponseWriter, r *http.Request) {
	refuse(w, 403, "AccessDeniedException", fmt.Sprintf(notPermit, "bedrock:ListFoundationModels", "*"))
}

// brief is an offer without what the list itself says.
type brief struct {
	Base, ID, Area, Because string
	Fields                  map[string]string
}

func briefly(offers []Offer) []brief {
	var all []brief
	for _, o := range offers {
		all = append(all, brief{o.Model.ID, o.ID, o.Area, o.Because, o.Fields})
	}
	return all
}

func TestOffers(t *testing.T) {
	p := &plane{serve: granting("anthropic.claude-opus-5")}
	offers, err := p.catalogue().Offers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []brief{
		{Base: "anthropic.claude-haiku-4-5-20251001-v1:0", ID: "jp.anthropic.claude-haiku-4-5-20251001-v1:0", Area: "jp"},
		{Base: "anthropic.claude-sonnet-4-6", ID: "jp.anthropic.claude-sonnet-4-6", Area: "jp"},
		{Base: "amazon.nova-lite-v1:0", ID: "amazon.nova-lite-v1:0"},
		{Base: "anthropic.claude-opus-5", ID: "global.anthropic.claude-opus-5", Area: "global", Because: "TG6001", Fields: map[string]string{
			"model": "anthropic.claude-opus-5", "region": "ap-northeast-1", "authorization": "NOT_AUTHORIZED", "agreement": "NOT_AVAILABLE", "entitlement": "NOT_AVAILABLE"}},
		{Base: "amazon.nova-premier-v1:0", Because: "TG6003", Fields: map[string]string{"model": "amazon.nova-premier-v1:0", "region": "ap-northeast-1"}},
		{Base: "anthropic.claude-old", ID: "anthropic.claude-old", Because: "TG6014", Fields: map[string]string{
			"model": "anthropic.claude-old", "region": "ap-northeast-1", "end_of_life": "2026-07-30", "successor": "jp.anthropic.claude-sonnet-4-6"}},
	}
	// Newer first: Sonnet 4.6 before Haiku 4.5.
	want[0], want[1] = want[1], want[0]
	if diff := cmp.Diff(want, briefly(offers)); diff != "" {
		t.Errorf("offers (-want +got):\n%s", diff)
	}
	if got := p.access.Load(); got != 4 {
		t.Errorf("access was asked for %d times, want 4: once for each model that can be called", got)
	}
}

func TestOffersAreOfModelsThatTalk(t *testing.T) {
	p := &plane{serve: func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/foundation-models":
			io.WriteString(w, `{"modelSummaries":[
				{"modelId":"a.titan-embed","inputModalities":["TEXT"],"outputModalities":["EMBEDDING"],"inferenceTypesSupported":["ON_DEMAND"]},
				{"modelId":"a.canvas","inputModalities":["TEXT"],"outputModalities":["IMAGE"],"inferenceTypesSupported":["ON_DEMAND"]},
				{"modelId":"a.sonic","inputModalities":["SPEECH"],"outputModalities":["SPEECH","TEXT"],"inferenceTypesSupported":["ON_DEMAND"]},
				{"modelId":"a.rerank-v1:0","inputModalities":["TEXT"],"outputModalities":["TEXT"],"inferenceTypesSupported":["ON_DEMAND"]},
				{"modelId":"a.talk-v1:0:48k","inputModalities":["TEXT"],"outputModalities":["TEXT"],"inferenceTypesSupported":["PROVISIONED"]},
				{"modelId":"a.talk-v1:0","inputModalities":["TEXT"],"outputModalities":["TEXT"],"inferenceTypesSupported":["ON_DEMAND"]},
				{"modelId":"a.newest","inputModalities":["TEXT"],"outputModalities":["TEXT"],"inferenceTypesSupported":["ON_DEMAND"],"modelLifecycle":{"startOfLifeTime":"2026-09-22T00:00:00Z"}},
				{"modelId":"a.newer-9","inputModalities":["TEXT"],"outputModalities":["TEXT"],"inferenceTypesSupported":["ON_DEMAND"],"modelLifecycle":{"startOfLifeTime":"2026-01-22T00:00:00Z"}}]}`)
		case "/inference-profiles":
			io.WriteString(w, `{"inferenceProfileSummaries":[]}`)
		default:
			granting()(w, r)
		}
	}}
	c := p.catalogue()
	offers, err := c.Offers(t.Context())
	var ids []string
	for _, o := range offers {
		ids = append(ids, o.ID)
	}
	if diff := cmp.Diff([]string{"a.newest", "a.newer-9", "a.talk-v1:0"}, ids); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// Others are known all the same: what Bedrock says to them is better than "unknown".
	if o, err := c.Find(t.Context(), "a.titan-embed"); err != nil || o.ID != "a.titan-embed" {
		t.Errorf("Find: %+v, %v", o, err)
	}
}

func TestAccessMayNotBeAskedFor(t *testing.T) {
	for _, tt := range []struct {
		name    string
		respond http.HandlerFunc
		least   int64 // questions
		most    int64
	}{
		{"role", func(w http.ResponseWriter, r *http.Request) { refuse(w, 403, "AccessDeniedException", "no") }, 1, 4},
		{"one model's own trouble", func(w http.ResponseWriter, r *http.Request) { refuse(w, 400, "ValidationException", "no") }, 4, 4},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &plane{}
			p.set(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/foundation-model-availability/") {
					tt.respond(w, r)
					return
				}
				catalogue(w, r)
			}, 0)
			offers, err := p.catalogue().Offers(t.Context())
			callable := 0
			for _, o := range offers {
				if o.Callable() {
					callable++
				}
			}
			if err != nil || callable != 4 {
				t.Errorf("%d callable, %v", callable, err)
			}
			if n := p.access.Load(); n < tt.least || n > tt.most {
				t.Errorf("access was asked for %d times, want %d to %d", n, tt.least, tt.most)
			}
		})
	}
}

// A hundred models are asked for eight at a time, and a control plane that
// answers the list only does not hold it up for long.
func TestAccessIsAskedForAtOnce(t *testing.T) {
	many := func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/foundation-models":
			var models []string
			for i := range 100 {
				models = append(models, fmt.Sprintf(`{"modelId":"a.m-%d","inferenceTypesSupported":["ON_DEMAND"]}`, i))
			}
			fmt.Fprintf(w, `{"modelSummaries":[%s]}`, strings.Join(models, ","))
		case "/inference-profiles":
			io.WriteString(w, `{"inferenceProfileSummaries":[]}`)
		default:
			granting()(w, r)
		}
	}
	t.Run("quick", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &plane{serve: many, delay: 50 * time.Millisecond}
			began := time.Now()
			offers, err := p.catalogue().Offers(t.Context())
			if err != nil || len(offers) != 100 || p.access.Load() != 100 || p.highest.Load() != accessAtOnce {
				t.Errorf("%d offers, %v; %d questions, %d at once", len(offers), err, p.access.Load(), p.highest.Load())
			}
			if took, want := time.Since(began), 14*50*time.Millisecond; took != want { // the list, and thirteen rounds
				t.Errorf("took %v, want %v", took, want)
			}
		})
	})
	t.Run("silent", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &plane{}
			p.set(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/foundation-model-availability/") {
					<-r.Context().Done()
					return
				}
				many(w, r)
			}, 0)
			began := time.Now()
			offers, err := p.catalogue().Offers(t.Context())
			if err != nil || len(offers) != 100 || !offers[0].Callable() {
				t.Errorf("%d offers, %v", len(offers), err)
			}
			if took := time.Since(began); took != accessWithin {
				t.Errorf("took %v, want %v", took, accessWithin)
			}
		})
	})
}

func TestCatalogueRemembers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{serve: granting(), delay: time.Second}
		c := p.catalogue()
		read := func(want int64) {
			t.Helper()
			if offers, err := c.Offers(t.Context()); err != nil || len(offers) == 0 {
				t.Errorf("%d offers, %v", len(offers), err)
			}
			synctest.Wait()
			if p.lists.Load() != want {
				t.Errorf("the list was read %d times, want %d", p.lists.Load(), want)
			}
		}
		var readers sync.WaitGroup
		for range 50 {
			readers.Go(func() {
				if offers, err := c.Offers(t.Context()); err != nil || len(offers) == 0 {
					t.Errorf("%d offers, %v", len(offers), err)
				}
			})
		}
		readers.Wait()
		time.Sleep(keep - time.Second)
		read(1)

		// What is too old is given out at once, and loaded anew behind the scenes.
		time.Sleep(2 * time.Second)
		began := time.Now()
		read(2)
		if took := time.Since(began); took != 0 {
			t.Errorf("the reader of an old list waited %v", took)
		}
		time.Sleep(10 * time.Second)
		read(2)

		c.Forget()
		began = time.Now()
		read(3)
		if took := time.Since(began); took == 0 {
			t.Error("nobody waited after Forget")
		}
	})
}

func TestCatalogueKeepsErrorsShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{serve: denyAll}
		c := p.catalogue()
		fails := func(want int64) {
			t.Helper()
			_, err := c.Offers(t.Context())
			if id, _, _ := Explain(err); id != "TG6004" || p.lists.Load() != want {
				t.Errorf("%v after %d lists, want %d", err, p.lists.Load(), want)
			}
		}
		fails(1)
		time.Sleep(keepError - time.Second)
		fails(1)
		time.Sleep(2 * time.Second)
		fails(2)

		p.set(granting(), 0)
		time.Sleep(keepError)
		if offers, err := c.Offers(t.Context()); err != nil || len(offers) == 0 {
			t.Errorf("%d offers, %v after the right was given", len(offers), err)
		}
		// A list that can't be read again is better than none.
		p.set(denyAll, 0)
		time.Sleep(keep)
		for range 3 {
			if offers, err := c.Offers(t.Context()); err != nil || len(offers) == 0 {
				t.Errorf("%d offers, %v", len(offers), err)
			}
			time.Sleep(keepError)
		}
	})
}

// What is loaded while somebody asks to forget is of the time before.
func TestForgetDuringALoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{serve: denyAll, delay: 5 * time.Second}
		c := p.catalogue()
		go c.Offers(t.Context())
		synctest.Wait()
		p.set(granting(), time.Second)
		c.Forget()
		if offers, err := c.Offers(t.Context()); err != nil || len(offers) == 0 {
			t.Errorf("%d offers, %v", len(offers), err)
		}
		time.Sleep(10 * time.Second)
		if _, err := c.Offers(t.Context()); err != nil {
			t.Errorf("the old load replaced the new: %v", err)
		}
	})
}

func TestReaderThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{serve: granting(), delay: time.Second}
		c := p.catalogue()
		ctx, cancel := context.WithCancelCause(t.Context())
		left := errors.New("the reader has left")
		time.AfterFunc(time.Millisecond, func() { cancel(left) })
		if _, err := c.Offers(ctx); err != left {
			t.Errorf("Offers: %v", err)
		}
		if _, err := c.Find(ctx, "m"); err != left {
			t.Errorf("Find: %v", err)
		}
		// The load goes on for those who stay.
		if _, err := c.Offers(t.Context()); err != nil || p.lists.Load() != 1 {
			t.Errorf("%v after %d lists", err, p.lists.Load())
		}
	})
}

func TestCatalogueOfAnotherClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &plane{serve: granting()}
		client, failure := p.client(), error(nil)
		c := NewCatalogue(func(context.Context) (*Client, error) { return client, failure })
		c.Offers(t.Context())
		client = p.client()
		if _, err := c.Offers(t.Context()); err != nil || p.lists.Load() != 2 {
			t.Errorf("%v after %d lists, want 2", err, p.lists.Load())
		}
		failure = errors.New("no role")
		_, offers := c.Offers(t.Context())
		_, find := c.Find(t.Context(), "m")
		if offers != failure || find != failure {
			t.Errorf("Offers: %v, Find: %v", offers, find)
		}
		failure = nil
		if _, err := c.Offers(t.Context()); err != nil || p.lists.Load() != 2 {
			t.Errorf("%v after %d lists: the source's failure was remembered", err, p.lists.Load())
		}
	})
}

func TestFind(t *testing.T) {
	const (
		profileARN = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/"
		modelARN   = "arn:aws:bedrock:ap-northeast-1::foundation-model/"
	)
	p := &plane{serve: granting()}
	c := p.catalogue()
	for _, tt := range []struct{ id, want, area, because string }{
		{"anthropic.claude-sonnet-4-6", "jp.anthropic.claude-sonnet-4-6", "jp", ""},
		{modelARN + "anthropic.claude-sonnet-4-6", "jp.anthropic.claude-sonnet-4-6", "jp", ""},
		{"global.anthropic.claude-sonnet-4-6", "global.anthropic.claude-sonnet-4-6", "global", ""},
		{profileARN + "apac.anthropic.claude-sonnet-4-6", profileARN + "apac.anthropic.claude-sonnet-4-6", "apac", ""},
		{"amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0", "", ""},
		{"apac.amazon.nova-lite-v1:0", "apac.amazon.nova-lite-v1:0", "apac", ""},
		{"amazon.nova-premier-v1:0", "", "", "TG6003"},
		{"anthropic.claude-old", "anthropic.claude-old", "", "TG6014"},
		{"arn:aws:bedrock:ap-northeast-1:123456789012:application-inference-profile/abc", "arn:aws:bedrock:ap-northeast-1:123456789012:application-inference-profile/abc", "", ""},
	} {
		o, err := c.Find(t.Context(), tt.id)
		if err != nil || o.ID != tt.want || o.Area != tt.area || o.Because != tt.because || o.Callable() != (tt.because == "") {
			t.Errorf("Find(%q) = %q in %q, %s, %v; want %q in %q, %s", tt.id, o.ID, o.Area, o.Because, err, tt.want, tt.area, tt.because)
		}
		if o.Model.ID == "" {
			t.Errorf("Find(%q) names no model", tt.id)
		}
	}
	for _, tt := range []struct {
		id, finding string
		instead     []string
	}{
		{"eu.anthropic.claude-sonnet-4-6", "TG6003", []string{"jp.anthropic.claude-sonnet-4-6", "jp.anthropic.claude-haiku-4-5-20251001-v1:0", "global.anthropic.claude-opus-5"}},
		{"amazon.nova-mini", "TG6003", []string{"amazon.nova-lite-v1:0"}},
		{"gpt-4o", "TG6003", nil},
		{"anthropic.claude-3-7-sonnet-20250219-v1:0", "TG6014", []string{"jp.anthropic.claude-sonnet-4-6", "global.anthropic.claude-opus-5", "jp.anthropic.claude-haiku-4-5-20251001-v1:0"}},
	} {
		_, err := c.Find(t.Context(), tt.id)
		var none *NoProfileError
		if !errors.As(err, &none) || none.Model != tt.id || none.Region != "ap-northeast-1" {
			t.Fatalf("Find(%q): %v", tt.id, err)
		}
		if diff := cmp.Diff(tt.instead, none.Instead, cmp.Transformer("set", toSet)); diff != "" || len(none.Instead) > 0 && none.Instead[0] != tt.instead[0] {
			t.Errorf("Find(%q) offers %v (-want +got):\n%s", tt.id, none.Instead, diff)
		}
		if p := ProblemOf(err); p.ID != tt.finding || p.Status != http.StatusNotFound || p.Fields["model"] != tt.id || p.Retry {
			t.Errorf("Find(%q) is %+v", tt.id, p)
		}
	}
}

func TestFindWithoutTheList(t *testing.T) {
	for _, tt := range []struct {
		name  string
		serve http.HandlerFunc
		delay time.Duration
		wait  time.Duration // most of the first caller
	}{
		{"denied", denyAll, 0, 0},
		{"silent", granting(), time.Hour, findWithin},
		{"down", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) }, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &plane{serve: tt.serve, delay: tt.delay}
				c := p.catalogue()
				for i := range 3 {
					began := time.Now()
					o, err := c.Find(t.Context(), "jp.anthropic.claude-sonnet-4-6")
					want := Offer{Model: Model{ID: "anthropic.claude-sonnet-4-6"}, ID: "jp.anthropic.claude-sonnet-4-6", Area: "jp"}
					if diff := cmp.Diff(want, o); diff != "" || err != nil || !o.Callable() {
						t.Errorf("%v (-want +got):\n%s", err, diff)
					}
					wait := tt.wait
					if i > 0 {
						wait = 0
					}
					if took := time.Since(began); took != wait {
						t.Errorf("call %d took %v, want %v", i, took, wait)
					}
				}
				if p.lists.Load() != 1 {
					t.Errorf("the list was asked for %d times", p.lists.Load())
				}
				time.Sleep(loadWithin) // the load that nobody waits for ends by itself
			})
		})
	}
}

// Without credentials or region nothing can be called, whatever its id.
func TestFindWithoutCredentials(t *testing.T) {
	for name, config := range map[string]Config{
		"credentials": {Region: "ap-northeast-1", Endpoint: "http://bedrock.test", Credentials: aws.CredentialsProviderFunc(
			func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{}, errors.New("no role is attached")
			})},
		"region": {Endpoint: "http://bedrock.test", Credentials: testKeys},
	} {
		client := New(config)
		c := NewCatalogue(func(context.Context) (*Client, error) { return client, nil })
		o, err := c.Find(t.Context(), "jp.anthropic.claude-sonnet-4-6")
		if p := ProblemOf(err); err == nil || o.ID != "" || p.Status != http.StatusServiceUnavailable {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

func TestProblemIsCompleted(t *testing.T) {
	p := &plane{serve: granting()}
	c := p.catalogue()
	onDemand := &Error{Code: "ValidationException", Status: 400, Region: "ap-northeast-1", Model: "anthropic.claude-sonnet-4-6",
		Message: "Invocation of model ID anthropic.claude-sonnet-4-6 with on-demand throughput isn’t supported."}
	ended := &Error{Code: "ResourceNotFoundException", Status: 404, Region: "ap-northeast-1", Model: "jp.anthropic.claude-old-2",
		Message: "This model version has reached the end of its life."}
	if got := c.Problem(onDemand); got.ID != "TG6002" || got.Fields["profile"] != "" {
		t.Errorf("before the list is read: %+v", got)
	}
	if _, err := c.Offers(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.Problem(onDemand); got.ID != "TG6002" || got.Fields["profile"] != "jp.anthropic.claude-sonnet-4-6" || got.Status != 400 {
		t.Errorf("profile only: %+v", got)
	}
	if got := c.Problem(ended); got.ID != "TG6014" || got.Fields["successor"] == "" || got.Status != 404 {
		t.Errorf("ended: %+v", got)
	}
	if got := c.Problem(nil); got.Status != 0 {
		t.Errorf("no error: %+v", got)
	}
}

func TestVersion(t *testing.T) {
	for id, want := range map[string][]int{
		"anthropic.claude-opus-4-6-v1":              {4, 6},
		"jp.anthropic.claude-sonnet-5":              {5},
		"anthropic.claude-3-7-sonnet-20250219-v1:0": {3, 7},
		"anthropic.claude-haiku-4-5-20251001-v1:0":  {4, 5},
		"amazon.nova-micro-v1:0":                    nil,
		"amazon.nova-2-lite-v1:0":                   {2},
		"openai.gpt-oss-120b-1:0":                   nil,
		"x":                                         nil,
	} {
		if diff := cmp.Diff(want, version(id)); diff != "" {
			t.Errorf("version(%q) (-want +got):\n%s", id, diff)
		}
	}
}

func TestReadersOfTheCatalogueDoNotShare(t *testing.T) {
	p := &plane{serve: granting("anthropic.claude-opus-5")}
	c := p.catalogue()
	o, err := c.Find(t.Context(), "anthropic.claude-opus-5")
	if err != nil {
		t.Fatal(err)
	}
	o.Fields["model"] = "spoilt"
	if again, _ := c.Find(t.Context(), "anthropic.claude-opus-5"); again.Fields["model"] != "anthropic.claude-opus-5" {
		t.Errorf("fields are shared: %v", again.Fields)
	}
}
