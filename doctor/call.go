package doctor

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"tegata/bedrock"
)

// A call is one question to AWS, and how far it got.
type call struct {
	request   string // "STS GetCallerIdentity"
	took      time.Duration
	host      atomic.Value // string: to which a connection was asked for last
	connected atomic.Bool  // at least one connection came about
}

// do asks, and waits no longer than a check may.
func (c *call) do(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(c.watch(ctx), wait)
	defer cancel()
	began := time.Now()
	err := ask(ctx)
	c.took = time.Since(began)
	return err
}

// watch sees through whatever client asks whether it gets a connection. Its
// error alone does not say: the end of a context looks the same everywhere.
func (c *call) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(host string) { c.host.Store(host) },
		GotConn: func(httptrace.GotConnInfo) { c.connected.Store(true) },
		ConnectDone: func(_, _ string, err error) {
			if err == nil {
				c.connected.Store(true)
			}
		},
	})
}

// unreachable reports whether no way led to the host. A connection that was
// refused is no such case: something is there.
func (c *call) unreachable(err error) bool {
	lost := isTimeout(err) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH)
	return lost && c.host.Load() != nil && !c.connected.Load()
}

// unread is what findings say about a call that AWS calls a success, without
// what was asked for in its answer.
func (c *call) unread(requestID string) map[string]string {
	return map[string]string{"request": c.request, "waited": ms(c.took), "outcome": unreadable, "request_id": requestID}
}

// evidence is what findings say about a call that failed. The whole text of
// the error is used only where no answer came: an answer repeats the request,
// which may hold a session token.
func (c *call) evidence(err error) map[string]string {
	e := map[string]string{"request": c.request, "waited": ms(c.took), "outcome": outcomeOf(err)}
	e["host"], _ = c.host.Load().(string)
	var a answered
	if errors.As(err, &a) && a.HTTPStatusCode() != 0 {
		e["status"] = strconv.Itoa(a.HTTPStatusCode())
	}
	var t traced
	if errors.As(err, &t) {
		e["request_id"] = t.ServiceRequestID()
	}
	e["code"] = codeOf(err)
	var d described
	switch {
	case isTimeout(err): // clients say so in many words
		e["message"] = transportError(err)
	case e["code"] == "" && e["status"] == "":
		e["message"] = or(transportError(err), err.Error)
	case errors.As(err, &d):
		e["message"] = d.ErrorMessage()
	}
	return e
}

// The parts of an error of an AWS client, whichever made it.
type (
	coded     interface{ ErrorCode() string }
	described interface{ ErrorMessage() string }
	answered  interface{ HTTPStatusCode() int }
	traced    interface{ ServiceRequestID() string }
)

func codeOf(err error) string {
	var c coded
	if errors.As(err, &c) {
		return c.ErrorCode()
	}
	return ""
}

// transportError returns what the network said, without what clients wrap
// around it; "" where it is not the network that failed.
func transportError(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Error()
	}
	return ""
}

// unreadable is an answer that says "done" and not what was asked for.
const unreadable = "an answer that can't be read"

// outcomeOf says in a few fixed words how a call ended.
func outcomeOf(err error) string {
	var a answered
	var n *net.OpError
	var b *bedrock.Error
	switch {
	case codeOf(err) != "":
		return codeOf(err)
	case errors.As(err, &a) && a.HTTPStatusCode() >= 400:
		return "status " + strconv.Itoa(a.HTTPStatusCode())
	case isTimeout(err):
		return "no answer"
	case errors.As(err, &n) || errors.As(err, new(*net.DNSError)) || transportError(err) != "":
		return "the connection failed"
	case errors.As(err, &a) && a.HTTPStatusCode() != 0, errors.As(err, &b) && b.RequestID != "":
		return unreadable
	}
	return "the call did not come about"
}
