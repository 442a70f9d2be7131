package bedrock

import (
	"encoding/base64"
	"time"

	"tegata/awsfake/wire"
)

// Bedrock's control plane: what stands between the account and a model, and
// how it is opened
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html).

func (s *Service) accessOperations() []wire.Operation {
	const accepted, created = 202, 201
	return []wire.Operation{
		wire.Op("GetFoundationModelAvailability", s.getAvailability).At("GET", "/foundation-model-availability/{}"),
		wire.Op("ListFoundationModelAgreementOffers", s.listOffers).At("GET", "/list-foundation-model-agreement-offers/{}"),
		wire.Op("CreateFoundationModelAgreement", s.createAgreement).At("POST", "/create-foundation-model-agreement").Answering(accepted),
		wire.Op("DeleteFoundationModelAgreement", s.deleteAgreement).At("POST", "/delete-foundation-model-agreement").Answering(accepted),
		wire.Op("PutUseCaseForModelAccess", s.putUseCase).At("POST", "/use-case-for-model-access").Answering(created),
		wire.Op("GetUseCaseForModelAccess", s.getUseCase).At("GET", "/use-case-for-model-access"),
	}
}

// access is what stands before a model now: what it began with, unless the
// form or an agreement has changed that since.
func (s *Service) access(m Model, now time.Time) string {
	access := m.Access
	if access == AccessForm && s.State.UseCase != nil && s.settled(s.State.UseCaseAt, now) {
		access = AccessGranted
	}
	a, ok := s.State.Agreements[m.ID]
	switch {
	case !ok:
	case a.Made.IsZero() && access == AccessGranted:
		return AccessSubscription
	case a.Made.IsZero() || !(access == AccessSubscription || access == AccessError):
	case s.settled(a.Made, now):
		return AccessGranted
	default:
		return AccessPending
	}
	return access
}

func (s *Service) settled(since, now time.Time) bool { return !now.Before(since.Add(s.Options.Settle)) }

type availability struct {
	ModelID       string    `json:"modelId"`
	Agreement     agreement `json:"agreementAvailability"`
	Authorization string    `json:"authorizationStatus"`
	Entitlement   string    `json:"entitlementAvailability"`
	Region        string    `json:"regionAvailability"`
}

type agreement struct {
	Status  string `json:"status"`
	Message string `json:"errorMessage,omitempty"`
}

const available, notAvailable = "AVAILABLE", "NOT_AVAILABLE"

func (s *Service) getAvailability(c *wire.Call, _ wire.Empty) (availability, error) {
	if err := c.Authorize("bedrock:GetFoundationModelAvailability", "*", nil); err != nil {
		return availability{}, err
	}
	m, ok := byID(s.Options.Models, c.Identifier())
	if !ok {
		return availability{}, invalid(unknownModel)
	}
	a := availability{m.ID, agreement{Status: available}, "AUTHORIZED", notAvailable, available}
	switch s.access(m, c.Now()) {
	case AccessGranted:
		a.Entitlement = available
	case AccessDenied:
		a.Authorization = "NOT_AUTHORIZED"
	case AccessForm, AccessSubscription:
		a.Agreement.Status = notAvailable
	case AccessPending:
		a.Agreement.Status = "PENDING"
	case AccessError:
		a.Agreement = agreement{"ERROR", "The agreement could not be completed in AWS Marketplace."}
	}
	if !s.local(c) {
		a.Region = notAvailable
	}
	return a, nil
}

type offers struct {
	ModelID string  `json:"modelId"`
	Offers  []offer `json:"offers"`
}

type offer struct {
	ID    string `json:"offerId"`
	Token string `json:"offerToken"`
	Terms terms  `json:"termDetails"`
}

// terms have no prices here: nobody is billed.
type terms struct {
	Pricing struct {
		Rates []struct{} `json:"rateCard"`
	} `json:"usageBasedPricingTerm"`
	Legal struct {
		URL string `json:"url"`
	} `json:"legalTerm"`
	Support struct {
		Refunds string `json:"refundPolicyDescription"`
	} `json:"supportTerm"`
}

