package imds

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// How long and how often, as in the AWS SDK for Rust, but with shorter pauses:
// a throttled service counts in requests per second, and it is next door.
const (
	connectTimeout = time.Second
	answerTimeout  = time.Second // from the request to the last byte of the answer
	attempts       = 4
	firstPause     = 100 * time.Millisecond // doubled each time
	longestPause   = 2 * time.Second        // that a service can ask for by Retry-After
)

// A request is what varies from one to the next.
type request struct {
	method string // GET, or PUT for a token
	path   string
	token  string // of a GET, if any
	ttl    int    // of a PUT: seconds to ask for
}

// bytes returns the request as it goes over the wire, in one segment. Path and
// token have been checked for bytes that would break a line.
func (r *request) bytes(host string) []byte {
	b := make([]byte, 0, 256)
	b = append(b, r.method...)
	b = append(b, ' ')
	b = append(b, r.path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\nUser-Agent: tegata\r\n"...)
	if r.token != "" {
		b = append(b, "X-aws-ec2-metadata-token: "...)
		b = append(b, r.token...)
		b = append(b, "\r\n"...)
	}
	if r.method == "PUT" {
		b = append(b, "X-aws-ec2-metadata-token-ttl-seconds: "...)
		b = strconv.AppendInt(b, int64(r.ttl), 10)
		b = append(b, "\r\nContent-Length: 0\r\n"...)
	}
	return append(b, "\r\n"...)
}

// A verdict is the kind of failure that it would be to stop now. It moves on
// as a request does: nothing connected, nothing heard, not heard to the end.
type verdict struct{ p atomic.Pointer[error] }

func (v *verdict) set(kind *error) { v.p.Store(kind) }

func (v *verdict) kind() error {
	if p := v.p.Load(); p != nil {
		return *p
	}
	return nil
}

// prepare takes the endpoint apart.
func (c *Client) prepare() {
	c.resolve.Do(func() { c.base, c.baseErr = parseEndpoint(c.Endpoint) })
}

// send makes a request, again where that may help, and returns the good
// answer. It keeps at up to date.
func (c *Client) send(ctx context.Context, r *request, at *verdict) (*answer, *Error) {
	if c.prepare(); c.baseErr != nil {
		return nil, (&Error{Kind: ErrInvalid, Err: c.baseErr}).of(r.method, r.path, 0, 0)
	}
	began := time.Now()
	for n := 1; ; n++ {
		a, failed := c.attempt(ctx, r, at)
		if failed == nil {
			return a, nil
		}
		if n < attempts && failed.temporary() {
			at.set(&failed.Kind)
			if pause(ctx, firstPause<<(n-1), a.retryAfter()) {
				continue
			}
			seen := failed
			failed = stopped(ctx, seen.Kind)
			failed.Status, failed.Server = seen.Status, seen.Server
		}
		return nil, failed.of(r.method, r.path, n, time.Since(began))
	}
}

// pause waits for between half of d and d, or a little longer than the service
// asked for, and reports whether it came to that.
func pause(ctx context.Context, d, asked time.Duration) bool {
	d = d/2 + rand.N(d/2)
	if asked > d {
		d = min(asked, longestPause) + rand.N(firstPause)
	}
	return sleep(ctx, d)
}

// sleep reports whether d went by before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// retryAfter returns how long the service wants to be left alone, or 0.
func (a *answer) retryAfter() time.Duration {
	if a == nil {
		return 0
	}
	v := a.header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(v, 10, 16); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return time.Until(at)
	}
	return 0
}

// attempt makes a request once. The answer is there whenever one came, good or
// not. A kept connection that the service has closed in the meantime does not
// count.
func (c *Client) attempt(ctx context.Context, r *request, at *verdict) (*answer, *Error) {
	for {
		at.set(&ErrNotDetected)
		k, kept, err := c.connect(ctx)
		if err != nil {
			return nil, failure(ctx, err, ErrNotDetected)
		}
		at.set(&ErrTimeout)
		a, err := k.exchange(ctx, r.bytes(c.base.host))
		if err == nil {
			c.release(k, a.last)
			return a, judge(r, a)
		}
		k.Close()
		if kept && !k.heard && !isTimeout(err) && ctx.Err() == nil {
			continue
		}
		return nil, k.failure(ctx, r, err, at.kind())
	}
}

