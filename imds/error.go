package imds

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// The kinds of failure. Each says one thing that no other says.
var (
	ErrInvalid      = errors.New("unusable endpoint, path or setting")                             // nothing was sent
	ErrNotDetected  = errors.New("no instance metadata here: no connection")                       // refused, no route, or connecting took over a second
	ErrHopLimit     = errors.New("the token is lost on its way back: the hop limit is too low")    // PUT is silent, while a GET at the same address is answered at once
	ErrTokenLost    = errors.New("the token is cut off on its way back")                           // PUT is reset or closed, while a GET at the same address is answered
	ErrNoV2         = errors.New("the endpoint gives no tokens")                                   // PUT: 404, 405 or 501
	ErrDisabled     = errors.New("instance metadata is switched off")                              // 403 to PUT and to GET
	ErrForbidden    = errors.New("forbidden: most likely a proxy in between adds X-Forwarded-For") // 403 to PUT alone, or to a read with a token that was just given
	ErrTimeout      = errors.New("connected, but no whole answer came in time")                    // silent, or too slow
	ErrIncomplete   = errors.New("the connection ended before the answer was complete")            // reset or closed early
	ErrBadRequest   = errors.New("the request was refused as wrong")                               // 400, or 405 on a read
	ErrUnauthorized = errors.New("the service wants a valid token")                                // 401
	ErrAbsent       = errors.New("no such metadata")                                               // 404
	ErrThrottled    = errors.New("throttled")                                                      // 429
	ErrServer       = errors.New("the service failed")                                             // 5xx
	ErrRedirect     = errors.New("redirected, which is never followed")                            // 3xx
	ErrForeign      = errors.New("something answers that is not IMDS")                             // a portal, a proxy, another server
	ErrTooLarge     = errors.New("the answer is too large")                                        // over 1 MiB
	ErrMalformed    = errors.New("the answer is malformed")                                        // whole, but not what the path should hold
	ErrCredentials  = errors.New("the role is of no use")                                          // a document whose Code is not Success
	ErrExpired      = errors.New("the credentials have expired")                                   // and come with the error all the same
)

// An Error is a read that failed. errors.Is finds its Kind and its cause:
// where the caller's context ended the call, context.Canceled or
// context.DeadlineExceeded.
type Error struct {
	Kind     error         // one of the Err variables; of a call that was cancelled or late before anything was sent, the context's error
	Method   string        // PUT is the request for the token
	Path     string        // such as /latest/meta-data/instance-id
	Status   int           // of HTTP; 0 if there was no answer
	Server   string        // the Server header of the answer; EC2's own is EC2ws
	Code     string        // of a document whose Code is not Success
	Attempts int           // requests made; 0 if none was, or if another reader made them
	Elapsed  time.Duration // from the first attempt on
	Err      error         // details, or nil; never holds secrets
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %v", e.Method, e.Path, e.Kind)
	if d := e.answer(); d != "" {
		fmt.Fprintf(&b, " (%s)", d)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// answer describes what came back, as far as it is out of the ordinary.
func (e *Error) answer() string {
	var d string
	switch {
	case e.Code != "":
		return e.Code
	case e.Status != 0 && e.Status != 200:
		d = fmt.Sprintf("HTTP %d", e.Status)
	}
	if e.Server != "" && e.Server != ec2Server {
		d = strings.TrimSpace(fmt.Sprintf("%s from %.80q", d, e.Server))
	}
	return d
}

// Unwrap returns the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// of says what a failure was the failure of.
func (e *Error) of(method, path string, attempts int, elapsed time.Duration) *Error {
	e.Method, e.Path, e.Attempts, e.Elapsed = method, path, attempts, elapsed
	return e
}

// temporary reports whether trying again may help. Timeouts are final, as in
// the AWS SDK for Rust: a packet filter and a hop limit swallow every attempt,
// and each costs a second.
func (e *Error) temporary() bool {
	switch e.Kind {
	case ErrServer, ErrThrottled, ErrIncomplete:
		return true
	case ErrNotDetected:
		return !isTimeout(e.Err) && !errors.Is(e.Err, ErrGuarded)
	}
	return false
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// stopped returns the error of a call that its context ended: cancelled says
// nothing about the service, a deadline says as much as had been seen by then.
func stopped(ctx context.Context, seen error) *Error {
	err := ctx.Err()
	if seen == nil || errors.Is(err, context.Canceled) {
		return &Error{Kind: err}
	}
	return &Error{Kind: seen, Err: err}
}

// unlike describes a value that has not the form it should have.
func unlike(body string) error {
	const most = 40
	if len(body) > most {
		return fmt.Errorf("begins with %.*q", most, body[:most])
	}
	return fmt.Errorf("got %q", body)
}
