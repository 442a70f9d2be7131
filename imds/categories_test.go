package imds_test

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/imds"
)

const macs = "/latest/meta-data/network/interfaces/macs/"

// ofTree calls a method of a client that reads the values.
func ofTree[T any](t *testing.T, values map[string]string, call func(*imds.Client, context.Context) (T, error)) (T, error) {
	t.Helper()
	s := &service{get: tree(values)}
	return call(s.client(t), t.Context())
}

// compare prefers the == of the types of package netip.
var compare = cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
var compareAddr = cmp.Comparer(func(a, b netip.Addr) bool { return a == b })

func TestPlacement(t *testing.T) {
	t.Parallel()
	const dir = "/latest/meta-data/placement/"
	values := map[string]string{
		dir:                          "availability-zone\navailability-zone-id\ngroup-name\nhost-id\npartition-number\nregion\ngone",
		dir + "availability-zone":    "ap-northeast-1a",
		dir + "group-name":           "rack\n",
		dir + "host-id":              "h-0123456789abcdef0",
		dir + "partition-number":     "3",
		dir + "region":               "ap-northeast-1",
		dir + "availability-zone-id": "apne1-az4",
	}
	got, err := ofTree(t, values, (*imds.Client).Placement)
	want := imds.Placement{"ap-northeast-1a", "apne1-az4", "ap-northeast-1", "rack", "h-0123456789abcdef0", 3}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}

	values[dir+"partition-number"] = "three"
	_, err = ofTree(t, values, (*imds.Client).Placement)
	if e := wantKind(t, err, imds.ErrMalformed); e.Path != dir+"partition-number" {
		t.Errorf("path %s", e.Path)
	}
	_, err = ofTree(t, map[string]string{dir: "region", dir + "region": "r"}, (*imds.Client).Placement)
	wantKind(t, err, imds.ErrMalformed)
	_, err = ofTree(t, nil, (*imds.Client).Placement)
	wantKind(t, err, imds.ErrAbsent)
}

