package doctor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// A probe is one HTTP request to instance metadata and all that could be seen
// of it. It is spoken by hand, without a client's retries, redirects,
// proxies and pools, because how a request dies is what tells faults apart.
type probe struct {
	Method, Path string
	Connected    bool
	Connect      time.Duration // until there was a connection, or none
	Answered     bool          // at least one byte came back
	FirstByte    time.Duration // until then, from the connection on
	Waited       time.Duration // all in all
	Status       int
	Header       http.Header
	Body         string
	Err          error // why there is no whole answer
}

// maxBody bounds what is read of an answer; nothing that is asked for is
// longer than an identity document of some hundred bytes.
const maxBody = 64 << 10

// probe sends one request and reads the answer. It waits no longer than ctx.
func (h *Host) probe(ctx context.Context, method, path string, header ...string) probe {
	p := probe{Method: method, Path: path}
	began := time.Now()
	p.Err = p.do(ctx, h, began, header)
	p.Waited = time.Since(began)
	return p
}

// errNotHTTP is an address that no request for metadata can be sent to.
var errNotHTTP = errors.New("the address is no http URL")

func (p *probe) do(ctx context.Context, h *Host, began time.Time, header []string) error {
	base, err := url.Parse(h.endpoint())
	if err != nil || base.Scheme != "http" || base.Host == "" {
		return errNotHTTP
	}
	req, err := http.NewRequestWithContext(ctx, p.Method, h.endpoint()+p.Path, nil)
	if err != nil {
		return err
	}
	req.Close = true
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	conn, err := h.dial(ctx, address(base))
	p.Connect = time.Since(began)
	if err != nil {
		return err
	}
	defer conn.Close()
	p.Connected = true
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	return p.exchange(conn, req)
}

func (p *probe) exchange(conn net.Conn, req *http.Request) error {
	sent := time.Now()
	if err := req.Write(conn); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	if _, err := r.Peek(1); err != nil {
		return err
	}
	p.Answered, p.FirstByte = true, time.Since(sent)
	res, err := http.ReadResponse(r, req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	p.Status, p.Header = res.StatusCode, res.Header
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	p.Body = string(body)
	return err
}

func address(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	return net.JoinHostPort(u.Hostname(), "80")
}

const (
	realEndpoint = "http://169.254.169.254"
	ipv6Endpoint = "http://[fd00:ec2::254]"
)

func (h *Host) endpoint() string {
	if h.IMDS == "" {
		return realEndpoint
	}
	return strings.TrimRight(h.IMDS, "/")
}

// get asks for one path below /latest with a token.
func (h *Host) get(ctx context.Context, token, path string) probe {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return h.probe(ctx, "GET", "/latest/"+path, "X-aws-ec2-metadata-token", token)
}

func (p probe) request() string { return p.Method + " " + p.Path }

// ok reports whether a whole answer with status 200 came, and not a web page:
// portals and proxies answer any address with one.
func (p probe) ok() bool { return p.Err == nil && p.Status == http.StatusOK && !p.isPage() }

// isForeign reports whether something else than the service has answered: a
// page, without the service's own name in its header.
func (p probe) isForeign() bool { return p.isPage() && p.Header.Get("Server") != "EC2ws" }

func (p probe) isPage() bool {
	start := strings.ToLower(strings.TrimSpace(p.Body))
	return strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<?xml")
}

// silent reports whether the request was taken and nothing at all came back.
func (p probe) silent() bool { return p.Connected && !p.Answered && isTimeout(p.Err) }

func isTimeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

// outcome says in a few fixed words how the request ended.
func (p probe) outcome() string {
	switch {
	case errors.Is(p.Err, errNotHTTP):
		return errNotHTTP.Error()
	case !p.Connected && errors.Is(p.Err, syscall.ECONNREFUSED):
		return "connection refused"
	case !p.Connected:
		return "no connection"
	case p.silent():
		return "connected, then no answer"
	case !p.Answered:
		return "connected, then closed without an answer"
	case p.Status == 0:
		return "the answer is not HTTP"
	case p.Err != nil && isTimeout(p.Err):
		return "the answer began and did not end"
	case p.Err != nil:
		return "the connection ended in the middle of the answer"
	case p.isPage() && p.Status == http.StatusOK:
		return "a web page instead of metadata"
	}
	return fmt.Sprintf("status %d", p.Status)
}

// String is the probe as evidence, the same in every language.
func (p probe) String() string {
	s := "connect " + ms(p.Connect)
	switch {
	case !p.Connected:
		return "connect: none after " + ms(p.Waited)
	case !p.Answered:
		return s + ", 0 bytes in " + ms(p.Waited-p.Connect)
	case p.Status == 0:
		return s + ", first byte " + ms(p.FirstByte)
	}
	return s + fmt.Sprintf(", first byte %s, status %d, %d bytes", ms(p.FirstByte), p.Status, len(p.Body))
}

// evidence is what findings of metadata say about one request.
func (p probe) evidence() map[string]string {
	return map[string]string{
		"request": p.request(), "outcome": p.outcome(), "waited": ms(p.Waited), "server": p.Header.Get("Server"),
	}
}
