package ec2

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func described(state, tokens, hops, endpoint, ipv6, tags string) string {
	return "<state>" + state + "</state><httpTokens>" + tokens + "</httpTokens><httpPutResponseHopLimit>" + hops + "</httpPutResponseHopLimit>" +
		"<httpEndpoint>" + endpoint + "</httpEndpoint><httpProtocolIpv6>" + ipv6 + "</httpProtocolIpv6><instanceMetadataTags>" + tags + "</instanceMetadataTags>"
}

func modified(options string) string {
	return "<instanceId>" + instance + "</instanceId><instanceMetadataOptions>" + options + "</instanceMetadataOptions>"
}

const modify = "Action=ModifyInstanceMetadataOptions&InstanceId=" + instance

// Each change keeps what it does not name.
func TestModifyMetadataOptions(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.check(t, []exchange{
		{"tokens", modify + "&HttpTokens=optional", 200, modified(described("pending", "optional", "2", "enabled", "disabled", "disabled"))},
		{"hops", modify + "&HttpPutResponseHopLimit=64", 200, modified(described("pending", "optional", "64", "enabled", "disabled", "disabled"))},
		{"endpoint", modify + "&HttpEndpoint=disabled", 200, modified(described("pending", "optional", "64", "disabled", "disabled", "disabled"))},
		{"ipv6", modify + "&HttpProtocolIpv6=enabled&HttpEndpoint=enabled", 200, modified(described("pending", "optional", "64", "enabled", "enabled", "disabled"))},
		{"tags", modify + "&InstanceMetadataTags=enabled", 200, modified(described("pending", "optional", "64", "enabled", "enabled", "enabled"))},
		{"nothing", modify, 200, modified(described("pending", "optional", "64", "enabled", "enabled", "enabled"))},
		{"as told", "Action=DescribeInstances", 200, "…<metadataOptions>" + described("applied", "optional", "64", "enabled", "enabled", "enabled") + "</metadataOptions>…"},
	})
}

func TestModifyMetadataOptionsRefused(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.State.Region(region).Instances[instance].Tags["a/b"] = "c"
	before := l.State.Region(region).Instances[instance].MetadataOptions
	const key = `InvalidParameterValue: 'a/b' is not a valid tag key. Tag keys must match pattern ([0-9a-zA-Z\\-_+=,.@:]{1,255}), and must not be a reserved name ('.', '..', '_index')`
	l.check(t, []exchange{
		{"no instance", "Action=ModifyInstanceMetadataOptions", 400, "MissingParameter: The request must contain the parameter InstanceId"},
		{"wrong id", "Action=ModifyInstanceMetadataOptions&InstanceId=i-x", 400, `InvalidInstanceID.Malformed: Invalid id: "i-x"`},
		{"unknown id", "Action=ModifyInstanceMetadataOptions&InstanceId=i-12345678", 400, "InvalidInstanceID.NotFound: The instance ID 'i-12345678' does not exist"},
		{"no hop", modify + "&HttpPutResponseHopLimit=0", 400, "…HttpPutResponseHopLimit. Specify a value between 1 and 64 and try again.…"},
		{"too many hops", modify + "&HttpPutResponseHopLimit=65", 400, "InvalidParameterValue: A value of '65' is not valid for HttpPutResponseHopLimit. Specify a value between 1 and 64 and try again."},
		{"no number", modify + "&HttpPutResponseHopLimit=two", 400, "…HttpPutResponseHopLimit…"},
		{"tokens", modify + "&HttpTokens=maybe", 400, "InvalidParameterValue: A value of 'maybe' is not valid for HttpTokens. Specify either 'optional' or 'required' and try again."},
		{"endpoint", modify + "&HttpEndpoint=", 400, "InvalidParameterValue: A value of '' is not valid for HttpEndpoint. Specify either 'enabled' or 'disabled' and try again."},
		{"ipv6", modify + "&HttpProtocolIpv6=on", 400, "InvalidParameterValue: A value of 'on' is not valid for HttpProtocolIpv6. Specify either 'enabled' or 'disabled' and try again."},
		{"tags", modify + "&InstanceMetadataTags=on", 400, "InvalidParameterValue: A value of 'on' is not valid for InstanceMetadataTags. Specify either 'enabled' or 'disabled' and try again."},
		{"a key that is no path", modify + "&InstanceMetadataTags=enabled", 400, key},
		{"tried", modify + "&HttpTokens=optional&DryRun=true", 412, "DryRunOperation: Request would have succeeded, but DryRun flag is set."},
	})
	l.policies = nil
	l.check(t, []exchange{{"not allowed", modify + "&HttpTokens=optional&DryRun=true", 403,
		"UnauthorizedOperation: no ec2:ModifyInstanceMetadataOptions on arn:aws:ec2:ap-northeast-1:123456789012:instance/" + instance}})
	if diff := cmp.Diff(before, l.State.Region(region).Instances[instance].MetadataOptions); diff != "" {
		t.Errorf("a refused call changed something:\n%s", diff)
	}
}

