package cli

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"tegata/store"
)

// A recorder writes down what calls have cost, many in one transaction, so
// that no call waits for the disk.
type recorder struct {
	db  *store.DB
	log *slog.Logger

	mu      sync.Mutex
	pending []store.Call
	stop    chan struct{}
	stopped sync.WaitGroup
}

const recordEvery = 500 * time.Millisecond

func startRecorder(db *store.DB, log *slog.Logger) *recorder {
	r := &recorder{db: db, log: log, stop: make(chan struct{})}
	r.stopped.Go(r.run)
	return r
}

// Record keeps a call in mind until it is written.
func (r *recorder) Record(_ context.Context, c store.Call) {
	r.mu.Lock()
	r.pending = append(r.pending, c)
	r.mu.Unlock()
}

// Close writes what is left.
func (r *recorder) Close() {
	close(r.stop)
	r.stopped.Wait()
	r.write()
}

func (r *recorder) run() {
	every := time.NewTicker(recordEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			r.write()
		case <-r.stop:
			return
		}
	}
}

func (r *recorder) write() {
	r.mu.Lock()
	calls := r.pending
	r.pending = nil
	r.mu.Unlock()
	if len(calls) == 0 {
		return
	}
	if err := r.db.Record(context.Background(), calls); err != nil {
		r.log.Error("write down the usage", "calls", len(calls), "error", err)
	}
}
