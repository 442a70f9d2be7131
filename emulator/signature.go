package emulator

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 AWS signs pkcs7 with DSA, whatever its merits
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	_ "embed"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"sync"
	"time"
)

// CA returns, in PEM form, the certificates with which the signatures of the
// emulator's identity documents verify. They are fixed and for tests only:
// their private keys are public.
func CA() []byte { return bytes.Clone(caPEM) }

//go:embed testca/certificates.pem
var caPEM []byte

//go:embed testca/keys.pem
var keysPEM []byte

// A signer is one of the fixed test keys with its certificate.
type signer struct {
	certificate *x509.Certificate
	rsa         *rsa.PrivateKey // or nil
	dsa         *dsa.PrivateKey // or nil
}

// signers are the test keys, in the order of the files.
var signers = sync.OnceValue(func() (s struct{ dsa, rsa, dsa2048 signer }) {
	certificates, keys := caPEM, keysPEM
	for _, into := range []*signer{&s.dsa, &s.rsa, &s.dsa2048} {
		var certificate, key *pem.Block
		certificate, certificates = pem.Decode(certificates)
		key, keys = pem.Decode(keys)
		*into = newSigner(certificate.Bytes, key.Bytes)
	}
	return s
})

// newSigner panics for what is not in the form of the embedded files.
func newSigner(certificate, key []byte) signer {
	cert, err := x509.ParseCertificate(certificate)
	if err != nil {
		panic(err)
	}
	public, isDSA := cert.PublicKey.(*dsa.PublicKey)
	if isDSA {
		return signer{certificate: cert, dsa: &dsa.PrivateKey{PublicKey: *public, X: exponent(key)}}
	}
	private, err := x509.ParsePKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return signer{certificate: cert, rsa: private.(*rsa.PrivateKey)}
}

// exponent reads the private part of a DSA key, which x509 does not, from
// PKCS #8 (RFC 5208, section 5).
func exponent(key []byte) *big.Int {
	var pkcs8 struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
	}
	x := new(big.Int)
	if _, err := asn1.Unmarshal(key, &pkcs8); err != nil {
		panic(err)
	}
	if _, err := asn1.Unmarshal(pkcs8.Key, &x); err != nil {
		panic(err)
	}
	return x
}

// signatureCategories are the signatures of the identity document. They are
// made when they are first asked for, and are always the same for the same
// document.
func (i *Instance) signatureCategories() []category {
	document, launched := []byte(i.identityDocument()), i.Launched
	message := func(s func() signer, hash crypto.Hash) func() []byte {
		return func() []byte { return s().message(document, hash, launched) }
	}
	list := []category{
		{path: "dsa2048", dynamic: message(func() signer { return signers().dsa2048 }, crypto.SHA256)},
		{path: "pkcs7", dynamic: message(func() signer { return signers().dsa }, crypto.SHA1)},
		{path: "rsa2048", dynamic: message(func() signer { return signers().rsa }, crypto.SHA256)},
		{path: "signature", dynamic: func() []byte { return signers().rsa.sign(document, crypto.SHA256) }},
	}
	for n := range list {
		c := &list[n]
		c.path, c.since = "dynamic/instance-identity/"+c.path, "2009-04-04"
		sign := c.dynamic
		c.dynamic = sync.OnceValue(func() []byte { return inLines(sign()) })
	}
	return list
}

// inLines encodes as the service does: lines of 76, and no end of line after
// the last.
func inLines(raw []byte) []byte {
	text := make([]byte, base64.StdEncoding.EncodedLen(len(raw)))
	base64.StdEncoding.Encode(text, raw)
	var all [][]byte
	for len(text) > 76 {
		all, text = append(all, text[:76]), text[76:]
	}
	return bytes.Join(append(all, text), []byte("\n"))
}

func digestOf(data []byte, hash crypto.Hash) []byte {
	if hash == crypto.SHA1 {
		digest := sha1.Sum(data)
		return digest[:]
	}
	digest := sha256.Sum256(data)
	return digest[:]
}

// sign returns the same signature each time.
func (s signer) sign(data []byte, hash crypto.Hash) []byte {
	digest := digestOf(data, hash)
	if s.dsa != nil {
		return s.signDSA(digest)
	}
	signature, err := rsa.SignPKCS1v15(nil, s.rsa, hash, digest)
	if err != nil {
		panic(err)
	}
	return signature
}

// signDSA derives the number that DSA wants at random from key and digest, so
// that signatures are stable, which those of crypto/dsa are not (FIPS 186-4,
// section 4.6). A key that is public has nothing to lose by it.
func (s signer) signDSA(digest []byte) []byte {
	p, q, g, x := s.dsa.P, s.dsa.Q, s.dsa.G, s.dsa.X
	derive := hmac.New(sha256.New, x.Bytes())
	derive.Write(digest)
	k := new(big.Int).Mod(new(big.Int).SetBytes(derive.Sum(nil)), q)

	r := new(big.Int).Exp(g, k, p)
	r.Mod(r, q)
	z := new(big.Int).SetBytes(digest[:min(len(digest), q.BitLen()/8)])
	t := new(big.Int).Mul(x, r)
	t.Add(t, z).Mul(t, new(big.Int).ModInverse(k, q)).Mod(t, q)
	signature, err := asn1.Marshal(struct{ R, S *big.Int }{r, t})
	if err != nil {
		panic(err)
	}
	return signature
}

// message returns CMS SignedData (RFC 5652, section 5) with the document in
// it, in BER with the open lengths of the real service.
func (s signer) message(document []byte, hash crypto.Hash, at time.Time) []byte {
	hashOID, algorithm := oidSHA256, berSequence(berOID(oidSHA256DSA))
	if hash == crypto.SHA1 {
		hashOID, algorithm = oidSHA1, berSequence(berOID(oidSHA1DSA))
	}
	if s.rsa != nil {
		algorithm = berSequence(berOID(oidRSA), berNull)
	}
	digestAlgorithm := berSequence(berOID(hashOID), berNull)
	attributes := berValue(0x31,
		berAttribute(oidContentType, berOID(oidData)),
		berAttribute(oidSigningTime, berTime(at.UTC())),
		berAttribute(oidMessageDigest, berValue(0x04, digestOf(document, hash))))
	signature := s.sign(attributes, hash)
	inMessage := append([]byte{0xa0}, attributes[1:]...)

	signerInfo := berSequence(berOne, s.issuerAndSerial(), digestAlgorithm, inMessage, algorithm, berValue(0x04, signature))
	content := berOpen(0x30, berOID(oidData), berOpen(0xa0, berOpen(0x24, berValue(0x04, document))))
	signed := berOpen(0x30, berOne, berValue(0x31, digestAlgorithm), content, berValue(0x31, signerInfo))
	return berOpen(0x30, berOID(oidSignedData), berOpen(0xa0, signed))
}

func (s signer) issuerAndSerial() []byte {
	serial, err := asn1.Marshal(s.certificate.SerialNumber)
	if err != nil {
		panic(err)
	}
	return berSequence(s.certificate.RawIssuer, serial)
}
