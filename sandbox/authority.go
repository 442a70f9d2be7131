package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"time"
)

// An authority signs certificates for AWS's host names in one box. It is made
// anew for each; its key is in memory only, so that its certificate, wherever
// that is left behind, is worth nothing without the box.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey // of all its certificates: who holds one of them holds all
	signs       func(host string) bool

	mu     sync.Mutex
	leaves map[string]*tls.Certificate // by host
}

// How far the certificates of a box are valid beyond its start by either
// clock, its own and that of AWS.
const (
	validBefore = 24 * time.Hour
	validAfter  = 30 * 24 * time.Hour // longer than anybody leaves a box open
)

// newAuthority makes an authority for a box that starts now, where the clock
// of AWS is ahead by skew.
func newAuthority(now time.Time, skew time.Duration, signs func(host string) bool) (*authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority of the sandbox: %w", err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{
			Organization: []string{"tegata"},
			CommonName:   "tegata sandbox: do not trust outside of it",
		},
		NotBefore:             now.Add(min(skew, 0) - validBefore),
		NotAfter:              now.Add(max(skew, 0) + validAfter),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority of the sandbox: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("make the certificate authority of the sandbox: %w", err)
	}
	return &authority{certificate: certificate, key: key, signs: signs, leaves: map[string]*tls.Certificate{}}, nil
}

// pem is the certificate of the authority, for those who are to trust it.
func (a *authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// config is that of a server which is every host that the authority signs for.
func (a *authority) config() *tls.Config { return &tls.Config{GetCertificate: a.leaf} }

// leaf returns the certificate of the host that a client asks for. To others
// the answer is that there is no such name (RFC 6066, section 3).
func (a *authority) leaf(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	host := strings.ToLower(hello.ServerName)
	if !a.signs(host) {
		return nil, nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if found, ok := a.leaves[host]; ok {
		return found, nil
	}
	made, err := a.sign(host)
	if err != nil {
		return nil, fmt.Errorf("sign a certificate for %s: %w", host, err)
	}
	a.leaves[host] = made
	return made, nil
}

func (a *authority) sign(host string) (*tls.Certificate, error) {
	template := &x509.Certificate{
		Subject:     pkix.Name{Organization: []string{"tegata"}, CommonName: host},
		DNSNames:    []string{host},
		NotBefore:   a.certificate.NotBefore,
		NotAfter:    a.certificate.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: a.key}, nil
}
