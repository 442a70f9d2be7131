package kms

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// A Use says how a key is used.
type Use struct {
	Via     string            // first label of the service that uses it for its caller: "ssm"; "" means the caller itself
	Context map[string]string // encryption context

	alias string // by which the key was named
}

// keys are the condition keys of a use
// (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html).
func (u Use) keys(c *wire.Call, k *Key) map[string]string {
	all := map[string]string{"kms:CallerAccount": c.Account}
	if u.Via != "" {
		all["kms:ViaService"] = u.Via + "." + c.Region + ".amazonaws.com"
		all["aws:CalledVia"] = u.Via + ".amazonaws.com"
	}
	for name, value := range u.Context {
		all["kms:EncryptionContext:"+name] = value
		if len(u.Context) == 1 {
			all["kms:EncryptionContextKeys"] = name
		}
	}
	if u.alias != "" {
		all["kms:RequestAlias"] = u.alias
	}
	if k == nil {
		return all
	}
	all["kms:KeyOrigin"], all["kms:KeySpec"], all["kms:KeyUsage"] = "AWS_KMS", symmetric, encryptDecrypt
	for name, value := range k.Tags {
		all["aws:ResourceTag/"+name] = value
	}
	return all
}

// permit asks the key's policy, and the caller's own where the key's leaves
// the decision to the account.
func (s *Service) permit(c *wire.Call, k *Key, action string, u Use) error {
	return s.permitWith(c, k, action, u.keys(c, k))
}

func (s *Service) permitWith(c *wire.Call, k *Key, action string, context map[string]string) error {
	r, err := k.read()
	if err != nil {
		return err
	}
	switch r.decide(r.whole, c, k, action, context) {
	case policy.ExplicitDeny:
		return denied(c, k, action, "with an explicit deny in a resource-based policy")
	case policy.ImplicitDeny:
		return denied(c, k, action, "because no resource-based policy allows the "+action+" action")
	}
	return c.AuthorizeOn(action, k.ARN, &policy.Named{Name: "the key policy", Document: r.direct}, context)
}

func denied(c *wire.Call, k *Key, action, why string) error {
	return wire.Refuse("AccessDeniedException",
		"User: "+c.Caller.ARN+" is not authorized to perform: "+action+" on resource: "+k.ARN+" "+why)
}

// decide evaluates a document for the caller, who is a session and its role.
func (r *rules) decide(d policy.Document, c *wire.Call, k *Key, action string, context map[string]string) policy.Decision {
	request := policy.Request{Action: action, Resource: k.ARN, Principal: c.Caller.ARN, Context: c.Keys(context)}
	decision := policy.Evaluate([]policy.Document{d}, request)
	if decision == policy.ExplicitDeny || c.Caller.Principal == c.Caller.ARN {
		return decision
	}
	request.Principal = c.Caller.Principal
	if other := policy.Evaluate([]policy.Document{d}, request); other != policy.ImplicitDeny {
		return other
	}
	return decision
}

// read parses the key's policy, once.
func (k *Key) read() (*rules, error) {
	if k.rules != nil {
		return k.rules, nil
	}
	d, err := policy.Parse([]byte(k.Policy))
	if err != nil {
		return nil, wire.Refuse("MalformedPolicyDocumentException", err.Error())
	}
	k.rules = &rules{whole: d, direct: withoutAccounts(d)}
	return k.rules, nil
}

// withoutAccounts leaves out what a key policy grants to whole accounts: that
// grants nothing by itself, but lets the account's own policies decide.
func withoutAccounts(d policy.Document) policy.Document {
	direct := d
	direct.Statements = nil
	for _, statement := range d.Statements {
		if statement.Principals == nil {
			direct.Statements = append(direct.Statements, statement)
			continue
		}
		named := maps.Clone(statement.Principals)
		named["AWS"] = slices.DeleteFunc(slices.Clone(named["AWS"]), isAccount)
		if len(named["AWS"]) == 0 {
			delete(named, "AWS")
		}
		if len(named) > 0 {
			statement.Principals = named
			direct.Statements = append(direct.Statements, statement)
		}
	}
	return direct
}

func isAccount(principal string) bool {
	return strings.HasSuffix(principal, ":root") ||
		len(principal) == 12 && strings.Trim(principal, "0123456789") == ""
}
