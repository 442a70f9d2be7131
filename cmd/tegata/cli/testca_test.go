package cli_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tegata/emulator"
	"tegata/imds/identity"
)

// testca writes the certificates of the emulator, and to another file the same
// as if those with an RSA key had ended: testca FILE FILE.
func testCA(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: testca FILE FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), emulator.CA(), 0o600))
	certificates, err := identity.ParseCertificates(emulator.CA())
	ts.Check(err)
	var ended []byte
	for _, cert := range certificates {
		der := cert.Raw
		if key, ok := cert.PublicKey.(*rsa.PublicKey); ok {
			der = reissued(ts, cert, key)
		}
		ended = append(ended, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), ended, 0o600))
}

// reissued is a certificate with the same names, number and key that ended
// long ago.
func reissued(ts *testscript.TestScript, cert *x509.Certificate, key *rsa.PublicKey) []byte {
	issuer, err := rsa.GenerateKey(rand.Reader, 2048)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: cert.SerialNumber, RawSubject: cert.RawSubject,
		NotBefore: time.Unix(1e9, 0), NotAfter: time.Date(2024, 6, 5, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{RawSubject: cert.RawIssuer}, key, issuer)
	ts.Check(err)
	return der
}
