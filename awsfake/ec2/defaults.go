package ec2

import (
	"fmt"
	"strconv"

	"tegata/awsfake/wire"
)

// Defaults are the account's in one region, for instances that are launched.
// "" and 0 mean no preference.
type Defaults struct {
	HTTPTokens              string // optional or required
	HTTPPutResponseHopLimit int    // 1 to 64
	HTTPEndpoint            string // enabled or disabled
	InstanceMetadataTags    string // enabled or disabled
	HTTPTokensEnforced      string // enabled or disabled
	ManagedBy               string // account or declarative-policy; "" means account
	ManagedMessage          string // what the declarative policy says to who wants to change them
}

type defaults struct {
	Tokens   string `xml:"httpTokens,omitempty"`
	HopLimit int    `xml:"httpPutResponseHopLimit,omitempty"`
	Endpoint string `xml:"httpEndpoint,omitempty"`
	Tags     string `xml:"instanceMetadataTags,omitempty"`
	Managed  string `xml:"managedBy"`
	Message  string `xml:"managedExceptionMessage,omitempty"`
	Enforced string `xml:"httpTokensEnforced,omitempty"`
}

type accountLevel struct {
	Defaults defaults `xml:"accountLevel"`
}

const byPolicy = "declarative-policy"

// getInstanceMetadataDefaults tells what the account prefers
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetInstanceMetadataDefaults.html).
func (s *Service) getInstanceMetadataDefaults(c *wire.Call, in try) (accountLevel, error) {
	if err := in.allow(c, "GetInstanceMetadataDefaults", "*", nil); err != nil {
		return accountLevel{}, err
	}
	d := s.State.at(c.Region).Defaults
	managed := "account"
	if d.ManagedBy != "" {
		managed = d.ManagedBy
	}
	return accountLevel{defaults{d.HTTPTokens, d.HTTPPutResponseHopLimit, d.HTTPEndpoint, d.InstanceMetadataTags, managed, d.ManagedMessage, d.HTTPTokensEnforced}}, nil
}

type modifyDefaultsInput struct {
	try
	HTTPTokens              *string `query:"HttpTokens"`
	HTTPPutResponseHopLimit *int    `query:"HttpPutResponseHopLimit"`
	HTTPEndpoint            *string `query:"HttpEndpoint"`
	InstanceMetadataTags    *string
	HTTPTokensEnforced      *string `query:"HttpTokensEnforced"`
}

type done struct {
	Return bool `xml:"return"`
}

// modifyInstanceMetadataDefaults changes what is named; no-preference and -1
// clear it
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html).
func (s *Service) modifyInstanceMetadataDefaults(c *wire.Call, in modifyDefaultsInput) (done, error) {
	if err := in.check(); err != nil {
		return done{}, err
	}
	if err := in.allow(c, "ModifyInstanceMetadataDefaults", "*", in.attributes()); err != nil {
		return done{}, err
	}
	if d := s.State.at(c.Region).Defaults; d.ManagedBy == byPolicy {
		return done{}, wire.Forbidden("DeclarativePolicyViolation", "This functionality has been disabled by a Declarative Policy. Custom Message: "+d.ManagedMessage)
	}
	d := &s.State.Region(c.Region).Defaults
	prefer(&d.HTTPTokens, in.HTTPTokens)
	prefer(&d.HTTPEndpoint, in.HTTPEndpoint)
	prefer(&d.InstanceMetadataTags, in.InstanceMetadataTags)
	prefer(&d.HTTPTokensEnforced, in.HTTPTokensEnforced)
	if n := in.HTTPPutResponseHopLimit; n != nil {
		d.HTTPPutResponseHopLimit = max(*n, 0)
	}
	return done{true}, nil
}

func prefer(field, value *string) {
	set(field, value)
	if *field == noPreference {
		*field = ""
	}
}

func (in modifyDefaultsInput) check() error {
	if n := in.HTTPPutResponseHopLimit; n != nil && *n != -1 && (*n < 1 || *n > furthestHop) {
		return invalidValue(fmt.Sprintf("A value of '%d' is not valid for HttpPutResponseHopLimit. Specify a value between 1 and %d, or -1 and try again.", *n, furthestHop))
	}
	for name, value := range map[string]*string{
		"HttpEndpoint": in.HTTPEndpoint, "InstanceMetadataTags": in.InstanceMetadataTags, "HttpTokensEnforced": in.HTTPTokensEnforced,
	} {
		if err := oneOf(name, value, enabled, disabled, noPreference); err != nil {
			return err
		}
	}
	return oneOf("HttpTokens", in.HTTPTokens, optional, required, noPreference)
}

// attributes are the condition keys of what is to be set.
func (in modifyDefaultsInput) attributes() map[string]string {
	keys := map[string]string{}
	for name, value := range map[string]*string{
		"HttpTokens": in.HTTPTokens, "HttpEndpoint": in.HTTPEndpoint,
		"InstanceMetadataTags": in.InstanceMetadataTags, "HttpTokensEnforced": in.HTTPTokensEnforced,
	} {
		if value != nil {
			keys["ec2:Attribute/"+name] = *value
		}
	}
	if in.HTTPPutResponseHopLimit != nil {
		keys["ec2:Attribute/HttpPutResponseHopLimit"] = strconv.Itoa(*in.HTTPPutResponseHopLimit)
	}
	return keys
}
