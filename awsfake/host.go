package awsfake

import (
	"net"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

// A host is what the name of an AWS endpoint tells: the service, and the
// region that signatures must be scoped to.
type host struct{ service, region string }

// suffixes are the domains of AWS's endpoints: the usual ones, and those that
// answer on IPv6 too (https://docs.aws.amazon.com/general/latest/gr/rande.html).
var suffixes = []string{".amazonaws.com", ".api.aws"}

// globalRegion signs for endpoints that have no region in their names.
const globalRegion = "us-east-1"

// Serves reports whether a host name is one of AWS's endpoints for a service
// of the account: in a region that exists, or in none where the service has
// such an endpoint.
func (s *Server) Serves(name string) bool {
	_, ok := s.hostOf(name)
	return ok
}

// hostOf reads ssm.eu-west-1.amazonaws.com, iam.amazonaws.com and the like.
func (s *Server) hostOf(name string) (host, bool) {
	if bare, _, err := net.SplitHostPort(name); err == nil {
		name = bare
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, suffix := range suffixes {
		if first, ok := strings.CutSuffix(name, suffix); ok {
			return s.endpoint(first)
		}
	}
	return host{}, false
}

func (s *Server) endpoint(name string) (host, bool) {
	first, region := name, ""
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 && wire.KnownRegion(name[dot+1:]) {
		first, region = name[:dot], name[dot+1:]
	}
	for _, of := range s.services {
		if !slices.Contains(of.HostNames(), strings.TrimSuffix(first, "-fips")) || of.Global && region != "" || slices.Contains(of.Missing, region) {
			continue
		}
		if region == "" && !of.Global && of.Name != "sts" { // STS has both
			continue
		}
		if region == "" {
			region = globalRegion
		}
		return host{of.Name, region}, true
	}
	return host{}, false
}
