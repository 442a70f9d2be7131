package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"tegata/emulator"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

// A keyError speaks of one key of a scenario, such as "imds.hop_limit".
type keyError struct {
	key string
	err error
}

func (e *keyError) Error() string { return e.key + ": " + e.err.Error() }
func (e *keyError) Unwrap() error { return e.err }

func invalid(key, format string, args ...any) error {
	return &keyError{key, fmt.Errorf(format, args...)}
}

// Validate reports the first thing in the scenario that can't be. The error
// begins with its key.
func (s Scenario) Validate() error {
	for _, check := range []func(Scenario) error{
		Scenario.validateInstance, Scenario.validateIMDS, Scenario.validateEvents, Scenario.validateRole, Scenario.validateIAM, Scenario.validateBedrock,
		Scenario.validateParameters, Scenario.validateEnvironment, Scenario.validateFiles, Scenario.validateReplies,
	} {
		if err := check(s); err != nil {
			return err
		}
	}
	return nil
}

// A form is a pattern with an example of it. Patterns are compiled when they
// are needed, so that they cost nothing at the start of the program.
type form struct{ pattern, example string }

// The forms of identifiers, as the API references of EC2 and IAM give them.
var (
	instanceID  = form{`i-([0-9a-f]{8}|[0-9a-f]{17})`, "i-0a1b2c3d4e5f60718"}
	regionName  = form{`[a-z]{2,3}(-[a-z]+)+-[0-9]`, "ap-northeast-1"}
	accountID   = form{`[0-9]{12}`, "123456789012"}
	roleName    = form{`[\w+=,.@-]{1,64}`, "bedrock-ui-ec2-role"}
	profileName = form{`[\w+=,.@-]{0,128}`, "bedrock-ui-ec2-role"}
)

func (f form) check(key, value string) error {
	if !regexp.MustCompile(`^(?:` + f.pattern + `)$`).MatchString(value) {
		return invalid(key, "%q does not look like %s", value, f.example)
	}
	return nil
}

func oneOf(key, value string, words ...string) error {
	if !slices.Contains(words, value) {
		return invalid(key, "%q is not one of %s", value, strings.Join(words, ", "))
	}
	return nil
}

func (s Scenario) validateInstance() error {
	i := s.Instance
	return firstOf(
		instanceID.check("instance.id", i.ID),
		regionName.check("instance.region", i.Region),
		accountID.check("instance.account", i.Account),
		i.validateZone(),
		ipv4("instance.private_ip", i.PrivateIP),
		ipv4("instance.public_ip", i.PublicIP),
		ipv6("instance.ipv6", i.IPv6),
		macAddress("instance.mac", i.MAC),
		i.validateTags(s.IMDS.Tags),
		i.validateUserData(),
		i.validateHardware(),
		i.validateInterfaces(),
	)
}

// firstOf returns the first error of a list, as cmp.Or does for values.
func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (i Instance) validateZone() error {
	if i.Zone != "" && !strings.HasPrefix(i.Zone, i.Region) {
		return invalid("instance.zone", "%q is not in the region %s", i.Zone, i.Region)
	}
	return nil
}

func address(key, value string, of func(netip.Addr) bool, kind string) error {
	if value == "" {
		return nil
	}
	if a, err := netip.ParseAddr(value); err != nil || !of(a) {
		return invalid(key, "%q is no %s address", value, kind)
	}
	return nil
}

func macAddress(key, value string) error {
	if _, err := net.ParseMAC(value); err != nil && value != "" {
		return invalid(key, "%q is no MAC address", value)
	}
	return nil
}

// The names that block-device-mapping has, and ids of accelerators, which are
// names in the tree.
var (
	blockDevice   = form{`ami|root|swap|(ebs|ephemeral)[0-9]{1,2}`, "ebs1, ephemeral0, swap, ami or root"}
	acceleratorID = form{`[0-9A-Za-z-]{1,255}`, "eia-0a1b2c3d4e5f60718"}
)

func (i Instance) validateHardware() error {
	err := oneOf("instance.system", cmp.Or(i.System, "nitro"), "nitro", "xen", "xen-on-nitro")
	for _, n := range []struct {
		key   string
		value int
	}{{"instance.launch_index", i.LaunchIndex}, {"instance.partition", i.Partition}} {
		if n.value < 0 {
			err = firstOf(err, invalid(n.key, "%d is negative", n.value))
		}
	}
	for _, names := range []struct {
		key  string
		form form
		list map[string]string
	}{
		{"instance.block_devices", blockDevice, i.BlockDevices},
		{"instance.elastic_gpus", acceleratorID, i.ElasticGPUs},
		{"instance.accelerators", acceleratorID, i.Accelerators},
	} {
		for _, name := range slices.Sorted(maps.Keys(names.list)) {
			err = firstOf(err, names.form.check(names.key+"."+name, name))
		}
	}
	return err
}

