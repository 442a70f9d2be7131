package imds

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Why there is no token shows in comparison alone: one read is sent to the same
// address once the request for the token has failed. It carries a token that
// can't be valid, so that EC2 does not count it as a call of version 1 (the
// metric MetadataNoToken). 401 is what it should get, but any answer shows
// that the way there and back is open.

const (
	probePath    = "/latest/meta-data/instance-id"
	probeToken   = "not-a-token"
	probeTimeout = time.Second

	// atOnce is how fast an answer must be to show that the service is not
	// just slow. Next door it takes a millisecond.
	atOnce = answerTimeout / 2
)

// A probe is what became of that read.
type probe struct {
	answer *answer // nil if none came
	failed *Error  // nil for a good answer, which an emulator may give to any token
	took   time.Duration
}

func (c *Client) probe(ctx context.Context) probe {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	began := time.Now()
	var at verdict
	a, failed := c.attempt(ctx, &request{method: "GET", path: probePath, token: probeToken}, &at)
	return probe{a, failed, time.Since(began)}
}

func (p probe) isForeign() bool {
	return p.failed != nil && isStranger(p.failed.Kind)
}

// String tells what became of the read, as evidence.
func (p probe) String() string {
	took := p.took.Round(100 * time.Microsecond)
	if p.answer == nil {
		return fmt.Sprintf("GET %s got no answer either, after %v: %v", probePath, took, p.failed.reason())
	}
	by := ""
	if s := p.answer.server(); s != "" {
		by = fmt.Sprintf(" from %.80q", s)
	}
	return fmt.Sprintf("GET %s was answered with HTTP %d%s after %v", probePath, p.answer.status, by, took)
}

// reason returns the error without what it is the error of.
func (e *Error) reason() error {
	if e.Err == nil {
		return e.Kind
	}
	return fmt.Errorf("%v: %w", e.Kind, e.Err)
}

// examine finds out what it means that the request for a token failed. It
// keeps at up to date.
func (c *Client) examine(ctx context.Context, failed *Error, at *verdict) *Error {
	silent := failed.Kind == ErrTimeout && errors.Is(failed.Err, errSilent)
	if !silent && failed.Kind != ErrIncomplete && failed.Kind != ErrForbidden {
		return failed
	}
	at.set(&failed.Kind)
	p := c.probe(ctx)
	told := *failed
	told.Kind = p.verdict(failed.Kind)
	told.Err = join(failed.Err, p)
	if told.Kind == ErrHopLimit {
		at.set(&ErrHopLimit)
		told.Err = c.withHops(ctx, told.Err)
	}
	return &told
}

// verdict returns the kind of a failed request for a token, which was of the
// kind put, in the light of the read.
func (p probe) verdict(put error) error {
	switch {
	case p.isForeign():
		return ErrForeign
	case p.answer == nil:
		return put
	case put == ErrTimeout && p.took < atOnce:
		return ErrHopLimit
	case put == ErrIncomplete:
		return ErrTokenLost
	case put == ErrForbidden && p.answer.status == 403:
		return ErrDisabled
	}
	return put
}

// join puts what was seen of the read behind the details of a failure.
func join(err error, p probe) error {
	if err == nil {
		return errors.New(p.String())
	}
	return fmt.Errorf("%w; %v", err, p)
}

// withHops adds how far away the service is, where that can be measured and
// explains the loss.
func (c *Client) withHops(ctx context.Context, err error) error {
	h, failed := c.Hops(ctx)
	if failed != nil || h.Routers == 0 {
		return err
	}
	return fmt.Errorf("%w; %v", err, h)
}
