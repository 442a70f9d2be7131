package iam

import (
	"encoding/xml"
	"maps"
	"slices"

	"tegata/awsfake/wire"
)

func (s *Service) accountOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("GetAccountSummary", s.getAccountSummary),
		wire.Op("ListAccountAliases", s.listAccountAliases),
		wire.Op("GetAccountAuthorizationDetails", s.getAccountAuthorizationDetails),
	}
}

// figures are a map of an answer.
type figures map[string]int

// MarshalXML writes an entry for each key, sorted.
func (f figures) MarshalXML(e *xml.Encoder, start xml.StartElement) error {
	type entry struct {
		Key   string `xml:"key"`
		Value int    `xml:"value"`
	}
	var all struct {
		Entries []entry `xml:"entry"`
	}
	for _, key := range slices.Sorted(maps.Keys(f)) {
		all.Entries = append(all.Entries, entry{key, f[key]})
	}
	return e.EncodeElement(all, start)
}

type summaryAnswer struct{ SummaryMap figures }

// getAccountSummary counts what there is, beside what there may be
// (https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html).
func (s *Service) getAccountSummary(c *wire.Call, _ wire.Empty) (summaryAnswer, error) {
	if err := c.Authorize("iam:GetAccountSummary", "*", nil); err != nil {
		return summaryAnswer{}, err
	}
	versions := 0
	for _, p := range s.State.Policies {
		versions += len(p.Versions)
	}
	return summaryAnswer{figures{
		"Users": len(s.State.Users), "UsersQuota": maxUsers,
		"Roles": len(s.State.Roles), "RolesQuota": maxRoles,
		"InstanceProfiles": len(s.State.InstanceProfiles), "InstanceProfilesQuota": maxProfiles,
		"Policies": len(s.State.Policies), "PoliciesQuota": maxPolicies,
		"PolicyVersionsInUse": versions, "VersionsPerPolicyQuota": maxVersions, "PolicySizeQuota": maxManaged,
		"UserPolicySizeQuota": userKind.maxInline(), "AssumeRolePolicySizeQuota": maxTrust,
		"AccessKeysPerUserQuota": maxKeys, "AttachedPoliciesPerUserQuota": maxAttached, "AttachedPoliciesPerRoleQuota": maxAttached,
		"Providers": len(s.State.Providers), "Groups": 0, "MFADevices": 0, "MFADevicesInUse": 0, "ServerCertificates": 0,
		"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0, "AccountSigningCertificatesPresent": 0,
	}}, nil
}

type aliasesAnswer struct {
	AccountAliases list[string]
	more
}

func (s *Service) listAccountAliases(c *wire.Call, in paging) (aliasesAnswer, error) {
	return aliasesAnswer{}, in.allow(c)
}

type detailsInput struct {
	Filter []string
	paging
}

type inlineDetail struct{ PolicyName, PolicyDocument string }

type userDetail struct {
	userAnswer
	UserPolicyList          list[inlineDetail]
	GroupList               list[struct{}]
	AttachedManagedPolicies list[attachedPolicy]
}

type roleDetail struct {
	roleAnswer
	InstanceProfileList     list[profileAnswer]
	RolePolicyList          list[inlineDetail]
	AttachedManagedPolicies list[attachedPolicy]
}

type policyDetail struct {
	policyAnswer
	PolicyVersionList list[versionAnswer]
}

type detailsAnswer struct {
	UserDetailList  list[userDetail]
	GroupDetailList list[struct{}]
	RoleDetailList  list[roleDetail]
	Policies        list[policyDetail]
	more
}

// getAccountAuthorizationDetails tells everything about who may do what, or
// about the kinds that the filter names. Of AWS's policies it tells those in
// use.
func (s *Service) getAccountAuthorizationDetails(c *wire.Call, in detailsInput) (detailsAnswer, error) {
	var v checks
	in.check(&v.Checks)
	for _, f := range in.Filter {
		v.Enum("filter", f, "User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy")
	}
	if err := v.err(c); err != nil {
		return detailsAnswer{}, err
	}
	if err := c.Authorize("iam:GetAccountAuthorizationDetails", "*", nil); err != nil {
		return detailsAnswer{}, err
	}
	part, more, err := page(in.paging, s.details(c, in.Filter))
	answer := detailsAnswer{more: more}
	for _, add := range part {
		add(&answer)
	}
	return answer, err
}

// details are the items that an answer may get, in order.
func (s *Service) details(c *wire.Call, filter []string) []func(*detailsAnswer) {
	var all []func(*detailsAnswer)
	wanted := func(kind string) bool { return len(filter) == 0 || slices.Contains(filter, kind) }
	if wanted("User") {
		for _, u := range sorted(s.State.Users) {
			all = append(all, func(a *detailsAnswer) { a.UserDetailList.Members = append(a.UserDetailList.Members, u.detail()) })
		}
	}
	if wanted("Role") {
		for _, r := range sorted(s.State.Roles) {
			all = append(all, func(a *detailsAnswer) { a.RoleDetailList.Members = append(a.RoleDetailList.Members, s.roleDetail(r)) })
		}
	}
	for _, p := range append(sorted(s.State.Policies), allManagedByAWS(c.Partition())...) {
		attached, bounding := s.State.uses(p.ARN)
		if isAWS(p.ARN) && wanted("AWSManagedPolicy") && attached+bounding > 0 || !isAWS(p.ARN) && wanted("LocalManagedPolicy") {
			all = append(all, func(a *detailsAnswer) { a.Policies.Members = append(a.Policies.Members, s.policyDetail(p)) })
		}
	}
	return all
}

func (p Permissions) inlineDetails() list[inlineDetail] {
	return listed(slices.Sorted(maps.Keys(p.Inline)), func(name string) inlineDetail { return inlineDetail{name, encoded(p.Inline[name])} })
}

func (u *User) detail() userDetail {
	return userDetail{userAnswer: u.answer(), UserPolicyList: u.inlineDetails(), AttachedManagedPolicies: listed(u.Attached, attachedAs)}
}

func (s *Service) roleDetail(r *Role) roleDetail {
	answer := r.answer()
	answer.Description, answer.MaxSessionDuration = "", 0
	return roleDetail{answer, listed(s.State.profilesOf(r.Name), s.profileBrief), r.inlineDetails(), listed(r.Attached, attachedAs)}
}

func (s *Service) policyDetail(p *Policy) policyDetail {
	return policyDetail{s.State.policyBrief(p), listed(p.Versions, func(v Version) versionAnswer {
		told := p.versionBrief(v)
		told.Document = encoded(v.Document)
		return told
	})}
}