// A change is told at once and in force later; one more before that moment
// puts it off.
func TestMetadataOptionsPending(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.Options.Apply = 10 * time.Second
	was := MetadataOptions{"required", "enabled", 2, "disabled", "disabled"}
	first, second := was, was
	first.HTTPTokens = "optional"
	second.HTTPTokens, second.HTTPPutResponseHopLimit = "optional", 1
	l.must(t, modify+"&HttpTokens=optional")
	l.now = start.Add(5 * time.Second)
	l.must(t, modify+"&HttpPutResponseHopLimit=1")
	for _, tt := range []struct {
		after time.Duration
		state string
		want  MetadataOptions
		next  time.Time
	}{
		{0, "pending", was, start.Add(15 * time.Second)},
		{15*time.Second - 1, "pending", was, start.Add(15 * time.Second)},
		{15 * time.Second, "applied", second, time.Time{}},
	} {
		l.now = start.Add(tt.after)
		got, ok := l.Metadata(region, instance, l.now)
		if !ok || got.Options != tt.want || !got.Next.Equal(tt.next) {
			t.Errorf("after %v: %+v, %v", tt.after, got, ok)
		}
		if state := element(t, element(t, l.must(t, "Action=DescribeInstances"), "metadataOptions"), "state"); state != tt.state {
			t.Errorf("after %v: state %s, want %s", tt.after, state, tt.state)
		}
	}
	if _, ok := l.Metadata("us-east-1", instance, start); ok {
		t.Error("the instance is in another region too")
	}
}

func TestMetadataDefaults(t *testing.T) {
	t.Parallel()
	const get, change = "Action=GetInstanceMetadataDefaults", "Action=ModifyInstanceMetadataDefaults"
	told := func(inner string) string { return "<accountLevel>" + inner + "</accountLevel>" }
	l := newLab()
	l.check(t, []exchange{
		{"none", get, 200, told("<managedBy>account</managedBy>")},
		{"tried", change + "&HttpTokens=required&DryRun=true", 412, "DryRunOperation: Request would have succeeded, but DryRun flag is set."},
		{"still none", get, 200, told("<managedBy>account</managedBy>")},
		{"all", change + "&HttpTokens=required&HttpPutResponseHopLimit=3&HttpEndpoint=enabled&InstanceMetadataTags=disabled&HttpTokensEnforced=enabled", 200, "<return>true</return>"},
		{"all are there", get, 200, told("<httpTokens>required</httpTokens><httpPutResponseHopLimit>3</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint>" +
			"<instanceMetadataTags>disabled</instanceMetadataTags><managedBy>account</managedBy><httpTokensEnforced>enabled</httpTokensEnforced>")},
		{"enforced", modify + "&HttpTokens=optional", 400,
			"UnsupportedOperation: You can't set httpTokens to 'optional' because httpTokensEnforced is enabled for this account."},
		{"what is not optional", modify + "&HttpPutResponseHopLimit=1", 200, "…<httpTokens>required</httpTokens><httpPutResponseHopLimit>1<…"},
		{"cleared", change + "&HttpTokens=no-preference&HttpPutResponseHopLimit=-1&HttpTokensEnforced=no-preference", 200, "<return>true</return>"},
		{"the rest is there", get, 200, told("<httpEndpoint>enabled</httpEndpoint><instanceMetadataTags>disabled</instanceMetadataTags><managedBy>account</managedBy>")},
		{"no longer enforced", modify + "&HttpTokens=optional", 200, "…<httpTokens>optional<…"},
		{"hops", change + "&HttpPutResponseHopLimit=0", 400, "…A value of '0' is not valid for HttpPutResponseHopLimit.…"},
		{"tokens", change + "&HttpTokens=v2", 400, "InvalidParameterValue: A value of 'v2' is not valid for HttpTokens. Specify either 'optional', 'required' or 'no-preference' and try again."},
	})
	l.State.Region(region).Defaults = Defaults{ManagedBy: "declarative-policy", ManagedMessage: "ask the platform team", HTTPTokensEnforced: "enabled"}
	l.check(t, []exchange{
		{"by policy", get, 200, told("<managedBy>declarative-policy</managedBy><managedExceptionMessage>ask the platform team</managedExceptionMessage><httpTokensEnforced>enabled</httpTokensEnforced>")},
		{"not by the account", change + "&HttpTokensEnforced=disabled", 403, "…ask the platform team…"},
	})
}

// The condition keys of an instance and of what is to be set.
func TestConditionKeys(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.State.Associate(region, instance, l.profiles["app"], start)
	l.must(t, modify+"&HttpTokens=optional&HttpPutResponseHopLimit=1")
	want := map[string]string{
		"ec2:Region": region, "ec2:InstanceID": instance, "ec2:InstanceType": "t3.micro", "ec2:AvailabilityZone": "ap-northeast-1a",
		"ec2:RootDeviceType": "ebs", "ec2:Tenancy": "default", "ec2:EbsOptimized": "false", "ec2:InstanceMarketType": "on-demand",
		"ec2:MetadataHttpTokens": "required", "ec2:MetadataHttpEndpoint": "enabled", "ec2:MetadataHttpPutResponseHopLimit": "2",
		"ec2:InstanceProfile": l.profiles["app"].ARN, "aws:ResourceTag/Name": "chat", "ec2:ResourceTag/Name": "chat",
		"aws:ResourceTag/Team": "blue", "ec2:ResourceTag/Team": "blue",
		"ec2:Attribute/HttpTokens": "optional", "ec2:Attribute/HttpPutResponseHopLimit": "1",
	}
	if diff := cmp.Diff(want, l.asked[len(l.asked)-1].Context); diff != "" {
		t.Error(diff)
	}
}
