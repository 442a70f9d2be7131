package logs

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type groupIn struct {
	LogGroupName *string `json:"logGroupName"`
}

// group authorises an action on the group that is meant, and looks it up.
func (s *Service) group(c *wire.Call, action string, in groupIn) (*Group, error) {
	var v wire.Checks
	checkGroup(&v, in.LogGroupName)
	if err := invalid(c, &v); err != nil {
		return nil, err
	}
	if err := authorize(c, action, *in.LogGroupName, ""); err != nil {
		return nil, err
	}
	g := s.groups(c)[*in.LogGroupName]
	if g == nil {
		return nil, noGroup()
	}
	return g, nil
}

type createGroupIn struct {
	groupIn
	KMSKeyID      string            `json:"kmsKeyId"`
	LogGroupClass string            `json:"logGroupClass"`
	Tags          map[string]string `json:"tags"`
}

func (s *Service) createGroup(c *wire.Call, in createGroupIn) (wire.Empty, error) {
	if in.LogGroupClass == "" {
		in.LogGroupClass = "STANDARD"
	}
	var v wire.Checks
	checkGroup(&v, in.LogGroupName)
	v.Enum("logGroupClass", in.LogGroupClass, "STANDARD", "INFREQUENT_ACCESS")
	if err := invalid(c, &v); err != nil {
		return wire.Empty{}, err
	}
	name := *in.LogGroupName
	if err := authorize(c, "CreateLogGroup", name, ""); err != nil {
		return wire.Empty{}, err
	}
	if len(in.Tags) > 0 {
		if err := authorize(c, "TagResource", name, ""); err != nil {
			return wire.Empty{}, err
		}
	}
	all := s.groups(c)
	if all[name] != nil {
		return wire.Empty{}, wire.Refuse("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	all[name] = &Group{
		Name: name, Class: in.LogGroupClass, KMSKey: in.KMSKeyID, Created: millis(c.Now()),
		Tags: map[string]string{}, Streams: map[string]*Stream{},
	}
	maps.Copy(all[name].Tags, in.Tags)
	return wire.Empty{}, nil
}

func (s *Service) deleteGroup(c *wire.Call, in groupIn) (wire.Empty, error) {
	g, err := s.group(c, "DeleteLogGroup", in)
	if err == nil {
		delete(s.groups(c), g.Name)
	}
	return wire.Empty{}, err
}

type describeGroupsIn struct {
	LogGroupNamePrefix  *string `json:"logGroupNamePrefix"`
	LogGroupNamePattern *string `json:"logGroupNamePattern"`
	Limit               *int    `json:"limit"`
	NextToken           string  `json:"nextToken"`
}

type describeGroupsOut struct {
	LogGroups []shownGroup `json:"logGroups"`
	NextToken string       `json:"nextToken,omitempty"`
}

type shownGroup struct {
	ARN               string `json:"arn"`
	CreationTime      int64  `json:"creationTime"`
	KMSKeyID          string `json:"kmsKeyId,omitempty"`
	LogGroupARN       string `json:"logGroupArn"`
	LogGroupClass     string `json:"logGroupClass"`
	LogGroupName      string `json:"logGroupName"`
	MetricFilterCount int    `json:"metricFilterCount"`
	RetentionInDays   int    `json:"retentionInDays,omitempty"`
	StoredBytes       int64  `json:"storedBytes"`
}

func (s *Service) describeGroups(c *wire.Call, in describeGroupsIn) (describeGroupsOut, error) {
	size := 50
	if in.Limit != nil {
		size = *in.Limit
	}
	var v wire.Checks
	v.Range("limit", size, 1, 50)
	if err := invalid(c, &v); err != nil {
		return describeGroupsOut{}, err
	}
	if in.LogGroupNamePrefix != nil && in.LogGroupNamePattern != nil {
		return describeGroupsOut{}, wire.Refuse("InvalidParameterException",
			"LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	if err := authorize(c, "DescribeLogGroups", "", ""); err != nil {
		return describeGroupsOut{}, err
	}
	page, next, err := wire.Page(s.matching(c, in), size, in.NextToken)
	if err != nil {
		return describeGroupsOut{}, wire.Refuse("InvalidParameterException", "The specified nextToken is invalid.")
	}
	out := describeGroupsOut{LogGroups: []shownGroup{}, NextToken: next}
	for _, g := range page {
		arn := groupARN(c, g.Name)
		out.LogGroups = append(out.LogGroups, shownGroup{
			ARN: arn + ":*", LogGroupARN: arn, CreationTime: g.Created, KMSKeyID: g.KMSKey,
			LogGroupClass: g.Class, LogGroupName: g.Name, RetentionInDays: g.Retention, MetricFilterCount: len(g.Filters),
		})
	}
	return out, nil
}

// matching are the groups that are asked for. A pattern is part of a name, in
// capital or small letters.
func (s *Service) matching(c *wire.Call, in describeGroupsIn) []*Group {
	var found []*Group
	all := s.groups(c)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch {
		case in.LogGroupNamePrefix != nil && !strings.HasPrefix(name, *in.LogGroupNamePrefix):
		case in.LogGroupNamePattern != nil && !strings.Contains(strings.ToLower(name), strings.ToLower(*in.LogGroupNamePattern)):
		default:
			found = append(found, all[name])
		}
	}
	return found
}

type retentionIn struct {
	groupIn
	RetentionInDays *int `json:"retentionInDays"`
}

// days are what a retention may be
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).
func days() []string {
	return strings.Fields("1 3 5 7 14 30 60 90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653")
}

