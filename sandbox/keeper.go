package sandbox

import (
	"fmt"
	"sync"
	"time"

	"tegata/internal/edit"
)

// A keeper writes what an account has become to a file: soon after a change,
// and at the end. Whoever reads the file finds a whole account at any time.
type keeper struct {
	path     string
	snapshot func() ([]byte, error)
	changed  chan struct{}
	stop     chan struct{}
	writing  sync.WaitGroup
	failed   error // of the last write; read after writing.Wait
}

// settles is how long a keeper waits for what else changes.
const settles = 100 * time.Millisecond

func newKeeper(path string, snapshot func() ([]byte, error)) *keeper {
	k := &keeper{path: path, snapshot: snapshot, changed: make(chan struct{}, 1), stop: make(chan struct{})}
	k.writing.Go(k.run)
	return k
}

// change says that there is something new to write. It never waits.
func (k *keeper) change() {
	select {
	case k.changed <- struct{}{}:
	default:
	}
}

func (k *keeper) run() {
	for {
		select {
		case <-k.changed:
		case <-k.stop:
			k.failed = k.write()
			return
		}
		select {
		case <-time.After(settles):
			k.failed = k.write()
		case <-k.stop:
			k.failed = k.write()
			return
		}
	}
}

func (k *keeper) write() error {
	data, err := k.snapshot()
	if err == nil {
		err = edit.Replace(k.path, data)
	}
	if err != nil {
		return fmt.Errorf("keep the account in %s: %w", k.path, err)
	}
	return nil
}

// close writes a last time and returns what went wrong with it.
func (k *keeper) close() error {
	close(k.stop)
	k.writing.Wait()
	return k.failed
}
