package sts

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// assumption is what all ways to take a role ask for.
type assumption struct {
	RoleARN         string `query:"RoleArn"`
	RoleSessionName string
	DurationSeconds *int
	Policy          *string
	PolicyARNs      []policyARN `query:"PolicyArns"`
}

type policyARN struct {
	ARN string `query:"arn"`
}

type assumeRoleInput struct {
	assumption
	ExternalID     *string `query:"ExternalId"`
	SourceIdentity *string
	Tags           []wire.Tag
}

type assumedUser struct {
	ARN string `xml:"Arn"`
	ID  string `xml:"AssumedRoleId"`
}

type assumedRole struct {
	Credentials      credentials
	AssumedRoleUser  assumedUser
	PackedPolicySize int    `xml:"PackedPolicySize,omitempty"`
	SourceIdentity   string `xml:"SourceIdentity,omitempty"`
}

// The constraints of the API's model.
const (
	sessionNamePattern = `[\w+=,.@-]*`
	defaultLifetime    = time.Hour
	chainedLifetime    = time.Hour // a session of a role may take another for no longer
)

// assumeRole hands out a session of a role to who is trusted by the role and
// allowed by its own policies
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
func (s *Service) assumeRole(c *wire.Call, in assumeRoleInput) (assumedRole, error) {
	if err := in.check(c); err != nil {
		return assumedRole{}, err
	}
	context := in.context()
	role, err := s.authorizeAssumption(c, in, context)
	if err != nil {
		return assumedRole{}, err
	}
	lifetime, err := in.lifetime(role, c.Caller.Role != "")
	if err != nil {
		return assumedRole{}, err
	}
	kept := map[string]string{}
	for _, t := range in.Tags {
		kept["aws:PrincipalTag/"+t.Key] = t.Value
	}
	if in.SourceIdentity != nil {
		kept["aws:SourceIdentity"], kept["sts:SourceIdentity"] = *in.SourceIdentity, *in.SourceIdentity
	}
	answer, err := s.take(c, role, in.assumption, kept, lifetime)
	if in.SourceIdentity != nil {
		answer.SourceIdentity = *in.SourceIdentity
	}
	return answer, err
}

// check validates what all ways share.
func (in assumption) check(c *wire.Call) error {
	var v wire.Checks
	v.Required("roleArn", in.RoleARN != "")
	if in.RoleARN != "" {
		v.Length("roleArn", in.RoleARN, 20, 2048)
	}
	v.Required("roleSessionName", in.RoleSessionName != "")
	if in.RoleSessionName != "" {
		v.Length("roleSessionName", in.RoleSessionName, 2, 64)
		v.Pattern("roleSessionName", in.RoleSessionName, sessionNamePattern)
	}
	if in.DurationSeconds != nil {
		v.Range("durationSeconds", *in.DurationSeconds, 900, 43200)
	}
	if err := v.Err(c); err != nil {
		return err
	}
	if !strings.HasPrefix(in.RoleARN, "arn:") || strings.Count(in.RoleARN, ":") < 5 {
		return wire.Refuse("ValidationError", in.RoleARN+" is invalid")
	}
	return nil
}

// context holds the condition keys that a request to assume brings along.
func (in assumeRoleInput) context() map[string]string {
	keys := map[string]string{"sts:RoleSessionName": in.RoleSessionName}
	if in.ExternalID != nil {
		keys["sts:ExternalId"] = *in.ExternalID
	}
	if in.SourceIdentity != nil {
		keys["sts:SourceIdentity"] = *in.SourceIdentity
	}
	for _, t := range in.Tags {
		keys["aws:RequestTag/"+t.Key] = t.Value
	}
	return keys
}

