package ec2

import (
	"strings"
	"testing"
)

func TestDescribeRegions(t *testing.T) {
	t.Parallel()
	l := newLab()
	if got := l.must(t, "Action=DescribeRegions"); strings.Count(got, "<item>") != 17 || strings.Contains(got, "ap-east-1") {
		t.Errorf("the account may use %s", got)
	}
	if got := l.must(t, "Action=DescribeRegions&AllRegions=true"); strings.Count(got, "<item>") < 30 || !strings.Contains(got, "<optInStatus>not-opted-in</optInStatus>") {
		t.Errorf("AWS has %s", got)
	}
	one := func(name, optIn string) string {
		return "<regionInfo><item><regionName>" + name + "</regionName><regionEndpoint>ec2." + name + ".amazonaws.com</regionEndpoint><optInStatus>" + optIn + "</optInStatus></item></regionInfo>"
	}
	l.State.Launch("me-south-1", Instance{ID: "i-12345678", Image: image})
	l.check(t, []exchange{
		{"by name", "Action=DescribeRegions&RegionName.1=us-east-1", 200, one("us-east-1", "opt-in-not-required")},
		{"switched off", "Action=DescribeRegions&RegionName.1=ap-east-1", 200, one("ap-east-1", "not-opted-in")},
		{"switched on", "Action=DescribeRegions&Filter.1.Name=opt-in-status&Filter.1.Value.1=opted-in", 200, one("me-south-1", "opted-in")},
		{"by endpoint", "Action=DescribeRegions&Filter.1.Name=endpoint&Filter.1.Value.1=*us-west-2*", 200, one("us-west-2", "opt-in-not-required")},
		{"unknown", "Action=DescribeRegions&RegionName.1=moon-1", 400, "InvalidParameterValue: Invalid region: [moon-1]"},
	})
}

func TestDescribeAvailabilityZones(t *testing.T) {
	t.Parallel()
	zone := func(name, id string) string {
		return "<item><zoneName>" + name + "</zoneName><zoneId>" + id + "</zoneId><zoneState>available</zoneState><regionName>ap-northeast-1</regionName>" +
			"<optInStatus>opt-in-not-required</optInStatus><groupName>ap-northeast-1-zg-1</groupName><networkBorderGroup>ap-northeast-1</networkBorderGroup><zoneType>availability-zone</zoneType></item>"
	}
	set := func(zones ...string) string {
		return "<availabilityZoneInfo>" + strings.Join(zones, "") + "</availabilityZoneInfo>"
	}
	a, b, c := zone("ap-northeast-1a", "apne1-az1"), zone("ap-northeast-1b", "apne1-az2"), zone("ap-northeast-1c", "apne1-az3")
	const call = "Action=DescribeAvailabilityZones"
	l := newLab()
	l.check(t, []exchange{
		{"all", call, 200, set(a, b, c)},
		{"by name", call + "&ZoneName.1=ap-northeast-1b", 200, set(b)},
		{"by id", call + "&ZoneId.1=apne1-az3", 200, set(c)},
		{"by filter", call + "&Filter.1.Name=zone-id&Filter.1.Value.1=*az1", 200, set(a)},
		{"by another name", call + "&ZoneName.1=us-east-1a", 400, "InvalidParameterValue: Invalid availability zone: [us-east-1a]"},
	})
	l.State.Region(region).Instances[instance].ZoneID = "apne1-az4"
	l.check(t, []exchange{{"an instance's", call + "&ZoneName.1=ap-northeast-1a", 200, set(zone("ap-northeast-1a", "apne1-az4"))}})
}

