package bedrock

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// Tags of what the account has made.

type tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func tagMap(tags []tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// requestTags are the condition keys of a request that sets tags.
func requestTags(tags []tag) map[string]string {
	keys := map[string]string{}
	for _, t := range tags {
		keys["aws:RequestTag/"+t.Key] = t.Value
	}
	return keys
}

type tagsInput struct {
	ARN  *string  `json:"resourceARN"`
	Tags []tag    `json:"tags"`
	Keys []string `json:"tagKeys"`
}

type tagsAnswer struct {
	Tags []tag `json:"tags"`
}

func (s *Service) tagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Op("ListTagsForResource", s.listTags).At("POST", "/listTagsForResource"),
		wire.Op("TagResource", s.tagResource).At("POST", "/tagResource"),
		wire.Op("UntagResource", s.untagResource).At("POST", "/untagResource"),
	}
}

// tagged finds the tags of an ARN, after it is known that the caller may touch
// them.
func (s *Service) tagged(c *wire.Call, action string, in tagsInput) (map[string]string, error) {
	var v wire.Checks
	v.Required("resourceARN", in.ARN != nil)
	if err := v.Err(c); err != nil {
		return nil, err
	}
	if err := c.Authorize(action, *in.ARN, requestTags(in.Tags)); err != nil {
		return nil, err
	}
	if id, ok := strings.CutPrefix(*in.ARN, applicationARN(c, "")); ok && s.region(c).Profiles[id] != nil {
		return s.region(c).Profiles[id].Tags, nil
	}
	if id, ok := strings.CutPrefix(*in.ARN, guardrailARN(c, "")); ok && s.region(c).Guardrails[id] != nil {
		return s.region(c).Guardrails[id].Tags, nil
	}
	return nil, notFound("The resource " + *in.ARN + " does not exist.")
}

func (s *Service) listTags(c *wire.Call, in tagsInput) (tagsAnswer, error) {
	tags, err := s.tagged(c, "bedrock:ListTagsForResource", in)
	list := tagsAnswer{Tags: []tag{}}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list.Tags = append(list.Tags, tag{key, tags[key]})
	}
	return list, err
}

func (s *Service) tagResource(c *wire.Call, in tagsInput) (wire.Empty, error) {
	tags, err := s.tagged(c, "bedrock:TagResource", in)
	if err == nil {
		maps.Copy(tags, tagMap(in.Tags))
	}
	return wire.Empty{}, err
}

func (s *Service) untagResource(c *wire.Call, in tagsInput) (wire.Empty, error) {
	tags, err := s.tagged(c, "bedrock:UntagResource", in)
	for _, key := range in.Keys {
		delete(tags, key)
	}
	return wire.Empty{}, err
}
