package sandbox

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/bedrock"
	"tegata/awsfake/ssm"
	"tegata/emulator"
	"tegata/internal/fault"
)

// Listeners are where a [Sandbox] serves. It closes them all.
type Listeners struct {
	IMDS []net.Listener // of the metadata service, one for each address
	AWS  net.Listener   // of all other services

	// Of all other services under their true names, by HTTPS, and of the name
	// server that leads there. Nil for clients that are told where AWS is.
	TLS        []net.Listener
	DNS        net.Listener
	DNSPackets net.PacketConn
}

func (l Listeners) close() error {
	var errs []error
	for _, one := range append(l.IMDS, l.TLS...) {
		errs = append(errs, one.Close())
	}
	if l.DNS != nil {
		errs = append(errs, l.DNS.Close(), l.DNSPackets.Close())
	}
	return errors.Join(append(errs, l.AWS.Close())...)
}

// A Sandbox is a scenario that runs: the metadata service of the instance,
// and AWS as that instance meets it.
type Sandbox struct {
	imds      *emulator.Server
	aws       atomic.Pointer[awsfake.Server] // as it answers now
	awsWire   *http.Server
	names     *nameServer // nil for none
	signer    *authority  // of the certificates of awsWire
	recorder  recorder
	keeper    *keeper         // nil: nothing is kept
	speaker   bedrock.Options // who speaks for the models
	following follower
	traffic   traffic
	ipv6      atomic.Bool  // whether the metadata service answers over IPv6 now
	skew      atomic.Int64 // by how many nanoseconds the clock of AWS is ahead now
	begun     time.Time    // by the clock of AWS at the start
	serving   sync.WaitGroup
	mu        sync.Mutex
	errs      []error // of servers that ended by themselves

	started   Scenario
	replies   *fault.Set // of started: one set for both servers, so that `times` counts the calls to both
	switching sync.Mutex
	faults    []string // that are on
}

// Start serves the scenario on l until [Sandbox.Close]. The listeners belong
// to it from now on, after an error too.
func (s Scenario) Start(l Listeners) (*Sandbox, error) { return s.StartWith(l, Options{}) }

// Options are what a sandbox has beside its scenario.
type Options struct {
	// State is a file that keeps the account: what it holds is there at the
	// start, in place of what the scenario says of users, roles and parameters,
	// and it is written after each change. "" means that nothing is kept.
	State string

	// Model is the URL of an OpenAI-compatible server whose model answers in
	// place of the stand-in, with the model's name behind a #; without it the
	// first that the server lists is asked. "" means the stand-in.
	Model string

	ModelClient *http.Client `json:"-"` // that asks it; nil means one that asks no proxy
}

func (o Options) speaker() (b bedrock.Options, err error) {
	if o.Model == "" {
		return b, nil
	}
	if b.Upstream, err = url.Parse(o.Model); err != nil {
		return b, fmt.Errorf("find the server of the model: %w", err)
	}
	b.UpstreamModel, b.Upstream.Fragment = b.Upstream.Fragment, ""
	b.HTTPClient = o.ModelClient
	return b, nil
}

// StartWith is Start with options.
func (s Scenario) StartWith(l Listeners, o Options) (*Sandbox, error) {
	b, err := s.join(o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), l.close())
	}
	for _, one := range l.IMDS {
		if s.IMDS.Listen == "refuse" || overIPv6(one) && !s.IMDS.IPv6 {
			one.Close() // a closed listener refuses connections
			continue
		}
		if overIPv6(one) {
			one = gate{one, &b.ipv6}
		}
		b.serve(func() error { return b.imds.Serve(one) })
	}
	b.serve(func() error { return b.awsWire.Serve(l.AWS) })
	for _, one := range l.TLS {
		b.serve(func() error { return b.awsWire.ServeTLS(one, "", "") })
	}
	if l.DNS != nil {
		b.names = l.nameServer(b.resolves)
		b.serve(b.names.serve)
	}
	return b, nil
}

// nameServer leads every host that it resolves to the HTTPS listeners.
func (l Listeners) nameServer(resolves func(host string) bool) *nameServer {
	n := &nameServer{resolves: resolves, streams: l.DNS, packets: l.DNSPackets}
	for _, one := range l.TLS {
		switch addr := one.Addr().(*net.TCPAddr).AddrPort().Addr().Unmap(); {
		case addr.Is4():
			n.v4 = addr
		default:
			n.v6 = addr
		}
	}
	return n
}

// CA is the certificate, in PEM, of the authority that has signed for AWS's
// host names in this sandbox, and only here.
func (b *Sandbox) CA() []byte { return b.signer.pem() }

