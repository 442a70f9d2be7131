package identity

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
)

// A message is CMS SignedData (RFC 5652, section 5) in the one form in which
// AWS serves it: the document inside, one signer named by issuer and serial
// number, signed attributes. Certificates in it are not looked at; it may
// hold nothing else.
type message struct {
	content    []byte // the document
	issuer     []byte // of the signer's certificate, in DER
	serial     []byte // of the signer's certificate, as the content of an INTEGER
	hash       crypto.Hash
	digest     []byte // of the content, by the signed attributes
	attributes []byte // what the signature is made over
	algorithm  string // of the signature
	signature  []byte
}

// Object identifiers, as they are encoded.
const (
	oidData          = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	oidSignedData    = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	oidContentType   = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
	oidMessageDigest = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"

	oidSHA1   = "\x2b\x0e\x03\x02\x1a"
	oidSHA256 = "\x60\x86\x48\x01\x65\x03\x04\x02\x01"

	oidRSA       = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
	oidSHA1RSA   = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"
	oidSHA256RSA = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"
	oidSHA1DSA   = "\x2a\x86\x48\xce\x38\x04\x03"
	oidSHA256DSA = "\x60\x86\x48\x01\x65\x03\x04\x03\x02"
)

func verifyMessage(document, raw []byte, kind Kind, certificates []*x509.Certificate) (*x509.Certificate, error) {
	m, err := parseMessage(raw)
	if err == nil && m.hash == crypto.SHA1 && kind != PKCS7 {
		err = fmt.Errorf("%s by %v", kind, m.hash)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	cert := m.signer(certificates)
	switch {
	case cert == nil:
		return nil, fmt.Errorf("%w: its serial number is %x", ErrSigner, m.serial)
	case !bytes.Equal(sum(m.hash, m.content), m.digest):
		return nil, fmt.Errorf("%w: that within the signature was changed", ErrDocument)
	case !bytes.Equal(m.content, document):
		return nil, ErrDocument
	case !holds(cert, m.algorithm, m.hash, m.attributes, m.signature):
		return nil, ErrForged
	}
	return cert, nil
}

// signer finds the certificate that the message names.
func (m *message) signer(certificates []*x509.Certificate) *x509.Certificate {
	for _, cert := range certificates {
		serial := cert.SerialNumber.Bytes()
		if len(serial) == 0 || serial[0] >= 0x80 {
			serial = append([]byte{0}, serial...)
		}
		if bytes.Equal(cert.RawIssuer, m.issuer) && bytes.Equal(serial, m.serial) {
			return cert
		}
	}
	return nil
}

func parseMessage(raw []byte) (*message, error) {
	var err error
	m := &message{}
	whole := &reader{raw, &err}
	info := whole.inside(tagSequence)
	whole.end()
	info.want(tagOID, oidSignedData)
	explicit := info.inside(tagContext0)
	info.end()
	m.signedData(explicit.inside(tagSequence))
	explicit.end()
	return m, err
}

func (m *message) signedData(r *reader) {
	r.want(tagInteger, "\x01")
	algorithms := r.inside(tagSet)
	m.hash = algorithms.hash()
	algorithms.end()
	m.encapsulated(r.inside(tagSequence))
	if r.is(tagContext0) {
		r.next(tagContext0) // certificates
	}
	signers := r.inside(tagSet)
	r.end()
	m.signerInfo(signers.inside(tagSequence))
	signers.end()
}

func (m *message) encapsulated(r *reader) {
	r.want(tagOID, oidData)
	explicit := r.inside(tagContext0)
	r.end()
	m.content = explicit.octets()
	explicit.end()
}

func (m *message) signerInfo(r *reader) {
	r.want(tagInteger, "\x01")
	name := r.inside(tagSequence)
	m.issuer = name.next(tagSequence).whole
	m.serial = name.next(tagInteger).content
	name.end()
	if r.hash() != m.hash {
		r.fail(errUnexpected)
	}
	m.signedAttributes(r)
	m.algorithm = r.algorithm()
	m.signature = r.next(tagOctets).content
	r.end()
}

// signedAttributes reads them twice: for what they say, and as the SET that
// is signed, which the message holds under another tag (RFC 5652, section 5.4).
func (m *message) signedAttributes(r *reader) {
	e := r.next(tagContext0)
	if len(e.whole) == 0 || e.open {
		r.fail(errUnexpected)
		return
	}
	m.attributes = append([]byte{tagSet}, e.whole[1:]...)
	seen := map[string][]byte{}
	for all := (&reader{e.content, r.err}); len(all.rest) > 0 && *r.err == nil; {
		attribute := all.inside(tagSequence)
		oid := string(attribute.next(tagOID).content)
		values := attribute.inside(tagSet)
		attribute.end()
		if _, twice := seen[oid]; twice {
			r.fail(errUnexpected)
		}
		seen[oid] = values.rest
	}
	(&reader{seen[oidContentType], r.err}).want(tagOID, oidData)
	m.digest = (&reader{seen[oidMessageDigest], r.err}).next(tagOctets).content
}

// hash takes the identifier of a hash.
func (r *reader) hash() crypto.Hash {
	switch r.algorithm() {
	case oidSHA1:
		return crypto.SHA1
	case oidSHA256:
		return crypto.SHA256
	}
	r.fail(errUnexpected)
	return 0
}

// algorithm takes the identifier of an algorithm without parameters: none of
// ours has any, though some write NULL for them.
func (r *reader) algorithm() string {
	sequence := r.inside(tagSequence)
	oid := string(sequence.next(tagOID).content)
	if len(sequence.rest) > 0 {
		sequence.want(tagNull, "")
	}
	sequence.end()
	return oid
}
