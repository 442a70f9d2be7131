package imds

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"
)

// A Container is the way to the credentials of a container: an agent on the
// same machine that answers with those of the task's or the pod's role. The
// fields are the variables by which ECS and EKS tell where it is.
//
// Proxies and redirects are never followed, and no connection is kept.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
type Container struct {
	// RelativeURI is AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, a path at the
	// agent of ECS. It counts before FullURI.
	RelativeURI string

	// FullURI is AWS_CONTAINER_CREDENTIALS_FULL_URI: https, or http at a
	// loopback address or at an agent of ECS or EKS.
	FullURI string

	// Token is AWS_CONTAINER_AUTHORIZATION_TOKEN, "" for none.
	Token Secret

	// TokenFile is AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, which counts before
	// Token. It is read for each request, because the agent of EKS changes it.
	TokenFile string

	// Dial opens connections; nil means [Dial].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// TLS is used for https; nil means the roots of the system.
	TLS *tls.Config
}

// ContainerKind says whose agent a [Container] leads to.
type ContainerKind string

const (
	ECS            ContainerKind = "ecs"   // at 169.254.170.2
	EKS            ContainerKind = "eks"   // Pod Identity, at 169.254.170.23 or fd00:ec2::23
	OtherContainer ContainerKind = "other" // at any other address
)

const ecsEndpoint = "http://169.254.170.2"

// agentTimeout bounds a request to an agent, which may have to ask AWS first.
const agentTimeout = 5 * time.Second

// A HostError says that a URI names a host that must not be asked for
// credentials over plain HTTP.
type HostError struct{ Host string }

func (e *HostError) Error() string {
	return fmt.Sprintf("host %q is neither a loopback address nor an agent of ECS or EKS, and the URL is not https", e.Host)
}

// Kind returns whose agent it is, by its address.
func (c *Container) Kind() ContainerKind {
	u, err := c.url()
	if err != nil {
		return OtherContainer
	}
	ip, _ := netip.ParseAddr(u.Hostname())
	return agentAt(ip)
}

// agentAt returns whose agent has an address.
func agentAt(ip netip.Addr) ContainerKind {
	switch ip.Unmap().String() {
	case "169.254.170.2":
		return ECS
	case "169.254.170.23", "fd00:ec2::23":
		return EKS
	}
	return OtherContainer
}

// Check reports, without asking the agent, why it must not be asked: failures
// are of kind [ErrInvalid], for a host that is not allowed with a
// [*HostError] inside. A name is as good as the addresses behind it.
func (c *Container) Check(ctx context.Context) error {
	u, err := c.url()
	if err == nil {
		_, err = addresses(ctx, u)
	}
	if err != nil {
		return c.failed(u, &Error{Kind: ErrInvalid, Err: err})
	}
	return nil
}

// Credentials asks for the credentials. An agent may leave out Token and
// Expiration; those that it gives then have no end.
//
// Failures are of type [*Error], of the kinds of a [Client]: [ErrInvalid] for
// what is wrong with the settings, [ErrUnauthorized] (401) and [ErrForbidden]
// (403) for a token that is, [ErrAbsent] (404) for a path that the agent does
// not know, [ErrCredentials] for a document whose Code is not Success and
// [ErrExpired] for credentials that have ended, which are returned too.
func (c *Container) Credentials(ctx context.Context) (Credentials, error) {
	u, err := c.url()
	if err != nil {
		return Credentials{}, c.failed(u, &Error{Kind: ErrInvalid, Err: err})
	}
	began := time.Now()
	for n := 1; ; n++ {
		creds, failed := c.ask(ctx, u)
		if failed == nil {
			return creds, nil
		}
		if ctx.Err() == nil && n < attempts && failed.temporary() && sleep(ctx, jittered(firstPause<<(n-1))) {
			continue
		}
		failed.Attempts, failed.Elapsed = n, time.Since(began)
		return creds, c.failed(u, failed)
	}
}

