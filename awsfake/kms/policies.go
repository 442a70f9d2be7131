package kms

import (
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// maxPolicy is the largest key policy in bytes
// (https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html).
const maxPolicy = 32768

// defaultName is the only name that a key policy can have.
const defaultName = "default"

type getPolicyIn struct {
	KeyID      *string `json:"KeyId"`
	PolicyName *string
}

type getPolicyOut struct{ Policy, PolicyName string }

func (s *Service) getKeyPolicy(c *wire.Call, in getPolicyIn) (getPolicyOut, error) {
	k, err := s.policyOf(c, in.KeyID, in.PolicyName, "kms:GetKeyPolicy")
	if err != nil {
		return getPolicyOut{}, err
	}
	return getPolicyOut{k.Policy, defaultName}, nil
}

func (s *Service) policyOf(c *wire.Call, key, name *string, action string) (*Key, error) {
	id, err := keyIn{key}.id(c)
	if err != nil {
		return nil, err
	}
	k, err := s.ownKey(c, id, action)
	if err != nil {
		return nil, err
	}
	if name != nil && *name != defaultName {
		return nil, wire.Refuse("NotFoundException", "No such policy exists")
	}
	return k, nil
}

type putPolicyIn struct {
	KeyID                          *string `json:"KeyId"`
	PolicyName, Policy             *string
	BypassPolicyLockoutSafetyCheck bool
}

func (s *Service) putKeyPolicy(c *wire.Call, in putPolicyIn) (wire.Empty, error) {
	var v wire.Checks
	v.Required("policy", in.Policy != nil)
	if in.Policy != nil && len(*in.Policy) > maxPolicy {
		v.TooLong("policy", maxPolicy)
	}
	if err := v.Err(c); err != nil {
		return wire.Empty{}, err
	}
	k, err := s.policyOf(c, in.KeyID, in.PolicyName, "kms:PutKeyPolicy")
	if err == nil {
		err = k.changeable()
	}
	if err == nil {
		err = s.setPolicy(c, k, *in.Policy, in.BypassPolicyLockoutSafetyCheck)
	}
	return wire.Empty{}, err
}

// setPolicy refuses a policy by which its author locks itself out.
func (s *Service) setPolicy(c *wire.Call, k *Key, text string, anyway bool) error {
	changed := Key{ARN: k.ARN, Policy: text}
	r, err := changed.read()
	if err != nil {
		return wire.Refuse("MalformedPolicyDocumentException", "")
	}
	for _, statement := range r.whole.Statements {
		if statement.Principals == nil && statement.NotPrincipals == nil {
			return wire.Refuse("MalformedPolicyDocumentException", "Policy contains a statement with no principal.")
		}
	}
	if !anyway && r.decide(r.whole, c, k, "kms:PutKeyPolicy", Use{}.keys(c, k)) != policy.Allow {
		return wire.Refuse("MalformedPolicyDocumentException", "The new key policy will not allow you to update the key policy in the future.")
	}
	k.Policy, k.rules = text, r
	return nil
}

type listPoliciesIn struct {
	pageIn
	KeyID *string `json:"KeyId"`
}

type listPoliciesOut struct {
	PolicyNames []string
	Truncated   bool
}

func (s *Service) listKeyPolicies(c *wire.Call, in listPoliciesIn) (listPoliciesOut, error) {
	if _, err := s.policyOf(c, in.KeyID, nil, "kms:ListKeyPolicies"); err != nil {
		return listPoliciesOut{}, err
	}
	return listPoliciesOut{PolicyNames: []string{defaultName}}, nil
}
