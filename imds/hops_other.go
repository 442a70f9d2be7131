//go:build !linux

package imds

import "syscall"

const canDemandTTL = false

// demandTTL is called where canDemandTTL is true only.
func demandTTL(int) func(network, addr string, c syscall.RawConn) error { return nil }
