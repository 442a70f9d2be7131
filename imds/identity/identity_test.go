package identity_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/imds"
	"tegata/imds/identity"
)

// A sample is a document with one of its signatures, and who signed it.
type sample struct {
	name      string
	kind      identity.Kind
	document  []byte
	signature []byte
	signers   []*x509.Certificate
}

// samples are those of AWS, by three algorithms, and the emulator's.
func samples(t testing.TB) []sample {
	t.Helper()
	list := emulated(t)
	for _, s := range []sample{
		{name: "us-east-1-2016", kind: identity.PKCS7},
		{name: "us-east-1-2017", kind: identity.RSA2048},
		{name: "us-east-1-2024-1", kind: identity.Signature},
		{name: "us-east-1-2024-2", kind: identity.Signature},
	} {
		s.document = file(t, s.name+".document")
		s.signature = file(t, s.name+"."+string(s.kind))
		s.signers = aws(t, s.kind, "us-east-1")
		list = append(list, s)
	}
	return list
}

func emulated(t testing.TB) []sample {
	t.Helper()
	s := imdstest.NewServer(t, emulator.Options{Instance: emulator.Instance{Launched: time.Unix(1e9, 0)}})
	signers, err := identity.ParseCertificates(emulator.CA())
	if err != nil {
		t.Fatal(err)
	}
	client := &imds.Client{Endpoint: s.URL}
	defer client.Close()
	read := func(name string) []byte {
		value, err := client.Get(t.Context(), identity.Directory+name)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(value)
	}
	var list []sample
	for _, kind := range identity.Kinds() {
		list = append(list, sample{"emulator", kind, read("document"), read(string(kind)), signers})
	}
	return list
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func aws(t testing.TB, kind identity.Kind, region string) []*x509.Certificate {
	t.Helper()
	certificates, err := identity.AWS(kind, region)
	if err != nil {
		t.Fatal(err)
	}
	return certificates
}

// What AWS signed holds, and what the emulator signed.
func TestVerify(t *testing.T) {
	for _, s := range samples(t) {
		cert, err := identity.Verify(s.document, s.signature, s.kind, s.signers)
		if err != nil || !slices.ContainsFunc(s.signers, cert.Equal) {
			t.Errorf("%s, %s: %v", s.name, s.kind, err)
		}
	}
}

// sha256OID is SHA-256 as an element of an algorithm.
const sha256OID = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01"

// Each way not to hold has an error of its own.
func TestVerifyRefuses(t *testing.T) {
	all := samples(t)
	of := func(name string, kind identity.Kind) sample {
		return all[slices.IndexFunc(all, func(s sample) bool { return s.name == name && s.kind == kind })]
	}
	pkcs7, rsa2048, plain := of("us-east-1-2016", identity.PKCS7), of("us-east-1-2017", identity.RSA2048), of("us-east-1-2024-1", identity.Signature)
	mine := of("emulator", identity.RSA2048).signers
	with := func(s sample, change func(*sample)) sample { change(&s); return s }
	shorter := func(s *sample) { s.document = s.document[:len(s.document)-1] }
	for name, tt := range map[string]struct {
		sample sample
		want   error
	}{
		"another document, pkcs7":     {with(pkcs7, shorter), identity.ErrDocument},
		"another document, rsa2048":   {with(rsa2048, shorter), identity.ErrDocument},
		"another document, signature": {with(plain, shorter), identity.ErrDocument},
		"of another instance":         {with(plain, func(s *sample) { s.document = of("us-east-1-2024-2", identity.Signature).document }), identity.ErrDocument},
		"document changed within": {with(rsa2048, func(s *sample) {
			s.document = bytes.Replace(s.document, []byte("ami-ea165990"), []byte("ami-00000000"), 1)
			s.signature = inDER(t, s.signature, "ami-ea165990", "ami-00000000")
		}), identity.ErrDocument},
		"digest changed within": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x27\x46\x68\x3e", "\x27\x46\x68\x3f")
		}), identity.ErrDocument},
		"signature changed": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x04\x82\x01\x00\x7c", "\x04\x82\x01\x00\x7d")
		}), identity.ErrForged},
		"time of signing changed": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "171229053412Z", "171229053413Z")
		}), identity.ErrForged},
		"another region, pkcs7":     {with(pkcs7, func(s *sample) { s.signers = aws(t, s.kind, "af-south-1") }), identity.ErrSigner},
		"another region, rsa2048":   {with(rsa2048, func(s *sample) { s.signers = aws(t, s.kind, "eu-west-1") }), identity.ErrSigner},
		"another region, signature": {with(plain, func(s *sample) { s.signers = aws(t, s.kind, "af-south-1") }), identity.ErrSigner},
		"the test CA":               {with(plain, func(s *sample) { s.signers = mine }), identity.ErrSigner},
		"AWS for the emulator":      {with(of("emulator", identity.RSA2048), func(s *sample) { s.signers = aws(t, s.kind, "us-east-1") }), identity.ErrSigner},
		"nobody":                    {with(plain, func(s *sample) { s.signers = nil }), identity.ErrNoCertificate},
		"an impostor by name":       {with(rsa2048, func(s *sample) { s.signers = []*x509.Certificate{impostor(t, s.signers[0])} }), identity.ErrForged},
		"SHA-1 as rsa2048":          {with(pkcs7, func(s *sample) { s.kind = identity.RSA2048 }), identity.ErrMalformed},
		"a kind that is not":        {with(plain, func(s *sample) { s.kind = "md5" }), identity.ErrMalformed},
		"empty":                     {with(plain, func(s *sample) { s.signature = nil }), identity.ErrMalformed},
		"only line ends":            {with(rsa2048, func(s *sample) { s.signature = []byte("\r\n\n") }), identity.ErrMalformed},
		"a web page":                {with(rsa2048, func(s *sample) { s.signature = []byte("<html>sign in</html>") }), identity.ErrMalformed},
		"armoured":                  {with(rsa2048, func(s *sample) { s.signature = append([]byte("-----BEGIN PKCS7-----\n"), s.signature...) }), identity.ErrMalformed},
		"cut":                       {with(rsa2048, func(s *sample) { s.signature = s.signature[:400] }), identity.ErrMalformed},
		"huge":                      {with(rsa2048, func(s *sample) { s.signature = bytes.Repeat([]byte("A"), 1<<20) }), identity.ErrMalformed},
		"something after it":        {with(rsa2048, func(s *sample) { s.signature = inDER(t, s.signature, "", "\x05\x00") }), identity.ErrMalformed},
		"something in a NULL": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x31\x0f\x30\x0d"+sha256OID+"\x05\x00", "\x31\x10\x30\x0e"+sha256OID+"\x05\x01\x00")
		}), identity.ErrMalformed},
		"two hashes": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x31\x0f\x30\x0d"+sha256OID+"\x05\x00", "\x31\x1e\x30\x0d"+sha256OID+"\x05\x00\x30\x0d"+sha256OID+"\x05\x00")
		}), identity.ErrMalformed},
		"two signers": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x31\x82\x01\xff", "\x31\x82\x02\x01\x30\x00")
		}), identity.ErrMalformed},
		"revocations": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x31\x82\x01\xff", "\xa1\x00\x31\x82\x01\xff")
		}), identity.ErrMalformed},
		"certificates, which do no harm": {with(rsa2048, func(s *sample) {
			s.signature = inDER(t, s.signature, "\x31\x82\x01\xff", "\xa0\x00\x31\x82\x01\xff")
		}), nil},
		"nested without end":       {with(rsa2048, func(s *sample) { s.signature = b64(bytes.Repeat([]byte("\x30\x80"), 10000)) }), identity.ErrMalformed},
		"one signature as another": {with(plain, func(s *sample) { s.kind = identity.PKCS7 }), identity.ErrMalformed},
		"a message as a signature": {with(rsa2048, func(s *sample) { s.kind = identity.Signature }), identity.ErrSigner},
	} {
		s := tt.sample
		_, err := identity.Verify(s.document, s.signature, s.kind, s.signers)
		if !errors.Is(err, tt.want) || err != nil && !strings.HasPrefix(err.Error(), "verify "+string(s.kind)+": ") {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}

func b64(der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der)) }

