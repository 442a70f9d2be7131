package emulator_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/imds"
)

// everything is an instance that lacks no category of the guide.
func everything() emulator.Options {
	o := full()
	i := &o.Instance
	i.AncestorImages = []string{"ami-0b1", "ami-0b2"}
	i.ManifestPath = "bucket/image.manifest.xml"
	i.LaunchIndex = 3
	i.Kernel, i.Ramdisk = "aki-0a", "ari-0a"
	i.ProductCodes = []string{"code1", "code2"}
	i.BlockDevices = map[string]string{"root": "/dev/sda1", "swap": "sda3", "ebs1": "sdb", "ephemeral0": "sdc"}
	i.ElasticGPUs = map[string]string{"egpu-1": `{"elastic-gpu-id":"egpu-1"}`}
	i.Accelerators = map[string]string{"eia-1": `{"elastic-inference-accelerator-id":"eia-1"}`}
	i.PlacementGroup, i.Partition, i.Host = "group", 2, "h-0a"
	i.Monitoring = true
	i.Interfaces = []emulator.Interface{
		{MAC: "0e:00:00:00:00:11", PrivateIPs: []string{"172.31.5.7"}, PublicIPs: map[string]string{"203.0.113.10": "172.31.5.7"},
			IPv4Prefixes: []string{"172.31.5.64/28"}, IPv6Prefixes: []string{"2001:db8:0:0:8000::/80"}},
		{MAC: "0e:00:00:00:00:12", Card: 1, PrivateIPs: []string{"172.31.6.1", "172.31.6.2"}, Owner: "444455556666"},
	}
	o.Now = func() time.Time { return time.Date(2026, 1, 2, 4, 0, 0, 0, time.UTC) }
	o.Events = emulator.Events{
		Spot:        &emulator.SpotInterruption{Time: time.Date(2026, 1, 2, 4, 1, 0, 0, time.UTC)},
		Rebalance:   time.Date(2026, 1, 2, 3, 59, 0, 0, time.UTC),
		Lifecycle:   []emulator.Lifecycle{{State: "InService"}},
		Maintenance: []emulator.Maintenance{{Code: "system-reboot", NotBefore: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)}},
	}
	return o
}

const mac1, mac2 = "network/interfaces/macs/0e:00:00:00:00:11/", "network/interfaces/macs/0e:00:00:00:00:12/"

