package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"tegata/store"
)

// ErrName means that a name can't be that of a client.
var ErrName = errors.New("not a name for a client")

// keyMark begins every key, so that people and scanners for leaked secrets
// know one when they see it.
const keyMark = "tgk_"

// AddClient writes down a client and returns its key, which is shown once:
// the store keeps the hash alone. A name has 1 to 64 letters of ASCII,
// digits, dots, hyphens and underscores, and begins with a letter or digit.
// Returns [ErrName] for any other, and [store.ErrExists] if the name is taken.
func AddClient(ctx context.Context, db *store.DB, name string) (key string, err error) {
	if !isName(name) {
		return "", ErrName
	}
	key = keyMark + newSecret()
	err = db.AddClient(ctx, store.Client{Name: name, Hash: hashOf(key), Created: time.Now()})
	if err != nil {
		return "", err
	}
	return key, nil
}

func isName(s string) bool {
	const letters, others = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", ".-_"
	if s == "" || len(s) > 64 || s == person || strings.ContainsRune(others, rune(s[0])) {
		return false
	}
	return strings.Trim(s, letters+others) == ""
}

// newSecret returns 256 bits that nobody can guess, in the alphabet of URLs.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // ends the program rather than fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashOf is how a secret is stored. It needs no salt and no slow hash, unlike
// a password: there are 2²⁵⁶ of them.
func hashOf(secret string) store.Hash { return sha256.Sum256([]byte(secret)) }

// clientOf returns the name of the client whose key a request brings, or "".
func (g *Guard) clientOf(r *http.Request) (string, error) {
	key := bearer(r)
	if !strings.HasPrefix(key, keyMark) {
		return "", nil
	}
	c, err := g.DB.ClientByHash(r.Context(), hashOf(key))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	return c.Name, err
}

// bearer returns the key in the Authorization header, or "".
func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}