// Close stops serving, cuts open connections and waits until both servers
// have ended. It returns what made one of them end before.
func (b *Sandbox) Close() error {
	b.stopFollowing()
	err := errors.Join(b.imds.Close(), b.awsWire.Close())
	if b.names != nil {
		err = errors.Join(err, b.names.close())
	}
	b.serving.Wait()
	if b.keeper != nil {
		err = errors.Join(err, b.keeper.close())
	}
	return errors.Join(append(b.errs, err)...)
}

func (b *Sandbox) serve(run func() error) {
	b.serving.Go(func() {
		if err := run(); err != nil && !errors.Is(err, http.ErrServerClosed) {
			b.mu.Lock()
			b.errs = append(b.errs, fmt.Errorf("serve in the sandbox: %w", err))
			b.mu.Unlock()
		}
	})
}

// join makes both servers so that AWS accepts the credentials that the
// metadata service hands out, and no others.
func (s Scenario) join(o Options) (b *Sandbox, err error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	b = &Sandbox{started: s}
	if b.speaker, err = o.speaker(); err != nil {
		return nil, err
	}
	b.skew.Store(int64(s.ClockSkew))
	if b.replies, err = fault.New(s.Replies); err != nil {
		return nil, err
	}
	b.begun = b.now()
	metadata, err := s.metadata(b.replies, b.begun)
	if err != nil {
		return nil, err
	}
	metadata.Now, metadata.OnRequest = b.now, b.traffic.count
	if b.imds, err = emulator.New(metadata); err != nil {
		return nil, err
	}
	b.traffic.begin(b.imds.Instance(), b.now)
	state, err := s.kept(o.State, b.imds.Instance(), b.begun)
	if err != nil {
		return nil, err
	}
	if err := b.stand(ground{b.services(s, state, b.replies), metadata, s.Role}); err != nil {
		return nil, err
	}
	if b.signer, err = newAuthority(time.Now(), s.ClockSkew, b.resolves); err != nil {
		return nil, err
	}
	if o.State != "" {
		b.keeper = newKeeper(o.State, func() ([]byte, error) { return b.aws.Load().Save() })
	}
	b.awsWire = &http.Server{
		Handler:           http.HandlerFunc(b.serveAWS),
		TLSConfig:         b.signer.config(),
		Protocols:         protocols(),
		ErrorLog:          log.New(io.Discard, "", 0), // cut connections are the business of a sandbox
		ReadHeaderTimeout: time.Minute,
	}
	return b, nil
}

// behave makes both servers answer as s says from now on. After an error they
// answer as before.
func (b *Sandbox) behave(s Scenario, replies *fault.Set) error {
	metadata, err := s.metadata(replies, b.begun)
	if err != nil {
		return err
	}
	state := s.account(b.imds.Instance(), b.begun)
	if err := b.stand(ground{b.services(s, state, replies), metadata, s.Role}); err != nil {
		return err
	}
	b.skew.Store(int64(s.ClockSkew))
	return nil
}

// services are those of AWS around the instance.
func (b *Sandbox) services(s Scenario, state *awsfake.State, replies *fault.Set) *awsfake.Server {
	return awsfake.New(awsfake.Options{
		Account:     s.Instance.Account,
		Region:      s.Instance.Region,
		State:       state,
		Delays:      s.Delays.of(),
		Credentials: accepts(b.imds),
		OnChange:    b.changed,
		Metrics:     &b.traffic.metrics,
		Bedrock:     b.bedrock(s.Bedrock),
		Parameters:  s.parameters(),
		Replies:     replies,
		Now:         b.now,
		Pace:        s.Bedrock.Pace,
		OnAuthorize: b.recorder.note,
	})
}

// bedrock is what the scenario says of the models, and who speaks for them.
func (b *Sandbox) bedrock(s Bedrock) bedrock.Options {
	o := b.speaker
	o.Models, o.Profiles, o.Quota = s.models(), s.profiles(), s.quota
	return o
}

func (b *Sandbox) serveAWS(w http.ResponseWriter, r *http.Request) { b.aws.Load().ServeHTTP(w, r) }

// resolves reports whether a host is one of AWS's that the sandbox imitates.
func (b *Sandbox) resolves(host string) bool { return b.aws.Load().Serves(host) }

// now is what the clock of AWS shows.
func (b *Sandbox) now() time.Time { return time.Now().Add(time.Duration(b.skew.Load())) }

// protocols adds HTTP/2 without TLS, which the SDK for JavaScript speaks to
// Bedrock's runtime without asking.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func (s Scenario) parameters() map[string]ssm.Seed {
	all := map[string]ssm.Seed{}
	for name, p := range s.Parameters {
		all[name] = ssm.Seed(p)
	}
	return all
}
