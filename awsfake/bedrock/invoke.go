package bedrock

import (
	"encoding/json"
	"strings"

	"tegata/awsfake/wire"
)

// asConverse is the dialect of Converse, whatever the model.
func asConverse(Model) (dialect, error) { return converseDialect{}, nil }

// asProvider is the dialect of a model's provider, in which InvokeModel asks.
func asProvider(m Model) (dialect, error) {
	switch {
	case strings.HasPrefix(m.ID, "anthropic."):
		return messagesDialect{}, nil
	case strings.HasPrefix(m.ID, "amazon.nova-"):
		return novaDialect{}, nil
	}
	return nil, invalid("tegata's stand-in answers InvokeModel in the forms of Anthropic's and Amazon Nova's models only. Ask " + m.ID + " by Converse.")
}

// countInput is what is to be counted, in one of two forms.
type countInput struct {
	Input struct {
		InvokeModel *struct {
			Body []byte `json:"body"`
		} `json:"invokeModel"`
		Converse json.RawMessage `json:"converse"`
	} `json:"input"`
}

type countAnswer struct {
	InputTokens int `json:"inputTokens"`
}

// countTokens counts without asking the model. It takes foundation models by
// their id alone, even those that answer only through a profile
// (pydantic/pydantic-ai#4001).
func (s *Service) countTokens(c *wire.Call, in countInput) (countAnswer, error) {
	m, ok := byID(s.models(c), c.Identifier())
	if !ok {
		if _, err := s.resolve(c); err != nil {
			return countAnswer{}, err
		}
		return countAnswer{}, invalid(noCounting)
	}
	if err := c.Authorize("bedrock:CountTokens", modelARN(c.Region, m.ID), nil); err != nil {
		return countAnswer{}, err
	}
	var form dialect = converseDialect{}
	body := []byte(in.Input.Converse)
	switch {
	case in.Input.InvokeModel != nil && body == nil:
		var err error
		if form, err = asProvider(m); err != nil {
			return countAnswer{}, err
		}
		body = in.Input.InvokeModel.Body
	case in.Input.InvokeModel != nil || body == nil:
		return countAnswer{}, invalid("The input must set one of the following keys: invokeModel, converse.")
	}
	q, err := form.parse(body)
	if err != nil {
		return countAnswer{}, err
	}
	if reached(c.Now(), m.Lifecycle.EndOfLife) {
		return countAnswer{}, notFound(endOfLife)
	}
	if !strings.HasPrefix(m.ID, "anthropic.") {
		return countAnswer{}, invalid(noCounting)
	}
	return countAnswer{q.inputTokens()}, nil
}

const noCounting = "The provided model doesn't support counting tokens."
