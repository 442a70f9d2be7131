package identity

import (
	"crypto"
	"crypto/x509"
	"testing"
)

// Every certificate is signed with its own key, so none was copied wrongly:
// no digit of it can be another.
func TestCertificatesAreWhole(t *testing.T) {
	algorithms := map[x509.SignatureAlgorithm]struct {
		oid  string
		hash crypto.Hash
	}{
		x509.DSAWithSHA1:   {oidSHA1DSA, crypto.SHA1},
		x509.DSAWithSHA256: {oidSHA256DSA, crypto.SHA256},
		x509.SHA1WithRSA:   {oidSHA1RSA, crypto.SHA1},
		x509.SHA256WithRSA: {oidSHA256RSA, crypto.SHA256},
	}
	seen := 0
	for _, kind := range []Kind{PKCS7, Signature, RSA2048} {
		for _, e := range entries(kind) {
			certificates, err := ParseCertificates([]byte(e.pem))
			if err != nil || len(certificates) != 1 {
				t.Errorf("%s of %v: %d certificates, %v", kind, e.regions, len(certificates), err)
				continue
			}
			cert := certificates[0]
			by, ok := algorithms[cert.SignatureAlgorithm]
			if !ok || !holds(cert, by.oid, by.hash, cert.RawTBSCertificate, cert.Signature) {
				t.Errorf("%s of %v, %x: not signed with its own key by %v", kind, e.regions, cert.SerialNumber, cert.SignatureAlgorithm)
			}
			seen++
		}
	}
	if seen != 97 {
		t.Errorf("%d certificates, want 97", seen)
	}
}
