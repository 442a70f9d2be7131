package imds

import (
	"strings"
	"syscall"
)

const canDemandTTL = true

// ipv6MinHopCount is IPV6_MINHOPCOUNT of linux/in6.h, which package syscall
// does not have.
const ipv6MinHopCount = 73

// demandTTL makes a socket deaf to packets with less than ttl left.
func demandTTL(ttl int) func(network, addr string, c syscall.RawConn) error {
	return func(network, _ string, c syscall.RawConn) error {
		level, option := syscall.IPPROTO_IP, syscall.IP_MINTTL
		if strings.HasSuffix(network, "6") {
			level, option = syscall.IPPROTO_IPV6, ipv6MinHopCount
		}
		var failed error
		err := c.Control(func(fd uintptr) { failed = syscall.SetsockoptInt(int(fd), level, option, ttl) })
		if err != nil {
			return err
		}
		return failed
	}
}
