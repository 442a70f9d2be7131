package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Enter sets up the box around the calling process, which must be its init,
// and decodes the Spec of the [Box] into spec.
func Enter(spec any) (*Inside, error) {
	if os.Getpid() != 1 {
		return nil, errors.New("enter the box: this process is not the init of a box")
	}
	fd, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err != nil {
		return nil, fmt.Errorf("enter the box: %w", err)
	}
	unix.CloseOnExec(fd)
	stream := json.NewDecoder(os.NewFile(uintptr(fd), "handover"))
	var from handover
	if err := stream.Decode(&from); err != nil {
		return nil, fmt.Errorf("enter the box: %w", err)
	}
	if err := json.Unmarshal(from.Spec, spec); err != nil {
		return nil, fmt.Errorf("enter the box: %w", err)
	}
	signals := make(chan os.Signal)
	go relay(stream, signals)
	in := &Inside{Signals: signals}
	for range from.Files {
		fd++
		unix.CloseOnExec(fd)
		in.Files = append(in.Files, os.NewFile(uintptr(fd), "file of the outside"))
	}
	// A new PID namespace wants a /proc of its own. Where the system's is
	// partly hidden, as in many containers, the kernel refuses one; the box
	// works with the old one, only ps shows foreign processes.
	_ = unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "")
	return in, nil
}

// relay passes on the signals that the outer process was sent. When the
// stream ends, the outer process is gone and nobody waits for the box.
func relay(stream *json.Decoder, to chan<- os.Signal) {
	for {
		var number int
		if stream.Decode(&number) != nil {
			to <- os.Kill
			return
		}
		to <- syscall.Signal(number)
	}
}

// Run starts a command in the box and waits for it, passing on signals and
// reaping whatever is orphaned meanwhile, as an init must. It returns the
// command's exit status, or 128 plus the number of the signal that ended it;
// an error comes with the status of env(1) for it.
//
// On received come the signals that the init itself gets.
func (in *Inside) Run(args, env []string, received <-chan os.Signal) (status int, err error) {
	path, err := exec.LookPath(args[0])
	if err != nil && !errors.Is(err, exec.ErrDot) { // a relative PATH is the user's choice here
		return StatusOf(err), fmt.Errorf("run %s: %w", args[0], errors.Unwrap(err))
	}
	pid, err := forkExec(path, args, env)
	if err != nil {
		return StatusOf(err), fmt.Errorf("run %s: %w", args[0], err)
	}
	ended := make(chan syscall.WaitStatus, 1)
	go reap(pid, ended)
	group := groupSignals{received: received, last: make(map[os.Signal]time.Time)}
	for {
		select {
		case s := <-received:
			group.note(s)
		case s := <-in.Signals:
			if !group.had(s) {
				_ = syscall.Kill(target(pid, s), s.(syscall.Signal)) // gone already: its status follows
			}
		case ws := <-ended:
			if ws.Signaled() {
				return statusSignal + int(ws.Signal()), nil
			}
			return ws.ExitStatus(), nil
		}
	}
}

// target is whom a relayed signal is for: the command, except that an
// interrupt is for everything in the box, as one from a terminal would be. A
// shell that alone is interrupted goes on waiting for what it runs.
func target(command int, s os.Signal) (pid int) {
	if s == os.Interrupt || s == syscall.SIGQUIT {
		return -1
	}
	return command
}

// groupSignals remembers what the init has received itself. A terminal, and
// kill(2) with a negative pid, signal the whole process group, and then the
// command has had the signal too and must not get it twice.
type groupSignals struct {
	received <-chan os.Signal
	last     map[os.Signal]time.Time
}

func (g *groupSignals) note(s os.Signal) { g.last[s] = time.Now() }

// had reports whether the whole group got a signal that was relayed just now;
// the init's copy of it may be a little behind.
func (g *groupSignals) had(s os.Signal) bool {
	behind := time.After(20 * time.Millisecond)
	for {
		select {
		case r := <-g.received:
			g.note(r)
		case <-behind:
			return time.Since(g.last[s]) < 300*time.Millisecond
		}
	}
}

// forkExec forks from a thread that has given up its ambient capabilities, so
// that the command of an ordinary user has none in the box. Root keeps what
// root has in a user namespace.
func forkExec(path string, args, env []string) (pid int, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked, so the thread ends here too
		if err = unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err == nil {
			pid, err = syscall.ForkExec(path, args, &syscall.ProcAttr{Env: env, Files: []uintptr{0, 1, 2}})
		}
	}()
	<-done
	return pid, err
}

// reap collects the children of the init until it has collected pid.
func reap(pid int, ended chan<- syscall.WaitStatus) {
	for {
		var ws syscall.WaitStatus
		if got, _ := syscall.Wait4(-1, &ws, 0, nil); got == pid {
			ended <- ws
			return
		}
	}
}
