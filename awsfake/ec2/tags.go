package ec2

import (
	"slices"
	"strings"
	"unicode/utf8"

	"tegata/awsfake/wire"
)

type givenTag struct {
	Key   *string
	Value *string
}

type tagsInput struct {
	try
	Resources []string   `query:"ResourceId"`
	Tags      []givenTag `query:"Tag"`
}

// mostTags is how many tags one resource may have.
const mostTags = 50

// createTags adds tags to instances, or gives those of the same keys new
// values (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html).
func (s *Service) createTags(c *wire.Call, in tagsInput) (done, error) {
	if err := in.check(); err != nil {
		return done{}, err
	}
	if len(in.Tags) == 0 {
		return done{}, missing("tagSet")
	}
	instances, err := s.taggable(c, "CreateTags", in)
	if err != nil {
		return done{}, err
	}
	for _, i := range instances {
		if err := i.mayHave(in.Tags); err != nil {
			return done{}, err
		}
	}
	for _, i := range instances {
		if i.Tags == nil {
			i.Tags = map[string]string{}
		}
		for _, t := range in.Tags {
			i.Tags[*t.Key] = t.value()
		}
	}
	return done{true}, nil
}

// deleteTags takes tags from instances: those of the keys, or of the keys and
// values, or all but AWS's own
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html).
func (s *Service) deleteTags(c *wire.Call, in tagsInput) (done, error) {
	if err := in.check(); err != nil {
		return done{}, err
	}
	instances, err := s.taggable(c, "DeleteTags", in)
	if err != nil {
		return done{}, err
	}
	for _, i := range instances {
		for key, value := range i.Tags {
			if in.names(key, value) {
				delete(i.Tags, key)
			}
		}
	}
	return done{true}, nil
}

func (in tagsInput) names(key, value string) bool {
	if len(in.Tags) == 0 {
		return !strings.HasPrefix(key, "aws:")
	}
	return slices.ContainsFunc(in.Tags, func(t givenTag) bool {
		return *t.Key == key && (t.Value == nil || *t.Value == value)
	})
}

func (t givenTag) value() string {
	if t.Value == nil {
		return ""
	}
	return *t.Value
}

func (in tagsInput) check() error {
	if len(in.Resources) == 0 {
		return missing("resourceIdSet")
	}
	for _, t := range in.Tags {
		switch {
		case t.Key == nil || *t.Key == "":
			return missing("tagKey")
		case utf8.RuneCountInString(*t.Key) > 127:
			return invalidValue("Tag key exceeds the maximum length of 127 characters")
		case utf8.RuneCountInString(t.value()) > 255:
			return invalidValue("Tag value exceeds the maximum length of 255 characters")
		case strings.HasPrefix(strings.ToLower(*t.Key), "aws:"):
			return invalidValue("Tag keys starting with 'aws:' are reserved for internal use")
		}
	}
	return nil
}

// mayHave refuses tags that are too many, or that the metadata could not tell.
func (i *Instance) mayHave(tags []givenTag) error {
	all := keysOf(i.Tags)
	if all == nil {
		all = map[string]string{}
	}
	var added []string
	for _, t := range tags {
		all[*t.Key] = ""
		added = append(added, *t.Key)
	}
	if len(all) > mostTags {
		return wire.Refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
	}
	if i.MetadataOptions.InstanceMetadataTags == enabled {
		return checkMetadataKeys(added)
	}
	return nil
}

// taggable authorizes an action for each instance and finds them.
func (s *Service) taggable(c *wire.Call, action string, in tagsInput) ([]*Instance, error) {
	r := s.State.at(c.Region)
	for n, id := range in.Resources {
		if err := checkTaggable(id); err != nil {
			return nil, err
		}
		context := r.context(id, c.Now())
		for _, t := range in.Tags {
			context["aws:RequestTag/"+*t.Key] = t.value()
		}
		last := try{in.DryRun && n == len(in.Resources)-1}
		if err := last.allow(c, action, instanceARN(c, id), context); err != nil {
			return nil, err
		}
	}
	return r.instances(in.Resources)
}

// checkTaggable knows the ids of instances alone.
func checkTaggable(id string) error {
	if !strings.HasPrefix(id, "i-") {
		return wire.Refuse("InvalidID", "The ID '"+id+"' is not valid")
	}
	return checkInstanceIDs([]string{id})
}

type describeTagsInput struct {
	try
	listing
}

type describedTag struct {
	Resource string `xml:"resourceId"`
	Type     string `xml:"resourceType"`
	Key      string `xml:"key"`
	Value    string `xml:"value"`
}

type describedTags struct {
	Tags      []describedTag `xml:"tagSet>item"`
	NextToken string         `xml:"nextToken,omitempty"`
}

// describeTags tells the tags of all instances
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html).
func (s *Service) describeTags(c *wire.Call, in describeTagsInput) (describedTags, error) {
	if err := in.allow(c, "DescribeTags", "*", nil); err != nil {
		return describedTags{}, err
	}
	var all []describedTag
	for _, i := range inOrder(s.State.at(c.Region).Instances) {
		for _, t := range tagList(i.Tags) {
			all = append(all, describedTag{i.ID, "instance", t.Key, t.Value})
		}
	}
	all, err := filtered(in.Filters, all, describedTag.filter)
	if err != nil {
		return describedTags{}, err
	}
	part, next, err := page(in.listing, all)
	return describedTags{part, next}, err
}

func (t describedTag) filter(name string) ([]string, bool) {
	switch name {
	case "key":
		return one(t.Key), true
	case "value":
		return []string{t.Value}, true
	case "resource-id":
		return one(t.Resource), true
	case "resource-type":
		return one(t.Type), true
	}
	key, ok := strings.CutPrefix(name, "tag:")
	if ok && key == t.Key {
		return []string{t.Value}, true
	}
	return nil, ok
}
