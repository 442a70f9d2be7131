package ec2

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

type describeVPCsInput struct {
	try
	listing
	IDs []string `query:"VpcId"`
}

type cidrAssociation struct {
	ID    string `xml:"associationId"`
	CIDR  string `xml:"cidrBlock"`
	State string `xml:"cidrBlockState>state"`
}

type vpc struct {
	ID        string            `xml:"vpcId"`
	Owner     string            `xml:"ownerId"`
	State     string            `xml:"state"`
	CIDR      string            `xml:"cidrBlock"`
	CIDRs     []cidrAssociation `xml:"cidrBlockAssociationSet>item"`
	DHCP      string            `xml:"dhcpOptionsId"`
	Tenancy   string            `xml:"instanceTenancy"`
	IsDefault bool              `xml:"isDefault"`
	Tags      []tag             `xml:"tagSet>item"`
}

type describedVPCs struct {
	VPCs      []vpc  `xml:"vpcSet>item"`
	NextToken string `xml:"nextToken,omitempty"`
}

// describeVpcs tells of the networks that instances are in
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html).
func (s *Service) describeVpcs(c *wire.Call, in describeVPCsInput) (describedVPCs, error) {
	if err := in.allow(c, "DescribeVpcs", "*", nil); err != nil {
		return describedVPCs{}, err
	}
	var all []vpc
	for _, i := range inOrder(s.State.at(c.Region).Instances) {
		all = append(all, vpc{
			ID: i.VPC, Owner: c.Account, State: "available", CIDR: i.VPCCIDR,
			CIDRs: []cidrAssociation{{"vpc-cidr-assoc-" + strings.TrimPrefix(i.VPC, "vpc-"), i.VPCCIDR, "associated"}},
			DHCP:  "dopt-" + strings.TrimPrefix(i.VPC, "vpc-"), Tenancy: "default",
		})
	}
	part, next, err := selected(in.listing, in.IDs, all, func(v vpc) string { return v.ID }, vpc.filter,
		noVPC)
	return describedVPCs{part, next}, err
}

func (v vpc) filter(name string) ([]string, bool) {
	switch name {
	case "vpc-id":
		return one(v.ID), true
	case "owner-id":
		return one(v.Owner), true
	case "state":
		return one(v.State), true
	case "cidr", "cidr-block-association.cidr-block":
		return one(v.CIDR), true
	case "dhcp-options-id":
		return one(v.DHCP), true
	case "is-default", "isDefault":
		return one(strconv.FormatBool(v.IsDefault)), true
	}
	return tagFilter(nil, name)
}

type vpcAttributeInput struct {
	try
	ID        string `query:"VpcId"`
	Attribute string
}

type vpcAttribute struct {
	ID           string         `xml:"vpcId"`
	DNSSupport   *attributeFlag `xml:"enableDnsSupport"`
	DNSHostnames *attributeFlag `xml:"enableDnsHostnames"`
	UsageMetrics *attributeFlag `xml:"enableNetworkAddressUsageMetrics"`
}

// describeVpcAttribute tells that names are resolved in the network
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcAttribute.html).
func (s *Service) describeVpcAttribute(c *wire.Call, in vpcAttributeInput) (vpcAttribute, error) {
	switch {
	case in.ID == "":
		return vpcAttribute{}, missing("vpcId")
	case in.Attribute == "":
		return vpcAttribute{}, missing("Attribute")
	}
	if err := in.allow(c, "DescribeVpcAttribute", c.ARN("ec2", "vpc/"+in.ID), nil); err != nil {
		return vpcAttribute{}, err
	}
	if !slices.ContainsFunc(inOrder(s.State.at(c.Region).Instances), func(i *Instance) bool { return i.VPC == in.ID }) {
		return vpcAttribute{}, noVPC(in.ID)
	}
	answer := vpcAttribute{ID: in.ID}
	switch in.Attribute {
	case "enableDnsSupport":
		answer.DNSSupport = &attributeFlag{true}
	case "enableDnsHostnames":
		answer.DNSHostnames = &attributeFlag{true}
	case "enableNetworkAddressUsageMetrics":
		answer.UsageMetrics = &attributeFlag{}
	default:
		return vpcAttribute{}, unknownAttribute(in.Attribute)
	}
	return answer, nil
}

