package bedrock

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// A Model is a foundation model of one region.
type Model struct {
	ID             string   `json:"modelId"`
	ARN            string   `json:"modelArn"`
	Name           string   `json:"modelName"`
	Provider       string   `json:"providerName"`
	Input          []string `json:"inputModalities"` // "TEXT", "IMAGE", …
	Output         []string `json:"outputModalities"`
	Streaming      bool     `json:"responseStreamingSupported"`
	InferenceTypes []string `json:"inferenceTypesSupported"` // "ON_DEMAND", "INFERENCE_PROFILE", "PROVISIONED"

	Lifecycle Lifecycle `json:"modelLifecycle"`
	Profiles  []string  `json:"-"` // ids of the inference profiles that lead to it, from [Client.Models] only
}

// OnDemand reports whether the model can be called by its own id.
func (m Model) OnDemand() bool { return slices.Contains(m.InferenceTypes, "ON_DEMAND") }

// A Lifecycle says how long a model lives. Times that AWS does not give are
// zero.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_FoundationModelLifecycle.html
type Lifecycle struct {
	Status             string    `json:"status"`          // "ACTIVE" or "LEGACY"
	StartOfLifeTime    time.Time `json:"startOfLifeTime"` // when Bedrock first had it
	LegacyTime         time.Time `json:"legacyTime"`
	ExtendedAccessTime time.Time `json:"publicExtendedAccessTime"` // from here on it costs more
	EndOfLifeTime      time.Time `json:"endOfLifeTime"`
}

// Ended reports whether the model is past its end of life.
func (l Lifecycle) Ended(now time.Time) bool {
	return !l.EndOfLifeTime.IsZero() && !now.Before(l.EndOfLifeTime)
}

// Models lists the region's models, each with the inference profiles that
// lead to it. It needs bedrock:ListFoundationModels and
// bedrock:ListInferenceProfiles, both on resource "*".
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	var list struct {
		Models []Model `json:"modelSummaries"`
	}
	var profiles []Profile
	var err, profilesErr error
	var both sync.WaitGroup
	both.Go(func() { err = c.get(ctx, "ListFoundationModels", "", "/foundation-models", &list) })
	both.Go(func() { profiles, profilesErr = c.Profiles(ctx) })
	both.Wait()
	if err := cmp.Or(err, profilesErr); err != nil {
		return nil, err
	}
	for i := range list.Models {
		list.Models[i].Profiles = leadingTo(profiles, list.Models[i].ID)
	}
	return list.Models, nil
}

// Model returns one model by its id or ARN.
func (c *Client) Model(ctx context.Context, id string) (Model, error) {
	var answer struct {
		Model Model `json:"modelDetails"`
	}
	err := c.get(ctx, "GetFoundationModel", id, "/foundation-models/"+segment(id), &answer)
	return answer.Model, err
}

// An Availability says, without a paid call, what stands between this account
// and a model.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_GetFoundationModelAvailability.html
type Availability struct {
	ModelID       string    `json:"modelId"`
	Agreement     Agreement `json:"agreementAvailability"`
	Authorization string    `json:"authorizationStatus"`     // "AUTHORIZED" or "NOT_AUTHORIZED"
	Entitlement   string    `json:"entitlementAvailability"` // "AVAILABLE" or "NOT_AVAILABLE"
	Region        string    `json:"regionAvailability"`      // "AVAILABLE" or "NOT_AVAILABLE"
}

// An Agreement is the contract with the provider of a model.
type Agreement struct {
	Status  string `json:"status"` // "AVAILABLE", "PENDING", "NOT_AVAILABLE" or "ERROR"
	Message string `json:"errorMessage"`
}

// Granted reports whether nothing stands between the account and the model.
func (a Availability) Granted() bool {
	return a.Agreement.Status == "AVAILABLE" && a.Authorization == "AUTHORIZED" &&
		a.Entitlement == "AVAILABLE" && a.Region == "AVAILABLE"
}

// Availability asks whether the account may use a model, given by the id of
// the model itself and not of a profile.
func (c *Client) Availability(ctx context.Context, id string) (Availability, error) {
	var a Availability
	err := c.get(ctx, "GetFoundationModelAvailability", id, "/foundation-model-availability/"+segment(id), &a)
	return a, err
}
