package ecr

import (
	"fmt"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

type policyIn struct {
	target
	PolicyText *string `json:"policyText"`
}

type policyOut struct {
	RegistryID     string `json:"registryId"`
	RepositoryName string `json:"repositoryName"`
	PolicyText     string `json:"policyText"`
}

func (s *Service) getPolicy(c *wire.Call, in target) (policyOut, error) {
	r, err := s.withPolicy(c, "GetRepositoryPolicy", in)
	if err != nil {
		return policyOut{}, err
	}
	return policyOut{r.Registry, r.Name, r.Policy}, nil
}

func (s *Service) deletePolicy(c *wire.Call, in target) (policyOut, error) {
	r, err := s.withPolicy(c, "DeleteRepositoryPolicy", in)
	if err != nil {
		return policyOut{}, err
	}
	out := policyOut{r.Registry, r.Name, r.Policy}
	r.Policy = ""
	return out, nil
}

func (s *Service) withPolicy(c *wire.Call, action string, in target) (*Repository, error) {
	r, err := s.find(c, action, in)
	if err == nil && r.Policy == "" {
		err = wire.Refuse("RepositoryPolicyNotFoundException", fmt.Sprintf(
			"Repository policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name, r.Registry))
	}
	return r, err
}

func (s *Service) setPolicy(c *wire.Call, in policyIn) (policyOut, error) {
	var v wire.Checks
	v.Required("policyText", in.PolicyText != nil)
	if in.PolicyText != nil {
		v.Length("policyText", *in.PolicyText, 0, 10240)
	}
	checkName(&v, in.RepositoryName)
	if err := v.Err(c); err != nil {
		return policyOut{}, err
	}
	r, err := s.find(c, "SetRepositoryPolicy", in.target)
	if err != nil {
		return policyOut{}, err
	}
	if _, err := policy.Parse([]byte(*in.PolicyText)); err != nil {
		return policyOut{}, wire.Refuse("InvalidParameterException",
			"Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'")
	}
	r.Policy = *in.PolicyText
	return policyOut{r.Registry, r.Name, r.Policy}, nil
}
