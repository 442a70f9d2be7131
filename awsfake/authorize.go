package awsfake

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"tegata/internal/policy"
)

// authorize evaluates the caller's policies. The resource of an action without
// resource types is "*".
func (s *Server) authorize(c *call, action, resource string, context map[string]string) error {
	r := policy.Request{Action: action, Resource: resource, Context: s.context(c)}
	maps.Copy(r.Context, context)
	why := ""
	switch policy.Evaluate(c.caller.Policies, r) {
	case policy.Allow:
		return nil
	case policy.ExplicitDeny:
		why = "with an explicit deny in an identity-based policy"
	default:
		why = "because no identity-based policy allows the " + action + " action"
	}
	on := ""
	if resource != "*" {
		on = " on resource: " + resource
	}
	return &failure{c.protocol.authStatus(), "AccessDeniedException",
		fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", c.caller.ARN, action, on, why)}
}

// context holds the condition keys that every request has. The stand-in's own
// connection is plain HTTP, but the one that it stands for is not.
func (s *Server) context(c *call) map[string]string {
	now := s.options.Now().UTC()
	return map[string]string{
		"aws:CurrentTime":      now.Format(time.RFC3339),
		"aws:EpochTime":        strconv.FormatInt(now.Unix(), 10),
		"aws:PrincipalAccount": s.options.Account,
		"aws:PrincipalArn":     principalARN(c.caller.ARN),
		"aws:RequestedRegion":  c.region,
		"aws:SecureTransport":  "true",
		"aws:userid":           c.caller.UserID,
	}
}

// principalARN is the role behind a session, and any other caller itself.
func principalARN(caller string) string {
	before, session, ok := strings.Cut(caller, ":assumed-role/")
	if !ok {
		return caller
	}
	role, _, _ := strings.Cut(session, "/")
	return strings.Replace(before, ":sts:", ":iam:", 1) + ":role/" + role
}

// arn names a resource of the account in the call's region.
func (s *Server) arn(c *call, service, resource string) string {
	return "arn:aws:" + service + ":" + c.region + ":" + s.options.Account + ":" + resource
}

// modelARN names a foundation model, which belongs to no account. Global
// routing has no region either.
func modelARN(region, id string) string {
	return "arn:aws:bedrock:" + region + "::foundation-model/" + id
}

// local reports whether the server's models and parameters live in the call's
// region.
func (s *Server) local(c *call) bool {
	return s.options.Region == "" || s.options.Region == c.region
}