// failed says what a failure was the failure of. A query may hold secrets.
func (c *Container) failed(u *url.URL, e *Error) *Error {
	e.Method, e.Path = "GET", "container credentials"
	if u != nil {
		e.Path = u.Scheme + "://" + u.Host + u.EscapedPath()
	}
	return e
}

// url returns the address to ask. Its errors do not quote what may hold a
// password.
func (c *Container) url() (*url.URL, error) {
	uri := c.FullURI
	if c.RelativeURI != "" {
		if !strings.HasPrefix(c.RelativeURI, "/") {
			return nil, errors.New("the relative URI does not begin with a slash")
		}
		uri = ecsEndpoint + c.RelativeURI
	}
	u, err := url.Parse(uri)
	switch {
	case strings.Contains(uri, "@") && (err != nil || u.User != nil):
		return nil, errors.New("the URI holds a user name, which no agent knows")
	case err != nil || u.Hostname() == "":
		return nil, fmt.Errorf("%q is not of the form http://host/path", uri)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("the URI is neither http nor https but %q", u.Scheme)
	}
	return u, nil
}

// addresses returns those that may be connected to; nil means any, for https.
func addresses(ctx context.Context, u *url.URL) ([]netip.Addr, error) {
	if u.Scheme == "https" {
		return nil, nil
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", &HostError{u.Hostname()}, err)
	}
	for i, ip := range found {
		if found[i] = ip.Unmap(); !mayGiveCredentials(found[i]) {
			return nil, &HostError{u.Hostname()}
		}
	}
	return found, nil
}

// mayGiveCredentials reports whether an address may be asked without TLS.
func mayGiveCredentials(ip netip.Addr) bool {
	return ip.IsLoopback() || agentAt(ip) != OtherContainer
}

// token returns what authorizes a request, or "".
func (c *Container) token() (string, error) {
	token := c.Token.Reveal()
	if c.TokenFile != "" {
		data, err := os.ReadFile(c.TokenFile)
		if err != nil {
			return "", fmt.Errorf("read the authorization token: %w", err)
		}
		token = string(data)
	}
	switch {
	case strings.ContainsAny(token, "\r\n"):
		return "", errors.New("the authorization token holds a line break")
	case strings.ContainsFunc(token, func(r rune) bool { return r < ' ' || r > '~' }):
		return "", errors.New("the authorization token holds bytes that a header can't")
	}
	return token, nil
}

// ask makes a request once.
func (c *Container) ask(ctx context.Context, u *url.URL) (Credentials, *Error) {
	token, err := c.token()
	if err != nil {
		return Credentials{}, &Error{Kind: ErrInvalid, Err: err}
	}
	at, err := addresses(ctx, u)
	if err != nil {
		return Credentials{}, &Error{Kind: ErrInvalid, Err: err}
	}
	a, failed := c.exchange(ctx, u, token, at)
	switch {
	case failed != nil:
		return Credentials{}, failed
	case a.status != http.StatusOK:
		return Credentials{}, refusal(a, token)
	}
	return agentCredentials(a.body)
}

// exchange sends a request and reads the whole answer. It is not done by an
// [http.Client], which would follow redirects.
func (c *Container) exchange(ctx context.Context, u *url.URL, token string, at []netip.Addr) (*answer, *Error) {
	var seen verdict
	seen.set(&ErrNotDetected)
	bounded, cancel := context.WithTimeout(ctx, agentTimeout)
	defer cancel()
	req := (&http.Request{Method: http.MethodGet, URL: u, Header: http.Header{
		"Accept": {"application/json"}, "User-Agent": {"tegata"},
	}}).WithContext(bounded)
	if token != "" {
		req.Header.Set("Authorization", token)
	}
	resp, err := c.transport(at, &seen).RoundTrip(req)
	if err != nil {
		return nil, brokenOff(ctx, err, seen.kind())
	}
	defer resp.Body.Close()
	body, err := readBody(resp)
	switch {
	case errors.Is(err, errTooLarge):
		return nil, &Error{Kind: ErrTooLarge, Status: resp.StatusCode, Err: fmt.Errorf("more than %d KiB", maxBody>>10)}
	case err != nil && resp.StatusCode == http.StatusOK: // any other status says enough by itself
		return nil, brokenOff(ctx, err, seen.kind())
	}
	return &answer{status: resp.StatusCode, header: resp.Header, body: body}, nil
}

