package awsconf

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func ask(t *testing.T, env map[string]string, sts http.HandlerFunc) (Identity, error) {
	t.Helper()
	srv := httptest.NewServer(sts)
	t.Cleanup(srv.Close)
	all := map[string]string{
		"AWS_REGION": "ap-northeast-1", "AWS_ENDPOINT_URL_STS": srv.URL,
		"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "secret-of-the-test", "AWS_SESSION_TOKEN": "token-of-the-test",
	}
	for k, v := range env {
		all[k] = v
	}
	return load(t, source(t, all)).CallerIdentity(t.Context())
}

func refuse(status int, code, message string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.Header().Set("X-Amzn-RequestId", "r-1")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`, code, message)
	}
}

// skewed answers from an hour ahead, as AWS does to a clock that is behind.
func skewed(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat))
		next(w, r)
	}
}

func TestCallerIdentity(t *testing.T) {
	got, err := ask(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if a := r.Header.Get("Authorization"); !strings.Contains(a, "Credential=AKIAENV/") || !strings.Contains(a, "/ap-northeast-1/sts/") {
			t.Errorf("Authorization is %q", a)
		}
		io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
			<Arn>arn:aws:sts::123456789012:assumed-role/r/i-1</Arn><UserId>AROA:i-1</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	})
	want := Identity{Account: "123456789012", ARN: "arn:aws:sts::123456789012:assumed-role/r/i-1", UserID: "AROA:i-1"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("error %v, identity (-want +got):\n%s", err, diff)
	}
}

func TestCallerIdentityErrors(t *testing.T) {
	tests := []struct {
		name    string
		respond http.HandlerFunc
		want    Error
	}{
		{
			"expired", refuse(403, "ExpiredToken", "The security token included in the request is expired"),
			Error{Code: "ExpiredToken", Message: "The security token included in the request is expired", Status: 403},
		},
		{
			"clock", skewed(refuse(403, "SignatureDoesNotMatch", "Signature expired: 20261122T170000Z is now earlier than 20261122T175500Z (20261122T180000Z - 5 min.)")),
			Error{Code: "SignatureDoesNotMatch", Message: "Signature expired: 20261122T170000Z is now earlier than 20261122T175500Z (20261122T180000Z - 5 min.)", Status: 403},
		},
		{
			"secrets", refuse(403, "SignatureDoesNotMatch", "Does not match. The Canonical String for this request should have been 'x-amz-security-token:token-of-the-test'"),
			Error{Code: "SignatureDoesNotMatch", Message: "Does not match. ", Status: 403},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			_, err := ask(t, nil, func(w http.ResponseWriter, r *http.Request) { calls++; tt.respond(w, r) })
			tt.want.Operation, tt.want.RequestID = "GetCallerIdentity", "r-1"
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("error is %v", err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			for ; err != nil; err = errors.Unwrap(err) {
				if strings.Contains(fmt.Sprintf("%v %+v", err, err), "of-the-test") {
					t.Errorf("a secret shows in %v", err)
				}
			}
			if calls != 1 {
				t.Errorf("asked %d times; a wrong clock must not be mended in silence", calls)
			}
		})
	}
}

// busy answers in memory, so that the pauses between attempts take no time.
type busy struct{ calls int }

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	b.calls++
	w := httptest.NewRecorder()
	refuse(503, "InternalFailure", "strange words")(w, r)
	return w.Result(), nil
}

func TestAttemptsAreBounded(t *testing.T) {
	for attempts, want := range map[int]int{0: 3, 1: 1, 2: 2} {
		synctest.Test(t, func(t *testing.T) {
			var b busy
			s := source(t, map[string]string{
				"AWS_REGION": "ap-northeast-1", "AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "s",
			})
			s.Attempts, s.HTTPClient = attempts, &http.Client{Transport: &b}
			_, err := load(t, s).CallerIdentity(t.Context())
			var got *Error
			if !errors.As(err, &got) || got.Code != "InternalFailure" || got.Status != 503 || got.Message != "strange words" {
				t.Errorf("error is %v", err)
			}
			if b.calls != want {
				t.Errorf("with Attempts %d: %d calls, want %d", attempts, b.calls, want)
			}
		})
	}
}

// The error of a role that can't be taken names the operation that failed,
// wherever it comes up.
func TestWebIdentityRefused(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	os.WriteFile(token, []byte("jwt-of-the-test"), 0o600)
	_, err := ask(t, map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_WEB_IDENTITY_TOKEN_FILE": token, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r",
	}, refuse(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"))
	var got *Error
	if !errors.As(err, &got) || got.Operation != "AssumeRoleWithWebIdentity" || got.Code != "AccessDenied" || got.RequestID != "r-1" {
		t.Errorf("error is %#v", err)
	}
}
