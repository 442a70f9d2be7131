package imds

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// The exchange is done on the connection itself, not by http.Transport: here
// it matters whether a connection came about, whether the request was sent and
// whether a byte came back, and nothing may run on in the background.

const (
	maxBody   = 1 << 20  // user data, the largest value, has 16 KiB
	maxHeader = 64 << 10 // of an answer

	maxIdle  = 8                // connections kept
	idleTime = 30 * time.Second // after which one is not trusted any more
)

// A conn is a connection to the service.
type conn struct {
	net.Conn
	limit *io.LimitedReader // bounds an answer, head and body
	r     *bufio.Reader     // reads from limit
	heard bool              // a byte of the present answer came
	since time.Time         // idle since then
}

// An answer is a whole HTTP response.
type answer struct {
	status int
	header http.Header
	body   string
	last   bool // the connection can't be used again
}

// connect returns a connection, preferably one that was kept.
func (c *Client) connect(ctx context.Context) (k *conn, kept bool, err error) {
	if k := c.takeIdle(); k != nil {
		return k, true, nil
	}
	dial := c.Dial
	if dial == nil {
		dial = Dial
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	nc, err := dial(ctx, "tcp", c.base.addr)
	if err != nil {
		return nil, false, err
	}
	limit := &io.LimitedReader{R: nc}
	return &conn{Conn: nc, limit: limit, r: bufio.NewReader(limit)}, false, nil
}

// takeIdle returns the connection that was used last, or nil.
func (c *Client) takeIdle() *conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.idle) > 0 {
		k := c.idle[len(c.idle)-1]
		c.idle = c.idle[:len(c.idle)-1]
		if time.Since(k.since) < idleTime {
			return k
		}
		k.Close()
	}
	return nil
}

// release keeps a connection for the next request, or closes it.
func (c *Client) release(k *conn, last bool) {
	k.since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if last || len(c.idle) == maxIdle {
		k.Close()
		return
	}
	c.idle = append(c.idle, k)
}

// exchange sends a request and reads the whole answer. The end of ctx, or
// answerTimeout, interrupts it.
func (k *conn) exchange(ctx context.Context, request []byte) (*answer, error) {
	k.limit.N, k.heard = maxHeader+maxBody, false
	k.SetDeadline(time.Now().Add(answerTimeout))
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() { k.SetDeadline(time.Unix(1, 0)) })
	}
	defer stop()

	if _, err := k.Write(request); err != nil {
		return nil, err
	}
	if _, err := k.r.Peek(1); err != nil {
		return nil, err
	}
	k.heard = true
	resp, err := http.ReadResponse(k.r, nil)
	if err != nil {
		return nil, err
	}
	body, err := readBody(resp)
	if err != nil && resp.StatusCode == http.StatusOK { // any other status says enough by itself
		return nil, err
	}
	last := !stop() || err != nil || resp.Close || k.r.Buffered() > 0
	return &answer{resp.StatusCode, resp.Header, body, last}, nil
}

var errTooLarge = errors.New("body too large")

// readBody reads up to maxBody bytes.
func readBody(resp *http.Response) (string, error) {
	n := resp.ContentLength
	if n > maxBody {
		return "", errTooLarge
	}
	if n >= 0 {
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return string(body), err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if len(body) > maxBody {
		return "", errTooLarge
	}
	return string(body), err
}
