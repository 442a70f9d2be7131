package wire

import (
	"encoding/base64"
	"errors"
	"strconv"
)

// ErrToken is a page token that no answer has given.
var ErrToken = errors.New("read a page token: it is none of ours")

// Page cuts a page of at most size items out of all, from where the token
// stands; next is "" on the last page. A token is the place of the next item,
// in base64 to look as opaque as AWS's do.
func Page[T any](all []T, size int, token string) (page []T, next string, err error) {
	start := 0
	if token != "" {
		text, _ := base64.RawURLEncoding.DecodeString(token)
		if start, err = strconv.Atoi(string(text)); err != nil || start < 0 || start > len(all) {
			return nil, "", ErrToken
		}
	}
	end := min(start+size, len(all))
	if end < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	return all[start:end], next, nil
}
