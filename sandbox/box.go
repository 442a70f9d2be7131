package sandbox

import (
	"errors"
	"io"
	"os"
	"os/exec"
)

// A Box runs a process where nothing can reach the outside: on Linux in
// user, network, PID and mount namespaces of its own. The process becomes
// the init of the box; it calls [Enter] first, and when it ends everything
// that runs in the box ends with it. Users keep their ids in the box, and
// no rights are needed beyond those to make a user namespace.
type Box struct {
	Args []string // of this executable, which becomes the init of the box; one is added for Enter
	Spec any      // handed to Enter as JSON, unseen by other processes
	Env  []string

	// Files are open files of the outside, such as a listener that serves
	// the page of the demo. Enter hands them over in the same order.
	Files []*os.File

	Stdin          io.Reader
	Stdout, Stderr io.Writer

	// Signals are passed on to the box for as long as it lives.
	Signals <-chan os.Signal
}

// ErrNoNamespaces is returned by [Box.Run] where the system can't make a box:
// outside Linux, and on a Linux that refuses user namespaces.
var ErrNoNamespaces = errors.New("user and network namespaces are not available here")

// Exit statuses of a box, as those of env(1).
const (
	StatusFailed        = 125 // the box itself failed
	StatusNotExecutable = 126 // the command was found but could not be run
	StatusNotFound      = 127 // the command was not found
	statusSignal        = 128 // plus the number of the signal that ended the command
)

// StatusOf returns the exit status for a command that did not start.
func StatusOf(err error) int {
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, exec.ErrNotFound) {
		return StatusNotFound
	}
	return StatusNotExecutable
}

// Inside is the box as its init sees it.
type Inside struct {
	Files   []*os.File       // those of [Box.Files]
	Signals <-chan os.Signal // that the outer process was sent, and os.Kill when it is gone
}