func TestNetworks(t *testing.T) {
	t.Parallel()
	l := newLab()
	l.State.Launch(region, Instance{ID: "i-12345678", Image: image, VPC: "vpc-0123456789abcdef0", VPCCIDR: "10.0.0.0/16"})
	l.check(t, []exchange{
		{"the network", "Action=DescribeVpcs", 200, "<vpcSet><item><vpcId>vpc-0123456789abcdef0</vpcId><ownerId>123456789012</ownerId><state>available</state><cidrBlock>10.0.0.0/16</cidrBlock>" +
			"<cidrBlockAssociationSet><item><associationId>vpc-cidr-assoc-0123456789abcdef0</associationId><cidrBlock>10.0.0.0/16</cidrBlock><cidrBlockState><state>associated</state></cidrBlockState></item></cidrBlockAssociationSet>" +
			"<dhcpOptionsId>dopt-0123456789abcdef0</dhcpOptionsId><instanceTenancy>default</instanceTenancy><isDefault>false</isDefault><tagSet></tagSet></item></vpcSet>"},
		{"another", "Action=DescribeVpcs&VpcId.1=vpc-1", 400, "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist"},
		{"the default", "Action=DescribeVpcs&Filter.1.Name=is-default&Filter.1.Value.1=true", 200, "<vpcSet></vpcSet>"},
		{"its names", "Action=DescribeVpcAttribute&Attribute=enableDnsSupport&VpcId=vpc-0123456789abcdef0", 200, "<vpcId>vpc-0123456789abcdef0</vpcId><enableDnsSupport><value>true</value></enableDnsSupport>"},
		{"names of another", "Action=DescribeVpcAttribute&Attribute=enableDnsSupport&VpcId=vpc-1", 400, "InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist"},
		{"the subnet", "Action=DescribeSubnets&Filter.1.Name=vpc-id&Filter.1.Value.1=vpc-0123456789abcdef0", 200, "<subnetSet><item><subnetId>subnet-0123456789abcdef0</subnetId>" +
			"<subnetArn>arn:aws:ec2:ap-northeast-1:123456789012:subnet/subnet-0123456789abcdef0</subnetArn><ownerId>123456789012</ownerId><state>available</state><vpcId>vpc-0123456789abcdef0</vpcId>" +
			"<cidrBlock>10.0.1.0/24</cidrBlock><availableIpAddressCount>250</availableIpAddressCount><availabilityZone>ap-northeast-1a</availabilityZone><availabilityZoneId>apne1-az1</availabilityZoneId>" +
			"<defaultForAz>false</defaultForAz><mapPublicIpOnLaunch>true</mapPublicIpOnLaunch><assignIpv6AddressOnCreation>false</assignIpv6AddressOnCreation><tagSet></tagSet></item></subnetSet>"},
		{"another subnet", "Action=DescribeSubnets&SubnetId.1=subnet-1", 400, "InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist"},
		{"the group", "Action=DescribeSecurityGroups&GroupName.1=default", 200, "<securityGroupInfo><item><groupId>sg-0123456789abcdef0</groupId>" +
			"<securityGroupArn>arn:aws:ec2:ap-northeast-1:123456789012:security-group/sg-0123456789abcdef0</securityGroupArn><groupName>default</groupName><groupDescription>default</groupDescription>" +
			"<ownerId>123456789012</ownerId><vpcId>vpc-0123456789abcdef0</vpcId><ipPermissions></ipPermissions><ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges></item></ipPermissionsEgress>" +
			"<tagSet></tagSet></item></securityGroupInfo>"},
		{"another group", "Action=DescribeSecurityGroups&GroupName.1=web", 400, "InvalidGroup.NotFound: The security group 'web' does not exist"},
		{"another id", "Action=DescribeSecurityGroups&GroupId.1=sg-1", 400, "InvalidGroup.NotFound: The security group 'sg-1' does not exist"},
		{"no filter", "Action=DescribeSubnets&Filter.1.Name=x&Filter.1.Value.1=y", 400, "InvalidParameterValue: The filter 'x' is invalid"},
	})
}

func TestImages(t *testing.T) {
	t.Parallel()
	const attribute = "Action=DescribeImageAttribute&Attribute=imdsSupport&ImageId=" + image
	const change = "Action=ModifyImageAttribute&ImageId=" + image
	told := func(support string) string {
		return "<imagesSet><item><imageId>" + image + "</imageId><name>" + image + "</name><imageOwnerId>123456789012</imageOwnerId><imageState>available</imageState><isPublic>false</isPublic>" +
			"<architecture>x86_64</architecture><imageType>machine</imageType><rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName><virtualizationType>hvm</virtualizationType>" +
			"<hypervisor>xen</hypervisor><enaSupport>true</enaSupport><platformDetails>Linux/UNIX</platformDetails>" + support + "</item></imagesSet>"
	}
	l := newLab()
	l.check(t, []exchange{
		{"without", "Action=DescribeImages&ImageId.1=" + image, 200, told("")},
		{"its own", "Action=DescribeImages&Owner.1=self", 200, told("")},
		{"Amazon's", "Action=DescribeImages&Owner.1=amazon", 200, "<imagesSet></imagesSet>"},
		{"the attribute", attribute, 200, "<imageId>" + image + "</imageId><imdsSupport></imdsSupport>"},
		{"tried", change + "&ImdsSupport.Value=v2.0&DryRun=true", 412, "DryRunOperation: Request would have succeeded, but DryRun flag is set."},
		{"back to v1", change + "&ImdsSupport.Value=v1.0", 400, "InvalidParameterValue: Value (v1.0) for parameter imdsSupport is invalid. Specify 'v2.0' and try again."},
		{"nothing", change, 400, "InvalidParameterCombination: No attributes specified."},
		{"set", change + "&ImdsSupport.Value=v2.0", 200, "<return>true</return>"},
		{"with", "Action=DescribeImages", 200, told("<imdsSupport>v2.0</imdsSupport>")},
		{"the attribute now", attribute, 200, "<imageId>" + image + "</imageId><imdsSupport><value>v2.0</value></imdsSupport>"},
		{"by attribute and value", change + "&Attribute=imdsSupport&Value=v2.0", 200, "<return>true</return>"},
		{"another", "Action=DescribeImages&ImageId.1=ami-00000000", 400, "InvalidAMIID.NotFound: The image id '[ami-00000000]' does not exist"},
		{"no id", "Action=DescribeImages&ImageId.1=chat", 400, `InvalidAMIID.Malformed: Invalid id: "chat" (expecting "ami-...")`},
		{"another attribute", "Action=DescribeImageAttribute&Attribute=colour&ImageId=" + image, 400, "InvalidParameterValue: Value (colour) for parameter attribute is invalid. Unknown attribute."},
	})
	if got, want := l.asked[len(l.asked)-1].Resource, "arn:aws:ec2:ap-northeast-1::image/"+image; got != want {
		t.Errorf("authorized for %s, want %s", got, want)
	}
}

