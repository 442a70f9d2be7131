package awsfake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"tegata/awsfake/iam"
	"tegata/awsfake/ssm"
)

// BenchmarkGetParameter is a whole call: signature, policies of a role, the
// parameter.
func BenchmarkGetParameter(b *testing.B) {
	state := new(State)
	state.IAM.PutRole(iam.Account{ID: account}, iam.Role{Identity: iam.Identity{Name: "app"},
		Permissions: iam.Permissions{Inline: map[string]string{"a": modelOnly, "b": withProfile, "c": allowAll}}})
	s := New(Options{
		Account: account, Region: "us-west-2", State: state, FirstByte: 1,
		Parameters: map[string]ssm.Seed{"/a": {Value: "x"}},
		Credentials: func(string) (Credential, bool) {
			return Credential{SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken, Role: "app", Session: "i-0abc"}, true
		},
	})
	const body = `{"Name":"/a"}`
	sum := sha256.Sum256([]byte(body))
	r := httptest.NewRequest("POST", "http://127.0.0.1/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AmazonSSM.GetParameter")
	if err := v4.NewSigner().SignHTTP(context.Background(), key, r, hex.EncodeToString(sum[:]), "ssm", "us-west-2", time.Now()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		again := r.Clone(context.Background())
		again.Body = httptest.NewRequest("POST", "/", strings.NewReader(body)).Body
		w := httptest.NewRecorder()
		s.ServeHTTP(w, again)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
