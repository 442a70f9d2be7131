package emulator

import (
	"cmp"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// An Instance is what the metadata tells about the machine. Empty fields take
// a value that fits the others, or are absent where an instance may lack them.
type Instance struct {
	ID           string // i-…
	Type         string // t3.micro
	Architecture string // x86_64 or arm64; "" means that of Type
	System       string // the hypervisor: nitro, xen or xen-on-nitro; "" means that of the profile
	Account      string // twelve digits
	Reservation  string // r-…
	LaunchIndex  int    // the place among those launched with one call
	Lifecycle    string // on-demand, spot, scheduled or capacity-block; "" means spot where a spot interruption is to come
	Monitoring   bool   // each minute

	Image          string            // ami-…
	AncestorImages []string          // that Image was made from
	ManifestPath   string            // of an image in S3; "" means (unknown), as for those on EBS
	Kernel         string            // aki-…
	Ramdisk        string            // ari-…
	ProductCodes   []string          // of AWS Marketplace
	BlockDevices   map[string]string // beside or instead of ami and root, which are /dev/xvda: swap, ebs1, ephemeral0, ...
	ElasticGPUs    map[string]string // the JSON that tells of each, by its id
	Accelerators   map[string]string // of Elastic Inference: the JSON that tells of each, by its id

	Region         string // ap-northeast-1
	Zone           string // ap-northeast-1a
	ZoneID         string // apne1-az1
	PlacementGroup string
	Partition      int    // of the placement group, from 1
	Host           string // h-…, if it is a dedicated one

	PrivateIP string // absent only if IPv6 is given
	PublicIP  string // "" means none
	IPv6      string // "" means none
	Hostname  string // the private DNS name
	MAC       string

	Interface        string // eni-…
	Subnet           string // subnet-…
	SubnetCIDR       string
	VPC              string // vpc-…
	VPCCIDR          string
	SecurityGroups   []string // names
	SecurityGroupIDs []string // sg-…

	// Interfaces are the further network interfaces. The one that has the MAC of
	// the primary adds to what the fields above say of that.
	Interfaces []Interface

	KeyName   string // "" means launched without a key pair
	PublicKey string // in the form of authorized_keys; "" means one that opens nothing

	Tags     map[string]string
	UserData string // "" means none
	Launched time.Time
}

// Validate reports what [New] would refuse in the instance.
func (i Instance) Validate() error { return i.complete(time.Time{}) }

// complete fills in the defaults and checks what has a form.
func (i *Instance) complete(now time.Time) error {
	i.identify(now)
	if err := i.place(); err != nil {
		return err
	}
	if err := i.address(); err != nil {
		return err
	}
	if err := i.completeInterfaces(); err != nil {
		return err
	}
	if err := i.checkNames(); err != nil {
		return err
	}
	return i.key()
}

func (i *Instance) identify(now time.Time) {
	fill(&i.ID, "i-0123456789abcdef0")
	fill(&i.Type, "t3.micro")
	fill(&i.Architecture, architecture(i.Type))
	fill(&i.Image, "ami-0123456789abcdef0")
	fill(&i.Account, "123456789012")
	fill(&i.Reservation, "r-0123456789abcdef0")
	fill(&i.Lifecycle, "on-demand")
	fill(&i.Interface, "eni-0123456789abcdef0")
	fill(&i.Subnet, "subnet-0123456789abcdef0")
	fill(&i.VPC, "vpc-0123456789abcdef0")
	if len(i.SecurityGroups) == 0 {
		i.SecurityGroups = []string{"default"}
	}
	if len(i.SecurityGroupIDs) == 0 {
		i.SecurityGroupIDs = []string{"sg-0123456789abcdef0"}
	}
	if i.Launched.IsZero() {
		i.Launched = now.UTC().Truncate(time.Second)
	}
	fill(&i.ManifestPath, "(unknown)")
	i.BlockDevices = withDefaults(i.BlockDevices, map[string]string{"ami": "/dev/xvda", "root": "/dev/xvda"})
}

// withDefaults returns what given says, and where it says nothing, defaults.
func withDefaults(given, defaults map[string]string) map[string]string {
	maps.Copy(defaults, given)
	return defaults
}

// checkNames refuses what would be no single name in the tree, and numbers
// that EC2 does not count with.
func (i *Instance) checkNames() error {
	for name := range i.BlockDevices {
		if !isBlockDevice(name) {
			return fmt.Errorf("block device %q: want ami, root, swap, ebsN or ephemeralN", name)
		}
	}
	for _, ids := range []map[string]string{i.ElasticGPUs, i.Accelerators} {
		for id := range ids {
			if !isName(id, 255, "-") {
				return fmt.Errorf("id of an accelerator %q: want letters, digits and -", id)
			}
		}
	}
	switch {
	case !slices.Contains([]string{"", "nitro", "xen", "xen-on-nitro"}, i.System):
		return fmt.Errorf("system %q: want nitro, xen or xen-on-nitro", i.System)
	case i.LaunchIndex < 0:
		return fmt.Errorf("launch index %d is negative", i.LaunchIndex)
	case i.Partition < 0:
		return fmt.Errorf("partition %d is negative", i.Partition)
	}
	return nil
}

func isBlockDevice(name string) bool {
	if name == "ami" || name == "root" || name == "swap" {
		return true
	}
	for _, kind := range []string{"ebs", "ephemeral"} {
		if n, ok := strings.CutPrefix(name, kind); ok && n != "" && len(n) < 3 && strings.Trim(n, "0123456789") == "" {
			return true
		}
	}
	return false
}

// architecture tells it from the type's family: a g after the generation
// stands for Graviton, as in m7g and im4gn; a1 is older than that rule
// (https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html).
func architecture(instanceType string) string {
	family, _, _ := strings.Cut(instanceType, ".")
	generation := strings.IndexAny(family, "0123456789")
	if family == "a1" || generation > 0 && strings.Contains(family[generation:], "g") {
		return "arm64"
	}
	return "x86_64"
}

func (i *Instance) place() error {
	fill(&i.Region, "ap-northeast-1")
	fill(&i.Zone, i.Region+"a")
	fill(&i.ZoneID, zoneID(i.Region, i.Zone))
	if !strings.HasPrefix(i.Zone, i.Region) {
		return fmt.Errorf("zone %q does not lie in region %q", i.Zone, i.Region)
	}
	return nil
}

// zoneID abbreviates as AWS does: us-gov-west-1b is usgw1-az2. In a real
// account the number need not follow the letter.
func zoneID(region, zone string) string {
	var id strings.Builder
	for n, word := range strings.Split(region, "-") {
		if n == 0 || len(word) < 3 {
			id.WriteString(word)
			continue
		}
		direction := strings.NewReplacer("north", "n", "south", "s", "east", "e", "west", "w", "central", "c", "gov", "g")
		id.WriteString(direction.Replace(word))
	}
	return fmt.Sprintf("%s-az%d", &id, zone[len(zone)-1]-'a'+1)
}

func (i *Instance) address() error {
	if i.IPv6 == "" {
		fill(&i.PrivateIP, "10.0.1.23")
	}
	fill(&i.MAC, "06:1a:2b:3c:4d:5e")
	mac, err := net.ParseMAC(i.MAC)
	if err != nil {
		return fmt.Errorf("mac: %w", err)
	}
	i.MAC = mac.String()
	if err := checkAddresses(slices.Concat(one(i.PrivateIP), one(i.PublicIP)), one(i.IPv6)); err != nil {
		return err
	}
	i.networks()
	return nil
}

func checkAddresses(v4, v6 []string) error {
	for n, ip := range slices.Concat(v4, v6) {
		a, err := netip.ParseAddr(ip)
		switch {
		case err != nil:
			return fmt.Errorf("address: %w", err)
		case a.Is6() != (n >= len(v4)):
			return fmt.Errorf("address %s is of the other version of IP", ip)
		}
	}
	return nil
}

// networks derives names and ranges from the addresses.
func (i *Instance) networks() {
	if i.PrivateIP == "" {
		fill(&i.Hostname, i.ID+"."+i.internalDomain())
		return
	}
	fill(&i.Hostname, i.privateHostname(i.PrivateIP))
	fill(&i.SubnetCIDR, around(i.PrivateIP, 24))
	fill(&i.VPCCIDR, around(i.PrivateIP, 16))
}

// around returns the range of so many bits that ip lies in.
func around(ip string, bits int) string {
	return netip.PrefixFrom(netip.MustParseAddr(ip), bits).Masked().String()
}

func (i *Instance) privateHostname(ip string) string {
	return "ip-" + dashes(ip) + "." + i.internalDomain()
}

// PublicHostname is the name that the public address has in the DNS; "" if
// there is none.
func (i Instance) PublicHostname() string {
	if i.PublicIP == "" {
		return ""
	}
	return i.publicHostname(i.PublicIP)
}

// internalDomain and publicHostname know that us-east-1, the first region,
// keeps its old names.
func (i *Instance) internalDomain() string {
	if i.Region == "us-east-1" {
		return "ec2.internal"
	}
	return i.Region + ".compute.internal"
}

func (i *Instance) publicHostname(ip string) string {
	if i.Region == "us-east-1" {
		return "ec2-" + dashes(ip) + ".compute-1.amazonaws.com"
	}
	return "ec2-" + dashes(ip) + "." + i.Region + ".compute." + i.domain()
}

func dashes(ip string) string { return strings.ReplaceAll(ip, ".", "-") }

// domain is where the region's services have their endpoints.
func (i *Instance) domain() string {
	if i.partition() == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

func (i *Instance) partition() string {
	switch {
	case strings.HasPrefix(i.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(i.Region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

// key makes up the public key of a named key pair. The private half is thrown
// away, so that it opens nothing wherever it may be installed.
func (i *Instance) key() error {
	if i.KeyName == "" || i.PublicKey != "" {
		return nil
	}
	public, _, err := ed25519.GenerateKey(nil)
	if err != nil {
		return fmt.Errorf("make a key pair: %w", err)
	}
	const kind = "ssh-ed25519"
	blob := sshString(sshString(nil, []byte(kind)), public)
	i.PublicKey = kind + " " + base64.StdEncoding.EncodeToString(blob) + " " + i.KeyName + "\n"
	return nil
}

// sshString appends s in the wire form of RFC 4251, section 5.
func sshString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

func fill(field *string, value string) { *field = cmp.Or(*field, value) }
