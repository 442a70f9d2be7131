package bedrock

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// An Error is a call to Bedrock that did not succeed. [Explain] tells its
// cause.
type Error struct {
	Operation string // "Converse", "ListFoundationModels", …
	Model     string // id that was asked for, "" for a list
	Region    string // where the call went
	Code      string // as AWS names it: "AccessDeniedException"; "" when no answer came
	Message   string // AWS's words
	Status    int    // HTTP status; 0 when no answer came, and within a stream
	RequestID string // what AWS Support asks for
	Err       error  // why no answer came, or no whole one; nil when AWS refused

	Took time.Duration // from the call to the error, all tries together

	// FromInstance says that the credentials came from instance metadata.
	FromInstance bool
	// RuntimeAnswered says that the runtime, whatever became of this call,
	// answered another of the same client.
	RuntimeAnswered bool
	// Conversed says that the same client had a whole answer from the same
	// model by Converse.
	Conversed bool
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation)
	if e.Model != "" {
		fmt.Fprintf(&b, " of %s", e.Model)
	}
	switch {
	case e.Err != nil:
		fmt.Fprintf(&b, ": %v", e.Err)
	default:
		fmt.Fprintf(&b, ": %s: %s", e.Code, e.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return b.String()
}

// Unwrap returns why no whole answer came: [ErrTruncated], the end of the
// context, a connection that failed, credentials that could not be had.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode and HTTPStatusCode let the SDK's retry rules read the error.
func (e *Error) ErrorCode() string   { return e.Code }
func (e *Error) HTTPStatusCode() int { return e.Status }

// newError returns an error with all that the client itself knows.
func (c *Client) newError(operation, model string) *Error {
	_, conversed := c.conversed.Load(model)
	return &Error{
		Operation: operation, Model: model, Region: c.config.Region,
		FromInstance: fromInstance(c.config.Credentials), RuntimeAnswered: c.runtimeAnswered.Load(),
		Conversed: conversed,
	}
}

// runtimeError takes apart what the SDK returned. The SDK's own error is kept
// only where AWS did not answer: its text repeats AWS's, which may hold a
// session token.
func (c *Client) runtimeError(operation, model string, began time.Time, err error) *Error {
	e := c.newError(operation, model)
	e.Took = time.Since(began)
	var response *awshttp.ResponseError
	if errors.As(err, &response) {
		e.Status, e.RequestID = response.HTTPStatusCode(), response.ServiceRequestID()
		c.runtimeAnswered.Store(true)
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		e.Err = err
		return e
	}
	e.Code, e.Message = api.ErrorCode(), withoutSecrets(api.ErrorMessage())
	var inModel *types.ModelStreamErrorException
	if errors.As(err, &inModel) {
		e.Message = joinNonEmpty(": ", e.Message, aws.ToString(inModel.OriginalMessage))
	}
	return e
}

// withoutSecrets cuts what AWS appends to a refused signature: the canonical
// request, with the session token among its headers.
func withoutSecrets(message string) string {
	before, _, _ := strings.Cut(message, "The Canonical String for this request")
	return strings.TrimSpace(before)
}

func joinNonEmpty(separator string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), separator)
}

func fromInstance(p aws.CredentialsProvider) bool {
	s, ok := p.(aws.CredentialProviderSource)
	return ok && slices.Contains(s.ProviderSources(), aws.CredentialSourceIMDS)
}

func requestID(m middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(m)
	return id
}
