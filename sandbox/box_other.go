//go:build !linux

package sandbox

import (
	"context"
	"net"
	"os"
)

// Run returns [ErrNoNamespaces]: boxes exist on Linux only.
func (b *Box) Run(context.Context) (status int, err error) { return StatusFailed, ErrNoNamespaces }

// Enter returns [ErrNoNamespaces]: boxes exist on Linux only.
func Enter(any) (*Inside, error) { return nil, ErrNoNamespaces }

// Run returns [ErrNoNamespaces]: boxes exist on Linux only.
func (in *Inside) Run(args, env []string, received <-chan os.Signal) (status int, err error) {
	return StatusFailed, ErrNoNamespaces
}

// ListenIMDS returns [ErrNoNamespaces]: boxes exist on Linux only.
func (in *Inside) ListenIMDS() ([]net.Listener, error) { return nil, ErrNoNamespaces }

// ListenNames returns [ErrNoNamespaces]: boxes exist on Linux only.
func (in *Inside) ListenNames(*Listeners) error { return ErrNoNamespaces }

// ResolveNames returns [ErrNoNamespaces]: boxes exist on Linux only.
func (in *Inside) ResolveNames(dir string) error { return ErrNoNamespaces }
