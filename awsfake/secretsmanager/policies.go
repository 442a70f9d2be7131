package secretsmanager

import (
	"slices"
	"strconv"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

type policyOut struct {
	ARN            string
	Name           string
	ResourcePolicy string `json:",omitempty"`
}

func (s *Service) getResourcePolicy(c *wire.Call, in idIn) (policyOut, error) {
	secret, err := s.living(c, in.SecretID, nil)
	if err != nil {
		return policyOut{}, err
	}
	return policyOut{secret.ARN, secret.Name, secret.Policy}, nil
}

type putPolicyIn struct {
	SecretID          *string `json:"SecretId"`
	ResourcePolicy    *string
	BlockPublicPolicy bool
}

func (s *Service) putResourcePolicy(c *wire.Call, in putPolicyIn) (policyOut, error) {
	var v wire.Checks
	v.Required("resourcePolicy", in.ResourcePolicy != nil)
	if in.ResourcePolicy != nil {
		v.Length("resourcePolicy", *in.ResourcePolicy, 1, 20480)
	}
	if err := v.Err(c); err != nil {
		return policyOut{}, err
	}
	secret, err := s.living(c, in.SecretID, map[string]string{"secretsmanager:BlockPublicPolicy": strconv.FormatBool(in.BlockPublicPolicy)})
	if err != nil {
		return policyOut{}, err
	}
	d, err := policy.Parse([]byte(*in.ResourcePolicy))
	if err != nil || slices.ContainsFunc(d.Statements, namesNobody) {
		return policyOut{}, wire.Refuse("MalformedPolicyDocumentException", "This resource policy contains invalid Json.")
	}
	if in.BlockPublicPolicy && slices.ContainsFunc(d.Statements, isPublic) {
		return policyOut{}, wire.Refuse("PublicPolicyException", "You can't use this resource policy because it grants broad access to the secret.")
	}
	secret.Policy = *in.ResourcePolicy
	return policyOut{ARN: secret.ARN, Name: secret.Name}, nil
}

func namesNobody(s policy.Statement) bool { return s.Principals == nil && s.NotPrincipals == nil }

// isPublic tells whether a statement lets everybody in.
func isPublic(s policy.Statement) bool {
	if s.Effect != "Allow" || len(s.Conditions) > 0 {
		return false
	}
	for _, values := range s.Principals {
		if slices.Contains(values, "*") {
			return true
		}
	}
	return s.NotPrincipals != nil
}

func (s *Service) deleteResourcePolicy(c *wire.Call, in idIn) (policyOut, error) {
	secret, err := s.living(c, in.SecretID, nil)
	if err != nil {
		return policyOut{}, err
	}
	secret.Policy = ""
	return policyOut{ARN: secret.ARN, Name: secret.Name}, nil
}
