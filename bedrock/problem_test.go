package bedrock

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/message"
)

// dialing is what net/http returns when no connection came about.
func dialing(err error) error {
	return &url.Error{Op: "Post", URL: "https://bedrock-runtime.ap-northeast-1.amazonaws.com/model/m/converse", Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
}

func TestProblemOf(t *testing.T) {
	answered := func(status int, code, message string) error {
		return &Error{Operation: "Converse", Model: "m", Region: "ap-northeast-1", Status: status, Code: code, Message: message, RequestID: "r-1"}
	}
	unanswered := func(err error) error {
		return &Error{Operation: "Converse", Model: "m", Region: "ap-northeast-1", Err: err}
	}
	for _, tt := range []struct {
		name   string
		err    error
		id     string
		status int
		retry  bool
	}{
		{"client gone", context.Canceled, "", StatusGone, false},
		{"client gone in a call", unanswered(context.Canceled), "", StatusGone, false},
		{"request", &RequestError{Part: "schema", Err: errNoObject}, "", 400, false},
		{"validation", answered(400, "ValidationException", "The text field is blank."), "TG6900", 400, false},
		{"profile only", answered(400, "ValidationException", "Invocation of model ID m with on-demand throughput isn’t supported."), "TG6002", 400, false},
		{"invalid id", answered(400, "ValidationException", "The provided model identifier is invalid."), "TG6003", 404, false},
		{"retired", answered(404, "ResourceNotFoundException", "This model version has reached the end of its life."), "TG6014", 404, false},
		{"legacy", answered(404, "ResourceNotFoundException", "This Model is marked by provider as Legacy"), "TG6008", 404, false},
		{"unknown region", &NoProfileError{Model: "m", Region: "ap-northeast-1"}, "TG6003", 404, false},
		{"no form", answered(404, "ResourceNotFoundException", "Model use case details have not been submitted for this account."), "TG6015", 403, false},
		{"denied", answered(403, "AccessDeniedException", fmt.Sprintf(notPermit, invoke, tokyoModel)), "TG6004", 403, false},
		{"denied by something new", answered(403, "AccessDeniedException", "no"), "TG6900", 403, false},
		{"not allowed", answered(400, "ValidationException", "Operation not allowed"), "TG6009", 403, false},
		{"throttled", answered(429, "ThrottlingException", "Too many requests"), "TG6010", 429, true},
		{"throttled in a stream", answered(0, "ThrottlingException", "Too many tokens, please wait before trying again."), "TG6010", 429, true},
		{"tokens of the day", answered(429, "ThrottlingException", "Too many tokens per day"), "TG6017", 429, false},
		{"model not ready", answered(429, "ModelNotReadyException", "loading"), "TG6900", 429, true},
		{"model error", answered(424, "ModelErrorException", "boom"), "TG6900", 424, false},
		{"model error in a stream", answered(0, "ModelStreamErrorException", "boom"), "TG6900", 424, false},
		{"model timeout", answered(408, "ModelTimeoutException", "slow"), "TG6900", 504, true},
		{"too large", answered(413, "RequestEntityTooLargeException", "large"), "TG6900", 413, false},
		{"their fault", answered(500, "InternalServerException", "oops"), "TG6900", 502, true},
		{"no room", answered(503, "ServiceUnavailableException", "later"), "TG6900", 503, true},
		{"overloaded", answered(529, "", "overloaded"), "TG6900", 503, true},
		{"a proxy's login", answered(407, "Proxy Authentication Required", ""), "TG6900", 502, false},
		{"a bad gateway before AWS", answered(502, "Bad Gateway", ""), "TG6900", 502, true},
		{"our signature", answered(403, "InvalidSignatureException", "Credential should be scoped to a valid region."), "TG6900", 503, true},
		{"our token", answered(403, "ExpiredTokenException", "The security token included in the request is expired"), "TG3005", 503, true},
		{"our key", answered(403, "UnrecognizedClientException", "The security token included in the request is invalid."), "TG3008", 503, true},
		{"the instance's key", &Error{Code: "UnrecognizedClientException", Status: 403, FromInstance: true, Message: "invalid"}, "TG6900", 503, true},
		{"unauthorized", answered(401, "UnauthorizedException", "who?"), "TG6900", 503, true},
		{"no credentials", unanswered(&credentialsError{errors.New("no role is attached")}), "", 503, true},
		{"no region", ErrNoRegion, "TG4003", 503, true},
		{"wrong region", &Error{Region: "ap", Err: &net.DNSError{Name: "bedrock-runtime.ap.amazonaws.com", IsNotFound: true}}, "TG4002", 503, true},
		{"certificate", unanswered(x509.UnknownAuthorityError{}), "TG4104", 503, true},
		{"no way", unanswered(dialing(os.NewSyscallError("connect", syscall.ENETUNREACH))), "TG4103", 503, true},
		{"no way, slowly", unanswered(dialing(os.ErrDeadlineExceeded)), "TG4103", 504, true},
		{"refused", unanswered(dialing(os.NewSyscallError("connect", syscall.ECONNREFUSED))), "TG6900", 502, false},
		{"too slow", unanswered(context.DeadlineExceeded), "TG6900", 504, true},
		{"list out of reach", &Error{Operation: "ListFoundationModels", RuntimeAnswered: true, Err: dialing(os.ErrDeadlineExceeded)}, "TG6013", 504, true},
		{"cut off", unanswered(ErrTruncated), "TG6019", 502, false},
		{"too slow, of others", fmt.Errorf("load settings: %w", context.DeadlineExceeded), "", 504, true},
		{"of the source", errors.New("read the profile: no such file"), "", 503, true},
		{"AWS's words elsewhere", errors.New("operation error Bedrock Runtime: Converse, api error ThrottlingException: Too many tokens, please wait before trying again."), "TG6010", 429, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, err := range []error{tt.err, fmt.Errorf("answer the chat: %w", tt.err)} {
				got := ProblemOf(err)
				if got.ID != tt.id || got.Status != tt.status || got.Retry != tt.retry {
					t.Errorf("got %q %d %v, want %q %d %v", got.ID, got.Status, got.Retry, tt.id, tt.status, tt.retry)
				}
				if _, ok := message.Lookup(got.ID); !ok && got.ID != "" {
					t.Errorf("%s is not in the catalogue", got.ID)
				}
			}
		})
	}
	if diff := cmp.Diff(Problem{}, ProblemOf(nil)); diff != "" {
		t.Errorf("no error:\n%s", diff)
	}
}

