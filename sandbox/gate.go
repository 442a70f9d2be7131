package sandbox

import (
	"net"
	"sync/atomic"
)

// A gate is a listener that resets connections while it is shut. On EC2 there
// is no route then, so that clients are refused in either case.
type gate struct {
	net.Listener
	open *atomic.Bool
}

// Accept waits for a connection that comes while the gate is open.
func (g gate) Accept() (net.Conn, error) {
	for {
		c, err := g.Listener.Accept()
		if err != nil || g.open.Load() {
			return c, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetLinger(0) // closing resets
		}
		c.Close()
	}
}

func overIPv6(l net.Listener) bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return ok && tcp.IP.To4() == nil
}
