package sandbox

import (
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tegata/awsfake"
	"tegata/awsfake/bedrock"
	"tegata/awsfake/wire"
	"tegata/emulator"
	"tegata/internal/fault"
	"tegata/internal/policy"
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
	imds     *emulator.Server
	aws      atomic.Pointer[awsfake.Server] // as it answers now
	awsWire  *http.Server
	names    *nameServer // nil for none
	signer   *authority  // of the certificates of awsWire
	recorder recorder
	skew     atomic.Int64 // by how many nanoseconds the clock of AWS is ahead now
	begun    time.Time    // by the clock of AWS at the start
	serving  sync.WaitGroup
	mu       sync.Mutex
	errs     []error // of servers that ended by themselves

	started   Scenario
	replies   *fault.Set // of started: one set for both servers, so that `times` counts the calls to both
	switching sync.Mutex
	faults    []string // that are on
}

// Start serves the scenario on l until [Sandbox.Close]. The listeners belong
// to it from now on, after an error too.
func (s Scenario) Start(l Listeners) (*Sandbox, error) {
	b, err := s.join()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the sandbox: %w", err), l.close())
	}
	for _, one := range l.IMDS {
		if !s.IMDS.answersAt(one.Addr()) {
			one.Close() // a closed listener refuses connections
			continue
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
	err := errors.Join(b.imds.Close(), b.awsWire.Close())
	if b.names != nil {
		err = errors.Join(err, b.names.close())
	}
	b.serving.Wait()
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

func (m IMDS) answersAt(a net.Addr) bool {
	if m.Listen == "refuse" {
		return false
	}
	tcp, ok := a.(*net.TCPAddr)
	return m.IPv6 || !ok || tcp.IP.To4() != nil
}

// join makes both servers so that AWS accepts the credentials that the
// metadata service hands out, and no others.
func (s Scenario) join() (b *Sandbox, err error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	b = &Sandbox{started: s}
	b.skew.Store(int64(s.ClockSkew))
	if b.replies, err = fault.New(s.Replies); err != nil {
		return nil, err
	}
	b.begun = b.now()
	metadata, err := s.metadata(b.replies, b.begun)
	if err != nil {
		return nil, err
	}
	metadata.Now = b.now
	if b.imds, err = emulator.New(metadata); err != nil {
		return nil, err
	}
	aws, err := b.services(s, b.replies)
	if err != nil {
		return nil, err
	}
	b.aws.Store(aws)
	if b.signer, err = newAuthority(time.Now(), s.ClockSkew, b.resolves); err != nil {
		return nil, err
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
	aws, err := b.services(s, replies)
	if err != nil {
		return err
	}
	metadata, err := s.metadata(replies, b.begun)
	if err != nil {
		return err
	}
	if err := b.imds.Change(metadata); err != nil {
		return err
	}
	b.skew.Store(int64(s.ClockSkew))
	b.aws.Store(aws)
	return nil
}

// services are those of AWS around the instance.
func (b *Sandbox) services(s Scenario, replies *fault.Set) (*awsfake.Server, error) {
	policies, err := s.Role.documents()
	if err != nil {
		return nil, err
	}
	return awsfake.New(awsfake.Options{
		Account:     s.Instance.Account,
		Region:      s.Instance.Region,
		Credentials: s.accepts(b.imds, policies),
		Bedrock:     bedrock.Options{Models: s.Bedrock.models(), Profiles: s.Bedrock.profiles()},
		Parameters:  s.parameters(),
		Replies:     replies,
		Now:         b.now,
		Pace:        s.Bedrock.Pace,
		OnAuthorize: b.recorder.note,
	}), nil
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

// documents are the policies of the role.
func (r Role) documents() ([]policy.Named, error) {
	var all []policy.Named
	for _, name := range slices.Sorted(maps.Keys(r.Policies)) {
		doc, err := policy.Parse(r.Policies[name])
		if err != nil {
			return nil, fmt.Errorf("role.policies.%s: %w", name, err)
		}
		all = append(all, policy.Named{Name: name, Document: doc})
	}
	return all, nil
}

func (s Scenario) parameters() map[string]awsfake.Parameter {
	all := map[string]awsfake.Parameter{}
	for name, p := range s.Parameters {
		all[name] = awsfake.Parameter(p)
	}
	return all
}

// accepts looks a key up among those that the metadata service handed out and
// says whose it is: the session of the role that is named after the instance.
func (s Scenario) accepts(imds *emulator.Server, policies []policy.Named) func(string) (awsfake.Credential, bool) {
	arn := fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", wire.Partition(s.Instance.Region), s.Instance.Account, s.Role.Name, s.Instance.ID)
	caller := wire.Caller{
		ARN:       arn,
		UserID:    roleID(s.Instance.Account, s.Role.Name) + ":" + s.Instance.ID,
		Principal: fmt.Sprintf("arn:%s:iam::%s:role/%s", wire.Partition(s.Instance.Region), s.Instance.Account, s.Role.Name),
		Role:      s.Role.Name,
		Policies:  policy.Layers{Identity: policies},
	}
	return func(id string) (awsfake.Credential, bool) {
		c, ok := imds.Credential(id)
		return awsfake.Credential{
			SecretAccessKey: c.SecretAccessKey.Reveal(),
			SessionToken:    c.Token.Reveal(),
			Expires:         c.Expiration,
			Caller:          caller,
		}, ok
	}
}

// roleID makes the unique id of a role: AROA and 17 letters and digits
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html).
func roleID(account, role string) string {
	sum := sha256.Sum256([]byte(account + "/" + role))
	return "AROA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
