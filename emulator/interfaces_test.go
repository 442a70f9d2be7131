package emulator_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
)

// leaves reads a directory of leaves.
func leaves(t *testing.T, url string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range strings.Fields(do(t, "GET", url).body) {
		if !strings.HasSuffix(name, "/") {
			all[name] = do(t, "GET", url+name).body
		}
	}
	return all
}

// What an interface leaves out fits the instance.
func TestInterfaceDefaults(t *testing.T) {
	base := map[string]string{
		"owner-id": "123456789012", "vpc-id": "vpc-0123456789abcdef0", "vpc-ipv4-cidr-block": "10.0.0.0/16", "vpc-ipv4-cidr-blocks": "10.0.0.0/16",
		"security-groups": "default", "security-group-ids": "sg-0123456789abcdef0",
	}
	for _, tt := range []struct {
		name string
		f    emulator.Interface
		want map[string]string // beside base
	}{
		{"in the same subnet", emulator.Interface{PrivateIPs: []string{"10.0.1.99"}}, map[string]string{
			"device-number": "1", "mac": "06:1a:2b:3c:4d:5f", "interface-id": "eni-f1b38618b9ab96473",
			"local-hostname": "ip-10-0-1-99.ap-northeast-1.compute.internal", "local-ipv4s": "10.0.1.99",
			"subnet-id": "subnet-0123456789abcdef0", "subnet-ipv4-cidr-block": "10.0.1.0/24"}},
		{"in another subnet", emulator.Interface{MAC: "02-00-00-00-00-01", PrivateIPs: []string{"10.0.2.1"}, Device: 5, ID: "eni-1"}, map[string]string{
			"device-number": "5", "mac": "02:00:00:00:00:01", "interface-id": "eni-1",
			"local-hostname": "ip-10-0-2-1.ap-northeast-1.compute.internal", "local-ipv4s": "10.0.2.1",
			"subnet-id": "subnet-?", "subnet-ipv4-cidr-block": "10.0.2.0/24"}},
		{"without IPv4", emulator.Interface{ID: "eni-1", Subnet: "subnet-6", IPv6s: []string{"2001:db8:1:2::3", "2001:db8:1:2::4"}}, map[string]string{
			"device-number": "1", "mac": "06:1a:2b:3c:4d:5f", "interface-id": "eni-1", "subnet-id": "subnet-6",
			"local-hostname": "i-0123456789abcdef0.ap-northeast-1.compute.internal", "ipv6s": "2001:db8:1:2::3\n2001:db8:1:2::4",
			"subnet-ipv6-cidr-blocks": "2001:db8:1:2::/64", "vpc-ipv6-cidr-blocks": "2001:db8:1::/56"}},
		{"without any address", emulator.Interface{ID: "eni-1", Subnet: "subnet-6"}, map[string]string{
			"device-number": "1", "mac": "06:1a:2b:3c:4d:5f", "interface-id": "eni-1", "subnet-id": "subnet-6"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, emulator.Options{Instance: emulator.Instance{Interfaces: []emulator.Interface{tt.f}}})
			for k, v := range base {
				tt.want[k] = v
			}
			got := leaves(t, s.URL+"/latest/meta-data/network/interfaces/macs/"+tt.want["mac"]+"/")
			if id := got["subnet-id"]; tt.want["subnet-id"] == "subnet-?" && len(id) == len("subnet-0123456789abcdef0") {
				got["subnet-id"] = "subnet-?"
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestInterfacesAreListed(t *testing.T) {
	s := start(t, emulator.Options{Instance: emulator.Instance{Interfaces: []emulator.Interface{{}, {MAC: "02:00:00:00:00:01"}, {}}}})
	want := "02:00:00:00:00:01/\n06:1a:2b:3c:4d:5e/\n06:1a:2b:3c:4d:5f/\n06:1a:2b:3c:4d:61/"
	if got := do(t, "GET", s.URL+"/latest/meta-data/network/interfaces/macs/").body; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What the caller holds is not written to, and a change of the service leaves
// the interfaces as they are.
func TestInterfacesStay(t *testing.T) {
	o := everything()
	groups := []string{"web", "ssh", "not the instance's"} // behind what the instance has
	o.Instance.SecurityGroups = groups[:2]
	o.Instance.Interfaces[0].SecurityGroups = []string{"more"}
	before := everything().Instance
	before.Interfaces[0].SecurityGroups = []string{"more"}
	s := start(t, o)
	const macs = "/latest/meta-data/network/interfaces/macs/"
	served := leaves(t, s.URL+macs+"0e:00:00:00:00:11/")
	o.Tokens = "optional"
	change(t, s, o)
	if diff := cmp.Diff(served, leaves(t, s.URL+macs+"0e:00:00:00:00:11/")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, o.Instance); diff != "" {
		t.Error(diff)
	}
	if groups[2] != "not the instance's" {
		t.Errorf("the caller's list now holds %q", groups)
	}
}

func TestInstanceRefuses(t *testing.T) {
	face := func(f ...emulator.Interface) emulator.Instance { return emulator.Instance{Interfaces: f} }
	for want, i := range map[string]emulator.Instance{
		"instance: interface 1: mac: ":                            face(emulator.Interface{MAC: "06"}),
		"instance: interface 2: address: ":                        face(emulator.Interface{}, emulator.Interface{PrivateIPs: []string{"10.0.0"}}),
		"instance: interface 1: address 10.0.0.1 is of the other": face(emulator.Interface{IPv6s: []string{"10.0.0.1"}}),
		"instance: address ::1 is of the other":                   {PublicIP: "::1"},
		"instance: interface 1: range: ":                          face(emulator.Interface{IPv4Prefixes: []string{"10.0.0.0"}}),
		"instance: interface 1: device -1, card 0":                face(emulator.Interface{Device: -1}),
		"instance: two interfaces have the mac 02:00:00:00:00:01": face(emulator.Interface{MAC: "02:00:00:00:00:01"}, emulator.Interface{MAC: "02-00-00-00-00-01"}),
		"instance: two interfaces have the id eni-1":              face(emulator.Interface{ID: "eni-1"}, emulator.Interface{ID: "eni-1"}),
		"instance: two interfaces have the device 2 of card 0":    face(emulator.Interface{Device: 2}, emulator.Interface{}),
		`instance: block device "ebs": want ami, root, swap`:      {BlockDevices: map[string]string{"ebs": "sdb"}},
		`instance: block device "a/b": want ami, root, swap`:      {BlockDevices: map[string]string{"a/b": "sdb"}},
		`instance: id of an accelerator "a/b"`:                    {ElasticGPUs: map[string]string{"a/b": "{}"}},
		`instance: system "kvm": want nitro, xen or xen-on-nitro`: {System: "kvm"},
		"instance: launch index -1":                               {LaunchIndex: -1},
		"instance: partition -1":                                  {Partition: -1},
	} {
		if _, err := emulator.New(emulator.Options{Instance: i}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
		if err := i.Validate(); err == nil || !strings.HasPrefix("instance: "+err.Error(), want) {
			t.Errorf("Validate: got %v, want %s…", err, want)
		}
	}
	if err := everything().Instance.Validate(); err != nil {
		t.Error(err)
	}
}
