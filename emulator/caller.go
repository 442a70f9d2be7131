package emulator

import (
	"net"
	"net/http"
	"net/netip"
)

// distance returns how many routers lie before the caller, as far as it is
// not seen on the wire: Hops, and one more for a bridged caller.
func (s *service) distance(r *http.Request) int {
	if s.options.Bridged && !isLocal(callerOf(r)) {
		return s.options.Hops + 1
	}
	return s.options.Hops
}

// callerOf returns where the request came from, or the zero address if that
// can't be known.
func callerOf(r *http.Request) netip.Addr {
	from, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return from.Addr().Unmap().WithZone("")
}

// isLocal reports whether an address is one of this machine's. What has none,
// such as a Unix socket, is on this machine.
func isLocal(a netip.Addr) bool {
	if !a.IsValid() || a.IsLoopback() {
		return true
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, one := range all {
		if prefix, err := netip.ParsePrefix(one.String()); err == nil && prefix.Addr() == a {
			return true
		}
	}
	return false
}
