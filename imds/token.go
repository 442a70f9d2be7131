package imds

import (
	"context"
	"errors"
	"fmt"
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
	why   *Error    // why there is no token
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
		g, failed := c.requestToken(ctx, &f.at)
		if failed != nil {
			if g = c.standby(failed); g == nil {
				failed = c.examine(ctx, failed, &f.at)
			}
		}
		c.land(f, g, failed)
	}()
	return f
}

// land hands the outcome to the readers: a grant, or else the failure.
func (c *Client) land(f *flight, g *grant, failed *Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(f.done)
	if g == nil {
		f.err = failed
	}
	f.grant = g
	if c.flight != f { // every reader has left
		return
	}
	c.flight = nil
	if g != nil {
		c.grant = g
	}
}

// standby returns what readers can go on with although the request for a token
// failed, or nil. An early renewal that failed is no loss: the old token is
// used up to its end.
func (c *Client) standby(failed *Error) *grant {
	c.mu.Lock()
	defer c.mu.Unlock()
	old, now := c.grant, time.Now()
	switch {
	case old != nil && now.Before(old.end):
		return &grant{token: old.token, why: old.why, renew: old.end, end: old.end}
	case c.Policy == WhenAbsent && reasonFor(failed) != "":
		g := newGrant("", maxTTL, now)
		g.why = failed
		return g
	}
	return nil
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
func (c *Client) requestToken(ctx context.Context, at *verdict) (*grant, *Error) {
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
	token, life, err := a.token(asked)
	if err != nil {
		foreign := &Error{Kind: ErrForeign, Status: a.status, Server: a.server(), Err: err}
		return nil, foreign.of("PUT", tokenPath, 1, time.Since(began))
	}
	return newGrant(token, life, began), nil
}

// maxToken is far more than the 56 characters that tokens have.
const maxToken = 4096

// token returns the token of an answer and its lifetime. EC2 always tells the
// latter: what answers without it is something else.
func (a *answer) token(asked time.Duration) (token string, life time.Duration, err error) {
	token = strings.TrimSpace(a.body)
	seconds, err := strconv.ParseUint(a.header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"), 10, 32)
	switch {
	case token == "" || len(token) > maxToken || !consistsOf(token, lower+upper+digits+"_=+/.-"):
		return "", 0, fmt.Errorf("%d bytes that are no token", len(a.body))
	case err != nil || seconds == 0:
		return "", 0, errors.New("a token without its lifetime in X-Aws-Ec2-Metadata-Token-Ttl-Seconds")
	}
	return token, min(time.Duration(seconds)*time.Second, asked), nil
}
