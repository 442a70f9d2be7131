package imds

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

const interfacesPath = "/latest/meta-data/network/interfaces/macs/"

// An Interface is a network interface of an instance. What it does not have
// is the zero value.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
type Interface struct {
	MAC          string // "02:29:96:8f:6a:2d"
	ID           string // "eni-..."
	DeviceNumber int    // 0 is the primary one
	NetworkCard  int    // of instance types that have several
	OwnerID      string // the account that owns it

	LocalHostname    string
	LocalIPv4s       []netip.Addr
	PublicHostname   string
	PublicIPv4s      []netip.Addr
	IPv6s            []netip.Addr
	IPv4Associations map[netip.Addr][]netip.Addr // by public address, the private ones it leads to
	IPv4Prefixes     []netip.Prefix              // delegated
	IPv6Prefixes     []netip.Prefix              // delegated

	SecurityGroups   []string // names
	SecurityGroupIDs []string

	SubnetID        string
	SubnetIPv4CIDR  netip.Prefix
	SubnetIPv6CIDRs []netip.Prefix
	VPCID           string
	VPCIPv4CIDR     netip.Prefix // the primary one
	VPCIPv4CIDRs    []netip.Prefix
	VPCIPv6CIDRs    []netip.Prefix
}

// Interfaces reads all network interfaces, the primary one first: in the order
// of network card, device number and MAC. One that is detached while it is
// read is left out.
func (c *Client) Interfaces(ctx context.Context) ([]Interface, error) {
	macs, err := c.list(ctx, interfacesPath)
	if err != nil {
		return nil, err
	}
	var all []Interface
	for _, mac := range macs {
		i, err := c.networkInterface(ctx, strings.TrimSuffix(mac, "/"))
		if errors.Is(err, ErrAbsent) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	slices.SortFunc(all, func(a, b Interface) int {
		return cmp.Or(cmp.Compare(a.NetworkCard, b.NetworkCard), cmp.Compare(a.DeviceNumber, b.DeviceNumber), cmp.Compare(a.MAC, b.MAC))
	})
	return all, nil
}

func (c *Client) networkInterface(ctx context.Context, mac string) (Interface, error) {
	path := interfacesPath + mac + "/"
	values, err := c.leaves(ctx, path)
	if err != nil {
		return Interface{}, err
	}
	l := leafReader{path: path, values: values}
	i := l.networkInterface(mac)
	i.IPv4Associations = l.associations(c.leaves(ctx, path+"ipv4-associations/"))
	return i, l.err
}

// A leafReader turns the values in a directory into what they stand for, and
// keeps the first failure.
type leafReader struct {
	path   string
	values map[string]string
	err    error
}

func (l *leafReader) networkInterface(mac string) Interface {
	return Interface{
		MAC:              cmp.Or(l.text("mac"), mac),
		ID:               l.text("interface-id"),
		DeviceNumber:     l.number("device-number"),
		NetworkCard:      l.number("network-card"),
		OwnerID:          l.text("owner-id"),
		LocalHostname:    l.text("local-hostname"),
		LocalIPv4s:       each(l, "local-ipv4s", netip.ParseAddr),
		PublicHostname:   l.text("public-hostname"),
		PublicIPv4s:      each(l, "public-ipv4s", netip.ParseAddr),
		IPv6s:            each(l, "ipv6s", netip.ParseAddr),
		IPv4Prefixes:     each(l, "ipv4-prefix", netip.ParsePrefix),
		IPv6Prefixes:     each(l, "ipv6-prefix", netip.ParsePrefix),
		SecurityGroups:   lines(l.values["security-groups"]),
		SecurityGroupIDs: lines(l.values["security-group-ids"]),
		SubnetID:         l.text("subnet-id"),
		SubnetIPv4CIDR:   l.prefix("subnet-ipv4-cidr-block"),
		SubnetIPv6CIDRs:  each(l, "subnet-ipv6-cidr-blocks", netip.ParsePrefix),
		VPCID:            l.text("vpc-id"),
		VPCIPv4CIDR:      l.prefix("vpc-ipv4-cidr-block"),
		VPCIPv4CIDRs:     each(l, "vpc-ipv4-cidr-blocks", netip.ParsePrefix),
		VPCIPv6CIDRs:     each(l, "vpc-ipv6-cidr-blocks", netip.ParsePrefix),
	}
}

func (l *leafReader) text(name string) string { return strings.TrimSpace(l.values[name]) }

func (l *leafReader) number(name string) int {
	text := l.text(name)
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		l.malformed(name, text)
	}
	return n
}

func (l *leafReader) prefix(name string) netip.Prefix {
	if list := each(l, name, netip.ParsePrefix); len(list) > 0 {
		return list[0]
	}
	return netip.Prefix{}
}

// associations takes over what reading the associations came to. An interface
// without a public address has none.
func (l *leafReader) associations(values map[string]string, err error) map[netip.Addr][]netip.Addr {
	if err != nil {
		if l.err == nil && !errors.Is(err, ErrAbsent) {
			l.err = err
		}
		return nil
	}
	of := leafReader{path: l.path + "ipv4-associations/", values: values, err: l.err}
	found := make(map[netip.Addr][]netip.Addr, len(values))
	for name := range values {
		public, err := netip.ParseAddr(name)
		if err != nil {
			of.malformed(name, name)
			continue
		}
		found[public] = each(&of, name, netip.ParseAddr)
	}
	l.err = of.err
	return found
}

func (l *leafReader) malformed(name, text string) {
	if l.err == nil {
		l.err = malformed(l.path+name, unlike(text))
	}
}

// each parses a value of one item a line.
func each[T any](l *leafReader, name string, parse func(string) (T, error)) []T {
	var list []T
	for _, line := range lines(l.values[name]) {
		item, err := parse(line)
		if err != nil {
			l.malformed(name, line)
			return nil
		}
		list = append(list, item)
	}
	return list
}
