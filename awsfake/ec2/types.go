package ec2

import (
	"strings"

	"tegata/awsfake/wire"
)

type describeTypesInput struct {
	try
	listing
	Types []string `query:"InstanceType"`
}

type instanceType struct {
	Name          string   `xml:"instanceType"`
	Current       bool     `xml:"currentGeneration"`
	BareMetal     bool     `xml:"bareMetal"`
	Hypervisor    string   `xml:"hypervisor"`
	Architectures []string `xml:"processorInfo>supportedArchitectures>item"`
	Usage         []string `xml:"supportedUsageClasses>item"`
	RootDevices   []string `xml:"supportedRootDeviceTypes>item"`
	Virtual       []string `xml:"supportedVirtualizationTypes>item"`
	IPv6          bool     `xml:"networkInfo>ipv6Supported"`
	ENA           string   `xml:"networkInfo>enaSupport"`
	Burstable     bool     `xml:"burstablePerformanceSupported"`
}

type describedTypes struct {
	Types     []instanceType `xml:"instanceTypeSet>item"`
	NextToken string         `xml:"nextToken,omitempty"`
}

// describeInstanceTypes tells what follows from the names of the types that
// instances have; memory and processors don't
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceTypes.html).
func (s *Service) describeInstanceTypes(c *wire.Call, in describeTypesInput) (describedTypes, error) {
	if err := in.allow(c, "DescribeInstanceTypes", "*", nil); err != nil {
		return describedTypes{}, err
	}
	var all []instanceType
	for _, i := range inOrder(s.State.at(c.Region).Instances) {
		all = append(all, instanceType{
			Name: i.Type, Current: true, BareMetal: strings.Contains(i.Type, ".metal"), Hypervisor: "nitro", Architectures: one(i.Architecture),
			Usage: []string{"on-demand", "spot"}, RootDevices: one("ebs"), Virtual: one("hvm"), IPv6: true, ENA: "required",
			Burstable: strings.HasPrefix(i.Type, "t"),
		})
	}
	part, next, err := selected(in.listing, in.Types, all, func(t instanceType) string { return t.Name }, instanceType.filter, noType)
	return describedTypes{part, next}, err
}

func noType(name string) error {
	return wire.Refuse("InvalidInstanceType", "The following supplied instance types do not exist: ["+name+"]")
}

func (t instanceType) filter(name string) ([]string, bool) {
	switch name {
	case "instance-type":
		return one(t.Name), true
	case "hypervisor":
		return one(t.Hypervisor), true
	case "processor-info.supported-architecture":
		return t.Architectures, true
	case "supported-usage-class":
		return t.Usage, true
	case "current-generation":
		return one("true"), true
	}
	return nil, false
}
