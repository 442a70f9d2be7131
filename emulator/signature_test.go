package emulator_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/imds/identity"
)

func identityOf(t *testing.T, s *imdstest.Server, name string) []byte {
	t.Helper()
	a := do(t, "GET", s.URL+"/latest/"+identity.Directory+name)
	if a.status != 200 || a.header.Get("Content-Type") != "text/plain" {
		t.Fatalf("%s: got %+v", name, a)
	}
	return []byte(a.body)
}

func testCA(t *testing.T) []*x509.Certificate {
	t.Helper()
	certificates, err := identity.ParseCertificates(emulator.CA())
	if err != nil {
		t.Fatal(err)
	}
	return certificates
}

// Every signature that is served holds, for this document and for no other,
// with the test CA and with nothing of AWS's.
func TestSignatures(t *testing.T) {
	s := start(t, full())
	document := identityOf(t, s, "document")
	other := identityOf(t, start(t, emulator.Options{}), "document")
	for _, kind := range identity.Kinds() {
		signature := identityOf(t, s, string(kind))
		if again := identityOf(t, s, string(kind)); string(again) != string(signature) {
			t.Errorf("%s changes from one reading to the next", kind)
		}
		cert, err := identity.Verify(document, signature, kind, testCA(t))
		if err != nil {
			t.Errorf("%s does not hold: %v", kind, err)
			continue
		}
		if want := "tegata emulator TEST ONLY - not AWS"; cert.Subject.Organization[0] != want {
			t.Errorf("%s is signed by %v, want %s", kind, cert.Subject, want)
		}
		if _, err := identity.Verify(other, signature, kind, testCA(t)); err == nil {
			t.Errorf("%s holds for another document", kind)
		}
		if regions := identity.SignedIn(document, signature, kind); len(regions) > 0 {
			t.Errorf("%s holds as AWS's in %v", kind, regions)
		}
	}
}

// The same instance is signed in the same way by every process.
func TestSignaturesAreStable(t *testing.T) {
	first, second := start(t, full()), start(t, full())
	for _, kind := range identity.Kinds() {
		if diff := cmp.Diff(string(identityOf(t, first, string(kind))), string(identityOf(t, second, string(kind)))); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// Lines as the real service serves them: 76 columns, no armour, none empty.
func TestSignatureLines(t *testing.T) {
	s := start(t, full())
	for _, kind := range identity.Kinds() {
		lines := strings.Split(string(identityOf(t, s, string(kind))), "\n")
		for n, line := range lines {
			if len(line) != 76 && n < len(lines)-1 || len(line) == 0 || strings.HasPrefix(line, "-") {
				t.Errorf("%s, line %d: %q", kind, n+1, line)
			}
		}
	}
}

// A launch time outside of what UTCTime can say.
func TestSignatureFarAway(t *testing.T) {
	for _, year := range []int{1949, 1950, 2049, 2050} {
		s := start(t, emulator.Options{Instance: emulator.Instance{Launched: time.Date(year, 12, 31, 23, 59, 59, 0, time.UTC)}})
		document := identityOf(t, s, "document")
		if _, err := identity.Verify(document, identityOf(t, s, "pkcs7"), identity.PKCS7, testCA(t)); err != nil {
			t.Errorf("launched in %d: %v", year, err)
		}
		der, err := base64.StdEncoding.DecodeString(string(identityOf(t, s, "pkcs7")))
		if want := map[bool]string{true: "\x17\x0d", false: "\x18\x0f"}[year == 1950 || year == 2049]; err != nil || !strings.Contains(string(der), want) {
			t.Errorf("launched in %d: no time of the kind %q, %v", year, want, err)
		}
	}
}

// OpenSSL verifies what we sign, by the commands in the EC2 User Guide.
//
// Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-pkcs7.html,
// verify-rsa2048.html, verify-signature.html
func TestOpenSSLVerifies(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("TEGATA_REQUIRE") == "all" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	s := start(t, full())
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	document := identityOf(t, s, "document")
	ca := write("ca.pem", emulator.CA())
	for _, kind := range []identity.Kind{identity.PKCS7, identity.RSA2048, identity.DSA2048} {
		in := write(string(kind), []byte("-----BEGIN PKCS7-----\n"+string(identityOf(t, s, string(kind)))+"\n-----END PKCS7-----\n"))
		out, err := exec.Command(openssl, "smime", "-verify", "-in", in, "-inform", "PEM", "-certfile", ca, "-noverify").Output()
		if err != nil || string(out) != string(document) {
			t.Errorf("openssl smime on %s: %v, got %q", kind, err, out)
		}
	}

	raw, err := base64.StdEncoding.DecodeString(string(identityOf(t, s, "signature")))
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(testCA(t)[1].PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	key := write("key.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
	out, err := exec.Command(openssl, "dgst", "-sha256", "-verify", key, "-signature", write("raw", raw), write("document", document)).CombinedOutput()
	if err != nil || string(out) != "Verified OK\n" {
		t.Errorf("openssl dgst on signature: %v, %s", err, out)
	}
}

// The keys are public, and say so.
func TestCAIsMarked(t *testing.T) {
	for _, cert := range testCA(t) {
		if text := cert.Subject.String(); !strings.Contains(text, "TEST ONLY - not AWS") || !strings.Contains(text, "public to everybody") {
			t.Errorf("the subject %q does not say what it is", text)
		}
	}
	if changed := emulator.CA(); len(changed) > 0 {
		changed[0]++
		if emulator.CA()[0] == changed[0] {
			t.Error("CA gives its own bytes away")
		}
	}
}
