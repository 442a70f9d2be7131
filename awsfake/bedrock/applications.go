package bedrock

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// Inference profiles that the account makes, so that calls can be told apart
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-create.html).

// An ApplicationProfile is a profile that the account has made of a model or of
// one of AWS's profiles.
type ApplicationProfile struct {
	ID, Name, Description string
	Model                 string   // id
	Regions               []string // destinations, as in [Profile]
	Token                 string   // of the request that made it, "" for none
	Tags                  map[string]string
	Made                  time.Time
}

// profile is the same as the runtime sees profiles.
func (a *ApplicationProfile) profile() Profile {
	return Profile{ID: a.ID, Name: a.Name, Models: []string{a.Model}, Regions: a.Regions}
}

func (s *Service) applicationDetails(c *wire.Call, a *ApplicationProfile) profileDetails {
	d := s.profileDetails(c, a.profile())
	d.Description, d.ARN, d.Type = a.Description, applicationARN(c, a.ID), "APPLICATION"
	d.Created, d.Updated = isoTime(a.Made), isoTime(a.Made)
	return d
}

// applications are those of the call's region, by their age.
func (s *Service) applications(c *wire.Call) []*ApplicationProfile {
	return slices.SortedFunc(maps.Values(s.region(c).Profiles), func(a, b *ApplicationProfile) int {
		return cmp.Or(a.Made.Compare(b.Made), cmp.Compare(a.ID, b.ID))
	})
}

type createProfileInput struct {
	Name        *string `json:"inferenceProfileName"`
	Description *string `json:"description"`
	Token       string  `json:"clientRequestToken"`
	Source      *struct {
		CopyFrom *string `json:"copyFrom"`
	} `json:"modelSource"`
	Tags []tag `json:"tags"`
}

type createProfileAnswer struct {
	ARN    string `json:"inferenceProfileArn"`
	Status string `json:"status"`
}

func (in createProfileInput) check(c *wire.Call) error {
	var v wire.Checks
	v.Required("inferenceProfileName", in.Name != nil)
	v.Required("modelSource", in.Source != nil)
	if in.Name != nil {
		v.Length("inferenceProfileName", *in.Name, 1, 64)
		v.Pattern("inferenceProfileName", *in.Name, `([0-9a-zA-Z][ _-]?)+`)
	}
	if in.Description != nil {
		v.Length("description", *in.Description, 1, 200)
		v.Pattern("description", *in.Description, `([0-9a-zA-Z:.][ _-]?)+`)
	}
	if in.Source != nil {
		v.Required("modelSource.copyFrom", in.Source.CopyFrom != nil)
	}
	if in.Source != nil && in.Source.CopyFrom != nil {
		v.Pattern("modelSource.copyFrom", *in.Source.CopyFrom,
			`arn:aws(|-us-gov|-cn|-iso|-iso-b):bedrock:(|[0-9a-z-]{0,20}):(|[0-9]{12}):(inference-profile|foundation-model)/[a-zA-Z0-9-:.]+`)
	}
	return v.Err(c)
}

// createProfile takes model and regions over from what it copies.
func (s *Service) createProfile(c *wire.Call, in createProfileInput) (createProfileAnswer, error) {
	if err := in.check(c); err != nil {
		return createProfileAnswer{}, err
	}
	if err := c.Authorize("bedrock:CreateInferenceProfile", applicationARN(c, "*"), requestTags(in.Tags)); err != nil {
		return createProfileAnswer{}, err
	}
	for _, a := range s.region(c).Profiles {
		if in.Token != "" && a.Token == in.Token {
			return createProfileAnswer{applicationARN(c, a.ID), "ACTIVE"}, nil
		}
	}
	source, err := s.source(c, *in.Source.CopyFrom)
	if err != nil {
		return createProfileAnswer{}, err
	}
	a := &ApplicationProfile{
		ID: randomID(), Name: *in.Name, Model: source.Models[0], Regions: source.Regions, Token: in.Token, Tags: tagMap(in.Tags), Made: c.Now(),
	}
	if in.Description != nil {
		a.Description = *in.Description
	}
	s.ownRegion(c).Profiles[a.ID] = a
	return createProfileAnswer{applicationARN(c, a.ID), "ACTIVE"}, nil
}

// source finds the model or the profile that is to be copied.
func (s *Service) source(c *wire.Call, arn string) (Profile, error) {
	if id, ok := strings.CutPrefix(arn, modelARN(c.Region, "")); ok {
		m, found := byID(s.models(c), id)
		switch {
		case !found:
			return Profile{}, invalid(unknownModel)
		case !slices.Contains(m.InferenceTypes, "ON_DEMAND"):
			return Profile{}, invalid(onDemand(id))
		}
		return Profile{Models: []string{id}, Regions: []string{c.Region}}, nil
	}
	id := strings.TrimPrefix(arn, profileARN(c, ""))
	for _, p := range s.profiles(c) {
		if p.ID == id && len(p.Models) > 0 {
			return p, nil
		}
	}
	return Profile{}, notFound("Unable to find inference profile: " + id)
}

func (s *Service) deleteProfile(c *wire.Call, _ wire.Empty) (wire.Empty, error) {
	id := strings.TrimPrefix(c.Identifier(), applicationARN(c, ""))
	if err := c.Authorize("bedrock:DeleteInferenceProfile", applicationARN(c, id), nil); err != nil {
		return wire.Empty{}, err
	}
	if _, ok := s.region(c).Profiles[id]; !ok {
		return wire.Empty{}, notFound("Unable to find inference profile: " + id)
	}
	delete(s.ownRegion(c).Profiles, id)
	return wire.Empty{}, nil
}

// randomID names what the account makes: twelve small letters and digits.
func randomID() string { return strings.ToLower(rand.Text()[:12]) }
