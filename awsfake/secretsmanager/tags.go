package secretsmanager

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type tag struct{ Key, Value string }

// maxTags is how many a secret may have.
const maxTags = 50

func checkTags(tags []tag) error {
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

// requestTags are the condition keys of tags that come with a call.
func requestTags(tags []tag) map[string]string {
	all := map[string]string{}
	for _, t := range tags {
		all["aws:RequestTag/"+t.Key] = t.Value
		if len(tags) == 1 {
			all["aws:TagKeys"] = t.Key
		}
	}
	return all
}

func (s *Secret) tag(tags []tag) {
	for _, t := range tags {
		s.Tags[t.Key] = t.Value
	}
}

func (s *Secret) tags() []tag {
	all := []tag{}
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		all = append(all, tag{key, s.Tags[key]})
	}
	return all
}

type tagIn struct {
	SecretID *string `json:"SecretId"`
	Tags     []tag
}

func (s *Service) tagResource(c *wire.Call, in tagIn) (wire.Empty, error) {
	if err := checkTags(in.Tags); err != nil {
		return wire.Empty{}, err
	}
	secret, err := s.living(c, in.SecretID, requestTags(in.Tags))
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
