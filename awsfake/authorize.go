package awsfake

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// decider evaluates the policies of a call's caller.
func decider(c *wire.Call) func(policy.Request, *policy.Named) error {
	return func(r policy.Request, own *policy.Named) error {
		r.Context = c.Keys(r.Context)
		var documents []policy.Document
		for _, named := range c.Caller.Policies.Identity {
			documents = append(documents, named.Document)
		}
		why := ""
		decision := policy.Evaluate(documents, r)
		if own != nil { // within the account either side may allow, and either deny
			decision = either(decision, policy.Evaluate([]policy.Document{own.Document}, r))
		}
		switch decision {
		case policy.Allow:
			return nil
		case policy.ExplicitDeny:
			why = "with an explicit deny in an identity-based policy"
		default:
			why = "because no identity-based policy allows the " + r.Action + " action"
		}
		on := ""
		if r.Resource != "*" {
			on = " on resource: " + r.Resource
		}
		return denied(c, fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", c.Caller.ARN, r.Action, on, why))
	}
}

// either joins what the caller's policies say with what the resource's does.
func either(a, b policy.Decision) policy.Decision {
	if a == policy.ExplicitDeny || b == policy.ImplicitDeny {
		return a
	}
	return b
}

// denied is a refusal as the call's service words it.
func denied(c *wire.Call, message string) error {
	switch c.Protocol {
	case wire.Query:
		return wire.Forbidden("AccessDenied", message)
	case wire.EC2Query:
		return wire.Forbidden("UnauthorizedOperation", "You are not authorized to perform this operation. "+message)
	case wire.JSON, wire.JSON10:
		return &wire.Error{Status: http.StatusBadRequest, Code: "AccessDeniedException", Message: message}
	}
	return wire.Forbidden("AccessDeniedException", message)
}

// context adds the condition keys that every request has. The account's own
// connection is plain HTTP, but the one that it stands for is not.
func (s *Server) context(c *wire.Call, more map[string]string) map[string]string {
	now := c.Now()
	all := map[string]string{
		"aws:CurrentTime":      now.Format(time.RFC3339),
		"aws:EpochTime":        strconv.FormatInt(now.Unix(), 10),
		"aws:PrincipalAccount": s.options.Account,
		"aws:PrincipalArn":     c.Caller.Principal,
		"aws:RequestedRegion":  c.Region,
		"aws:SecureTransport":  "true",
		"aws:SourceIp":         "127.0.0.1",
		"aws:UserAgent":        c.Request.UserAgent(),
		"aws:userid":           c.Caller.UserID,
	}
	maps.Copy(all, c.Caller.Context)
	maps.Copy(all, more)
	return all
}
