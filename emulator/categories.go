package emulator

import (
	"cmp"
	"fmt"
	"strconv"
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
	bare      func() []byte // gives it to callers without a token; nil means that it is the same
	empty     bool          // served even with an empty body
	hidden    bool          // listed nowhere
	appeared  time.Time     // zero means when the instance was launched
}

// categories lists what the instance has whatever the time is. Names and
// versions are those of "Instance metadata categories" and "Dynamic data
// categories" in the EC2 User Guide, also of its older editions.
func (s *service) categories() []category {
	i := &s.options.Instance
	list := []category{
		{path: "meta-data/ami-id", since: "1.0", body: i.Image},
		{path: "meta-data/ami-launch-index", since: "1.0", body: strconv.Itoa(i.LaunchIndex)},
		{path: "meta-data/ami-manifest-path", since: "1.0", body: i.ManifestPath},
		{path: "meta-data/ancestor-ami-ids", since: "2007-10-10", body: lines(i.AncestorImages)},
		{path: "meta-data/hostname", since: "1.0", body: i.Hostname},
		{path: "meta-data/instance-action", since: "2008-09-01", body: "none"},
		{path: "meta-data/instance-id", since: "1.0", body: i.ID},
		{path: "meta-data/instance-life-cycle", since: "2019-10-01", body: i.Lifecycle},
		{path: "meta-data/instance-type", since: "2007-08-29", body: i.Type},
		{path: "meta-data/ipv6", since: "2021-01-03", body: i.IPv6},
		{path: "meta-data/kernel-id", since: "2008-02-01", body: i.Kernel},
		{path: "meta-data/local-hostname", since: "2007-01-19", body: i.Hostname},
		{path: "meta-data/local-ipv4", since: "1.0", body: i.PrivateIP},
		{path: "meta-data/mac", since: "2011-01-01", body: i.MAC},
		{path: "meta-data/metrics/vhostmd", since: "2011-05-01", body: `<?xml version="1.0" encoding="UTF-8"?>`},
		{path: "meta-data/placement/availability-zone", since: "2008-02-01", body: i.Zone},
		{path: "meta-data/placement/availability-zone-id", since: "2019-10-01", body: i.ZoneID},
		{path: "meta-data/placement/group-name", since: "2020-08-24", body: i.PlacementGroup},
		{path: "meta-data/placement/host-id", since: "2020-08-24", body: i.Host},
		{path: "meta-data/placement/partition-number", since: "2020-08-24", body: positive(i.Partition)},
		{path: "meta-data/placement/region", since: "2020-08-24", body: i.Region},
		{path: "meta-data/product-codes", since: "2007-03-01", body: lines(i.ProductCodes)},
		{path: "meta-data/profile", since: "2007-12-15", body: "default-hvm"},
		{path: "meta-data/public-ipv4", since: "2007-01-19", body: i.PublicIP},
		{path: "meta-data/public-keys/0/openssh-key", since: "1.0", body: i.PublicKey, label: "0=" + i.KeyName},
		{path: "meta-data/ramdisk-id", since: "2007-10-10", body: i.Ramdisk},
		{path: "meta-data/reservation-id", since: "1.0", body: i.Reservation},
		{path: "meta-data/security-groups", since: "1.0", body: lines(i.SecurityGroups)},
		{path: "meta-data/services/domain", since: "2014-02-25", body: i.domain()},
		{path: "meta-data/services/partition", since: "2015-10-20", body: i.partition()},
		{path: "meta-data/system", since: "2022-09-24", body: s.system()},
		{path: "dynamic/fws/instance-monitoring", since: "2009-04-04", body: i.monitoring()},
		{path: "dynamic/instance-identity/document", since: "2009-04-04", body: i.identityDocument()},
		{path: "user-data", since: "1.0", body: i.UserData, mediaType: "application/octet-stream"},
	}
	if i.PublicIP != "" && i.PrivateIP != "" {
		list = append(list, category{path: "meta-data/public-hostname", since: "2007-01-19", body: i.publicHostname(i.PublicIP)})
	}
	list = append(list, named("meta-data/block-device-mapping/", "2007-12-15", i.BlockDevices)...)
	list = append(list, named("meta-data/elastic-gpus/associations/", "2016-11-30", i.ElasticGPUs)...)
	list = append(list, named("meta-data/elastic-inference/associations/", "2018-11-29", i.Accelerators)...)
	list = append(list, i.interfaceCategories()...)
	list = append(list, i.signatureCategories()...)
	list = append(list, s.roleCategories()...)
	list = append(list, s.identityCategories()...)
	return append(list, s.tagCategories()...)
}

