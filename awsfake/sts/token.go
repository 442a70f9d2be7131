package sts

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	_ "crypto/sha256" // of the algorithms below
	_ "crypto/sha512"
)

// A token is a JSON Web Token that somebody was given by an identity provider
// (RFC 7519). Nothing in it is true before [token.verify] says so.
type token struct {
	header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	claims    claims
	signed    string // header and claims as they were signed
	signature []byte
}

// claims are those that AWS looks at.
type claims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Party    string   `json:"azp"`
	Expires  *float64 `json:"exp"`
	NotYet   float64  `json:"nbf"`
	Issued   float64  `json:"iat"`
}

// An audience is one name or several.
type audience []string

func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if err := json.Unmarshal(data, &one); err == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

var errToken = errors.New("read a web identity token: it is no JWT")

// parseToken reads the three parts of a signed token.
func parseToken(text string) (token, error) {
	var t token
	parts := strings.Split(text, ".")
	if len(parts) != 3 {
		return t, errToken
	}
	err := errors.Join(part(parts[0], &t.header), part(parts[1], &t.claims))
	if err != nil || t.claims.Issuer == "" {
		return t, errToken
	}
	t.signed = parts[0] + "." + parts[1]
	if t.signature, err = base64.RawURLEncoding.DecodeString(parts[2]); err != nil {
		return t, errToken
	}
	return t, nil
}

func part(text string, v any) error {
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, v)
}

// expired reports whether the token has ended; one without an end has.
func (t token) expired(now time.Time) bool {
	return t.claims.Expires == nil || now.After(t.expiry())
}

func (t token) expiry() time.Time {
	if t.claims.Expires == nil {
		return time.Time{}
	}
	return time.Unix(int64(*t.claims.Expires), 0).UTC()
}

// A key is one of a JSON Web Key Set (RFC 7517).
type key struct {
	ID    string `json:"kid"`
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// public makes the key usable.
func (k key) public() (crypto.PublicKey, error) {
	switch k.Type {
	case "RSA":
		n, errN := number(k.N)
		e, errE := number(k.E)
		if errN != nil || errE != nil || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 || n.BitLen() < 1024 {
			return nil, fmt.Errorf("read the key %q of a set: malformed RSA key", k.ID)
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, nil
	case "EC":
		return k.elliptic()
	}
	return nil, fmt.Errorf("read the key %q of a set: unknown type %q", k.ID, k.Type)
}

func (k key) elliptic() (crypto.PublicKey, error) {
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
	curve := curves[k.Curve]
	x, errX := base64.RawURLEncoding.DecodeString(k.X)
	y, errY := base64.RawURLEncoding.DecodeString(k.Y)
	if curve == nil || errX != nil || errY != nil {
		return nil, fmt.Errorf("read the key %q of a set: malformed EC key", k.ID)
	}
	point := append([]byte{4}, append(x, y...)...)
	public, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("read the key %q of a set: %w", k.ID, err)
	}
	return public, nil
}

func number(text string) (*big.Int, error) {
	data, err := base64.RawURLEncoding.DecodeString(text)
	return new(big.Int).SetBytes(data), err
}

var errSignature = errors.New("verify a web identity token: no key of its provider has signed it")

// verify checks the signature with one of the provider's keys.
func (t token) verify(keys []key) error {
	hash := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[strings.TrimLeft(t.header.Algorithm, "RSE")]
	if hash == 0 {
		return errSignature // "none" among others
	}
	sum := hash.New()
	sum.Write([]byte(t.signed))
	digest := sum.Sum(nil)
	for _, k := range keys {
		if t.header.KeyID != "" && k.ID != t.header.KeyID {
			continue
		}
		public, err := k.public()
		if err == nil && t.signedBy(public, hash, digest) {
			return nil
		}
	}
	return errSignature
}

func (t token) signedBy(public crypto.PublicKey, hash crypto.Hash, digest []byte) bool {
	switch public := public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(t.header.Algorithm, "RS") && rsa.VerifyPKCS1v15(public, hash, digest, t.signature) == nil
	case *ecdsa.PublicKey:
		half := len(t.signature) / 2
		r, s := new(big.Int).SetBytes(t.signature[:half]), new(big.Int).SetBytes(t.signature[half:])
		return strings.HasPrefix(t.header.Algorithm, "ES") && ecdsa.Verify(public, digest, r, s)
	}
	return false
}
