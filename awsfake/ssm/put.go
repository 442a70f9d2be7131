package ssm

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"strconv"

	"tegata/awsfake/kms"
	"tegata/awsfake/wire"
)

// Limits of parameters (https://docs.aws.amazon.com/general/latest/gr/ssm.html).
const (
	maxVersions   = 100
	maxStandard   = 4096 // bytes of a value
	maxAdvanced   = 8192
	maxParameters = 10_000 // of the standard tier, in a region
)

type putIn struct {
	Name           *string
	Description    string
	Value          *string
	Type           *string
	KeyID          *string `json:"KeyId"`
	Overwrite      bool
	AllowedPattern string
	Tags           []wire.Tag
	Tier           *string
	Policies       *string
	DataType       *string
}

type putOut struct {
	Tier    string
	Version int64
}

// putParameter checks the shape, then the rights, then what is there.
func (s *Service) putParameter(c *wire.Call, in putIn) (putOut, error) {
	if err := in.check(c); err != nil {
		return putOut{}, err
	}
	if err := s.mayPut(c, in); err != nil {
		return putOut{}, err
	}
	all := s.region(c)
	p := all[*in.Name]
	v, err := s.next(c, p, in)
	if err != nil {
		return putOut{}, err
	}
	if p == nil {
		p = &Parameter{Name: *in.Name, Tags: map[string]string{}}
		all[p.Name] = p
		p.tag(in.Tags)
	}
	p.Versions = append(p.Versions, v)
	if len(p.Versions) > maxVersions {
		p.Versions = p.Versions[1:]
	}
	return putOut{v.Tier, v.Number}, nil
}

func (in putIn) check(c *wire.Call) error {
	var v wire.Checks
	v.Required("name", in.Name != nil)
	v.Required("value", in.Value != nil)
	if in.Name != nil {
		v.Length("name", *in.Name, 1, maxName)
	}
	if in.Value != nil {
		v.Length("value", *in.Value, 1, 0)
	}
	if in.Type != nil {
		v.Enum("type", *in.Type, typeSecure, typeStringList, typeString)
	}
	if in.Tier != nil {
		v.Enum("tier", *in.Tier, tierEither, tierStandard, tierAdvanced)
	}
	if in.KeyID != nil {
		v.Length("keyId", *in.KeyID, 1, 256)
		v.Pattern("keyId", *in.KeyID, `^([a-zA-Z0-9:/_-]+)$`)
	}
	v.Length("description", in.Description, 0, 1024)
	v.Length("allowedPattern", in.AllowedPattern, 0, 1024)
	if err := v.Err(c); err != nil {
		return err
	}
	return in.checkRules()
}

