package awsfake

import (
	"encoding/json"
	"maps"
	"strings"
	"time"

	"tegata/awsfake/iam"
	"tegata/awsfake/sts"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// A Credential is what the owner of an access key knows of it.
type Credential struct {
	SecretAccessKey string
	SessionToken    string    // "" for a long-term key
	Expires         time.Time // zero means never
	Inactive        bool      // switched off, though it exists

	// Whose it is: the session of a role of the account by these names, or
	// else the Caller.
	Role, Session string
	RoleID        string            // AROA…, of the Role when the session began; "" means whatever it is
	Context       map[string]string // condition keys that stay with the session
	Caller        wire.Caller
}

// credential finds an access key: one of a user, one of a session that STS
// began, or one that was given out elsewhere.
func (s *Server) credential(c *wire.Call, id string) (Credential, bool) {
	if key, user, ok := s.of.iam.Key(id, c.Now()); ok {
		return Credential{SecretAccessKey: key.Secret.Reveal(), Inactive: key.Inactive, Caller: s.of.iam.Caller(user, key)}, true
	}
	if session, ok := s.of.sts.State.Session(id); ok {
		caller, known := s.callerOf(id, session)
		return Credential{SecretAccessKey: session.SecretAccessKey, SessionToken: session.SessionToken, Expires: session.Expires, Caller: caller}, known
	}
	found, ok := s.options.Credentials(id)
	if ok && found.Role != "" {
		found.Caller, ok = s.sessionOf(c, id, found)
	}
	return found, ok
}

// callerOf is who signs with the keys of a session. A session is worth nothing
// once its user or role is gone.
func (s *Server) callerOf(id string, session *sts.Session) (wire.Caller, bool) {
	caller := wire.Caller{
		AccessKeyID: id, ARN: session.ARN, UserID: session.UserID, User: session.User, Role: session.Role,
		Context: map[string]string{},
	}
	if user, ok := s.of.iam.State.User(session.User); ok && session.Role == "" {
		caller.Principal, caller.Policies = user.ARN, s.of.iam.UserLayers(user)
		maps.Copy(caller.Context, user.Context())
	} else if role, ok := s.of.iam.Role(session.Role); ok {
		caller.Principal, caller.Policies = role.ARN, s.of.iam.RoleLayers(role)
		maps.Copy(caller.Context, role.Context())
	} else {
		return caller, false
	}
	maps.Copy(caller.Context, session.Context)
	caller.Policies.Session = bounds(session.Policies)
	return caller, true
}

// bounds are the policies that a session was given on its way.
func bounds(documents []json.RawMessage) (all []policy.Named) {
	for _, text := range documents {
		document, err := policy.Parse(text)
		if err != nil {
			continue // STS keeps none that can't be read
		}
		all = append(all, policy.Named{Name: "session policy", Document: document})
	}
	return all
}

// sessionOf is a session of a role that was begun elsewhere, as EC2 begins one
// for an instance.
func (s *Server) sessionOf(c *wire.Call, id string, found Credential) (wire.Caller, bool) {
	role, ok := s.of.iam.Role(found.Role)
	if !ok || found.RoleID != "" && found.RoleID != role.ID {
		return wire.Caller{}, false // the role is gone, even if there is another of its name
	}
	return s.callerOf(id, &sts.Session{
		ARN:    "arn:" + partitionOf(role) + ":sts::" + c.Account + ":assumed-role/" + role.Name + "/" + found.Session,
		UserID: role.ID + ":" + found.Session,
		Role:   role.Name, Context: found.Context,
	})
}

func partitionOf(role *iam.Role) string {
	return strings.SplitN(role.ARN, ":", 3)[1]
}
