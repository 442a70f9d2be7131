package bedrock

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Source gives the client of the moment. Trying again after a failure is the
// business of whoever provides it.
type Source func(ctx context.Context) (*Client, error)

// An Offer is a model as one account finds it in one region.
type Offer struct {
	Model   Model
	ID      string            // by which this region calls it; "" if nothing leads to it
	Area    string            // of the profile: "jp", "us", "eu", "apac", "au", "global", …; "" stays in the region
	Because string            // id of the finding why it can't be called; "" means it can
	Fields  map[string]string // evidence for Because
	Ends    time.Time         // end of life; zero if none is announced
}

// Callable reports whether nothing is known to stand in the way of a call.
func (o Offer) Callable() bool { return o.Because == "" && o.ID != "" }

const (
	keep      = 10 * time.Minute // what a region offers changes a few times a month
	keepError = 15 * time.Second
	// findWithin is how long a question may wait for the list, counted from
	// the beginning of its load: without the list most ids work as they are.
	findWithin = 3 * time.Second
	// loadWithin bounds a load that nobody may be waiting for any more.
	loadWithin = 20 * time.Second
)

// A Catalogue remembers what a region offers for ten minutes, and for 15
// seconds that it could not be read. It is safe for concurrent use; readers
// that come at the same time share one load, and what is too old is given out
// until the new is there.
type Catalogue struct {
	source Source

	mu      sync.Mutex
	kept    *listing // nil before the first load has ended
	loading *loading // nil when none is under way
}

// A listing is what one load brought.
type listing struct {
	client *Client
	offers []Offer // of all models, sorted
	err    error   // why there are none
	until  time.Time
}

// A loading is a load under way.
type loading struct {
	client *Client
	began  time.Time
	done   chan struct{} // closed when got is there
	got    *listing
}

// NewCatalogue returns an empty catalogue. The first reader fills it.
func NewCatalogue(source Source) *Catalogue { return &Catalogue{source: source} }

// Forget makes the next reader load anew, and wait for it.
func (c *Catalogue) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept, c.loading = nil, nil
}

// Offers lists the models that answer with text: callable ones first, and the
// newer before the older. It needs the rights of [Client.Models]; whether the
// account may use each model is asked as well, and left open where the role
// may not ask.
func (c *Catalogue) Offers(ctx context.Context) ([]Offer, error) {
	client, err := c.source(ctx)
	if err != nil {
		return nil, err
	}
	l := c.read(ctx, client, loadWithin+time.Second)
	if l == nil {
		return nil, cmp.Or(context.Cause(ctx), context.DeadlineExceeded)
	}
	var offers []Offer
	for _, o := range l.offers {
		if o.Model.chats() {
			o.Fields = maps.Clone(o.Fields)
			offers = append(offers, o)
		}
	}
	return offers, l.err
}

// Find returns the offer behind the id of a model or of an inference profile,
// or behind an ARN of either. An ARN of any other kind, and every id where the
// list can't be read, is offered as it is.
//
// The error is a [*NoProfileError] for an id that the region does not know. A
// model that it knows and that can't be called is no error, see Because.
func (c *Catalogue) Find(ctx context.Context, id string) (Offer, error) {
	client, err := c.source(ctx)
	if err != nil {
		return Offer{}, err
	}
	l := c.read(ctx, client, findWithin)
	switch {
	case ctx.Err() != nil:
		return Offer{}, context.Cause(ctx)
	case l == nil:
		return asItIs(id), nil
	case errors.Is(l.err, ErrNoRegion), errors.As(l.err, new(*credentialsError)):
		return Offer{}, l.err
	case l.err != nil:
		return asItIs(id), nil
	}
	return l.find(id)
}

func asItIs(id string) Offer {
	return Offer{Model: Model{ID: BaseID(id)}, ID: id, Area: areaOf(id)}
}

