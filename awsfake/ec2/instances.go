package ec2

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// An Instance is one machine. [State.Launch] gives a fitting value to some of
// what is empty.
type Instance struct {
	ID           string // i-…
	State        string // "" means running
	Type         string // t3.micro
	Architecture string // x86_64 or arm64
	Reservation  string // r-…
	LaunchIndex  int
	Lifecycle    string // spot, scheduled or capacity-block; "" means on demand
	Monitoring   bool   // each minute
	Launched     time.Time

	Image        string // ami-…
	Kernel       string // aki-…
	Ramdisk      string // ari-…
	ProductCodes []string
	RootDevice   string            // "" means /dev/xvda
	Volumes      map[string]string // vol-… by device name

	Zone           string // ap-northeast-1a
	ZoneID         string // apne1-az1
	PlacementGroup string
	Partition      int
	Host           string // h-…

	PrivateIP, PublicIP, IPv6 string // "" means none
	PrivateDNS, PublicDNS     string
	MAC                       string
	Interface                 string // eni-…
	Subnet, SubnetCIDR        string
	VPC, VPCCIDR              string
	SecurityGroups            []SecurityGroup

	KeyName            string
	UserData           string
	Tags               map[string]string
	KeepFromTerminate  bool            // disableApiTermination
	MetadataOptions    MetadataOptions // as they were last asked for
	MetadataOptionsWas MetadataOptions // in force until AppliedAt
	AppliedAt          time.Time       // when MetadataOptions come into force
}

// A SecurityGroup is one that an instance belongs to.
type SecurityGroup struct{ ID, Name string }

// The numbers of the states of an instance
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceState.html).
func stateCode(state string) int {
	switch state {
	case "pending":
		return 0
	case "shutting-down":
		return 32
	case "terminated":
		return 48
	case "stopping":
		return 64
	case "stopped":
		return 80
	}
	return 16
}

// Launch puts an instance into a region, in place of one of that id.
func (s *State) Launch(region string, i Instance) *Instance {
	i.State = cmp.Or(i.State, "running")
	i.RootDevice = cmp.Or(i.RootDevice, "/dev/xvda")
	if i.Volumes == nil {
		i.Volumes = map[string]string{i.RootDevice: "vol-" + strings.TrimPrefix(i.ID, "i-")}
	}
	i.MetadataOptions.complete()
	if i.MetadataOptionsWas == (MetadataOptions{}) {
		i.MetadataOptionsWas = i.MetadataOptions
	}
	r := s.Region(region)
	if r.Instances == nil {
		r.Instances = map[string]*Instance{}
	}
	r.Instances[i.ID] = &i
	if r.Images == nil {
		r.Images = map[string]*Image{}
	}
	if r.Images[i.Image] == nil {
		r.Images[i.Image] = &Image{ID: i.Image, Architecture: i.Architecture, RootDevice: i.RootDevice}
	}
	return &i
}

// instance finds the one instance that an operation is about.
func (r *Region) instance(id string) (*Instance, error) {
	all, err := r.instances([]string{id})
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// instances finds those of the ids, or all if there are none.
func (r *Region) instances(ids []string) ([]*Instance, error) {
	if len(ids) == 0 {
		return inOrder(r.Instances), nil
	}
	var found []*Instance
	var unknown []string
	for _, id := range ids {
		if i := r.Instances[id]; i != nil {
			found = append(found, i)
		} else {
			unknown = append(unknown, id)
		}
	}
	switch len(unknown) {
	case 0:
		return found, nil
	case 1:
		return nil, wire.Refuse("InvalidInstanceID.NotFound", "The instance ID '"+unknown[0]+"' does not exist")
	}
	return nil, wire.Refuse("InvalidInstanceID.NotFound", "The instance IDs '"+strings.Join(unknown, ", ")+"' do not exist")
}

func checkInstanceIDs(ids []string) error {
	for _, id := range ids {
		if err := checkID("InvalidInstanceID", "i-", id); err != nil {
			return err
		}
	}
	return nil
}

// context holds the condition keys of an instance; those of one that does not
// exist are none
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html).
func (r *Region) context(id string, now time.Time) map[string]string {
	i := r.Instances[id]
	if i == nil {
		return map[string]string{"ec2:InstanceID": id}
	}
	o := i.optionsAt(now)
	keys := map[string]string{
		"ec2:InstanceID":                      id,
		"ec2:InstanceType":                    i.Type,
		"ec2:AvailabilityZone":                i.Zone,
		"ec2:RootDeviceType":                  "ebs",
		"ec2:Tenancy":                         i.tenancy(),
		"ec2:EbsOptimized":                    "false",
		"ec2:InstanceMarketType":              i.market(),
		"ec2:MetadataHttpTokens":              o.HTTPTokens,
		"ec2:MetadataHttpEndpoint":            o.HTTPEndpoint,
		"ec2:MetadataHttpPutResponseHopLimit": strconv.Itoa(o.HTTPPutResponseHopLimit),
	}
	if a := r.association(id, now); a != nil {
		keys["ec2:InstanceProfile"] = a.ProfileARN
	}
	for key, value := range i.Tags {
		keys["aws:ResourceTag/"+key], keys["ec2:ResourceTag/"+key] = value, value
	}
	return keys
}