// guide holds the tables "Instance metadata categories" and "Dynamic data
// categories" of the EC2 User Guide, those of older editions included: each
// category, the version that it came with, and what everything has there. An
// empty text stands for what changes from run to run.
var guide = []struct{ category, version, want string }{
	{"ami-id", "1.0", "ami-0bb"},
	{"ami-launch-index", "1.0", "3"},
	{"ami-manifest-path", "1.0", "bucket/image.manifest.xml"},
	{"ancestor-ami-ids", "2007-10-10", "ami-0b1\nami-0b2"},
	{"autoscaling/target-lifecycle-state", "2021-07-15", "InService"},
	{"block-device-mapping/ami", "2007-12-15", "/dev/xvda"},
	{"block-device-mapping/ebs1", "2007-12-15", "sdb"},
	{"block-device-mapping/ephemeral0", "2007-12-15", "sdc"},
	{"block-device-mapping/root", "2007-12-15", "/dev/sda1"},
	{"block-device-mapping/swap", "2007-12-15", "sda3"},
	{"elastic-gpus/associations/egpu-1", "2016-11-30", `{"elastic-gpu-id":"egpu-1"}`},
	{"elastic-inference/associations/eia-1", "2018-11-29", `{"elastic-inference-accelerator-id":"eia-1"}`},
	{"events/maintenance/history", "2018-08-17", "[]"},
	{"events/maintenance/scheduled", "2018-08-17", ""},
	{"events/recommendations/rebalance", "2020-10-27", `{"noticeTime": "2026-01-02T03:59:00Z"}`},
	{"hostname", "1.0", "ip-172-31-5-6.eu-west-1.compute.internal"},
	{"iam/info", "2012-01-12", ""},
	{"iam/security-credentials/app-role", "2012-01-12", ""},
	{"identity-credentials/ec2/info", "2018-05-23", "{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"2026-01-02T03:04:05Z\",\n  \"AccountId\" : \"111122223333\"\n}"},
	{"identity-credentials/ec2/security-credentials/ec2-instance", "2018-05-23", ""},
	{"instance-action", "2008-09-01", "none"},
	{"instance-id", "1.0", "i-0aa"},
	{"instance-life-cycle", "2019-10-01", "spot"},
	{"instance-type", "2007-08-29", "m7g.large"},
	{"ipv6", "2021-01-03", "2001:db8::6"},
	{"kernel-id", "2008-02-01", "aki-0a"},
	{"local-hostname", "2007-01-19", "ip-172-31-5-6.eu-west-1.compute.internal"},
	{"local-ipv4", "1.0", "172.31.5.6"},
	{"mac", "2011-01-01", "0e:00:00:00:00:11"},
	{"metrics/vhostmd", "2011-05-01", `<?xml version="1.0" encoding="UTF-8"?>`},
	{mac1 + "device-number", "2011-01-01", "0"},
	{mac1 + "interface-id", "2011-01-01", "eni-0dd"},
	{mac1 + "ipv4-associations/203.0.113.9", "2011-01-01", "172.31.5.6"},
	{mac1 + "ipv4-associations/203.0.113.10", "2011-01-01", "172.31.5.7"},
	{mac1 + "ipv4-prefix", "2021-07-15", "172.31.5.64/28"},
	{mac1 + "ipv6s", "2016-06-30", "2001:db8::6"},
	{mac1 + "ipv6-prefix", "2021-07-15", "2001:db8:0:0:8000::/80"},
	{mac1 + "local-hostname", "2011-01-01", "ip-172-31-5-6.eu-west-1.compute.internal"},
	{mac1 + "local-ipv4s", "2011-01-01", "172.31.5.6\n172.31.5.7"},
	{mac1 + "mac", "2011-01-01", "0e:00:00:00:00:11"},
	{mac1 + "network-card", "2020-11-01", "0"},
	{mac1 + "owner-id", "2011-01-01", "111122223333"},
	{mac1 + "public-hostname", "2011-01-01", "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com"},
	{mac1 + "public-ipv4s", "2011-01-01", "203.0.113.9\n203.0.113.10"},
	{mac1 + "security-groups", "2011-01-01", "web\nssh"},
	{mac1 + "security-group-ids", "2011-01-01", "sg-1\nsg-2"},
	{mac1 + "subnet-id", "2011-01-01", "subnet-0ee"},
	{mac1 + "subnet-ipv4-cidr-block", "2011-01-01", "172.31.5.0/24"},
	{mac1 + "subnet-ipv6-cidr-blocks", "2016-06-30", "2001:db8::/64"},
	{mac1 + "vpc-id", "2011-01-01", "vpc-0ff"},
	{mac1 + "vpc-ipv4-cidr-block", "2011-01-01", "172.31.0.0/16"},
	{mac1 + "vpc-ipv4-cidr-blocks", "2016-06-30", "172.31.0.0/16"},
	{mac1 + "vpc-ipv6-cidr-blocks", "2016-06-30", "2001:db8::/56"},
	{mac2 + "device-number", "2011-01-01", "1"},
	{mac2 + "local-hostname", "2011-01-01", "ip-172-31-6-1.eu-west-1.compute.internal"},
	{mac2 + "local-ipv4s", "2011-01-01", "172.31.6.1\n172.31.6.2"},
	{mac2 + "network-card", "2020-11-01", "1"},
	{mac2 + "owner-id", "2011-01-01", "444455556666"},
	{mac2 + "subnet-ipv4-cidr-block", "2011-01-01", "172.31.6.0/24"},
	{mac2 + "vpc-id", "2011-01-01", "vpc-0ff"},
	{"placement/availability-zone", "2008-02-01", "eu-west-1c"},
	{"placement/availability-zone-id", "2019-10-01", "euw1-az3"},
	{"placement/group-name", "2020-08-24", "group"},
	{"placement/host-id", "2020-08-24", "h-0a"},
	{"placement/partition-number", "2020-08-24", "2"},
	{"placement/region", "2020-08-24", "eu-west-1"},
	{"product-codes", "2007-03-01", "code1\ncode2"},
	{"public-hostname", "2007-01-19", "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com"},
	{"public-ipv4", "2007-01-19", "203.0.113.9"},
	{"public-keys/0/openssh-key", "1.0", "ssh-ed25519 AAAA my-key\n"},
	{"ramdisk-id", "2007-10-10", "ari-0a"},
	{"reservation-id", "1.0", "r-0cc"},
	{"security-groups", "1.0", "web\nssh"},
	{"services/domain", "2014-02-25", "amazonaws.com"},
	{"services/partition", "2015-10-20", "aws"},
	{"spot/instance-action", "2016-11-15", `{"action": "terminate", "time": "2026-01-02T04:01:00Z"}`},
	{"spot/termination-time", "2014-11-05", "2026-01-02T04:01:00Z"},
	{"system", "2022-09-24", "nitro"},
	{"tags/instance/Name", "2021-03-23", "box"},
	{"../dynamic/fws/instance-monitoring", "2009-04-04", "enabled"},
	{"../dynamic/instance-identity/document", "2009-04-04", ""},
}

func TestGuide(t *testing.T) {
	s := start(t, everything())
	versions := strings.Split(do(t, "GET", s.URL).body, "\n")
	for _, tt := range guide {
		t.Run(tt.category, func(t *testing.T) {
			path := "/meta-data/" + tt.category
			if below, ok := strings.CutPrefix(tt.category, "../"); ok {
				path = "/" + below
			}
			for _, v := range versions {
				a := do(t, "GET", s.URL+"/"+v+path)
				if has := v == "latest" || v >= tt.version; has != (a.status == 200) {
					t.Errorf("%s: got %d", v, a.status)
				}
			}
			if a := do(t, "GET", s.URL+"/latest"+path); tt.want != "" && a.body != tt.want {
				t.Errorf("got %q, want %q", a.body, tt.want)
			}
		})
	}
}