func (s *Service) listOffers(c *wire.Call, _ wire.Empty) (offers, error) {
	if err := c.Authorize("bedrock:ListFoundationModelAgreementOffers", "*", nil); err != nil {
		return offers{}, err
	}
	if err := checkEnum("offerType", c.Request.URL.Query().Get("offerType"), []string{"ALL", "PUBLIC"}); err != nil {
		return offers{}, err
	}
	m, ok := byID(s.Options.Models, c.Identifier())
	if !ok {
		return offers{}, invalid(unknownModel)
	}
	list := offers{ModelID: m.ID, Offers: []offer{}}
	if m.Provider != "Amazon" {
		o := offer{ID: "offer-" + m.ID, Token: offerToken(m)}
		o.Terms.Pricing.Rates = []struct{}{}
		o.Terms.Legal.URL = "https://aws.amazon.com/legal/bedrock/third-party-models/"
		list.Offers = append(list.Offers, o)
	}
	return list, nil
}

// offerToken stands for the offer of a model, which AWS tells by a token that
// means nothing to others.
func offerToken(m Model) string { return base64.StdEncoding.EncodeToString([]byte("offer of " + m.ID)) }

type agreementInput struct {
	ModelID    *string `json:"modelId"`
	OfferToken *string `json:"offerToken"`
}

type agreementAnswer struct {
	ModelID string `json:"modelId"`
}

// createAgreement subscribes to the model in the Marketplace, which the caller
// has to be allowed to.
func (s *Service) createAgreement(c *wire.Call, in agreementInput) (agreementAnswer, error) {
	var v wire.Checks
	v.Required("offerToken", in.OfferToken != nil)
	m, err := s.agreed(c, in.ModelID, &v, "bedrock:CreateFoundationModelAgreement", "aws-marketplace:Subscribe")
	if err != nil {
		return agreementAnswer{}, err
	}
	if *in.OfferToken != offerToken(m) || m.Provider == "Amazon" {
		return agreementAnswer{}, invalid("The provided offer token is invalid.")
	}
	if a := s.State.Agreements[m.ID]; !a.Made.IsZero() {
		return agreementAnswer{}, wire.Conflict("ConflictException", "Agreement already exists for model "+m.ID+".")
	}
	s.agree(m.ID, Agreement{*in.OfferToken, c.Now()})
	return agreementAnswer{m.ID}, nil
}

func (s *Service) deleteAgreement(c *wire.Call, in agreementInput) (wire.Empty, error) {
	var v wire.Checks
	m, err := s.agreed(c, in.ModelID, &v, "bedrock:DeleteFoundationModelAgreement", "aws-marketplace:Unsubscribe")
	if err != nil {
		return wire.Empty{}, err
	}
	if access := s.access(m, c.Now()); m.Provider == "Amazon" || access != AccessGranted && access != AccessPending {
		return wire.Empty{}, notFound("Agreement does not exist for model " + m.ID + ".")
	}
	s.agree(m.ID, Agreement{})
	return wire.Empty{}, nil
}

// agreed checks and authorises a change of an agreement.
func (s *Service) agreed(c *wire.Call, id *string, v *wire.Checks, actions ...string) (Model, error) {
	v.Required("modelId", id != nil)
	if err := v.Err(c); err != nil {
		return Model{}, err
	}
	for _, action := range actions {
		if err := c.Authorize(action, "*", nil); err != nil {
			return Model{}, err
		}
	}
	m, ok := byID(s.Options.Models, *id)
	if !ok {
		return Model{}, invalid(unknownModel)
	}
	return m, nil
}

func (s *Service) agree(id string, a Agreement) {
	if s.State.Agreements == nil {
		s.State.Agreements = map[string]Agreement{}
	}
	s.State.Agreements[id] = a
}

type useCase struct {
	FormData []byte `json:"formData"`
}

func (s *Service) putUseCase(c *wire.Call, in useCase) (wire.Empty, error) {
	const least, most = 10, 16384
	var v wire.Checks
	v.Required("formData", in.FormData != nil)
	if err := v.Err(c); err != nil {
		return wire.Empty{}, err
	}
	if n := len(in.FormData); n < least || n > most {
		return wire.Empty{}, invalid("1 validation error detected: Value at 'formData' failed to satisfy constraint: " +
			"Member must have length between 10 and 16384, inclusive")
	}
	if err := c.Authorize("bedrock:PutUseCaseForModelAccess", "*", nil); err != nil {
		return wire.Empty{}, err
	}
	s.State.UseCase, s.State.UseCaseAt = in.FormData, c.Now()
	return wire.Empty{}, nil
}

func (s *Service) getUseCase(c *wire.Call, _ wire.Empty) (useCase, error) {
	if err := c.Authorize("bedrock:GetUseCaseForModelAccess", "*", nil); err != nil {
		return useCase{}, err
	}
	if s.State.UseCase == nil {
		return useCase{}, notFound("Model use case details have not been submitted for this account.")
	}
	return useCase{s.State.UseCase}, nil
}
