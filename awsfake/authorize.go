package awsfake

import (
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
		layers := c.Caller.Policies
		layers.Resource = own
		v := layers.Decide(r)
		if v.Decision == policy.Allow {
			return nil
		}
		message := v.Refusal(c.Caller.ARN)
		if c.Protocol == wire.EC2Query && r.Resource != "*" {
			message += ". Encoded authorization failure message: " + wire.EncodeDenial(c.Account, encoded(c, r, v))
		}
		return denied(c, message)
	}
}

// encoded is what STS decodes of a refusal.
func encoded(c *wire.Call, r policy.Request, v policy.Verdict) wire.Denial {
	d := wire.Denial{
		PrincipalID: c.Caller.UserID, Principal: c.Caller.ARN, Action: r.Action, Resource: r.Resource, Conditions: r.Context,
		ExplicitDeny: v.Decision == policy.ExplicitDeny,
	}
	if v.Statement != nil {
		d.Matched = []policy.Statement{*v.Statement}
	}
	return d
}

// told tells OnAuthorize what is decided over a call.
func (s *Server) told(c *wire.Call, decide func(policy.Request, *policy.Named) error) func(policy.Request, *policy.Named) error {
	if s.options.OnAuthorize == nil {
		return decide
	}
	return func(r policy.Request, own *policy.Named) error {
		err := decide(r, own)
		asked := r
		asked.Context = c.Keys(r.Context)
		if own != nil && (policy.Layers{Resource: own}).Decide(asked).Decision == policy.Allow {
			return err // no policy of the caller's has to allow it, such as the use of AWS's own keys
		}
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
	case wire.JSON, wire.JSON10, wire.CBOR:
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
