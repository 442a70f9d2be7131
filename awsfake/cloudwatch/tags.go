package cloudwatch

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// maxTags is how many an alarm may have
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html).
const maxTags = 50

func checkTags(tags []wire.Tag) error {
	var v checks
	v.size("Tags", len(tags), maxTags)
	for _, t := range tags {
		v.length("Key", t.Key, 128)
		if len([]rune(t.Value)) > 256 {
			v.wrong("The parameter Value must be shorter than 257 characters.")
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			v.wrong("Caller is an end user and not allowed to mutate system tags")
		}
	}
	return v.err()
}

type taggedIn struct {
	ResourceARN *string
	Tags        []wire.Tag
	TagKeys     []string
}

// tagged finds the alarm that the operations on tags mean.
func (s *Service) tagged(c *wire.Call, action string, in taggedIn) (*Alarm, error) {
	var v wire.Checks
	v.Required("resourceARN", in.ResourceARN != nil)
	if err := v.Err(c); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := c.Authorize("cloudwatch:"+action, *in.ResourceARN, wire.RequestTags(in.Tags)); err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(*in.ResourceARN, alarmARN(c, ""))
	if a := s.alarms(c)[name]; ok && a != nil {
		return a, nil
	}
	return nil, wire.NotFound("ResourceNotFoundException", "")
}

// answered is an answer in which nothing is, but which is there.
type answered struct{}

func (s *Service) tagResource(c *wire.Call, in taggedIn) (answered, error) {
	a, err := s.tagged(c, "TagResource", in)
	if err != nil {
		return answered{}, err
	}
	tags := maps.Clone(a.Tags)
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	if len(tags) > maxTags {
		return answered{}, refuse(invalidValue, "The collection Tags must not have a size greater than 50.")
	}
	a.Tags = tags
	return answered{}, nil
}

func (s *Service) untagResource(c *wire.Call, in taggedIn) (answered, error) {
	a, err := s.tagged(c, "UntagResource", in)
	if err == nil {
		maps.DeleteFunc(a.Tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	}
	return answered{}, err
}

type tagsOut struct{ Tags wire.List[wire.Tag] }

func (s *Service) listTags(c *wire.Call, in taggedIn) (tagsOut, error) {
	a, err := s.tagged(c, "ListTagsForResource", in)
	if err != nil {
		return tagsOut{}, err
	}
	var out tagsOut
	for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
		out.Tags = append(out.Tags, wire.Tag{Key: key, Value: a.Tags[key]})
	}
	return out, nil
}
