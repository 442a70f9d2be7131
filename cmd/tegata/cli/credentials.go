package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tegata/imds"
)

// processCredentials is what an SDK reads from a credential_process.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
type processCredentials struct {
	Version         int
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

func runCredentials(ctx context.Context, s *session) error {
	client, format, err := s.openInstance(ctx, "process", "env", "env-no-export", "powershell", "windows-cmd", "fish")
	if err != nil {
		return err
	}
	defer client.Close()
	defer s.tellVersion(client)
	c, err := client.Credentials(ctx)
	if errors.Is(err, imds.ErrAbsent) {
		return hintf(fmt.Errorf("no role is attached to this instance: %w", err), "run tegata doctor")
	}
	if err != nil && !errors.Is(err, imds.ErrExpired) {
		return cause(ctx, err)
	}
	if err != nil {
		s.warn("these credentials expired at %s and AWS refuses them; run tegata doctor", c.Expiration.Format(time.RFC3339))
	}
	if format == "process" {
		return s.printJSON(processCredentials{1, c.AccessKeyID, c.SecretAccessKey.Reveal(), c.Token.Reveal(), c.Expiration.Format(time.RFC3339)})
	}
	return printVariables(s.Stdout, format, credentialVariables(c))
}

func credentialVariables(c imds.Credentials) []variable {
	return []variable{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", c.Token.Reveal()},
		{"AWS_CREDENTIAL_EXPIRATION", c.Expiration.Format(time.RFC3339)},
	}
}
