package logs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type createGroupInput struct {
	LogGroupName  string
	KMSKeyID      string `json:"kmsKeyId"`
	LogGroupClass string
	Tags          map[string]string
}

// createGroup makes a group
// (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html).
func (s *Service) createGroup(c *wire.Call, in createGroupInput) (wire.Empty, error) {
	var none wire.Empty
	if err := checkName(c, "logGroupName", in.LogGroupName, groupPattern); err != nil {
		return none, err
	}
	keys := map[string]string{}
	for key, value := range in.Tags {
		keys["aws:RequestTag/"+key] = value
	}
	if err := c.Authorize("logs:CreateLogGroup", groupARN(c, in.LogGroupName)+":*", keys); err != nil {
		return none, err
	}
	groups := s.region(c).Groups
	if groups[in.LogGroupName] != nil {
		return none, wire.Refuse("ResourceAlreadyExistsException", "The specified log group already exists")
	}
	groups[in.LogGroupName] = &Group{
		Name: in.LogGroupName, Created: c.Now(), Class: cmp.Or(in.LogGroupClass, "STANDARD"), KeyID: in.KMSKeyID,
		Tags: in.Tags, Streams: map[string]*Stream{},
	}
	return none, nil
}

type groupInput struct{ LogGroupName string }

func (s *Service) deleteGroup(c *wire.Call, in groupInput) (wire.Empty, error) {
	g, err := s.group(c, "DeleteLogGroup", in.LogGroupName)
	if err == nil {
		delete(s.region(c).Groups, g.Name)
	}
	return wire.Empty{}, err
}

type describeGroupsInput struct {
	LogGroupNamePrefix, LogGroupNamePattern string
	LogGroupClass                           string
	Limit                                   *int
	NextToken                               string
}

type groupAnswer struct {
	ARN             string `json:"arn"`
	Created         int64  `json:"creationTime"`
	Class           string `json:"logGroupClass"`
	GroupARN        string `json:"logGroupArn"`
	Name            string `json:"logGroupName"`
	MetricFilters   int    `json:"metricFilterCount"`
	RetentionInDays int    `json:"retentionInDays,omitempty"`
	StoredBytes     int64  `json:"storedBytes"`
	KMSKeyID        string `json:"kmsKeyId,omitempty"`
}

type groupsAnswer struct {
	LogGroups []groupAnswer `json:"logGroups"`
	NextToken string        `json:"nextToken,omitempty"`
}

// describeGroups lists groups by a prefix of their names, or by any part of
// them.
func (s *Service) describeGroups(c *wire.Call, in describeGroupsInput) (groupsAnswer, error) {
	answer := groupsAnswer{LogGroups: []groupAnswer{}}
	size, err := pageSize(c, in.Limit)
	if err != nil {
		return answer, err
	}
	if in.LogGroupNamePrefix != "" && in.LogGroupNamePattern != "" {
		return answer, invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.")
	}
	if err := c.Authorize("logs:DescribeLogGroups", groupARN(c, "*")+":*", nil); err != nil {
		return answer, err
	}
	all := slices.DeleteFunc(starting(s.region(c).Groups, in.LogGroupNamePrefix), func(g *Group) bool {
		return !strings.Contains(strings.ToLower(g.Name), strings.ToLower(in.LogGroupNamePattern)) || in.LogGroupClass != "" && g.Class != in.LogGroupClass
	})
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return answer, invalid("The specified nextToken is invalid.")
	}
	for _, g := range page {
		answer.LogGroups = append(answer.LogGroups, g.answer(c))
	}
	answer.NextToken = next
	return answer, nil
}

func (g *Group) answer(c *wire.Call) groupAnswer {
	a := groupAnswer{
		ARN: groupARN(c, g.Name) + ":*", GroupARN: groupARN(c, g.Name), Name: g.Name, Created: g.Created.UnixMilli(),
		Class: g.Class, RetentionInDays: g.RetentionDays, KMSKeyID: g.KeyID,
	}
	for _, st := range g.Streams {
		a.StoredBytes += st.bytes()
	}
	return a
}

// retentions are the numbers of days that AWS offers.
func retentions() []int {
	return []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
}

type retentionInput struct {
	LogGroupName    string
	RetentionInDays int
}

func (s *Service) putRetention(c *wire.Call, in retentionInput) (wire.Empty, error) {
	if !slices.Contains(retentions(), in.RetentionInDays) {
		return wire.Empty{}, invalid(fmt.Sprintf("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint: "+
			"Member must satisfy enum value set: %s", in.RetentionInDays, strings.ReplaceAll(fmt.Sprint(retentions()), " ", ", ")))
	}
	g, err := s.group(c, "PutRetentionPolicy", in.LogGroupName)
	if err == nil {
		g.RetentionDays = in.RetentionInDays
	}
	return wire.Empty{}, err
}

func (s *Service) deleteRetention(c *wire.Call, in groupInput) (wire.Empty, error) {
	g, err := s.group(c, "DeleteRetentionPolicy", in.LogGroupName)
	if err == nil {
		g.RetentionDays = 0
	}
	return wire.Empty{}, err
}

type tagInput struct {
	ResourceARN string `json:"resourceArn"`
	Tags        map[string]string
	TagKeys     []string
}

type tagsAnswer struct {
	Tags map[string]string `json:"tags"`
}

// tagged finds a group by its ARN, with or without :* behind it.
func (s *Service) tagged(c *wire.Call, action, arn string) (*Group, error) {
	name, ok := strings.CutPrefix(strings.TrimSuffix(arn, ":*"), groupARN(c, ""))
	if !ok {
		return nil, invalid("The specified resource ARN is not valid: " + arn)
	}
	g := s.region(c).Groups[name]
	if err := c.Authorize("logs:"+action, groupARN(c, name), g.keys()); err != nil {
		return nil, err
	}
	if g == nil {
		return nil, notFound("The specified resource does not exist.")
	}
	return g, nil
}

// maxTags is how many tags a group may have.
const maxTags = 50

func (s *Service) tag(c *wire.Call, in tagInput) (wire.Empty, error) {
	g, err := s.tagged(c, "TagResource", in.ResourceARN)
	if err != nil {
		return wire.Empty{}, err
	}
	all := maps.Clone(g.Tags)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, in.Tags)
	if len(all) > maxTags {
		return wire.Empty{}, wire.Refuse("TooManyTagsException", "A resource can have no more than 50 tags.")
	}
	g.Tags = all
	return wire.Empty{}, nil
}

func (s *Service) untag(c *wire.Call, in tagInput) (wire.Empty, error) {
	g, err := s.tagged(c, "UntagResource", in.ResourceARN)
	if err == nil {
		maps.DeleteFunc(g.Tags, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
	}
	return wire.Empty{}, err
}

func (s *Service) listTags(c *wire.Call, in tagInput) (tagsAnswer, error) {
	g, err := s.tagged(c, "ListTagsForResource", in.ResourceARN)
	if err != nil {
		return tagsAnswer{}, err
	}
	return g.tagsAnswer(), nil
}

func (s *Service) listTagsOfGroup(c *wire.Call, in groupInput) (tagsAnswer, error) {
	g, err := s.group(c, "ListTagsLogGroup", in.LogGroupName)
	if err != nil {
		return tagsAnswer{}, err
	}
	return g.tagsAnswer(), nil
}

func (g *Group) tagsAnswer() tagsAnswer {
	if g.Tags == nil {
		return tagsAnswer{map[string]string{}}
	}
	return tagsAnswer{g.Tags}
}
