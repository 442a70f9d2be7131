package imds_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

// listenTTL opens a port whose packets start with ttl. On loopback they also
// arrive with that much.
func listenTTL(t *testing.T, addr string, ttl int) net.Listener {
	t.Helper()
	lc := net.ListenConfig{Control: func(network, _ string, c syscall.RawConn) error {
		level, option := syscall.IPPROTO_IP, syscall.IP_TTL
		if network == "tcp6" {
			level, option = syscall.IPPROTO_IPV6, syscall.IPV6_UNICAST_HOPS
		}
		var failed error
		err := c.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), level, option, ttl) })
		return errors.Join(err, failed)
	}}
	l, err := lc.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Skipf("listen on %s: %v", addr, err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestHops(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		addr string
		ttl  int // with which the packets arrive
		want int
	}{
		{"Linux here", "127.0.0.1:0", 64, 0},
		{"one router", "127.0.0.1:0", 63, 1},
		{"as many as are looked for", "127.0.0.1:0", 49, 15},
		{"Windows behind two", "127.0.0.1:0", 126, 2},
		{"255 here", "127.0.0.1:0", 255, 0},
		{"255 behind three", "127.0.0.1:0", 252, 3},
		{"IPv6 here", "[::1]:0", 64, 0},
		{"IPv6 behind two", "[::1]:0", 62, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := &imds.Client{Endpoint: "http://" + listenTTL(t, tt.addr, tt.ttl).Addr().String()}
			got, err := c.Hops(t.Context())
			if d := cmp.Diff(imds.Hops{Routers: tt.want, TTL: tt.ttl}, got); d != "" || err != nil {
				t.Error(err, d)
			}
			if got.HopLimit() != tt.want+1 {
				t.Errorf("HopLimit is %d, want %d", got.HopLimit(), tt.want+1)
			}
		})
	}
}

func TestHopsFail(t *testing.T) {
	t.Parallel()
	over, cancel := context.WithCancel(t.Context())
	cancel()
	far := "http://" + listenTTL(t, "127.0.0.1:0", 40).Addr().String()
	gone := listenTTL(t, "127.0.0.1:0", 64)
	gone.Close()
	for _, tt := range []struct {
		name   string
		ctx    context.Context
		client *imds.Client
		want   error
	}{
		{"nobody there", t.Context(), &imds.Client{Endpoint: "http://" + gone.Addr().String()}, imds.ErrNotDetected},
		{"no endpoint", t.Context(), &imds.Client{Endpoint: "127.0.0.1"}, imds.ErrInvalid},
		{"cancelled", over, &imds.Client{Endpoint: far}, context.Canceled},
		{"own dialler", t.Context(), &imds.Client{Endpoint: far, Dial: imds.Dial}, errors.ErrUnsupported},
	} {
		if h, err := tt.client.Hops(tt.ctx); !errors.Is(err, tt.want) || h != (imds.Hops{}) {
			t.Errorf("%s: %v, %v, want %v", tt.name, h, err, tt.want)
		}
	}
	if h, err := (&imds.Client{Endpoint: far}).Hops(t.Context()); err == nil {
		t.Errorf("24 routers away: %v, want an error", h)
	}
}

// TestHopLimitNamesTheLimit wants the distance in the error about a token that
// gets lost.
func TestHopLimitNamesTheLimit(t *testing.T) {
	t.Parallel()
	l := listenTTL(t, "127.0.0.1:0", 62)
	s := &service{put: silent, get: needToken}
	serve(t, s, l)
	c := &imds.Client{Endpoint: "http://" + l.Addr().String()}
	defer c.Close()
	_, err := c.InstanceID(t.Context())
	e := wantKind(t, err, imds.ErrHopLimit)
	wantEnd(t, e.Error(), "; the service is 2 routers away: the hop limit must be at least 3")
}
