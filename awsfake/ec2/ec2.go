// Package ec2 is the part of Elastic Compute Cloud that an instance's identity
// hangs on: its metadata options, its instance profile, its tags, and what one
// asks to find them.
//
// Instances are put there by [State.Launch]; the API launches and ends none.
// What the API changes, [Service.Metadata] tells to whoever serves the
// instance's metadata. Changes come into force after the delays of [Options],
// by the clock of the call: nothing here runs by itself.
//
// What differs from AWS: networks, images, volumes and instance types are those
// that an instance names, with the attributes that follow from it; an instance
// tells of its primary network interface alone; tags are those of instances;
// account defaults are kept and told, but nothing is launched by them; EC2
// notices a role taken out of an instance profile at once, where AWS takes up
// to an hour
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html).
// Error texts are those that AWS was seen to send, or those of
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html;
// for a hop limit out of range and a wrong imdsSupport they are made up after
// their neighbours.
package ec2

import (
	"maps"
	"slices"
	"time"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

// State is what EC2 keeps of one account. The zero value is ready.
type State struct {
	Regions map[string]*Region // by name
}

// A Region is what one region keeps.
type Region struct {
	Instances    map[string]*Instance    // by id
	Associations map[string]*Association // of instance profiles, by id
	Images       map[string]*Image       // by id
	Defaults     Defaults
}

// Options are the delays of EC2. Zero means at once.
type Options struct {
	Apply     time.Duration // from the change of metadata options until they are applied
	Associate time.Duration // until the metadata follows the change of an instance profile
}

// A Directory is where EC2 finds instance profiles: IAM.
type Directory interface {
	// InstanceProfile returns a profile by its name, without a path, as other
	// services know it at a moment: not while it is too young.
	InstanceProfile(name string, now time.Time) (InstanceProfile, bool)
}

// An InstanceProfile is one as IAM has it.
type InstanceProfile struct {
	ARN, ID, Name string
	Role          *Role // nil: it contains none
}

// A Role is the role in an instance profile.
type Role struct {
	ARN, ID, Name string
	Trust         policy.Document
}

// A Service is EC2 in one account.
type Service struct {
	State     *State
	Directory Directory
	Options   Options
}

// Wire returns EC2 as the account serves it.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ec2", Version: "2016-11-15", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", Protocol: wire.EC2Query,
		Operations: slices.Concat(s.instanceOperations(), s.metadataOperations(), s.profileOperations(), s.placeOperations()),
	}
}

func (s *Service) instanceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("DescribeInstances", s.describeInstances),
		wire.Op("DescribeInstanceStatus", s.describeInstanceStatus),
		wire.Op("DescribeInstanceAttribute", s.describeInstanceAttribute),
		wire.Op("DescribeInstanceTypes", s.describeInstanceTypes),
		wire.Op("DescribeInstanceCreditSpecifications", s.describeCredits),
		wire.Op("DescribeVolumes", s.describeVolumes),
		wire.Op("DescribeImages", s.describeImages),
		wire.Op("DescribeImageAttribute", s.describeImageAttribute),
		wire.Op("ModifyImageAttribute", s.modifyImageAttribute),
		wire.Op("DescribeTags", s.describeTags),
		wire.Op("CreateTags", s.createTags),
		wire.Op("DeleteTags", s.deleteTags),
	}
}

func (s *Service) metadataOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("ModifyInstanceMetadataOptions", s.modifyInstanceMetadataOptions),
		wire.Op("GetInstanceMetadataDefaults", s.getInstanceMetadataDefaults),
		wire.Op("ModifyInstanceMetadataDefaults", s.modifyInstanceMetadataDefaults),
	}
}

func (s *Service) profileOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("AssociateIamInstanceProfile", s.associate),
		wire.Op("DescribeIamInstanceProfileAssociations", s.describeAssociations),
		wire.Op("ReplaceIamInstanceProfileAssociation", s.replaceAssociation),
		wire.Op("DisassociateIamInstanceProfile", s.disassociate),
	}
}

func (s *Service) placeOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("DescribeRegions", s.describeRegions),
		wire.Op("DescribeAvailabilityZones", s.describeAvailabilityZones),
		wire.Op("DescribeVpcs", s.describeVpcs),
		wire.Op("DescribeVpcAttribute", s.describeVpcAttribute),
		wire.Op("DescribeSubnets", s.describeSubnets),
		wire.Op("DescribeSecurityGroups", s.describeSecurityGroups),
	}
}

// Region returns a region to be changed.
func (s *State) Region(name string) *Region {
	if s.Regions == nil {
		s.Regions = map[string]*Region{}
	}
	if s.Regions[name] == nil {
		s.Regions[name] = &Region{}
	}
	return s.Regions[name]
}

// at returns a region to be read.
func (s *State) at(name string) *Region {
	if r := s.Regions[name]; r != nil {
		return r
	}
	return &Region{}
}

// inOrder returns the values of a map by their keys.
func inOrder[T any](m map[string]T) []T {
	all := make([]T, 0, len(m))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		all = append(all, m[key])
	}
	return all
}
