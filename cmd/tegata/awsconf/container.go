package awsconf

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tegata/imds"
)

// A HostError says that AWS_CONTAINER_CREDENTIALS_FULL_URI names a host that
// must not be asked for credentials over plain HTTP.
type HostError = imds.HostError

// Container returns the way to the credentials of a container, or nil if the
// environment names no agent.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
func (s Source) Container() *imds.Container {
	c := &imds.Container{
		RelativeURI: s.Getenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
		FullURI:     s.Getenv("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
		Token:       imds.Secret(s.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN")),
		TokenFile:   s.Getenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
		Dial:        s.Dial,
	}
	if c.RelativeURI == "" && c.FullURI == "" {
		return nil
	}
	return c
}

// ContainerOrigin names the variable that leads to the agent of a container.
func ContainerOrigin(c *imds.Container) string {
	if c.RelativeURI != "" {
		return "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
	}
	return "AWS_CONTAINER_CREDENTIALS_FULL_URI"
}

// container returns the credentials that the agent of a container gives, or
// nil if the environment names no agent.
func (l loader) container(ctx context.Context) (aws.CredentialsProvider, error) {
	c := l.Container()
	if c == nil {
		return nil, nil
	}
	if err := c.Check(ctx); err != nil {
		return nil, fmt.Errorf("read %s: %w", ContainerOrigin(c), err)
	}
	return agent{Container: c, onExpired: l.OnExpired}, nil
}

// An agent is the SDK's view of the credentials of a container.
type agent struct {
	*imds.Container
	lasting
	onExpired func(time.Time)
}

func (a agent) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := a.Credentials(ctx)
	if err != nil && !errors.Is(err, imds.ErrExpired) {
		return aws.Credentials{}, fmt.Errorf("read the credentials of the container: %w", err)
	}
	if err != nil && a.onExpired != nil {
		a.onExpired(c.Expiration)
	}
	return aws.Credentials{
		AccessKeyID:     c.AccessKeyID,
		SecretAccessKey: c.SecretAccessKey.Reveal(),
		SessionToken:    c.Token.Reveal(),
		Source:          "container",
		CanExpire:       !c.Expiration.IsZero(),
		Expires:         c.Expiration,
		AccountID:       c.AccountID,
	}, nil
}

// ProviderSources tells whoever holds the provider that it is a container's.
func (a agent) ProviderSources() []aws.CredentialSource {
	return []aws.CredentialSource{aws.CredentialSourceHTTP}
}
