package awsconf

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	sdkimds "github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"tegata/imds"
)

// endpointIPv6 is where IMDS answers when the endpoint mode is IPv6.
const endpointIPv6 = "http://[fd00:ec2::254]"

// NewIMDS returns a client for the endpoint that the environment and the
// profile name. AWS_EC2_METADATA_V1_DISABLED takes version 1 out of a policy
// that allows it. The error is [ErrIMDSDisabled] when there must be no client.
func (s Source) NewIMDS(ctx context.Context, policy imds.Policy) (*imds.Client, error) {
	p, err := s.profile(ctx)
	if err != nil {
		return nil, err
	}
	return s.newIMDS(p, policy)
}

func (s Source) newIMDS(p config.SharedConfig, policy imds.Policy) (*imds.Client, error) {
	if isTrue(s.Getenv("AWS_EC2_METADATA_DISABLED")) {
		return nil, ErrIMDSDisabled
	}
	endpoint, err := s.imdsEndpoint(p)
	if err != nil {
		return nil, err
	}
	if s.v1Disabled(p) {
		policy = imds.Never
	}
	return &imds.Client{Endpoint: endpoint, Policy: policy}, nil
}

// imdsEndpoint reads the settings in the order of AWS's reference guide: an
// endpoint counts before a mode, the environment before the profile. Where
// neither is set, the older switch of botocore counts.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
func (s Source) imdsEndpoint(p config.SharedConfig) (string, error) {
	if e := first(s.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), p.EC2IMDSEndpoint); e != "" {
		return e, nil
	}
	switch mode := s.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"); {
	case strings.EqualFold(mode, "IPv4"):
		return "", nil
	case strings.EqualFold(mode, "IPv6"):
		return endpointIPv6, nil
	case mode != "":
		return "", fmt.Errorf("read AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: %q is neither IPv4 nor IPv6", mode)
	}
	switch p.EC2IMDSEndpointMode {
	case sdkimds.EndpointModeStateIPv4:
		return "", nil
	case sdkimds.EndpointModeStateIPv6:
		return endpointIPv6, nil
	}
	if isTrue(first(s.Getenv("AWS_IMDS_USE_IPV6"), s.setting(p.Profile, "imds_use_ipv6"))) {
		return endpointIPv6, nil
	}
	return "", nil
}

func (s Source) v1Disabled(p config.SharedConfig) bool {
	if v := s.Getenv("AWS_EC2_METADATA_V1_DISABLED"); v != "" {
		return isTrue(v)
	}
	return p.EC2IMDSv1Disabled != nil && *p.EC2IMDSv1Disabled
}

// metadata is the instance, or the reason why it is not asked.
type metadata struct {
	client *imds.Client
	role   *imds.Credentials // handed out already; nil means that they are to be read
	off    error
}

// metadata returns the client of s, or one of its own. That the instance must
// not be asked is no failure until something depends on it.
func (s Source) metadata(p config.SharedConfig) (metadata, error) {
	client, err := s.newIMDS(p, imds.Never)
	if err == ErrIMDSDisabled {
		return metadata{off: err}, nil
	}
	if s.IMDS != nil {
		client, err = s.IMDS, nil
	}
	return metadata{client: client, role: s.Role}, err
}

func (m metadata) Region(ctx context.Context) (string, error) {
	if m.off != nil {
		return "", m.off
	}
	return m.client.Region(ctx)
}

func (m metadata) Credentials(ctx context.Context) (imds.Credentials, error) {
	switch {
	case m.off != nil:
		return imds.Credentials{}, fmt.Errorf("find credentials: none but the instance's are left, and %w", m.off)
	case m.role != nil:
		return *m.role, nil
	}
	c, err := m.client.Credentials(ctx)
	if err != nil && !errors.Is(err, imds.ErrExpired) { // whoever uses them looks at their end
		return c, fmt.Errorf("read the credentials of the instance's role: %w", err)
	}
	return c, nil
}

// A role is the SDK's view of the credentials of an instance.
type role struct {
	metadata
	lasting
	onExpired func(time.Time)
}

func (r role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := r.Credentials(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	if r.onExpired != nil && !time.Now().Before(c.Expiration) {
		r.onExpired(c.Expiration)
	}
	return aws.Credentials{
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey.Reveal(),
		SessionToken:    c.Token.Reveal(),
		Source:          "instance role",
		CanExpire:       true,
		Expires:         c.Expiration,
	}, nil
}

// ProviderSources tells whoever holds the provider that it is an instance's.
func (r role) ProviderSources() []aws.CredentialSource {
	return []aws.CredentialSource{aws.CredentialSourceIMDS}
}

// lasting is how the SDK's cache holds on to credentials that are made beside
// us, by an instance or an agent, and are made anew long before they end.
type lasting struct{}

// askAgain is when credentials that are about to end, or have ended, are read
// anew: real IMDS has new ones at least five minutes before.
const askAgain = time.Minute

// AdjustExpiresBy keeps credentials that end within the cache's window, or
// have ended, for a short while: without it every request would read them
// anew, and whoever gives them would throttle.
func (lasting) AdjustExpiresBy(c aws.Credentials, by time.Duration) (aws.Credentials, error) {
	c.Expires = c.Expires.Add(by)
	if soonest := time.Now().Add(askAgain); c.Expires.Before(soonest) {
		c.Expires = soonest
	}
	return c, nil
}

// HandleFailToRefresh goes on with the credentials at hand while no new ones
// are given.
func (lasting) HandleFailToRefresh(_ context.Context, last aws.Credentials, err error) (aws.Credentials, error) {
	if !last.HasKeys() {
		return aws.Credentials{}, err
	}
	return last, nil // AdjustExpiresBy keeps them a little longer
}
