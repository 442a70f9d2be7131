package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What runs in the sandbox for gatewayBeside.

const (
	warmups = 30  // of each way, before it is measured
	answers = 400 // on each way
	streams = 1000
	holding = 5 * time.Second // how long all streams are open together
)

// measureAnswers takes turns on the three ways and writes what each took, as
// JSON.
func measureAnswers(ctx context.Context, tegata string, w io.Writer) error {
	data, err := os.MkdirTemp("", "tegata-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	var ways []*way
	for _, open := range []func() (*way, error){
		func() (*way, error) { return direct(ctx, tegata) },
		func() (*way, error) { return throughProxy(ctx, tegata) },
		func() (*way, error) { return throughGateway(ctx, tegata, data) },
	} {
		one, err := open()
		if err != nil {
			return err
		}
		defer one.Close()
		ways = append(ways, one)
	}
	whole, err := takeTurns(ctx, ways, (*way).whole)
	if err != nil {
		return err
	}
	first, err := takeTurns(ctx, ways, (*way).first)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(map[string]turns{"Whole": whole, "First": first})
}

// takeTurns asks on each way in turn, the direct one first.
func takeTurns(ctx context.Context, ways []*way, ask func(*way, context.Context) (time.Duration, error)) (t turns, err error) {
	for n := range warmups + answers {
		for i, to := range []*[]time.Duration{&t.Direct, &t.Proxy, &t.Gateway} {
			took, err := ask(ways[i], ctx)
			if err != nil {
				return t, err
			}
			if n >= warmups {
				*to = append(*to, took)
			}
		}
	}
	return t, nil
}

// measureStreams opens many streams on two of the ways, one way after the
// other, and writes what each stream took of the memory of the process on it.
func measureStreams(ctx context.Context, tegata string, w io.Writer) error {
	data, err := os.MkdirTemp("", "tegata-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	var m memory
	proxy, err := throughProxy(ctx, tegata)
	if err != nil {
		return err
	}
	defer proxy.Close()
	if m.Proxy, err = proxy.memoryOfStreams(ctx); err != nil {
		return err
	}
	gateway, err := throughGateway(ctx, tegata, data)
	if err != nil {
		return err
	}
	defer gateway.Close()
	if m.Gateway, err = gateway.memoryOfStreams(ctx); err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(m)
}

// memoryOfStreams opens the streams, reads all of them for a while, and
// returns by how much the process grew for each at its greatest. Bytes.
func (w *way) memoryOfStreams(ctx context.Context) (int64, error) {
	for range warmups {
		if _, err := w.whole(ctx); err != nil {
			return 0, err
		}
	}
	before, err := residentSet(w.process.Pid, "VmRSS")
	if err != nil {
		return 0, err
	}
	if err := w.hold(ctx); err != nil {
		return 0, err
	}
	most, err := residentSet(w.process.Pid, "VmHWM")
	return (most - before) / streams, err
}

// hold opens all streams, some at a time, and reads them until all have been
// open together for a while.
func (w *way) hold(ctx context.Context) error {
	ctx, leave := context.WithCancel(ctx)
	var (
		readers, opening sync.WaitGroup
		failed           = make(chan error, streams)
		turn             = make(chan struct{}, 128)
	)
	defer readers.Wait()
	defer leave()
	for range streams {
		opening.Add(1)
		readers.Go(func() {
			turn <- struct{}{}
			var began time.Time
			body, err := w.open(ctx, "Tell me at length about barrier stations.", 2000, &began)
			<-turn
			opening.Done()
			if err != nil {
				failed <- err
				return
			}
			defer body.Close()
			if _, err := io.Copy(io.Discard, body); ctx.Err() == nil {
				failed <- fmt.Errorf("a stream ended by itself: %w", errors.Join(err, io.ErrUnexpectedEOF))
			}
		})
	}
	opening.Wait()
	select {
	case <-time.After(holding):
		return nil
	case err := <-failed:
		return err
	}
}

// residentSet reads a size of a process from /proc/PID/status. Bytes.
func residentSet(pid int, name string) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", f.Name(), name)
}
