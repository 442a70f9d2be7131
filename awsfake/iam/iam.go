// Package iam is Identity and Access Management: who there is in the account,
// and what each may do.
//
// A [Service] answers the calls; what it keeps is its [State], which others
// read through [Service.Key], [Service.Role], [Service.InstanceProfile] and
// [State.Provider], and a scenario fills through [State.PutRole] and its like.
//
// What differs from AWS: there are no groups, passwords, MFA devices and
// certificates (lists of them are empty, making one is no operation); every
// change holds at once, but for keys and instance profiles younger than
// [Options.Propagation]; of AWS's own policies there are the few in the folder
// managed, abridged; aws:TagKeys is not there for calls that take tags away, and
// the keys of services behind others never are; quotas are the defaults of
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
// Texts of errors are those that accounts report.
package iam

import (
	"slices"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// Options are the knobs of a [Service].
type Options struct {
	// Propagation is how old an access key or an instance profile has to be
	// before other services know it; zero means at once.
	Propagation time.Duration
}

// A Service is IAM in one account.
type Service struct {
	State   *State
	Options Options

	parsed map[string]policy.Document // by their texts
}

// Wire returns IAM as the account serves it.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "iam", Global: true, Version: "2010-05-08", Namespace: "https://iam.amazonaws.com/doc/2010-05-08/", Protocol: wire.Query,
		Operations: slices.Concat(s.userOperations(), s.keyOperations(), s.roleOperations(), s.profileOperations(),
			s.policyOperations(), s.permissionOperations(userKind), s.permissionOperations(roleKind),
			s.providerOperations(), s.simulationOperations(), s.accountOperations(), s.otherOperations()),
	}
}
