package iam

// A Quota is a limit of the account, as Service Quotas tells it.
type Quota struct {
	Code, Name string
	Limit      int
}

// Quotas returns those that can be raised, and that [Service] keeps to
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
func Quotas() []Quota {
	return []Quota{
		{"L-E95E4862", "Customer managed policies per account", maxPolicies},
		{"L-6E65F664", "Instance profiles per account", maxProfiles},
		{"L-0DA4ABF3", "Managed policies per role", maxAttached},
		{"L-4019AD8B", "Managed policies per user", maxAttached},
		{"L-858F3967", "OpenId connect providers per account", maxProviders},
		{"L-C07B4B0D", "Role trust policy length", maxTrust},
		{"L-FE177D64", "Roles per account", maxRoles},
	}
}
