package ecr

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

type lifecycleIn struct {
	target
	LifecyclePolicyText *string `json:"lifecyclePolicyText"`
}

type lifecycleOut struct {
	RegistryID          string     `json:"registryId"`
	RepositoryName      string     `json:"repositoryName"`
	LifecyclePolicyText string     `json:"lifecyclePolicyText"`
	LastEvaluatedAt     *wire.Time `json:"lastEvaluatedAt,omitempty"`
}

// The bounds of a lifecycle policy in characters, as the API's model has them.
const (
	minLifecycle = 100
	maxLifecycle = 30720
)

func (s *Service) putLifecycle(c *wire.Call, in lifecycleIn) (lifecycleOut, error) {
	var v wire.Checks
	v.Required("lifecyclePolicyText", in.LifecyclePolicyText != nil)
	if in.LifecyclePolicyText != nil {
		v.Length("lifecyclePolicyText", *in.LifecyclePolicyText, minLifecycle, maxLifecycle)
	}
	checkName(&v, in.RepositoryName)
	if err := v.Err(c); err != nil {
		return lifecycleOut{}, err
	}
	r, err := s.find(c, "PutLifecyclePolicy", in.target)
	if err != nil {
		return lifecycleOut{}, err
	}
	if err := checkLifecycle(*in.LifecyclePolicyText); err != nil {
		return lifecycleOut{}, wire.Refuse("InvalidParameterException",
			"Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: "+err.Error()+"'")
	}
	r.Lifecycle, r.LifecycleAt = *in.LifecyclePolicyText, c.Now()
	return lifecycleOut{RegistryID: r.Registry, RepositoryName: r.Name, LifecyclePolicyText: r.Lifecycle}, nil
}

// A rule of a lifecycle policy
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html).
type rule struct {
	Priority  int `json:"rulePriority"`
	Selection struct {
		TagStatus   string   `json:"tagStatus"`
		Prefixes    []string `json:"tagPrefixList"`
		Patterns    []string `json:"tagPatternList"`
		CountType   string   `json:"countType"`
		CountUnit   string   `json:"countUnit"`
		CountNumber int      `json:"countNumber"`
	} `json:"selection"`
	Action struct {
		Type string `json:"type"`
	} `json:"action"`
}

func checkLifecycle(text string) error {
	var p struct {
		Rules []rule `json:"rules"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil || len(p.Rules) == 0 {
		return errors.New("the policy must be JSON with a list of rules")
	}
	seen := map[int]bool{}
	for _, r := range p.Rules {
		if seen[r.Priority] {
			return fmt.Errorf("rulePriority %d is there twice", r.Priority)
		}
		seen[r.Priority] = true
		if err := r.check(); err != nil {
			return err
		}
	}
	return nil
}

func (r rule) check() error {
	s := r.Selection
	listed := len(s.Prefixes)+len(s.Patterns) > 0
	switch {
	case r.Priority < 1:
		return errors.New("rulePriority must be 1 or greater")
	case !slices.Contains([]string{"tagged", "untagged", "any"}, s.TagStatus):
		return errors.New("tagStatus must be one of tagged, untagged and any")
	case (s.TagStatus == "tagged") != listed:
		return errors.New("tagPrefixList or tagPatternList must be there with tagStatus tagged and with no other")
	case s.CountType != "imageCountMoreThan" && s.CountType != "sinceImagePushed":
		return errors.New("countType must be one of imageCountMoreThan and sinceImagePushed")
	case (s.CountType == "sinceImagePushed") != (s.CountUnit == "days"):
		return errors.New("countUnit must be days with countType sinceImagePushed and absent with imageCountMoreThan")
	case s.CountNumber < 1:
		return errors.New("countNumber must be 1 or greater")
	case r.Action.Type != "expire":
		return errors.New("the type of the action must be expire")
	}
	return nil
}

func (s *Service) getLifecycle(c *wire.Call, in target) (lifecycleOut, error) {
	r, err := s.withLifecycle(c, "GetLifecyclePolicy", in)
	if err != nil {
		return lifecycleOut{}, err
	}
	return lifecycleOut{r.Registry, r.Name, r.Lifecycle, wire.At(r.LifecycleAt)}, nil
}

func (s *Service) deleteLifecycle(c *wire.Call, in target) (lifecycleOut, error) {
	r, err := s.withLifecycle(c, "DeleteLifecyclePolicy", in)
	if err != nil {
		return lifecycleOut{}, err
	}
	out := lifecycleOut{r.Registry, r.Name, r.Lifecycle, wire.At(r.LifecycleAt)}
	r.Lifecycle, r.LifecycleAt = "", time.Time{}
	return out, nil
}

func (s *Service) withLifecycle(c *wire.Call, action string, in target) (*Repository, error) {
	r, err := s.find(c, action, in)
	if err == nil && r.Lifecycle == "" {
		err = wire.Refuse("LifecyclePolicyNotFoundException", fmt.Sprintf(
			"Lifecycle policy does not exist for the repository with name '%s' in the registry with id '%s'", r.Name, r.Registry))
	}
	return r, err
}