func noVPC(id string) error {
	return wire.Refuse("InvalidVpcID.NotFound", "The vpc ID '"+id+"' does not exist")
}

// selected is what all listings of a network's parts do: those of the ids or
// all, each once, through the filters, page by page.
func selected[T any](in listing, ids []string, all []T, id func(T) string, values func(T, string) ([]string, bool), unknown func(string) error) ([]T, string, error) {
	slices.SortStableFunc(all, func(a, b T) int { return cmp.Compare(id(a), id(b)) })
	all = slices.CompactFunc(all, func(a, b T) bool { return id(a) == id(b) })
	for _, want := range ids {
		if !slices.ContainsFunc(all, func(one T) bool { return id(one) == want }) {
			return nil, "", unknown(want)
		}
	}
	all = slices.DeleteFunc(all, func(one T) bool { return id(one) == "" || len(ids) > 0 && !slices.Contains(ids, id(one)) })
	all, err := filtered(in.Filters, all, values)
	if err != nil {
		return nil, "", err
	}
	return page(in, all)
}

type describeSubnetsInput struct {
	try
	listing
	IDs []string `query:"SubnetId"`
}

type subnet struct {
	ID        string `xml:"subnetId"`
	ARN       string `xml:"subnetArn"`
	Owner     string `xml:"ownerId"`
	State     string `xml:"state"`
	VPC       string `xml:"vpcId"`
	CIDR      string `xml:"cidrBlock"`
	Free      int    `xml:"availableIpAddressCount"`
	Zone      string `xml:"availabilityZone"`
	ZoneID    string `xml:"availabilityZoneId"`
	IsDefault bool   `xml:"defaultForAz"`
	Public    bool   `xml:"mapPublicIpOnLaunch"`
	IPv6      bool   `xml:"assignIpv6AddressOnCreation"`
	Tags      []tag  `xml:"tagSet>item"`
}

type describedSubnets struct {
	Subnets   []subnet `xml:"subnetSet>item"`
	NextToken string   `xml:"nextToken,omitempty"`
}

// describeSubnets tells of the subnets that instances are in
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html).
func (s *Service) describeSubnets(c *wire.Call, in describeSubnetsInput) (describedSubnets, error) {
	if err := in.allow(c, "DescribeSubnets", "*", nil); err != nil {
		return describedSubnets{}, err
	}
	var all []subnet
	for _, i := range inOrder(s.State.at(c.Region).Instances) {
		all = append(all, subnet{
			ID: i.Subnet, ARN: c.ARN("ec2", "subnet/"+i.Subnet), Owner: c.Account, State: "available", VPC: i.VPC,
			CIDR: i.SubnetCIDR, Free: freeAddresses(i.SubnetCIDR), Zone: i.Zone, ZoneID: i.ZoneID, Public: i.PublicIP != "", IPv6: i.IPv6 != "",
		})
	}
	part, next, err := selected(in.listing, in.IDs, all, func(n subnet) string { return n.ID }, subnet.filter,
		func(id string) error {
			return wire.Refuse("InvalidSubnetID.NotFound", "The subnet ID '"+id+"' does not exist")
		})
	return describedSubnets{part, next}, err
}

// freeAddresses are those of the range without the five that AWS keeps and the
// instance's own.
func freeAddresses(cidr string) int {
	p, err := netip.ParsePrefix(cidr)
	if err != nil || !p.Addr().Is4() {
		return 0
	}
	return max(0, 1<<(32-p.Bits())-6)
}

