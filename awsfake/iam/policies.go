package iam

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

func (s *Service) policyOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("CreatePolicy", s.createPolicy),
		wire.Op("GetPolicy", s.getPolicy),
		wire.Op("ListPolicies", s.listPolicies),
		wire.Op("DeletePolicy", s.deletePolicy),
		wire.Op("CreatePolicyVersion", s.createPolicyVersion),
		wire.Op("GetPolicyVersion", s.getPolicyVersion),
		wire.Op("ListPolicyVersions", s.listPolicyVersions),
		wire.Op("SetDefaultPolicyVersion", s.setDefaultPolicyVersion),
		wire.Op("DeletePolicyVersion", s.deletePolicyVersion),
		wire.Op("TagPolicy", s.tagPolicy),
		wire.Op("UntagPolicy", s.untagPolicy),
		wire.Op("ListPolicyTags", s.listPolicyTags),
		wire.Op("ListEntitiesForPolicy", s.listEntitiesForPolicy),
	}
}

const (
	maxPolicies = 1500
	maxManaged  = 6144 // characters, white space not counted
	maxVersions = 5
)

type policyAnswer struct {
	PolicyName                    string
	PolicyID                      string `xml:"PolicyId"`
	ARN                           string `xml:"Arn"`
	Path                          string
	DefaultVersionID              string `xml:"DefaultVersionId"`
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   string `xml:",omitempty"`
	CreateDate                    wire.Time
	UpdateDate                    wire.Time
	Tags                          *list[wire.Tag] `xml:",omitempty"`
}

// policyBrief is a policy as lists tell it.
func (s *State) policyBrief(p *Policy) policyAnswer {
	attached, bounding := s.uses(p.ARN)
	return policyAnswer{
		PolicyName: p.Name, PolicyID: p.ID, ARN: p.ARN, Path: p.Path, DefaultVersionID: p.Default,
		AttachmentCount: attached, PermissionsBoundaryUsageCount: bounding, IsAttachable: true,
		CreateDate: wire.Time{Time: p.Created}, UpdateDate: wire.Time{Time: p.Updated},
	}
}

// uses counts to how many users and roles a policy is attached, and how many
// it bounds.
func (s *State) uses(arn string) (attached, bounding int) {
	count := func(p Permissions) {
		if slices.Contains(p.Attached, arn) {
			attached++
		}
		if p.Boundary == arn {
			bounding++
		}
	}
	for _, u := range s.Users {
		count(u.Permissions)
	}
	for _, r := range s.Roles {
		count(r.Permissions)
	}
	return attached, bounding
}

type policyResult struct{ Policy policyAnswer }

func (s *State) policyAnswer(p *Policy) policyResult {
	a := s.policyBrief(p)
	a.Description, a.Tags = p.Description, tagList(p.Tags)
	return policyResult{a}
}

type createPolicyInput struct {
	PolicyName     string
	PolicyDocument string
	Path           *string
	Description    *string
	Tags           []wire.Tag
}

// createPolicy makes a managed policy with one version
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html).
func (s *Service) createPolicy(c *wire.Call, in createPolicyInput) (policyResult, error) {
	var v checks
	v.name("policyName", in.PolicyName, 128)
	v.document("policyDocument", in.PolicyDocument)
	v.path("path", in.Path)
	v.Length("description", valueOr(in.Description, ""), 0, 1000)
	v.tags(in.Tags)
	if err := v.err(c); err != nil {
		return policyResult{}, err
	}
	identity := newIdentity(c, kind{noun: "policy"}, policyPrefix, in.PolicyName, in.Path, in.Tags)
	if err := s.authorizeNew(c, identity, nil); err != nil {
		return policyResult{}, err
	}
	if err := checkManaged(in.PolicyDocument); err != nil {
		return policyResult{}, err
	}
	switch {
	case s.policyNamed(in.PolicyName):
		return policyResult{}, wire.Conflict("EntityAlreadyExists", "A policy called "+in.PolicyName+" already exists. Duplicate names are not allowed.")
	case len(s.State.Policies) >= maxPolicies:
		return policyResult{}, limit("Cannot exceed quota for PoliciesPerAccount: %d", maxPolicies)
	}
	p := &Policy{Identity: identity, Description: valueOr(in.Description, "")}
	p.add(in.PolicyDocument, true, identity.Created)
	put(&s.State.Policies, p.ARN, p)
	return s.State.policyAnswer(p), nil
}

func (s *Service) policyNamed(name string) bool {
	for _, p := range s.State.Policies {
		if strings.EqualFold(p.Name, name) {
			return true
		}
	}
	return false
}

// checkManaged wants a document to be a managed policy.
func checkManaged(document string) error {
	if err := malformed(permissionProblem(document)); err != nil {
		return err
	}
	if characters(document) > maxManaged {
		return limit("Cannot exceed quota for PolicySize: %d", maxManaged)
	}
	return nil
}