func (i Instance) validateInterfaces() error {
	var err error
	for n, f := range i.Interfaces {
		err = firstOf(err, validateInterface(element("instance.interfaces", n), f))
	}
	if err != nil {
		return err
	}
	if err := emulator.Instance(i).Validate(); err != nil {
		return &keyError{"instance.interfaces", err}
	}
	return nil
}

func validateInterface(key string, f emulator.Interface) error {
	err := firstOf(
		macAddress(key+".mac", f.MAC),
		each(key+".private_ips", f.PrivateIPs, ipv4),
		each(key+".ipv6s", f.IPv6s, ipv6),
		each(key+".ipv4_prefixes", f.IPv4Prefixes, ipv4Range),
		each(key+".ipv6_prefixes", f.IPv6Prefixes, ipv6Range),
		ipv4Range(key+".subnet_cidr", f.SubnetCIDR),
		each(key+".subnet_ipv6_cidrs", f.SubnetIPv6CIDRs, ipv6Range),
		each(key+".vpc_cidrs", f.VPCCIDRs, ipv4Range),
		each(key+".vpc_ipv6_cidrs", f.VPCIPv6CIDRs, ipv6Range),
	)
	for _, public := range slices.Sorted(maps.Keys(f.PublicIPs)) {
		err = firstOf(err, ipv4(key+".public_ips."+public, public), ipv4(key+".public_ips."+public, f.PublicIPs[public]))
	}
	if f.Device < 0 {
		err = firstOf(err, invalid(key+".device", "%d is negative", f.Device))
	}
	if f.Card < 0 {
		err = firstOf(err, invalid(key+".card", "%d is negative", f.Card))
	}
	return err
}

func ipv4(key, value string) error { return address(key, value, netip.Addr.Is4, "IPv4") }
func ipv6(key, value string) error { return address(key, value, netip.Addr.Is6, "IPv6") }

func ipv4Range(key, value string) error {
	return addressRange(key, value, netip.Addr.Is4, "10.0.1.0/24")
}
func ipv6Range(key, value string) error {
	return addressRange(key, value, netip.Addr.Is6, "2001:db8::/64")
}

func addressRange(key, value string, of func(netip.Addr) bool, example string) error {
	if value == "" {
		return nil
	}
	if r, err := netip.ParsePrefix(value); err != nil || !of(r.Addr()) {
		return invalid(key, "%q does not look like %s", value, example)
	}
	return nil
}

// each checks the elements of a list.
func each(key string, list []string, check func(key, value string) error) error {
	var err error
	for n, value := range list {
		err = firstOf(err, check(element(key, n), value))
	}
	return err
}

// What EC2 demands of the keys of tags once the metadata tells them:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html
var tagKey = form{`[0-9a-zA-Z\-_+=,.@:]{1,255}`, "cost-center (imds.tags is on)"}

func (i Instance) validateTags(inMetadata bool) error {
	if !inMetadata {
		return nil
	}
	var err error
	for _, k := range slices.Sorted(maps.Keys(i.Tags)) {
		key := "instance.tags." + k
		err = firstOf(err, tagKey.check(key, k))
		if k == "." || k == ".." || k == "_index" {
			err = firstOf(err, invalid(key, "EC2 keeps this key for itself"))
		}
	}
	return err
}

const maxUserData = 16 << 10 // bytes; the limit of RunInstances

func (i Instance) validateUserData() error {
	if n := len(i.UserData); n > maxUserData {
		return invalid("instance.user_data", "has %d bytes; EC2 takes %d at most", n, maxUserData)
	}
	return nil
}

func (s Scenario) validateIMDS() error {
	m := s.IMDS
	if m.HopLimit < 1 || m.HopLimit > 64 {
		return invalid("imds.hop_limit", "%d is not within 1 to 64", m.HopLimit)
	}
	if m.Hops < 0 {
		return invalid("imds.hops", "%d is negative", m.Hops)
	}
	return firstOf(
		oneOf("imds.tokens", m.Tokens, "required", "optional"),
		oneOf("imds.endpoint", m.Endpoint, "enabled", "disabled"),
		oneOf("imds.listen", m.Listen, "accept", "refuse"),
		oneOf("imds.profile", m.Profile, emulator.ProfileNitro, emulator.ProfileLegacy),
		m.Throttle.validate(),
	)
}

