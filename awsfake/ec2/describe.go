package ec2

import (
	"maps"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

// The answers' elements are named as in
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html.

type reservation struct {
	ID        string              `xml:"reservationId"`
	Owner     string              `xml:"ownerId"`
	Instances []describedInstance `xml:"instancesSet>item"`
}

type state struct {
	Code int    `xml:"code"`
	Name string `xml:"name"`
}

type group struct {
	ID   string `xml:"groupId"`
	Name string `xml:"groupName"`
}

type tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

type placement struct {
	Zone      string `xml:"availabilityZone"`
	ZoneID    string `xml:"availabilityZoneId,omitempty"`
	Group     string `xml:"groupName"`
	Partition int    `xml:"partitionNumber,omitempty"`
	Host      string `xml:"hostId,omitempty"`
	Tenancy   string `xml:"tenancy"`
}

type profileRef struct {
	ARN string `xml:"arn"`
	ID  string `xml:"id"`
}

type attachedVolume struct {
	ID                  string    `xml:"volumeId"`
	Status              string    `xml:"status"`
	AttachTime          wire.Time `xml:"attachTime"`
	DeleteOnTermination bool      `xml:"deleteOnTermination"`
}

type blockDevice struct {
	Name string         `xml:"deviceName"`
	EBS  attachedVolume `xml:"ebs"`
}

type productCode struct {
	Code string `xml:"productCode"`
	Type string `xml:"type"`
}

type describedInstance struct {
	ID             string        `xml:"instanceId"`
	Image          string        `xml:"imageId"`
	State          state         `xml:"instanceState"`
	PrivateDNS     string        `xml:"privateDnsName"`
	PublicDNS      string        `xml:"dnsName"`
	Reason         string        `xml:"reason"`
	KeyName        string        `xml:"keyName,omitempty"`
	LaunchIndex    int           `xml:"amiLaunchIndex"`
	ProductCodes   []productCode `xml:"productCodes>item"`
	Type           string        `xml:"instanceType"`
	Launched       wire.Time     `xml:"launchTime"`
	Placement      placement     `xml:"placement"`
	Kernel         string        `xml:"kernelId,omitempty"`
	Ramdisk        string        `xml:"ramdiskId,omitempty"`
	Monitoring     string        `xml:"monitoring>state"`
	Subnet         string        `xml:"subnetId,omitempty"`
	VPC            string        `xml:"vpcId,omitempty"`
	PrivateIP      string        `xml:"privateIpAddress,omitempty"`
	PublicIP       string        `xml:"ipAddress,omitempty"`
	IPv6           string        `xml:"ipv6Address,omitempty"`
	SourceDest     bool          `xml:"sourceDestCheck"`
	Groups         []group       `xml:"groupSet>item"`
	Architecture   string        `xml:"architecture"`
	RootDeviceType string        `xml:"rootDeviceType"`
	RootDevice     string        `xml:"rootDeviceName"`
	BlockDevices   []blockDevice `xml:"blockDeviceMapping>item"`
	Virtualization string        `xml:"virtualizationType"`
	Lifecycle      string        `xml:"instanceLifecycle,omitempty"`
	Tags           []tag         `xml:"tagSet>item"`
	Hypervisor     string        `xml:"hypervisor"`
	Interfaces     []nic         `xml:"networkInterfaceSet>item"`
	Profile        *profileRef   `xml:"iamInstanceProfile"`
	EBSOptimized   bool          `xml:"ebsOptimized"`
	ENA            bool          `xml:"enaSupport"`
	Metadata       options       `xml:"metadataOptions"`
	Enclave        bool          `xml:"enclaveOptions>enabled"`
	Platform       string        `xml:"platformDetails"`
	Usage          string        `xml:"usageOperation"`
}

type nic struct {
	ID          string       `xml:"networkInterfaceId"`
	Subnet      string       `xml:"subnetId"`
	VPC         string       `xml:"vpcId"`
	Owner       string       `xml:"ownerId"`
	Status      string       `xml:"status"`
	MAC         string       `xml:"macAddress"`
	PrivateIP   string       `xml:"privateIpAddress,omitempty"`
	PrivateDNS  string       `xml:"privateDnsName,omitempty"`
	SourceDest  bool         `xml:"sourceDestCheck"`
	Groups      []group      `xml:"groupSet>item"`
	Attachment  attachment   `xml:"attachment"`
	Association *publicIP    `xml:"association"`
	Addresses   []nicAddress `xml:"privateIpAddressesSet>item"`
	IPv6        []nicIPv6    `xml:"ipv6AddressesSet>item"`
	Type        string       `xml:"interfaceType"`
}

type attachment struct {
	DeviceIndex         int       `xml:"deviceIndex"`
	Status              string    `xml:"status"`
	AttachTime          wire.Time `xml:"attachTime"`
	DeleteOnTermination bool      `xml:"deleteOnTermination"`
	NetworkCard         int       `xml:"networkCardIndex"`
}

type publicIP struct {
	IP    string `xml:"publicIp"`
	DNS   string `xml:"publicDnsName"`
	Owner string `xml:"ipOwnerId"`
}

type nicAddress struct {
	IP          string    `xml:"privateIpAddress"`
	DNS         string    `xml:"privateDnsName,omitempty"`
	Primary     bool      `xml:"primary"`
	Association *publicIP `xml:"association"`
}

type nicIPv6 struct {
	Address string `xml:"ipv6Address"`
	Primary bool   `xml:"isPrimaryIpv6"`
}

func (r *Region) describe(c *wire.Call, i *Instance) describedInstance {
	return describedInstance{
		ID: i.ID, Image: i.Image, State: state{stateCode(i.State), i.State},
		PrivateDNS: i.PrivateDNS, PublicDNS: i.PublicDNS, KeyName: i.KeyName, LaunchIndex: i.LaunchIndex,
		ProductCodes: i.productCodes(), Type: i.Type, Launched: wire.Time{Time: i.Launched}, Placement: i.placement(),
		Kernel: i.Kernel, Ramdisk: i.Ramdisk, Monitoring: i.monitoring(),
		Subnet: i.Subnet, VPC: i.VPC, PrivateIP: i.PrivateIP, PublicIP: i.PublicIP, IPv6: i.IPv6, SourceDest: true,
		Groups: i.groups(), Architecture: i.Architecture, RootDeviceType: "ebs", RootDevice: i.RootDevice,
		BlockDevices: i.blockDevices(), Virtualization: "hvm", Lifecycle: i.Lifecycle, Tags: tagList(i.Tags), Hypervisor: "xen",
		Interfaces: i.interfaces(c.Account), Profile: r.profileOf(i.ID, c.Now()), ENA: true,
		Metadata: i.describeOptions(c.Now()), Platform: "Linux/UNIX", Usage: "RunInstances",
	}
}

// profileOf is the profile that the instance has or is to have.
func (r *Region) profileOf(instance string, now time.Time) *profileRef {
	a := r.association(instance, now)
	if a == nil {
		return nil
	}
	return &profileRef{a.ProfileARN, a.ProfileID}
}

func (i *Instance) productCodes() []productCode {
	var all []productCode
	for _, code := range i.ProductCodes {
		all = append(all, productCode{code, "marketplace"})
	}
	return all
}

func (i *Instance) placement() placement {
	return placement{Zone: i.Zone, ZoneID: i.ZoneID, Group: i.PlacementGroup, Partition: i.Partition, Host: i.Host, Tenancy: i.tenancy()}
}

func (i *Instance) groups() []group {
	var all []group
	for _, g := range i.SecurityGroups {
		all = append(all, group(g))
	}
	return all
}

func (i *Instance) blockDevices() []blockDevice {
	var all []blockDevice
	for _, name := range slices.Sorted(maps.Keys(i.Volumes)) {
		all = append(all, blockDevice{name, attachedVolume{i.Volumes[name], "attached", wire.Time{Time: i.Launched}, true}})
	}
	return all
}

// interfaces is the primary one alone.
func (i *Instance) interfaces(account string) []nic {
	n := nic{
		ID: i.Interface, Subnet: i.Subnet, VPC: i.VPC, Owner: account, Status: "in-use", MAC: i.MAC,
		PrivateIP: i.PrivateIP, PrivateDNS: i.PrivateDNS, SourceDest: true, Groups: i.groups(), Type: "interface",
		Attachment: attachment{Status: "attached", AttachTime: wire.Time{Time: i.Launched}, DeleteOnTermination: true},
	}
	if i.PublicIP != "" {
		n.Association = &publicIP{i.PublicIP, i.PublicDNS, "amazon"}
	}
	if i.PrivateIP != "" {
		n.Addresses = []nicAddress{{i.PrivateIP, i.PrivateDNS, true, n.Association}}
	}
	if i.IPv6 != "" {
		n.IPv6 = []nicIPv6{{i.IPv6, false}}
	}
	return []nic{n}
}

func tagList(tags map[string]string) []tag {
	var all []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tag{key, tags[key]})
	}
	return all
}