// read returns the listing of a client. Where there is none to give out it
// waits for one, until its load has gone on for as long as patience, or ctx
// ends, and returns nil then.
func (c *Catalogue) read(ctx context.Context, client *Client, patience time.Duration) *listing {
	kept, under := c.look(ctx, client)
	if kept != nil {
		return kept
	}
	timer := time.NewTimer(time.Until(under.began.Add(patience)))
	defer timer.Stop()
	select {
	case <-under.done:
		return under.got
	case <-ctx.Done():
	case <-timer.C:
	}
	return nil
}

// look returns the listing that can be given out, or the load to wait for. A
// listing that is too old is given out while its successor is loaded; that of
// another client is none.
func (c *Catalogue) look(ctx context.Context, client *Client) (*listing, *loading) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.kept
	if kept != nil && kept.client != client {
		kept = nil
	}
	if kept != nil && time.Now().Before(kept.until) {
		return kept, nil
	}
	if c.loading == nil || c.loading.client != client {
		c.loading = &loading{client: client, began: time.Now(), done: make(chan struct{})}
		go c.load(context.WithoutCancel(ctx), c.loading, kept)
	}
	if kept != nil && kept.err == nil {
		return kept, nil
	}
	return nil, c.loading
}

// load fills in what is under way. What it brings is kept, unless somebody
// asked to forget it in the meantime.
func (c *Catalogue) load(ctx context.Context, under *loading, old *listing) {
	ctx, cancel := context.WithTimeout(ctx, loadWithin)
	defer cancel()
	got := &listing{client: under.client}
	got.offers, got.err = under.client.offers(ctx)
	switch {
	case got.err == nil:
		got.until = time.Now().Add(keep)
	case old != nil && old.err == nil: // better than nothing
		got.offers, got.err = old.offers, nil
		fallthrough
	default:
		got.until = time.Now().Add(keepError)
	}
	under.got = got
	close(under.done)

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loading == under {
		c.kept, c.loading = got, nil
	}
}

// find looks an id up in a listing without error.
func (l *listing) find(id string) (Offer, error) {
	bare := id[strings.LastIndexByte(id, '/')+1:]
	for _, o := range l.offers {
		viaProfile := slices.Contains(o.Model.Profiles, bare)
		switch {
		case o.Model.ID == bare:
		case viaProfile:
			o.ID, o.Area = id, areaOf(bare)
		default:
			continue
		}
		o.Fields = maps.Clone(o.Fields)
		return o, nil
	}
	if strings.HasPrefix(id, "arn:") {
		return asItIs(id), nil
	}
	return Offer{}, &NoProfileError{Model: id, Region: l.client.config.Region, Instead: l.instead(id)}
}

// instead returns what could be called in place of an id: first of all the
// same model, where only the prefix is that of another region.
func (l *listing) instead(id string) []string {
	var ids []string
	for _, o := range l.offers {
		if o.Model.ID == BaseID(id) && o.Callable() {
			ids = append(ids, o.ID)
		}
	}
	ids = append(ids, Alternatives(l.models(), id, l.client.config.Region)...)
	return ids[:min(len(ids), maxInstead)]
}

func (l *listing) models() []Model {
	var models []Model
	for _, o := range l.offers {
		if o.Callable() && o.Model.chats() {
			models = append(models, o.Model)
		}
	}
	return models
}

// Problem is [ProblemOf], completed with what the catalogue knows of the
// model: the profile to call it by, or another one to call. It asks nobody.
func (c *Catalogue) Problem(err error) Problem {
	p := ProblemOf(err)
	c.mu.Lock()
	l := c.kept
	c.mu.Unlock()
	model := p.Fields["model"]
	if l == nil || model == "" {
		return p
	}
	switch p.ID {
	case "TG6002":
		if o, err := l.find(model); err == nil && o.ID != model {
			p.Fields["profile"] = o.ID
		}
	case "TG6014":
		if ids := l.instead(model); p.Fields["successor"] == "" && len(ids) > 0 {
			p.Fields["successor"] = ids[0]
		}
	}
	return p
}

// areaOf returns the area of a profile's id, "" for any other id.
func areaOf(id string) string {
	if !isProfile(id) {
		return ""
	}
	area, _, _ := strings.Cut(id, ".")
	return area
}
