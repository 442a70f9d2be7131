package sandbox

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// ListenIMDS gives the loopback interface of the box the two addresses of
// the instance metadata service and listens on port 80 of both. IPv6 is left
// out where the kernel has none.
func (in *Inside) ListenIMDS() ([]net.Listener, error) {
	if err := raiseLoopback(); err != nil {
		return nil, fmt.Errorf("raise the loopback interface of the box: %w", err)
	}
	v4, err := listen(netip.MustParseAddr("169.254.169.254"))
	if err != nil {
		return nil, err
	}
	v6, err := listen(netip.MustParseAddr("fd00:ec2::254"))
	switch {
	case errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EACCES):
		return []net.Listener{v4}, nil // no IPv6, or none on this interface
	case err != nil:
		return nil, errors.Join(err, v4.Close())
	}
	return []net.Listener{v4, v6}, nil
}

// listen adds an address to the loopback interface and listens on it.
func listen(addr netip.Addr) (net.Listener, error) {
	if err := addAddress(addr); err != nil {
		return nil, fmt.Errorf("add %v to the loopback interface of the box: %w", addr, err)
	}
	return net.Listen("tcp", netip.AddrPortFrom(addr, 80).String())
}

// raiseLoopback brings lo up, see netdevice(7).
func raiseLoopback() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// addAddress adds one address to lo by a message of rtnetlink(7). The older
// ioctl would leave an IPv6 address unusable until the kernel has looked for
// duplicates of it.
func addAddress(addr netip.Addr) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := unix.Sendto(fd, newAddress(addr), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	reply := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, reply, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 {
		return errors.New("short reply from the kernel")
	}
	if code := int32(binary.NativeEndian.Uint32(reply[unix.SizeofNlMsghdr:])); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// newAddress is an RTM_NEWADDR message: the header, struct ifaddrmsg, and
// the address as IFA_LOCAL and IFA_ADDRESS.
func newAddress(addr netip.Addr) []byte {
	family := byte(unix.AF_INET)
	if addr.Is6() {
		family = unix.AF_INET6
	}
	const lo = 1 // the first interface of every network namespace
	body := []byte{family, byte(addr.BitLen()), unix.IFA_F_NODAD, unix.RT_SCOPE_UNIVERSE}
	body = binary.NativeEndian.AppendUint32(body, lo)
	for _, attribute := range []uint16{unix.IFA_LOCAL, unix.IFA_ADDRESS} {
		body = binary.NativeEndian.AppendUint16(body, uint16(4+len(addr.AsSlice())))
		body = binary.NativeEndian.AppendUint16(body, attribute)
		body = append(body, addr.AsSlice()...)
	}
	flags := uint16(unix.NLM_F_REQUEST | unix.NLM_F_ACK | unix.NLM_F_CREATE | unix.NLM_F_EXCL)
	msg := binary.NativeEndian.AppendUint32(nil, uint32(unix.SizeofNlMsghdr+len(body)))
	msg = binary.NativeEndian.AppendUint16(msg, unix.RTM_NEWADDR)
	msg = binary.NativeEndian.AppendUint16(msg, flags)
	msg = append(msg, make([]byte, 8)...) // sequence number and port id
	return append(msg, body...)
}
