package kms

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// maxTags is how many a key may have.
const maxTags = 50

type tag struct{ TagKey, TagValue string }

// requestTags are the condition keys of tags that come with a call.
func requestTags(tags []tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all["aws:RequestTag/"+t.TagKey] = t.TagValue
	}
	return all
}

// tag adds tags to a key.
func (k *Key) tag(tags []tag) error {
	all := maps.Clone(k.Tags)
	if all == nil {
		all = map[string]string{}
	}
	for _, t := range tags {
		if t.TagKey == "" || len(t.TagKey) > 128 || len(t.TagValue) > 256 || strings.HasPrefix(strings.ToLower(t.TagKey), "aws:") {
			return wire.Refuse("TagException", "Invalid tag key or value")
		}
		all[t.TagKey] = t.TagValue
	}
	if len(all) > maxTags {
		return wire.Refuse("LimitExceededException", "")
	}
	k.Tags = all
	return nil
}

type tagIn struct {
	KeyID *string `json:"KeyId"`
	Tags  []tag
}

func (s *Service) tagResource(c *wire.Call, in tagIn) (wire.Empty, error) {
	k, err := s.taggable(c, in.KeyID, "kms:TagResource", requestTags(in.Tags))
	if err == nil {
		err = k.changeable()
	}
	if err == nil {
		err = k.tag(in.Tags)
	}
	return wire.Empty{}, err
}

// taggable is ownKey with the condition keys of tags.
func (s *Service) taggable(c *wire.Call, key *string, action string, context map[string]string) (*Key, error) {
	id, err := keyIn{key}.id(c)
	if err != nil {
		return nil, err
	}
	k, err := s.find(c, id)
	if err != nil {
		return nil, err
	}
	maps.Copy(context, Use{}.keys(c, k))
	return k, s.permitWith(c, k, action, context)
}

type untagIn struct {
	KeyID   *string `json:"KeyId"`
	TagKeys []string
}

func (s *Service) untagResource(c *wire.Call, in untagIn) (wire.Empty, error) {
	context := map[string]string{}
	if len(in.TagKeys) == 1 {
		context["aws:TagKeys"] = in.TagKeys[0]
	}
	k, err := s.taggable(c, in.KeyID, "kms:UntagResource", context)
	if err == nil {
		err = k.changeable()
	}
	if err != nil {
		return wire.Empty{}, err
	}
	for _, name := range in.TagKeys {
		delete(k.Tags, name)
	}
	return wire.Empty{}, nil
}

type listTagsIn struct {
	pageIn
	KeyID *string `json:"KeyId"`
}

type listTagsOut struct {
	Tags       []tag
	NextMarker string `json:",omitempty"`
	Truncated  bool
}

func (s *Service) listResourceTags(c *wire.Call, in listTagsIn) (out listTagsOut, err error) {
	id, err := keyIn{in.KeyID}.id(c)
	if err != nil {
		return out, err
	}
	k, err := s.ownKey(c, id, "kms:ListResourceTags")
	if err != nil {
		return out, err
	}
	all := []tag{}
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		all = append(all, tag{name, k.Tags[name]})
	}
	out.Tags, out.NextMarker, err = pageOf(c, in.pageIn, all, maxTags)
	out.Truncated = out.NextMarker != ""
	return out, err
}