// errSilent is in the details of an exchange to which no byte came back.
var errSilent = errors.New("no byte came back")

// failure tells what it means that an exchange broke off.
func (k *conn) failure(ctx context.Context, r *request, err error, seen error) *Error {
	if !k.heard {
		err = fmt.Errorf("%w: %w", errSilent, err)
	}
	switch {
	case ctx.Err() != nil || isTimeout(err):
		return failure(ctx, err, seen)
	case errors.Is(err, errTooLarge) || k.limit.N <= 0:
		return &Error{Kind: ErrTooLarge, Err: fmt.Errorf("more than %d KiB", maxBody>>10)}
	case !k.heard || isCut(err):
		return &Error{Kind: ErrIncomplete, Err: err}
	case isSecretPath(r.path):
		return &Error{Kind: ErrForeign, Err: errors.New("the answer is not HTTP")}
	default:
		return &Error{Kind: ErrForeign, Err: err}
	}
}

// failure returns an error of the kind that was seen last, unless ctx ended.
func failure(ctx context.Context, err, seen error) *Error {
	if ctx.Err() != nil {
		return stopped(ctx, seen)
	}
	return &Error{Kind: seen, Err: err}
}

// isCut reports whether the other side broke off, rather than sent nonsense.
func isCut(err error) bool {
	var n net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &n)
}

// judge returns what is wrong with an answer, or nil.
func judge(r *request, a *answer) *Error {
	kind, err := kindOf(r, a), error(nil)
	switch {
	case kind == ErrRedirect:
		err = fmt.Errorf("to %.80q", a.header.Get("Location"))
	case kind == ErrForeign:
		if via := a.header.Get("Via"); via != "" {
			err = fmt.Errorf("it came by way of a proxy, Via: %.80q", via)
		}
	case kind == nil && isStrange(r.path, a.body):
		kind, err = ErrForeign, stranger(r.path, a.body)
	case kind == nil:
		return nil
	}
	return &Error{Kind: kind, Status: a.status, Server: a.server(), Err: err}
}

// ec2Server is what the service calls itself.
const ec2Server = "EC2ws"

func (a *answer) server() string { return a.header.Get("Server") }

// kindOf tells what a status means, per "Access instance metadata" in the EC2
// User Guide; nil is for 200.
func kindOf(r *request, a *answer) error {
	put := r.method == "PUT"
	switch s := a.status; {
	case a.header.Get("Via") != "": // IMDS is never far enough away for a proxy
		return ErrForeign
	case s == http.StatusOK:
		return nil
	case s == http.StatusBadRequest:
		return ErrBadRequest
	case s == http.StatusUnauthorized:
		return ErrUnauthorized
	case s == http.StatusForbidden:
		return ErrForbidden
	case put && (s == http.StatusNotFound || s == http.StatusMethodNotAllowed || s == http.StatusNotImplemented):
		return ErrNoV2
	case s == http.StatusNotFound:
		return ErrAbsent
	case s == http.StatusMethodNotAllowed:
		return ErrBadRequest
	case s == http.StatusTooManyRequests:
		return ErrThrottled
	case s >= 300 && s < 400:
		return ErrRedirect
	case s >= 500:
		return ErrServer
	default:
		return ErrForeign
	}
}

// isStrange reports whether a body is markup or JSON at a path where EC2 has
// neither, as from a portal that wants a login.
func isStrange(path, body string) bool {
	return !isFreeText(path) && isMarkup(body) || !mayBeJSON(path) && isJSON(body)
}

func isMarkup(body string) bool { return strings.HasPrefix(trimStart(body), "<") }

// isJSON reports whether a body is an object or a list of JSON.
func isJSON(body string) bool {
	s := trimStart(body)
	return (strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")) && json.Valid([]byte(s))
}

func trimStart(body string) string { return strings.TrimLeft(body, " \t\r\n\ufeff") }

// stranger describes a strange body, of a secret path by its length alone.
func stranger(path, body string) error {
	if isSecretPath(path) {
		return fmt.Errorf("%d bytes of markup or JSON", len(body))
	}
	return unlike(body)
}