// inDER changes a signature below its encoding; with an empty old, at the end.
func inDER(t testing.TB, signature []byte, old, new string) []byte {
	t.Helper()
	der, err := base64.StdEncoding.DecodeString(string(signature))
	if err != nil {
		t.Fatal(err)
	}
	if old == "" {
		return b64(append(der, new...))
	}
	if !bytes.Contains(der, []byte(old)) {
		t.Fatalf("no %q in the signature", old)
	}
	return b64(bytes.Replace(der, []byte(old), []byte(new), 1))
}

// impostor is a certificate with the name and the number of another, and a
// key of its own.
func impostor(t testing.TB, of *x509.Certificate) *x509.Certificate {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: of.SerialNumber, RawSubject: of.RawSubject}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// No byte of a document or of a signature can be changed: one bit of each byte
// of the texts is turned over, and each bit of the BER below.
func TestEveryBitCounts(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.name+"/"+string(s.kind), func(t *testing.T) {
			t.Parallel()
			der, err := base64.StdEncoding.DecodeString(string(s.signature))
			if err != nil {
				t.Fatal(err)
			}
			for n := range s.document {
				bit := 8*n + n%8
				refused(t, s, turned(s.document, bit), s.signature, bit)
			}
			for n := range s.signature {
				bit := 8*n + n%8
				refused(t, s, s.document, turned(s.signature, bit), bit)
			}
			for bit := range 8 * len(der) {
				refused(t, s, s.document, b64(turned(der, bit)), bit)
			}
		})
	}
}

