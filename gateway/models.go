package gateway

import (
	"cmp"
	"net/http"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
)

// modelEntry is a model as OpenAI's API lists it, with what Bedrock knows
// besides.
type modelEntry struct {
	ID        string        `json:"id"` // by which this region calls it; its own if nothing leads to it
	Object    string        `json:"object"`
	Created   int64         `json:"created"` // Unix seconds; 0 where Bedrock does not say
	OwnedBy   string        `json:"owned_by"`
	Model     string        `json:"model"` // its own id, which may be asked for as well
	Name      string        `json:"name"`
	Callable  bool          `json:"callable"`
	Because   *modelBecause `json:"because,omitempty"` // why not
	Area      string        `json:"area,omitempty"`    // where the data may go: "jp", "us", …, "global"; none stays in the region
	Input     []string      `json:"input_modalities"`
	Streaming bool          `json:"streaming"`
	Lifecycle string        `json:"lifecycle"` // "ACTIVE" or "LEGACY"
	Ends      string        `json:"end_of_life,omitempty"`
	Price     *modelPrice   `json:"price,omitempty"`
}

type modelBecause struct {
	ID     string `json:"id"` // TG id
	Title  string `json:"title"`
	Remedy string `json:"remedy"`
}

// modelPrice is in USD per million tokens.
type modelPrice struct {
	Input      float64 `json:"input"`
	Output     float64 `json:"output"`
	CacheRead  float64 `json:"cache_read"`
	CacheWrite float64 `json:"cache_write"`
}

// listModels lists every model that answers with text, callable ones first.
// With ?callable=true it leaves out the others.
func (s *Server) listModels(w http.ResponseWriter, r *http.Request) error {
	offers, err := s.Catalogue.Offers(r.Context())
	if err != nil {
		return err
	}
	entries := []modelEntry{}
	for _, o := range offers {
		if o.Callable() || r.URL.Query().Get("callable") != "true" {
			entries = append(entries, entryOf(o, langOf(r)))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": entries})
	return nil
}

// showModel answers for one model, by any id that a request may name.
func (s *Server) showModel(w http.ResponseWriter, r *http.Request) error {
	o, err := s.Catalogue.Find(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, entryOf(o, langOf(r)))
	return nil
}

func entryOf(o bedrock.Offer, l message.Lang) modelEntry {
	e := modelEntry{
		ID: cmp.Or(o.ID, o.Model.ID), Object: "model", OwnedBy: o.Model.Provider, Model: o.Model.ID, Name: o.Model.Name,
		Callable: o.Callable(), Area: o.Area, Input: o.Model.Input, Streaming: o.Model.Streaming, Lifecycle: o.Model.Lifecycle.Status,
	}
	if start := o.Model.Lifecycle.StartOfLifeTime; !start.IsZero() {
		e.Created = start.Unix()
	}
	if !o.Ends.IsZero() {
		e.Ends = o.Ends.Format(time.DateOnly)
	}
	if o.Because != "" {
		w := words(bedrock.Problem{ID: o.Because, Fields: o.Fields}, l)
		e.Because = &modelBecause{ID: w.ID, Title: w.Title, Remedy: w.Remedy}
	}
	if p, ok := bedrock.PriceOf(e.ID); ok {
		e.Price = &modelPrice{Input: p.In, Output: p.Out, CacheRead: p.CacheRead, CacheWrite: p.CacheWrite}
	}
	return e
}
