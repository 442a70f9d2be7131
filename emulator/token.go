package emulator

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// A sealer makes session tokens and reads them again. A token is its own
// record: the time of its end, sealed under a key that only this server
// knows. So nothing has to be stored, swept or locked, and a token of another
// instance is worth nothing here.
//
// The 40 bytes of a token are a prefix of 4, the nonce, and the sealed time;
// in base64 that makes the 56 characters that begin with AQAEA on EC2 too.
type sealer struct {
	aead     cipher.AEAD
	instance []byte
}

const (
	tokenPrefix = "\x01\x00\x04\x00"
	tokenBytes  = 40
	timeBytes   = 8

	maxTokenTTL = 21600 // seconds; six hours
)

// tokenText refuses a second spelling of the same token.
var tokenText = base64.URLEncoding.Strict()

func newSealer(instance string) (*sealer, error) {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("make the key for tokens: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("make the key for tokens: %w", err)
	}
	return &sealer{aead, []byte(instance)}, nil
}

// seal returns a token that ends at the given time.
func (s *sealer) seal(end time.Time) string {
	var token [tokenBytes]byte
	head := copy(token[:], tokenPrefix)
	body := head + s.aead.NonceSize()
	rand.Read(token[head:body])
	var text [timeBytes]byte
	binary.BigEndian.PutUint64(text[:], uint64(end.UnixNano()))
	s.aead.Seal(token[:body], token[head:body], text[:], s.instance)
	return tokenText.EncodeToString(token[:])
}

// open returns when the token ends, or false if it isn't one of this server.
func (s *sealer) open(text string) (end time.Time, ok bool) {
	var token [tokenBytes + 2]byte // as much as 56 characters without padding would hold
	if len(text) != tokenText.EncodedLen(tokenBytes) {
		return time.Time{}, false
	}
	n, err := tokenText.Decode(token[:], []byte(text))
	head := len(tokenPrefix)
	if err != nil || n != tokenBytes || string(token[:head]) != tokenPrefix {
		return time.Time{}, false
	}
	body := head + s.aead.NonceSize()
	plain, err := s.aead.Open(token[body:body], token[head:body], token[body:tokenBytes], s.instance)
	if err != nil {
		return time.Time{}, false
	}
	return time.Unix(0, int64(binary.BigEndian.Uint64(plain))), true
}

// parseTTL reads the header that asks for a token's lifetime: decimal digits,
// 1 to 21600 seconds.
func parseTTL(text string) (seconds int, ok bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return int(n), err == nil && n >= 1 && n <= maxTokenTTL
}
