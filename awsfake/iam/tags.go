package iam

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"tegata/awsfake/wire"
)

const maxTags = 50

// tags validates tags that are to be set.
func (v *checks) tags(tags []wire.Tag) {
	if len(tags) > maxTags {
		v.refuse("1 validation error detected: Value '%v' at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", tags, maxTags)
	}
	seen := map[string]bool{}
	for i, t := range tags {
		key, value := fmt.Sprintf("tags.%d.member.key", i+1), fmt.Sprintf("tags.%d.member.value", i+1)
		v.Length(key, t.Key, 1, 128)
		v.Length(value, t.Value, 0, 256)
		v.Pattern(key, t.Key, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
		v.Pattern(value, t.Value, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`)
		folded := strings.Map(unicode.ToLower, t.Key)
		switch {
		case strings.HasPrefix(folded, "aws:"): // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
			v.own = wire.Refuse("InvalidInput", "Tag keys starting with 'aws:' are reserved for internal use.")
		case seen[folded]:
			v.own = wire.Refuse("InvalidInput", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[folded] = true
	}
}

// tagged sets tags among others; a key that differs only in case is the same.
func tagged(all, set []wire.Tag) ([]wire.Tag, error) {
	all = slices.Clone(all)
	for _, t := range set {
		i := slices.IndexFunc(all, func(old wire.Tag) bool { return strings.EqualFold(old.Key, t.Key) })
		if i < 0 {
			all = append(all, t)
		} else {
			all[i] = t
		}
	}
	if len(all) > maxTags {
		return nil, limit("The number of tags has reached the maximum limit.")
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, nil
}

func untagged(all []wire.Tag, keys []string) []wire.Tag {
	left := slices.DeleteFunc(slices.Clone(all), func(t wire.Tag) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return strings.EqualFold(key, t.Key) })
	})
	if len(left) == 0 {
		return nil
	}
	return left
}

type tagInput struct {
	subject
	Tags []wire.Tag
}

type untagInput struct {
	subject
	TagKeys []string
}

type listOf struct {
	subject
	paging
}

type tagsAnswer struct {
	Tags list[wire.Tag]
	more
}

// tagOperations label one kind of entity.
func (s *Service) tagOperations(k kind) []wire.Operation {
	return []wire.Operation{
		wire.Op("Tag"+k.Name, func(c *wire.Call, in tagInput) (wire.Empty, error) {
			var v checks
			v.tags(in.Tags)
			e, err := s.begin(c, k, in.of(k), &v, wire.RequestTags(in.Tags))
			if err != nil {
				return wire.Empty{}, err
			}
			all, err := tagged(e.Tags, in.Tags)
			if err == nil {
				e.Tags = all
			}
			return wire.Empty{}, err
		}),
		wire.Op("Untag"+k.Name, func(c *wire.Call, in untagInput) (wire.Empty, error) {
			e, err := s.begin(c, k, in.of(k), new(checks), nil)
			if err == nil {
				e.Tags = untagged(e.Tags, in.TagKeys)
			}
			return wire.Empty{}, err
		}),
		wire.Op("List"+k.Name+"Tags", func(c *wire.Call, in listOf) (tagsAnswer, error) {
			var v checks
			in.check(&v.Checks)
			e, err := s.begin(c, k, in.of(k), &v, nil)
			if err != nil {
				return tagsAnswer{}, err
			}
			part, more, err := page(in.paging, e.Tags)
			return tagsAnswer{listed(part, same), more}, err
		}),
	}
}
