// Package policy evaluates IAM policy documents at the level of actions and
// ARNs.
//
// Start with [Parse] and [Evaluate]. The grammar and the evaluation order are
// those of https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html.
package policy

import (
	"maps"
	"slices"
	"strings"
)

// A Request is one call, as the policies see it.
type Request struct {
	Action    string            // "bedrock:InvokeModel"
	Resource  string            // an ARN, or "*" for an action without resource types
	Principal string            // for trust policies: "ec2.amazonaws.com" or an ARN
	Context   map[string]string // condition keys, such as "aws:RequestedRegion"

	// Sets has the condition keys with several values, such as
	// "aws:CalledVia"; one without values is as one that is not there. Keys of
	// tags and of encryption contexts need not be named: they follow from the
	// tags and contexts themselves. No set is a policy variable.
	Sets map[string][]string
}

// A Decision is the outcome of an evaluation.
type Decision int

const (
	ImplicitDeny Decision = iota // nothing allows it
	ExplicitDeny                 // a Deny statement matches
	Allow
)

func (d Decision) String() string {
	switch d {
	case Allow:
		return "allow"
	case ExplicitDeny:
		return "explicit deny"
	}
	return "implicit deny"
}

// A Document is one policy. [Parse] makes it; a hand-made one isn't checked.
type Document struct {
	Version    string // "" means 2008-10-17, which knows no policy variables
	ID         string
	Statements []Statement
}

// A Statement is one rule of a document. Its lists hold what the JSON holds,
// a single string as a list of one.
type Statement struct {
	SID           string
	Effect        string // Allow or Deny
	Actions       []string
	NotActions    []string
	Resources     []string // none and no NotResources: a trust policy
	NotResources  []string
	Principals    map[string][]string // type (AWS, Service, Federated, *) to values
	NotPrincipals map[string][]string
	Conditions    []Condition // all must hold
}

// A Condition compares one key of the request's context with values, of which
// one must match.
type Condition struct {
	Operator string // as written: "ForAnyValue:StringLikeIfExists"
	Key      string
	Values   []string
}

// Evaluate decides over one request: a matching Deny in any document wins,
// then a matching Allow, and what nothing matches is denied.
func Evaluate(docs []Document, r Request) Decision {
	decision := ImplicitDeny
	for _, d := range docs {
		vars := d.variables(r.Context)
		for _, s := range d.Statements {
			if !s.applies(r, vars) {
				continue
			}
			if s.Effect == effectDeny {
				return ExplicitDeny
			}
			decision = Allow
		}
	}
	return decision
}

// Trusts reports whether a role's trust policy lets a service, such as
// "ec2.amazonaws.com", assume the role. A statement that names no principal
// trusts nobody.
func Trusts(trust Document, service string) bool {
	named := trust
	named.Statements = slices.DeleteFunc(slices.Clone(trust.Statements), func(s Statement) bool {
		return s.Principals == nil && s.NotPrincipals == nil
	})
	r := Request{Action: "sts:AssumeRole", Principal: service}
	return Evaluate([]Document{named}, r) == Allow
}

const (
	effectAllow = "Allow"
	effectDeny  = "Deny"

	versionOld = "2008-10-17"
	version    = "2012-10-17" // the first with policy variables
)

// variables gives the values that ${…} stands for, or nil where ${ is text.
func (d Document) variables(context map[string]string) lookup {
	if d.Version != version {
		return nil
	}
	return contextLookup(context)
}

func (s Statement) applies(r Request, vars lookup) bool {
	return s.coversAction(r.Action) &&
		s.coversResource(r.Resource, vars) &&
		s.coversPrincipal(r) &&
		!slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !c.holds(r, vars) })
}

func (s Statement) coversAction(action string) bool {
	matches := func(pattern string) bool {
		return newGlob(strings.ToLower(pattern)).match(strings.ToLower(action))
	}
	if s.NotActions != nil {
		return !slices.ContainsFunc(s.NotActions, matches)
	}
	return slices.ContainsFunc(s.Actions, matches)
}

func (s Statement) coversResource(resource string, vars lookup) bool {
	matches := func(pattern string) bool {
		g, ok := expand(completeARN(pattern), vars, wildcards)
		return ok && g.match(resource)
	}
	switch {
	case s.NotResources != nil:
		return !slices.ContainsFunc(s.NotResources, matches)
	case s.Resources != nil:
		return slices.ContainsFunc(s.Resources, matches)
	}
	return true
}

// completeARN adds the fields that an ARN leaves out; IAM takes arn:aws:sqs for
// arn:aws:sqs:*:*:*. A wildcard reaches over colons by itself.
func completeARN(pattern string) string {
	missing := arnFields - 1 - strings.Count(pattern, ":")
	if missing > 0 && !strings.ContainsAny(pattern, "*?") {
		return pattern + strings.Repeat(":*", missing)
	}
	return pattern
}

func (s Statement) coversPrincipal(r Request) bool {
	matches := func(want string) bool { return r.isFrom(want) }
	covered := func(principals map[string][]string) bool {
		for values := range maps.Values(principals) {
			if slices.ContainsFunc(values, matches) {
				return true
			}
		}
		return false
	}
	switch {
	case s.NotPrincipals != nil:
		return !covered(s.NotPrincipals)
	case s.Principals != nil:
		return covered(s.Principals)
	}
	return true
}

// isFrom reports whether a principal of a statement is the caller. The role
// behind a session is the one that aws:PrincipalArn tells, as the ARN of a
// session has lost the role's path.
func (r Request) isFrom(want string) bool {
	role, ok := contextLookup(r.Context)("aws:PrincipalArn")
	if ok && strings.Contains(want, ":role/") && isSessionOf(r.Principal, role) {
		return want == role
	}
	return principalMatches(want, r.Principal)
}

// isSessionOf reports whether a session is one of a role, as far as its ARN
// tells.
func isSessionOf(session, role string) bool {
	name := role[strings.LastIndex(role, "/")+1:]
	s, r := strings.SplitN(session, ":", arnFields), strings.SplitN(role, ":", arnFields)
	return len(s) == arnFields && len(r) == arnFields && s[4] == r[4] &&
		strings.HasPrefix(s[5], "assumed-role/"+name+"/") && strings.HasPrefix(r[5], "role/")
}

// principalMatches compares a principal of a statement with the caller. An
// account (its number or its root) stands for every principal of that account,
// and a role for its sessions.
func principalMatches(want, caller string) bool {
	if want == "*" || want == caller {
		return true
	}
	fields := strings.SplitN(caller, ":", arnFields)
	if len(fields) < arnFields {
		return false
	}
	partition, account, name := fields[1], fields[4], fields[5]
	root := "arn:" + partition + ":iam::" + account
	if want == account || want == root+":root" {
		return true
	}
	role, isSession := strings.CutPrefix(name, "assumed-role/")
	role, _, _ = strings.Cut(role, "/")
	return isSession && want == root+":role/"+role
}
