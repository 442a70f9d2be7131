package cli

import (
	"context"
	"flag"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tegata/bedrock"
	"tegata/cmd/tegata/awsconf"
	"tegata/doctor"
	"tegata/imds"
)

// How the commands get at the parts of the chain that the environment of the
// process leads to.

// v1Flag adds the flag by which a reader of metadata accepts version 1.
func v1Flag(fs *flag.FlagSet) *bool { return fs.Bool("v1", false, "") }

// imds returns a metadata client for the environment.
func (s *session) imds(ctx context.Context, v1 bool) (*imds.Client, error) {
	policy := imds.V2Only
	if v1 {
		policy = imds.AllowV1
	}
	return awsconf.Source{Getenv: s.Getenv}.NewIMDS(ctx, policy)
}

// tellVersion says so when values were read without a token.
func (s *session) tellVersion(client *imds.Client) {
	if version, why := client.Used(); version == imds.V1 {
		s.warn("read with IMDSv1, which is on its way out; no token could be had: %v", why)
	}
}

// config loads the AWS configuration for a region, or for the one that the
// environment and the instance name if region is empty.
func (s *session) config(ctx context.Context, region string) (awsconf.Config, error) {
	getenv := s.Getenv
	if region != "" {
		getenv = func(name string) string {
			if name == "AWS_REGION" {
				return region
			}
			return s.Getenv(name)
		}
	}
	return awsconf.Source{Getenv: getenv}.Load(ctx)
}

func bedrockClient(c awsconf.Config) *bedrock.Client {
	return bedrock.New(bedrock.Config{
		Region:          c.Region,
		ControlEndpoint: c.Endpoints.Bedrock,
		RuntimeEndpoint: c.Endpoints.BedrockRuntime,
		Credentials:     c.Credentials,
	})
}

// host is what doctor may look at: this machine, and what the environment
// leads to.
func (s *session) host(ctx context.Context, model string) (doctor.Host, error) {
	dir, err := os.Getwd()
	if err != nil {
		return doctor.Host{}, err
	}
	client, err := awsconf.Source{Getenv: s.getenvForDoctor}.NewIMDS(ctx, imds.V2Only)
	if err != nil {
		return doctor.Host{}, err
	}
	return doctor.Host{
		Getenv:    s.Getenv,
		Environ:   s.Env,
		ReadFile:  os.ReadFile,
		Dir:       dir,
		Home:      s.Getenv("HOME"),
		IMDS:      client.Endpoint,
		Identity:  s.identity,
		Bedrock:   func(region string) doctor.Bedrock { return s.bedrockIn(ctx, region) },
		Model:     model,
		Processes: processes,
	}, nil
}

// getenvForDoctor hides the switch that keeps others from the metadata: the
// doctor looks, and tells that it is on. A profile that is missing is told by
// the check of the credentials.
func (s *session) getenvForDoctor(name string) string {
	switch name {
	case "AWS_EC2_METADATA_DISABLED", "AWS_PROFILE", "AWS_DEFAULT_PROFILE":
		return ""
	}
	return s.Getenv(name)
}

func (s *session) identity(ctx context.Context, region string) (doctor.Identity, error) {
	c, err := s.config(ctx, region)
	if err != nil {
		return doctor.Identity{}, err
	}
	who, err := c.CallerIdentity(ctx)
	return doctor.Identity(who), err
}

// bedrockIn returns a client whose every call says what is wrong with the
// configuration, if something is.
func (s *session) bedrockIn(ctx context.Context, region string) *bedrock.Client {
	c, err := s.config(ctx, region)
	if err != nil {
		c.Region = region
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, err
		})
	}
	return bedrockClient(c)
}
