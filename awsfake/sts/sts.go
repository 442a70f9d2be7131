// Package sts is the Security Token Service: it tells callers who they are and
// hands out sessions of users and roles.
//
// What differs from AWS: session tokens are random names of sessions that the
// account remembers, and SAML, federation users and root sessions are missing.
// Identity providers are really asked for their keys, and tokens verified.
package sts

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"maps"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// A Directory is where STS finds who there is: IAM.
type Directory interface {
	// Role returns a role by its ARN.
	Role(arn string) (Role, bool)
	// Provider returns an OpenID Connect provider by its issuer, without the
	// https:// before it.
	Provider(issuer string) (Provider, bool)
	// KeyAccount returns the account that an access key belongs to.
	KeyAccount(accessKeyID string) (string, bool)
	// Policy returns a managed policy by its ARN, for sessions that are given
	// some.
	Policy(arn string) (policy.Document, bool)
}

// A Role is one that may be assumed.
type Role struct {
	ARN, ID, Name string
	Trust         policy.Named
	MaxSession    time.Duration
	Tags          map[string]string
}

// A Provider is an identity provider that the account trusts.
type Provider struct {
	ARN         string
	ClientIDs   []string
	Thumbprints []string
}

// State is what STS remembers.
type State struct {
	Sessions map[string]*Session // by access key id
}

// A Session is a set of temporary credentials.
type Session struct {
	SecretAccessKey string
	SessionToken    string
	Expires         time.Time
	ARN, UserID     string
	Role            string            // name; "" for the session of a user
	User            string            // name; "" for the session of a role
	Policies        []json.RawMessage // session policies; none means no bound
	Context         map[string]string // condition keys that stay with the session
}

// String hides what may not be told.
func (s Session) String() string { return "session of " + s.ARN + " (secrets redacted)" }

// Session returns the session of an access key, expired or not.
func (s *State) Session(accessKeyID string) (*Session, bool) {
	session, ok := s.Sessions[accessKeyID]
	return session, ok
}

// A Service is STS in one account. The zero State is ready.
type Service struct {
	State     *State
	Directory Directory
	// Keys asks an identity provider for its keys; nil means by HTTPS.
	Keys KeySource
}

// Wire returns STS as the account serves it.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "sts", Version: "2011-06-15", Namespace: "https://sts.amazonaws.com/doc/2011-06-15/", Protocol: wire.Query,
		Operations: []wire.Operation{
			wire.Op("GetCallerIdentity", getCallerIdentity),
			wire.Op("GetAccessKeyInfo", s.getAccessKeyInfo),
			wire.Op("GetSessionToken", s.getSessionToken),
			wire.Op("AssumeRole", s.assumeRole),
			wire.Free("AssumeRoleWithWebIdentity", s.assumeRoleWithWebIdentity).ForAll(),
			wire.Op("DecodeAuthorizationMessage", decodeAuthorizationMessage),
		},
	}
}

// credentials are temporary credentials as STS tells them.
type credentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      wire.Time
}

// begin remembers a session and returns its credentials. Sessions that have
// ended long ago are forgotten.
func (s *Service) begin(c *wire.Call, session Session, lifetime time.Duration) credentials {
	id := "ASIA" + randomName(16)
	session.SecretAccessKey = randomSecret(30)
	session.SessionToken = "FwoGZXIvYXdzE" + randomSecret(150)
	session.Expires = c.Now().Add(lifetime).Truncate(time.Second)
	maps.DeleteFunc(s.State.Sessions, func(_ string, old *Session) bool {
		return old.Expires.Before(c.Now().Add(-remembered))
	})
	if s.State.Sessions == nil {
		s.State.Sessions = map[string]*Session{}
	}
	s.State.Sessions[id] = &session
	return credentials{id, session.SecretAccessKey, session.SessionToken, wire.Time{Time: session.Expires}}
}

// remembered is how long a session that has ended is still called expired, and
// not unknown.
const remembered = 24 * time.Hour

// randomName makes n letters and digits, as access key ids have them.
func randomName(n int) string {
	return base32.StdEncoding.EncodeToString(randomBytes(n))[:n]
}

func randomSecret(n int) string { return base64.StdEncoding.EncodeToString(randomBytes(n)) }

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
