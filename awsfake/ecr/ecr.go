// Package ecr is Amazon ECR as far as a box needs it: authorisation tokens for
// docker login, and repositories with their policies
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html).
//
// It differs from AWS in this: there is no registry behind it, so no image is
// ever in a repository, ListImages and DescribeImages are always empty, and
// lifecycle policies have nothing to end; repository policies are kept and
// decide about the repository, but only calls from the account itself come.
package ecr

import (
	"fmt"
	"time"

	"tegata/awsfake/wire"
)

// State is what one account keeps. The zero value is ready.
type State struct {
	Regions map[string]*Region
	// Tokens are the passwords that were handed out: the hex SHA-256 of each,
	// and when it ends.
	Tokens map[string]time.Time
}

// A Region is the private registry of one region.
type Region struct {
	Repositories map[string]*Repository // by name
}

// A Repository is one without images.
type Repository struct {
	ARN         string
	Name        string
	Registry    string // the account
	Created     time.Time
	Mutability  string // MUTABLE or IMMUTABLE
	ScanOnPush  bool
	Policy      string    // JSON, "" for none
	Lifecycle   string    // JSON, "" for none
	LifecycleAt time.Time // when that was put
	Tags        []wire.Tag
}

// Service is ECR over one account's state.
type Service struct{ State *State }

// Wire returns ECR as the account offers it: JSON 1.1 at api.ecr.REGION.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ecr", Hosts: []string{"api.ecr"}, Protocol: wire.JSON,
		Target: "AmazonEC2ContainerRegistry_V20150921",
		Operations: []wire.Operation{
			wire.Op("GetAuthorizationToken", s.getAuthorizationToken),
			wire.Op("CreateRepository", s.createRepository),
			wire.Op("DescribeRepositories", s.describeRepositories),
			wire.Op("DeleteRepository", s.deleteRepository),
			wire.Op("ListImages", s.listImages),
			wire.Op("GetRepositoryPolicy", s.getPolicy),
			wire.Op("SetRepositoryPolicy", s.setPolicy),
			wire.Op("DeleteRepositoryPolicy", s.deletePolicy),
			wire.Op("DescribeImages", s.describeImages),
			wire.Op("PutImageTagMutability", s.putMutability),
			wire.Op("PutImageScanningConfiguration", s.putScanning),
			wire.Op("PutLifecyclePolicy", s.putLifecycle),
			wire.Op("GetLifecyclePolicy", s.getLifecycle),
			wire.Op("DeleteLifecyclePolicy", s.deleteLifecycle),
			wire.Op("TagResource", s.tag),
			wire.Op("UntagResource", s.untag),
			wire.Op("ListTagsForResource", s.listTags),
		},
	}
}

func (s *Service) region(c *wire.Call) *Region {
	if s.State.Regions == nil {
		s.State.Regions = map[string]*Region{}
	}
	r := s.State.Regions[c.Region]
	if r == nil {
		r = &Region{Repositories: map[string]*Repository{}}
		s.State.Regions[c.Region] = r
	}
	return r
}

// registry is the account that an input means, its own where it says none.
func registry(c *wire.Call, id string) string {
	if id == "" {
		return c.Account
	}
	return id
}

func repositoryARN(c *wire.Call, registry, name string) string {
	return "arn:" + c.Partition() + ":ecr:" + c.Region + ":" + registry + ":repository/" + name
}

func host(c *wire.Call, registry string) string {
	suffix := "amazonaws.com"
	if c.Partition() == "aws-cn" {
		suffix += ".cn"
	}
	return registry + ".dkr.ecr." + c.Region + "." + suffix
}

func notFound(name, registry string) error {
	return wire.Refuse("RepositoryNotFoundException", fmt.Sprintf(
		"The repository with name '%s' does not exist in the registry with id '%s'", name, registry))
}
