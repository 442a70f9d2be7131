// Package identity verifies what an EC2 instance says about itself: the
// signatures of its instance identity document, against the certificates that
// AWS publishes for each region.
//
// Start with [AWS], which gives the certificate of a region, and [Verify].
// Package imds reads the document and its signatures, all of them below
// [Directory]; the bytes must be passed on exactly as they were served.
package identity

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Directory is where the metadata service has the document, under the name
// "document", and each signature, under the name of its [Kind].
const Directory = "dynamic/instance-identity/"

// A Kind is a signature of the identity document, named as it is served.
type Kind string

// The kinds, from the weakest algorithm to the strongest.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/verify-iid.html
const (
	PKCS7     Kind = "pkcs7"     // CMS with the document in it, DSA with SHA-1; RSA in China
	Signature Kind = "signature" // RSA over the document alone, SHA-256, PKCS #1 v1.5
	DSA2048   Kind = "dsa2048"   // CMS, DSA with SHA-256; AWS publishes no certificate for it
	RSA2048   Kind = "rsa2048"   // CMS, RSA-2048 with SHA-256
)

// Kinds returns all kinds.
func Kinds() []Kind { return []Kind{PKCS7, Signature, DSA2048, RSA2048} }

// The ways in which a signature does not hold.
var (
	ErrMalformed     = errors.New("the signature is malformed")
	ErrSigner        = errors.New("signed with another certificate")
	ErrDocument      = errors.New("the document is not the one that was signed")
	ErrForged        = errors.New("the signature is not the signer's")
	ErrNoCertificate = errors.New("no certificate is known")
)

// maxSignature is far above what AWS serves, which is under 2 KiB.
const maxSignature = 64 << 10

// Verify checks one signature of a document, in the form in which both were
// served: base64 without the lines BEGIN and END. The certificate must be
// among those given, by issuer and serial number where the signature names
// them. Verify returns it, so that the caller may look at its validity: like
// AWS's own instructions (openssl smime -noverify), Verify does not, because
// AWS signs with certificates that have ended.
//
// The error is [ErrMalformed], [ErrSigner], [ErrDocument], [ErrForged] or, if
// no certificate was given, [ErrNoCertificate].
func Verify(document, signature []byte, kind Kind, certificates []*x509.Certificate) (*x509.Certificate, error) {
	cert, err := verify(document, signature, kind, certificates)
	if err != nil {
		return nil, fmt.Errorf("verify %s: %w", kind, err)
	}
	return cert, nil
}

func verify(document, signature []byte, kind Kind, certificates []*x509.Certificate) (*x509.Certificate, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("%w: unknown kind %q", ErrMalformed, kind)
	}
	if len(certificates) == 0 {
		return nil, ErrNoCertificate
	}
	raw, err := decode(signature)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if kind == Signature {
		return verifyPlain(document, raw, certificates)
	}
	return verifyMessage(document, raw, kind, certificates)
}

// decode reads base64 in lines. Nothing but line ends is passed over, and
// there is one way only to write each signature.
func decode(signature []byte) ([]byte, error) {
	if len(signature) > maxSignature {
		return nil, fmt.Errorf("%d bytes are too many", len(signature))
	}
	text := bytes.ReplaceAll(bytes.ReplaceAll(signature, []byte("\n"), nil), []byte("\r"), nil)
	if len(text) == 0 {
		return nil, errors.New("it is empty")
	}
	raw := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Strict().Decode(raw, text)
	return raw[:n], err
}

// ParseCertificates reads the certificates of a PEM file; what stands between
// them is passed over. It is an error if there are none.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate %d: %w", len(list)+1, err)
		}
		list = append(list, cert)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("parse certificates: %w: not one in PEM form", ErrNoCertificate)
	}
	return list, nil
}
