// Package bedrock is Amazon Bedrock as the account has it: models with their
// lifecycles and what stands between them and the account, inference profiles
// of AWS's and the account's own, guardrails, quotas, and a runtime whose model
// is a stand-in and says so.
//
// It differs from AWS in this: the stand-in, or the model of an OpenAI-compatible
// server, answers instead of the model that was asked, and its tokens are
// counted as the one who answers counts them. InvokeModel is answered in the
// forms of Anthropic and Nova only. Guardrails act on denied words; they keep
// their other policies and do nothing by them. Logging is configured, but
// nothing is delivered. A quota is a bucket that fills again within a minute; how
// AWS counts a minute isn't told.
package bedrock

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

// Options are what Bedrock has in the account.
type Options struct {
	Models   []Model   // nil means those of the catalogue
	Profiles []Profile // nil means those of the catalogue

	// Quota returns how much the account may use of a model in a minute, by one
	// of the kinds such as [OnDemandTokens]; less than zero means any amount.
	// It is called without the account's lock. Nil means that nothing is counted.
	Quota func(region, model, kind string) float64

	// Upstream is an OpenAI-compatible server whose model answers instead of the
	// stand-in: http://127.0.0.1:11434 for Ollama. Nil means the stand-in.
	Upstream      *url.URL
	UpstreamModel string       // that is asked there; "" means the first that it lists
	HTTPClient    *http.Client // that asks it; nil means one that asks no proxy

	Settle time.Duration // how long a new agreement or form takes to open a model; zero means no time
}

// A Model is a foundation model.
type Model struct {
	ID, Name, Provider string
	Input, Output      []string // modalities; none means TEXT
	Streaming          bool
	InferenceTypes     []string // ON_DEMAND, INFERENCE_PROFILE, PROVISIONED
	Lifecycle          Lifecycle
	Access             string // one of the Access constants
}

// What stands between an account and a model.
const (
	AccessGranted      = ""
	AccessDenied       = "denied"       // never enabled for this account
	AccessForm         = "form"         // the provider's use case form is missing
	AccessSubscription = "subscription" // the caller may not subscribe in the Marketplace
	AccessPending      = "pending"      // the agreement is being made
	AccessError        = "error"        // the agreement failed in the Marketplace
	AccessInactive     = "inactive"     // a Legacy model that the account has left unused
)

// A Lifecycle holds the dates of a model. Status is ACTIVE or LEGACY; "" means
// what the dates say. From Extended on, what is left of its life costs more.
type Lifecycle struct {
	Status                      string
	Legacy, Extended, EndOfLife time.Time
}

// A Profile is an inference profile that AWS defines: it routes calls to its
// models in other regions.
type Profile struct {
	ID, Name string
	Models   []string // ids
	Regions  []string // destinations; "" among them is the global routing
	Source   []string // regions where it may be called; none means Regions
}

// defaultPace lets pieces arrive one by one, and keeps tests short: a model
// takes about five times as long.
const defaultPace = 4 * time.Millisecond

// A Service is Bedrock's control plane and its runtime.
type Service struct {
	Region  string // where the models are; "" means any region
	State   *State
	Options Options
	Pace    time.Duration // the pause before each piece of a streamed answer

	quotas   quotas
	upstream *upstream // nil: the stand-in answers
}

// New returns a service over a state, with the catalogue in place of what the
// options leave out.
func New(region string, state *State, o Options, pace time.Duration) *Service {
	if o.Models == nil {
		o.Models = DefaultModels()
	}
	if o.Profiles == nil {
		o.Profiles = DefaultProfiles("")
	}
	return &Service{Region: region, State: state, Options: o, Pace: cmp.Or(pace, defaultPace), upstream: newUpstream(o)}
}

// Wire returns both as the account serves them.
func (s *Service) Wire() []wire.Service {
	control := slices.Concat(s.modelOperations(), s.accessOperations(), s.profileOperations(), s.guardrailOperations(), s.loggingOperations(), s.tagOperations())
	const unary, streaming = "bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"
	runtime := []wire.Operation{
		wire.Raw("Converse", s.asked(unary, asConverse)).At("POST", "/model/{}/converse"),
		wire.Raw("ConverseStream", s.streamed(streaming, asConverse)).At("POST", "/model/{}/converse-stream"),
		wire.Raw("InvokeModel", s.asked(unary, asProvider)).At("POST", "/model/{}/invoke"),
		wire.Raw("InvokeModelWithResponseStream", s.streamed(streaming, asProvider)).At("POST", "/model/{}/invoke-with-response-stream"),
		wire.Op("CountTokens", s.countTokens).At("POST", "/model/{}/count-tokens"),
		wire.Op("ApplyGuardrail", s.applyGuardrail).At("POST", "/guardrail/{}/version/{}/apply"),
	}
	return []wire.Service{
		{Name: "bedrock", Missing: without, Operations: control},
		{Name: "bedrock-runtime", SigningName: "bedrock", Missing: without, Operations: runtime},
	}
}

// without are the regions that botocore 1.43.11 (2026) has no endpoint of
// Bedrock in.
var without = []string{"ap-east-1"}

// local reports whether the models live in the call's region.
func (s *Service) local(c *wire.Call) bool {
	return s.Region == "" || s.Region == c.Region
}

// modelARN names a foundation model, which belongs to no account. Global
// routing has no region either.
func modelARN(region, id string) string {
	return "arn:aws:bedrock:" + region + "::foundation-model/" + id
}

func profileARN(c *wire.Call, id string) string { return c.ARN("bedrock", "inference-profile/"+id) }

// applicationARN names an inference profile that the account has made.
func applicationARN(c *wire.Call, id string) string {
	return c.ARN("bedrock", "application-inference-profile/"+id)
}

func invalid(message string) error { return wire.Refuse("ValidationException", message) }

func notFound(message string) error { return wire.NotFound("ResourceNotFoundException", message) }

func forbidden(message string) error { return wire.Forbidden("AccessDeniedException", message) }

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
