package cli

import (
	"context"
	"flag"
	"os"
	"time"

	"tegata/bedrock"
	"tegata/cmd/tegata/awsconf"
	"tegata/doctor"
	"tegata/imds"
)

// How the commands get at the parts of the chain that the environment of the
// process leads to.

// fallbackFlag adds the flag by which a reader of metadata accepts version 1.
func fallbackFlag(fs *flag.FlagSet) *choice {
	fallback := oneOf("never", "when-absent")
	fs.Var(fallback, "fallback", "")
	return fallback
}

// imds returns a metadata client for the environment, with the policy of
// --fallback, or "".
func (s *session) imds(ctx context.Context, fallback string) (*imds.Client, error) {
	policy := imds.Never
	if fallback == "when-absent" {
		policy = imds.WhenAbsent
	}
	return awsconf.Source{Getenv: s.Getenv}.NewIMDS(ctx, policy)
}

// openInstance reads the flags of a command that takes no arguments and prints
// what the instance says in one of the formats, the first by default.
func (s *session) openInstance(ctx context.Context, formats ...string) (client *imds.Client, format string, err error) {
	fs := s.flags()
	output := oneOf(formats...)
	fs.Var(output, "o", "")
	fallback := fallbackFlag(fs)
	if err := s.noArgs(fs); err != nil {
		return nil, "", err
	}
	client, err = s.imds(ctx, fallback.value)
	return client, output.value, err
}

// tellVersion says so when values were read without a token.
func (s *session) tellVersion(client *imds.Client) {
	if used := client.Used(); used.Version == imds.V1 {
		s.warn("read with IMDSv1, without a token (%s): %v", string(used.Reason), used.Err)
	}
}

// config loads the AWS configuration that an application would find here.
func (s *session) config(ctx context.Context) (awsconf.Config, error) {
	return awsconf.Source{Getenv: s.Getenv, OnExpired: s.tellExpired}.Load(ctx)
}

// tellExpired says once that credentials have expired which are used all the
// same.
func (s *session) tellExpired(end time.Time) {
	if told := s.ended.Swap(&end); told == nil || !told.Equal(end) {
		s.warn("the instance hands out credentials that expired at %s; they are used all the same, AWS has the last word", end.Format(time.RFC3339))
	}
}

func bedrockConfig(c awsconf.Config) bedrock.Config {
	return bedrock.Config{
		Region:          c.Region,
		ControlEndpoint: c.Endpoints.Bedrock,
		RuntimeEndpoint: c.Endpoints.BedrockRuntime,
		Credentials:     c.Credentials,
	}
}

// host is what doctor may look at: this machine, and what the environment
// leads to.
func (s *session) host(ctx context.Context, model string) (doctor.Host, error) {
	dir, err := os.Getwd()
	if err != nil {
		return doctor.Host{}, err
	}
	client, err := awsconf.Source{Getenv: s.getenvForDoctor}.NewIMDS(ctx, imds.Never)
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
		AWS:       s.services,
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

// services reaches AWS as an application would, but for two things: each call
// is made once, so that what went wrong is seen and not mended, and what the
// instance has told doctor is not asked again.
func (s *session) services(ctx context.Context, c doctor.Caller) (doctor.Services, error) {
	inRegion := func(name string) string {
		if name == "AWS_REGION" {
			return c.Region
		}
		return s.Getenv(name)
	}
	found, err := awsconf.Source{Getenv: inRegion, Role: c.Role, Attempts: 1}.Load(ctx)
	if err != nil {
		return doctor.Services{}, err
	}
	once := bedrockConfig(found)
	once.Attempts = 1
	return doctor.Services{
		Identity: func(ctx context.Context) (doctor.Identity, error) {
			who, err := found.CallerIdentity(ctx)
			return doctor.Identity(who), err
		},
		Bedrock: bedrock.New(once),
	}, nil
}