func TestAttributesAndStatus(t *testing.T) {
	t.Parallel()
	const attribute = "Action=DescribeInstanceAttribute&InstanceId=" + instance + "&Attribute="
	const well = "<status>ok</status><details><item><name>reachability</name><status>passed</status></item></details>"
	const running = "<instanceStatusSet><item><instanceId>" + instance + "</instanceId><availabilityZone>ap-northeast-1a</availabilityZone><availabilityZoneId>apne1-az1</availabilityZoneId>" +
		"<instanceState><code>16</code><name>running</name></instanceState><systemStatus>" + well + "</systemStatus><instanceStatus>" + well + "</instanceStatus><attachedEbsStatus>" + well + "</attachedEbsStatus></item></instanceStatusSet>"
	l := newLab()
	l.check(t, []exchange{
		{"user data", attribute + "userData", 200, "<instanceId>" + instance + "</instanceId><userData><value>IyEvYmluL3NoCg==</value></userData>"},
		{"type", attribute + "instanceType", 200, "<instanceId>" + instance + "</instanceId><instanceType><value>t3.micro</value></instanceType>"},
		{"protection", attribute + "disableApiTermination", 200, "<instanceId>" + instance + "</instanceId><disableApiTermination><value>false</value></disableApiTermination>"},
		{"groups", attribute + "groupSet", 200, "<instanceId>" + instance + "</instanceId><groupSet><item><groupId>sg-0123456789abcdef0</groupId><groupName>default</groupName></item></groupSet>"},
		{"unknown", attribute + "colour", 400, "InvalidParameterValue: Value (colour) for parameter attribute is invalid. Unknown attribute."},
		{"none", attribute, 400, "MissingParameter: The request must contain the parameter Attribute"},
		{"status", "Action=DescribeInstanceStatus", 200, running},
		{"by status", "Action=DescribeInstanceStatus&Filter.1.Name=instance-status.reachability&Filter.1.Value.1=failed", 200, "<instanceStatusSet></instanceStatusSet>"},
		{"the volume", "Action=DescribeVolumes&Filter.1.Name=attachment.instance-id&Filter.1.Value.1=" + instance, 200,
			"<volumeSet><item><volumeId>vol-0123456789abcdef0</volumeId><size>8</size><snapshotId></snapshotId><availabilityZone>ap-northeast-1a</availabilityZone><status>in-use</status>" +
				"<createTime>2026-11-23T03:00:00Z</createTime><attachmentSet><item><volumeId>vol-0123456789abcdef0</volumeId><instanceId>" + instance + "</instanceId><device>/dev/xvda</device>" +
				"<status>attached</status><attachTime>2026-11-23T03:00:00Z</attachTime><deleteOnTermination>true</deleteOnTermination></item></attachmentSet><tagSet></tagSet><volumeType>gp3</volumeType>" +
				"<iops>3000</iops><throughput>125</throughput><encrypted>false</encrypted><multiAttachEnabled>false</multiAttachEnabled></item></volumeSet>"},
		{"another volume", "Action=DescribeVolumes&VolumeId.1=vol-12345678", 400, "InvalidVolume.NotFound: The volume 'vol-12345678' does not exist."},
		{"bursting", "Action=DescribeInstanceCreditSpecifications&InstanceId.1=" + instance, 200,
			"<instanceCreditSpecificationSet><item><instanceId>" + instance + "</instanceId><cpuCredits>unlimited</cpuCredits></item></instanceCreditSpecificationSet>"},
		{"type of it", "Action=DescribeInstanceTypes&InstanceType.1=t3.micro", 200, "…<instanceType>t3.micro</instanceType>…"},
		{"another type", "Action=DescribeInstanceTypes&InstanceType.1=t3.huge", 400, "InvalidInstanceType: The following supplied instance types do not exist: [t3.huge]"},
	})
	i := l.State.Region(region).Instances[instance]
	i.State, i.UserData = "stopped", ""
	l.check(t, []exchange{
		{"no user data", attribute + "userData", 200, "<instanceId>" + instance + "</instanceId><userData></userData>"},
		{"none runs", "Action=DescribeInstanceStatus", 200, "<instanceStatusSet></instanceStatusSet>"},
		{"all", "Action=DescribeInstanceStatus&IncludeAllInstances=true", 200, "…<name>stopped</name></instanceState><systemStatus><status>not-applicable</status>…"},
	})
}
