package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What travels to the init through the file whose descriptor is its last
// argument: one [handover], then one signal number for each signal. The end of
// the stream means that the outer process is gone, whatever became of it. The
// descriptors behind it are those of Files.
type handover struct {
	Spec  json.RawMessage
	Files int
}

// Run starts the box, waits until its init has ended and returns the exit
// status: that of the init, or 128 plus the number of the signal that ended
// it. An error means that there was no box; it wraps [ErrNoNamespaces] where
// the system refuses to make one.
func (b *Box) Run(ctx context.Context) (status int, err error) {
	spec, err := json.Marshal(b.Spec)
	if err != nil {
		return StatusFailed, fmt.Errorf("describe the box: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return StatusFailed, fmt.Errorf("describe the box: %w", err)
	}
	defer w.Close()
	cmd, err := b.start(r)
	r.Close()
	if err != nil {
		return StatusFailed, err
	}
	tell := json.NewEncoder(w)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// The init reads this before anything else; if it has died already,
	// the write fails and its status tells.
	_ = tell.Encode(handover{Spec: spec, Files: len(b.Files)})
	done := ctx.Done()
	for {
		select {
		case s := <-b.Signals:
			if n, ok := s.(syscall.Signal); ok {
				_ = tell.Encode(int(n))
			}
		case <-done:
			w.Close() // as if the outer process were gone
			done = nil
		case err := <-ended:
			return exitStatus(cmd, err)
		}
	}
}

func (b *Box) start(control *os.File) (*exec.Cmd, error) {
	before := callersFiles(1 + len(b.Files))
	defer func() {
		for _, f := range before {
			f.Close()
		}
	}()
	uids := idMaps(unix.CAP_SETUID, "/proc/self/uid_map", os.Getuid())
	gids := idMaps(unix.CAP_SETGID, "/proc/self/gid_map", os.Getgid())
	cmd := &exec.Cmd{
		Path:       "/proc/self/exe", // works even when the file has been replaced since
		Args:       append(slices.Clone(b.Args), strconv.Itoa(3+len(before))),
		Env:        b.Env,
		Stdin:      b.Stdin,
		Stdout:     b.Stdout,
		Stderr:     b.Stderr,
		ExtraFiles: slices.Concat(before, []*os.File{control}, b.Files),
		WaitDelay:  time.Second, // for a Stdin that is no file and never ends
		SysProcAttr: &syscall.SysProcAttr{
			Cloneflags:                 unix.CLONE_NEWUSER | unix.CLONE_NEWNET | unix.CLONE_NEWPID | unix.CLONE_NEWNS,
			UidMappings:                uids,
			GidMappings:                gids,
			GidMappingsEnableSetgroups: len(gids) > 1 || gids[0].Size > 1,
			// exec takes the rights of a new user namespace from anybody
			// but uid 0; the init needs these to set the box up and gives
			// them up before it starts the command.
			AmbientCaps: []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE, unix.CAP_SYS_ADMIN},
		},
	}
	err := cmd.Start()
	var errno syscall.Errno
	switch {
	case err == nil:
		return cmd, nil
	case errors.As(err, &errno) && slices.Contains(refusals, errno):
		return nil, fmt.Errorf("make a box: %w (%v)", ErrNoNamespaces, errno)
	}
	return nil, fmt.Errorf("make a box: %w", err)
}

// callersFiles returns copies of the open files that our caller left for us
// and for those whom we run, such as those of make's jobserver, from
// descriptor 3 up to the first n free ones in a row.
func callersFiles(n int) (files []*os.File) {
	free := 0
	for fd := uintptr(3); free < n; fd++ {
		f := inherited(fd)
		files = append(files, f)
		if free++; f != nil {
			free = 0
		}
	}
	return files[:len(files)-n]
}

// inherited returns a copy of the file at fd, or nil where there is none or
// where it is ours alone.
func inherited(fd uintptr) *os.File {
	flags, err := unix.FcntlInt(fd, unix.F_GETFD, 0)
	if err != nil || flags&unix.FD_CLOEXEC != 0 {
		return nil
	}
	duplicate, err := unix.FcntlInt(fd, unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	return os.NewFile(uintptr(duplicate), "file of the caller")
}

// refusals are the errors of clone(2) where user namespaces are switched
// off, used up, forbidden by a security module, or not compiled in; and ENOENT
// where /proc is that of another PID namespace, so that ids can't be mapped.
var refusals = []syscall.Errno{unix.EPERM, unix.EACCES, unix.ENOSPC, unix.EUSERS, unix.EINVAL, unix.ENOSYS, unix.ENOENT}

func exitStatus(cmd *exec.Cmd, err error) (int, error) {
	ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	switch {
	case !ok:
		return StatusFailed, fmt.Errorf("wait for the box: %w", err)
	case ws.Signaled():
		return statusSignal + int(ws.Signal()), nil
	}
	return ws.ExitStatus(), nil
}

// idMaps maps ids in the box to the same ids outside: all that exist here if
// we hold the capability to map them, so that root can become another user in
// the box too, else our own one alone (user_namespaces(7), "Defining user and
// group ID mappings").
func idMaps(capability int, file string, own int) []syscall.SysProcIDMap {
	single := []syscall.SysProcIDMap{{ContainerID: own, HostID: own, Size: 1}}
	if !capable(capability) {
		return single
	}
	f, err := os.Open(file)
	if err != nil {
		return single
	}
	defer f.Close()
	var maps []syscall.SysProcIDMap
	for {
		var inside, outside, size int
		if n, _ := fmt.Fscan(f, &inside, &outside, &size); n < 3 {
			break
		}
		maps = append(maps, syscall.SysProcIDMap{ContainerID: inside, HostID: inside, Size: size})
	}
	if maps == nil {
		return single
	}
	return maps
}

func capable(capability int) bool {
	var data [2]unix.CapUserData // version 3 of the interface has two halves
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	return data[capability/32].Effective&(1<<(capability%32)) != 0
}
