package emulator

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An Interface is a network interface of an instance. Empty fields take a
// value that fits the instance, but for the addresses: an interface without
// any has none.
type Interface struct {
	ID     string `yaml:"id"`     // eni-…
	MAC    string `yaml:"mac"`    // "" means one that follows the primary's
	Device int    `yaml:"device"` // the device number; 0 means its place in the list, counted from 1
	Card   int    `yaml:"card"`   // the network card; where all are on card 0, none is told
	Owner  string `yaml:"owner"`  // the account that it belongs to; "" means the instance's

	Hostname     string            `yaml:"hostname"`      // the private DNS name
	PrivateIPs   []string          `yaml:"private_ips"`   // the first is its main one
	PublicIPs    map[string]string `yaml:"public_ips"`    // the private address behind each public one
	IPv6s        []string          `yaml:"ipv6s"`         //
	IPv4Prefixes []string          `yaml:"ipv4_prefixes"` // delegated to it, such as 10.0.1.64/28
	IPv6Prefixes []string          `yaml:"ipv6_prefixes"` // delegated to it, such as 2001:db8:0:1:8000::/80

	Subnet          string   `yaml:"subnet"`      // subnet-…
	SubnetCIDR      string   `yaml:"subnet_cidr"` // "" means the /24 around its main address
	SubnetIPv6CIDRs []string `yaml:"subnet_ipv6_cidrs"`
	VPC             string   `yaml:"vpc"`       // vpc-…
	VPCCIDRs        []string `yaml:"vpc_cidrs"` // the primary range first
	VPCIPv6CIDRs    []string `yaml:"vpc_ipv6_cidrs"`

	SecurityGroups   []string `yaml:"security_groups"`    // names
	SecurityGroupIDs []string `yaml:"security_group_ids"` // sg-…
}

// completeInterfaces makes the list whole: it begins with the primary
// interface, and every one says all that it has.
func (i *Instance) completeInterfaces() error {
	all := []Interface{i.primary()}
	for n, given := range i.Interfaces {
		if err := given.check(); err != nil {
			return fmt.Errorf("interface %d: %w", n+1, err)
		}
		if mac, _ := net.ParseMAC(given.MAC); mac.String() == i.MAC {
			all[0].add(given)
			continue
		}
		given.complete(i, len(all))
		all = append(all, given)
	}
	for n := range all {
		all[n].ranges(&all[0])
	}
	i.Interfaces = all
	return apart(all)
}

// primary is what the fields of the instance say of its first interface.
func (i *Instance) primary() Interface {
	p := Interface{
		ID: i.Interface, MAC: i.MAC, Owner: i.Account, Hostname: i.Hostname,
		PrivateIPs: one(i.PrivateIP), IPv6s: one(i.IPv6), PublicIPs: map[string]string{},
		Subnet: i.Subnet, SubnetCIDR: i.SubnetCIDR, VPC: i.VPC, VPCCIDRs: one(i.VPCCIDR),
		SecurityGroups: i.SecurityGroups, SecurityGroupIDs: i.SecurityGroupIDs,
	}
	if i.PublicIP != "" {
		p.PublicIPs[i.PublicIP] = i.PrivateIP
	}
	return p
}

