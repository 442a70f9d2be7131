package sandbox

import (
	"net"
	"sync/atomic"
)

// A gate is a listener that resets connections while it is shut, for an
// endpoint that the API switches off. On EC2 there is no route then; a listener
// that was closed to be like that could not be opened again from outside of the
// box. One that the scenario has switched off is closed, and stays so.
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
