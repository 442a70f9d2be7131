package awsconf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// expiryWindow is how long before their end credentials are renewed, so that
// none ends on the way to AWS.
const expiryWindow = 5 * time.Minute

// maxSourceProfiles bounds a chain of profiles that take each other's roles.
const maxSourceProfiles = 8

// A HalfPairError says that one half of a pair of variables is set. SDKs
// disagree about what follows, and some use other credentials in silence.
type HalfPairError struct{ Set, Missing string }

func (e *HalfPairError) Error() string {
	return fmt.Sprintf("read the environment: %s is set and %s is not", e.Set, e.Missing)
}

// credentials walks the chain of aws-sdk-go-v2: keys in the environment, web
// identity in the environment, the profile, the container, the instance.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
func (l loader) credentials(ctx context.Context) (aws.CredentialsProvider, string, error) {
	if keys, ok, err := l.environment(); ok || err != nil {
		return keys, "environment", err
	}
	token, arn, err := l.pair("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")
	if token != "" {
		return cached(l.webIdentity(token, arn, l.Getenv("AWS_ROLE_SESSION_NAME"))), "web identity", err
	}
	if p, err := l.ofProfile(ctx, l.profile, maxSourceProfiles); p != nil || err != nil {
		return cached(p), "profile " + l.profile.Profile, err
	}
	if p, err := l.container(ctx); p != nil || err != nil {
		return cached(p), "container endpoint", err
	}
	return cached(l.instance()), "instance role", nil
}

func (l loader) environment() (aws.CredentialsProvider, bool, error) {
	id, secret, err := l.pair("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
	if err == nil && id == "" {
		_, _, err = l.pair("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID")
	}
	return credentials.NewStaticCredentialsProvider(id, secret, l.Getenv("AWS_SESSION_TOKEN")), id != "", err
}

// pair returns two variables of which the first is of no use alone.
func (l loader) pair(one, other string) (string, string, error) {
	v, w := l.Getenv(one), l.Getenv(other)
	if v != "" && w == "" {
		return v, w, &HalfPairError{Set: one, Missing: other}
	}
	return v, w, nil
}

// cached returns a provider that asks p once for as long as its answer lasts.
func cached(p aws.CredentialsProvider) aws.CredentialsProvider {
	if p == nil {
		return nil
	}
	return aws.NewCredentialsCache(p, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
}

// instance returns the role of the instance, read by our own client.
func (l loader) instance() aws.CredentialsProvider {
	return role{metadata: l.metadata, onExpired: l.OnExpired}
}

// ofProfile returns what a profile of the shared files says, or nil if it
// says nothing about credentials. depth bounds the profiles behind it.
func (l loader) ofProfile(ctx context.Context, p config.SharedConfig, depth int) (aws.CredentialsProvider, error) {
	if depth == 0 {
		return nil, fmt.Errorf("read profile %s: more than %d profiles take each other's roles", l.profile.Profile, maxSourceProfiles)
	}
	if p.RoleARN == "" || p.WebIdentityTokenFile != "" {
		return l.direct(p)
	}
	base, err := l.behind(ctx, p, depth)
	if err != nil {
		return nil, fmt.Errorf("read profile %s: %w", p.Profile, err)
	}
	return l.assume(p, base)
}

// direct returns the credentials of a profile that needs no others.
func (l loader) direct(p config.SharedConfig) (aws.CredentialsProvider, error) {
	switch {
	case p.Credentials.HasKeys():
		return credentials.StaticCredentialsProvider{Value: p.Credentials}, nil
	case p.WebIdentityTokenFile != "":
		return l.webIdentity(p.WebIdentityTokenFile, p.RoleARN, p.RoleSessionName), nil
	case p.SSOSession != nil || p.SSOStartURL != "":
		return l.identityCenter(p), nil
	case p.LoginSession != "":
		return l.login(p)
	case p.CredentialProcess != "":
		return processcreds.NewProvider(p.CredentialProcess), nil
	}
	return nil, nil
}

// behind returns the credentials with which a profile takes its role.
func (l loader) behind(ctx context.Context, p config.SharedConfig, depth int) (aws.CredentialsProvider, error) {
	var base aws.CredentialsProvider
	var err error
	switch p.CredentialSource {
	case "":
		if p.Source != nil {
			base, err = l.ofProfile(ctx, *p.Source, depth-1)
		}
	case "Ec2InstanceMetadata":
		return l.instance(), nil
	case "EcsContainer":
		base, err = l.container(ctx)
	case "Environment":
		var ok bool
		if base, ok, err = l.environment(); !ok {
			base = nil
		}
	default:
		return nil, fmt.Errorf("credential_source %q is none of Ec2InstanceMetadata, EcsContainer, Environment", p.CredentialSource)
	}
	if base == nil && err == nil {
		err = errors.New("no credentials to take role_arn with: source_profile or credential_source leads to none")
	}
	return base, err
}

func (l loader) assume(p config.SharedConfig, base aws.CredentialsProvider) (aws.CredentialsProvider, error) {
	if p.MFASerial != "" {
		return nil, fmt.Errorf("read profile %s: mfa_serial is set, and a code can't be asked for here", p.Profile)
	}
	client := l.found.sts(cached(base))
	return explained{"AssumeRole", stscreds.NewAssumeRoleProvider(client, p.RoleARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = p.RoleSessionName
		if p.ExternalID != "" {
			o.ExternalID = &p.ExternalID
		}
		if p.RoleDurationSeconds != nil {
			o.Duration = *p.RoleDurationSeconds
		}
	})}, nil
}

func (l loader) webIdentity(tokenFile, arn, session string) aws.CredentialsProvider {
	client := l.found.sts(aws.AnonymousCredentials{})
	return explained{"AssumeRoleWithWebIdentity", stscreds.NewWebIdentityRoleProvider(client, arn, stscreds.IdentityTokenFile(tokenFile),
		func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = session })}
}

// sts returns a client that says what is true rather than what works: it does
// not mend a wrong clock in silence, because other SDKs will not either.
func (c Config) sts(p aws.CredentialsProvider) *sts.Client {
	o := sts.Options{
		Region: c.Region, Credentials: p, RetryMaxAttempts: c.attempts, DisableClockSkewCorrection: true, AppID: "tegata",
		HTTPClient: httpClient(c.httpClient),
	}
	if c.Endpoints.STS != "" {
		o.BaseEndpoint = &c.Endpoints.STS
	}
	return sts.New(o)
}

// explained turns the failures of a provider that asks STS into [*Error]s.
type explained struct {
	operation string
	provider  aws.CredentialsProvider
}

func (e explained) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := e.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, newError(e.operation, err)
	}
	return c, nil
}
