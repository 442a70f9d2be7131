// Package bedrock speaks to Amazon Bedrock and says what its answers mean:
// which models there are and how long they live, by which id a region calls
// them, what a model answers and what that costs, and why one does not.
//
// Start with [New]. [Client.Stream] and [Client.Converse] ask a model,
// [Client.Models] and [Client.Resolve] look at the region's list, and
// [Explain] turns an error of any of them into the id of a finding. Programs
// that serve others keep a [Catalogue], and pass errors on as [ProblemOf]
// tells them.
package bedrock

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// defaultAttempts bounds every call: the first try and two more.
const defaultAttempts = 3

// ErrNoRegion is returned by every call of a client without a region.
var ErrNoRegion = errors.New("no region is set")

// Config says where Bedrock is and who asks.
type Config struct {
	Region          string
	Endpoint        string // base URL of both planes; "" means AWS's own
	RuntimeEndpoint string // base URL of bedrock-runtime alone; "" means Endpoint
	ControlEndpoint string // base URL of bedrock alone; "" means Endpoint
	Credentials     aws.CredentialsProvider
	Attempts        int          // of each call, the first included; 0 means 3
	HTTPClient      *http.Client // nil means a client of the SDK's making
}

// A Client asks Bedrock in one region. It is safe for concurrent use.
//
// It signs with the credentials that it was given and with nothing else: a
// bearer token in the environment, which every AWS SDK would prefer, does not
// count here.
type Client struct {
	config  Config
	runtime *bedrockruntime.Client
	keys    keys
	http    bedrockruntime.HTTPClient
	retryer aws.Retryer

	// runtimeAnswered tells a control plane that can't be reached from a
	// network without any way to Bedrock.
	runtimeAnswered atomic.Bool
	// conversed holds the models that answered Converse. It tells a missing
	// right to stream from a missing right to the model.
	conversed sync.Map
}

// New returns a client. It does no I/O: what is wrong with config shows in
// the first call.
func New(config Config) *Client {
	config.Attempts = cmp.Or(config.Attempts, defaultAttempts)
	c := &Client{
		config:  config,
		keys:    keys{config.Credentials},
		http:    awshttp.NewBuildableClient(),
		retryer: retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = config.Attempts }),
	}
	if config.HTTPClient != nil {
		c.http = config.HTTPClient
	}
	c.runtime = bedrockruntime.New(bedrockruntime.Options{
		Region:       config.Region,
		Credentials:  c.keys,
		HTTPClient:   detached{c.http},
		Retryer:      c.retryer,
		BaseEndpoint: optional(config.RuntimeEndpoint, config.Endpoint),
		AppID:        appID,
	}, ignoreBearerToken)
	return c
}

// Region returns where calls go, "" if nothing says where.
func (c *Client) Region() string { return c.config.Region }

// appID names us in the User-Agent, and so in CloudTrail.
const appID = "tegata"

// ignoreBearerToken undoes what New of the SDK reads from
// AWS_BEARER_TOKEN_BEDROCK: a stale one would shadow good credentials.
// See https://github.com/openai/openai-node/issues/2348.
func ignoreBearerToken(o *bedrockruntime.Options) {
	o.BearerAuthTokenProvider = nil
	o.AuthSchemePreference = nil
}

// controlBase returns the base URL of the control plane. AWS's own differs
// from that of the runtime in the first label only, and the SDK knows the
// runtime's in every partition.
func (c *Client) controlBase(ctx context.Context) (string, error) {
	if base := optional(c.config.ControlEndpoint, c.config.Endpoint); base != nil {
		return strings.TrimRight(*base, "/"), nil
	}
	e, err := bedrockruntime.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx,
		bedrockruntime.EndpointParameters{Region: &c.config.Region})
	if err != nil {
		return "", fmt.Errorf("find the endpoint of Bedrock in region %q: %w", c.config.Region, err)
	}
	return strings.Replace(e.URI.String(), "//bedrock-runtime.", "//bedrock.", 1), nil
}

// optional returns the first of values that is not empty, or nil.
func optional(values ...string) *string {
	for _, v := range values {
		if v != "" {
			return &v
		}
	}
	return nil
}
