package identity

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 AWS signs pkcs7 with DSA, whatever its merits
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
)

func sum(hash crypto.Hash, data []byte) []byte {
	if hash == crypto.SHA1 {
		digest := sha1.Sum(data)
		return digest[:]
	}
	digest := sha256.Sum256(data)
	return digest[:]
}

// holds reports whether the key of the certificate made the signature, by the
// algorithm that the message names. x509 itself checks no DSA.
func holds(cert *x509.Certificate, algorithm string, hash crypto.Hash, signed, signature []byte) bool {
	digest := sum(hash, signed)
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		named := algorithm == oidRSA ||
			algorithm == oidSHA1RSA && hash == crypto.SHA1 ||
			algorithm == oidSHA256RSA && hash == crypto.SHA256
		return named && rsa.VerifyPKCS1v15(key, hash, digest, signature) == nil
	case *dsa.PublicKey:
		named := algorithm == oidSHA1DSA && hash == crypto.SHA1 ||
			algorithm == oidSHA256DSA && hash == crypto.SHA256
		return named && holdsDSA(key, digest, signature)
	}
	return false
}

func holdsDSA(key *dsa.PublicKey, digest, signature []byte) bool {
	var pair struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(signature, &pair); err != nil || len(rest) > 0 {
		return false
	}
	// FIPS 186-4, section 4.6: only as many bits as the order of the group has.
	digest = digest[:min(len(digest), (key.Q.BitLen()+7)/8)]
	return dsa.Verify(key, digest, pair.R, pair.S)
}

// verifyPlain checks a signature that names no signer. Whoever's key opens it
// made it, so that a changed document and another signer can be told apart.
func verifyPlain(document, signature []byte, certificates []*x509.Certificate) (*x509.Certificate, error) {
	digest, err := sum(crypto.SHA256, document), ErrSigner
	for _, cert := range certificates {
		key, ok := cert.PublicKey.(*rsa.PublicKey)
		switch {
		case !ok:
		case rsa.VerifyPKCS1v15(key, crypto.SHA256, digest, signature) == nil:
			return cert, nil
		case opens(key, signature):
			err = ErrDocument
		}
	}
	return nil, err
}

// opens reports whether the signature was made with the key, over whatever:
// what it was made of then begins as PKCS #1 v1.5 pads (RFC 8017, section 9.2).
func opens(key *rsa.PublicKey, signature []byte) bool {
	if len(signature) != key.Size() {
		return false
	}
	padded := new(big.Int).Exp(new(big.Int).SetBytes(signature), big.NewInt(int64(key.E)), key.N)
	return bytes.HasPrefix(padded.FillBytes(make([]byte, key.Size())), []byte("\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff"))
}
