package bedrock

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// offers lists the models of the region with what stands in the way of each.
func (c *Client) offers(ctx context.Context) ([]Offer, error) {
	models, err := c.Models(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var offers []Offer
	for _, m := range models {
		id := m.CallIn(c.config.Region)
		o := Offer{Model: m, ID: id, Area: areaOf(id), Ends: m.Lifecycle.EndOfLifeTime}
		switch {
		case m.Lifecycle.Ended(now):
			o.refuse("TG6014", c.config.Region, "end_of_life", o.Ends.Format(time.DateOnly),
				"successor", first(Alternatives(models, m.ID, c.config.Region)))
		case id == "":
			o.refuse("TG6003", c.config.Region)
		}
		offers = append(offers, o)
	}
	c.askAccess(ctx, offers)
	slices.SortStableFunc(offers, callableThenNewer)
	return offers, nil
}

// refuse says why the model can't be called, with fields as pairs of name and
// value.
func (o *Offer) refuse(because, region string, fields ...string) {
	o.Because = because
	o.Fields = map[string]string{"model": o.Model.ID, "region": region}
	for pair := range slices.Chunk(fields, 2) {
		if pair[1] != "" {
			o.Fields[pair[0]] = pair[1]
		}
	}
}

func first(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// chats reports whether the model talks: text goes in and comes out, and it
// can be had without a contract for throughput. A reranker also answers with
// what Bedrock calls text.
func (m Model) chats() bool {
	text := func(modalities []string) bool { return len(modalities) == 0 || slices.Contains(modalities, "TEXT") }
	return text(m.Input) && text(m.Output) && !strings.Contains(m.ID, "rerank") &&
		(m.OnDemand() || slices.Contains(m.InferenceTypes, "INFERENCE_PROFILE"))
}

const (
	// accessAtOnce bounds the questions under way; AWS throttles its control
	// plane at some ten calls a second.
	accessAtOnce = 8
	// accessWithin bounds all of them together.
	accessWithin = 8 * time.Second
)

// askAccess asks whether the account may use each of the models, and stops
// where the role may not ask, or nobody answers. Only a plain no counts: an
// agreement that is missing is made by the first call.
func (c *Client) askAccess(ctx context.Context, offers []Offer) {
	ctx, cancel := context.WithTimeout(ctx, accessWithin)
	defer cancel()
	var next atomic.Int64
	var asking sync.WaitGroup
	for range accessAtOnce {
		asking.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(offers) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if o := &offers[i]; o.Callable() && o.Model.chats() && !c.askAccessTo(ctx, o) {
					cancel()
				}
			}
		})
	}
	asking.Wait()
}

// askAccessTo reports whether it makes sense to go on asking.
func (c *Client) askAccessTo(ctx context.Context, o *Offer) bool {
	a, err := c.Availability(ctx, o.Model.ID)
	var e *Error
	switch {
	case errors.As(err, &e):
		return e.Status == http.StatusBadRequest || e.Status == http.StatusNotFound // this model's own trouble
	case err != nil:
		return false
	case a.Authorization == "NOT_AUTHORIZED":
		o.refuse("TG6001", c.config.Region,
			"authorization", a.Authorization, "agreement", a.Agreement.Status, "entitlement", a.Entitlement)
	}
	return true
}

// callableThenNewer orders offers. AWS dates only models of the last years;
// among others the version in the name decides.
func callableThenNewer(a, b Offer) int {
	callable := func(o Offer) int {
		if o.Callable() {
			return 1
		}
		return 0
	}
	return cmp.Or(
		cmp.Compare(callable(b), callable(a)),
		b.Model.Lifecycle.StartOfLifeTime.Compare(a.Model.Lifecycle.StartOfLifeTime),
		slices.Compare(version(b.Model.ID), version(a.Model.ID)),
		cmp.Compare(a.Model.ID, b.Model.ID),
	)
}

// version returns the first numbers in the name of a model: 4 and 6 for
// anthropic.claude-opus-4-6-v1. The eight digits of a date are none of them.
func version(id string) []int {
	_, name, _ := strings.Cut(BaseID(id), ".")
	var numbers []int
	for part := range strings.SplitSeq(name, "-") {
		n, err := strconv.Atoi(part)
		switch {
		case err == nil && len(part) <= 2:
			numbers = append(numbers, n)
		case len(numbers) > 0:
			return numbers
		}
	}
	return numbers
}
