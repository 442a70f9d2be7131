package emulator_test

import (
	"fmt"
	"net"
	"syscall"
	"testing"

	"tegata/emulator"
)

// An answer to PUT leaves with the hop limit, the next one with the system's
// own again, once the client has confirmed the token. That it gets no further
// than it should is seen in test/, where there are routers.
func TestHopLimitOfSockets(t *testing.T) {
	const (
		put = "PUT " + tokenURL
		get = "GET /latest/meta-data/instance-id"
	)
	for _, tt := range []struct {
		name, listen, dial string
		level, option      int
	}{
		{"IPv4", "127.0.0.1:0", "127.0.0.1", syscall.IPPROTO_IP, syscall.IP_TTL},
		{"IPv6", "[::1]:0", "::1", syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS},
		{"IPv4 on a socket of both", "[::]:0", "127.0.0.1", syscall.IPPROTO_IP, syscall.IP_TTL},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp", tt.listen)
			if err != nil {
				t.Skip(err)
			}
			accepted := make(chan net.Conn, 1)
			s, err := emulator.New(emulator.Options{Tokens: "optional", KeepAlive: true, HopLimit: 7})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			go s.Serve(tapListener{l, accepted})
			w, err := dial(fmt.Sprintf("http://%s", net.JoinHostPort(tt.dial, fmt.Sprint(l.Addr().(*net.TCPAddr).Port))))
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			server := <-accepted
			usual := option(t, server, tt.level, tt.option)
			if usual == 7 {
				t.Fatalf("the system's own limit is %d, too", usual)
			}
			for n, step := range []struct {
				request string
				want    int
			}{{get, usual}, {put, 7}, {put, 7}, {get, usual}, {get, usual}, {put, 7}} {
				var method, path string
				fmt.Sscan(step.request, &method, &path)
				if _, err := w.ask(method, path, ttlHeader+": 60"); err != nil {
					t.Fatal(err)
				}
				if got := option(t, server, tt.level, tt.option); got != step.want {
					t.Errorf("request %d, %s: the answer left with %d, want %d", n+1, step.request, got, step.want)
				}
			}
		})
	}
}

// A tapListener shows the connections that it hands out.
type tapListener struct {
	net.Listener
	accepted chan<- net.Conn
}

func (l tapListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.accepted <- c
	}
	return c, err
}

func option(t *testing.T, c net.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) { value, failed = syscall.GetsockoptInt(int(fd), level, name) })
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	return value
}
