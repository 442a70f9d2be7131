package kms

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// A ciphertext is a header, the ARN of its key with its length before it, and
// what AES-GCM makes of the plaintext, with the nonce before it. Both header
// and encryption context are authenticated.
const (
	header       = "\x01\x02\x02\x00" // what those of AWS begin with
	materialSize = 32                 // AES-256
)

var errCiphertext = errors.New("read a ciphertext: it is none of this account")

// seal encrypts.
func (k *Key) seal(plaintext []byte, context map[string]string) []byte {
	blob := append([]byte(header), byte(len(k.ARN)))
	blob = append(blob, k.ARN...)
	aad := authenticated(blob, context)
	nonce := make([]byte, nonceSize)
	rand.Read(nonce)
	return k.aead().Seal(append(blob, nonce...), nonce, plaintext, aad)
}

const nonceSize = 12 // of GCM

// open decrypts what follows the ARN.
func (k *Key) open(b box, context map[string]string) ([]byte, error) {
	plaintext, err := k.aead().Open(nil, b.nonce, b.sealed, authenticated(b.head, context))
	if err != nil {
		return nil, errCiphertext
	}
	return plaintext, nil
}

// aead is made anew for each use: it takes less than a microsecond.
func (k *Key) aead() cipher.AEAD {
	block, err := aes.NewCipher(k.Material)
	if err != nil {
		panic(err) // every key has 32 bytes
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// A box is a ciphertext, read but not opened.
type box struct {
	arn                 string
	head, nonce, sealed []byte
}

// readBlob reads the outside of a ciphertext.
func readBlob(blob []byte) (box, error) {
	rest, ok := bytes.CutPrefix(blob, []byte(header))
	if !ok || len(rest) == 0 {
		return box{}, errCiphertext
	}
	length := int(rest[0])
	if len(rest) < 1+length+nonceSize {
		return box{}, errCiphertext
	}
	head, rest := blob[:len(header)+1+length], rest[1+length:]
	return box{string(head[len(header)+1:]), head, rest[:nonceSize], rest[nonceSize:]}, nil
}

// authenticated is what can't be changed without the key: the head of the
// ciphertext and the encryption context, in the order of its names.
func authenticated(head []byte, context map[string]string) []byte {
	aad := slices.Clone(head)
	for _, name := range slices.Sorted(maps.Keys(context)) {
		for _, text := range []string{name, context[name]} {
			aad = binary.BigEndian.AppendUint32(aad, uint32(len(text)))
			aad = append(aad, text...)
		}
	}
	return aad
}

func base64Text(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }

func base64Bytes(text []byte) ([]byte, error) {
	return base64.StdEncoding.AppendDecode(nil, text)
}
