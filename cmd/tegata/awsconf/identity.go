package awsconf

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// An Identity is who the credentials belong to.
type Identity struct {
	Account string // twelve digits
	ARN     string // "arn:aws:sts::…:assumed-role/ROLE/i-…" on an instance
	UserID  string
}

// CallerIdentity asks STS who the credentials belong to. No policy can forbid
// the question. Errors are of type [*Error], or come from the credentials.
//
// Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (c Config) CallerIdentity(ctx context.Context) (Identity, error) {
	out, err := c.sts(c.Credentials).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, newError("GetCallerIdentity", err)
	}
	return Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), UserID: aws.ToString(out.UserId)}, nil
}

// An Error is a call to STS that did not succeed.
type Error struct {
	Operation string // "GetCallerIdentity", "AssumeRoleWithWebIdentity", …
	Code      string // as AWS names it; "" when no answer came
	Message   string // AWS's words
	Status    int    // of HTTP; 0 when no answer came
	RequestID string
	Err       error // why no answer came; nil when AWS refused
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("%s: %s: %s (request id %s)", e.Operation, e.Code, e.Message, e.RequestID)
}

// Unwrap returns why no answer came.
func (e *Error) Unwrap() error { return e.Err }

// These let a package that must not import this one read the error.
func (e *Error) ErrorCode() string        { return e.Code }
func (e *Error) ErrorMessage() string     { return e.Message }
func (e *Error) HTTPStatusCode() int      { return e.Status }
func (e *Error) ServiceRequestID() string { return e.RequestID }

// newError takes apart what the SDK returned, and keeps an error that is
// taken apart already. The SDK's own is kept only where AWS did not answer:
// what AWS says of a refused signature may hold the session token.
func newError(operation string, err error) error {
	var done *Error
	if errors.As(err, &done) {
		return done
	}
	e := &Error{Operation: operation}
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.Status, e.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		e.Err = err
		return e
	}
	e.Code = api.ErrorCode()
	e.Message, _, _ = strings.Cut(api.ErrorMessage(), "The Canonical String for this request")
	return e
}
