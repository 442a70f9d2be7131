package scan

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
)

// A Target is where a request to a link-local metadata service goes.
type Target struct {
	Host  string // as written
	Path  string // from its slash on; what is filled in later stands as "{}"
	Whose Cloud
}

// A Cloud is who runs a metadata service at the address that EC2's has, too.
type Cloud string

const (
	AWS   Cloud = "aws"
	Other Cloud = "other"   // Azure, Google, OpenStack, DigitalOcean, Oracle, Hetzner, …
	Bare  Cloud = "unknown" // the path is not in the text, or is /
)

// TokenPath is where IMDSv2 hands out its session tokens.
const TokenPath = "/latest/api/token"

// Token reports whether the target is that of token requests.
func (t Target) Token() bool { return strings.HasSuffix(strings.TrimRight(t.Path, "/"), "/api/token") }

// hostPattern finds a name of EC2's metadata service where it is a whole one:
// its addresses, and what Amazon's name servers call it.
var hostPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)(^|[^\w.:-])\[?(169\.254\.169\.254|fd00:ec2::254|instance-data(?:\.ec2\.internal)?)\]?(:[0-9]+)?($|[^\w.-]|\.$|\.[^\w])`)
})

// FindTarget finds the first target in a string: a URL, or an address with or
// without a path. Whatever follows the path must not be in the string.
func FindTarget(s string) (t Target, ok bool) {
	m := hostPattern().FindStringSubmatchIndex(s)
	if m == nil {
		return t, false
	}
	t.Host = s[m[4]:m[5]]
	rest := s[m[5]:]
	rest = strings.TrimPrefix(rest, "]")
	if i := strings.IndexByte(rest, '/'); i >= 0 && portOnly(rest[:i]) {
		t.Path = "/" + strings.TrimLeft(rest[i:], "/")
	}
	if u, err := url.Parse(t.Path); err == nil && u.Path != "" {
		t.Path = u.Path
	}
	t.Whose = whose(t.Path)
	if !strings.ContainsAny(t.Host, ".:") && !strings.Contains(s[:m[4]], "://") && (t.Whose != AWS || strings.HasPrefix(t.Path, "/"+Unknown)) {
		return Target{}, false // "instance-data" alone is a word
	}
	if otherPort(s[m[5]:]) {
		t.Whose = Other
	}
	return t, true
}

// otherPort reports whether a port follows an address that another service
// listens at: EC2's is at 80.
func otherPort(rest string) bool {
	port, ok := strings.CutPrefix(strings.TrimPrefix(rest, "]"), ":")
	digits := port[:len(port)-len(strings.TrimLeft(port, "0123456789"))]
	return ok && digits != "" && digits != "80"
}

func portOnly(s string) bool {
	_, err := netip.ParseAddrPort("0.0.0.0" + s)
	return s == "" || err == nil
}

// whose tells clouds apart by their paths.
//
// Sources: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-categories.html,
// https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service,
// https://cloud.google.com/compute/docs/metadata/overview,
// https://docs.openstack.org/nova/latest/user/metadata.html,
// https://docs.digitalocean.com/reference/api/metadata/,
// https://docs.oracle.com/iaas/Content/Compute/Tasks/gettingmetadata.htm
func whose(path string) Cloud {
	path = "/" + strings.TrimLeft(path, "/")
	first, _, _ := strings.Cut(path[1:], "/")
	switch strings.ToLower(first) {
	case "":
		return Bare
	case "metadata", "openstack", "opc", "computemetadata", "hetzner", "v1", "v1.json", "metadata-sd", "machine", "0.1", "oci":
		return Other
	case "latest", "{}":
		return AWS
	}
	if datedVersion().MatchString(first) {
		return AWS
	}
	return Bare
}

// datedVersion matches the versions of EC2's tree: 1.0, 2007-01-19, 2021-03-23.
var datedVersion = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(1\.0|20[0-9]{2}-[01][0-9]-[0-3][0-9])$`) })
