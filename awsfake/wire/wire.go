// Package wire is what all services of the account have in common: a call on
// its way through the account, and the protocols that put calls, answers and
// errors on the wire (https://smithy.io/2.0/aws/protocols/index.html).
//
// A [Service] is a list of [Operation]s; [Op] makes one from a function that
// takes a call and its decoded input and returns what is to be encoded. The
// way of a call is: recognised and authenticated by awsfake, decoded, run
// under the account's lock, encoded, written.
package wire

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tegata/internal/fault"
	"tegata/internal/policy"
)

// A Call is one request on its way through the account.
type Call struct {
	fault.Call               // Service, Operation, Model, Method and Path
	ID         string        // of the request, a UUID
	Labels     []string      // what stands for the {} of a REST route, unescaped
	Request    *http.Request // whose body has been read
	Body       []byte
	Form       url.Values // of the query protocols
	Protocol   Protocol
	Namespace  string // of answers in XML

	QueryErrors map[string]string // of its service

	Region  string // of the signature's scope
	Account string // twelve digits
	Caller  Caller
	Began   time.Time        // when the request had come in
	Clock   func() time.Time // of AWS
	status  int              // of the answer

	// Changed, if not nil, is called after an operation has succeeded and before
	// its answer is written, so that whoever reads the answer finds everything
	// else as it says.
	Changed func()
	// Keys adds the condition keys that every request has.
	Keys func(more map[string]string) map[string]string
	// Decide evaluates the caller's policies, for [Call.Authorize].
	Decide func(r policy.Request, resource *policy.Named) error
}

// A Caller is who signed.
type Caller struct {
	AccessKeyID string
	ARN, UserID string // as GetCallerIdentity tells them
	Principal   string // ARN of the user, or of the role behind a session
	User        string // name of an IAM user, "" otherwise
	Role        string // name of the role of a session, "" otherwise
	LongTerm    bool   // it signed with a user's own key
	Policies    policy.Layers
	Context     map[string]string // condition keys of its own, such as aws:PrincipalTag/team
}

// Identifier is the first label of a REST route: the id or ARN of what the
// path names.
func (c *Call) Identifier() string {
	if len(c.Labels) == 0 {
		return ""
	}
	return c.Labels[0]
}

// Now is what the clock of AWS shows.
func (c *Call) Now() time.Time { return c.Clock().UTC() }

// Partition is that of the call's region.
func (c *Call) Partition() string { return Partition(c.Region) }

// Partition returns the partition that a region belongs to.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

// ARN names a resource of the account in the call's region.
func (c *Call) ARN(service, resource string) string {
	return "arn:" + c.Partition() + ":" + service + ":" + c.Region + ":" + c.Account + ":" + resource
}

// GlobalARN names a resource of the account that has no region.
func (c *Call) GlobalARN(service, resource string) string {
	return "arn:" + c.Partition() + ":" + service + "::" + c.Account + ":" + resource
}

// Authorize evaluates the caller's policies for one action on one resource,
// "*" for an action without resource types. Condition keys that belong to the
// action come in context; those that every request has are added. The error is
// an [*Error] as the call's service words it.
func (c *Call) Authorize(action, resource string, context map[string]string) error {
	return c.AuthorizeOn(action, resource, nil, context)
}

// AuthorizeOn is Authorize on a resource that has a policy of its own; nil
// means it has none.
func (c *Call) AuthorizeOn(action, resource string, own *policy.Named, context map[string]string) error {
	return c.Decide(policy.Request{Action: action, Resource: resource, Principal: c.Caller.ARN, Context: context}, own)
}

// A Service is what the account offers under one name.
type Service struct {
	Name        string   // "ssm": in replies, and the first label of its host
	SigningName string   // of the signature's scope; "" means Name
	Hosts       []string // what stands before the region in its host names; none means Name
	Global      bool     // its host has no region
	Missing     []string // regions that lack it
	Target      string   // before the dot in X-Amz-Target: "AmazonSSM"
	Version     string   // of the query protocols: "2010-05-08"
	Namespace   string   // of answers in XML
	Protocol    Protocol
	Also        []Protocol // that it speaks beside Protocol
	Operations  []Operation

	// QueryErrors are the names in the query protocol of errors that have other
	// ones elsewhere. Not nil means that answers in other protocols tell both.
	QueryErrors map[string]string
}

