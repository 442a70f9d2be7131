package secretsmanager

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// maxTags is how many a secret may have.
const maxTags = 50

func checkTags(tags []wire.Tag) error {
	for _, t := range tags {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > 128 || len([]rune(t.Value)) > 256:
			return wire.Refuse("InvalidParameterException", "Tag keys have 1 to 128 characters, and tag values at most 256.")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return wire.Refuse("InvalidParameterException", "Caller cannot modify or set system tags.")
		}
	}
	return nil
}

func (s *Secret) tag(tags []wire.Tag) {
	for _, t := range tags {
		s.Tags[t.Key] = t.Value
	}
}

func (s *Secret) tags() []wire.Tag {
	all := []wire.Tag{}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		all = append(all, wire.Tag{Key: key, Value: s.Tags[key]})
	}
	return all
}

type tagIn struct {
	SecretID *string `json:"SecretId"`
	Tags     []wire.Tag
}

func (s *Service) tagResource(c *wire.Call, in tagIn) (wire.Empty, error) {
	if err := checkTags(in.Tags); err != nil {
		return wire.Empty{}, err
	}
	secret, err := s.living(c, in.SecretID, wire.RequestTags(in.Tags))
	if err != nil {
		return wire.Empty{}, err
	}
	before := maps.Clone(secret.Tags)
	secret.tag(in.Tags)
	if len(secret.Tags) > maxTags {
		secret.Tags = before
		return wire.Empty{}, wire.Refuse("LimitExceededException", "You've exceeded the number of tags that a secret can have.")
	}
	return wire.Empty{}, nil
}

type untagIn struct {
	SecretID *string `json:"SecretId"`
	TagKeys  []string
}

func (s *Service) untagResource(c *wire.Call, in untagIn) (wire.Empty, error) {
	context := map[string]string{}
	if len(in.TagKeys) == 1 {
		context["aws:TagKeys"] = in.TagKeys[0]
	}
	secret, err := s.living(c, in.SecretID, context)
	if err != nil {
		return wire.Empty{}, err
	}
	for _, key := range in.TagKeys {
		delete(secret.Tags, key)
	}
	return wire.Empty{}, nil
}
