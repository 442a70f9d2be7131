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
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
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

// Policy says when a [Client] may do without a token, which is version 1 of the
// protocol. It never may after a time-out, a reset, a 400 or a failure of the
// service: those have other causes, which a read without a token would hide.
type Policy int

const (
	Never      Policy = iota // every read carries a token
	WhenAbsent               // read without one where asking for it is answered with 403, 404 or 405; see [Client.Used]
)

// Version names a version of the protocol.
type Version string

const (
	V1 Version = "IMDSv1" // without a token
	V2 Version = "IMDSv2" // with a token
)

// Reason is why a client did without a token. The codes never change.
type Reason string

const (
	TokenForbidden  Reason = "token-forbidden"   // 403
	TokenNotFound   Reason = "token-not-found"   // 404
	TokenNotAllowed Reason = "token-not-allowed" // 405
)

// reasonFor returns the reason to do without a token after a request for one
// failed, or "" if that is none.
func reasonFor(failed *Error) Reason {
	switch {
	case failed.Kind == ErrForbidden:
		return TokenForbidden
	case failed.Kind != ErrNoV2:
		return ""
	case failed.Status == http.StatusNotFound:
		return TokenNotFound
	case failed.Status == http.StatusMethodNotAllowed:
		return TokenNotAllowed
	}
	return ""
}

// A Use tells how an answer was read.
type Use struct {
	Version Version
	Reason  Reason // for V1, why there was no token
	Err     error  // for V1, how the request for the token failed; an [*Error]
}

// Used tells how the latest answer was read. Version is "" before the first.
func (c *Client) Used() Use {
	switch g := c.used.Load(); {
	case g == nil:
		return Use{}
	case g.why != nil:
		return Use{V1, reasonFor(g.why), g.why}
	default:
		return Use{Version: V2}
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
	a, err := c.get(ctx, target)
	if err != nil {
		return "", err
	}
	return a.body, nil
}

// get reads with the shared grant, and if that is of no use any more, once
// more with a new one.
func (c *Client) get(ctx context.Context, target string) (*answer, error) {
	a, g, err := c.getOnce(ctx, target)
	if g != nil && c.isSpent(g, err) {
		c.forget(g)
		a, g, err = c.getOnce(ctx, target)
	}
	if err != nil {
		return nil, err
	}
	c.used.Store(g)
	return a, nil
}

// isSpent reports whether err may be due to the grant alone: a token that was
// revoked or is from another instance, or a service that was switched off
// since it gave one.
func (c *Client) isSpent(g *grant, err error) bool {
	last := c.used.Load()
	return errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) && last != nil && last.token == g.token
}

// getOnce reads with the shared grant, which it returns too. The grant is nil
// if it was not to be had.
func (c *Client) getOnce(ctx context.Context, target string) (*answer, *grant, error) {
	if ctx.Err() != nil {
		return nil, nil, stopped(ctx, nil).of("GET", target, 0, 0)
	}
	g, err := c.token(ctx)
	if err != nil {
		return nil, nil, err
	}
	var at verdict
	a, failed := c.send(ctx, &request{method: "GET", path: target, token: g.token}, &at)
	if failed == nil {
		return a, g, nil
	}
	if g.why != nil {
		c.withoutToken(g, failed)
	}
	return nil, g, failed
}

// withoutToken says of a read that failed without a token why there was none.
func (c *Client) withoutToken(g *grant, failed *Error) {
	switch {
	case failed.Kind == ErrUnauthorized:
		failed.Err = g.why
	case failed.Kind == ErrForbidden && g.why.Kind == ErrForbidden:
		failed.Kind, failed.Err = ErrDisabled, errors.New("so was the request for a token")
		c.forget(g)
	}
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
	case isJSON(list):
		return "", &Error{Kind: ErrForeign, Method: "GET", Path: credentialsPath, Status: 200, Err: errors.New("JSON in place of the name of a role")}
	case !isRoleName(name):
		return "", malformed(credentialsPath, errors.New("not a role name"))
	}
	return name, nil
}

// Credentials reads the temporary credentials of the role anew. If EC2 could
// not assume the role, the error is of kind [ErrCredentials] and carries the
// Code of the document, which is returned too. Credentials that have expired
// are returned with an error of kind [ErrExpired]: AWS has the last word on
// them, and may prolong them while it can't make new ones.
func (c *Client) Credentials(ctx context.Context) (Credentials, error) {
	role, err := c.Role(ctx)
	if err != nil {
		return Credentials{}, err
	}
	path := credentialsPath + role
	creds, err := read(ctx, c, path, parseCredentials)
	switch {
	case err != nil:
		return creds, err
	case !succeeded(creds.Code):
		return creds, refused(path, creds.Code, creds.Message)
	case !creds.Expiration.After(time.Now()):
		return creds, expired(path, creds.Expiration)
	}
	return creds, nil
}

// IdentityDocument reads what the instance says about itself. Its signature
// is not verified, but a document that EC2 can't have written is [ErrForeign].
func (c *Client) IdentityDocument(ctx context.Context) (IdentityDocument, error) {
	doc, err := read(ctx, c, identityPath, parseIdentityDocument)
	if err != nil {
		return doc, err
	}
	if err := doc.check(); err != nil {
		return IdentityDocument{}, &Error{Kind: ErrForeign, Method: "GET", Path: identityPath, Status: 200, Err: err}
	}
	return doc, nil
}

// check returns what in a document EC2 never writes so.
func (d IdentityDocument) check() error {
	switch {
	case !isInstanceID(d.InstanceID):
		return fmt.Errorf("instanceId is %.40q", d.InstanceID)
	case !isRegion(d.Region):
		return fmt.Errorf("region is %.40q", d.Region)
	case len(d.AccountID) != 12 || !consistsOf(d.AccountID, digits):
		return fmt.Errorf("accountId is %.40q, not 12 digits", d.AccountID)
	}
	return nil
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
	a, err := c.get(ctx, path)
	if err != nil {
		return none, err
	}
	doc, err := parse([]byte(a.body))
	switch {
	case err != nil && contains(path, "/iam/", "/dynamic/") && isOthers(a.body):
		return none, &Error{Kind: ErrForeign, Method: "GET", Path: path, Status: a.status, Server: a.server(), Err: err}
	case err != nil:
		return none, malformed(path, err)
	}
	return doc, nil
}

// isOthers reports whether a body is JSON with nothing in it by which the
// documents of a role or an instance are known: they have a Code, or an
// instanceId.
func isOthers(body string) bool {
	var doc struct {
		Code       *json.RawMessage `json:"Code"`
		InstanceID *json.RawMessage `json:"instanceId"`
	}
	return isJSON(body) && (json.Unmarshal([]byte(body), &doc) != nil || doc.Code == nil && doc.InstanceID == nil)
}

func malformed(path string, err error) error {
	return &Error{Kind: ErrMalformed, Method: "GET", Path: path, Status: 200, Err: err}
}

func refused(path, code, message string) error {
	return &Error{Kind: ErrCredentials, Method: "GET", Path: path, Status: 200, Code: code, Err: errors.New(message)}
}

func expired(path string, end time.Time) *Error {
	return &Error{Kind: ErrExpired, Method: "GET", Path: path, Status: 200, Err: fmt.Errorf("on %s", end.UTC().Format(time.RFC3339))}
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
