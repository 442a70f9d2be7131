package bedrock

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// Bedrock Runtime: a model is asked.

const (
	unknownModel = "The provided model identifier is invalid."
	endOfLife    = "This model version has reached the end of its life. Please refer to the AWS documentation for more details."
	legacyUnused = "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model " +
		"in the last 30 days. Please upgrade to an active model on Amazon Bedrock"
	noAccess = "You don't have access to the model with the specified model ID."
	noForm   = "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form " +
		"before using the model. If you have already filled out the form, try again in 15 minutes."
	noSubscription = "Model access is denied due to IAM user or service role is not authorized to perform the required " +
		"AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model. " +
		"Refer to the Amazon Bedrock documentation for further details. Your AWS Marketplace subscription for this model " +
		"cannot be completed at this time. If you recently fixed this issue, try again after 5 minutes."
	noConversation = "This action doesn't support the model that you provided. Try again with a supported text or chat model."
)

// onDemand refuses a model that only its profiles give. The apostrophe is
// AWS's own, U+2019.
func onDemand(id string) string {
	return "Invocation of model ID " + id + " with on-demand throughput isn’t supported. " +
		"Retry your request with the ID or ARN of an inference profile that contains this model."
}

// A target is what a model id stands for: a model, perhaps by way of a profile.
type target struct {
	model   Model // with the access that the account has now
	profile *Profile
	arn     string // of the profile
}

// resolve looks the id or ARN in the path up. Profiles of the account's own
// are called by their ARN.
func (s *Service) resolve(c *wire.Call) (target, error) {
	if id, ok := strings.CutPrefix(c.Identifier(), applicationARN(c, "")); ok {
		return s.resolveApplication(c, id)
	}
	if id, ok := strings.CutPrefix(c.Identifier(), profileARN(c, "")); ok {
		return s.resolveProfile(c, id)
	}
	if m, err := s.findModel(c); err == nil {
		m.Access = s.access(m, c.Now())
		return target{model: m}, nil
	}
	return s.resolveProfile(c, c.Identifier())
}

func (s *Service) resolveProfile(c *wire.Call, id string) (target, error) {
	for _, p := range s.profiles(c) {
		if p.ID == id && len(p.Models) > 0 {
			return s.through(c, p, profileARN(c, id))
		}
	}
	return target{}, invalid(unknownModel)
}

func (s *Service) resolveApplication(c *wire.Call, id string) (target, error) {
	p, ok := s.region(c).Profiles[id]
	if !ok {
		return target{}, invalid(unknownModel)
	}
	return s.through(c, p.profile(), applicationARN(c, id))
}

func (s *Service) through(c *wire.Call, p Profile, arn string) (target, error) {
	m, ok := byID(s.Options.Models, p.Models[0])
	if !ok {
		return target{}, invalid(unknownModel)
	}
	m.Access = s.access(m, c.Now())
	return target{m, &p, arn}, nil
}

// authorizeModel evaluates the policies on every ARN that the call touches: a
// profile itself first, then its model in each region where it may run.
func (s *Service) authorizeModel(c *wire.Call, action string, t target, g *guard) error {
	keys := map[string]string{}
	if g != nil {
		keys["bedrock:GuardrailIdentifier"] = g.identifier()
	}
	if t.profile == nil {
		return c.Authorize(action, modelARN(c.Region, t.model.ID), keys)
	}
	if err := c.Authorize(action, t.arn, keys); err != nil {
		return err
	}
	for _, region := range t.profile.destinations(c.Region) {
		context := maps.Clone(keys)
		context["bedrock:InferenceProfileArn"], context["aws:RequestedRegion"] = t.arn, region
		if region == "" {
			context["aws:RequestedRegion"] = "unspecified"
		}
		if err := c.Authorize(action, modelARN(region, t.model.ID), context); err != nil {
			return err
		}
	}
	return nil
}

// checkModel refuses a model that is dead, closed to the account or not to be
// called in this way.
func (s *Service) checkModel(c *wire.Call, t target) error {
	m := t.model
	if reached(c.Now(), m.Lifecycle.EndOfLife) {
		return notFound(endOfLife)
	}
	switch m.Access {
	case AccessDenied:
		return forbidden(noAccess)
	case AccessForm:
		return notFound(noForm)
	case AccessSubscription, AccessPending, AccessError:
		return forbidden(noSubscription)
	case AccessInactive:
		return notFound(legacyUnused)
	}
	if t.profile == nil && !slices.Contains(m.InferenceTypes, "ON_DEMAND") {
		return invalid(onDemand(c.Identifier()))
	}
	if !slices.Contains(modalities(m.Output), "TEXT") || isStream(c) && !m.Streaming {
		return invalid(noConversation)
	}
	return nil
}
