package login

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"tegata/internal/edit"
)

// ShortestPassword is how many characters a password has at least.
const ShortestPassword = 10

// ErrShort means that a new password is shorter than [ShortestPassword].
var ErrShort = fmt.Errorf("a password has at least %d characters", ShortestPassword)

// HasPassword reports whether a password has been set.
func (g *Guard) HasPassword(ctx context.Context) (bool, error) {
	hash, err := g.passwordHash(ctx)
	return hash != "", err
}

// passwordHash returns the hash of the password, or "" if there is none yet.
func (g *Guard) passwordHash(ctx context.Context) (string, error) {
	if g.PasswordFile == "" {
		return g.DB.PasswordHash(ctx)
	}
	b, err := os.ReadFile(g.PasswordFile)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read the password's hash: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// SetPassword sets the password, and ends every session but that of the
// context, and every link that nobody has used. Returns [ErrShort] if the
// password is too short.
func (g *Guard) SetPassword(ctx context.Context, password string) error {
	if utf8.RuneCountInString(password) < ShortestPassword {
		return ErrShort
	}
	hash, err := hashPassword(ctx, password)
	if err != nil {
		return err
	}
	if err := g.keepPassword(ctx, hash); err != nil {
		return err
	}
	g.log().Info("the password was set")
	return g.DB.EndAllSessions(ctx, visitorOf(ctx).session.hash())
}

func (g *Guard) keepPassword(ctx context.Context, hash string) error {
	if g.PasswordFile == "" {
		return g.DB.SetPassword(ctx, hash)
	}
	if err := edit.Replace(g.PasswordFile, []byte(hash+"\n")); err != nil {
		return fmt.Errorf("keep the password's hash: %w", err)
	}
	return nil
}

// checkPassword returns ErrWrong if it is not the password. That takes as long
// where none has been set.
func (g *Guard) checkPassword(ctx context.Context, password string) error {
	text, err := g.passwordHash(ctx)
	if err != nil {
		return err
	}
	want := unhashed() // compared with where no password has been set
	if text != "" {
		if want, err = parseHash(text); err != nil {
			return fmt.Errorf("read the password's hash: %w", err)
		}
	}
	got, err := want.of(ctx, password)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(got, want.sum) != 1 || text == "" {
		return ErrWrong
	}
	return nil
}

// A passwordHash is an argon2id hash with what it was made of.
type passwordHash struct {
	memory uint32 // KiB
	passes uint32
	lanes  uint8
	salt   []byte
	sum    []byte
}

// The second recommended option of RFC 9106, for machines with less memory:
// 64 MiB, three passes, four lanes, a salt of 128 bits, a tag of 256.
//
// Source: https://www.rfc-editor.org/rfc/rfc9106#section-4
const (
	memoryKiB = 64 << 10
	passes    = 3
	lanes     = 4
	saltBytes = 16
	sumBytes  = 32
)

// unhashed returns our settings, with salt and sum yet to be filled.
func unhashed() passwordHash {
	return passwordHash{memoryKiB, passes, lanes, make([]byte, saltBytes), make([]byte, sumBytes)}
}

// hashing lets two hashes be computed at a time: each takes its memory.
var hashing = make(chan struct{}, 2)

// hashPassword returns the hash of a password in the PHC form.
func hashPassword(ctx context.Context, password string) (string, error) {
	h := unhashed()
	rand.Read(h.salt)
	var err error
	if h.sum, err = h.of(ctx, password); err != nil {
		return "", err
	}
	return h.String(), nil
}

// of computes the hash of a password with the settings of h.
func (h passwordHash) of(ctx context.Context, password string) ([]byte, error) {
	select {
	case hashing <- struct{}{}:
		defer func() { <-hashing }()
		return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.sum))), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// String is the PHC form.
//
// Source: https://github.com/P-H-C/phc-string-format/blob/master/phc-sf-spec.md
func (h passwordHash) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, b64(h.salt), b64(h.sum))
}

// errForm means that a text is no hash that this program checks.
var errForm = errors.New("not of the form $argon2id$v=19$m=65536,t=3,p=4$SALT$HASH")

// parseHash reads the PHC form. What would take more than 1 GiB or 32 passes
// is refused: it is a slip of the pen, and every attempt would pay for it.
func parseHash(s string) (h passwordHash, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errForm
	}
	n, err := fmt.Sscanf(parts[3]+"\n", "m=%d,t=%d,p=%d\n", &h.memory, &h.passes, &h.lanes)
	if err != nil || n != 3 {
		return h, errForm
	}
	h.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	if err == nil {
		h.sum, err = base64.RawStdEncoding.DecodeString(parts[5])
	}
	if err != nil || !h.sane() {
		return h, errForm
	}
	return h, nil
}

func (h passwordHash) sane() bool {
	const mostMemory, mostPasses = 1 << 20, 32
	return h.lanes >= 1 && h.passes >= 1 && h.passes <= mostPasses && h.memory >= 8*uint32(h.lanes) && h.memory <= mostMemory &&
		len(h.salt) >= 8 && len(h.sum) >= 16 && len(h.sum) <= 64
}
