//go:build unix

package main

import (
	"os"
	"runtime"
	"syscall"
)

// greatestResident returns how many bytes of memory an ended process had at
// most. The system counts in KiB, but Apple's in bytes.
func greatestResident(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	switch {
	case !ok:
		return 0
	case runtime.GOOS == "darwin":
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