func (s *Service) putRetention(c *wire.Call, in retentionIn) (wire.Empty, error) {
	var v wire.Checks
	v.Required("retentionInDays", in.RetentionInDays != nil)
	if in.RetentionInDays != nil {
		v.Enum("retentionInDays", fmt.Sprint(*in.RetentionInDays), days()...)
	}
	if err := invalid(c, &v); err != nil {
		return wire.Empty{}, err
	}
	g, err := s.group(c, "PutRetentionPolicy", in.groupIn)
	if err == nil {
		g.Retention = *in.RetentionInDays
	}
	return wire.Empty{}, err
}

func (s *Service) deleteRetention(c *wire.Call, in groupIn) (wire.Empty, error) {
	g, err := s.group(c, "DeleteRetentionPolicy", in)
	if err == nil {
		g.Retention = 0
	}
	return wire.Empty{}, err
}

type tagIn struct {
	ResourceARN *string           `json:"resourceArn"`
	Tags        map[string]string `json:"tags"`
	TagKeys     []string          `json:"tagKeys"`
}

// tagged finds the group of an ARN, which here has no ":*" at its end.
func (s *Service) tagged(c *wire.Call, action string, in tagIn) (*Group, error) {
	var v wire.Checks
	v.Required("resourceArn", in.ResourceARN != nil)
	if err := invalid(c, &v); err != nil {
		return nil, err
	}
	if err := c.Authorize("logs:"+action, *in.ResourceARN, nil); err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(*in.ResourceARN, groupARN(c, ""))
	if !ok || s.groups(c)[name] == nil {
		return nil, wire.Refuse("ResourceNotFoundException", "The specified resource does not exist.")
	}
	return s.groups(c)[name], nil
}

func (s *Service) tag(c *wire.Call, in tagIn) (wire.Empty, error) {
	g, err := s.tagged(c, "TagResource", in)
	if err == nil {
		maps.Copy(g.Tags, in.Tags)
	}
	return wire.Empty{}, err
}

func (s *Service) untag(c *wire.Call, in tagIn) (wire.Empty, error) {
	g, err := s.tagged(c, "UntagResource", in)
	if err == nil {
		maps.DeleteFunc(g.Tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	}
	return wire.Empty{}, err
}

type tagsOut struct {
	Tags map[string]string `json:"tags"`
}

func (s *Service) listTags(c *wire.Call, in tagIn) (tagsOut, error) {
	g, err := s.tagged(c, "ListTagsForResource", in)
	if err != nil {
		return tagsOut{}, err
	}
	return tagsOut{g.Tags}, nil
}