// one is a list of value, or an empty one if there is none.
func one(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// add puts what more says behind what the interface has. What there is only
// one of stays as it is.
func (f *Interface) add(more Interface) {
	f.Card = more.Card
	for public, private := range more.PublicIPs {
		f.PublicIPs[public] = private
	}
	for _, list := range []struct {
		to   *[]string
		more []string
	}{
		{&f.PrivateIPs, more.PrivateIPs}, {&f.IPv6s, more.IPv6s},
		{&f.IPv4Prefixes, more.IPv4Prefixes}, {&f.IPv6Prefixes, more.IPv6Prefixes},
		{&f.SubnetIPv6CIDRs, more.SubnetIPv6CIDRs}, {&f.VPCCIDRs, more.VPCCIDRs}, {&f.VPCIPv6CIDRs, more.VPCIPv6CIDRs},
		{&f.SecurityGroups, more.SecurityGroups}, {&f.SecurityGroupIDs, more.SecurityGroupIDs},
	} {
		*list.to = joined(*list.to, list.more)
	}
}

// joined is a new list of all in a and then those of b that a has not.
func joined(a, b []string) []string {
	all := slices.Clone(a)
	for _, s := range b {
		if !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

// check refuses what is no address, range or number.
func (f *Interface) check() error {
	if _, err := net.ParseMAC(f.MAC); f.MAC != "" && err != nil {
		return fmt.Errorf("mac: %w", err)
	}
	v4 := slices.Concat(f.PrivateIPs, slices.Collect(maps.Keys(f.PublicIPs)), slices.Collect(maps.Values(f.PublicIPs)))
	if err := checkAddresses(v4, f.IPv6s); err != nil {
		return err
	}
	for _, r := range slices.Concat(f.IPv4Prefixes, f.IPv6Prefixes, one(f.SubnetCIDR), f.SubnetIPv6CIDRs, f.VPCCIDRs, f.VPCIPv6CIDRs) {
		if _, err := netip.ParsePrefix(r); err != nil {
			return fmt.Errorf("range: %w", err)
		}
	}
	if f.Device < 0 || f.Card < 0 {
		return fmt.Errorf("device %d, card %d: want 0 or more", f.Device, f.Card)
	}
	return nil
}

// complete fills in what the instance and the place in its list tell.
func (f *Interface) complete(i *Instance, place int) {
	if f.Device == 0 {
		f.Device = place
	}
	fill(&f.MAC, after(i.MAC, place))
	mac, _ := net.ParseMAC(f.MAC)
	f.MAC = mac.String()
	fill(&f.ID, "eni-"+derived(i.Interface, f.MAC))
	fill(&f.Owner, i.Account)
	fill(&f.VPC, i.VPC)
	switch {
	case len(f.PrivateIPs) > 0:
		fill(&f.Hostname, i.privateHostname(f.PrivateIPs[0]))
		fill(&f.SubnetCIDR, around(f.PrivateIPs[0], 24))
	case len(f.IPv6s) > 0:
		fill(&f.Hostname, i.ID+"."+i.internalDomain())
	}
	if f.SubnetCIDR == i.SubnetCIDR {
		fill(&f.Subnet, i.Subnet)
	}
	fill(&f.Subnet, "subnet-"+derived(i.Subnet, f.SubnetCIDR))
	if len(f.SecurityGroupIDs) == 0 {
		f.SecurityGroups, f.SecurityGroupIDs = i.SecurityGroups, i.SecurityGroupIDs
	}
}

// ranges derives those around the addresses: EC2 gives a subnet a /64 and a
// VPC a /56.
func (f *Interface) ranges(primary *Interface) {
	if len(f.IPv6s) > 0 {
		if len(f.SubnetIPv6CIDRs) == 0 {
			f.SubnetIPv6CIDRs = one(around(f.IPv6s[0], 64))
		}
		if len(f.VPCIPv6CIDRs) == 0 {
			f.VPCIPv6CIDRs = one(around(f.IPv6s[0], 56))
		}
	}
	if f.VPC != primary.VPC {
		return
	}
	f.VPCCIDRs = joined(primary.VPCCIDRs, f.VPCCIDRs)
	f.VPCIPv6CIDRs = joined(primary.VPCIPv6CIDRs, f.VPCIPv6CIDRs)
}

// after is the MAC address n places after another, within its last byte.
func after(mac string, n int) string {
	b, _ := net.ParseMAC(mac)
	b[len(b)-1] += byte(n)
	return b.String()
}

// derived makes an id of EC2's form that is always the same for what it is
// made from.
func derived(from ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(from, "\n")))
	return hex.EncodeToString(sum[:])[:17]
}

// apart refuses two interfaces that nothing could tell apart.
func apart(all []Interface) error {
	seen := map[string]bool{}
	for _, f := range all {
		for _, key := range []string{"mac " + f.MAC, "id " + f.ID, fmt.Sprintf("device %d of card %d", f.Device, f.Card)} {
			if seen[key] {
				return fmt.Errorf("two interfaces have the %s", key)
			}
			seen[key] = true
		}
	}
	return nil
}

func (i *Instance) interfaceCategories() []category {
	cards := slices.ContainsFunc(i.Interfaces, func(f Interface) bool { return f.Card > 0 })
	var list []category
	for _, f := range i.Interfaces {
		leaves := f.categories(i)
		if cards {
			leaves = append(leaves, category{path: "network-card", since: "2020-11-01", body: strconv.Itoa(f.Card)})
		}
		for _, c := range leaves {
			c.path = "meta-data/network/interfaces/macs/" + f.MAC + "/" + c.path
			fill(&c.since, "2011-01-01")
			list = append(list, c)
		}
	}
	return list
}

// sincePrefixes is when AWS announced prefixes for network interfaces; the
// guide gives no version for them.
const sincePrefixes = "2021-07-15"

func (f *Interface) categories(i *Instance) []category {
	const sinceIPv6 = "2016-06-30"
	list := []category{
		{path: "device-number", body: strconv.Itoa(f.Device)},
		{path: "interface-id", body: f.ID},
		{path: "ipv4-prefix", since: sincePrefixes, body: lines(f.IPv4Prefixes)},
		{path: "ipv6-prefix", since: sincePrefixes, body: lines(f.IPv6Prefixes)},
		{path: "ipv6s", since: sinceIPv6, body: lines(f.IPv6s)},
		{path: "local-hostname", body: f.Hostname},
		{path: "local-ipv4s", body: lines(f.PrivateIPs)},
		{path: "mac", body: f.MAC},
		{path: "owner-id", body: f.Owner},
		{path: "security-group-ids", body: lines(f.SecurityGroupIDs)},
		{path: "security-groups", body: lines(f.SecurityGroups)},
		{path: "subnet-id", body: f.Subnet},
		{path: "subnet-ipv4-cidr-block", body: f.SubnetCIDR},
		{path: "subnet-ipv6-cidr-blocks", since: sinceIPv6, body: lines(f.SubnetIPv6CIDRs)},
		{path: "vpc-id", body: f.VPC},
		{path: "vpc-ipv4-cidr-blocks", since: sinceIPv6, body: lines(f.VPCCIDRs)},
		{path: "vpc-ipv6-cidr-blocks", since: sinceIPv6, body: lines(f.VPCIPv6CIDRs)},
	}
	if len(f.VPCCIDRs) > 0 {
		list = append(list, category{path: "vpc-ipv4-cidr-block", body: f.VPCCIDRs[0]})
	}
	return append(list, f.publicCategories(i)...)
}

// publicCategories has the public addresses in the order of the private ones
// behind them.
func (f *Interface) publicCategories(i *Instance) []category {
	if len(f.PublicIPs) == 0 {
		return nil
	}
	order := func(public string) int { return slices.Index(f.PrivateIPs, f.PublicIPs[public]) }
	public := slices.SortedFunc(maps.Keys(f.PublicIPs), func(a, b string) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), strings.Compare(a, b))
	})
	list := []category{{path: "public-ipv4s", body: lines(public)}}
	for _, ip := range public {
		list = append(list, category{path: "ipv4-associations/" + ip, body: f.PublicIPs[ip]})
	}
	if len(f.PrivateIPs) > 0 {
		list = append(list, category{path: "public-hostname", body: i.publicHostname(public[0])})
	}
	return list
}
