package bedrock

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// Bedrock's control plane: what models there are.

func (s *Service) modelOperations() []wire.Operation {
	return []wire.Operation{
		wire.Stream("ListFoundationModels", s.listFoundationModels).At("GET", "/foundation-models"),
		wire.Stream("GetFoundationModel", s.getFoundationModel).At("GET", "/foundation-models/{}"),
	}
}

func (s *Service) listFoundationModels(w http.ResponseWriter, c *wire.Call) error {
	if err := c.Authorize("bedrock:ListFoundationModels", "*", nil); err != nil {
		return err
	}
	q := c.Request.URL.Query()
	for name, values := range modelFilters {
		if err := checkEnum(name, q.Get(name), values); err != nil {
			return err
		}
	}
	models := []modelDetails{}
	for _, m := range s.models(c) {
		if matches(m, q.Get) {
			models = append(models, s.details(c, m))
		}
	}
	return c.WriteJSON(w, map[string]any{"modelSummaries": models})
}

// modelFilters are the filters with a fixed set of values.
var modelFilters = map[string][]string{
	"byCustomizationType": {"FINE_TUNING", "CONTINUED_PRE_TRAINING", "DISTILLATION"},
	"byInferenceType":     {"ON_DEMAND", "PROVISIONED"},
	"byOutputModality":    {"TEXT", "IMAGE", "EMBEDDING"},
}

func checkEnum(name, value string, values []string) error {
	if value == "" || slices.Contains(values, value) {
		return nil
	}
	return invalid(fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: "+
		"Member must satisfy enum value set: [%s]", value, name, strings.Join(values, ", ")))
}

// matches applies the filters. No model here can be customised.
func matches(m Model, filter func(string) string) bool {
	provider, inference, modality := filter("byProvider"), filter("byInferenceType"), filter("byOutputModality")
	return (provider == "" || strings.EqualFold(provider, m.Provider)) &&
		(inference == "" || slices.Contains(m.InferenceTypes, inference)) &&
		(modality == "" || slices.Contains(modalities(m.Output), modality)) &&
		filter("byCustomizationType") == ""
}

// models are those that the call's region has.
func (s *Service) models(c *wire.Call) []Model {
	if !s.local(c) {
		return nil
	}
	return s.Options.Models
}

type modelDetails struct {
	ARN            string           `json:"modelArn"`
	ID             string           `json:"modelId"`
	Name           string           `json:"modelName"`
	Provider       string           `json:"providerName"`
	Input          []string         `json:"inputModalities"`
	Output         []string         `json:"outputModalities"`
	Streaming      bool             `json:"responseStreamingSupported"`
	Customizations []string         `json:"customizationsSupported"`
	InferenceTypes []string         `json:"inferenceTypesSupported"`
	Lifecycle      lifecycleDetails `json:"modelLifecycle"`
}

// lifecycleDetails has its times as text: Bedrock's timestamps are ISO 8601.
type lifecycleDetails struct {
	Status    string `json:"status"`
	Legacy    string `json:"legacyTime,omitempty"`
	Extended  string `json:"publicExtendedAccessTime,omitempty"`
	EndOfLife string `json:"endOfLifeTime,omitempty"`
}

func (s *Service) details(c *wire.Call, m Model) modelDetails {
	return modelDetails{
		ARN: modelARN(c.Region, m.ID), ID: m.ID, Name: m.Name, Provider: m.Provider,
		Input: modalities(m.Input), Output: modalities(m.Output),
		Streaming: m.Streaming, Customizations: []string{}, InferenceTypes: m.InferenceTypes,
		Lifecycle: lifecycleDetails{
			Status: m.Lifecycle.status(c.Now()),
			Legacy: isoTime(m.Lifecycle.Legacy), Extended: isoTime(m.Lifecycle.Extended), EndOfLife: isoTime(m.Lifecycle.EndOfLife),
		},
	}
}

func modalities(list []string) []string {
	if len(list) == 0 {
		return []string{"TEXT"}
	}
	return list
}

func isoTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// status is what the dates say unless it is given.
func (l Lifecycle) status(now time.Time) string {
	switch {
	case l.Status != "":
		return l.Status
	case reached(now, l.Legacy), reached(now, l.EndOfLife):
		return "LEGACY"
	}
	return "ACTIVE"
}

func reached(now, t time.Time) bool { return !t.IsZero() && !now.Before(t) }

func (s *Service) getFoundationModel(w http.ResponseWriter, c *wire.Call) error {
	m, err := s.findModel(c)
	if err != nil {
		return err
	}
	if err := c.Authorize("bedrock:GetFoundationModel", modelARN(c.Region, m.ID), nil); err != nil {
		return err
	}
	return c.WriteJSON(w, map[string]any{"modelDetails": s.details(c, m)})
}

// findModel looks the call's model up by its id or ARN.
func (s *Service) findModel(c *wire.Call) (Model, error) {
	id := strings.TrimPrefix(c.Identifier(), modelARN(c.Region, ""))
	if m, ok := byID(s.models(c), id); ok {
		return m, nil
	}
	return Model{}, invalid(unknownModel)
}

func byID(models []Model, id string) (Model, bool) {
	i := slices.IndexFunc(models, func(m Model) bool { return m.ID == id })
	if i < 0 {
		return Model{}, false
	}
	return models[i], true
}
