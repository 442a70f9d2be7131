package bedrock

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// keys marks the failures of a provider, which are not Bedrock's.
type keys struct{ provider aws.CredentialsProvider }

func (k keys) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if k.provider == nil {
		return aws.Credentials{}, &credentialsError{errors.New("no credentials")}
	}
	c, err := k.provider.Retrieve(ctx)
	if err != nil {
		return c, &credentialsError{err}
	}
	return c, nil
}

// credentialsError says that there was nothing to sign a request with.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// RetryableError tells the SDK not to ask again: providers try as often as is
// good for them.
func (e *credentialsError) RetryableError() bool { return false }
