package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"tegata/emulator"
	"tegata/emulator/control"
	"tegata/sandbox"
)

// defaultEmulated is where the metadata service is imitated: the port of other
// emulators, which clients' examples name.
const defaultEmulated = "127.0.0.1:1338"

// An emulation is what the flags of `tegata emulate` say.
type emulation struct {
	addrs     list
	file      string
	faults    list
	from      list // PREFIX=FILE
	control   string
	tokenFile string
	log       *choice
	mock      *emulator.Options // in place of a scenario; nil means none
}

func runEmulate(ctx context.Context, s *session) error {
	fs := s.flags()
	e := emulation{log: oneOf("", "text", "json")}
	fs.Var(&e.addrs, "addr", "")
	fs.StringVar(&e.file, "scenario", "", "")
	fs.Var(&e.faults, "fault", "")
	fs.Var(&e.from, "from", "")
	fs.StringVar(&e.control, "control", "", "")
	fs.StringVar(&e.tokenFile, "control-token-file", "", "")
	fs.Var(e.log, "log", "")
	mock := newMockLine(s)
	mock.declare(fs)
	printCA := fs.Bool("print-ca", false, "")
	if err := s.noArgs(fs); err != nil {
		return err
	}
	if *printCA {
		_, err := s.Stdout.Write(emulator.CA())
		return err
	}
	if e.tokenFile != "" && e.control == "" {
		return usagef("--control-token-file is of no use without --control")
	}
	if err := mock.apply(s, &e); err != nil {
		return err
	}
	if len(e.addrs) == 0 {
		e.addrs = list{defaultEmulated}
	}
	return s.emulate(ctx, e)
}

// emulate serves until a signal ends it.
func (s *session) emulate(ctx context.Context, e emulation) error {
	instances, fleet, err := s.instances(e)
	if err != nil {
		return err
	}
	defer fleet.Close()
	listeners, err := listenAll(e.addrs)
	if err != nil {
		return err
	}
	serving := serving{failed: make(chan struct{})}
	for _, l := range listeners {
		serving.run(func() error { return fleet.Serve(l) })
	}
	stop := func() {}
	if e.control != "" {
		if stop, err = s.serveControl(e, instances, &serving); err != nil {
			return errors.Join(err, fleet.Close(), serving.wait())
		}
	}
	for _, l := range listeners {
		s.tellEndpoint(l.Addr())
	}
	select {
	case <-ctx.Done():
	case <-serving.failed:
	}
	stop()
	return errors.Join(fleet.Close(), serving.wait())
}

// tellEndpoint prints the variable with which clients find the service.
func (s *session) tellEndpoint(addr net.Addr) {
	line(s.Stderr, "export AWS_EC2_METADATA_SERVICE_ENDPOINT=%s/", pageAt(addr))
	if !onLoopback(addr) {
		s.warn("%s is no loopback address: whoever reaches it can read this instance's metadata", addr)
	}
}

// listenAll listens on all addresses or on none.
func listenAll(addrs []string) (all []net.Listener, err error) {
	for _, addr := range addrs {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			for _, one := range all {
				one.Close()
			}
			return nil, hintf(err, "choose another address, or let the system choose: --addr 127.0.0.1:0")
		}
		all = append(all, l)
	}
	return all, nil
}

// instances makes the instance for all callers and those for some of them.
func (s *session) instances(e emulation) ([]control.Instance, *emulator.Fleet, error) {
	main, server, err := s.mainInstance(e)
	if err != nil {
		return nil, nil, err
	}
	instances := []control.Instance{main}
	var members []emulator.Member
	for _, from := range e.from {
		addresses, file, ok := strings.Cut(from, "=")
		prefix, err := callers(addresses)
		if !ok || err != nil {
			return nil, nil, hintf(usagef("--from %q: want PREFIX=FILE", from), "tegata emulate --from 127.0.0.2=second.yaml")
		}
		name := strings.ReplaceAll(prefix.String(), "/", "-")
		i, member, err := s.instance(name, file, e)
		if err != nil {
			return nil, nil, err
		}
		instances = append(instances, i)
		members = append(members, emulator.Member{From: prefix, Server: member})
	}
	fleet, err := emulator.NewFleet(server, members...)
	if err != nil {
		return nil, nil, usageError{err}
	}
	return instances, fleet, nil
}

// callers reads a prefix, or an address as the prefix of it alone.
func callers(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	return netip.ParsePrefix(text)
}

func (s *session) mainInstance(e emulation) (control.Instance, *emulator.Server, error) {
	if e.mock != nil {
		return s.newInstance(control.Instance{Name: "default", Options: *e.mock}, e.log.value)
	}
	return s.instance("default", e.file, e)
}

