package imds

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	tokenPath = "/latest/api/token"
	maxTTL    = 6 * time.Hour
)

// A grant is what a read is made with: a token, or the leave to do without.
type grant struct {
	token string    // "" for IMDSv1
	why   error     // why there is no token
	renew time.Time // from then on, readers ask for the next one
	end   time.Time // when the token ends
}

// newGrant makes a grant that is renewed two minutes before its end, the
// margin of the AWS SDK for Rust, or at nine tenths of a short life.
func newGrant(token string, life time.Duration, now time.Time) *grant {
	end := now.Add(life)
	return &grant{token: token, renew: end.Add(-min(2*time.Minute, life/10)), end: end}
}

// A flight is a request for a grant that several readers wait for. It ends
// when it is answered, or when its last reader has left.
type flight struct {
	cancel  context.CancelFunc
	readers int           // guarded by Client.mu
	at      verdict       // how far it has come
	done    chan struct{} // closed when grant or err is set
	grant   *grant
	err     error
}

// token returns the shared grant, and gets one if there is none that is fresh.
func (c *Client) token(ctx context.Context) (*grant, error) {
	began := time.Now()
	c.mu.Lock()
	if c.grant != nil && began.Before(c.grant.renew) {
		defer c.mu.Unlock()
		return c.grant, nil
	}
	if c.flight == nil {
		c.flight = c.takeOff(ctx)
	}
	f := c.flight
	f.readers++
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.grant, f.err
	case <-ctx.Done():
		c.leave(f)
		return nil, stopped(ctx, f.at.kind()).of("PUT", tokenPath, 0, time.Since(began))
	}
}

// leave takes a reader off a flight. The last one ends it, and waits for that.
func (c *Client) leave(f *flight) {
	c.mu.Lock()
	f.readers--
	last := f.readers == 0
	if last && c.flight == f {
		c.flight = nil // whoever comes now must not join what is ending
	}
	c.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}

// takeOff starts a flight that does not end with the context of the reader
// who happened to be the first.
func (c *Client) takeOff(ctx context.Context) *flight {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer cancel()
		g, err := c.requestToken(ctx, &f.at)
		c.land(f, g, err)
	}()
	return f
}

// land hands the outcome to the readers. An early renewal that failed is no
// loss: the old token is used up to its end.
func (c *Client) land(f *flight, g *grant, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	old, now := c.grant, time.Now()
	switch {
	case c.flight != f: // every reader has left
		f.err = err
		return
	case err == nil:
		f.grant = g
	case old != nil && now.Before(old.end):
		f.grant = &grant{token: old.token, why: old.why, renew: old.end, end: old.end}
	case c.Policy == AllowV1 && meansNoV2(err):
		f.grant = newGrant("", maxTTL, now)
		f.grant.why = err
	default:
		f.err = err
	}
	c.flight = nil
	if f.err == nil {
		c.grant = f.grant
	}
}

// meansNoV2 reports whether a client that may speak v1 should do so now. A
// request refused as wrong, an unreachable service and a failing one are no
// better without a token.
func meansNoV2(err error) bool {
	return errors.Is(err, ErrForbidden) || errors.Is(err, ErrNoV2) || errors.Is(err, ErrTokenLost)
}

// forget drops a grant that was refused, unless another reader did so already.
func (c *Client) forget(g *grant) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.grant == g {
		c.grant = nil
	}
}

// requestToken asks the service for a token.
func (c *Client) requestToken(ctx context.Context, at *verdict) (*grant, error) {
	asked := c.TokenTTL
	if asked == 0 {
		asked = maxTTL
	}
	if asked < time.Second || asked > maxTTL {
		err := fmt.Errorf("token lifetime %v is not within 1s and 6h", asked)
		return nil, &Error{Kind: ErrInvalid, Method: "PUT", Path: tokenPath, Err: err}
	}
	began := time.Now()
	a, failed := c.send(ctx, &request{method: "PUT", path: tokenPath, ttl: int(asked / time.Second)}, at)
	if failed != nil {
		return nil, failed
	}
	token := strings.TrimSpace(a.body)
	if token == "" || len(token) > 4096 || !isPrintable(token) {
		err := fmt.Errorf("%d bytes that are not a token", len(a.body))
		return nil, (&Error{Kind: ErrMalformed, Status: a.status, Err: err}).of("PUT", tokenPath, 1, time.Since(began))
	}
	return newGrant(token, granted(a.header, asked), began), nil
}

// granted returns the lifetime that an answer tells, or else the one that was
// asked for.
func granted(h http.Header, asked time.Duration) time.Duration {
	seconds, err := strconv.Atoi(h.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
	if err != nil || seconds <= 0 || seconds > int(maxTTL/time.Second) {
		return asked
	}
	return time.Duration(seconds) * time.Second
}

// isPrintable reports whether a token can stand in a header as it is.
func isPrintable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
