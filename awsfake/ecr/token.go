package ecr

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"time"

	"tegata/awsfake/wire"
)

// lifetime is how long a token is good for
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html).
const lifetime = 12 * time.Hour

type tokenIn struct {
	RegistryIDs []string `json:"registryIds"`
}

type tokenOut struct {
	AuthorizationData []authorization `json:"authorizationData"`
}

type authorization struct {
	AuthorizationToken string    `json:"authorizationToken"`
	ExpiresAt          wire.Time `json:"expiresAt"`
	ProxyEndpoint      string    `json:"proxyEndpoint"`
}

func (s *Service) getAuthorizationToken(c *wire.Call, in tokenIn) (tokenOut, error) {
	var v wire.Checks
	if in.RegistryIDs != nil {
		v.Count("registryIds", in.RegistryIDs, 1, 10)
	}
	for _, id := range in.RegistryIDs {
		v.Pattern("registryIds", id, "[0-9]{12}")
	}
	if err := v.Err(c); err != nil {
		return tokenOut{}, err
	}
	if err := c.Authorize("ecr:GetAuthorizationToken", "*", nil); err != nil {
		return tokenOut{}, err
	}
	registries := in.RegistryIDs
	if registries == nil {
		registries = []string{c.Account}
	}
	var out tokenOut
	for _, id := range registries {
		out.AuthorizationData = append(out.AuthorizationData, authorization{
			AuthorizationToken: base64.StdEncoding.EncodeToString([]byte("AWS:" + s.issue(c.Now()))),
			ExpiresAt:          wire.Time{Time: c.Now().Add(lifetime)},
			ProxyEndpoint:      "https://" + host(c, id),
		})
	}
	return out, nil
}

// issue makes a password, and forgets those that have ended.
func (s *Service) issue(now time.Time) string {
	if s.State.Tokens == nil {
		s.State.Tokens = map[string]time.Time{}
	}
	for sum, end := range s.State.Tokens {
		if !now.Before(end) {
			delete(s.State.Tokens, sum)
		}
	}
	secret := make([]byte, 96)
	rand.Read(secret)
	password := base64.StdEncoding.EncodeToString(secret)
	s.State.Tokens[digest(password)] = now.Add(lifetime)
	return password
}

// Valid reports whether a password, which is what follows "AWS:" in a token,
// was handed out and has not ended. The account's lock must be held.
func (s *Service) Valid(password string, now time.Time) bool {
	end, ok := s.State.Tokens[digest(password)]
	return ok && now.Before(end)
}

func digest(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}