// instance makes the instance of a scenario file.
func (s *session) instance(name, file string, e emulation) (i control.Instance, _ *emulator.Server, err error) {
	_, scenario, err := readScene(file, e.faults)
	if err != nil {
		return i, nil, asFailure(err)
	}
	if scenario.IMDS.Listen == "refuse" {
		return i, nil, usagef("the scenario refuses connections (imds.listen): there is nothing to serve")
	}
	i.Name = name
	i.WithFaults = func(names []string) (emulator.Options, error) { return switched(scenario, names) }
	if i.Options, err = scenario.Metadata(); err != nil {
		return i, nil, err
	}
	return s.newInstance(i, e.log.value)
}

// newInstance makes the server of an instance, with its access log.
func (s *session) newInstance(i control.Instance, log string) (control.Instance, *emulator.Server, error) {
	if log != "" {
		i.Options.OnRequest = s.accessLog(log, i.Name)
	}
	server, err := emulator.New(i.Options)
	i.Server = server
	return i, server, err
}

// asFailure gives an error of the sandbox, whose statuses are those of env(1),
// the status of other commands.
func asFailure(err error) error {
	var status statusError
	if errors.As(err, &status) {
		return status.err
	}
	return err
}

// switched is the scenario with faults that a running instance can have.
func switched(scenario sandbox.Scenario, names []string) (emulator.Options, error) {
	can := sandbox.Switchable()
	for _, name := range names {
		if err := scenario.Apply(name); err != nil {
			return emulator.Options{}, err
		}
		if !slices.ContainsFunc(can, func(f sandbox.Fault) bool { return f.Name == name }) {
			return emulator.Options{}, fmt.Errorf("fault %q can't be switched while the instance runs", name)
		}
	}
	return scenario.Metadata()
}

// accessLog writes a line for each request; what is logged holds no token.
func (s *session) accessLog(form, instance string) func(emulator.Access) {
	var handler slog.Handler = slog.NewTextHandler(s.Stderr, nil)
	if form == "json" {
		handler = slog.NewJSONHandler(s.Stderr, nil)
	}
	log := slog.New(handler).With("instance", instance)
	return func(a emulator.Access) {
		log.Info("request", "method", a.Method, "path", a.Path, "status", a.Status,
			"peer", a.Peer, "version", a.Version, "took", a.Duration)
	}
}

// serveControl starts the control API and says where it is and where its
// token lies. stop ends it.
func (s *session) serveControl(e emulation, instances []control.Instance, serving *serving) (stop func(), err error) {
	token, file, remove, err := controlToken(e.tokenFile)
	if err != nil {
		return nil, err
	}
	api, err := control.New(token, instances...)
	if err != nil {
		remove()
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	l, err := net.Listen("tcp", e.control)
	if err == nil && !onLoopback(l.Addr()) {
		err = errors.Join(usagef("--control %s: want a loopback address", e.control), l.Close())
	}
	if err != nil {
		remove()
		return nil, hintf(err, "tegata emulate --control 127.0.0.1:0")
	}
	server := &http.Server{Handler: api, ReadTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	serving.run(func() error { return server.Serve(l) })
	s.warn("control API: %s (token in %s)", "http://"+l.Addr().String()+"/", file)
	return func() { server.Close(); remove() }, nil
}

// controlToken reads the token of the control API from file, or makes one
// and writes it there. Without a file it makes one that remove deletes.
func controlToken(file string) (token, path string, remove func(), err error) {
	remove = func() {}
	if file == "" {
		dir, err := os.MkdirTemp("", "tegata-emulate-")
		if err != nil {
			return "", "", remove, err
		}
		file, remove = filepath.Join(dir, "token"), func() { os.RemoveAll(dir) }
	}
	token, err = readToken(file)
	if errors.Is(err, os.ErrNotExist) {
		token = rand.Text()
		err = writeToken(file, token)
	}
	if err != nil {
		remove()
	}
	return token, file, remove, err
}

// readToken refuses a file that others can read.
func readToken(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("read the token: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return "", hintf(fmt.Errorf("%s can be read by others", file), "make it yours alone: chmod 600 %s", file)
	}
	const enough = 4 << 10
	data, err := io.ReadAll(io.LimitReader(f, enough))
	return strings.TrimSpace(string(data)), err
}

func writeToken(file, token string) error {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("write the token: %w", err)
	}
	_, err = f.WriteString(token + "\n")
	return errors.Join(err, f.Close())
}

// A serving is servers that run until they are closed, or one of them fails.
type serving struct {
	group  sync.WaitGroup
	failed chan struct{} // closed once a server has ended by itself
	mu     sync.Mutex
	errs   []error
}

func (s *serving) run(serve func() error) {
	s.group.Go(func() {
		err := serve()
		if err == nil || errors.Is(err, http.ErrServerClosed) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.errs = append(s.errs, err); len(s.errs) == 1 {
			close(s.failed)
		}
	})
}

// wait waits until all have ended and returns why any did by itself.
func (s *serving) wait() error {
	s.group.Wait()
	return errors.Join(s.errs...)
}
