package emulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
)

// A wire owns listeners and their connections until it is closed. What is said
// on them is up to the [Server] that serverOf gives for a connection.
//
// Connections are not left to net/http, because its answers would not be those
// of the service: it sorts their headers, says 1.1 to all, and lets no
// connection have a hop limit of its own.
type wire struct {
	serverOf func(caller net.Addr) *Server // nil: nobody answers

	ctx     context.Context // ends with close
	stop    context.CancelFunc
	running sync.WaitGroup // connections, and calls of serve
	mu      sync.Mutex
	closed  bool
	open    map[io.Closer]struct{} // listeners and connections
}

func newWire(serverOf func(net.Addr) *Server) *wire {
	ctx, stop := context.WithCancel(context.Background())
	return &wire{serverOf: serverOf, ctx: ctx, stop: stop, open: make(map[io.Closer]struct{})}
}

// serve answers on l until close, and then returns nil.
func (w *wire) serve(l net.Listener) error {
	if !w.begin(l) {
		return l.Close()
	}
	defer w.end(l)
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			w.accept(c)
		case w.ctx.Err() != nil:
			return nil
		case !starved(err):
			l.Close()
			return fmt.Errorf("serve metadata on %v: %w", l.Addr(), err)
		default:
			w.pause()
		}
	}
}

// starved reports whether a later connection may be accepted though this one
// was not.
func starved(err error) bool {
	for _, want := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// pause lets some connections end before the next is accepted.
func (w *wire) pause() {
	select {
	case <-time.After(10 * time.Millisecond):
	case <-w.ctx.Done():
	}
}

func (w *wire) accept(c net.Conn) {
	if !w.begin(c) {
		c.Close()
		return
	}
	go func() {
		defer w.end(c)
		if s := w.serverOf(c.RemoteAddr()); s != nil {
			newConnection(w.ctx, s, c).serve()
			return
		}
		c.Close()
	}()
}

// begin counts a listener or a connection in, unless the wire is closed.
func (w *wire) begin(c io.Closer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.open[c] = struct{}{}
	w.running.Add(1)
	return true
}

func (w *wire) end(c io.Closer) {
	w.mu.Lock()
	delete(w.open, c)
	w.mu.Unlock()
	w.running.Done()
}

// close closes all listeners and connections, and returns when whatever
// served them has ended.
func (w *wire) close() error {
	w.mu.Lock()
	w.closed = true
	w.stop()
	var failed []error
	for c := range w.open {
		err := c.Close()
		if _, ok := c.(net.Listener); ok && !errors.Is(err, net.ErrClosed) {
			failed = append(failed, err)
		}
	}
	w.mu.Unlock()
	w.running.Wait()
	return errors.Join(failed...)
}
