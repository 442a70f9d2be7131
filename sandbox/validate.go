package sandbox

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

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
		Scenario.validateInstance, Scenario.validateIMDS, Scenario.validateRole, Scenario.validateBedrock,
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
		address("instance.private_ip", i.PrivateIP, netip.Addr.Is4, "IPv4"),
		address("instance.public_ip", i.PublicIP, netip.Addr.Is4, "IPv4"),
		address("instance.ipv6", i.IPv6, netip.Addr.Is6, "IPv6"),
		i.validateMAC(),
		i.validateTags(s.IMDS.Tags),
		i.validateUserData(),
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

func (i Instance) validateMAC() error {
	if _, err := net.ParseMAC(i.MAC); err != nil && i.MAC != "" {
		return invalid("instance.mac", "%q is no MAC address", i.MAC)
	}
	return nil
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
	)
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
var services = []string{"imds", "sts", "ssm", "bedrock", "bedrock-runtime"}

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
