package sandbox

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// ListenNames adds to l what clients need that go to AWS's own host names:
// the ports of DNS and of HTTPS on the loopback addresses of the box. It comes
// after [Inside.ListenIMDS], which raises the interface.
func (in *Inside) ListenNames(l *Listeners) (err error) {
	if l.DNSPackets, err = net.ListenPacket("udp", "127.0.0.1:53"); err != nil {
		return err
	}
	if l.DNS, err = net.Listen("tcp", "127.0.0.1:53"); err != nil {
		return err
	}
	v4, err := net.Listen("tcp", "127.0.0.1:443")
	if err != nil {
		return err
	}
	l.TLS = []net.Listener{v4}
	if v6, err := net.Listen("tcp", "[::1]:443"); err == nil { // else this system has no IPv6
		l.TLS = append(l.TLS, v6)
	}
	return nil
}

// daemons are sockets at which programs ask for names before they ask a name
// server, or instead of it: that of nscd(8), and that of nss-resolve(8). Who
// answers there is outside the box.
var daemons = []string{"/var/run/nscd/socket", "/run/systemd/resolve/io.systemd.Resolve"}

// ResolveNames has all programs in the box ask its own name server. To the
// outside nothing changes: a file that it writes to dir is mounted over
// /etc/resolv.conf, or what that links to, for the box alone. Where there is
// no such file, programs ask the name server on their own machine already
// (resolv.conf(5)).
func (in *Inside) ResolveNames(dir string) error {
	settings := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(settings, []byte("nameserver 127.0.0.1\n"), 0o644); err != nil {
		return fmt.Errorf("write the resolver's settings of the box: %w", err)
	}
	var errs []error
	for _, over := range append([]string{"/etc/resolv.conf"}, daemons...) {
		err := unix.Mount(settings, over, "", unix.MS_BIND, "") // over a socket it refuses connections
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
			errs = append(errs, fmt.Errorf("mount over %s in the box: %w", over, err))
		}
	}
	return errors.Join(errs...)
}
