package sts

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// An issuer is an identity provider with its own TLS server and two keys.
type issuer struct {
	*httptest.Server
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	i := &issuer{}
	var err error
	if i.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	i.Server = httptest.NewUnstartedServer(mux)
	i.Config.ErrorLog = log.New(io.Discard, "", 0) // of those who don't trust it
	i.StartTLS()
	t.Cleanup(i.Close)
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		number := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }
		point, _ := i.ec.PublicKey.Bytes()
		json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{
			{"kid": "r", "kty": "RSA", "n": number(i.rsa.N), "e": number(big.NewInt(int64(i.rsa.E)))},
			{"kid": "e", "kty": "EC", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(point[1:33]), "y": base64.RawURLEncoding.EncodeToString(point[33:])},
		}})
	})
	return i
}

func (i *issuer) name() string { return strings.TrimPrefix(i.URL, "https://") }

// token signs claims with one of the keys.
func (i *issuer) token(t *testing.T, algorithm string, claims map[string]any) string {
	t.Helper()
	segment := func(v any) string {
		data, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(data)
	}
	signed := segment(map[string]string{"alg": algorithm, "kid": strings.ToLower(algorithm[:1])}) + "." + segment(claims)
	digest := sha256.Sum256([]byte(signed))
	var signature []byte
	switch algorithm {
	case "RS256":
		signature, _ = rsa.SignPKCS1v15(rand.Reader, i.rsa, crypto.SHA256, digest[:])
	case "ES256":
		r, s, err := ecdsa.Sign(rand.Reader, i.ec, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestWebIdentity(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	sum := sha1.Sum(i.Certificate().Raw)
	known := Provider{ARN: "arn:aws:iam::123456789012:oidc-provider/" + i.name(), ClientIDs: []string{"sts.amazonaws.com"}, Thumbprints: []string{hex.EncodeToString(sum[:])}}
	trust := func(operator, subject string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"` + known.ARN + `"},"Action":"sts:AssumeRoleWithWebIdentity",
			"Condition":{"ForAnyValue:StringEquals":{"` + i.name() + `:aud":"sts.amazonaws.com"},"` + operator + `":{"` + i.name() + `:sub":"` + subject + `"}}}]}`
	}
	const subject = "system:serviceaccount:chat:app"
	claims := func(change map[string]any) map[string]any {
		all := map[string]any{"iss": i.URL, "sub": subject, "aud": []string{"sts.amazonaws.com"}, "exp": noon.Add(time.Hour).Unix()}
		maps.Copy(all, change)
		return all
	}
	good := i.token(t, "RS256", claims(nil))
	parts := strings.Split(good, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + "."
	other := known
	other.Thumbprints = []string{strings.Repeat("0", 40)}
	for _, tt := range []struct {
		name     string
		provider Provider
		trust    string
		token    string
		want     string
	}{
		{"RSA", known, trust("StringEquals", subject), good, ""},
		{"EC", known, trust("StringEquals", subject), i.token(t, "ES256", claims(nil)), ""},
		{"a pattern", known, trust("StringLike", "system:serviceaccount:chat:*"), good, ""},
		{"one audience", known, trust("StringEquals", subject), i.token(t, "RS256", claims(map[string]any{"aud": "sts.amazonaws.com"})), ""},
		{"a pattern that is compared as text", known, trust("StringEquals", "system:serviceaccount:chat:*"), good, "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"another subject", known, trust("StringEquals", "system:serviceaccount:other:app"), good, "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		{"no such provider", Provider{}, trust("StringEquals", subject), good, "InvalidIdentityToken: No OpenIDConnect provider found in your account for " + i.URL},
		{"another audience", known, trust("StringEquals", subject), i.token(t, "RS256", claims(map[string]any{"aud": "vault"})), "InvalidIdentityToken: Incorrect token audience"},
		{"expired", known, trust("StringEquals", subject), i.token(t, "RS256", claims(map[string]any{"exp": noon.Add(-time.Minute).Unix()})),
			"ExpiredTokenException: Token expired: current date/time 2026-11-23T12:00:00Z must be before the expiration date/time 2026-11-23T11:59:00Z"},
		{"a changed claim", known, trust("StringEquals", subject), parts[0] + "." + strings.Split(i.token(t, "ES256", claims(nil)), ".")[1] + "A." + parts[2],
			"InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"},
		{"another's signature", known, trust("StringEquals", subject), parts[0] + "." + parts[1] + "." + strings.Split(i.token(t, "RS256", claims(map[string]any{"sub": "x"})), ".")[2],
			"InvalidIdentityToken: The web identity token that was passed could not be validated by the identity provider: its signature is not valid."},
		{"not signed", known, trust("StringEquals", subject), unsigned,
			"InvalidIdentityToken: The web identity token that was passed could not be validated by the identity provider: its signature is not valid."},
		{"no token", known, trust("StringEquals", subject), "aaaa.bbbb.cccc",
			"InvalidIdentityToken: The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"},
		{"a certificate of somebody", other, trust("StringEquals", subject), good,
			"InvalidIdentityToken: Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &Service{State: &State{}, Directory: book{trust: tt.trust, provider: tt.provider}}
			body, err := call(t, s, customer{}, "AssumeRoleWithWebIdentity", assume("WebIdentityToken", tt.token))
			if got := text(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if err == nil && (!strings.Contains(body, "<SubjectFromWebIdentityToken>"+subject) || len(s.State.Sessions) != 1) {
				t.Errorf("%d sessions, answer %s", len(s.State.Sessions), body)
			}
		})
	}
}

// Whatever the token says, it opens nothing that no provider signed.
func FuzzToken(f *testing.F) {
	f.Add("eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2EifQ.")
	f.Add("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EiLCJhdWQiOlsieCJdLCJleHAiOjF9.AAAA")
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6ImUifQ.eyJpc3MiOiJodHRwczovL2EifQ.AA")
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	point, _ := private.PublicKey.Bytes()
	keys := []key{{ID: "e", Type: "EC", Curve: "P-256", X: base64.RawURLEncoding.EncodeToString(point[1:33]), Y: base64.RawURLEncoding.EncodeToString(point[33:])}, {Type: "RSA"}}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := parseToken(text)
		if err != nil {
			return
		}
		if parsed.verify(keys) == nil {
			t.Errorf("%q is signed", text)
		}
		parsed.expired(noon)
	})
}