// A rule without a status would answer 0, which net/http does not take.
func TestEveryFindingHasAStatus(t *testing.T) {
	for _, r := range rules {
		if status := statusOfFinding(r.id); status < 400 || status == http.StatusInternalServerError {
			t.Errorf("%s has the status %d", r.id, status)
		}
	}
}

func TestProblemGivesEvidence(t *testing.T) {
	refused := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(2 * time.Millisecond) // as long as the race of the SDK needs
		refuse(w, 400, "ValidationException", "The text field is blank."+strings.Repeat("あ", 600))
	})
	_, err := refused.Converse(t.Context(), question)
	p := ProblemOf(err)
	if n := len([]rune(p.Detail)); n != maxDetail || !strings.HasSuffix(p.Detail, "…") || p.RequestID == "" {
		t.Errorf("detail of %d characters, request %q", n, p.RequestID)
	}
	m, _ := message.Lookup(p.ID)
	if cause := m.Cause.Fill(message.English, p.Fields); strings.Contains(cause, "<") {
		t.Errorf("fields are missing: %s", cause)
	}

	_, err = New(Config{Region: "ap-northeast-1", Endpoint: "http://bedrock.test", Credentials: testKeys, Attempts: 1,
		HTTPClient: &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}
		})}}).Converse(t.Context(), question)
	p = ProblemOf(err)
	m, _ = message.Lookup(p.ID)
	if cause := m.Cause.Fill(message.English, p.Fields); p.ID != "TG4103" || strings.Contains(cause, "<") || p.Fields["host"] != "bedrock.test" {
		t.Errorf("%s: %s", p.ID, cause)
	}
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What AWS quotes of a request holds the session token, and what it says of
// one may come from anywhere on the way.
func TestProblemKeepsSecrets(t *testing.T) {
	for _, path := range []string{"/foundation-models", "/model"} {
		c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(2 * time.Millisecond)
			body, _ := io.ReadAll(r.Body)
			refuse(w, 403, "InvalidSignatureException", "The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'"+
				r.Method+"\n"+r.Header.Get("X-Amz-Security-Token")+"\n"+r.Header.Get("Authorization")+string(bytes.TrimSpace(body)))
		})
		var err error
		if path == "/model" {
			_, err = c.Converse(t.Context(), question)
		} else {
			_, err = c.Models(t.Context())
		}
		p := ProblemOf(err)
		if all := fmt.Sprintf("%+v %v", p, err); strings.Contains(all, "of-the-test") || p.Detail == "" || p.Status != 503 {
			t.Errorf("%s: %s", path, all)
		}
	}
}