// named are the categories of one directory, one for each entry.
func named(dir, since string, entries map[string]string) []category {
	var list []category
	for name, body := range entries {
		list = append(list, category{path: dir + name, since: since, body: body})
	}
	return list
}

// system is the hypervisor, as far as the front end fits one.
func (s *service) system() string {
	if s.options.Instance.System == "" && s.options.Profile == ProfileLegacy {
		return "xen"
	}
	return cmp.Or(s.options.Instance.System, "nitro")
}

func (i *Instance) monitoring() string {
	if i.Monitoring {
		return "enabled"
	}
	return "disabled"
}

// positive is n in digits, or nothing if there is no such number.
func positive(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func (s *service) roleCategories() []category {
	if s.issuer == nil {
		return nil
	}
	const since = "2012-01-12"
	all := []category{{path: "meta-data/iam/info", since: since, body: s.iamInfo()}}
	if role := s.options.Role; role.Name != "" && role.Failure != ProfileNotFound {
		all = append(all, category{path: "meta-data/iam/security-credentials/" + role.Name, since: since, dynamic: s.issuer.document, bare: s.bare.document})
	}
	return all
}

// identityCategories are the credentials with which AWS's own programs on the
// instance tell that they run there. They carry no permissions.
func (s *service) identityCategories() []category {
	const since = "2018-05-23"
	i := &s.options.Instance
	info := fmt.Sprintf("{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : %q,\n  \"AccountId\" : %q\n}", i.Launched.UTC().Format(time.RFC3339), i.Account)
	return []category{
		{path: "meta-data/identity-credentials/ec2/info", since: since, body: info},
		{path: "meta-data/identity-credentials/ec2/security-credentials/ec2-instance", since: since, dynamic: s.identity.document},
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

// iamInfo is a failure only where the profile itself is gone. One without a
// role is a success, with a message
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html).
func (s *service) iamInfo() string {
	i, role := &s.options.Instance, s.options.Role
	info := imds.IAMInfo{
		Code:               "Success",
		LastUpdated:        s.options.Now().UTC().Truncate(time.Second),
		InstanceProfileArn: cmp.Or(role.ProfileARN, "arn:"+i.partition()+":iam::"+i.Account+":instance-profile/"+role.Profile),
		InstanceProfileID:  cmp.Or(role.ProfileID, s.profileID),
	}
	switch {
	case role.Failure == ProfileNotFound:
		info.Code = ProfileNotFound
		info.Message = "Instance Profile with Id " + info.InstanceProfileID + " cannot be found." + pageOfFailures
	case role.Name == "":
		info.Message = "Instance Profile does not contain a role." + pageOfFailures
	}
	return string(info.Document())
}

func (i *Instance) identityDocument() string {
	return string(imds.IdentityDocument{
		AccountID:        i.Account,
		Architecture:     i.Architecture,
		AvailabilityZone: i.Zone,
		ImageID:          i.Image,
		InstanceID:       i.ID,
		InstanceType:     i.Type,
		KernelID:         i.Kernel,
		PendingTime:      i.Launched,
		PrivateIP:        i.PrivateIP,
		RamdiskID:        i.Ramdisk,
		Region:           i.Region,
		Version:          "2017-09-30", // of the document's form

		MarketplaceProductCodes: i.ProductCodes,
	}.Document())
}

// lines is the form of every list: separated by LF, none at the end.
func lines(names []string) string { return strings.Join(names, "\n") }
