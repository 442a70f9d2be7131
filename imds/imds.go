// Package imds reads the metadata of an EC2 instance from its instance
// metadata service (IMDS).
//
// Start with a [Client]; its zero value speaks to the real service, version 2
// only. For what comes back when something is wrong, see [Error]: every way
// to fail has a kind of its own, because "there is no such category", "there
// is no IMDS" and "the token got lost on the way" call for different remedies.
package imds

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A Client reads instance metadata. It asks for one session token, shares it
// between all readers, and renews it before it ends. The context of a call
// bounds all of it, and nothing that a call started goes on after it, idle
// connections aside. Proxies and redirects are never followed.
//
// The zero value is ready for use. A Client may be used by many goroutines;
// its fields must not change after the first call.
type Client struct {
	// Endpoint is the base URL of the service, http only, with or without a
	// trailing slash. Empty means [DefaultEndpoint].
	Endpoint string

	// Policy says whether to read without a token where none can be had.
	Policy Policy

	// Dial opens connections; it must return when its context ends.
	// nil means [Dial].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// TokenTTL is the lifetime to ask for, from one second to six hours.
	// Zero means six hours.
	TokenTTL time.Duration

	resolve sync.Once
	base    endpoint
	baseErr error

	mu     sync.Mutex
	grant  *grant  // what readers share, or nil
	flight *flight // the request for the next grant, or nil
	idle   []*conn // open and unused, latest last

	used atomic.Pointer[grant] // what the latest answer was read with
}

// DefaultEndpoint is where IMDS answers on every instance.
const DefaultEndpoint = "http://169.254.169.254"

// Policy says which versions of the protocol a [Client] may speak.
type Policy int

const (
	V2Only  Policy = iota // every read carries a token
	AllowV1               // read without one where the service gives none; see [Client.Used]
)

// Version names a version of the protocol.
type Version string

const (
	V1 Version = "IMDSv1" // without a token
	V2 Version = "IMDSv2" // with a token
)

// Used returns the version that the latest answer was read with, or "" before
// the first. For [V1], why is the failure that made the client do without a
// token.
func (c *Client) Used() (v Version, why error) {
	switch g := c.used.Load(); {
	case g == nil:
		return "", nil
	case g.token == "":
		return V1, g.why
	default:
		return V2, nil
	}
}

// Get returns the value at a path, exactly as it was served: some values end
// in a newline, which Get keeps. The path is relative to /latest/, such as
// "meta-data/instance-id"; one that begins with "latest" or with a dated
// version, with or without a leading slash, is taken as it is.
//
// Failures are of type [*Error].
func (c *Client) Get(ctx context.Context, path string) (string, error) {
	target, err := cleanPath(path)
	if err != nil {
		escaped := (&url.URL{Path: path}).EscapedPath() // fit for a terminal and a log
		return "", &Error{Kind: ErrInvalid, Method: "GET", Path: escaped, Err: err}
	}
	body, g, err := c.getOnce(ctx, target)
	if errors.Is(err, ErrUnauthorized) && g != nil {
		c.forget(g) // revoked or from another instance: once more with a new one
		body, g, err = c.getOnce(ctx, target)
	}
	if err != nil {
		return "", err
	}
	c.used.Store(g)
	return body, nil
}

// getOnce reads with the shared grant, which it returns too. The grant is nil
// if it was not to be had.
func (c *Client) getOnce(ctx context.Context, target string) (string, *grant, error) {
	if ctx.Err() != nil {
		return "", nil, stopped(ctx, nil).of("GET", target, 0, 0)
	}
	g, err := c.token(ctx)
	if err != nil {
		return "", nil, err
	}
	var at verdict
	a, failed := c.send(ctx, &request{method: "GET", path: target, token: g.token}, &at)
	if failed == nil {
		return a.body, g, nil
	}
	if failed.Kind == ErrUnauthorized && g.why != nil {
		failed.Err = g.why // read without a token, and this is why there was none
	}
	return "", g, failed
}

// InstanceID returns the id of the instance, such as "i-1234567890abcdef0".
func (c *Client) InstanceID(ctx context.Context) (string, error) {
	return c.value(ctx, "meta-data/instance-id", isInstanceID)
}