// Speaks returns the first of some protocols that the service has, or else the
// one that it always speaks.
func (s Service) Speaks(some ...Protocol) Protocol {
	for _, p := range some {
		if p == s.Protocol || slices.Contains(s.Also, p) {
			return p
		}
	}
	return s.Protocol
}

// HostNames are what stands before the region in the names of its endpoints.
func (s Service) HostNames() []string {
	if len(s.Hosts) == 0 {
		return []string{s.Name}
	}
	return s.Hosts
}

// An Operation is one thing that a service does. [Op] and [Stream] make it.
type Operation struct {
	Name   string
	Method string // of a REST route
	Path   string // of a REST route; {} stands for one segment
	Public bool   // it takes calls that nobody signed
	Status int    // of its answer; 0 means 200
	serve  func(w http.ResponseWriter, c *Call, account sync.Locker) error
}

// ForAll lets an operation be called without a signature.
func (o Operation) ForAll() Operation {
	o.Public = true
	return o
}

// At gives an operation its route in a REST protocol.
func (o Operation) At(method, path string) Operation {
	o.Method, o.Path = method, path
	return o
}

// Answering sets the status of an operation's answer.
func (o Operation) Answering(status int) Operation {
	o.Status = status
	return o
}

// Serve runs the operation and writes its answer. An error means that nothing
// has been written.
func (o Operation) Serve(w http.ResponseWriter, c *Call, account sync.Locker) error {
	c.status = cmp.Or(o.Status, http.StatusOK)
	return o.serve(w, c, account)
}

// Changes reports whether the operation may leave the account different, as
// its name tells.
func (o Operation) Changes() bool {
	for _, prefix := range []string{"Get", "List", "Describe", "BatchGet", "Simulate", "Decode", "Filter", "Converse", "Invoke", "Count"} {
		if strings.HasPrefix(o.Name, prefix) {
			return o.Name == "GetSessionToken" || o.Name == "GetAuthorizationToken" // they hand out a session
		}
	}
	return true
}

// Op makes an operation of a function from input to answer, which runs under
// the account's lock.
func Op[In, Out any](name string, run func(*Call, In) (Out, error)) Operation {
	return Operation{Name: name, serve: func(w http.ResponseWriter, c *Call, account sync.Locker) error {
		var in In
		if err := c.decode(&in); err != nil {
			return err
		}
		a, err := locked(c, account, func() (any, error) { return run(c, in) })
		if err != nil {
			return err
		}
		c.changed()
		a.write(w, c.status)
		return nil
	}}
}

// Free makes an operation of a function that takes the account's lock by
// itself, because it has to wait for others in between. Its answer points to
// nothing in the account.
func Free[In, Out any](name string, run func(*Call, sync.Locker, In) (Out, error)) Operation {
	return Operation{Name: name, serve: func(w http.ResponseWriter, c *Call, account sync.Locker) error {
		var in In
		if err := c.decode(&in); err != nil {
			return err
		}
		out, err := run(c, account, in)
		if err != nil {
			return err
		}
		c.changed()
		c.encode(out).write(w, c.status)
		return nil
	}}
}

func (c *Call) changed() {
	if c.Changed != nil {
		c.Changed()
	}
}

// locked runs an operation and encodes its answer before anybody can change
// what the answer points to.
func locked(c *Call, account sync.Locker, run func() (any, error)) (answer, error) {
	account.Lock()
	defer account.Unlock()
	out, err := run()
	if err != nil {
		return answer{}, err
	}
	return c.encode(out), nil
}

// Stream makes an operation that writes its answer by itself, without the
// account's lock. It returns an error before it has written anything.
func Stream(name string, run func(http.ResponseWriter, *Call) error) Operation {
	return Raw(name, func(w http.ResponseWriter, c *Call, _ sync.Locker) error { return run(w, c) })
}

// Raw makes an operation that writes its answer by itself and takes the
// account's lock while it looks at the account. It returns an error before it
// has written anything.
func Raw(name string, run func(http.ResponseWriter, *Call, sync.Locker) error) Operation {
	return Operation{Name: name, serve: run}
}

// Empty is the input or the answer of an operation that has none.
type Empty struct{}
