package bedrock

import (
	"time"

	"tegata/awsfake/wire"
)

// State is what an account keeps of Bedrock: plain data, which a round trip
// through JSON leaves as it is. The zero value is ready.
type State struct {
	UseCase    []byte               // the form for Anthropic's models, as it was put
	UseCaseAt  time.Time            // when that was
	Agreements map[string]Agreement // by model id
	Regions    map[string]*Region
}

// An Agreement is the account's with the provider of a model.
type Agreement struct {
	Offer string    // the token of the offer that was taken
	Made  time.Time // zero: it was ended
}

// A Region is what the account keeps in one region.
type Region struct {
	Profiles   map[string]*ApplicationProfile // by id
	Guardrails map[string]*Guardrail          // by id
	Logging    *Logging
}

// region returns what the account keeps in the call's region, to be read.
func (s *Service) region(c *wire.Call) *Region {
	if r, ok := s.State.Regions[c.Region]; ok {
		return r
	}
	return new(Region)
}

// ownRegion returns the same, to be changed.
func (s *Service) ownRegion(c *wire.Call) *Region {
	r, ok := s.State.Regions[c.Region]
	if !ok {
		if s.State.Regions == nil {
			s.State.Regions = map[string]*Region{}
		}
		r = &Region{Profiles: map[string]*ApplicationProfile{}, Guardrails: map[string]*Guardrail{}}
		s.State.Regions[c.Region] = r
	}
	return r
}