// add appends a version. Their numbers are never used again.
func (p *Policy) add(document string, isDefault bool, now time.Time) Version {
	p.Made++
	v := Version{ID: "v" + strconv.Itoa(p.Made), Document: document, Created: now}
	p.Versions = append(p.Versions, v)
	p.Updated = now
	if isDefault {
		p.Default = v.ID
	}
	return v
}

type policyInput struct {
	PolicyARN string `query:"PolicyArn"`
	VersionID string `query:"VersionId"`
}

// managed is begin for an operation on a managed policy.
func (s *Service) managed(c *wire.Call, arn string, v *checks, context map[string]string) (*Policy, error) {
	v.arn("policyArn", arn)
	if err := v.err(c); err != nil {
		return nil, err
	}
	p, ok := s.State.policy(arn)
	keys := map[string]string{}
	if ok {
		keys = resourceTags(p.Tags)
	}
	for key, value := range context {
		keys[key] = value
	}
	if err := c.Authorize("iam:"+c.Operation, arn, keys); err != nil {
		return nil, err
	}
	if !ok {
		return nil, noPolicy(arn)
	}
	return p, nil
}

func noPolicy(arn string) error {
	return wire.NotFound("NoSuchEntity", "Policy "+arn+" was not found.")
}

// ours is managed for an operation that changes the policy, as nobody may with
// one of AWS's.
func (s *Service) ours(c *wire.Call, arn string, v *checks, context map[string]string) (*Policy, error) {
	p, err := s.managed(c, arn, v, context)
	if err == nil && isAWS(p.ARN) {
		return nil, wire.Forbidden("AccessDenied", fmt.Sprintf("User: %s is not authorized to perform: iam:%s on resource: policy %s", c.Caller.ARN, c.Operation, arn))
	}
	return p, err
}

func (s *Service) getPolicy(c *wire.Call, in policyInput) (policyResult, error) {
	p, err := s.managed(c, in.PolicyARN, new(checks), nil)
	if err != nil {
		return policyResult{}, err
	}
	return s.State.policyAnswer(p), nil
}

type listPoliciesInput struct {
	paging
	Scope             string
	OnlyAttached      bool
	PathPrefix        *string
	PolicyUsageFilter string
}

type policiesAnswer struct {
	Policies list[policyAnswer]
	more
}

func (s *Service) listPolicies(c *wire.Call, in listPoliciesInput) (policiesAnswer, error) {
	var v checks
	in.check(&v.Checks)
	v.prefix(in.PathPrefix)
	if in.Scope != "" {
		v.Enum("scope", in.Scope, "All", "AWS", "Local")
	}
	if in.PolicyUsageFilter != "" {
		v.Enum("policyUsageFilter", in.PolicyUsageFilter, "PermissionsPolicy", "PermissionsBoundary")
	}
	if err := v.err(c); err != nil {
		return policiesAnswer{}, err
	}
	if err := c.Authorize("iam:ListPolicies", "*", nil); err != nil {
		return policiesAnswer{}, err
	}
	part, more, err := page(in.paging, s.listed(c, in))
	return policiesAnswer{listed(part, s.State.policyBrief), more}, err
}

// listed are the policies that a list was asked for, the account's own first.
func (s *Service) listed(c *wire.Call, in listPoliciesInput) []*Policy {
	var found []*Policy
	if in.Scope != "AWS" {
		found = sorted(s.State.Policies)
	}
	if in.Scope != "Local" {
		found = append(found, allManagedByAWS(c.Partition())...)
	}
	return slices.DeleteFunc(found, func(p *Policy) bool {
		attached, bounding := s.State.uses(p.ARN)
		return !strings.HasPrefix(p.Path, valueOr(in.PathPrefix, "/")) ||
			in.OnlyAttached && attached+bounding == 0 ||
			in.PolicyUsageFilter == "PermissionsPolicy" && attached == 0 ||
			in.PolicyUsageFilter == "PermissionsBoundary" && bounding == 0
	})
}