// authorizeAssumption wants the role to trust the caller, and the caller's own
// policies to allow it, unless the role names this very caller.
func (s *Service) authorizeAssumption(c *wire.Call, in assumeRoleInput, context map[string]string) (Role, error) {
	role, ok := s.Directory.Role(in.RoleARN)
	if !ok {
		return role, refused(c, "sts:AssumeRole", in.RoleARN)
	}
	actions := []string{"sts:AssumeRole"}
	if len(in.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if in.SourceIdentity != nil {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		if !s.mayAssume(c, role, action, context) {
			return role, refused(c, action, in.RoleARN)
		}
	}
	return role, nil
}

func (s *Service) mayAssume(c *wire.Call, role Role, action string, context map[string]string) bool {
	trusts := func(principal string) bool {
		return policy.Evaluate([]policy.Document{role.Trust.Document},
			policy.Request{Action: action, Principal: principal, Context: c.Keys(context)}) == policy.Allow
	}
	if !trusts(c.Caller.ARN) && !trusts(c.Caller.Principal) {
		return false
	}
	own := role.Trust
	return c.AuthorizeOn(action, role.ARN, &own, context) == nil
}

// refused tells no more than that, so that nobody can find out which roles
// there are.
func refused(c *wire.Call, action, role string) error {
	return wire.Forbidden("AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", c.Caller.ARN, action, role))
}

// lifetime is how long the session is asked to last.
func (in assumption) lifetime(role Role, chained bool) (time.Duration, error) {
	if in.DurationSeconds == nil {
		return defaultLifetime, nil
	}
	lifetime := time.Duration(*in.DurationSeconds) * time.Second
	switch {
	case chained && lifetime > chainedLifetime:
		return 0, wire.Refuse("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case lifetime > role.MaxSession:
		return 0, wire.Refuse("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return lifetime, nil
}

// take begins the session of a role.
func (s *Service) take(c *wire.Call, role Role, in assumption, kept map[string]string, lifetime time.Duration) (assumedRole, error) {
	bounds, packed, err := s.sessionPolicies(in)
	if err != nil {
		return assumedRole{}, err
	}
	context := map[string]string{}
	for key, value := range role.Tags {
		context["aws:PrincipalTag/"+key] = value
	}
	maps.Copy(context, kept)
	context["aws:TokenIssueTime"] = c.Now().Format(time.RFC3339)
	user := assumedUser{
		ARN: fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", c.Partition(), c.Account, role.Name, in.RoleSessionName),
		ID:  role.ID + ":" + in.RoleSessionName,
	}
	session := Session{ARN: user.ARN, UserID: user.ID, Role: role.Name, Policies: bounds, Context: context}
	return assumedRole{Credentials: s.begin(c, session, lifetime), AssumedRoleUser: user, PackedPolicySize: packed}, nil
}

// maxSessionPolicy is how many characters of session policies AWS packs.
const maxSessionPolicy = 2048

// sessionPolicies are the bounds that a session is given on its way.
func (s *Service) sessionPolicies(in assumption) (bounds []json.RawMessage, packedPercent int, err error) {
	if in.Policy != nil {
		if len(*in.Policy) > maxSessionPolicy {
			return nil, 0, wire.Refuse("PackedPolicyTooLarge", fmt.Sprintf("Packed policy consumes %d%% of allotted space, please use smaller policy.", len(*in.Policy)*100/maxSessionPolicy))
		}
		if _, err := policy.Parse([]byte(*in.Policy)); err != nil {
			return nil, 0, wire.Refuse("MalformedPolicyDocument", "This policy contains invalid Json")
		}
		bounds = append(bounds, json.RawMessage(*in.Policy))
		packedPercent = max(1, len(*in.Policy)*100/maxSessionPolicy)
	}
	for _, p := range in.PolicyARNs {
		document, ok := s.Directory.Policy(p.ARN)
		if !ok {
			return nil, 0, wire.Refuse("ValidationError", "The policy "+p.ARN+" does not exist or is not attachable.")
		}
		text, err := json.Marshal(document)
		if err != nil {
			return nil, 0, fmt.Errorf("keep the policy %s with a session: %w", p.ARN, err)
		}
		bounds = append(bounds, text)
	}
	return bounds, packedPercent, nil
}
