package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Many changes within a moment are one write, and the last state is kept.
func TestKeeper(t *testing.T) {
	path := filepath.Join(t.TempDir(), "account.json")
	synctest.Test(t, func(t *testing.T) {
		var state, writes atomic.Int64
		k := newKeeper(path, func() ([]byte, error) {
			writes.Add(1)
			return fmt.Append(nil, state.Load()), nil
		})
		kept := func(want string, after int64) {
			t.Helper()
			if got, err := os.ReadFile(path); err != nil || string(got) != want || writes.Load() != after {
				t.Errorf("%q, %v after %d writes, want %q after %d", got, err, writes.Load(), want, after)
			}
		}
		for range 100 {
			state.Add(1)
			k.change()
		}
		time.Sleep(2 * settles)
		kept("100", 1)
		time.Sleep(time.Hour)
		kept("100", 1)
		state.Add(1)
		k.change()
		if err := k.close(); err != nil {
			t.Error(err)
		}
		kept("101", 2)
	})
}

func TestKeeperFails(t *testing.T) {
	t.Parallel()
	for name, k := range map[string]*keeper{
		"no directory": newKeeper(filepath.Join(t.TempDir(), "none", "account.json"), func() ([]byte, error) { return nil, nil }),
		"no state":     newKeeper(filepath.Join(t.TempDir(), "account.json"), func() ([]byte, error) { return nil, errors.New("lost") }),
	} {
		if err := k.close(); err == nil || !strings.Contains(err.Error(), "keep the account in ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
