// Package bedrock is Amazon Bedrock as the account has it: models with their
// lifecycles and what stands between them and the account, inference profiles,
// and a runtime whose model is a stand-in and says so.
package bedrock

import (
	"cmp"
	"context"
	"time"

	"tegata/awsfake/wire"
)

// Options are what Bedrock has in the account.
type Options struct {
	Models   []Model   // nil means those of the catalogue
	Profiles []Profile // nil means those of the catalogue
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
	AccessInactive     = "inactive"     // a Legacy model that the account has left unused
)

// A Lifecycle holds the dates of a model. Status is ACTIVE or LEGACY; "" means
// what the dates say.
type Lifecycle struct {
	Status            string
	Legacy, EndOfLife time.Time
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
	Options Options
	Pace    time.Duration // the pause before each piece of a streamed answer
}

// New returns a service with the catalogue in place of what the options leave
// out.
func New(region string, o Options, pace time.Duration) *Service {
	if o.Models == nil {
		o.Models = DefaultModels()
	}
	if o.Profiles == nil {
		o.Profiles = DefaultProfiles("")
	}
	return &Service{Region: region, Options: o, Pace: cmp.Or(pace, defaultPace)}
}

// Wire returns both as the account serves them.
func (s *Service) Wire() []wire.Service {
	control := []wire.Operation{
		wire.Stream("ListFoundationModels", s.listFoundationModels).At("GET", "/foundation-models"),
		wire.Stream("GetFoundationModel", s.getFoundationModel).At("GET", "/foundation-models/{}"),
		wire.Stream("GetFoundationModelAvailability", s.getFoundationModelAvailability).At("GET", "/foundation-model-availability/{}"),
		wire.Stream("ListInferenceProfiles", s.listInferenceProfiles).At("GET", "/inference-profiles"),
		wire.Stream("GetInferenceProfile", s.getInferenceProfile).At("GET", "/inference-profiles/{}"),
	}
	runtime := []wire.Operation{
		wire.Stream("Converse", s.converse).At("POST", "/model/{}/converse"),
		wire.Stream("ConverseStream", s.converseStream).At("POST", "/model/{}/converse-stream"),
	}
	return []wire.Service{
		{Name: "bedrock", Operations: control},
		{Name: "bedrock-runtime", SigningName: "bedrock", Operations: runtime},
	}
}

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
