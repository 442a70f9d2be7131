package sts

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// A KeySource asks an identity provider for the keys that sign its tokens.
type KeySource func(ctx context.Context, issuer string, thumbprints []string) ([]key, error)

type webIdentityInput struct {
	assumption
	WebIdentityToken string
	ProviderID       string `query:"ProviderId"`
}

type webIdentityAnswer struct {
	Credentials                 credentials
	SubjectFromWebIdentityToken string
	AssumedRoleUser             assumedUser
	Provider                    string
	Audience                    string
	PackedPolicySize            int `xml:"PackedPolicySize,omitempty"`
}

func invalidToken(message string) error { return wire.Refuse("InvalidIdentityToken", message) }

// assumeRoleWithWebIdentity hands out a session to who has a token of a
// provider that the account knows and the role trusts. Nobody signs it
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
// The account is not locked while the provider is asked for its keys.
func (s *Service) assumeRoleWithWebIdentity(c *wire.Call, account sync.Locker, in webIdentityInput) (webIdentityAnswer, error) {
	var none webIdentityAnswer
	if err := in.check(c); err != nil {
		return none, err
	}
	t, err := parseToken(in.WebIdentityToken)
	if err != nil {
		return none, invalidToken("The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	account.Lock()
	provider, known := s.Directory.Provider(issuerName(t.claims.Issuer))
	account.Unlock()
	if !known {
		return none, invalidToken("No OpenIDConnect provider found in your account for " + t.claims.Issuer)
	}
	if err := s.verify(c, t, provider); err != nil {
		return none, err
	}
	account.Lock()
	defer account.Unlock()
	return s.takeByToken(c, t, provider, in)
}

// issuerName is an issuer as IAM names its provider and the condition keys.
func issuerName(issuer string) string { return strings.TrimPrefix(issuer, "https://") }

// verify checks all of a token that the provider answers for.
func (s *Service) verify(c *wire.Call, t token, provider Provider) error {
	keysFrom := s.Keys
	if keysFrom == nil {
		keysFrom = keysOf
	}
	keys, err := keysFrom(c.Request.Context(), t.claims.Issuer, provider.Thumbprints)
	if err != nil {
		return invalidToken("Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements")
	}
	if t.verify(keys) != nil {
		return invalidToken("The web identity token that was passed could not be validated by the identity provider: its signature is not valid.")
	}
	if now := c.Now(); t.expired(now) {
		return wire.Refuse("ExpiredTokenException", "Token expired: current date/time "+now.Format(time.RFC3339)+
			" must be before the expiration date/time "+t.expiry().Format(time.RFC3339))
	}
	if !slices.ContainsFunc(t.audience(), func(a string) bool { return slices.Contains(provider.ClientIDs, a) }) {
		return invalidToken("Incorrect token audience")
	}
	return nil
}

// audience is whom the token was made for. The authorised party goes first,
// as AWS takes it.
func (t token) audience() []string {
	if t.claims.Party != "" {
		return []string{t.claims.Party}
	}
	return t.claims.Audience
}

// takeByToken asks the role whether it trusts the bearer.
func (s *Service) takeByToken(c *wire.Call, t token, provider Provider, in webIdentityInput) (webIdentityAnswer, error) {
	const action = "sts:AssumeRoleWithWebIdentity"
	refused := wire.Forbidden("AccessDenied", "Not authorized to perform "+action)
	role, ok := s.Directory.Role(in.RoleARN)
	if !ok {
		return webIdentityAnswer{}, refused
	}
	name, audience := issuerName(t.claims.Issuer), ""
	if all := t.audience(); len(all) > 0 {
		audience = all[0]
	}
	keys := map[string]string{
		name + ":sub": t.claims.Subject, name + ":aud": audience,
		"aws:FederatedProvider": provider.ARN, "sts:RoleSessionName": in.RoleSessionName,
	}
	r := policy.Request{Action: action, Principal: provider.ARN, Context: c.Keys(keys)}
	if policy.Evaluate([]policy.Document{role.Trust.Document}, r) != policy.Allow {
		return webIdentityAnswer{}, refused
	}
	lifetime, err := in.lifetime(role, false)
	if err != nil {
		return webIdentityAnswer{}, err
	}
	kept := map[string]string{"aws:FederatedProvider": provider.ARN, name + ":sub": t.claims.Subject, name + ":aud": audience}
	taken, err := s.take(c, role, in.assumption, kept, lifetime)
	return webIdentityAnswer{
		Credentials: taken.Credentials, AssumedRoleUser: taken.AssumedRoleUser, PackedPolicySize: taken.PackedPolicySize,
		SubjectFromWebIdentityToken: t.claims.Subject, Provider: provider.ARN, Audience: audience,
	}, err
}
