package emulator

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"

	"tegata/imds"
)

// A Fleet is several instances behind the same listeners. The address of a
// caller tells which of them answers.
type Fleet struct {
	members []Member // the longest prefix first
	other   *Server  // for all else; may be nil
	wire    *wire
}

// A Member is an instance and the addresses of its callers.
type Member struct {
	From   netip.Prefix
	Server *Server
}

// NewFleet returns a fleet of the members, which it closes in the end. Of
// several prefixes that hold an address the longest wins. other answers the
// callers that no prefix holds; if it is nil, their connections are closed.
func NewFleet(other *Server, members ...Member) (*Fleet, error) {
	f := &Fleet{other: other, members: slices.Clone(members)}
	for n := range f.members {
		m := &f.members[n]
		if !m.From.IsValid() || m.Server == nil {
			return nil, fmt.Errorf("member %d of the fleet (%v): want a prefix and a server", n, m.From)
		}
		m.From = m.From.Masked()
	}
	slices.SortStableFunc(f.members, func(a, b Member) int { return b.From.Bits() - a.From.Bits() })
	for n, m := range f.members {
		if slices.ContainsFunc(f.members[:n], func(o Member) bool { return o.From == m.From }) {
			return nil, fmt.Errorf("two members of the fleet for %v", m.From)
		}
	}
	f.wire = newWire(f.serverFrom)
	return f, nil
}

// Serve answers on l until Close, and then returns nil. It closes l. Many
// listeners may be served at once.
func (f *Fleet) Serve(l net.Listener) error { return f.wire.serve(l) }

// Close closes all listeners and connections, and the members.
func (f *Fleet) Close() error {
	err := f.wire.close()
	for _, s := range f.servers() {
		err = errors.Join(err, s.Close())
	}
	return err
}

// ServeHTTP answers as the member for the request's RemoteAddr does, by
// [Server.ServeHTTP]. Without one it panics with [http.ErrAbortHandler].
func (f *Fleet) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := f.serverOf(callerOf(r))
	if s == nil {
		panic(http.ErrAbortHandler)
	}
	s.ServeHTTP(w, r)
}

// Credential returns the credentials with the given access key id, if any of
// the instances handed them out; see [Server.Credential].
func (f *Fleet) Credential(accessKeyID string) (imds.Credentials, bool) {
	for _, s := range f.servers() {
		if c, ok := s.Credential(accessKeyID); ok {
			return c, true
		}
	}
	return imds.Credentials{}, false
}

func (f *Fleet) servers() (all []*Server) {
	if f.other != nil {
		all = append(all, f.other)
	}
	for _, m := range f.members {
		all = append(all, m.Server)
	}
	return all
}

func (f *Fleet) serverFrom(caller net.Addr) *Server {
	tcp, ok := caller.(*net.TCPAddr)
	if !ok {
		return f.other
	}
	return f.serverOf(tcp.AddrPort().Addr().Unmap().WithZone(""))
}

func (f *Fleet) serverOf(caller netip.Addr) *Server {
	for _, m := range f.members {
		if m.From.Contains(caller) {
			return m.Server
		}
	}
	return f.other
}