func (n subnet) filter(name string) ([]string, bool) {
	switch name {
	case "subnet-id":
		return one(n.ID), true
	case "subnet-arn":
		return one(n.ARN), true
	case "owner-id":
		return one(n.Owner), true
	case "state":
		return one(n.State), true
	case "vpc-id":
		return one(n.VPC), true
	case "cidr-block", "cidr", "cidrBlock":
		return one(n.CIDR), true
	case "availability-zone", "availabilityZone":
		return one(n.Zone), true
	case "availability-zone-id", "availabilityZoneId":
		return one(n.ZoneID), true
	case "available-ip-address-count":
		return one(strconv.Itoa(n.Free)), true
	case "default-for-az", "defaultForAz":
		return one(strconv.FormatBool(n.IsDefault)), true
	case "map-public-ip-on-launch":
		return one(strconv.FormatBool(n.Public)), true
	}
	return tagFilter(nil, name)
}

type describeGroupsInput struct {
	try
	listing
	IDs   []string `query:"GroupId"`
	Names []string `query:"GroupName"`
}

type permission struct {
	Protocol string   `xml:"ipProtocol"`
	Ranges   []string `xml:"ipRanges>item>cidrIp"`
}

type securityGroup struct {
	ID          string       `xml:"groupId"`
	ARN         string       `xml:"securityGroupArn"`
	Name        string       `xml:"groupName"`
	Description string       `xml:"groupDescription"`
	Owner       string       `xml:"ownerId"`
	VPC         string       `xml:"vpcId"`
	In          []permission `xml:"ipPermissions>item"`
	Out         []permission `xml:"ipPermissionsEgress>item"`
	Tags        []tag        `xml:"tagSet>item"`
}

type describedGroups struct {
	Groups    []securityGroup `xml:"securityGroupInfo>item"`
	NextToken string          `xml:"nextToken,omitempty"`
}

// describeSecurityGroups tells of the groups that instances belong to: nothing
// is let in, anything out
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSecurityGroups.html).
func (s *Service) describeSecurityGroups(c *wire.Call, in describeGroupsInput) (describedGroups, error) {
	if err := in.allow(c, "DescribeSecurityGroups", "*", nil); err != nil {
		return describedGroups{}, err
	}
	var all []securityGroup
	for _, i := range inOrder(s.State.at(c.Region).Instances) {
		for _, g := range i.SecurityGroups {
			all = append(all, securityGroup{
				ID: g.ID, ARN: c.ARN("ec2", "security-group/"+g.ID), Name: g.Name, Description: g.Name, Owner: c.Account, VPC: i.VPC,
				Out: []permission{{"-1", []string{"0.0.0.0/0"}}},
			})
		}
	}
	if len(in.Names) > 0 {
		in.Filters = append(in.Filters, filter{"group-name", in.Names})
	}
	part, next, err := selected(in.listing, in.IDs, all, func(g securityGroup) string { return g.ID }, securityGroup.filter, noGroup)
	if err == nil && len(in.Names) > 0 && len(part) == 0 {
		return describedGroups{}, noGroup(in.Names[0])
	}
	return describedGroups{part, next}, err
}

func noGroup(name string) error {
	return wire.Refuse("InvalidGroup.NotFound", "The security group '"+name+"' does not exist")
}

func (g securityGroup) filter(name string) ([]string, bool) {
	switch name {
	case "group-id":
		return one(g.ID), true
	case "group-name":
		return one(g.Name), true
	case "description":
		return one(g.Description), true
	case "owner-id":
		return one(g.Owner), true
	case "vpc-id":
		return one(g.VPC), true
	case "egress.ip-permission.cidr":
		return one("0.0.0.0/0"), true
	case "egress.ip-permission.protocol":
		return one("-1"), true
	case "ip-permission.cidr", "ip-permission.protocol", "ip-permission.from-port", "ip-permission.to-port",
		"egress.ip-permission.from-port", "egress.ip-permission.to-port":
		return nil, true
	}
	return tagFilter(nil, name)
}