func turned(b []byte, bit int) []byte {
	b = bytes.Clone(b)
	b[bit/8] ^= 1 << (bit % 8)
	return b
}

func refused(t *testing.T, s sample, document, signature []byte, bit int) {
	t.Helper()
	if _, err := identity.Verify(document, signature, s.kind, s.signers); err == nil {
		t.Errorf("bit %d of byte %d does not count", bit%8, bit/8)
	}
}

// Every region has its certificates, each as its file describes it.
func TestCertificates(t *testing.T) {
	for kind, most := range map[identity.Kind]string{identity.PKCS7: "DSA", identity.Signature: "RSA", identity.RSA2048: "RSA"} {
		regions := identity.Regions(kind)
		if len(regions) != 39 || !slices.Contains(regions, "ap-northeast-1") || !slices.Contains(regions, "us-gov-west-1") {
			t.Errorf("%s: %d regions: %v", kind, len(regions), regions)
		}
		for _, region := range regions {
			cert := aws(t, kind, region)[0]
			want := most
			if kind == identity.PKCS7 && strings.HasPrefix(region, "cn-") {
				want = "RSA"
			}
			if got := cert.PublicKeyAlgorithm.String(); got != want {
				t.Errorf("%s in %s: key is %s, want %s", kind, region, got, want)
			}
			if key, ok := cert.PublicKey.(*rsa.PublicKey); ok && kind == identity.RSA2048 && key.Size() != 256 {
				t.Errorf("%s in %s: key of %d bytes", kind, region, key.Size())
			}
		}
	}
}

// The fingerprints in the files are those of the certificates beside them.
func TestFingerprints(t *testing.T) {
	files, err := filepath.Glob("certificates/*.pem")
	if err != nil || len(files) != 3 {
		t.Fatalf("files: %v, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var said, found []string
		for line := range strings.Lines(string(text)) {
			if sum, ok := strings.CutPrefix(line, "sha256:  "); ok {
				said = append(said, strings.TrimSpace(sum))
			}
		}
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			sum := sha256.Sum256(block.Bytes)
			found = append(found, hex.EncodeToString(sum[:]))
		}
		if diff := cmp.Diff(said, found); diff != "" || len(found) < 20 {
			t.Errorf("%s: %d certificates: %s", name, len(found), diff)
		}
	}
}

// These were given by two independent sources; see the heads of the files.
func TestKnownFingerprints(t *testing.T) {
	for _, tt := range []struct {
		kind   identity.Kind
		region string
		serial string
	}{
		{identity.PKCS7, "ap-northeast-1", "96ba48d9e55e1a67"},
		{identity.PKCS7, "cn-north-1", "f7c99d70d405644f"},
		{identity.Signature, "us-east-1", "135cb634828253e460e2ebb8bb7da4a06f501182"},
		{identity.RSA2048, "us-east-1", "b169cc401559a419"},
	} {
		if got := fmt.Sprintf("%x", aws(t, tt.kind, tt.region)[0].SerialNumber); got != tt.serial {
			t.Errorf("%s in %s: serial number %s, want %s", tt.kind, tt.region, got, tt.serial)
		}
	}
}

