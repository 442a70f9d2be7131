package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tegata/cmd/tegata/awsconf"
	"tegata/imds"
)

// processCredentials is what an SDK reads from a credential_process.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processCredentials struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string `json:",omitempty"`
	Expiration      string `json:",omitempty"` // credentials without it have no end
}

func runCredentials(ctx context.Context, s *session) error {
	client, format, err := s.openInstance(ctx, "process", "env", "env-no-export", "powershell", "windows-cmd", "fish")
	container := awsconf.Source{Getenv: s.Getenv}.Container()
	if container != nil && (err == nil || errors.Is(err, awsconf.ErrIMDSDisabled)) {
		return s.containerCredentials(ctx, container, format)
	}
	if err != nil {
		return err
	}
	defer client.Close()
	defer s.tellVersion(client)
	c, err := client.Credentials(ctx)
	if errors.Is(err, imds.ErrAbsent) {
		return hintf(fmt.Errorf("no role is attached to this instance: %w", err), "run tegata doctor")
	}
	return s.printCredentials(ctx, format, c, err)
}

// containerCredentials reads from the agent that the environment names, which
// counts before the instance, as in AWS SDKs.
func (s *session) containerCredentials(ctx context.Context, container *imds.Container, format string) error {
	s.warn("these are the credentials of the container, because %s is set", awsconf.ContainerOrigin(container))
	c, err := container.Credentials(ctx)
	return s.printCredentials(ctx, format, c, err)
}

func (s *session) printCredentials(ctx context.Context, format string, c imds.Credentials, err error) error {
	if err != nil && !errors.Is(err, imds.ErrExpired) {
		return cause(ctx, err)
	}
	if err != nil {
		s.warn("these credentials expired at %s and AWS refuses them; run tegata doctor", c.Expiration.Format(time.RFC3339))
	}
	if format == "process" {
		return s.printJSON(processCredentials{1, c.AccessKeyID, c.SecretAccessKey.Reveal(), c.Token.Reveal(), expiration(c)})
	}
	return printVariables(s.Stdout, format, credentialVariables(c))
}

// credentialVariables leaves out what the agent of a container left out.
func credentialVariables(c imds.Credentials) []variable {
	return slices.DeleteFunc([]variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", c.Token.Reveal()},
		{"AWS_CREDENTIAL_EXPIRATION", expiration(c)},
	}, func(v variable) bool { return v.value == "" })
}

// expiration returns when credentials end, or "" if they do not.
func expiration(c imds.Credentials) string {
	if c.Expiration.IsZero() {
		return ""
	}
	return c.Expiration.Format(time.RFC3339)
}
