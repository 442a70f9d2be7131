// Package emulator imitates the instance metadata service (IMDS) of EC2 as a
// client sees it on the wire: session tokens, versioned trees, methods, status
// codes, headers and bodies, role credentials that end and are renewed, and
// announcements that appear at their time.
//
// Start with [New], then [Server.Serve]; tests start with package imdstest.
//
// The signatures of the identity document (pkcs7, rsa2048, dsa2048, signature)
// are made with fixed keys for tests, see [CA]: nothing here could sign so
// that AWS's certificates verify it.
package emulator

import (
	"cmp"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tegata/imds"
	"tegata/internal/fault"
)

// Options describe an instance and the settings of its metadata service. The
// zero value is a healthy instance without a role that requires tokens.
type Options struct {
	Instance  Instance
	Tokens    string           // HttpTokens: "required" or "optional"; "" means required
	Disabled  bool             // HttpEndpoint=disabled: everything is answered with 403
	HopLimit  int              // HttpPutResponseHopLimit, 1..64; 0 means 2
	Hops      int              // how many routers lie before the callers; answers to PUT get lost from HopLimit on
	Bridged   bool             // callers from an address that is none of this machine's count as one router further away
	Profile   string           // ProfileNitro or ProfileLegacy; "" means nitro
	Throttle  Throttle         // how many requests a second are answered
	Events    Events           // what EC2 announces to the instance
	Tags      bool             // InstanceMetadataTags=enabled
	Role      *Role            // nil means no instance profile
	Replies   *fault.Set       // overrides, asked with service "imds"
	KeepAlive bool             // let connections live on; the real service closes each
	Now       func() time.Time // nil means time.Now
	OnRequest func(Access)     // is told of every request after its answer, by many goroutines at once; nil means nobody
}

// The front ends that a [Server] can be.
const (
	ProfileNitro  = "nitro"  // that of instances today
	ProfileLegacy = "legacy" // that of Xen instances until about 2023
)

// Throttle bounds how often an instance may ask. The zero value is no bound.
type Throttle struct {
	PerSecond int // requests answered in a second; 0 means no bound
	Burst     int // requests answered at once; 0 means PerSecond
	Status    int // of what is refused: 429 or 503; 0 means 429
}

// A Role is what an instance profile gives to its instance. Roles of one name
// that differ in anything else have other credentials.
type Role struct {
	Name       string        // "" with a Profile means that the profile contains no role
	ID         string        // AROA…, by which a role differs from a later one of its name; may be ""
	Profile    string        // of the instance profile; "" means Name
	ProfileARN string        // "" means that of Profile without a path
	ProfileID  string        // AIPA…; "" means one that is made up
	Lifetime   time.Duration // of each set of credentials; 0 means six hours
	Failure    string        // a Code such as AssumeRoleUnauthorizedAccess: the document carries it and no keys; ProfileNotFound stands in iam/info
	Message    string        // the text beside Failure; "" means one that fits
	Expired    bool          // the credentials handed out are past their end
}

// ProfileNotFound is the Failure of a role whose instance profile was deleted.
const ProfileNotFound = "InstanceProfileNotFound"

// A Server answers as the metadata service of one instance.
type Server struct {
	ownClock  bool // Options.Now was given; otherwise whoever owns the wire writes the Date
	keepAlive bool
	profile   string // the front end
	onRequest func(Access)
	tokens    *sealer
	profileID string
	identity  *issuer // of the credentials of the instance itself
	stamp     atomic.Pointer[stamp]

	service  atomic.Pointer[service] // as it is set up now
	changing sync.Mutex

	wire    *wire
	mu      sync.Mutex
	issuers map[delivery]*issuer // of all roles that the instance has had
}

// A service is the metadata service in one setup, which does not change.
type service struct {
	options   Options
	tokens    *sealer
	issuer    *issuer // nil without a role
	bare      *issuer // of what goes to callers without a token
	identity  *issuer
	profileID string
	bucket    *bucket // nil without a bound

	fixed   []category  // that the time does not change
	dates   []time.Time // at which something comes or goes, in order
	tree    atomic.Pointer[tree]
	growing sync.Mutex
}

const (
	tokensRequired = "required"
	tokensOptional = "optional"

	defaultHopLimit = 2
	maxHopLimit     = 64 // of HttpPutResponseHopLimit in the EC2 API

	defaultLifetime = 6 * time.Hour
)

// New returns a server for the instance of o. It owns no listener yet.
func New(o Options) (*Server, error) {
	ownClock := o.Now != nil
	if err := o.complete(); err != nil {
		return nil, err
	}
	tokens, err := newSealer(o.Instance.ID)
	if err != nil {
		return nil, err
	}
	s := &Server{
		ownClock:  ownClock,
		keepAlive: o.KeepAlive,
		profile:   o.Profile,
		onRequest: o.OnRequest,
		tokens:    tokens,
		profileID: profileID(),
		identity:  newIssuer(Role{Lifetime: defaultLifetime}, o.Now),
		issuers:   map[delivery]*issuer{},
	}
	s.wire = newWire(func(net.Addr) *Server { return s })
	s.setUp(o)
	return s, nil
}

// Change sets the service of a running instance up anew: requests from now on
// meet Tokens, Disabled, HopLimit, Hops, Bridged, Throttle, Events, Tags, Role
// and Replies of o, and the tags of its instance. All else stays as [New] was
// given it. Tokens and credentials stay what they were when they were handed
// out, and a role that comes back still has its own. After an error nothing has
// changed.
func (s *Server) Change(o Options) error {
	s.changing.Lock()
	defer s.changing.Unlock()
	was := s.service.Load().options
	tags := o.Instance.Tags
	o.Instance, o.Profile, o.KeepAlive, o.Now = was.Instance, was.Profile, was.KeepAlive, was.Now
	o.Instance.Tags = tags
	if err := o.complete(); err != nil {
		return fmt.Errorf("change the metadata service: %w", err)
	}
	s.setUp(o)
	return nil
}

