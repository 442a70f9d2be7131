package imds

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// How far away the service is, shows in the time to live with which its
// packets arrive: each router has taken one off the 64, 128 or 255 that systems
// start with. A socket does not tell it for TCP, but it can be told to take no
// notice of packets with less than so much, so that connections which need
// ever more of it come about up to the very figure.

// Hops tells how far away the service is.
type Hops struct {
	Routers int // between the service and here
	TTL     int // left to the service's packets when they arrive
}

// HopLimit returns the least HttpPutResponseHopLimit with which tokens arrive.
func (h Hops) HopLimit() int { return h.Routers + 1 }

func (h Hops) String() string {
	if h.Routers == 1 {
		return "the service is 1 router away: the hop limit must be at least 2"
	}
	return fmt.Sprintf("the service is %d routers away: the hop limit must be at least %d", h.Routers, h.HopLimit())
}

const (
	// maxRouters is how far it is looked. A hop limit can be up to 64, but no
	// container is that far away from its instance.
	maxRouters = 15

	// hopsWindow is how long a packet may take which is not suppressed.
	hopsWindow = 250 * time.Millisecond
)

// Hops measures how many routers lie between the service and here, with some
// twenty connections over which nothing is sent, in about half a second.
//
// It fails with [errors.ErrUnsupported] on systems other than Linux and where
// [Client.Dial] is set, and with an [*Error] of kind [ErrNotDetected] if the
// service accepts no connection.
func (c *Client) Hops(ctx context.Context) (Hops, error) {
	if c.Dial != nil || !canDemandTTL {
		return Hops{}, fmt.Errorf("measure the way to the service: %w", errors.ErrUnsupported)
	}
	if c.prepare(); c.baseErr != nil {
		return Hops{}, (&Error{Kind: ErrInvalid, Err: c.baseErr}).of("connect", c.Endpoint, 0, 0)
	}
	began := time.Now()
	addr, err := demand(ctx, c.base.addr, 1, connectTimeout)
	if err != nil {
		return Hops{}, failure(ctx, err, ErrNotDetected).of("connect", c.base.addr, 1, time.Since(began))
	}
	start := 64
	switch mostOf(ctx, addr, 65, 129) {
	case 65:
		start = 128
	case 129:
		start = 255
	}
	var left []int
	for n := range maxRouters + 1 {
		left = append(left, start-n)
	}
	ttl := mostOf(ctx, addr, left...)
	if ttl == 0 {
		err := fmt.Errorf("measure the way to the service: more than %d routers, or connections that take over %v", maxRouters, hopsWindow)
		return Hops{}, errors.Join(err, ctx.Err())
	}
	return Hops{Routers: start - ttl, TTL: ttl}, nil
}

// mostOf returns the largest of the times to live with which the service's
// packets arrive at least, or 0.
func mostOf(ctx context.Context, addr string, ttls ...int) int {
	arrived := make([]int, len(ttls))
	var all sync.WaitGroup
	for i, ttl := range ttls {
		all.Go(func() {
			if _, err := demand(ctx, addr, ttl, hopsWindow); err == nil {
				arrived[i] = ttl
			}
		})
	}
	all.Wait()
	return slices.Max(arrived)
}

// demand connects, fails if the answer has less than ttl left, and returns the
// very address that answered.
func demand(ctx context.Context, addr string, ttl int, most time.Duration) (at string, _ error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	conn, err := dialer(demandTTL(ttl)).DialContext(ctx, "tcp", addr)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.RemoteAddr().String(), nil
}
