package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tegata/store"
)

// ErrWrong means that a password is not the one, or that a link does not open
// any more, or never did.
var ErrWrong = errors.New("wrong password or link")

// A TooManyError means that somebody has tried too often.
type TooManyError struct {
	Wait time.Duration // until the next attempt counts
}

func (e *TooManyError) Error() string {
	return fmt.Sprintf("too many attempts to sign in: wait %s", e.Wait.Round(time.Second))
}

// errOutside guards against a way in that nobody limits.
var errOutside = errors.New("signing in works in handlers of the guard's mux only")

// SignIn lets a person in who knows the password, and sets the cookie. It
// works in a handler of [Guard.Mux], with the context of its request. Returns
// [ErrWrong] if it is not the password, and a [*TooManyError] if it has not
// even been looked at.
func (g *Guard) SignIn(ctx context.Context, w http.ResponseWriter, r *http.Request, password string) error {
	return g.admit(ctx, w, r, "password", func() error { return g.checkPassword(ctx, password) })
}

// SignInByLink lets a person in who has the secret of a link, as SignIn does.
// A link opens once.
func (g *Guard) SignInByLink(ctx context.Context, w http.ResponseWriter, r *http.Request, secret string) error {
	return g.admit(ctx, w, r, "link", func() error {
		err := g.DB.TakeLink(ctx, hashOf(secret))
		if errors.Is(err, store.ErrNotFound) {
			return ErrWrong
		}
		return err
	})
}

func (g *Guard) admit(ctx context.Context, w http.ResponseWriter, r *http.Request, by string, check func() error) error {
	entrance, from := visitorOf(ctx).door, g.sender(r)
	if entrance == nil {
		return errOutside
	}
	if wait := entrance.knock(from); wait > 0 {
		g.log().Warn("too many attempts to sign in", "by", by, "from", from)
		return &TooManyError{wait}
	}
	if err := check(); err != nil {
		g.log().Warn("somebody could not sign in", "by", by, "from", from, "error", err)
		return err
	}
	entrance.forget(from)
	g.log().Info("signed in", "by", by, "from", from)
	return g.begin(ctx, w, r)
}

// A door counts attempts to get in: few from one address, and not many from
// all together. With the shortest password that is allowed, both are orders of
// magnitude below what guessing takes.
type door struct {
	all *rate.Limiter

	mu    sync.Mutex
	each  map[netip.Prefix]*rate.Limiter
	swept time.Time
}

const (
	attempts      = 5 // at once, from one address
	attemptEvery  = 10 * time.Second
	attemptsOfAll = 30
	ofAllEvery    = 500 * time.Millisecond
	mostAddresses = 4096 // that are told apart
)

func newDoor() *door {
	return &door{all: rate.NewLimiter(rate.Every(ofAllEvery), attemptsOfAll), each: map[netip.Prefix]*rate.Limiter{}}
}

// knock counts one attempt, or returns how long to wait until one is free.
func (d *door) knock(from netip.Prefix) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	one := d.limiter(from).Reserve()
	if wait := one.Delay(); wait > 0 {
		one.Cancel()
		return wait
	}
	all := d.all.Reserve()
	if wait := all.Delay(); wait > 0 {
		all.Cancel()
		return wait
	}
	return 0
}

// limiter returns the limiter of an address. When there are too many, those
// that have not tried for a while are forgotten, and the rest share one.
func (d *door) limiter(from netip.Prefix) *rate.Limiter {
	if len(d.each) >= mostAddresses && time.Since(d.swept) >= attemptEvery {
		d.sweep()
	}
	if len(d.each) >= mostAddresses && d.each[from] == nil {
		from = netip.Prefix{}
	}
	if d.each[from] == nil {
		d.each[from] = rate.NewLimiter(rate.Every(attemptEvery), attempts)
	}
	return d.each[from]
}

func (d *door) sweep() {
	for from, l := range d.each {
		if l.Tokens() >= attempts {
			delete(d.each, from)
		}
	}
	d.swept = time.Now()
}

// forget lets who got in begin anew.
func (d *door) forget(from netip.Prefix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.each, from)
}
