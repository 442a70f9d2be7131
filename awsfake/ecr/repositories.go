package ecr

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sync"

	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

const namePattern = `(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*`

// A target names one repository, as most operations do.
type target struct {
	RegistryID     string  `json:"registryId"`
	RepositoryName *string `json:"repositoryName"`
}

func checkName(v *wire.Checks, name *string) {
	v.Required("repositoryName", name != nil)
	if name != nil {
		v.Length("repositoryName", *name, 2, 256)
	}
}

var patternOfNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^(?:" + namePattern + ")$") })

// wellNamed refuses what can't be a name, in words of ECR's own.
func wellNamed(name string) error {
	if patternOfNames().MatchString(name) {
		return nil
	}
	return wire.Refuse("InvalidParameterException", "Invalid parameter at 'repositoryName' failed to satisfy constraint: "+
		"'must satisfy regular expression '"+namePattern+"''")
}

// find authorises an action on the repository that is meant, and looks it up.
func (s *Service) find(c *wire.Call, action string, in target) (*Repository, error) {
	var v wire.Checks
	checkName(&v, in.RepositoryName)
	if err := v.Err(c); err != nil {
		return nil, err
	}
	if err := wellNamed(*in.RepositoryName); err != nil {
		return nil, err
	}
	return s.lookUp(c, action, registry(c, in.RegistryID), *in.RepositoryName)
}

func (s *Service) lookUp(c *wire.Call, action, registry, name string) (*Repository, error) {
	return s.lookUpWith(c, action, registry, name, nil)
}

func (s *Service) lookUpWith(c *wire.Call, action, registry, name string, context map[string]string) (*Repository, error) {
	var r *Repository
	if registry == c.Account {
		r = s.region(c).Repositories[name]
	}
	if err := c.AuthorizeOn("ecr:"+action, repositoryARN(c, registry, name), own(r), context); err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFound(name, registry)
	}
	return r, nil
}

// own is the policy of a repository, nil for none.
func own(r *Repository) *policy.Named {
	if r == nil || r.Policy == "" {
		return nil
	}
	document, err := policy.Parse([]byte(r.Policy))
	if err != nil {
		return nil // SetRepositoryPolicy keeps none that can't be read
	}
	return &policy.Named{Name: "policy of the repository " + r.Name, Document: document}
}

type shown struct {
	RepositoryARN              string    `json:"repositoryArn"`
	RegistryID                 string    `json:"registryId"`
	RepositoryName             string    `json:"repositoryName"`
	RepositoryURI              string    `json:"repositoryUri"`
	CreatedAt                  wire.Time `json:"createdAt"`
	ImageTagMutability         string    `json:"imageTagMutability"`
	ImageScanningConfiguration scanning  `json:"imageScanningConfiguration"`
	EncryptionConfiguration    struct {
		EncryptionType string `json:"encryptionType"`
	} `json:"encryptionConfiguration"`
}

type scanning struct {
	ScanOnPush bool `json:"scanOnPush"`
}

func show(c *wire.Call, r *Repository) shown {
	out := shown{
		RepositoryARN: r.ARN, RegistryID: r.Registry, RepositoryName: r.Name,
		RepositoryURI: host(c, r.Registry) + "/" + r.Name, CreatedAt: wire.Time{Time: r.Created},
		ImageTagMutability: r.Mutability, ImageScanningConfiguration: scanning{r.ScanOnPush},
	}
	out.EncryptionConfiguration.EncryptionType = "AES256"
	return out
}

type repositoryOut struct {
	Repository shown `json:"repository"`
}

type createIn struct {
	target
	Tags                       []wire.Tag `json:"tags"`
	ImageTagMutability         string     `json:"imageTagMutability"`
	ImageScanningConfiguration scanning   `json:"imageScanningConfiguration"`
}

func (s *Service) createRepository(c *wire.Call, in createIn) (repositoryOut, error) {
	var v wire.Checks
	checkName(&v, in.RepositoryName)
	if in.ImageTagMutability == "" {
		in.ImageTagMutability = "MUTABLE"
	}
	v.Enum("imageTagMutability", in.ImageTagMutability, "MUTABLE", "IMMUTABLE")
	if err := v.Err(c); err != nil {
		return repositoryOut{}, err
	}
	name := *in.RepositoryName
	if err := wellNamed(name); err != nil {
		return repositoryOut{}, err
	}
	arn := repositoryARN(c, c.Account, name)
	if err := c.Authorize("ecr:CreateRepository", arn, wire.RequestTags(in.Tags)); err != nil {
		return repositoryOut{}, err
	}
	all := s.region(c).Repositories
	if all[name] != nil {
		return repositoryOut{}, wire.Refuse("RepositoryAlreadyExistsException", fmt.Sprintf(
			"The repository with name '%s' already exists in the registry with id '%s'", name, c.Account))
	}
	all[name] = &Repository{
		ARN: arn, Name: name, Registry: c.Account, Created: c.Now(), Mutability: in.ImageTagMutability,
		ScanOnPush: in.ImageScanningConfiguration.ScanOnPush, Tags: in.Tags,
	}
	return repositoryOut{show(c, all[name])}, nil
}

type describeIn struct {
	RegistryID      string   `json:"registryId"`
	RepositoryNames []string `json:"repositoryNames"`
	MaxResults      *int     `json:"maxResults"`
	NextToken       string   `json:"nextToken"`
}

type describeOut struct {
	Repositories []shown `json:"repositories"`
	NextToken    string  `json:"nextToken,omitempty"`
}

func (s *Service) describeRepositories(c *wire.Call, in describeIn) (describeOut, error) {
	size := 100
	if in.MaxResults != nil {
		size = *in.MaxResults
	}
	var v wire.Checks
	v.Range("maxResults", size, 1, 1000)
	if err := v.Err(c); err != nil {
		return describeOut{}, err
	}
	out := describeOut{Repositories: []shown{}}
	if len(in.RepositoryNames) > 0 {
		for _, name := range in.RepositoryNames {
			r, err := s.lookUp(c, "DescribeRepositories", registry(c, in.RegistryID), name)
			if err != nil {
				return describeOut{}, err
			}
			out.Repositories = append(out.Repositories, show(c, r))
		}
		return out, nil
	}
	if err := c.Authorize("ecr:DescribeRepositories", repositoryARN(c, registry(c, in.RegistryID), "*"), nil); err != nil {
		return describeOut{}, err
	}
	all := s.region(c).Repositories
	names, next, err := wire.Page(slices.Sorted(maps.Keys(all)), size, in.NextToken)
	if err != nil {
		return describeOut{}, wire.Refuse("InvalidParameterException", "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
	}
	for _, name := range names {
		out.Repositories = append(out.Repositories, show(c, all[name]))
	}
	out.NextToken = next
	return out, nil
}

func (s *Service) deleteRepository(c *wire.Call, in target) (repositoryOut, error) {
	r, err := s.find(c, "DeleteRepository", in)
	if err != nil {
		return repositoryOut{}, err
	}
	delete(s.region(c).Repositories, r.Name)
	return repositoryOut{show(c, r)}, nil
}
