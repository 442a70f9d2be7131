package sandbox

import (
	"time"

	"tegata/emulator"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

// Metadata returns the options with which an emulator is the metadata service
// of the scenario, without AWS around it. What is to happen in a while counts
// from now.
func (s Scenario) Metadata() (emulator.Options, error) {
	if err := s.Validate(); err != nil {
		return emulator.Options{}, err
	}
	replies, err := fault.New(s.Replies)
	if err != nil {
		return emulator.Options{}, err
	}
	now := func() time.Time { return time.Now().Add(s.ClockSkew) }
	o, err := s.metadata(replies, now())
	if s.ClockSkew != 0 {
		o.Now = now
	}
	return o, err
}

// metadata is how the metadata service is set up, in a scenario that began
// then.
func (s Scenario) metadata(replies *fault.Set, begun time.Time) (emulator.Options, error) {
	role, err := s.Role.emulated()
	return emulator.Options{
		Instance:  emulator.Instance(s.Instance),
		Tokens:    s.IMDS.Tokens,
		Disabled:  s.IMDS.Endpoint == "disabled",
		HopLimit:  s.IMDS.HopLimit,
		Hops:      s.IMDS.Hops,
		Bridged:   s.IMDS.Bridged,
		Profile:   s.IMDS.Profile,
		Throttle:  emulator.Throttle(s.IMDS.Throttle),
		Events:    s.Events.from(begun),
		Tags:      s.IMDS.Tags,
		Role:      role,
		Replies:   replies,
		KeepAlive: s.IMDS.KeepAlive,
	}, err
}

// emulated is the role as the metadata service has it: nil if none is
// attached. EC2 gets no credentials for a role that does not trust it.
func (r Role) emulated() (*emulator.Role, error) {
	if !r.Attached {
		return nil, nil
	}
	trust, err := policy.Parse(r.Trust)
	if err != nil {
		return nil, err
	}
	role := &emulator.Role{Name: r.Name, Profile: r.Profile, Lifetime: r.Lifetime}
	if !policy.Trusts(trust, "ec2.amazonaws.com") {
		role.Failure = "AssumeRoleUnauthorizedAccess"
	} else {
		role.Expired = r.Credentials == "expired"
	}
	return role, nil
}
