package policy

import (
	"fmt"
	"slices"
	"strings"
)

// A Named is a document with the name that people know it by: of a policy, or
// what it belongs to.
type Named struct {
	Name     string
	Document Document
}

// Layers are all the policies that decide over the calls of one principal. A
// layer that is nil bounds nothing.
type Layers struct {
	Identity []Named   // of the user or the role
	Resource *Named    // of what is called
	Boundary *Named    // the permissions boundary of the user or the role
	Session  []Named   // given to a session on its way
	SCPs     [][]Named // service control policies, one list for each level of the organisation
}

// A Layer is a kind of policy.
type Layer int

// The layers, in the order in which AWS asks them.
const (
	Identity Layer = iota
	Resource
	Boundary
	Session
	SCP
)

func (l Layer) String() string {
	return [...]string{"identity-based policy", "resource-based policy", "permissions boundary", "session policy", "service control policy"}[l]
}

// A Verdict is a decision with its reason.
type Verdict struct {
	Decision  Decision
	Layer     Layer      // that decided
	Policy    string     // name of the policy that decided; "" if none has a statement that does
	Statement *Statement // that decided; nil if none did
	request   Request
}

// Decide asks all layers, as AWS does within one account: an explicit deny
// anywhere wins; then every level of service control policies must allow, then
// the resource's policy or the identity's, then boundary and session. A
// resource that names the very user or session has the last word
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html).
func (l Layers) Decide(r Request) Verdict {
	for _, layer := range l.all() {
		if v := decide(layer.kind, layer.policies, r); v.Decision == ExplicitDeny {
			return v
		}
	}
	for _, level := range l.SCPs {
		if v := decide(SCP, level, r); v.Decision != Allow {
			return v
		}
	}
	verdict := decide(Identity, l.Identity, r)
	if l.Resource != nil {
		granted, last := l.Resource.grants(r)
		if last {
			return granted
		}
		if granted.Decision == Allow {
			verdict = granted
		}
	}
	if verdict.Decision != Allow {
		return verdict
	}
	if l.Boundary != nil {
		if v := decide(Boundary, []Named{*l.Boundary}, r); v.Decision != Allow {
			return v
		}
	}
	if l.Session != nil {
		if v := decide(Session, l.Session, r); v.Decision != Allow {
			return v
		}
	}
	return verdict
}

// layer is all policies of one kind.
type layer struct {
	kind     Layer
	policies []Named
}

func (l Layers) all() []layer {
	all := []layer{{SCP, slices.Concat(l.SCPs...)}, {Identity, l.Identity}, {Session, l.Session}}
	if l.Resource != nil {
		all = append(all, layer{Resource, []Named{*l.Resource}})
	}
	if l.Boundary != nil {
		all = append(all, layer{Boundary, []Named{*l.Boundary}})
	}
	return all
}

// decide is the verdict of one layer alone.
func decide(kind Layer, policies []Named, r Request) Verdict {
	verdict := Verdict{Layer: kind, request: r}
	if kind != Resource {
		r.Principal = "" // only a resource's policy names principals
	}
	for _, p := range policies {
		vars := p.Document.variables(r.Context)
		for i := range p.Document.Statements {
			s := &p.Document.Statements[i]
			if !s.applies(r, vars) {
				continue
			}
			if s.Effect == effectDeny {
				return Verdict{ExplicitDeny, kind, p.Name, s, verdict.request}
			}
			if verdict.Decision != Allow {
				verdict = Verdict{Allow, kind, p.Name, s, verdict.request}
			}
		}
	}
	return verdict
}

// grants is what the policy of a resource gives to the caller by itself. What
// it gives to the whole account is for the identity's own policies to use, and
// what it gives to the very user or session is bounded by no one.
func (p Named) grants(r Request) (v Verdict, last bool) {
	v = Verdict{Layer: Resource, request: r}
	vars := p.Document.variables(r.Context)
	for i := range p.Document.Statements {
		s := &p.Document.Statements[i]
		if s.Effect != effectAllow || !s.applies(r, vars) || s.Principals == nil || s.onlyAccount(r) {
			continue
		}
		v = Verdict{Allow, Resource, p.Name, s, r}
		if s.names(r.Principal) {
			return v, true
		}
	}
	return v, false
}

// names reports whether a statement has the caller's own ARN.
func (s Statement) names(caller string) bool {
	for _, values := range s.Principals {
		if slices.Contains(values, caller) {
			return true
		}
	}
	return false
}

// onlyAccount reports whether a statement means the caller by its account
// alone.
func (s Statement) onlyAccount(r Request) bool {
	for _, values := range s.Principals {
		for _, want := range values {
			if r.isFrom(want) && want != r.Principal && !isAccount(want) {
				return false
			}
		}
	}
	return !s.names(r.Principal)
}

func isAccount(principal string) bool {
	return !strings.Contains(principal, ":") && principal != "*" || strings.HasSuffix(principal, ":root")
}

// Why tells the reason as AWS appends it to its refusals
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html);
// "" for a call that is allowed.
func (v Verdict) Why() string {
	switch v.Decision {
	case ExplicitDeny:
		return fmt.Sprintf("with an explicit deny in %s %s", v.Layer.article(), v.Layer)
	case ImplicitDeny:
		return fmt.Sprintf("because no %s allows the %s action", v.Layer, v.request.Action)
	}
	return ""
}

func (l Layer) article() string {
	if l == Identity {
		return "an"
	}
	return "a"
}

// Refusal is the whole sentence in which AWS refuses a principal.
func (v Verdict) Refusal(principal string) string {
	on := ""
	if v.request.Resource != "*" {
		on = " on resource: " + v.request.Resource
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s%s %s", principal, v.request.Action, on, v.Why())
}

// String explains the verdict to who wrote the policies.
func (v Verdict) String() string {
	by := v.Layer.String()
	if v.Policy != "" {
		by += " " + v.Policy
	}
	switch {
	case v.Decision == Allow && v.Statement != nil:
		return fmt.Sprintf("allowed: %s of the %s", v.Statement.title(), by)
	case v.Decision == ExplicitDeny:
		return fmt.Sprintf("denied: %s of the %s denies %s on %s", v.Statement.title(), by, v.request.Action, v.request.Resource)
	}
	return fmt.Sprintf("denied: no statement of the %s allows %s on %s", by, v.request.Action, v.request.Resource)
}

func (s *Statement) title() string {
	if s.SID != "" {
		return "statement " + s.SID
	}
	return "a statement without a Sid"
}
