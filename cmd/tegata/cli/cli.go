// Package cli is the command line of tegata. [Main] runs one command; it
// takes everything from the outside as values and can run any number of
// times in one process.
package cli

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"tegata/internal/message"
)

// A Process is what the operating system gives a command.
type Process struct {
	Args           []string // without the name of the program
	Env            []string // "NAME=value"; the last one wins, as in os/exec
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Signals        <-chan os.Signal // nil for none
}

// ThisProcess is what the operating system gave this process. A hang-up that
// nohup(1) has switched off, or an interrupt that a shell has for a job in the
// background, stays off for tegata and for what it runs.
func ThisProcess() Process {
	signals := make(chan os.Signal, 8)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	return Process{
		Args:    os.Args[1:],
		Env:     os.Environ(),
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		Signals: signals,
	}
}

// Getenv returns the value of an environment variable, or "".
func (p *Process) Getenv(name string) string {
	v, _ := p.lookupEnv(name)
	return v
}

func (p *Process) lookupEnv(name string) (value string, ok bool) {
	for _, kv := range p.Env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// Exit statuses of every command; `tegata sandbox` adds those of env(1).
const (
	exitOK       = 0
	exitFailed   = 1
	exitUsage    = 2
	exitFindings = 3
)

// A command is one noun of the command line. Its help is help/LANG/NAME.txt.
type command struct {
	name   string
	hidden bool
	// ownSignals means that run reads Process.Signals itself; for all other
	// commands a signal cancels the context.
	ownSignals bool
	run        func(ctx context.Context, s *session) error
}

func commands() []command {
	return []command{
		{name: "demo", ownSignals: true, run: runDemo},
		{name: "get", run: runGet},
		{name: "env", run: runEnv},
		{name: "credentials", run: runCredentials},
		{name: "identity", run: runIdentity},
		{name: "doctor", run: runDoctor},
		{name: "scan", run: runScan},
		{name: "serve", run: runServe},
		{name: "client", run: runClient},
		{name: "sandbox", ownSignals: true, run: runSandbox},
		{name: "emulate", run: runEmulate},
		{name: "version", run: runVersion},
		{name: "help", run: runHelp},
		{name: boxInit, hidden: true, ownSignals: true, run: runBoxInit},
	}
}

// A session is one run of one command.
type session struct {
	Process
	command command
	lang    message.Lang
	ended   atomic.Pointer[time.Time] // end of the expired credentials that were told last
}

// Main runs the command that p asks for and returns the exit status.
func Main(ctx context.Context, p Process) int {
	s := &session{Process: p, lang: message.LangFrom(p.Getenv)}
	err := s.dispatch(ctx)
	return s.report(err)
}

func (s *session) dispatch(ctx context.Context) error {
	for len(s.Args) > 0 && strings.HasPrefix(s.Args[0], "-") {
		if err := s.globalFlag(); err != nil {
			return err
		}
	}
	if len(s.Args) == 0 {
		return usagef("no command given")
	}
	name := s.Args[0]
	s.Args = s.Args[1:]
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		s.command = c
		if !c.ownSignals {
			var stop func()
			ctx, stop = s.cancelOnSignal(ctx)
			defer stop()
		}
		return c.run(ctx, s)
	}
	return unknownCommand(name)
}

// globalFlag takes one flag that stands before the command.
func (s *session) globalFlag() error {
	flag := s.Args[0]
	s.Args = s.Args[1:]
	switch name, value, hasValue := strings.Cut(strings.TrimLeft(flag, "-"), "="); name {
	case "h", "help":
		s.Args = append([]string{"help"}, s.Args...)
	case "version":
		s.Args = append([]string{"version"}, s.Args...)
	case "lang":
		if !hasValue {
			if len(s.Args) == 0 {
				return usagef("--lang wants a language")
			}
			value, s.Args = s.Args[0], s.Args[1:]
		}
		return s.setLang(value)
	default:
		return usagef("unknown flag %s before the command", flag)
	}
	return nil
}

func (s *session) setLang(value string) error {
	l, ok := message.ParseLang(value)
	if !ok {
		return usagef("language %q is not one of en, ja", value)
	}
	s.lang = l
	return nil
}

// interrupted is the cause of a context that a signal has cancelled.
type interrupted struct{ signal os.Signal }

func (e interrupted) Error() string { return "interrupted by " + e.signal.String() }

func (e interrupted) status() int {
	if n, ok := e.signal.(syscall.Signal); ok {
		return 128 + int(n)
	}
	return exitFailed
}

func (s *session) cancelOnSignal(ctx context.Context) (context.Context, func()) {
	return cancelOn(ctx, s.Signals)
}

// cancelOn returns a context that the first of the signals cancels. The
// returned function releases what it holds.
func cancelOn(ctx context.Context, signals <-chan os.Signal) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		select {
		case sig := <-signals:
			cancel(interrupted{sig})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		cancel(context.Canceled)
		<-stopped
	}
}