// checkRules are those that the model of the API doesn't tell.
func (in putIn) checkRules() error {
	switch {
	case in.Policies != nil:
		return wire.Refuse("InvalidPolicyTypeException", "tegata's stand-in for SSM has no parameter policies.")
	case in.Overwrite && len(in.Tags) > 0:
		return wire.Refuse("ValidationException", "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, "+
			"please remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case in.KeyID != nil && in.Type != nil && *in.Type != typeSecure:
		return wire.Refuse("ValidationException", "KeyId is required only for SecureString type parameter.")
	case in.DataType != nil && *in.DataType != dataTypeText && *in.DataType != "aws:ec2:image" && *in.DataType != "aws:ssm:integration":
		return wire.Refuse("ValidationException", "The following data type is not supported: "+*in.DataType+" (Data type names are all lowercase.)")
	}
	if err := checkNew(*in.Name); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return in.checkPattern()
}

func (in putIn) checkPattern() error {
	if in.AllowedPattern == "" {
		return nil
	}
	pattern, err := regexp.Compile(in.AllowedPattern)
	if err != nil {
		return wire.Refuse("InvalidAllowedPatternException", "The request does not meet the regular expression requirement.")
	}
	if !pattern.MatchString(*in.Value) {
		return wire.Refuse("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: "+in.AllowedPattern)
	}
	return nil
}

func (s *Service) mayPut(c *wire.Call, in putIn) error {
	context := wire.RequestTags(in.Tags)
	context["ssm:Overwrite"] = strconv.FormatBool(in.Overwrite)
	if err := s.authorize(c, "PutParameter", *in.Name, context); err != nil || len(in.Tags) == 0 {
		return err
	}
	return s.authorize(c, "AddTagsToResource", *in.Name, wire.RequestTags(in.Tags))
}

// next makes the version that is to follow, and changes nothing yet.
func (s *Service) next(c *wire.Call, p *Parameter, in putIn) (*Version, error) {
	v := &Version{
		Number: 1, Description: in.Description, AllowedPattern: in.AllowedPattern, DataType: dataTypeText,
		Value: Value(*in.Value), Modified: c.Now(), User: c.Caller.ARN,
	}
	if in.DataType != nil {
		v.DataType = *in.DataType
	}
	if in.Type != nil {
		v.Type = *in.Type
	}
	before, err := s.before(p, in)
	if err != nil {
		return nil, err
	}
	if before != nil {
		v.Number = before.Number + 1
		v.Type = cmp.Or(v.Type, before.Type)
		v.Description = cmp.Or(v.Description, before.Description)
	}
	if v.Type == "" {
		return nil, wire.Refuse("ValidationException", "A parameter type is required when you create a parameter.")
	}
	if v.Tier, err = in.tier(before); err != nil {
		return nil, err
	}
	if before == nil && len(s.region(c)) >= maxParameters {
		return nil, wire.Refuse("ParameterLimitExceeded", "You have exceeded the number of parameters for this AWS account. Delete one or more parameters and try again.")
	}
	return v, s.lock(c, v, in)
}

// before is the version that is to be followed; nil for a new parameter.
func (s *Service) before(p *Parameter, in putIn) (*Version, error) {
	switch {
	case p == nil:
		return nil, nil
	case !in.Overwrite:
		return nil, wire.Refuse("ParameterAlreadyExists", "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case len(p.Versions) >= maxVersions && len(p.Versions[0].Labels) > 0:
		return nil, wire.Refuse("ParameterMaxVersionLimitExceeded", fmt.Sprintf("You attempted to create a new version of %s by calling the PutParameter API "+
			"with the overwrite flag. Version %d, the oldest version, can't be deleted because it has a label associated with it. "+
			"Move the label to another version of the parameter, and try again.", p.Name, p.Versions[0].Number))
	}
	return p.latest(), nil
}

// tier finds the tier that a value gets, and whether it fits there. A
// parameter never goes back to the standard tier.
func (in putIn) tier(before *Version) (string, error) {
	size := len(*in.Value)
	tier := tierStandard
	switch {
	case in.Tier != nil && *in.Tier == tierAdvanced, before != nil && before.Tier == tierAdvanced:
		tier = tierAdvanced
	case in.Tier != nil && *in.Tier == tierEither && size > maxStandard:
		tier = tierAdvanced
	}
	switch {
	case tier == tierAdvanced && in.Tier != nil && *in.Tier == tierStandard:
		return "", wire.Refuse("ValidationException", "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the "+
			"advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case tier == tierAdvanced && size > maxAdvanced:
		return "", wire.Refuse("ValidationException", "Advanced tier parameters support a maximum parameter value of 8192 characters.")
	case tier == tierStandard && size > maxStandard:
		return "", wire.Refuse("ValidationException", "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "+
			"parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see "+
			"https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html")
	}
	return tier, nil
}

// lock encrypts the value of a SecureString on behalf of the caller. A new
// version without a key has AWS's own, whatever the one before it had.
func (s *Service) lock(c *wire.Call, v *Version, in putIn) error {
	if v.Type != typeSecure {
		return nil
	}
	v.KeyID = defaultKey
	if in.KeyID != nil {
		v.KeyID = *in.KeyID
	}
	use := kms.Use{Via: "ssm", Context: encryptionContext(c, *in.Name)}
	blob, _, err := s.Keys.Encrypt(c, v.KeyID, use, []byte(*in.Value))
	if err != nil {
		return ofKey(c, err, "")
	}
	v.Value = Value(base64.StdEncoding.EncodeToString(blob))
	return nil
}

// tag adds tags, which have been checked.
func (p *Parameter) tag(tags []wire.Tag) {
	p.Tags = maps.Clone(p.Tags)
	if p.Tags == nil {
		p.Tags = map[string]string{}
	}
	for _, t := range tags {
		p.Tags[t.Key] = t.Value
	}
}
