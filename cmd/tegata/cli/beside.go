package cli

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"

	"tegata/sandbox"
)

// loopback is where the servers listen without a box.
type loopback struct{ sandbox.Listeners }

func loopbackListeners() (l loopback, err error) {
	imds, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return l, err
	}
	aws, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return l, errors.Join(err, imds.Close())
	}
	l.IMDS, l.AWS = []net.Listener{imds}, aws
	return l, nil
}

func (l loopback) imdsURL() string { return "http://" + l.IMDS[0].Addr().String() + "/" }
func (l loopback) awsURL() string  { return "http://" + l.AWS.Addr().String() }

// runBeside runs a command without a box: the servers listen on loopback
// addresses, and only the environment leads the command to them. If record is
// set, the policy that the command needs is told, in the one file or on stdout.
func (s *session) runBeside(scenario sandbox.Scenario, options sandbox.Options, place *place, args []string, record bool, files []*os.File) error {
	s.warn("not isolated: a command that ignores its environment can reach the real AWS and the real metadata service")
	listeners, err := loopbackListeners()
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	instance, err := scenario.StartWith(listeners.Listeners, options)
	if err != nil {
		return statusError{sandbox.StatusFailed, err}
	}
	defer s.closeInstance(instance)
	if record {
		instance.Record()
	}
	cmd := exec.Command(args[0], args[1:]...)
	if args[0] == "tegata" {
		cmd = exec.Command(place.self, args[1:]...)
	}
	cmd.Args[0] = args[0]
	if cmd.Env, err = place.environ(scenario, s.Env, listeners.imdsURL(), listeners.awsURL()); err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.Stdin, s.Stdout, s.Stderr
	cmd.WaitDelay = time.Second // for streams that are no files and never end
	if err := cmd.Start(); err != nil {
		return statusError{sandbox.StatusOf(err), fmt.Errorf("run %s: %w", args[0], errors.Unwrap(err))}
	}
	status := s.wait(cmd)
	if record {
		if err := s.tellPolicy(instance.Recorded(), files); err != nil {
			return err
		}
	}
	return done(status)
}

// wait hands signals on to the command until it ends, and returns its exit
// status. A terminal has given its interrupt to the command already.
func (s *session) wait(cmd *exec.Cmd) (status int) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // the state tells all
	}()
	keyboard := onTerminal(s.Stdin)
	for {
		select {
		case sig := <-s.Signals:
			if sig != os.Interrupt || !keyboard {
				_ = cmd.Process.Signal(sig)
			}
		case <-ended:
			if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
				return 128 + int(ws.Signal())
			}
			return cmd.ProcessState.ExitCode()
		}
	}
}
