package emulator

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	silence  = time.Minute // how long a client may take over a request
	linger   = time.Second // how long what a client still says is listened to after the last answer
	maxHead  = 64 << 10    // bytes of a request before its body
	maxWaste = 256 << 10   // bytes of a body, which nobody reads, before the connection ends
)

// A connection answers the requests of one client, one after the other. It
// ends after the first, unless the server keeps connections alive: then silent
// clients may stay until Close.
type connection struct {
	net.Conn
	server   *Server
	ctx      context.Context // ends with the server
	caller   string          // the client's address
	source   io.LimitedReader
	in       *bufio.Reader
	reply    reply
	hops     hops
	hijacked bool
}

// idle keeps what connections read and write with, for the next ones.
var idle sync.Pool

func newConnection(ctx context.Context, s *Server, conn net.Conn) *connection {
	c, ok := idle.Get().(*connection)
	if !ok {
		c = &connection{in: bufio.NewReader(nil)}
		c.reply = reply{conn: c, header: make(http.Header)}
	}
	c.Conn, c.server, c.ctx, c.caller = conn, s, ctx, conn.RemoteAddr().String()
	c.source = io.LimitedReader{R: conn}
	c.in.Reset(&c.source)
	c.hops = hopsOf(conn)
	return c
}

func (c *connection) serve() {
	if !c.server.keepAlive {
		c.SetReadDeadline(time.Now().Add(silence))
	}
	for c.exchange() {
	}
	if c.hijacked { // then all that belongs to it is somebody else's
		return
	}
	c.Close()
	c.Conn, c.server, c.ctx, c.source.R = nil, nil, nil, nil
	idle.Put(c)
}

// exchange reads a request and answers it. It reports whether another may
// follow.
func (c *connection) exchange() bool {
	c.source.N = maxHead
	r, err := http.ReadRequest(c.in)
	if status := c.judge(r, err); status != http.StatusOK {
		if status != 0 {
			c.reject(status)
		}
		return false
	}
	c.source.N = 1<<63 - 1
	r.RemoteAddr = c.caller
	if r.Body != http.NoBody {
		c.SetReadDeadline(time.Now().Add(silence))
	}
	c.reply.begin(r)
	if !c.answer(r) || c.hijacked || c.reply.finish() != nil {
		return false
	}
	switch {
	case c.reply.last:
		c.depart(r.Body != http.NoBody || c.in.Buffered() > 0)
	case !c.skip(r):
		c.depart(true)
	default:
		return true
	}
	return false
}

// judge returns the status that ends the connection for a request that is
// none, 0 if there is nobody to tell, and 200 for a request.
func (c *connection) judge(r *http.Request, err error) (status int) {
	var broken *net.OpError
	switch {
	case err != nil && c.source.N <= 0:
		return http.StatusRequestHeaderFieldsTooLarge
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe), errors.Is(err, os.ErrDeadlineExceeded):
		return 0
	case err != nil:
		return http.StatusBadRequest
	case r.ProtoMajor != 1:
		return http.StatusHTTPVersionNotSupported
	case r.ProtoMinor > 0 && r.Host == "":
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// reject answers what could not be read as a request.
func (c *connection) reject(status int) {
	r := &http.Request{Method: http.MethodGet, ProtoMajor: 1, ProtoMinor: 1, Close: true, Body: http.NoBody}
	c.reply.begin(r)
	c.reply.header["Server"] = serverName
	c.server.service.Load().refuse(&c.reply, r, status)
	if c.reply.finish() == nil {
		c.depart(true)
	}
}

// answer reports whether there is an answer: [http.ErrAbortHandler] says that
// there is none, or not all of it.
func (c *connection) answer(r *http.Request) (whole bool) {
	defer c.reply.relax()
	defer func() {
		if reason := recover(); reason != nil && reason != http.ErrAbortHandler {
			panic(reason)
		}
	}()
	c.server.handle(&c.reply, r)
	return true
}

// skip reads what is left of a request's body, to reach the next request.
func (c *connection) skip(r *http.Request) bool {
	if r.Body == http.NoBody {
		return true
	}
	_, err := io.CopyN(io.Discard, r.Body, maxWaste)
	c.SetReadDeadline(time.Time{})
	return err == io.EOF
}

// depart ends the server's side of the connection, and the other when the
// client has said everything: what is not read when a connection is closed
// makes the kernel reset it, and the client may lose the answer.
func (c *connection) depart(unread bool) {
	if !unread {
		return
	}
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	c.SetReadDeadline(time.Now().Add(linger))
	io.CopyN(io.Discard, c.Conn, maxWaste)
}
