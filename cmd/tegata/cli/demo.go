package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tegata/sandbox"
)

// demoOptions is what the demo needs to know in its box.
type demoOptions struct {
	Check bool
	Addr  string // where the outside reaches the instance; empty with Check
}

func runDemo(ctx context.Context, s *session) error {
	fs := s.flags()
	check := fs.Bool("check", false, "")
	addr := fs.String("addr", "127.0.0.1:8338", "")
	file := fs.String("scenario", "", "")
	var faults list
	fs.Var(&faults, "fault", "")
	if err := s.noArgs(fs); err != nil {
		return err
	}
	sc, scenario, err := readScene(*file, faults)
	if err != nil {
		return err
	}
	place, err := makePlace(scenario)
	if err != nil {
		return err
	}
	defer place.remove()
	options := demoOptions{Check: *check}
	var out outside
	if !*check {
		if out, err = listenOutside(*addr); err != nil {
			return err
		}
		defer out.Close()
		options.Addr = out.listener.Addr().String()
	}
	env := place.environ(scenario, s.Env, boxIMDS, "http://"+boxAWS)
	err = s.runInBox(ctx, boxSpec{Scene: sc, Demo: options}, env, out.files()...)
	if errors.Is(err, sandbox.ErrNoNamespaces) {
		return s.demoBeside(ctx, scenario, place, options, out)
	}
	return err
}

// outside is where the instance is reached from outside the box. The zero
// value is for a demo that nobody reaches.
type outside struct {
	listener *net.TCPListener
	file     *os.File // the same, to hand to the box; nil on Windows, which has no boxes
}

func listenOutside(addr string) (outside, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return outside{}, hintf(err, "choose another address, or let the system choose: --addr 127.0.0.1:0")
	}
	out := outside{listener: l.(*net.TCPListener)}
	if out.file, err = out.listener.File(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return outside{}, errors.Join(fmt.Errorf("hand the listener to the box: %w", err), l.Close())
	}
	return out, nil
}

func (o outside) files() []*os.File {
	if o.file == nil {
		return nil
	}
	return []*os.File{o.file}
}

// kept is the listener for a demo without a box. Where one has been tried, the
// attempt to hand the file over has made it block, and the listener with it,
// which could then not be closed (os.File.Fd); so it is made anew.
func (o outside) kept() (net.Listener, error) {
	if o.file == nil {
		return o.listener, nil
	}
	return net.FileListener(o.file)
}

func (o outside) Close() {
	o.listener.Close()
	if o.file != nil {
		o.file.Close()
	}
}

// demoBeside runs the demo where there are no boxes. Nothing of it needs one:
// its clients go where the environment leads them.
func (s *session) demoBeside(ctx context.Context, scenario sandbox.Scenario, place *place, options demoOptions, out outside) error {
	s.warn("without a box, which is not available here: the demo stays on loopback addresses by itself")
	listeners, err := loopbackListeners()
	if err != nil {
		return err
	}
	instance, err := scenario.Start(listeners.Listeners)
	if err != nil {
		return err
	}
	defer instance.Close()
	s.Env = place.environ(scenario, s.Env, listeners.imdsURL(), listeners.awsURL())
	ctx, stop := cancelOn(ctx, s.Signals)
	defer stop()
	if options.Check {
		return s.demo(ctx, options, instance, nil)
	}
	l, err := out.kept()
	if err != nil {
		return fmt.Errorf("take the listener back from the box: %w", err)
	}
	return s.demo(ctx, options, instance, l)
}

// demoInBox runs the demo as the init of its box.
func (s *session) demoInBox(ctx context.Context, in *sandbox.Inside, options demoOptions, instance *sandbox.Sandbox) error {
	ctx, stop := cancelOn(ctx, s.Signals)
	defer stop()
	ctx, stopRelayed := cancelOn(ctx, in.Signals)
	defer stopRelayed()
	// An init can't be ended by the SIGPIPE that it raises itself.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	ctx, stopBroken := cancelOn(ctx, broken)
	defer stopBroken()
	if options.Check {
		return s.demo(ctx, options, instance, nil)
	}
	l, err := net.FileListener(in.Files[0])
	if err != nil {
		return fmt.Errorf("take over the listener of the outside: %w", err)
	}
	return s.demo(ctx, options, instance, l)
}

// demo goes the way of an application once, has doctor look at it and, unless
// it is a check, keeps the instance up for others until ctx ends.
func (s *session) demo(ctx context.Context, options demoOptions, instance *sandbox.Sandbox, l net.Listener) error {
	line(s.Stdout, "%s", s.lang.T("tegata demo: a stand-in for an EC2 instance and for AWS; nothing here reaches the real ones"))
	line(s.Stdout, "")
	walked := s.walk(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	line(s.Stdout, "")
	err := s.examine(ctx)
	if err == nil {
		err = walked // nothing was found, and yet the way was barred
	}
	var told statusError // what was found stands in the report, and is there to be looked at
	if options.Check || ctx.Err() != nil || err != nil && !errors.As(err, &told) {
		return err
	}
	return s.stay(ctx, options.Addr, instance, l)
}

// stay serves the instance on the listener of the outside.
func (s *session) stay(ctx context.Context, addr string, instance *sandbox.Sandbox, l net.Listener) error {
	server := &http.Server{Handler: instance.Handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	line(s.Stdout, "\n%s\n", s.lang.T("The instance stays up at http://%s until you interrupt it. Try it from another terminal:", addr))
	line(s.Stdout, "  export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://%s/ AWS_ENDPOINT_URL=http://%s", addr, addr)
	line(s.Stdout, "  export AWS_REGION=%[1]s AWS_DEFAULT_REGION=%[1]s BEDROCK_MODEL_ID=%s", s.Getenv("AWS_REGION"), s.Getenv("BEDROCK_MODEL_ID"))
	line(s.Stdout, "  tegata doctor")
	line(s.Stdout, "\n%s", s.lang.T("or in a box of its own, with nothing to set: tegata sandbox -- aws sts get-caller-identity"))
	select {
	case <-ctx.Done():
		server.Close()
		<-failed
		return context.Cause(ctx)
	case err := <-failed:
		return fmt.Errorf("serve on %s: %w", addr, err)
	}
}