func TestInterfaces(t *testing.T) {
	t.Parallel()
	const first, second, third = macs + "02:29:96:8f:6a:2d/", macs + "02:29:96:8f:6a:01/", macs + "02:29:96:8f:6a:00/"
	values := map[string]string{
		macs: "02:29:96:8f:6a:00/\n02:29:96:8f:6a:01/\n02:29:96:8f:6a:2d/\n02:29:96:8f:6a:ff/", // the last one is detached by now

		first: "device-number\ninterface-id\nipv4-associations/\nipv4-prefix\nipv6-prefix\nipv6s\nlocal-hostname\nlocal-ipv4s\nmac\nowner-id\n" +
			"public-hostname\npublic-ipv4s\nsecurity-group-ids\nsecurity-groups\nsubnet-id\nsubnet-ipv4-cidr-block\nsubnet-ipv6-cidr-blocks\n" +
			"vpc-id\nvpc-ipv4-cidr-block\nvpc-ipv4-cidr-blocks\nvpc-ipv6-cidr-blocks",
		first + "device-number":                  "0",
		first + "interface-id":                   "eni-1",
		first + "ipv4-associations/":             "203.0.113.25\n203.0.113.26",
		first + "ipv4-associations/203.0.113.25": "10.0.1.17",
		first + "ipv4-associations/203.0.113.26": "10.0.1.18",
		first + "ipv4-prefix":                    "10.0.1.32/28",
		first + "ipv6-prefix":                    "2001:db8:1:2:3::/80",
		first + "ipv6s":                          "2001:db8::1",
		first + "local-hostname":                 "ip-10-0-1-17.internal",
		first + "local-ipv4s":                    "10.0.1.17\n10.0.1.18\n",
		first + "mac":                            "02:29:96:8f:6a:2d",
		first + "owner-id":                       "123456789012",
		first + "public-hostname":                "ec2-203-0-113-25.compute.amazonaws.com",
		first + "public-ipv4s":                   "203.0.113.25\n203.0.113.26",
		first + "security-group-ids":             "sg-1\nsg-2",
		first + "security-groups":                "web servers\nssh",
		first + "subnet-id":                      "subnet-1",
		first + "subnet-ipv4-cidr-block":         "10.0.1.0/24",
		first + "subnet-ipv6-cidr-blocks":        "2001:db8::/64",
		first + "vpc-id":                         "vpc-1",
		first + "vpc-ipv4-cidr-block":            "10.0.0.0/16",
		first + "vpc-ipv4-cidr-blocks":           "10.0.0.0/16\n10.1.0.0/16",
		first + "vpc-ipv6-cidr-blocks":           "2001:db8::/56",
		second:                                   "device-number",
		second + "device-number":                 "1",
		third:                                    "device-number\nnetwork-card",
		third + "device-number":                  "0",
		third + "network-card":                   "1",
	}
	addr, prefix := netip.MustParseAddr, netip.MustParsePrefix
	want := []imds.Interface{{
		MAC: "02:29:96:8f:6a:2d", ID: "eni-1", OwnerID: "123456789012",
		LocalHostname: "ip-10-0-1-17.internal", LocalIPv4s: []netip.Addr{addr("10.0.1.17"), addr("10.0.1.18")},
		PublicHostname: "ec2-203-0-113-25.compute.amazonaws.com", PublicIPv4s: []netip.Addr{addr("203.0.113.25"), addr("203.0.113.26")},
		IPv6s: []netip.Addr{addr("2001:db8::1")},
		IPv4Associations: map[netip.Addr][]netip.Addr{
			addr("203.0.113.25"): {addr("10.0.1.17")}, addr("203.0.113.26"): {addr("10.0.1.18")},
		},
		IPv4Prefixes: []netip.Prefix{prefix("10.0.1.32/28")}, IPv6Prefixes: []netip.Prefix{prefix("2001:db8:1:2:3::/80")},
		SecurityGroups: []string{"web servers", "ssh"}, SecurityGroupIDs: []string{"sg-1", "sg-2"},
		SubnetID: "subnet-1", SubnetIPv4CIDR: prefix("10.0.1.0/24"), SubnetIPv6CIDRs: []netip.Prefix{prefix("2001:db8::/64")},
		VPCID: "vpc-1", VPCIPv4CIDR: prefix("10.0.0.0/16"),
		VPCIPv4CIDRs: []netip.Prefix{prefix("10.0.0.0/16"), prefix("10.1.0.0/16")}, VPCIPv6CIDRs: []netip.Prefix{prefix("2001:db8::/56")},
	}, {
		MAC: "02:29:96:8f:6a:01", DeviceNumber: 1,
	}, {
		MAC: "02:29:96:8f:6a:00", NetworkCard: 1,
	}}
	got, err := ofTree(t, values, (*imds.Client).Interfaces)
	if diff := cmp.Diff(want, got, compare, compareAddr); err != nil || diff != "" {
		t.Errorf("error %v (-want +got)\n%s", err, diff)
	}

	for _, wrong := range []string{"device-number", "local-ipv4s", "subnet-ipv4-cidr-block", "vpc-ipv6-cidr-blocks", "ipv4-associations/203.0.113.25"} {
		t.Run(wrong, func(t *testing.T) {
			right := values[first+wrong]
			defer func() { values[first+wrong] = right }()
			values[first+wrong] = "many"
			_, err := ofTree(t, values, (*imds.Client).Interfaces)
			if e := wantKind(t, err, imds.ErrMalformed); e.Path != first+wrong {
				t.Errorf("path %s, want %s", e.Path, first+wrong)
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	const dir = "/latest/meta-data/tags/instance/"
	tests := []struct {
		name   string
		values map[string]string
		want   map[string]string
		kind   error
	}{
		{"several", map[string]string{dir: "Name\nteam:cost", dir + "Name": "a <b>\n", dir + "team:cost": ""}, map[string]string{"Name": "a <b>\n", "team:cost": ""}, nil},
		{"one is taken away", map[string]string{dir: "Name\nold", dir + "Name": "web"}, map[string]string{"Name": "web"}, nil},
		{"switched off", nil, nil, imds.ErrAbsent},
		{"switched off, with an empty list", map[string]string{dir: ""}, nil, imds.ErrAbsent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ofTree(t, test.values, (*imds.Client).Tags)
			if test.kind != nil {
				wantKind(t, err, test.kind)
			} else if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got)\n%s", err, diff)
			}
		})
	}
}

// TestNotices reads everything that EC2 announces: as its guide shows it,
// absent, and wrong.
func TestNotices(t *testing.T) {
	t.Parallel()
	at := time.Date(2017, 9, 18, 8, 22, 0, 0, time.UTC)
	scheduled := func(c *imds.Client, ctx context.Context) (any, error) { return c.MaintenanceEvents(ctx, false) }
	history := func(c *imds.Client, ctx context.Context) (any, error) { return c.MaintenanceEvents(ctx, true) }
	action := func(c *imds.Client, ctx context.Context) (any, error) { return c.SpotAction(ctx) }
	termination := func(c *imds.Client, ctx context.Context) (any, error) { return c.SpotTermination(ctx) }
	rebalance := func(c *imds.Client, ctx context.Context) (any, error) { return c.RebalanceRecommendation(ctx) }
	lifecycle := func(c *imds.Client, ctx context.Context) (any, error) { return c.TargetLifecycleState(ctx) }
	userData := func(c *imds.Client, ctx context.Context) (any, error) { return c.UserData(ctx) }
	tests := []struct {
		name string
		path string // below /latest/
		body string
		call func(*imds.Client, context.Context) (any, error)
		want any // or the kind of failure
	}{
		{"spot action", "meta-data/spot/instance-action", `{"action": "stop", "time": "2017-09-18T08:22:00Z"}`, action, imds.SpotAction{Action: "stop", Time: at}},
		{"spot action without a time", "meta-data/spot/instance-action", `{"action": "stop"}`, action, imds.ErrMalformed},
		{"spot time without an action", "meta-data/spot/instance-action", `{"time": "2017-09-18T08:22:00Z"}`, action, imds.ErrMalformed},
		{"no spot action", "", "", action, imds.ErrAbsent},
		{"termination", "meta-data/spot/termination-time", "2017-09-18T08:22:00Z\n", termination, at},
		{"termination that is no time", "meta-data/spot/termination-time", "none", termination, imds.ErrAbsent},
		{"no termination", "", "", termination, imds.ErrAbsent},
		{"rebalance", "meta-data/events/recommendations/rebalance", `{"noticeTime": "2017-09-18T08:22:00Z"}`, rebalance, at},
		{"rebalance without a time", "meta-data/events/recommendations/rebalance", `{}`, rebalance, imds.ErrMalformed},
		{"no rebalance", "", "", rebalance, imds.ErrAbsent},
		{"lifecycle", "meta-data/autoscaling/target-lifecycle-state", "Warmed:Hibernated\n", lifecycle, "Warmed:Hibernated"},
		{"lifecycle that is none", "meta-data/autoscaling/target-lifecycle-state", "see the manual", lifecycle, imds.ErrMalformed},
		{"no lifecycle", "", "", lifecycle, imds.ErrAbsent},
		{"no events", "meta-data/events/maintenance/scheduled", "[]", scheduled, []imds.MaintenanceEvent(nil)},
		{
			"events", "meta-data/events/maintenance/scheduled",
			`[{"NotBefore": "18 Sep 2017 08:22:00 GMT", "Code": "system-reboot", "Description": "scheduled reboot", "EventId": "instance-event-1",
			   "NotAfter": "18 Sep 2017 08:22:43 GMT", "State": "active", "NotBeforeDeadline": "2017-09-18T08:22:00Z"},
			  {"NotBefore": "8 Sep 2017 08:22:00 GMT", "Code": "instance-stop", "State": "active"}]`,
			scheduled, []imds.MaintenanceEvent{
				{"system-reboot", "scheduled reboot", "instance-event-1", "active", at, at.Add(43 * time.Second), at},
				{Code: "instance-stop", State: "active", NotBefore: at.AddDate(0, 0, -10)},
			},
		},
		{
			"history", "meta-data/events/maintenance/history", `[{"Code": "system-reboot", "Description": "[Completed] scheduled reboot", "State": "completed"}]`,
			history, []imds.MaintenanceEvent{{Code: "system-reboot", Description: "[Completed] scheduled reboot", State: "completed"}},
		},
		{"event without a code", "meta-data/events/maintenance/history", `[{"State": "active"}]`, history, imds.ErrMalformed},
		{"event at no time", "meta-data/events/maintenance/history", `[{"Code": "x", "NotBefore": "soon"}]`, history, imds.ErrMalformed},
		{"no maintenance", "", "", scheduled, imds.ErrAbsent},
		{"user data", "user-data", "\x1f\x8b\x00<html>\n", userData, []byte("\x1f\x8b\x00<html>\n")},
		{"no user data", "", "", userData, imds.ErrAbsent},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := ofTree(t, map[string]string{"/latest/" + test.path: test.body}, test.call)
			if kind, ok := test.want.(error); ok {
				wantKind(t, err, kind)
			} else if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got)\n%s", err, diff)
			}
		})
	}
}
