package sandbox

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func certified(t *testing.T, now time.Time, skew time.Duration) *authority {
	t.Helper()
	a, err := newAuthority(now, skew, onlySTS.resolves)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// served is the certificate that a client gets which asks for a host.
func (a *authority) served(t *testing.T, host string) *x509.Certificate {
	t.Helper()
	got, err := a.leaf(&tls.ClientHelloInfo{ServerName: host})
	if err != nil {
		t.Fatal(err)
	}
	if got == nil {
		return nil
	}
	cert, err := x509.ParseCertificate(got.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (a *authority) pool(t *testing.T) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(a.pem()) {
		t.Fatalf("no certificate in %s", a.pem())
	}
	return pool
}

func TestAuthority(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name string
		skew time.Duration
		host string
		at   time.Duration // after the start
		want bool
	}{
		{"at the start", 0, "sts.amazonaws.com", 0, true},
		{"hosts have no case", 0, "STS.amazonaws.com", 0, true},
		{"a clock that is a little behind", 0, "sts.amazonaws.com", -time.Hour, true},
		{"a box that stays open", 0, "sts.amazonaws.com", 20 * day, true},
		{"not for ever", 0, "sts.amazonaws.com", 31 * day, false},
		{"not before", 0, "sts.amazonaws.com", -2 * day, false},
		{"by the clock of AWS, ahead", 365 * day, "sts.amazonaws.com", 365 * day, true},
		{"by the box's own clock, behind", 365 * day, "sts.amazonaws.com", 0, true},
		{"by the clock of AWS, behind", -365 * day, "sts.amazonaws.com", -365 * day, true},
		{"by the box's own clock, ahead", -365 * day, "sts.amazonaws.com", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := certified(t, noon, tt.skew)
			_, err := a.served(t, tt.host).Verify(x509.VerifyOptions{
				DNSName: tt.host, Roots: a.pool(t), CurrentTime: noon.Add(tt.at), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			})
			if (err == nil) != tt.want {
				t.Errorf("got %v, want valid: %t", err, tt.want)
			}
		})
	}
}

// A box does not trust what another has signed, and both have the same name.
func TestAuthoritiesDiffer(t *testing.T) {
	t.Parallel()
	one, other := certified(t, noon, 0), certified(t, noon, 0)
	_, err := one.served(t, "sts.amazonaws.com").Verify(x509.VerifyOptions{Roots: other.pool(t), CurrentTime: noon})
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); !ok {
		t.Errorf("got %v, want an unknown authority", err)
	}
}

func TestAuthoritySigns(t *testing.T) {
	t.Parallel()
	a := certified(t, noon, 0)
	for _, host := range []string{"", "example.com", "sts.ap.amazonaws.com", "*.amazonaws.com"} {
		if cert := a.served(t, host); cert != nil {
			t.Errorf("%q: signed %v", host, cert.DNSNames)
		}
	}
	if first, second := a.served(t, "sts.amazonaws.com"), a.served(t, "STS.amazonaws.com"); !first.Equal(second) {
		t.Error("a host has two certificates")
	}
	if name := a.certificate.Subject.CommonName; !strings.Contains(name, "tegata sandbox") || a.certificate.KeyUsage != x509.KeyUsageCertSign {
		t.Errorf("the authority is %q with key usage %b", name, a.certificate.KeyUsage)
	}
	if text := string(a.pem()); strings.Contains(text, "PRIVATE") || strings.Count(text, "BEGIN") != 1 {
		t.Errorf("told to the command:\n%s", text)
	}
}

// Clients reach the same services by their names as by AWS_ENDPOINT_URL, with
// either version of HTTP.
func TestServedByName(t *testing.T) {
	t.Parallel()
	s := Default()
	s.ClockSkew = 10 * time.Minute
	b, l := named(t, s)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.CA())
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		transport := &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2: protocol == "HTTP/2.0",
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, l.TLS[0].Addr().String())
			},
		}
		defer transport.CloseIdleConnections()
		client := http.Client{Transport: transport}
		r, err := client.Get("https://sts.eu-west-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15")
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if r.Proto != protocol || r.StatusCode != http.StatusForbidden || !strings.Contains(string(body), "<Code>MissingAuthenticationToken</Code>") {
			t.Errorf("%s: %s %s %s", protocol, r.Proto, r.Status, body)
		}
		if _, err := client.Get("https://sts.ap.amazonaws.com/"); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%s: a host that AWS has not: %v", protocol, err)
		}
	}
}