// setUp puts options that are complete into effect.
func (s *Server) setUp(o Options) {
	next := &service{options: o, tokens: s.tokens, identity: s.identity, profileID: s.profileID}
	if o.Role != nil {
		next.issuer = s.issuerOf(delivery{*o.Role, "2.0"}, o.Now)
		next.bare = s.issuerOf(delivery{*o.Role, "1.0"}, o.Now)
	}
	next.bucket = newBucket(o.Throttle)
	if was := s.service.Load(); was != nil && was.options.Throttle == o.Throttle {
		next.bucket = was.bucket // as full as it is
	}
	next.fixed, next.dates = next.categories(), o.Events.dates()
	next.grow(o.Now())
	s.service.Store(next)
}

// A delivery is a way in which the credentials of a role reach the instance.
type delivery struct {
	role    Role
	version string // of IMDS
}

func (s *Server) issuerOf(d delivery, now func() time.Time) *issuer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.issuers[d] == nil {
		s.issuers[d] = newIssuer(d.role, now)
	}
	return s.issuers[d]
}

// Credential returns the credentials with the given access key id, if this
// server handed them out. Renewed credentials stay valid until their own
// Expiration, and are known for one more lifetime after it, so that whoever
// checks them can tell expired from unknown.
func (s *Server) Credential(accessKeyID string) (imds.Credentials, bool) {
	issued, ok := s.Issued(accessKeyID)
	return issued.Credentials, ok
}

// Issued are credentials, and how they were handed out.
type Issued struct {
	imds.Credentials
	Role     Role
	Delivery string // 1.0 to who brought no token, else 2.0; policies know it as ec2:RoleDelivery
}

// Issued is [Server.Credential] with more about them.
func (s *Server) Issued(accessKeyID string) (Issued, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d, i := range s.issuers {
		if c, ok := i.credential(accessKeyID); ok {
			return Issued{c, d.role, d.version}, true
		}
	}
	return Issued{}, false
}

// Instance returns what the metadata tells about the machine, with all that
// was left to be filled in.
func (s *Server) Instance() Instance { return s.service.Load().options.Instance }

// complete fills in the defaults and checks the rest.
func (o *Options) complete() error {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Tokens == "" {
		o.Tokens = tokensRequired
	}
	if o.HopLimit == 0 {
		o.HopLimit = defaultHopLimit
	}
	if o.Profile == "" {
		o.Profile = ProfileNitro
	}
	switch {
	case o.Profile != ProfileNitro && o.Profile != ProfileLegacy:
		return fmt.Errorf("profile %q: want %s or %s", o.Profile, ProfileNitro, ProfileLegacy)
	case o.Tokens != tokensRequired && o.Tokens != tokensOptional:
		return fmt.Errorf("tokens %q: want required or optional", o.Tokens)
	case o.HopLimit < 1 || o.HopLimit > maxHopLimit:
		return fmt.Errorf("hop limit %d: want 1..%d", o.HopLimit, maxHopLimit)
	case o.Hops < 0:
		return fmt.Errorf("hops %d: want 0 or more", o.Hops)
	}
	if err := o.Throttle.complete(); err != nil {
		return fmt.Errorf("throttle: %w", err)
	}
	if err := o.completeRole(); err != nil {
		return fmt.Errorf("role: %w", err)
	}
	if o.Events.Spot != nil {
		fill(&o.Instance.Lifecycle, "spot")
	}
	if err := o.Instance.complete(o.Now()); err != nil {
		return fmt.Errorf("instance: %w", err)
	}
	if err := o.Events.complete(o.Instance.ID); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if o.Tags {
		return checkTagKeys(o.Instance.Tags)
	}
	return nil
}

func (o *Options) completeRole() error {
	if o.Role == nil {
		return nil
	}
	r := *o.Role
	if r.Profile == "" {
		r.Profile = r.Name
	}
	if r.Lifetime == 0 {
		r.Lifetime = defaultLifetime
	}
	switch {
	case !isName(r.Name, 128, nameMarks) && (r.Name != "" || r.Profile == ""):
		return fmt.Errorf("name %q: want 1 to 128 letters, digits and _+=,.@-", r.Name)
	case !isName(r.Profile, 128, nameMarks):
		return fmt.Errorf("profile %q: want 1 to 128 letters, digits and _+=,.@-", r.Profile)
	case r.Lifetime < 0:
		return fmt.Errorf("lifetime %v is negative", r.Lifetime)
	case r.Failure != "" && r.Expired:
		return fmt.Errorf("failure %s and expired exclude each other", r.Failure)
	}
	r.Message = cmp.Or(r.Message, "EC2 cannot assume the role "+r.Name+"."+pageOfFailures)
	o.Role = &r
	return nil
}

// pageOfFailures ends the messages of IMDS about a role.
const pageOfFailures = "  Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc."

// nameMarks may stand in the name of a role or an instance profile beside
// letters and digits.
const nameMarks = "_+=,.@-"

// isName reports whether s is 1 to n ASCII letters, digits and marks.
func isName(s string, n int, marks string) bool {
	return s != "" && len(s) <= n && strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"+marks) == ""
}

// checkTagKeys refuses what EC2 refuses when tags in metadata are enabled.
func checkTagKeys(tags map[string]string) error {
	for key := range tags {
		if !isName(key, 255, nameMarks+":") || key == "." || key == ".." || key == "_index" {
			return fmt.Errorf("tag key %q may not appear in instance metadata: want 1 to 255 letters, digits and -_+=,.@: but not ., .. or _index", key)
		}
	}
	return nil
}
