// Package ssm is Systems Manager's Parameter Store: parameters with their
// versions, labels and tags, SecureStrings that KMS really encrypts, and a few
// of the public parameters.
//
// Start with [Service], whose State may be empty; what a scenario brings with
// it goes into Parameters.
//
// What differs from AWS: a written parameter can be read at once; there are no
// parameter policies, no sharing between accounts, no throughput limits and no
// advanced tier's data keys (all SecureStrings are encrypted as the standard
// tier's are); an AMI id in a parameter of type aws:ec2:image is not looked
// up. The other parts of Systems Manager are missing. Rules and texts are
// those of https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html.
package ssm

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"tegata/awsfake/kms"
	"tegata/awsfake/wire"
)

// State is what the Parameter Store keeps of one account, by region. It is
// JSON as it stands.
type State struct {
	Regions map[string]*Region
}

// A Region holds the parameters of one region, by name.
type Region struct {
	Parameters map[string]*Parameter
}

// A Parameter is a name with the versions that AWS still knows, the newest
// last.
type Parameter struct {
	Name     string
	Versions []*Version
	Tags     map[string]string
}

// A Version is a parameter as it was written once.
type Version struct {
	Number         int64
	Type           string // String, StringList or SecureString
	Value          Value  // of a SecureString: the ciphertext, in base64
	KeyID          string // of a SecureString, as it was named
	Description    string
	AllowedPattern string
	DataType       string
	Tier           string
	Modified       time.Time
	User           string // ARN of who wrote it
	Labels         []string
}

// A Value may be a secret. It is data in the state and in answers, and
// redacted wherever else it is printed.
type Value string

const redacted = "redacted"

func (Value) String() string             { return redacted }
func (Value) GoString() string           { return redacted }
func (Value) LogValue() slog.Value       { return slog.StringValue(redacted) }
func (Value) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// A Seed is a parameter that is there from the start.
type Seed struct {
	Value   string
	Type    string // String, StringList or SecureString; "" means String
	Version int    // zero means 1
	KeyID   string // key id, ARN or alias of a SecureString; "" means AWS's own key for SSM
}

func (s Seed) String() string {
	return fmt.Sprintf("%s version %d (value redacted)", s.Type, s.Version)
}
func (s Seed) GoString() string { return s.String() }

// A Secret is what Secrets Manager tells of a secret that a parameter refers
// to.
type Secret struct {
	ARN, Name, VersionID string
	Stages               []string
	Created              time.Time
	Value                Value
	Binary               []byte
}

// A Service is the Parameter Store in one account.
type Service struct {
	State *State
	Keys  *kms.Service

	// Parameters are put into the region named Home before anybody reads it;
	// "" means into every region. A region that State has is left as it is.
	Parameters map[string]Seed
	Home       string

	// Secret reads a secret as the caller may, by name and perhaps version or
	// stage; nil means that there are none.
	Secret func(c *wire.Call, id, version, stage string) (Secret, error)
}

// Wire returns the operations.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "ssm", Target: "AmazonSSM", Protocol: wire.JSON,
		Operations: []wire.Operation{
			wire.Op("AddTagsToResource", s.addTags),
			wire.Op("DeleteParameter", s.deleteParameter),
			wire.Op("DeleteParameters", s.deleteParameters),
			wire.Op("DescribeParameters", s.describeParameters),
			wire.Op("GetParameter", s.getParameter),
			wire.Op("GetParameterHistory", s.getParameterHistory),
			wire.Op("GetParameters", s.getParameters),
			wire.Op("GetParametersByPath", s.getParametersByPath),
			wire.Op("LabelParameterVersion", s.labelParameterVersion),
			wire.Op("ListTagsForResource", s.listTags),
			wire.Op("PutParameter", s.putParameter),
			wire.Op("RemoveTagsFromResource", s.removeTags),
			wire.Op("UnlabelParameterVersion", s.unlabelParameterVersion),
		},
	}
}

// region returns the parameters of the call's region. The first look brings
// in what the scenario has.
func (s *Service) region(c *wire.Call) map[string]*Parameter {
	if r := s.State.Regions[c.Region]; r != nil {
		return r.Parameters
	}
	if s.State.Regions == nil {
		s.State.Regions = map[string]*Region{}
	}
	r := &Region{Parameters: map[string]*Parameter{}}
	s.State.Regions[c.Region] = r
	if s.Home == "" || s.Home == c.Region {
		for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
			r.Parameters[name] = s.plant(c, name, s.Parameters[name])
		}
	}
	return r.Parameters
}

// planted is when all parameters of a scenario were last changed.
func planted() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func (s *Service) plant(c *wire.Call, name string, seed Seed) *Parameter {
	v := &Version{
		Number: int64(cmp.Or(seed.Version, 1)), Type: cmp.Or(seed.Type, typeString), Value: Value(seed.Value),
		DataType: dataTypeText, Tier: tierStandard, Modified: planted(), User: c.GlobalARN("iam", "root"),
	}
	if v.Type == typeSecure {
		v.KeyID = cmp.Or(seed.KeyID, defaultKey)
		blob := s.Keys.Seal(c, v.KeyID, encryptionContext(c, name), []byte(seed.Value))
		v.Value = Value(base64.StdEncoding.EncodeToString(blob))
	}
	return &Parameter{Name: name, Versions: []*Version{v}, Tags: map[string]string{}}
}

// Words of the API.
const (
	typeString     = "String"
	typeStringList = "StringList"
	typeSecure     = "SecureString"
	tierStandard   = "Standard"
	tierAdvanced   = "Advanced"
	tierEither     = "Intelligent-Tiering"
	dataTypeText   = "text"
	defaultKey     = "alias/aws/ssm"
)

// latest is the version that a bare name means.
func (p *Parameter) latest() *Version { return p.Versions[len(p.Versions)-1] }

// arnOf names a parameter. An ARN doesn't tell whether the name begins with a
// slash.
func arnOf(c *wire.Call, name string) string {
	return c.ARN("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
}

// encryptionContext binds a ciphertext to its parameter
// (https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html).
func encryptionContext(c *wire.Call, name string) map[string]string {
	return map[string]string{"PARAMETER_ARN": arnOf(c, name)}
}

// authorize asks for an action on one parameter, with the tags it has.
func (s *Service) authorize(c *wire.Call, action, name string, context map[string]string) error {
	p := s.region(c)[name]
	if p != nil && len(p.Tags) > 0 {
		context = maps.Clone(context)
		if context == nil {
			context = map[string]string{}
		}
		for key, value := range p.Tags {
			context["ssm:resourceTag/"+key] = value
			context["aws:ResourceTag/"+key] = value
		}
	}
	return c.Authorize("ssm:"+action, arnOf(c, name), context)
}

// find is authorize, then the parameter itself.
func (s *Service) find(c *wire.Call, action, name string) (*Parameter, error) {
	if err := s.authorize(c, action, name, nil); err != nil {
		return nil, err
	}
	if p := s.region(c)[name]; p != nil {
		return p, nil
	}
	return nil, notFound()
}

func notFound() error { return wire.Refuse("ParameterNotFound", "") }