// Region returns the region of the instance, such as "ap-northeast-1". Where
// the service is older than that category (2020-08-24), the region comes from
// the identity document.
func (c *Client) Region(ctx context.Context) (string, error) {
	region, err := c.value(ctx, "meta-data/placement/region", isRegion)
	if !errors.Is(err, ErrAbsent) {
		return region, err
	}
	doc, docErr := c.IdentityDocument(ctx)
	if docErr != nil {
		return "", err
	}
	if !isRegion(doc.Region) {
		return "", malformed(identityPath, errors.New("no valid region in the document"))
	}
	return doc.Region, nil
}

// Role returns the name of the role whose credentials the instance gets. It
// fails with [ErrAbsent] if the instance has no instance profile.
func (c *Client) Role(ctx context.Context) (string, error) {
	list, err := c.Get(ctx, credentialsPath)
	if err != nil {
		return "", err
	}
	name, _, _ := strings.Cut(strings.TrimSpace(list), "\n")
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return "", &Error{Kind: ErrAbsent, Method: "GET", Path: credentialsPath, Status: 200, Err: errors.New("the list of roles is empty")}
	case !isRoleName(name):
		return "", malformed(credentialsPath, errors.New("not a role name"))
	}
	return name, nil
}

// Credentials reads the temporary credentials of the role anew. If EC2 could
// not assume the role, the error is of kind [ErrCredentials] and carries the
// Code of the document, which is returned too.
func (c *Client) Credentials(ctx context.Context) (Credentials, error) {
	role, err := c.Role(ctx)
	if err != nil {
		return Credentials{}, err
	}
	path := credentialsPath + role
	creds, err := read(ctx, c, path, parseCredentials)
	if err == nil && !succeeded(creds.Code) {
		err = refused(path, creds.Code, creds.Message)
	}
	return creds, err
}

// IdentityDocument reads what the instance says about itself. Its signature
// is not verified.
func (c *Client) IdentityDocument(ctx context.Context) (IdentityDocument, error) {
	return read(ctx, c, identityPath, parseIdentityDocument)
}

// IAMInfo reads which instance profile is attached. If EC2 has trouble with
// it, the error is of kind [ErrCredentials] and carries the Code of the
// document, which is returned too.
func (c *Client) IAMInfo(ctx context.Context) (IAMInfo, error) {
	info, err := read(ctx, c, iamInfoPath, parseIAMInfo)
	if err == nil && !succeeded(info.Code) {
		err = refused(iamInfoPath, info.Code, info.Message)
	}
	return info, err
}

// Close closes idle connections. The client stays usable.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, k := range c.idle {
		k.Close()
	}
	c.idle = nil
}

const (
	credentialsPath = "/latest/meta-data/iam/security-credentials/"
	iamInfoPath     = "/latest/meta-data/iam/info"
	identityPath    = "/latest/dynamic/instance-identity/document"
)

// value reads a one-line value, trims it and checks its form.
func (c *Client) value(ctx context.Context, path string, valid func(string) bool) (string, error) {
	body, err := c.Get(ctx, path)
	if err != nil {
		return "", err
	}
	v := strings.TrimSpace(body)
	if !valid(v) {
		return "", malformed("/latest/"+path, unlike(body))
	}
	return v, nil
}

// read reads a document and parses it.
func read[T any](ctx context.Context, c *Client, path string, parse func([]byte) (T, error)) (T, error) {
	var none T
	body, err := c.Get(ctx, path)
	if err != nil {
		return none, err
	}
	doc, err := parse([]byte(body))
	if err != nil {
		return none, malformed(path, err)
	}
	return doc, nil
}

func malformed(path string, err error) error {
	return &Error{Kind: ErrMalformed, Method: "GET", Path: path, Status: 200, Err: err}
}

func refused(path, code, message string) error {
	return &Error{Kind: ErrCredentials, Method: "GET", Path: path, Status: 200, Code: code, Err: errors.New(message)}
}

// isInstanceID is lenient about length: ids had 8 digits before they had 17.
func isInstanceID(s string) bool {
	return strings.HasPrefix(s, "i-") && len(s) > 2 && len(s) <= 64 && consistsOf(s, lower+digits+"-")
}

func isRegion(s string) bool {
	return len(s) >= 4 && len(s) <= 32 && consistsOf(s, lower+digits+"-") &&
		strings.ContainsRune(s, '-') && consistsOf(s[:1], lower) && consistsOf(s[len(s)-1:], digits)
}

// isRoleName follows the IAM API: [\w+=,.@-]{1,64}.
func isRoleName(s string) bool {
	return s != "" && len(s) <= 64 && consistsOf(s, lower+upper+digits+"_+=,.@-")
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits = "0123456789"
)

func consistsOf(s, chars string) bool { return strings.Trim(s, chars) == "" }
