package sts

import (
	"context"
	"crypto/sha1" // as IAM names certificates
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// patience is how long a provider may take to hand out its keys.
const patience = 5 * time.Second

// maxKeys is how many bytes of a provider's documents are read.
const maxKeys = 1 << 20

// keysOf asks an identity provider for its keys, as OpenID Connect Discovery
// 1.0 says: its configuration names the address of the set. A certificate that
// no authority vouches for is taken when its thumbprint is one of those that
// IAM was told.
func keysOf(ctx context.Context, issuer string, thumbprints []string) ([]key, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var configuration struct {
		Issuer  string `json:"issuer"`
		KeysURL string `json:"jwks_uri"`
	}
	if err := get(ctx, thumbprints, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &configuration); err != nil {
		return nil, err
	}
	if configuration.Issuer != issuer || !strings.HasPrefix(configuration.KeysURL, "https://") {
		return nil, fmt.Errorf("read the configuration of %s: it is that of %q, with keys at %q", issuer, configuration.Issuer, configuration.KeysURL)
	}
	var set struct {
		Keys []key `json:"keys"`
	}
	err := get(ctx, thumbprints, configuration.KeysURL, &set)
	return set.Keys, err
}

// trusted verifies a chain as browsers do, or by the thumbprint of its last
// certificate.
func trusted(cs tls.ConnectionState, host string, thumbprints []string) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the identity provider shows no certificate")
	}
	last := sha1.Sum(cs.PeerCertificates[len(cs.PeerCertificates)-1].Raw)
	if slices.Contains(thumbprints, hex.EncodeToString(last[:])) {
		return cs.PeerCertificates[0].VerifyHostname(host)
	}
	options := x509.VerifyOptions{DNSName: host, Intermediates: x509.NewCertPool()}
	for _, c := range cs.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := cs.PeerCertificates[0].Verify(options)
	return err
}

// get reads a document of JSON.
func get(ctx context.Context, thumbprints []string, url string, v any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{
		InsecureSkipVerify: true, // the check below takes its place
		VerifyConnection:   func(cs tls.ConnectionState) error { return trusted(cs, r.URL.Hostname(), thumbprints) },
	}}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", url, resp.Status)
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxKeys)).Decode(v)
}
