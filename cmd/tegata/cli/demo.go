package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"tegata/sandbox"
	"tegata/web"
)

// demoOptions is what the demo needs to know in its box.
type demoOptions struct {
	Check  bool
	Addr   string   // where the outside reaches the page and the instance; empty with Check
	Faults []string // that the page can mend
	Data   string   // where the page keeps its conversations, for as long as the demo lasts
}

func runDemo(ctx context.Context, s *session) error {
	fs := s.flags()
	check := fs.Bool("check", false, "")
	addr := fs.String("addr", defaultAddr, "")
	file := fs.String("scenario", "", "")
	var faults list
	fs.Var(&faults, "fault", "")
	model := fs.String("model-upstream", "", "")
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
	around, err := optionsOf("", *model)
	if err != nil {
		return err
	}
	relay, err := relayFor(*model, place.dir)
	if err != nil {
		return err
	}
	defer relay.close()
	options := demoOptions{Check: *check, Data: place.dir}
	sc.Faults, options.Faults = apart(sc.Faults)
	var out outside
	if !*check {
		if out, err = listenOutside(*addr); err != nil {
			return err
		}
		defer out.Close()
		options.Addr = out.listener.Addr().String()
	}
	err = s.runInBox(ctx, boxSpec{Scene: sc, Options: around, Place: place.dir, Demo: options}, place.environInBox(scenario, s.Env), out.files()...)
	if errors.Is(err, sandbox.ErrNoNamespaces) {
		return s.demoBeside(ctx, scenario, around, place, options, out)
	}
	return err
}

// apart separates the faults that an instance can be rid of while it runs
// from those that it has to be started with.
func apart(faults []string) (lasting, switchable []string) {
	for _, name := range faults {
		if slices.ContainsFunc(sandbox.Switchable(), func(f sandbox.Fault) bool { return f.Name == name }) {
			switchable = append(switchable, name)
		} else {
			lasting = append(lasting, name)
		}
	}
	return lasting, switchable
}

// speed is how fast the stand-in speaks to people: about as a model does.
const speed = 20 * time.Millisecond

// paced has the stand-in speak so that one can watch it.
func (o demoOptions) paced(s sandbox.Scenario) sandbox.Scenario {
	if !o.Check && s.Bedrock.Pace == 0 {
		s.Bedrock.Pace = speed
	}
	return s
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
func (s *session) demoBeside(ctx context.Context, scenario sandbox.Scenario, around sandbox.Options, place *place, options demoOptions, out outside) error {
	s.warn("without a box, which is not available here: the demo stays on loopback addresses by itself")
	listeners, err := loopbackListeners()
	if err != nil {
		return err
	}
	instance, err := options.paced(scenario).StartWith(listeners.Listeners, around)
	if err != nil {
		return err
	}
	defer instance.Close()
	if s.Env, err = place.environ(scenario, s.Env, listeners.imdsURL(), listeners.awsURL()); err != nil {
		return err
	}
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
	if options.Check {
		return s.checkInBox(ctx, options, instance)
	}
	l, err := net.FileListener(in.Files[0])
	if err != nil {
		return fmt.Errorf("take over the listener of the outside: %w", err)
	}
	return s.demo(ctx, options, instance, l)
}

// checkInBox ends with its reader, as every other program does, though an init
// can't be ended by the SIGPIPE that it raises itself.
func (s *session) checkInBox(ctx context.Context, options demoOptions, instance *sandbox.Sandbox) error {
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	ctx, stop := cancelOn(ctx, broken)
	defer stop()
	return s.demo(ctx, options, instance, nil)
}

// demo goes the way of an application once and has doctor look at it. Unless
// it is a check, the page and the instance are there meanwhile, and stay until
// ctx ends.
func (s *session) demo(ctx context.Context, options demoOptions, instance *sandbox.Sandbox, l net.Listener) error {
	line(s.Stdout, "%s", s.lang.T("tegata demo: a stand-in for an EC2 instance and for AWS; nothing here reaches the real ones"))
	line(s.Stdout, "")
	if err := instance.Switch(options.Faults...); err != nil {
		return err
	}
	if options.Check {
		return s.tour(ctx)
	}
	a, err := s.openApplication(ctx, options.application(s, instance))
	if err != nil {
		return err
	}
	serving, end := context.WithCancelCause(ctx)
	served := make(chan error, 1)
	go func() {
		err := a.serve(serving, demoServer(a.handler, instance), l, s.Signals)
		end(err)
		served <- err
	}()
	err = s.tour(serving)
	var told statusError // what was found stands in the report, and is there to be looked at
	if serving.Err() == nil && (err == nil || errors.As(err, &told)) {
		if err = s.invite(ctx, a, options.Addr); err == nil {
			<-serving.Done()
		}
	}
	end(err)
	if err = errors.Join(err, <-served, a.close()); err == nil || ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return err
}

// tour goes the way of an application and has doctor explain it.
func (s *session) tour(ctx context.Context) error {
	walked := s.walk(ctx)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	line(s.Stdout, "")
	if err := s.examine(ctx); err != nil {
		return err
	}
	return walked // nothing was found, and yet the way was barred
}

// application is the chat page on the imitated instance.
func (o demoOptions) application(s *session, instance *sandbox.Sandbox) applicationOptions {
	return applicationOptions{
		Data:  o.Data,
		Model: s.Getenv("BEDROCK_MODEL_ID"),
		Log:   slog.New(slog.DiscardHandler), // what goes wrong stands on the page
		Demo:  switchboard(instance),
	}
}

// switchboard lets the Doctor page break the instance.
func switchboard(instance *sandbox.Sandbox) *web.Demo {
	return &web.Demo{Switch: instance.Switch, Faults: func() (all []web.DemoFault) {
		on := instance.Faults()
		for _, f := range sandbox.Switchable() {
			if is := slices.Contains(on, f.Name); is || f.Demo {
				all = append(all, web.DemoFault{Name: f.Name, Title: f.Title, On: is})
			}
		}
		return all
	}}
}

// demoServer serves the page and the instance on one address. The SDK for
// JavaScript speaks HTTP/2 to Bedrock's runtime, without TLS too.
func demoServer(page http.Handler, instance *sandbox.Sandbox) *http.Server {
	imitated := instance.Handler()
	server := newServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if instance.Owns(r) {
			imitated.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	}))
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return server
}

// invite says where the page and the instance are.
func (s *session) invite(ctx context.Context, a *application, addr string) error {
	link, err := a.signInLink(ctx, &url.URL{Scheme: "http", Host: addr})
	if err != nil {
		return err
	}
	line(s.Stdout, "\n%s\n\n  %s\n", s.lang.T("Chat with the stand-in, and break the chain on its Doctor page, in a browser:"), link)
	line(s.Stdout, "%s\n", s.lang.T("The instance stays up at http://%s until you interrupt it. Try it from another terminal:", addr))
	line(s.Stdout, "  export AWS_EC2_METADATA_SERVICE_ENDPOINT=http://%s/ AWS_ENDPOINT_URL=http://%s", addr, addr)
	line(s.Stdout, "  export AWS_REGION=%[1]s AWS_DEFAULT_REGION=%[1]s BEDROCK_MODEL_ID=%s", s.Getenv("AWS_REGION"), s.Getenv("BEDROCK_MODEL_ID"))
	line(s.Stdout, "  tegata doctor")
	return line(s.Stdout, "\n%s", s.lang.T("or in a box of its own, with nothing to set: tegata sandbox -- aws sts get-caller-identity"))
}
