package ec2

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/wire"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

const (
	region   = "ap-northeast-1"
	instance = "i-0123456789abcdef0"
	image    = "ami-0123456789abcdef0"
)

var start = time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)

// A lab is EC2 with one instance, and a clock that stands.
type lab struct {
	*Service
	now      time.Time
	profiles profiles
	policies []policy.Document
	asked    []policy.Request // what was authorized
}

type profiles map[string]InstanceProfile

func (p profiles) InstanceProfile(name string, now time.Time) (InstanceProfile, bool) {
	found, ok := p[name]
	return found, ok && (name != "young" || !now.Before(start.Add(10*time.Second)))
}

var trust = document(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}}`)

func document(text string) policy.Document {
	d, err := policy.Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return d
}

func profileNamed(name string) InstanceProfile {
	return InstanceProfile{
		ARN: "arn:aws:iam::123456789012:instance-profile/" + name, ID: "AIPA" + strings.ToUpper(name), Name: name,
		Role: &Role{ARN: "arn:aws:iam::123456789012:role/" + name + "-role", ID: "AROA" + strings.ToUpper(name), Name: name + "-role", Trust: trust},
	}
}

func newLab() *lab {
	l := &lab{
		Service:  &Service{State: new(State)},
		now:      start,
		profiles: profiles{"app": profileNamed("app"), "other": profileNamed("other"), "young": profileNamed("young")},
		policies: []policy.Document{document(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)},
	}
	l.Directory = l.profiles
	l.State.Launch(region, Instance{
		ID: instance, Type: "t3.micro", Architecture: "x86_64", Reservation: "r-0123456789abcdef0", Launched: start.Add(-time.Hour), Image: image,
		Zone: "ap-northeast-1a", ZoneID: "apne1-az1", PrivateIP: "10.0.1.23", PublicIP: "198.51.100.7",
		PrivateDNS: "ip-10-0-1-23.ap-northeast-1.compute.internal", PublicDNS: "ec2-198-51-100-7.ap-northeast-1.compute.amazonaws.com",
		MAC: "06:1a:2b:3c:4d:5e", Interface: "eni-0123456789abcdef0", Subnet: "subnet-0123456789abcdef0", SubnetCIDR: "10.0.1.0/24",
		VPC: "vpc-0123456789abcdef0", VPCCIDR: "10.0.0.0/16", SecurityGroups: []SecurityGroup{{"sg-0123456789abcdef0", "default"}},
		UserData: "#!/bin/sh\n", Tags: map[string]string{"Name": "chat", "Team": "blue"},
	})
	return l
}

// do calls an operation: "Action=…&…", and returns status and answer.
func (l *lab) do(query string) (int, string) {
	form, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	service := l.Wire()
	c := &wire.Call{
		Call: fault.Call{Service: "ec2", Operation: form.Get("Action")}, ID: "id", Form: form, Protocol: service.Protocol, Namespace: "urn:x",
		Region: region, Account: "123456789012", Clock: func() time.Time { return l.now },
		Caller: wire.Caller{ARN: "arn:aws:iam::123456789012:user/u"},
	}
	c.Decide = func(r policy.Request, _ *policy.Named) error {
		l.asked = append(l.asked, r)
		if policy.Evaluate(l.policies, r) == policy.Allow {
			return nil
		}
		return wire.Forbidden("UnauthorizedOperation", "no "+r.Action+" on "+r.Resource)
	}
	w := httptest.NewRecorder()
	for _, op := range service.Operations {
		if op.Name == c.Operation {
			if err := op.Serve(w, c, new(sync.Mutex)); err != nil {
				c.Refuse(w, err.(*wire.Error))
			}
			return w.Code, plain(w.Body.String(), c.Operation)
		}
	}
	return 0, "no operation " + c.Operation
}

// plain is an answer without what all have, and an error as one line.
func plain(body, operation string) string {
	body = strings.TrimPrefix(body, `<?xml version="1.0" encoding="UTF-8"?>`+"\n")
	if errors, ok := strings.CutPrefix(body, "<Response><Errors><Error><Code>"); ok {
		code, rest, _ := strings.Cut(errors, "</Code><Message>")
		message, _, _ := strings.Cut(rest, "</Message>")
		return code + ": " + strings.NewReplacer("&#39;", "'", "&#34;", `"`).Replace(message)
	}
	body = strings.TrimPrefix(body, "<"+operation+`Response xmlns="urn:x"><requestId>id</requestId>`)
	return strings.TrimSuffix(body, "</"+operation+"Response>\n")
}

