package iam

import "tegata/awsfake/wire"

// The account has no groups, passwords and credentials of other kinds. Clients
// ask for them before they delete a user, and get empty lists.

type groupsAnswer struct {
	Groups list[struct{}]
	more
}

type mfaAnswer struct {
	MFADevices list[struct{}]
	more
}

type virtualMFAAnswer struct {
	VirtualMFADevices list[struct{}]
	more
}

type sshAnswer struct {
	SSHPublicKeys list[struct{}]
	more
}

type certificatesAnswer struct {
	Certificates list[struct{}]
	more
}

type specificAnswer struct {
	ServiceSpecificCredentials list[struct{}]
	more
}

type ofUser struct{ UserName *string }

// nothingOf answers with an empty list of what a user might have.
func nothingOf[Out any](s *Service, operation string) wire.Operation {
	return wire.Op(operation, func(c *wire.Call, in ofUser) (none Out, err error) {
		name, err := own(c, in.UserName)
		if err == nil {
			_, err = s.begin(c, userKind, name, new(checks), nil)
		}
		return none, err
	})
}

// noneCalled is the answer to operations on something by name that nobody has;
// text says so of the user.
func (s *Service) noneCalled(operation, before, after string) wire.Operation {
	return wire.Op(operation, func(c *wire.Call, in ofUser) (wire.Empty, error) {
		name, err := own(c, in.UserName)
		if err == nil {
			_, err = s.begin(c, userKind, name, new(checks), nil)
		}
		if err != nil {
			return wire.Empty{}, err
		}
		return wire.Empty{}, wire.NotFound("NoSuchEntity", before+name+after)
	})
}

func (s *Service) otherOperations() []wire.Operation {
	return []wire.Operation{
		nothingOf[groupsAnswer](s, "ListGroupsForUser"),
		nothingOf[mfaAnswer](s, "ListMFADevices"),
		nothingOf[sshAnswer](s, "ListSSHPublicKeys"),
		nothingOf[certificatesAnswer](s, "ListSigningCertificates"),
		nothingOf[specificAnswer](s, "ListServiceSpecificCredentials"),
		s.noneCalled("GetLoginProfile", "Login Profile for User ", " cannot be found."),
		s.noneCalled("DeleteLoginProfile", "Login Profile for User ", " cannot be found."),
		wire.Op("ListVirtualMFADevices", func(c *wire.Call, in paging) (virtualMFAAnswer, error) {
			return virtualMFAAnswer{}, in.allow(c)
		}),
		wire.Op("ListGroups", func(c *wire.Call, in listInput) (groupsAnswer, error) {
			return groupsAnswer{}, in.check(c, kind{noun: "group"})
		}),
	}
}