func TestNoCertificate(t *testing.T) {
	for _, tt := range []struct {
		kind   identity.Kind
		region string
		want   string
	}{
		{identity.RSA2048, "xx-nowhere-1", `no certificate is known: of AWS for rsa2048 in region "xx-nowhere-1"`},
		{identity.RSA2048, "", `no certificate is known: of AWS for rsa2048 in region ""`},
		{identity.DSA2048, "us-east-1", "no certificate is known: AWS publishes none for dsa2048"},
		{"md5", "us-east-1", "no certificate is known: AWS publishes none for md5"},
	} {
		certificates, err := identity.AWS(tt.kind, tt.region)
		if certificates != nil || !errors.Is(err, identity.ErrNoCertificate) || err.Error() != tt.want {
			t.Errorf("%s in %q: got %v, %v, want %s", tt.kind, tt.region, certificates, err, tt.want)
		}
	}
}

func TestSignedIn(t *testing.T) {
	want := map[string][]string{
		"us-east-1-2017 rsa2048":     {"us-east-1"},
		"us-east-1-2016 pkcs7":       identity.SignedIn(file(t, "us-east-1-2016.document"), file(t, "us-east-1-2016.pkcs7"), identity.PKCS7),
		"us-east-1-2024-1 signature": {"ap-northeast-1", "us-east-1", "us-west-2"},
	}
	if many := want["us-east-1-2016 pkcs7"]; len(many) != 19 {
		t.Errorf("pkcs7 holds in %v: want the 19 regions that share a key", many)
	}
	for _, s := range samples(t) {
		got := identity.SignedIn(s.document, s.signature, s.kind)
		for _, region := range want[s.name+" "+string(s.kind)] {
			if !slices.Contains(got, region) {
				t.Errorf("%s, %s: holds in %v, not in %s", s.name, s.kind, got, region)
			}
		}
		if s.name == "emulator" && len(got) > 0 {
			t.Errorf("the emulator's %s holds in %v", s.kind, got)
		}
	}
}

func TestParseCertificates(t *testing.T) {
	one := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: aws(t, identity.PKCS7, "us-east-1")[0].Raw})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")})
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})
	for _, tt := range []struct {
		name string
		data []byte
		want int
		err  string
	}{
		{"one", one, 1, ""},
		{"two, and a key that is passed over", slices.Concat(one, key, one), 2, ""},
		{"the second is broken", slices.Concat(one, broken), 0, "parse certificate 2: "},
		{"a key alone", key, 0, "parse certificates: no certificate is known"},
		{"nothing", nil, 0, "parse certificates: no certificate is known"},
	} {
		got, err := identity.ParseCertificates(tt.data)
		if len(got) != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: got %d, %v, want %d, %s", tt.name, len(got), err, tt.want, tt.err)
		}
	}
}

// OpenSSL signs in DER, with its certificate inside; that holds too.
func TestOpenSSLSigns(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("TEGATA_REQUIRE") == "all" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(255), Subject: pkix.Name{CommonName: "a signer"}, SubjectKeyId: []byte("key")}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	document := []byte("{\n  \"region\" : \"eu-west-1\"\n}")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	for name, content := range map[string][]byte{
		"document": document,
		"cert":     certPEM,
		"key":      pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	} {
		if err := os.WriteFile(at(name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	signers, err := identity.ParseCertificates(certPEM)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(more ...string) []byte {
		args := append([]string{"cms", "-sign", "-nodetach", "-binary", "-in", at("document"), "-signer", at("cert"), "-inkey", at("key"), "-outform", "DER"}, more...)
		out, err := exec.Command(openssl, args...).Output()
		if err != nil {
			t.Fatal(err)
		}
		return b64(out)
	}
	for name, tt := range map[string]struct {
		signature []byte
		want      error
	}{
		"with its certificate":    {sign("-md", "sha256"), nil},
		"without":                 {sign("-md", "sha256", "-nocerts"), nil},
		"by key id":               {sign("-md", "sha256", "-keyid"), identity.ErrMalformed},
		"no signed attributes":    {sign("-md", "sha256", "-noattr"), identity.ErrMalformed},
		"by SHA-512":              {sign("-md", "sha512"), identity.ErrMalformed},
		"by SHA-1":                {sign("-md", "sha1"), identity.ErrMalformed},
		"by PSS":                  {sign("-md", "sha256", "-keyopt", "rsa_padding_mode:pss"), identity.ErrMalformed},
		"streamed in open length": {sign("-md", "sha256", "-stream"), nil},
	} {
		if _, err := identity.Verify(document, tt.signature, identity.RSA2048, signers); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", name, err, tt.want)
		}
	}
}