func (i *Instance) tenancy() string {
	if i.Host != "" {
		return "host"
	}
	return "default"
}

func (i *Instance) market() string {
	if i.Lifecycle == "spot" {
		return "spot"
	}
	return "on-demand"
}

func (i *Instance) monitoring() string {
	if i.Monitoring {
		return "enabled"
	}
	return "disabled"
}

type describeInstancesInput struct {
	try
	listing
	InstanceIDs []string `query:"InstanceId"`
}

type describedInstances struct {
	Reservations []reservation `xml:"reservationSet>item"`
	NextToken    string        `xml:"nextToken,omitempty"`
}

// describeInstances tells of instances, those of one launch together
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html).
func (s *Service) describeInstances(c *wire.Call, in describeInstancesInput) (describedInstances, error) {
	var none describedInstances
	if err := in.combine(in.InstanceIDs); err != nil {
		return none, err
	}
	if err := checkInstanceIDs(in.InstanceIDs); err != nil {
		return none, err
	}
	if err := in.allow(c, "DescribeInstances", "*", nil); err != nil {
		return none, err
	}
	r := s.State.at(c.Region)
	all, err := r.instances(in.InstanceIDs)
	if err != nil {
		return none, err
	}
	all, err = filtered(in.Filters, all, func(i *Instance, name string) ([]string, bool) { return r.instanceFilter(c, i, name) })
	if err != nil {
		return none, err
	}
	part, next, err := page(in.listing, all)
	return describedInstances{r.reservations(c, part), next}, err
}

