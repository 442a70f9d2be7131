package ssm

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// maxTags is how many a parameter may have.
const maxTags = 50

func checkTags(tags []wire.Tag) error {
	seen := map[string]bool{}
	for _, t := range tags {
		switch {
		case t.Key == "" || len([]rune(t.Key)) > 128 || len([]rune(t.Value)) > 256:
			return wire.Refuse("ValidationException", "1 validation error detected: Value at 'tags' failed to satisfy constraint: "+
				"Member must have keys of 1 to 128 characters and values of at most 256")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return wire.Refuse("ValidationException", "aws: prefixed tag key names are not allowed for external use.")
		case seen[t.Key]:
			return wire.Refuse("ValidationException", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[t.Key] = true
	}
	if len(tags) > maxTags {
		return wire.Refuse("TooManyTagsError", "")
	}
	return nil
}

type taggedIn struct {
	ResourceType *string
	ResourceID   *string `json:"ResourceId"`
}

// tagged finds what the operations on tags mean: a parameter, by its name or
// its ARN.
func (s *Service) tagged(c *wire.Call, in taggedIn, action string, context map[string]string) (*Parameter, error) {
	var v wire.Checks
	v.Required("resourceType", in.ResourceType != nil)
	v.Required("resourceId", in.ResourceID != nil)
	if in.ResourceType != nil {
		v.Enum("resourceType", *in.ResourceType, "Document", "ManagedInstance", "MaintenanceWindow", "Parameter", "PatchBaseline",
			"OpsItem", "OpsMetadata", "Automation", "Association")
	}
	if err := v.Err(c); err != nil {
		return nil, err
	}
	if *in.ResourceType != "Parameter" {
		return nil, wire.Refuse("InvalidResourceType", "tegata's stand-in for SSM has parameters only.")
	}
	sel, err := s.read(c, *in.ResourceID)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, action, sel.name, context); err != nil {
		return nil, err
	}
	if p := s.region(c)[sel.name]; p != nil {
		return p, nil
	}
	return nil, wire.Refuse("InvalidResourceId", "The resource ID is not valid. Verify that you entered the correct ID and try again.")
}

type addTagsIn struct {
	taggedIn
	Tags []wire.Tag
}

func (s *Service) addTags(c *wire.Call, in addTagsIn) (struct{}, error) {
	if err := checkTags(in.Tags); err != nil {
		return struct{}{}, err
	}
	p, err := s.tagged(c, in.taggedIn, "AddTagsToResource", wire.RequestTags(in.Tags))
	if err != nil {
		return struct{}{}, err
	}
	all := maps.Clone(p.Tags)
	p.tag(in.Tags)
	if len(p.Tags) > maxTags {
		p.Tags = all
		return struct{}{}, wire.Refuse("TooManyTagsError", "")
	}
	return struct{}{}, nil
}

type removeTagsIn struct {
	taggedIn
	TagKeys []string
}

func (s *Service) removeTags(c *wire.Call, in removeTagsIn) (struct{}, error) {
	context := map[string]string{}
	if len(in.TagKeys) == 1 {
		context["aws:TagKeys"] = in.TagKeys[0]
	}
	p, err := s.tagged(c, in.taggedIn, "RemoveTagsFromResource", context)
	if err != nil {
		return struct{}{}, err
	}
	for _, key := range in.TagKeys {
		delete(p.Tags, key)
	}
	return struct{}{}, nil
}

type listTagsOut struct{ TagList []wire.Tag }

func (s *Service) listTags(c *wire.Call, in taggedIn) (listTagsOut, error) {
	p, err := s.tagged(c, in, "ListTagsForResource", nil)
	if err != nil {
		return listTagsOut{}, err
	}
	out := listTagsOut{TagList: []wire.Tag{}}
	for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
		out.TagList = append(out.TagList, wire.Tag{Key: key, Value: p.Tags[key]})
	}
	return out, nil
}
