package ecr

import (
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type taggedIn struct {
	ResourceARN *string    `json:"resourceArn"`
	Tags        []wire.Tag `json:"tags"`
	TagKeys     []string   `json:"tagKeys"`
}

// maxTags is how many a repository may have
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-using-tags.html).
const maxTags = 50

// tagged finds the repository that the operations on tags mean.
func (s *Service) tagged(c *wire.Call, action string, in taggedIn) (*Repository, error) {
	var v wire.Checks
	v.Required("resourceArn", in.ResourceARN != nil)
	if err := v.Err(c); err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		if t.Key == "" || len([]rune(t.Key)) > 128 || len([]rune(t.Value)) > 256 || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, wire.Refuse("InvalidTagParameterException", "Invalid parameter at 'tags' failed to satisfy constraint: 'Invalid tag key or value'")
		}
	}
	name, ok := strings.CutPrefix(*in.ResourceARN, repositoryARN(c, c.Account, ""))
	if !ok {
		return nil, wire.Refuse("InvalidParameterException", "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'")
	}
	return s.lookUpWith(c, action, c.Account, name, wire.RequestTags(in.Tags))
}

// answered is an answer in which nothing is.
type answered struct{}

func (s *Service) tag(c *wire.Call, in taggedIn) (answered, error) {
	r, err := s.tagged(c, "TagResource", in)
	if err != nil {
		return answered{}, err
	}
	tags := slices.Clone(r.Tags)
	for _, t := range in.Tags {
		if i := slices.IndexFunc(tags, func(old wire.Tag) bool { return old.Key == t.Key }); i >= 0 {
			tags[i] = t
		} else {
			tags = append(tags, t)
		}
	}
	if len(tags) > maxTags {
		return answered{}, wire.Refuse("TooManyTagsException", "The list of tags on the repository is over the limit. The maximum number of tags that can be applied to a repository is 50.")
	}
	r.Tags = tags
	return answered{}, nil
}

func (s *Service) untag(c *wire.Call, in taggedIn) (answered, error) {
	r, err := s.tagged(c, "UntagResource", in)
	if err == nil {
		r.Tags = slices.DeleteFunc(r.Tags, func(t wire.Tag) bool { return slices.Contains(in.TagKeys, t.Key) })
	}
	return answered{}, err
}

type tagsOut struct {
	Tags wire.List[wire.Tag] `json:"tags"`
}

func (s *Service) listTags(c *wire.Call, in taggedIn) (tagsOut, error) {
	r, err := s.tagged(c, "ListTagsForResource", in)
	if err != nil {
		return tagsOut{}, err
	}
	return tagsOut{r.Tags}, nil
}