// Whatever a listing names can be read, and every category of the guide is
// found by following the listings.
func TestCrawl(t *testing.T) {
	s := start(t, everything())
	var leaves []string
	var crawl func(dir string)
	crawl = func(dir string) {
		for _, name := range strings.Split(do(t, "GET", s.URL+dir).body, "\n") {
			number, _, label := strings.Cut(name, "=")
			switch path := dir + name; {
			case label:
				crawl(dir + number + "/")
			case strings.HasSuffix(name, "/"):
				crawl(path)
			default:
				if a := do(t, "GET", s.URL+path); a.status != 200 {
					t.Errorf("%s: got %d", path, a.status)
				}
				leaves = append(leaves, strings.TrimPrefix(path, "/latest/meta-data/"))
			}
		}
	}
	crawl("/latest/meta-data/")
	crawl("/latest/dynamic/")
	for _, tt := range guide {
		below, dynamic := strings.CutPrefix(tt.category, "../")
		if !slices.Contains(leaves, tt.category) && !(dynamic && slices.Contains(leaves, "/latest/"+below)) {
			t.Errorf("%s is listed nowhere", tt.category)
		}
	}
}

// What a plain instance lacks of the guide.
func TestPlainInstanceLacks(t *testing.T) {
	s := start(t, emulator.Options{})
	for _, path := range []string{
		"ancestor-ami-ids", "autoscaling", "block-device-mapping/swap", "elastic-gpus", "elastic-inference",
		"events/recommendations", "kernel-id", "placement/group-name", "placement/host-id", "placement/partition-number",
		"product-codes", "ramdisk-id", "spot", "network/interfaces/macs/06:1a:2b:3c:4d:5e/ipv6s",
		"network/interfaces/macs/06:1a:2b:3c:4d:5e/ipv4-prefix", "network/interfaces/macs/06:1a:2b:3c:4d:5e/network-card",
		"network/interfaces/macs/06:1a:2b:3c:4d:5e/subnet-ipv6-cidr-blocks", "network/interfaces/macs/06:1a:2b:3c:4d:5e/public-ipv4s",
	} {
		if a := do(t, "GET", s.URL+"/latest/meta-data/"+path); a.status != 404 {
			t.Errorf("%s: got %+v", path, a)
		}
	}
	if a := do(t, "GET", s.URL+"/latest/dynamic/fws/instance-monitoring"); a.body != "disabled" {
		t.Errorf("instance-monitoring: got %+v", a)
	}
}

func TestSystem(t *testing.T) {
	for _, tt := range []struct{ profile, system, want string }{
		{"", "", "nitro"}, {"legacy", "", "xen"}, {"", "xen-on-nitro", "xen-on-nitro"}, {"legacy", "nitro", "nitro"},
	} {
		s := start(t, emulator.Options{Profile: tt.profile, Instance: emulator.Instance{System: tt.system}})
		if a := do(t, "GET", s.URL+"/latest/meta-data/system"); a.body != tt.want {
			t.Errorf("profile %q, system %q: got %q", tt.profile, tt.system, a.body)
		}
		change(t, s, emulator.Options{Tokens: "optional"}) // the profile is the server's, as is the instance
		if a := do(t, "GET", s.URL+"/latest/meta-data/system"); a.body != tt.want {
			t.Errorf("profile %q, system %q: got %q after a change", tt.profile, tt.system, a.body)
		}
	}
}

// The instance's own credentials are no role's: whoever checks credentials
// does not take them for those.
func TestIdentityCredentials(t *testing.T) {
	s := start(t, full())
	const path = "/latest/meta-data/identity-credentials/ec2/security-credentials/ec2-instance"
	first := do(t, "GET", s.URL+path).body
	c, err := imds.ParseCredentials([]byte(first))
	if err != nil || !strings.HasPrefix(c.AccessKeyID, "ASIA") {
		t.Fatalf("got %v, %v", c, err)
	}
	if _, ok := s.Credential(c.AccessKeyID); ok {
		t.Error("they pass for those of a role")
	}
	roleless := full()
	roleless.Role, roleless.Tokens = nil, "optional"
	change(t, s, roleless)
	if again := do(t, "GET", s.URL+path).body; again != first {
		t.Error("they changed with the role")
	}
}

func TestDocumentTellsKernelAndProducts(t *testing.T) {
	s := start(t, everything())
	got, err := imds.ParseIdentityDocument([]byte(do(t, "GET", s.URL+"/latest/dynamic/instance-identity/document").body))
	if err != nil {
		t.Fatal(err)
	}
	want := imds.IdentityDocument{KernelID: "aki-0a", RamdiskID: "ari-0a", MarketplaceProductCodes: []string{"code1", "code2"}}
	if diff := cmp.Diff(want, imds.IdentityDocument{KernelID: got.KernelID, RamdiskID: got.RamdiskID, MarketplaceProductCodes: got.MarketplaceProductCodes}); diff != "" {
		t.Error(diff)
	}
}
