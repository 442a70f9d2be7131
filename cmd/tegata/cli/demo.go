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
	var outside *net.TCPListener
	var files []*os.File
	if !*check {
		if outside, err = listenOutside(*addr); err != nil {
			return err
		}
		defer outside.Close()
		options.Addr = outside.Addr().String()
		file, err := outside.File()
		if err != nil && !errors.Is(err, errors.ErrUnsupported) { // Windows has no such files, and no boxes
			return fmt.Errorf("hand the listener to the box: %w", err)
		}
		defer file.Close()
		files = append(files, file)
	}
	env := place.environ(scenario, s.Env, boxIMDS, "http://"+boxAWS)
	err = s.runInBox(ctx, boxSpec{Scene: sc, Demo: options}, env, files...)
	if errors.Is(err, sandbox.ErrNoNamespaces) {
		if len(files) > 0 && files[0] != nil {
			// The attempt to hand the file over has made it block, and the
			// listener with it, which could then not be closed (os.File.Fd).
			reopened, err := net.FileListener(files[0])
			if err != nil {
				return fmt.Errorf("take the listener back from the box: %w", err)
			}
			return s.demoBeside(ctx, scenario, place, options, reopened)
		}
		return s.demoBeside(ctx, scenario, place, options, outside)
	}
	return err
}

func listenOutside(addr string) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, hintf(err, "choose another address, or let the system choose: --addr 127.0.0.1:0")
	}
	return l.(*net.TCPListener), nil
}

// demoBeside runs the demo where there are no boxes. Nothing of it needs one:
// its clients go where the environment leads them.
func (s *session) demoBeside(ctx context.Context, scenario sandbox.Scenario, place *place, options demoOptions, outside net.Listener) error {
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
	return s.demo(ctx, options, instance, outside)
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
	outside, err := net.FileListener(in.Files[0])
	if err != nil {
		return fmt.Errorf("take over the listener of the outside: %w", err)
	}
	return s.demo(ctx, options, instance, outside)
}

// demo goes the way of an application once, has doctor look at it and, unless
// it is a check, keeps the instance up for others until ctx ends.
func (s *session) demo(ctx context.Context, options demoOptions, instance *sandbox.Sandbox, outside net.Listener) error {
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
	if options.Check || ctx.Err() != nil {
		return err
	}
	return s.stay(ctx, options.Addr, instance, outside)
}

// stay serves the instance on the listener of the outside.
func (s *session) stay(ctx context.Context, addr string, instance *sandbox.Sandbox, outside net.Listener) error {
	server := &http.Server{Handler: instance.Handler(), ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(outside) }()
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