// A exchange is a call and the answer to it.
type exchange struct {
	name, query string
	status      int
	want        string // the whole answer; "…x…" means that x is part of it
}

func (l *lab) check(t *testing.T, tests []exchange) {
	t.Helper()
	for _, tt := range tests {
		status, got := l.do(tt.query)
		part, contains := strings.CutPrefix(tt.want, "…")
		switch {
		case status != tt.status:
			t.Errorf("%s: status %d, want %d: %s", tt.name, status, tt.status, got)
		case contains && !strings.Contains(got, strings.TrimSuffix(part, "…")), !contains && got != tt.want:
			t.Errorf("%s:\ngot  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func (l *lab) must(t *testing.T, query string) string {
	t.Helper()
	status, got := l.do(query)
	if status != 200 {
		t.Fatalf("%s: %d %s", query, status, got)
	}
	return got
}

// element is the text of the first element of that name.
func element(t *testing.T, body, name string) string {
	t.Helper()
	_, rest, ok := strings.Cut(body, "<"+name+">")
	value, _, closed := strings.Cut(rest, "</"+name+">")
	if !ok || !closed {
		t.Fatalf("no %s in %s", name, body)
	}
	return value
}

const whole = `<reservationSet><item><reservationId>r-0123456789abcdef0</reservationId><ownerId>123456789012</ownerId><instancesSet><item>` +
	`<instanceId>i-0123456789abcdef0</instanceId><imageId>ami-0123456789abcdef0</imageId><instanceState><code>16</code><name>running</name></instanceState>` +
	`<privateDnsName>ip-10-0-1-23.ap-northeast-1.compute.internal</privateDnsName><dnsName>ec2-198-51-100-7.ap-northeast-1.compute.amazonaws.com</dnsName>` +
	`<reason></reason><amiLaunchIndex>0</amiLaunchIndex><productCodes></productCodes><instanceType>t3.micro</instanceType><launchTime>2026-11-23T03:00:00Z</launchTime>` +
	`<placement><availabilityZone>ap-northeast-1a</availabilityZone><availabilityZoneId>apne1-az1</availabilityZoneId><groupName></groupName><tenancy>default</tenancy></placement>` +
	`<monitoring><state>disabled</state></monitoring><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>` +
	`<privateIpAddress>10.0.1.23</privateIpAddress><ipAddress>198.51.100.7</ipAddress><sourceDestCheck>true</sourceDestCheck>` +
	`<groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>default</groupName></item></groupSet><architecture>x86_64</architecture>` +
	`<rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName>` +
	`<ebs><volumeId>vol-0123456789abcdef0</volumeId><status>attached</status><attachTime>2026-11-23T03:00:00Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item></blockDeviceMapping>` +
	`<virtualizationType>hvm</virtualizationType><tagSet><item><key>Name</key><value>chat</value></item><item><key>Team</key><value>blue</value></item></tagSet><hypervisor>xen</hypervisor>` +
	`<networkInterfaceSet><item><networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>` +
	`<ownerId>123456789012</ownerId><status>in-use</status><macAddress>06:1a:2b:3c:4d:5e</macAddress><privateIpAddress>10.0.1.23</privateIpAddress>` +
	`<privateDnsName>ip-10-0-1-23.ap-northeast-1.compute.internal</privateDnsName><sourceDestCheck>true</sourceDestCheck>` +
	`<groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>default</groupName></item></groupSet>` +
	`<attachment><deviceIndex>0</deviceIndex><status>attached</status><attachTime>2026-11-23T03:00:00Z</attachTime><deleteOnTermination>true</deleteOnTermination><networkCardIndex>0</networkCardIndex></attachment>` +
	`<association><publicIp>198.51.100.7</publicIp><publicDnsName>ec2-198-51-100-7.ap-northeast-1.compute.amazonaws.com</publicDnsName><ipOwnerId>amazon</ipOwnerId></association>` +
	`<privateIpAddressesSet><item><privateIpAddress>10.0.1.23</privateIpAddress><privateDnsName>ip-10-0-1-23.ap-northeast-1.compute.internal</privateDnsName><primary>true</primary>` +
	`<association><publicIp>198.51.100.7</publicIp><publicDnsName>ec2-198-51-100-7.ap-northeast-1.compute.amazonaws.com</publicDnsName><ipOwnerId>amazon</ipOwnerId></association></item></privateIpAddressesSet>` +
	`<ipv6AddressesSet></ipv6AddressesSet><interfaceType>interface</interfaceType></item></networkInterfaceSet>` +
	`<ebsOptimized>false</ebsOptimized><enaSupport>true</enaSupport>` +
	`<metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint>` +
	`<httpProtocolIpv6>disabled</httpProtocolIpv6><instanceMetadataTags>disabled</instanceMetadataTags></metadataOptions>` +
	`<enclaveOptions><enabled>false</enabled></enclaveOptions><platformDetails>Linux/UNIX</platformDetails><usageOperation>RunInstances</usageOperation>` +
	`</item></instancesSet></item></reservationSet>`

const nobody = `<reservationSet></reservationSet>`

func TestDescribeInstances(t *testing.T) {
	t.Parallel()
	l := newLab()
	call := "Action=DescribeInstances&"
	l.check(t, []exchange{
		{"all", call, 200, whole},
		{"one", call + "InstanceId.1=" + instance, 200, whole},
		{"another", call + "InstanceId.1=i-00000000000000000", 400, "InvalidInstanceID.NotFound: The instance ID 'i-00000000000000000' does not exist"},
		{"two others", call + "InstanceId.1=i-00000000000000000&InstanceId.2=" + instance + "&InstanceId.3=i-11111111", 400,
			"InvalidInstanceID.NotFound: The instance IDs 'i-00000000000000000, i-11111111' do not exist"},
		{"no id", call + "InstanceId.1=chat", 400, `InvalidInstanceID.Malformed: Invalid id: "chat" (expecting "i-...")`},
		{"short id", call + "InstanceId.1=i-123", 400, `InvalidInstanceID.Malformed: Invalid id: "i-123"`},
		{"no filter", call + "Filter.1.Name=colour&Filter.1.Value.1=red", 400, "InvalidParameterValue: The filter 'colour' is invalid"},
		{"ids and pages", call + "MaxResults=5&InstanceId.1=" + instance, 400,
			"InvalidParameterCombination: The parameter instancesSet cannot be used with the parameter maxResults"},
		{"small page", call + "MaxResults=4", 400, "InvalidParameterValue: Value ( 4 ) for parameter maxResults is invalid. Expecting a value greater than 5."},
		{"large page", call + "MaxResults=1001", 400, "InvalidParameterValue: Value ( 1001 ) for parameter maxResults is invalid. Expecting a value smaller than or equal to 1000."},
		{"wrong token", call + "MaxResults=5&NextToken=x", 400, "InvalidNextToken: The token 'x' is invalid"},
		{"tried", call + "DryRun=true", 412, "DryRunOperation: Request would have succeeded, but DryRun flag is set."},
	})
	for _, tt := range []struct{ filter, value, want string }{
		{"instance-id", instance, whole},
		{"instance-state-name", "running", whole},
		{"instance-state-name", "stopped", nobody},
		{"instance-state-code", "16", whole},
		{"tag:Name", "chat", whole},
		{"tag:Name", "c*", whole},
		{"tag:Name", "c?at", whole},
		{"tag:Name", `c\?at`, nobody},
		{"tag:Name", "Chat", nobody},
		{"tag:Absent", "*", nobody},
		{"tag-key", "Team", whole},
		{"tag-key", "Absent", nobody},
		{"vpc-id", "vpc-0123456789abcdef0", whole},
		{"subnet-id", "subnet-1", nobody},
		{"private-ip-address", "10.0.1.23", whole},
		{"ip-address", "198.51.100.*", whole},
		{"iam-instance-profile.arn", "*", nobody},
		{"metadata-options.http-tokens", "required", whole},
		{"metadata-options.http-tokens", "optional", nobody},
		{"metadata-options.http-endpoint", "enabled", whole},
		{"metadata-options.http-put-response-hop-limit", "2", whole},
		{"metadata-options.state", "pending", nobody},
		{"instance.group-id", "sg-0123456789abcdef0", whole},
		{"launch-time", "2026-11-23T*", whole},
		{"platform", "windows", nobody},
	} {
		query := call + "Filter.1.Name=" + url.QueryEscape(tt.filter) + "&Filter.1.Value.1=none&Filter.1.Value.2=" + url.QueryEscape(tt.value)
		l.check(t, []exchange{{tt.filter + "=" + tt.value, query, 200, tt.want}})
	}
	l.check(t, []exchange{{"two filters", call + "Filter.1.Name=instance-type&Filter.1.Value.1=t3.micro&Filter.2.Name=architecture&Filter.2.Value.1=arm64", 200, nobody}})
}

func TestTooManyFilterValues(t *testing.T) {
	t.Parallel()
	query := "Action=DescribeInstances&Filter.1.Name=instance-id"
	for n := 1; n <= 201; n++ {
		query += fmt.Sprintf("&Filter.1.Value.%d=i-%d", n, n)
	}
	newLab().check(t, []exchange{{"201 values", query, 400, "FilterLimitExceeded: The maximum number of filter values specified on a single call is 200"}})
}

// Twelve instances of three launches, five at a time.
func TestDescribeInstancesByPages(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.State.Regions = nil
	for n := range 12 {
		l.State.Launch(region, Instance{ID: fmt.Sprintf("i-%08x", n), Reservation: fmt.Sprintf("r-%d", n/4), Image: image})
	}
	query, seen := "Action=DescribeInstances&MaxResults=5", ""
	for pages := 0; query != ""; pages++ {
		got := l.must(t, query)
		for n := range 12 {
			if strings.Contains(got, fmt.Sprintf("<instanceId>i-%08x<", n)) {
				seen += fmt.Sprint(n, " ")
			}
		}
		seen += fmt.Sprint("in ", strings.Count(got, "<reservationId>"), "; ")
		query = ""
		if strings.Contains(got, "<nextToken>") {
			query = "Action=DescribeInstances&MaxResults=5&NextToken=" + element(t, got, "nextToken")
		}
	}
	if want := "0 1 2 3 4 in 2; 5 6 7 8 9 in 2; 10 11 in 1; "; seen != want {
		t.Errorf("got  %s\nwant %s", seen, want)
	}
}

// What was changed comes back from JSON as it was.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.Options = Options{Apply: time.Minute, Associate: time.Minute}
	for _, query := range []string{
		"Action=AssociateIamInstanceProfile&IamInstanceProfile.Name=app&InstanceId=" + instance,
		"Action=ModifyInstanceMetadataOptions&HttpTokens=optional&InstanceId=" + instance,
		"Action=ModifyInstanceMetadataDefaults&HttpPutResponseHopLimit=3",
		"Action=ModifyImageAttribute&ImdsSupport.Value=v2.0&ImageId=" + image,
	} {
		l.must(t, query)
	}
	text, err := json.Marshal(l.State)
	if err != nil {
		t.Fatal(err)
	}
	var got State
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*l.State, got); diff != "" {
		t.Error(diff)
	}
}