// deletePolicy wants the policy to be unused and to have one version
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html).
func (s *Service) deletePolicy(c *wire.Call, in policyInput) (wire.Empty, error) {
	p, err := s.ours(c, in.PolicyARN, new(checks), nil)
	if err != nil {
		return wire.Empty{}, err
	}
	attached, bounding := s.State.uses(p.ARN)
	switch {
	case attached+bounding > 0:
		return wire.Empty{}, notEmpty("Cannot delete a policy attached to entities.")
	case len(p.Versions) > 1:
		return wire.Empty{}, notEmpty("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
	}
	delete(s.State.Policies, p.ARN)
	return wire.Empty{}, nil
}

type versionAnswer struct {
	Document         string `xml:",omitempty"`
	VersionID        string `xml:"VersionId"`
	IsDefaultVersion bool
	CreateDate       wire.Time
}

func (p *Policy) versionBrief(v Version) versionAnswer {
	return versionAnswer{VersionID: v.ID, IsDefaultVersion: v.ID == p.Default, CreateDate: wire.Time{Time: v.Created}}
}

type versionResult struct{ PolicyVersion versionAnswer }

type createVersionInput struct {
	PolicyARN      string `query:"PolicyArn"`
	PolicyDocument string
	SetAsDefault   bool
}

func (s *Service) createPolicyVersion(c *wire.Call, in createVersionInput) (versionResult, error) {
	var v checks
	v.document("policyDocument", in.PolicyDocument)
	p, err := s.ours(c, in.PolicyARN, &v, nil)
	if err != nil {
		return versionResult{}, err
	}
	if err := checkManaged(in.PolicyDocument); err != nil {
		return versionResult{}, err
	}
	if len(p.Versions) >= maxVersions {
		return versionResult{}, limit("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
	}
	made := p.add(in.PolicyDocument, in.SetAsDefault, c.Now().Truncate(time.Second))
	return versionResult{p.versionBrief(made)}, nil
}

// findVersion looks for the version that an operation names.
func (p *Policy) findVersion(id string) (Version, error) {
	v, ok := p.version(id)
	if !ok {
		return Version{}, wire.NotFound("NoSuchEntity", fmt.Sprintf("Policy %s version %s does not exist or is not attachable.", p.ARN, id))
	}
	return v, nil
}

func (v *checks) versionID(id string) {
	v.Required("versionId", id != "")
	if id != "" {
		v.Pattern("versionId", id, `v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`)
	}
}

func (s *Service) getPolicyVersion(c *wire.Call, in policyInput) (versionResult, error) {
	var v checks
	v.versionID(in.VersionID)
	p, err := s.managed(c, in.PolicyARN, &v, nil)
	if err != nil {
		return versionResult{}, err
	}
	found, err := p.findVersion(in.VersionID)
	if err != nil {
		return versionResult{}, err
	}
	answer := p.versionBrief(found)
	answer.Document = encoded(found.Document)
	return versionResult{answer}, nil
}

type listOfPolicy struct {
	PolicyARN string `query:"PolicyArn"`
	paging
}

type versionsAnswer struct {
	Versions list[versionAnswer]
	more
}

// listPolicyVersions tells the newest version first.
func (s *Service) listPolicyVersions(c *wire.Call, in listOfPolicy) (versionsAnswer, error) {
	var v checks
	in.check(&v.Checks)
	p, err := s.managed(c, in.PolicyARN, &v, nil)
	if err != nil {
		return versionsAnswer{}, err
	}
	all := slices.Clone(p.Versions)
	slices.Reverse(all)
	part, more, err := page(in.paging, all)
	return versionsAnswer{listed(part, p.versionBrief), more}, err
}

func (s *Service) setDefaultPolicyVersion(c *wire.Call, in policyInput) (wire.Empty, error) {
	var v checks
	v.versionID(in.VersionID)
	p, err := s.ours(c, in.PolicyARN, &v, nil)
	if err != nil {
		return wire.Empty{}, err
	}
	if _, err := p.findVersion(in.VersionID); err != nil {
		return wire.Empty{}, err
	}
	p.Default, p.Updated = in.VersionID, c.Now().Truncate(time.Second)
	return wire.Empty{}, nil
}

func (s *Service) deletePolicyVersion(c *wire.Call, in policyInput) (wire.Empty, error) {
	var v checks
	v.versionID(in.VersionID)
	p, err := s.ours(c, in.PolicyARN, &v, nil)
	if err != nil {
		return wire.Empty{}, err
	}
	if _, err := p.findVersion(in.VersionID); err != nil {
		return wire.Empty{}, err
	}
	if p.Default == in.VersionID {
		return wire.Empty{}, notEmpty("Cannot delete the default version of a policy.")
	}
	p.Versions = slices.DeleteFunc(p.Versions, func(v Version) bool { return v.ID == in.VersionID })
	return wire.Empty{}, nil
}

type tagPolicyInput struct {
	PolicyARN string `query:"PolicyArn"`
	Tags      []wire.Tag
	TagKeys   []string
}

func (s *Service) tagPolicy(c *wire.Call, in tagPolicyInput) (wire.Empty, error) {
	var v checks
	v.tags(in.Tags)
	p, err := s.ours(c, in.PolicyARN, &v, wire.RequestTags(in.Tags))
	if err != nil {
		return wire.Empty{}, err
	}
	all, err := tagged(p.Tags, in.Tags)
	if err == nil {
		p.Tags = all
	}
	return wire.Empty{}, err
}

func (s *Service) untagPolicy(c *wire.Call, in tagPolicyInput) (wire.Empty, error) {
	p, err := s.ours(c, in.PolicyARN, new(checks), nil)
	if err == nil {
		p.Tags = untagged(p.Tags, in.TagKeys)
	}
	return wire.Empty{}, err
}

func (s *Service) listPolicyTags(c *wire.Call, in listOfPolicy) (tagsAnswer, error) {
	var v checks
	in.check(&v.Checks)
	p, err := s.managed(c, in.PolicyARN, &v, nil)
	if err != nil {
		return tagsAnswer{}, err
	}
	part, more, err := page(in.paging, p.Tags)
	return tagsAnswer{listed(part, same), more}, err
}
