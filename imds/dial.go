package imds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

// ErrGuarded is why [Dial] refuses an address under go test.
var ErrGuarded = errors.New("tests must not reach the real instance metadata")

// Dial opens connections for a [Client]. Under go test it refuses the
// addresses at which metadata and credentials are served, unless they belong
// to this machine itself, as in a sandbox: a test that forgot to set an
// endpoint must not read, and use, the role of the machine that it runs on.
func Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if testing.Testing() {
		if err := guard(addr); err != nil {
			return nil, err
		}
	}
	return dialer(nil).DialContext(ctx, network, addr)
}

// dialer returns a dialer that is guarded where it has to be, and prepares each
// socket with control, which may be nil.
func dialer(control func(network, addr string, c syscall.RawConn) error) *net.Dialer {
	if !testing.Testing() {
		return &net.Dialer{Control: control}
	}
	return &net.Dialer{Control: func(network, addr string, c syscall.RawConn) error {
		err := guard(addr) // again, where a name has been resolved behind the first look
		if err == nil && control != nil {
			err = control(network, addr, c)
		}
		return err
	}}
}

func guard(addr string) error {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil // a name
	}
	if ip := ap.Addr().Unmap(); servesMetadata(ip) && !isOwn(ip) {
		return fmt.Errorf("connect to %s: %w", addr, ErrGuarded)
	}
	return nil
}

// ec2Local holds fd00:ec2::254, IMDS, and fd00:ec2::23, EKS Pod Identity.
var ec2Local = netip.MustParsePrefix("fd00:ec2::/32")

// servesMetadata reports whether an address is link-local, as 169.254.169.254
// and, for containers, 169.254.170.2 and .23 are, or one of EC2's for IPv6.
func servesMetadata(ip netip.Addr) bool {
	return ip.IsLinkLocalUnicast() || ec2Local.Contains(ip)
}

func isOwn(ip netip.Addr) bool {
	own, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(own, func(a net.Addr) bool {
		p, err := netip.ParsePrefix(a.String())
		return err == nil && p.Addr() == ip.WithZone("")
	})
}
