package bedrock

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// A Problem is an error as a gateway passes it on.
type Problem struct {
	ID        string            // of the finding; "" when none is known
	Status    int               // HTTP status to answer with; StatusGone when nobody is left to answer
	Fields    map[string]string // evidence for ID
	Detail    string            // AWS's words, or those of what failed before AWS was asked; at most 500 characters
	RequestID string            // what AWS Support asks for; "" if no answer came
	Retry     bool              // the same request may succeed in a while
}

// StatusGone is the [Problem.Status] of a request whose client has left. No
// response carries it; it is what logs say, as nginx's do.
const StatusGone = 499

// maxDetail bounds [Problem.Detail], in characters.
const maxDetail = 500

// ProblemOf tells what an error of this package, or of a [Source], is to a
// client: 4xx where the client can do something about it, 5xx where whoever
// runs the gateway can. It is 500 in no case. The problem of nil is zero.
func ProblemOf(err error) Problem {
	var e *Error
	var request *RequestError
	switch {
	case err == nil:
		return Problem{}
	case errors.Is(err, context.Canceled):
		return Problem{Status: StatusGone}
	case errors.As(err, &request):
		return Problem{Status: http.StatusBadRequest, Detail: cut(request.Error())}
	case errors.As(err, &e):
		return e.problem(err)
	}
	p := Problem{Status: http.StatusServiceUnavailable, Detail: cut(withoutSecrets(err.Error())), Retry: true}
	if id, fields, ok := Explain(err); ok {
		p.ID, p.Fields, p.Status = id, fields, statusOfFinding(id)
	} else if timedOut(err) {
		p.Status = http.StatusGatewayTimeout
	}
	if errors.Is(err, ErrNoRegion) {
		p.Fields["variable"] = "AWS_REGION"
	}
	p.Retry = mayRetry(p)
	return p
}

func (e *Error) problem(err error) Problem {
	p := Problem{RequestID: e.RequestID, Detail: cut(e.Message)}
	id, fields, ok := Explain(err)
	if !ok { // credentials that could not be had
		p.Status, p.Detail, p.Retry = http.StatusServiceUnavailable, cut(withoutSecrets(e.Err.Error())), true
		return p
	}
	if id == unknown && unreachable(e.Err) {
		id = "TG4103"
	}
	p.ID, p.Fields, p.Status = id, maps.Clone(fields), e.answerStatus(id)
	if id == "TG4002" {
		p.Fields["value"] = e.Region
	}
	for name, v := range e.circumstances() {
		if p.Fields[name] == "" && v != "" {
			p.Fields[name] = v
		}
	}
	p.Retry = mayRetry(p) || e.Status >= 500
	return p
}

// circumstances are the fields that findings of any call have.
func (e *Error) circumstances() map[string]string {
	all := map[string]string{"request": "Bedrock " + e.Operation, "outcome": e.Code, "host": hostOf(e.Err)}
	if e.Code == "" {
		all["outcome"] = "no whole answer"
	}
	if e.Took > 0 {
		all["waited"] = strconv.FormatInt(e.Took.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	}
	return all
}

// mayRetry goes by the status. Tokens that are used up for a day don't come
// back in a while.
func mayRetry(p Problem) bool {
	return p.ID != "TG6017" &&
		slices.Contains([]int{http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout}, p.Status)
}

// statusOfFinding returns the status for what is known by more than AWS's, or
// 0. What the client chose, a model or too much of one, is 4xx; what the
// operator has to mend is 5xx, except what the account or its role may not do
// with a model.
func statusOfFinding(id string) int {
	switch id {
	case "TG6002", "TG6011":
		return http.StatusBadRequest
	case "TG6001", "TG6004", "TG6005", "TG6006", "TG6007", "TG6009", "TG6015", "TG6018", "TG6020":
		return http.StatusForbidden
	case "TG6003", "TG6008", "TG6014":
		return http.StatusNotFound
	case "TG6010", "TG6017":
		return http.StatusTooManyRequests
	case "TG6012", "TG6019":
		return http.StatusBadGateway
	case "TG3005", "TG3008", "TG3010", "TG3013", "TG4002", "TG4003", "TG4005", "TG4103", "TG4104", "TG6013", "TG6016":
		return http.StatusServiceUnavailable
	}
	return 0
}

// statusOfCode returns the status for AWS's codes, which within a stream come
// without one, or 0. The statuses that AWS gives them differ for some: a model
// that takes too long is 408 there, which would tell our client that its
// request was slow.
//
// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
func statusOfCode(code string) int {
	switch code {
	case "ValidationException":
		return http.StatusBadRequest
	case "AccessDeniedException":
		return http.StatusForbidden
	case "ResourceNotFoundException":
		return http.StatusNotFound
	case "ModelErrorException", "ModelStreamErrorException":
		return http.StatusFailedDependency
	case "ModelNotReadyException", "ServiceQuotaExceededException", "ThrottlingException":
		return http.StatusTooManyRequests
	case "InternalServerException":
		return http.StatusBadGateway
	case "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	case "ModelTimeoutException":
		return http.StatusGatewayTimeout
	case "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException", "InvalidClientTokenId",
		"InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
		"SignatureDoesNotMatch", "UnrecognizedClientException":
		return http.StatusServiceUnavailable // refused for who asks: not our client, but we
	}
	return 0
}

// passedOn are the statuses of AWS that mean the same to our client.
var passedOn = []int{
	http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusRequestEntityTooLarge,
	http.StatusFailedDependency, http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// answerStatus decides by the finding, then by AWS's code, then by its status.
func (e *Error) answerStatus(id string) int {
	const overloaded = 529 // Anthropic's, as some of its models pass it on
	if timedOut(e.Err) {
		return http.StatusGatewayTimeout
	}
	if known := cmp.Or(statusOfFinding(id), statusOfCode(e.Code)); known != 0 {
		return known
	}
	switch {
	case slices.Contains(passedOn, e.Status):
		return e.Status
	case e.Status == http.StatusRequestTimeout:
		return http.StatusGatewayTimeout
	case e.Status == http.StatusUnauthorized, e.Status == overloaded:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadGateway
}

// unreachable reports whether no way led to the host. A connection that was
// refused is no such case: something is there.
func unreachable(err error) bool {
	var o *net.OpError
	return errors.As(err, &o) && o.Op == "dial" &&
		(o.Timeout() || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH))
}

// hostOf returns the host that was asked when no answer came, or "".
func hostOf(err error) string {
	var u *url.Error
	if !errors.As(err, &u) {
		return ""
	}
	asked, err := url.Parse(u.URL)
	if err != nil {
		return ""
	}
	return asked.Host
}

func cut(s string) string {
	if r := []rune(s); len(r) > maxDetail {
		return string(r[:maxDetail-1]) + "…"
	}
	return s
}