func (c *Container) transport(at []netip.Addr, seen *verdict) *http.Transport {
	return &http.Transport{
		DisableKeepAlives:      true,
		DisableCompression:     true,
		TLSClientConfig:        c.TLS,
		MaxResponseHeaderBytes: maxHeader,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTimeout)
			defer cancel()
			conn, err := c.connect(ctx, network, addr, at)
			if err == nil {
				seen.set(&ErrTimeout)
			}
			return conn, err
		},
	}
}

// connect connects only to the addresses that were looked at, if any were,
// whatever a name may stand for the next moment.
func (c *Container) connect(ctx context.Context, network, addr string, at []netip.Addr) (conn net.Conn, err error) {
	dial := c.Dial
	if dial == nil {
		dial = Dial
	}
	if at == nil {
		return dial(ctx, network, addr)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	for _, ip := range at {
		if conn, err = dial(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			break
		}
	}
	return conn, err
}

// brokenOff tells what it means that no whole answer came.
func brokenOff(ctx context.Context, err, seen error) *Error {
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	switch {
	case ctx.Err() != nil || isTimeout(err) || seen == ErrNotDetected:
		return failure(ctx, err, seen)
	case errors.As(err, &record) || errors.As(err, &certificate):
		return &Error{Kind: ErrForeign, Err: err}
	case isCut(err):
		return &Error{Kind: ErrIncomplete, Err: err}
	}
	return &Error{Kind: ErrForeign, Err: errors.New("the answer is not HTTP")}
}

// refusal tells what a status other than 200 means. What the agent says about
// it is kept, unless it quotes the token.
func refusal(a *answer, token string) *Error {
	kind, body := kindOf(&request{method: http.MethodGet}, a), strings.TrimSpace(a.body)
	e := &Error{Kind: kind, Status: a.status}
	said, err := parse[struct{ Code, Message string }]([]byte(body))
	quoted := token != "" && strings.Contains(body, token)
	switch {
	case kind == ErrRedirect || quoted:
	case err == nil && said.Code != "":
		e.Err = fmt.Errorf("%.64q: %.200q", said.Code, said.Message)
	case err == nil && said.Message != "":
		e.Err = fmt.Errorf("%.200q", said.Message)
	case body != "" && !isMarkup(body):
		e.Err = fmt.Errorf("%.200q", body)
	}
	return e
}

// agentCredentials reads a good answer. ECS sends a Code, EKS does not.
func agentCredentials(body string) (Credentials, *Error) {
	if isMarkup(body) {
		return Credentials{}, &Error{Kind: ErrForeign, Status: http.StatusOK, Err: fmt.Errorf("%d bytes of markup", len(body))}
	}
	creds, err := parse[Credentials]([]byte(body))
	switch {
	case err != nil:
	case !succeeded(creds.Code):
		return creds, &Error{Kind: ErrCredentials, Status: http.StatusOK, Code: creds.Code, Err: errors.New(creds.Message)}
	case creds.AccessKeyID == "":
		err = errors.New("missing AccessKeyId")
	case creds.SecretAccessKey == "":
		err = errors.New("missing SecretAccessKey")
	}
	if err != nil {
		return Credentials{}, &Error{Kind: ErrMalformed, Status: http.StatusOK, Err: err}
	}
	if ends := !creds.Expiration.IsZero(); ends && !creds.Expiration.After(time.Now()) {
		return creds, expired("", creds.Expiration)
	}
	return creds, nil
}
