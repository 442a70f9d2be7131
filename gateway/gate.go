package gateway

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Drain takes no more requests and waits until those that run have ended. They
// are answered 503 with a Retry-After from now on, and so is /ready, so that a
// load balancer sends them elsewhere. The error says how many still ran when
// ctx ended.
func (s *Server) Drain(ctx context.Context) error {
	select {
	case <-s.gate.close():
		return nil
	case <-ctx.Done():
	}
	if n := s.gate.count(); n > 0 {
		return fmt.Errorf("drain the gateway: %d requests still run: %w", n, context.Cause(ctx))
	}
	return nil
}

// A gate counts who is inside, and can be closed.
type gate struct {
	mu     sync.Mutex
	inside int
	idle   chan struct{} // nil while the gate is open; closed when the last one has left
}

// enter reports whether the gate is open; then leave has to be called.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle != nil {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.inside == 0 && g.idle != nil {
		close(g.idle)
	}
}

// close lets nobody in any more. The channel is closed when nobody is inside.
func (g *gate) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.idle == nil {
		g.idle = make(chan struct{})
		if g.inside == 0 {
			close(g.idle)
		}
	}
	return g.idle
}

func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.idle != nil
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inside
}

// maxBodies bounds the bytes of all request bodies that are held at once. A
// body is copied a few times on its way to Bedrock, so the memory behind it is
// about five times as much.
const maxBodies = 128 << 20

// A budget bounds what all requests together hold.
type budget struct{ taken atomic.Int64 }

// take reports whether n bytes were left; then give has to be called.
func (b *budget) take(n int64) bool {
	if b.taken.Add(n) > maxBodies {
		b.taken.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.taken.Add(-n) }