// combine refuses to divide what was asked for by ids.
func (in listing) combine(ids []string) error {
	if len(ids) > 0 && in.MaxResults != nil {
		return wire.Refuse("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	return nil
}

func (r *Region) reservations(c *wire.Call, instances []*Instance) []reservation {
	var all []reservation
	place := map[string]int{}
	for _, i := range instances {
		at, known := place[i.Reservation]
		if !known {
			at = len(all)
			place[i.Reservation] = at
			all = append(all, reservation{ID: i.Reservation, Owner: c.Account})
		}
		all[at].Instances = append(all[at].Instances, r.describe(c, i))
	}
	return all
}

// instanceFilter gives what a filter of DescribeInstances is compared with.
func (r *Region) instanceFilter(c *wire.Call, i *Instance, name string) ([]string, bool) {
	if i == nil {
		i = &Instance{}
	}
	if values, ok := tagFilter(i.Tags, name); ok {
		return values, true
	}
	if values, ok := r.metadataFilter(c, i, name); ok {
		return values, true
	}
	if values, ok := i.networkFilter(name); ok {
		return values, true
	}
	return i.ownFilter(c, name)
}

// tagFilter knows tag-key, and tag:KEY for any key.
func tagFilter(tags map[string]string, name string) ([]string, bool) {
	if name == "tag-key" {
		return inOrder(keysOf(tags)), true
	}
	key, ok := strings.CutPrefix(name, "tag:")
	if value, tagged := tags[key]; tagged {
		return []string{value}, ok
	}
	return nil, ok
}

func keysOf(tags map[string]string) map[string]string {
	keys := maps.Clone(tags)
	for key := range keys {
		keys[key] = key
	}
	return keys
}

func (r *Region) metadataFilter(c *wire.Call, i *Instance, name string) ([]string, bool) {
	o := i.MetadataOptions
	switch name {
	case "metadata-options.http-tokens":
		return one(o.HTTPTokens), true
	case "metadata-options.http-endpoint":
		return one(o.HTTPEndpoint), true
	case "metadata-options.http-put-response-hop-limit":
		return one(strconv.Itoa(o.HTTPPutResponseHopLimit)), true
	case "metadata-options.http-protocol-ipv4":
		return one(o.HTTPEndpoint), true
	case "metadata-options.http-protocol-ipv6":
		return one(o.HTTPProtocolIPv6), true
	case "metadata-options.instance-metadata-tags":
		return one(o.InstanceMetadataTags), true
	case "metadata-options.state":
		return one(i.optionsState(c.Now())), true
	}
	a := r.association(i.ID, c.Now())
	if a == nil {
		a = &Association{}
	}
	switch name {
	case "iam-instance-profile.arn":
		return one(a.ProfileARN), true
	case "iam-instance-profile.id":
		return one(a.ProfileID), true
	}
	return nil, false
}

func (i *Instance) networkFilter(name string) ([]string, bool) {
	switch name {
	case "vpc-id", "network-interface.vpc-id":
		return one(i.VPC), true
	case "subnet-id", "network-interface.subnet-id":
		return one(i.Subnet), true
	case "private-ip-address", "network-interface.addresses.private-ip-address", "network-interface.private-ip-address":
		return one(i.PrivateIP), true
	case "ip-address", "network-interface.association.public-ip", "network-interface.addresses.association.public-ip":
		return one(i.PublicIP), true
	case "ipv6-address", "network-interface.ipv6-address", "network-interface.ipv6-addresses.ipv6-address":
		return one(i.IPv6), true
	case "private-dns-name", "network-interface.private-dns-name":
		return one(i.PrivateDNS), true
	case "dns-name", "network-interface.public-dns-name":
		return one(i.PublicDNS), true
	case "network-interface.mac-address":
		return one(i.MAC), true
	case "network-interface.network-interface-id":
		return one(i.Interface), true
	case "instance.group-id", "network-interface.group-id":
		return groupValues(i.SecurityGroups, func(g SecurityGroup) string { return g.ID }), true
	case "instance.group-name", "network-interface.group-name":
		return groupValues(i.SecurityGroups, func(g SecurityGroup) string { return g.Name }), true
	}
	return nil, false
}

func groupValues(groups []SecurityGroup, value func(SecurityGroup) string) []string {
	var all []string
	for _, g := range groups {
		all = append(all, value(g))
	}
	return all
}

func (i *Instance) ownFilter(c *wire.Call, name string) ([]string, bool) {
	switch name {
	case "instance-id":
		return one(i.ID), true
	case "instance-state-name":
		return one(i.State), true
	case "instance-state-code":
		return one(strconv.Itoa(stateCode(i.State))), true
	case "instance-type":
		return one(i.Type), true
	case "instance-lifecycle":
		return one(i.Lifecycle), true
	case "architecture":
		return one(i.Architecture), true
	case "availability-zone":
		return one(i.Zone), true
	case "availability-zone-id":
		return one(i.ZoneID), true
	case "image-id":
		return one(i.Image), true
	case "kernel-id":
		return one(i.Kernel), true
	case "ramdisk-id":
		return one(i.Ramdisk), true
	case "key-name":
		return one(i.KeyName), true
	case "launch-index":
		return one(strconv.Itoa(i.LaunchIndex)), true
	case "launch-time":
		return one(i.Launched.UTC().Format("2006-01-02T15:04:05.000Z")), true
	case "monitoring-state":
		return one(i.monitoring()), true
	case "owner-id":
		return one(c.Account), true
	case "placement-group-name":
		return one(i.PlacementGroup), true
	case "host-id":
		return one(i.Host), true
	case "tenancy":
		return one(i.tenancy()), true
	case "product-code":
		return i.ProductCodes, true
	case "reservation-id":
		return one(i.Reservation), true
	case "root-device-name":
		return one(i.RootDevice), true
	}
	return i.constantFilter(name)
}

// constantFilter knows what is the same of all instances here.
func (i *Instance) constantFilter(name string) ([]string, bool) {
	switch name {
	case "root-device-type":
		return one("ebs"), true
	case "virtualization-type":
		return one("hvm"), true
	case "hypervisor":
		return one("xen"), true
	case "platform-details":
		return one("Linux/UNIX"), true
	case "usage-operation":
		return one("RunInstances"), true
	case "ena-support", "source-dest-check":
		return one("true"), true
	case "ebs-optimized", "hibernation-options.configured", "enclave-options.enabled", "operator.managed":
		return one("false"), true
	case "platform", "affinity", "client-token", "reason", "requester-id", "spot-instance-request-id", "state-reason-code",
		"capacity-reservation-id", "outpost-arn", "boot-mode", "tpm-support", "operator.principal":
		return nil, true // no instance here has one
	}
	return nil, false
}