func (t Throttle) validate() error {
	switch {
	case t.PerSecond < 0:
		return invalid("imds.throttle.per_second", "%d is negative", t.PerSecond)
	case t.Burst < 0:
		return invalid("imds.throttle.burst", "%d is negative", t.Burst)
	case t.Status != 0 && t.Status != http.StatusTooManyRequests && t.Status != http.StatusServiceUnavailable:
		return invalid("imds.throttle.status", "%d is not one of 429, 503", t.Status)
	}
	return nil
}

func (s Scenario) validateRole() error {
	r := s.Role
	if r.Lifetime <= 0 {
		return invalid("role.lifetime", "%v is no time to live", r.Lifetime)
	}
	err := firstOf(
		roleName.check("role.name", r.Name),
		profileName.check("role.profile", r.Profile),
		oneOf("role.credentials", r.Credentials, "valid", "expired"),
		document("role.trust", r.Trust),
	)
	for _, name := range slices.Sorted(maps.Keys(r.Policies)) {
		err = firstOf(err, document("role.policies."+name, r.Policies[name]))
	}
	return err
}

func document(key string, doc json.RawMessage) error {
	if _, err := policy.Parse(doc); err != nil {
		return &keyError{key, err}
	}
	return nil
}

func (s Scenario) validateBedrock() error {
	var err error
	if s.Bedrock.Pace < 0 {
		err = invalid("bedrock.pace", "%v is negative", s.Bedrock.Pace)
	}
	for _, m := range s.Bedrock.Models {
		key := "bedrock.models[" + m.ID + "]"
		for j, t := range m.InferenceTypes {
			err = firstOf(err, oneOf(element(key+".inference_types", j), t, "ON_DEMAND", "INFERENCE_PROFILE", "PROVISIONED"))
		}
		if m.Lifecycle.Status != "" {
			err = firstOf(err, oneOf(key+".lifecycle.status", m.Lifecycle.Status, "ACTIVE", "LEGACY"))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(s.Bedrock.Access)) {
		key := "bedrock.access." + id
		if _, bad := path.Match(id, ""); bad != nil {
			err = firstOf(err, invalid(key, "is no pattern: %w", bad))
		}
		err = firstOf(err, oneOf(key, s.Bedrock.Access[id], "granted", "denied", "form", "subscription", "inactive"))
	}
	return firstOf(err, s.Bedrock.validateQuotas())
}

func (b Bedrock) validateQuotas() error {
	var err error
	for _, id := range slices.Sorted(maps.Keys(b.Quotas)) {
		key := "bedrock.quotas." + id
		if _, bad := path.Match(id, ""); bad != nil {
			err = firstOf(err, invalid(key, "is no pattern: %w", bad))
		}
		for name, limit := range map[string]*int{".requests": b.Quotas[id].Requests, ".tokens": b.Quotas[id].Tokens} {
			if limit != nil && *limit < 0 {
				err = firstOf(err, invalid(key+name, "is less than zero"))
			}
		}
	}
	return err
}

func (s Scenario) validateParameters() error {
	var err error
	for _, name := range slices.Sorted(maps.Keys(s.Parameters)) {
		key := "parameters." + name
		p := s.Parameters[name]
		err = firstOf(err, oneOf(key+".type", cmp.Or(p.Type, "String"), "String", "StringList", "SecureString"))
		if p.Version < 0 {
			err = firstOf(err, invalid(key+".version", "%d is negative", p.Version))
		}
	}
	return err
}

func (s Scenario) validateEnvironment() error {
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return invalid("environment."+name, "is no name of a variable")
		}
		if v := s.Environment[name]; v != nil && strings.Contains(*v, "\x00") {
			return invalid("environment."+name, "holds a NUL")
		}
	}
	return nil
}

func (s Scenario) validateFiles() error {
	for _, name := range slices.Sorted(maps.Keys(s.Files)) {
		if !filepath.IsLocal(filepath.FromSlash(name)) || path.Clean(name) != name || name == "." {
			return invalid("files."+name, "a path must lie below HOME, without . and ..")
		}
	}
	return nil
}

// services are those whose calls a reply can match.
var services = []string{"imds", "sts", "iam", "ec2", "ssm", "kms", "secretsmanager", "ecr", "logs", "cloudwatch", "servicequotas", "bedrock", "bedrock-runtime"}

func (s Scenario) validateReplies() error {
	for i, rule := range s.Replies {
		if service := rule.Match.Service; service != "" && !slices.Contains(services, service) {
			return invalid(fmt.Sprintf("replies[%d].match.service", i), "unknown service %q%s", service, didYouMean(service, services))
		}
	}
	_, err := fault.New(s.Replies)
	if err == nil {
		return nil
	}
	if key, rest, ok := strings.Cut(err.Error(), ": "); ok && strings.HasPrefix(key, "replies[") {
		return &keyError{key, errors.New(rest)}
	}
	return &keyError{"replies", err}
}
