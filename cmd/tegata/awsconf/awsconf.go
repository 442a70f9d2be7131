// Package awsconf finds out where AWS is and who asks: region, credentials
// and endpoints, from the environment, the shared files, and the instance.
//
// Start with [Source.Load]. It follows the order of aws-sdk-go-v2 and uses the
// SDK's own providers, with one exception: instance metadata is read by our
// client alone. Nothing here makes the SDK build one of its own, which would
// dial the link-local address whatever it was told; a test looks for that
// code in the linked program.
package awsconf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"tegata/imds"
)

var (
	// ErrNoRegion is returned when nothing names a region.
	ErrNoRegion = errors.New("no region is set")
	// ErrIMDSDisabled is why nothing was read from the instance.
	ErrIMDSDisabled = errors.New("instance metadata is switched off by AWS_EC2_METADATA_DISABLED")
)

// defaultAttempts bounds each call to STS: the first try and two more.
const defaultAttempts = 3

// A Source is everything that configuration is taken from.
type Source struct {
	// Getenv returns a variable of the environment, "" if it is not set.
	Getenv func(string) string

	// IMDS reads the instance; nil means the client of [Source.NewIMDS] with
	// version 2 only.
	IMDS *imds.Client

	// Role is what the instance has handed out for its role already; nil
	// means that it is asked when credentials are needed.
	Role *imds.Credentials

	// Attempts bounds each call to STS, the first included; 0 means 3.
	Attempts int

	// HTTPClient is used for STS and for IAM Identity Center; nil means a
	// client of the SDK's making.
	HTTPClient *http.Client

	// Dial opens connections to the agent of a container; nil means
	// [imds.Dial].
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	// OnExpired is told when the instance hands out credentials that have
	// expired. They are used all the same, because AWS has the last word and
	// may prolong them. nil means nobody is told.
	OnExpired func(expired time.Time)
}

// A Config is what was found, and where.
type Config struct {
	Region       string
	RegionOrigin string // "AWS_REGION", "profile work", "instance metadata"

	Credentials       aws.CredentialsProvider // cached; asked when first used
	CredentialsOrigin string                  // "environment", "profile work", "web identity", "container endpoint", "instance role"

	Endpoints Endpoints

	attempts   int
	httpClient *http.Client
}

// Load puts the configuration together. It reads the shared files, and asks
// the instance for its region when nothing else names one; credentials are
// not fetched yet.
//
// Errors: a [*HalfPairError], [ErrNoRegion], [ErrIMDSDisabled] and those of
// package imds when the region was to come from the instance,
// [config.SharedConfigProfileNotExistError] for a profile that was named and
// is not there, a [*HostError] for a container endpoint that must not be
// asked.
func (s Source) Load(ctx context.Context) (Config, error) {
	profile, err := s.profile(ctx)
	if err != nil {
		return Config{}, err
	}
	l := loader{Source: s, profile: profile}
	if l.metadata, err = s.metadata(profile); err != nil {
		return Config{}, err
	}
	c := Config{Endpoints: s.endpoints(ctx, profile), attempts: cmp.Or(s.Attempts, defaultAttempts), httpClient: s.HTTPClient}
	if c.Region, c.RegionOrigin, err = l.region(ctx); err != nil {
		return Config{}, err
	}
	l.found = c
	if c.Credentials, c.CredentialsOrigin, err = l.credentials(ctx); err != nil {
		return Config{}, err
	}
	return c, nil
}

// A loader is a Source with what was found on the way.
type loader struct {
	Source
	profile  config.SharedConfig
	metadata metadata
	found    Config // region and endpoints
}

func (l loader) region(ctx context.Context) (region, origin string, err error) {
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if v := l.Getenv(name); v != "" {
			return v, name, nil
		}
	}
	if l.profile.Region != "" {
		return l.profile.Region, "profile " + l.profile.Profile, nil
	}
	region, err = l.metadata.Region(ctx)
	if err != nil {
		return "", "", fmt.Errorf("%w: neither in AWS_REGION nor in profile %s, and the instance: %w", ErrNoRegion, l.profileName(), err)
	}
	return region, "instance metadata", nil
}

// profile reads the profile of the shared files. One that nobody named may
// be missing.
func (s Source) profile(ctx context.Context) (config.SharedConfig, error) {
	p, err := config.LoadSharedConfigProfile(ctx, s.profileName(), func(o *config.LoadSharedConfigOptions) {
		o.ConfigFiles = []string{s.sharedFile("AWS_CONFIG_FILE", "config")}
		o.CredentialsFiles = []string{s.sharedFile("AWS_SHARED_CREDENTIALS_FILE", "credentials")}
	})
	var missing config.SharedConfigProfileNotExistError
	if errors.As(err, &missing) && s.namedProfile() == "" {
		return config.SharedConfig{}, nil
	}
	if err != nil {
		return p, fmt.Errorf("read profile %s: %w", s.profileName(), err)
	}
	return p, nil
}

func (s Source) profileName() string { return first(s.namedProfile(), "default") }

func (s Source) namedProfile() string {
	return first(s.Getenv("AWS_PROFILE"), s.Getenv("AWS_DEFAULT_PROFILE"))
}

func (s Source) sharedFile(variable, name string) string {
	return first(s.Getenv(variable), filepath.Join(s.home(), ".aws", name))
}

func (s Source) home() string { return first(s.Getenv("HOME"), s.Getenv("USERPROFILE")) }

// first returns the first of values that is not empty.
func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
