package awsconf

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"

	"tegata/imds"
)

// ecsEndpoint is what AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is relative to.
const ecsEndpoint = "http://169.254.170.2"

// credentialHosts may be asked for credentials without TLS: the agents of ECS
// and EKS. Loopback addresses may be, too.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
var credentialHosts = []netip.Addr{
	netip.AddrFrom4([4]byte{169, 254, 170, 2}),
	netip.AddrFrom4([4]byte{169, 254, 170, 23}),
	netip.AddrFrom16([16]byte{0: 0xfd, 2: 0x0e, 3: 0xc2, 15: 0x23}), // fd00:ec2::23
}

// A HostError says that AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that
// must not be asked for credentials over plain HTTP.
type HostError struct{ Host string }

func (e *HostError) Error() string {
	return fmt.Sprintf("read AWS_CONTAINER_CREDENTIALS_FULL_URI: host %q is neither a loopback address nor an agent of ECS or EKS, and the URL is not https", e.Host)
}

// container returns the credentials that the agent of a container gives, or
// nil if the environment names no agent. RELATIVE_URI wins over FULL_URI.
func (l loader) container(ctx context.Context) (aws.CredentialsProvider, error) {
	endpoint := l.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI")
	if uri := l.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"); uri != "" {
		endpoint = ecsEndpoint + uri
	} else if err := allowed(ctx, endpoint); err != nil || endpoint == "" {
		return nil, err
	}
	return endpointcreds.New(endpoint, func(o *endpointcreds.Options) {
		o.HTTPClient = l.directClient()
		o.AuthorizationToken = l.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if file := l.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"); file != "" {
			o.AuthorizationTokenProvider = tokenIn(file)
		}
	}), nil
}

// agentTimeout bounds a request to an agent, which is on the same machine.
const agentTimeout = 5 * time.Second

// directClient returns a client without proxies and redirects: the answer
// holds secrets, and must come from the very host that was looked at.
func (s Source) directClient() *http.Client {
	dial := s.Dial
	if dial == nil {
		dial = imds.Dial
	}
	return &http.Client{
		Timeout:       agentTimeout,
		Transport:     &http.Transport{DialContext: dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// tokenIn reads the token anew each time, because the agent of EKS changes it.
func tokenIn(file string) endpointcreds.TokenProviderFunc {
	return func() (string, error) {
		token, err := os.ReadFile(file)
		return string(token), err
	}
}

// allowed reports as an error why credentials must not be asked for at an
// endpoint. A name is as good as the addresses behind it.
func allowed(ctx context.Context, endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Hostname() == "" {
		return fmt.Errorf("read AWS_CONTAINER_CREDENTIALS_FULL_URI: %q is no URL", endpoint)
	}
	if u.Scheme == "https" {
		return nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return fmt.Errorf("%w: %w", &HostError{Host: u.Hostname()}, err)
	}
	if slices.ContainsFunc(addrs, func(a netip.Addr) bool { return !mayGiveCredentials(a.Unmap()) }) {
		return &HostError{Host: u.Hostname()}
	}
	return nil
}

func mayGiveCredentials(a netip.Addr) bool {
	return a.IsLoopback() || slices.Contains(credentialHosts, a)
}
