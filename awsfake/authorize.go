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
		message := fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", c.Caller.ARN, r.Action, on, why)
		if c.Protocol == wire.EC2Query && r.Resource != "*" {
			message += encoded(c, r, documents, decision)
		}
		return denied(c, message)
	}
}

// encoded is the end of EC2's refusals on resources: what STS decodes.
func encoded(c *wire.Call, r policy.Request, documents []policy.Document, decision policy.Decision) string {
	d := wire.Denial{
		PrincipalID: c.Caller.UserID, Principal: c.Caller.ARN, Action: r.Action, Resource: r.Resource, Conditions: r.Context,
		ExplicitDeny: decision == policy.ExplicitDeny,
	}
	for _, document := range documents {
		for _, s := range document.Statements {
			alone := document
			alone.Statements = []policy.Statement{s}
			if policy.Evaluate([]policy.Document{alone}, r) == policy.ExplicitDeny {
				d.Matched = append(d.Matched, s)
			}
		}
	}
	return ". Encoded authorization failure message: " + wire.EncodeDenial(c.Account, d)
}

// told tells OnAuthorize what is decided over a call.
func (s *Server) told(c *wire.Call, decide func(policy.Request, *policy.Named) error) func(policy.Request, *policy.Named) error {
	if s.options.OnAuthorize == nil {
		return decide
	}
	return func(r policy.Request, own *policy.Named) error {
		err := decide(r, own)
		s.options.OnAuthorize(policy.Use{Action: r.Action, Resource: r.Resource, Context: c.Keys(r.Context), Allowed: err == nil})
		return err
	}
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
