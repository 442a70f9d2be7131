package ec2

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"

	"tegata/awsfake/wire"
)

// MetadataOptions are how the metadata service of an instance is set up.
type MetadataOptions struct {
	HTTPTokens              string // optional or required; "" means required
	HTTPEndpoint            string // enabled or disabled; "" means enabled
	HTTPPutResponseHopLimit int    // 1 to 64; 0 means 2
	HTTPProtocolIPv6        string // enabled or disabled; "" means disabled
	InstanceMetadataTags    string // enabled or disabled; "" means disabled
}

const (
	enabled      = "enabled"
	disabled     = "disabled"
	required     = "required"
	optional     = "optional"
	noPreference = "no-preference"

	furthestHop = 64
)

// complete fills in what launches from images with ImdsSupport v2.0 have.
func (o *MetadataOptions) complete() {
	o.HTTPTokens = cmp.Or(o.HTTPTokens, required)
	o.HTTPEndpoint = cmp.Or(o.HTTPEndpoint, enabled)
	o.HTTPPutResponseHopLimit = cmp.Or(o.HTTPPutResponseHopLimit, 2)
	o.HTTPProtocolIPv6 = cmp.Or(o.HTTPProtocolIPv6, disabled)
	o.InstanceMetadataTags = cmp.Or(o.InstanceMetadataTags, disabled)
}

// optionsAt are the options in force at a moment.
func (i *Instance) optionsAt(now time.Time) MetadataOptions {
	if now.Before(i.AppliedAt) {
		return i.MetadataOptionsWas
	}
	return i.MetadataOptions
}

func (i *Instance) optionsState(now time.Time) string {
	if now.Before(i.AppliedAt) {
		return "pending"
	}
	return "applied"
}

// options are what is told of them.
type options struct {
	State    string `xml:"state"`
	Tokens   string `xml:"httpTokens"`
	HopLimit int    `xml:"httpPutResponseHopLimit"`
	Endpoint string `xml:"httpEndpoint"`
	IPv6     string `xml:"httpProtocolIpv6"`
	Tags     string `xml:"instanceMetadataTags"`
}

// describeOptions tells what was last asked for, in force or not yet.
func (i *Instance) describeOptions(now time.Time) options {
	o := i.MetadataOptions
	return options{i.optionsState(now), o.HTTPTokens, o.HTTPPutResponseHopLimit, o.HTTPEndpoint, o.HTTPProtocolIPv6, o.InstanceMetadataTags}
}

type modifyOptionsInput struct {
	try
	InstanceID              string  `query:"InstanceId"`
	HTTPTokens              *string `query:"HttpTokens"`
	HTTPPutResponseHopLimit *int    `query:"HttpPutResponseHopLimit"`
	HTTPEndpoint            *string `query:"HttpEndpoint"`
	HTTPProtocolIPv6        *string `query:"HttpProtocolIpv6"`
	InstanceMetadataTags    *string
}

type modifiedOptions struct {
	InstanceID string  `xml:"instanceId"`
	Options    options `xml:"instanceMetadataOptions"`
}

// modifyInstanceMetadataOptions changes what is named and keeps the rest. On a
// running instance the change is pending until it is applied
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html).
func (s *Service) modifyInstanceMetadataOptions(c *wire.Call, in modifyOptionsInput) (modifiedOptions, error) {
	var none modifiedOptions
	if err := in.check(); err != nil {
		return none, err
	}
	now := c.Now().Round(0)
	r := s.State.at(c.Region)
	context := r.context(in.InstanceID, now)
	maps.Copy(context, in.attributes())
	if err := in.allow(c, "ModifyInstanceMetadataOptions", instanceARN(c, in.InstanceID), context); err != nil {
		return none, err
	}
	i, err := r.instance(in.InstanceID)
	if err != nil {
		return none, err
	}
	next := in.over(i.MetadataOptions)
	if err := r.permit(i, in, next); err != nil {
		return none, err
	}
	i.change(next, now, s.Options.Apply)
	described := i.describeOptions(now)
	described.State = "pending" // even where nothing has to be waited for
	return modifiedOptions{i.ID, described}, nil
}

func (in modifyOptionsInput) check() error {
	if in.InstanceID == "" {
		return missing("InstanceId")
	}
	if err := checkInstanceIDs([]string{in.InstanceID}); err != nil {
		return err
	}
	if n := in.HTTPPutResponseHopLimit; n != nil && (*n < 1 || *n > furthestHop) {
		return invalidValue(fmt.Sprintf("A value of '%d' is not valid for HttpPutResponseHopLimit. Specify a value between 1 and %d and try again.", *n, furthestHop))
	}
	return cmp.Or(
		oneOf("HttpTokens", in.HTTPTokens, optional, required),
		oneOf("HttpEndpoint", in.HTTPEndpoint, enabled, disabled),
		oneOf("HttpProtocolIpv6", in.HTTPProtocolIPv6, enabled, disabled),
		oneOf("InstanceMetadataTags", in.InstanceMetadataTags, enabled, disabled),
	)
}

// attributes are the condition keys of what is to be set.
func (in modifyOptionsInput) attributes() map[string]string {
	keys := map[string]string{}
	for name, value := range map[string]*string{
		"HttpTokens": in.HTTPTokens, "HttpEndpoint": in.HTTPEndpoint,
		"HttpProtocolIpv6": in.HTTPProtocolIPv6, "InstanceMetadataTags": in.InstanceMetadataTags,
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

// over lays what is named over what is there.
func (in modifyOptionsInput) over(o MetadataOptions) MetadataOptions {
	set(&o.HTTPTokens, in.HTTPTokens)
	set(&o.HTTPPutResponseHopLimit, in.HTTPPutResponseHopLimit)
	set(&o.HTTPEndpoint, in.HTTPEndpoint)
	set(&o.HTTPProtocolIPv6, in.HTTPProtocolIPv6)
	set(&o.InstanceMetadataTags, in.InstanceMetadataTags)
	return o
}

func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// permit refuses what the account, or the tags of the instance, don't let be.
func (r *Region) permit(i *Instance, in modifyOptionsInput, next MetadataOptions) error {
	if in.HTTPTokens != nil && *in.HTTPTokens == optional && r.Defaults.HTTPTokensEnforced == enabled {
		return wire.Refuse("UnsupportedOperation", "You can't set httpTokens to 'optional' because httpTokensEnforced is enabled for this account.")
	}
	if next.InstanceMetadataTags == enabled {
		return checkMetadataKeys(slices.Sorted(maps.Keys(i.Tags)))
	}
	return nil
}

// change makes options those that were last asked for.
func (i *Instance) change(next MetadataOptions, now time.Time, delay time.Duration) {
	if !now.Before(i.AppliedAt) {
		i.MetadataOptionsWas = i.MetadataOptions
	}
	i.MetadataOptions = next
	i.AppliedAt = now.Add(delay)
}

var metadataKey = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9a-zA-Z\-_+=,.@:]{1,255}$`) })

// checkMetadataKeys refuses tags that would be no path in the metadata.
func checkMetadataKeys(keys []string) error {
	for _, key := range keys {
		if !metadataKey().MatchString(key) || key == "." || key == ".." || key == "_index" {
			return invalidValue("'" + key + `' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')`)
		}
	}
	return nil
}
