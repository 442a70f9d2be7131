package imds_test

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"net/http/httptrace"
	"slices"
	"testing"

	"tegata/imds"
)

// over is a context that has ended, so that no packet leaves even if the guard
// is broken: the dialer behind it gives up before it opens a socket.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(i httptrace.DNSStartInfo) { t.Errorf("looked up %s", i.Host) },
		ConnectStart: func(_, addr string) { t.Errorf("began to connect to %s", addr) },
	})
}

// TestDialIsGuarded wants the guard's error, and so its refusal, to come
// before anything that the dialer does.
func TestDialIsGuarded(t *testing.T) {
	for _, ip := range []string{
		"169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.0.1", "::ffff:169.254.169.254",
		"fd00:ec2::254", "fd00:ec2::23", "fe80::1%lo",
	} {
		if belongsHere(t, ip) {
			t.Logf("%s belongs to this machine: not tried", ip)
			continue
		}
		conn, err := imds.Dial(over(t), "tcp", net.JoinHostPort(ip, "80"))
		if !errors.Is(err, imds.ErrGuarded) {
			t.Errorf("Dial(%s) = %v, %v, want %v", ip, conn, err, imds.ErrGuarded)
		}
	}
	if _, err := imds.Dial(over(t), "tcp", "127.0.0.1:80"); errors.Is(err, imds.ErrGuarded) {
		t.Error("loopback is guarded:", err)
	}
}

func belongsHere(t *testing.T, ip string) bool {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(addrs, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(net.ParseIP(ip))
	})
}

// TestZeroClientIsGuarded wants the default of everything to be refused here,
// at once and without a second try.
func TestZeroClientIsGuarded(t *testing.T) {
	const addr = "169.254.169.254"
	if belongsHere(t, addr) {
		t.Skip(addr + " belongs to this machine")
	}
	if _, err := imds.Dial(over(t), "tcp", addr+":80"); !errors.Is(err, imds.ErrGuarded) {
		t.Fatal("the guard is open, so this must not go on")
	}
	var c imds.Client
	_, err := c.InstanceID(t.Context())
	if e := wantKind(t, err, imds.ErrNotDetected); !errors.Is(err, imds.ErrGuarded) || e.Attempts != 1 {
		t.Errorf("%d attempts: %v", e.Attempts, err)
	}
}

func TestDialReachesLoopback(t *testing.T) {
	srv := httptest.NewServer(new(service))
	defer srv.Close()
	conn, err := imds.Dial(context.Background(), "tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}
