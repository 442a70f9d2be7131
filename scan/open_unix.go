//go:build unix

package scan

import (
	"io"
	"io/fs"
	"syscall"
)

// A descriptor is an open file. An os.File would be offered to the poller and
// given a finalizer, which for a small file costs as much as reading it.
type descriptor int

func openFile(name string) (descriptor, error) {
	for {
		fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return -1, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return descriptor(fd), nil
	}
}

// Read reads as an [io.Reader] does.
func (d descriptor) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(d), p)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			return 0, &fs.PathError{Op: "read", Err: err}
		case n == 0 && len(p) > 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

// Close gives the file back.
func (d descriptor) Close() error { return syscall.Close(int(d)) }
