package cli

import (
	"slices"
	"strings"
	"time"

	"tegata/internal/nearest"
)

// A field is something of the metadata that get can be asked for by a word.
type field struct {
	name   string // as it was asked for
	path   string // relative to /latest/, or with a version in front
	member string // of the JSON document at path; "" means all of it
	form   form
}

// A form is what the metadata at the path of a field make up.
type form int

const (
	whole   form = iota // one value, as it was served
	lines               // a list, one on a line
	entries             // a folder of names and values
	keys                // the folder of the public keys
)

// fields are the names that people know: those of the options of Amazon
// Linux's ec2-metadata and of Debian's ec2metadata, those of the categories
// that lie directly in meta-data/, and a few of the identity document.
var fields = []field{
	{"account-id", documentPath, "accountId", whole},
	{"ami-id", "meta-data/ami-id", "", whole},
	{"ami-launch-index", "meta-data/ami-launch-index", "", whole},
	{"ami-manifest-path", "meta-data/ami-manifest-path", "", whole},
	{"ancestor-ami-ids", "meta-data/ancestor-ami-ids", "", lines},
	{"architecture", documentPath, "architecture", whole},
	{"availability-zone", "meta-data/placement/availability-zone", "", whole},
	{"availability-zone-id", "meta-data/placement/availability-zone-id", "", whole},
	{"aws-domain", "meta-data/services/domain", "", whole},
	{"block-device-mapping", "meta-data/block-device-mapping/", "", entries},
	{"group-name", "meta-data/placement/group-name", "", whole},
	{"host-id", "meta-data/placement/host-id", "", whole},
	{"hostname", "meta-data/hostname", "", whole},
	{"iam-role", "meta-data/iam/security-credentials/", "", whole},
	{"identity-document", documentPath, "", whole},
	{"instance-action", "meta-data/instance-action", "", whole},
	{"instance-id", "meta-data/instance-id", "", whole},
	{"instance-life-cycle", "meta-data/instance-life-cycle", "", whole},
	{"instance-type", "meta-data/instance-type", "", whole},
	{"ipv6", "meta-data/ipv6", "", whole},
	{"kernel-id", "meta-data/kernel-id", "", whole},
	{"local-hostname", "meta-data/local-hostname", "", whole},
	{"local-ipv4", "meta-data/local-ipv4", "", whole},
	{"mac", "meta-data/mac", "", whole},
	{"partition", "meta-data/services/partition", "", whole},
	{"partition-number", "meta-data/placement/partition-number", "", whole},
	{"product-codes", "meta-data/product-codes", "", lines},
	{"profile", "meta-data/profile", "", whole},
	{"public-hostname", "meta-data/public-hostname", "", whole},
	{"public-ipv4", "meta-data/public-ipv4", "", whole},
	{"public-keys", "meta-data/public-keys/", "", keys},
	{"ramdisk-id", "meta-data/ramdisk-id", "", whole},
	{"region", "meta-data/placement/region", "", whole},
	{"reservation-id", "meta-data/reservation-id", "", whole},
	{"security-groups", "meta-data/security-groups", "", lines},
	{"system", "meta-data/system", "", whole},
	{"tags", "meta-data/tags/instance/", "", entries},
	{"user-data", userDataPath, "", whole},
}

const (
	documentPath = "dynamic/instance-identity/document"
	userDataPath = "user-data"
)

// branches are what lies directly below a version of the tree.
var branches = []string{"dynamic", "meta-data", "user-data"}

// fieldOf returns what an argument asks for: the field of that name, or a path
// with, behind "#", a member of the JSON document there.
func fieldOf(arg string) (field, error) {
	for _, f := range fields {
		if f.name == arg {
			return f, nil
		}
	}
	path, member, _ := strings.Cut(arg, "#")
	switch first, _, isPath := strings.Cut(strings.TrimLeft(path, "/"), "/"); {
	case strings.Contains(path, "://"):
		return field{}, hintf(usagef("%q is an address, not a path", arg), "type the path alone, such as meta-data/instance-id; AWS_EC2_METADATA_SERVICE_ENDPOINT leads to another service")
	case strings.Trim(path, "/") == "" && path != "": // the list of versions
		return field{arg, "/", member, whole}, nil
	case isBranch(first) || isVersion(first):
		return field{arg, path, member, whole}, nil
	case !isPath && !strings.HasPrefix(path, "/"):
		return field{}, unknownName(arg)
	case len(nearest.Names(first, branches)) > 0:
		_, rest, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
		return field{}, hintf(usagef("unknown path %q", arg), "did you mean %s?", nearest.Names(first, branches)[0]+"/"+rest)
	default: // as ec2-metadata --path and many a script have it
		return field{arg, "meta-data/" + strings.TrimLeft(path, "/"), member, whole}, nil
	}
}

func unknownName(name string) error {
	if near := nearest.Names(strings.ToLower(name), fieldNames()); near != nil {
		return hintf(usagef("unknown name %q", name), "did you mean %s?", strings.Join(near, " / "))
	}
	return hintf(usagef("unknown name %q", name), "names are %s, and any path such as meta-data/tags/instance/", strings.Join(fieldNames(), ", "))
}

func fieldNames() []string {
	names := make([]string, len(fields))
	for n, f := range fields {
		names[n] = f.name
	}
	return names
}

func isBranch(segment string) bool {
	return segment == "api" || slices.Contains(branches, segment)
}

// isVersion reports whether a path segment names a version of the tree.
func isVersion(segment string) bool {
	_, err := time.Parse(time.DateOnly, segment)
	return err == nil || segment == "latest" || segment == "1.0"
}

// cutVersion cuts the version off a path, if it names one.
func cutVersion(path string) (version, rest string) {
	path = strings.TrimLeft(path, "/")
	if first, rest, _ := strings.Cut(path, "/"); isVersion(first) {
		return first + "/", rest
	}
	return "", path
}

// isUserData reports whether a field is the user data of the instance, which
// may be of any kind and is never more than 16 KiB.
func (f field) isUserData() bool {
	_, path := cutVersion(f.path)
	return f.member == "" && strings.TrimRight(path, "/") == userDataPath
}
