package emulator

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"unsafe"
)

// hops is how far the answers on a connection travel. The limit is an option
// of the socket, not of the packet: what is sent again is sent under the limit
// of that moment. So it is raised again only when the client has acknowledged
// everything; else a client beyond the limit, which asks for a token and then
// for something else, would be sent the token again with the greater limit.
type hops struct {
	socket        syscall.RawConn // nil for what is no socket
	level, option int
	lowered       bool
}

func hopsOf(conn net.Conn) hops {
	peer, ok := conn.RemoteAddr().(*net.TCPAddr)
	socket, is := conn.(syscall.Conn)
	if !ok || !is {
		return hops{}
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return hops{}
	}
	if peer.AddrPort().Addr().Unmap().Is4() { // on a socket of both versions, too
		return hops{socket: raw, level: syscall.IPPROTO_IP, option: syscall.IP_TTL}
	}
	return hops{socket: raw, level: syscall.IPPROTO_IPV6, option: syscall.IPV6_UNICAST_HOPS}
}

// usual is the system's own limit, and unlike a number it follows its setting.
const usual = -1

// set makes limit that of what is sent next; 0 means the usual, as soon as
// that may be.
func (h *hops) set(limit int) error {
	if h.socket == nil || limit == 0 && !h.lowered {
		return nil
	}
	var failed error
	err := h.socket.Control(func(fd uintptr) {
		if limit != 0 {
			failed = syscall.SetsockoptInt(int(fd), h.level, h.option, limit)
			h.lowered = true
			return
		}
		if unacknowledged(fd) == 0 {
			failed = syscall.SetsockoptInt(int(fd), h.level, h.option, usual)
			h.lowered = false
		}
	})
	if err := errors.Join(err, failed); err != nil {
		return fmt.Errorf("set the hop limit of the answer to %d: %w", limit, err)
	}
	return nil
}

// unacknowledged returns how many bytes the client has not confirmed, or -1 if
// that can't be known.
func unacknowledged(fd uintptr) int {
	var n int32
	const siocoutq = syscall.TIOCOUTQ // the same number, for a socket
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, fd, siocoutq, uintptr(unsafe.Pointer(&n))); errno != 0 {
		return -1
	}
	return int(n)
}
