package emulator

import (
	"strings"
	"time"

	"tegata/imds"
)

// versions are the trees that the service offers, in the order of `GET /`.
var versions = [...]string{
	"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15",
	"2008-02-01", "2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01",
	"2012-01-12", "2014-02-25", "2014-11-05", "2015-10-20", "2016-04-19",
	"2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24",
	"2019-10-01", "2020-08-24", "2020-10-27", "2021-01-03", "2021-03-23",
	"2021-07-15", "2022-07-09", "2022-09-24", "2024-04-11", "latest",
}

// A category is one leaf of the tree.
type category struct {
	path  string // below the version
	since string // the first version that has it, as compared in text order
	body  string // "" means that this instance lacks it, unless empty is set

	label     string        // how the leaf's directory is listed, if not as "name/"
	mediaType string        // "" means text/plain, JSON documents included
	dynamic   func() []byte // gives the body, if it changes
	empty     bool          // served even with an empty body
	hidden    bool          // listed nowhere
}

// categories lists what the instance has. Names and versions are those of
// "Instance metadata categories" and "Dynamic data categories" in the EC2
// User Guide.
func (s *service) categories() []category {
	i := &s.options.Instance
	list := []category{
		{path: "meta-data/ami-id", since: "1.0", body: i.Image},
		{path: "meta-data/ami-launch-index", since: "1.0", body: "0"},
		{path: "meta-data/ami-manifest-path", since: "1.0", body: "(unknown)"},
		{path: "meta-data/block-device-mapping/ami", since: "2007-12-15", body: "/dev/xvda"},
		{path: "meta-data/block-device-mapping/root", since: "2007-12-15", body: "/dev/xvda"},
		{path: "meta-data/events/maintenance/history", since: "2018-08-17", body: "[]"},
		{path: "meta-data/events/maintenance/scheduled", since: "2018-08-17", body: "[]"},
		{path: "meta-data/hostname", since: "1.0", body: i.Hostname},
		{path: "meta-data/instance-action", since: "2008-09-01", body: "none"},
		{path: "meta-data/instance-id", since: "1.0", body: i.ID},
		{path: "meta-data/instance-life-cycle", since: "2019-10-01", body: i.Lifecycle},
		{path: "meta-data/instance-type", since: "2007-08-29", body: i.Type},
		{path: "meta-data/ipv6", since: "2021-01-03", body: i.IPv6},
		{path: "meta-data/local-hostname", since: "2007-01-19", body: i.Hostname},
		{path: "meta-data/local-ipv4", since: "1.0", body: i.PrivateIP},
		{path: "meta-data/mac", since: "2011-01-01", body: i.MAC},
		{path: "meta-data/metrics/vhostmd", since: "2011-05-01", body: `<?xml version="1.0" encoding="UTF-8"?>`},
		{path: "meta-data/placement/availability-zone", since: "2008-02-01", body: i.Zone},
		{path: "meta-data/placement/availability-zone-id", since: "2019-10-01", body: i.ZoneID},
		{path: "meta-data/placement/region", since: "2020-08-24", body: i.Region},
		{path: "meta-data/profile", since: "2007-12-15", body: "default-hvm"},
		{path: "meta-data/public-hostname", since: "2007-01-19", body: i.publicHostname()},
		{path: "meta-data/public-ipv4", since: "2007-01-19", body: i.PublicIP},
		{path: "meta-data/public-keys/0/openssh-key", since: "1.0", body: i.PublicKey, label: "0=" + i.KeyName},
		{path: "meta-data/reservation-id", since: "1.0", body: i.Reservation},
		{path: "meta-data/security-groups", since: "1.0", body: lines(i.SecurityGroups)},
		{path: "meta-data/services/domain", since: "2014-02-25", body: i.domain()},
		{path: "meta-data/services/partition", since: "2015-10-20", body: i.partition()},
		{path: "meta-data/system", since: "2022-09-24", body: "nitro"},
		{path: "dynamic/instance-identity/document", since: "2009-04-04", body: i.identityDocument()},
		{path: "user-data", since: "1.0", body: i.UserData, mediaType: "application/octet-stream"},
	}
	list = append(list, i.interfaceCategories()...)
	list = append(list, s.roleCategories()...)
	return append(list, s.tagCategories()...)
}

func (i *Instance) interfaceCategories() []category {
	list := []category{
		{path: "device-number", body: "0"},
		{path: "interface-id", body: i.Interface},
		{path: "ipv6s", since: "2016-06-30", body: i.IPv6},
		{path: "local-hostname", body: i.Hostname},
		{path: "local-ipv4s", body: i.PrivateIP},
		{path: "mac", body: i.MAC},
		{path: "owner-id", body: i.Account},
		{path: "public-hostname", body: i.publicHostname()},
		{path: "public-ipv4s", body: i.PublicIP},
		{path: "security-group-ids", body: lines(i.SecurityGroupIDs)},
		{path: "security-groups", body: lines(i.SecurityGroups)},
		{path: "subnet-id", body: i.Subnet},
		{path: "subnet-ipv4-cidr-block", body: i.SubnetCIDR},
		{path: "vpc-id", body: i.VPC},
		{path: "vpc-ipv4-cidr-block", body: i.VPCCIDR},
		{path: "vpc-ipv4-cidr-blocks", since: "2016-06-30", body: i.VPCCIDR},
	}
	if i.PublicIP != "" {
		list = append(list, category{path: "ipv4-associations/" + i.PublicIP, body: i.PrivateIP})
	}
	for n := range list {
		list[n].path = "meta-data/network/interfaces/macs/" + i.MAC + "/" + list[n].path
		fill(&list[n].since, "2011-01-01")
	}
	return list
}

func (s *service) roleCategories() []category {
	if s.issuer == nil {
		return nil
	}
	const since = "2012-01-12"
	return []category{
		{path: "meta-data/iam/info", since: since, body: s.iamInfo()},
		{path: "meta-data/iam/security-credentials/" + s.options.Role.Name, since: since, dynamic: s.issuer.document},
	}
}

// tagCategories has one surprise of the real service: with tags disabled,
// tags is not found but tags/instance is there and empty.
func (s *service) tagCategories() []category {
	const since = "2021-03-23"
	if !s.options.Tags {
		return []category{{path: "meta-data/tags/instance", since: since, empty: true, hidden: true}}
	}
	var list []category
	for key, value := range s.options.Instance.Tags {
		list = append(list, category{path: "meta-data/tags/instance/" + key, since: since, body: value, empty: true})
	}
	return list
}

func (s *service) iamInfo() string {
	i, role := &s.options.Instance, s.options.Role
	return string(imds.IAMInfo{
		Code:               "Success",
		LastUpdated:        s.options.Now().UTC().Truncate(time.Second),
		InstanceProfileArn: "arn:" + i.partition() + ":iam::" + i.Account + ":instance-profile/" + role.Profile,
		InstanceProfileID:  s.profileID,
	}.Document())
}

func (i *Instance) identityDocument() string {
	return string(imds.IdentityDocument{
		AccountID:        i.Account,
		Architecture:     i.Architecture,
		AvailabilityZone: i.Zone,
		ImageID:          i.Image,
		InstanceID:       i.ID,
		InstanceType:     i.Type,
		PendingTime:      i.Launched,
		PrivateIP:        i.PrivateIP,
		Region:           i.Region,
		Version:          "2017-09-30", // of the document's form
	}.Document())
}

// lines is the form of every list: separated by LF, none at the end.
func lines(names []string) string { return strings.Join(names, "\n") }
