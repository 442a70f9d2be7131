package ec2

import (
	"encoding/base64"
	"slices"

	"tegata/awsfake/wire"
)

type instanceAttributeInput struct {
	try
	InstanceID string `query:"InstanceId"`
	Attribute  string
}

type attributeFlag struct {
	Value bool `xml:"value"`
}

type instanceAttribute struct {
	InstanceID        string          `xml:"instanceId"`
	UserData          *optionalValue  `xml:"userData"`
	Type              *attributeValue `xml:"instanceType"`
	KeepFromTerminate *attributeFlag  `xml:"disableApiTermination"`
	KeepFromStop      *attributeFlag  `xml:"disableApiStop"`
	RootDevice        *attributeValue `xml:"rootDeviceName"`
	OnShutdown        *attributeValue `xml:"instanceInitiatedShutdownBehavior"`
	SourceDest        *attributeFlag  `xml:"sourceDestCheck"`
	EBSOptimized      *attributeFlag  `xml:"ebsOptimized"`
	ENA               *attributeFlag  `xml:"enaSupport"`
	Kernel            *optionalValue  `xml:"kernel"`
	Ramdisk           *optionalValue  `xml:"ramdisk"`
	Groups            *groupSet       `xml:"groupSet"`
}

type groupSet struct {
	Items []group `xml:"item"`
}

// An optionalValue is an element that is there and may be empty.
type optionalValue struct {
	Value string `xml:"value,omitempty"`
}

// describeInstanceAttribute tells one attribute
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html).
func (s *Service) describeInstanceAttribute(c *wire.Call, in instanceAttributeInput) (instanceAttribute, error) {
	var none instanceAttribute
	switch {
	case in.InstanceID == "":
		return none, missing("InstanceId")
	case in.Attribute == "":
		return none, missing("Attribute")
	}
	if err := checkInstanceIDs([]string{in.InstanceID}); err != nil {
		return none, err
	}
	r := s.State.at(c.Region)
	if err := in.allow(c, "DescribeInstanceAttribute", instanceARN(c, in.InstanceID), r.context(in.InstanceID, c.Now())); err != nil {
		return none, err
	}
	i, err := r.instance(in.InstanceID)
	if err != nil {
		return none, err
	}
	answer := instanceAttribute{InstanceID: i.ID}
	if !answer.set(i, in.Attribute) {
		return none, unknownAttribute(in.Attribute)
	}
	return answer, nil
}

func (a *instanceAttribute) set(i *Instance, name string) bool {
	switch name {
	case "userData":
		a.UserData = &optionalValue{base64.StdEncoding.EncodeToString([]byte(i.UserData))}
	case "instanceType":
		a.Type = &attributeValue{i.Type}
	case "disableApiTermination":
		a.KeepFromTerminate = &attributeFlag{i.KeepFromTerminate}
	case "disableApiStop":
		a.KeepFromStop = &attributeFlag{}
	case "rootDeviceName":
		a.RootDevice = &attributeValue{i.RootDevice}
	case "instanceInitiatedShutdownBehavior":
		a.OnShutdown = &attributeValue{"stop"}
	case "sourceDestCheck":
		a.SourceDest = &attributeFlag{true}
	case "ebsOptimized":
		a.EBSOptimized = &attributeFlag{}
	case "enaSupport":
		a.ENA = &attributeFlag{true}
	case "kernel":
		a.Kernel = &optionalValue{i.Kernel}
	case "ramdisk":
		a.Ramdisk = &optionalValue{i.Ramdisk}
	case "groupSet":
		a.Groups = &groupSet{i.groups()}
	default:
		return false
	}
	return true
}

type describeStatusInput struct {
	try
	listing
	InstanceIDs         []string `query:"InstanceId"`
	IncludeAllInstances bool
}

type statusSummary struct {
	Status  string         `xml:"status"`
	Details []statusDetail `xml:"details>item"`
}

type statusDetail struct {
	Name   string `xml:"name"`
	Status string `xml:"status"`
}

type instanceStatus struct {
	ID       string        `xml:"instanceId"`
	Zone     string        `xml:"availabilityZone"`
	ZoneID   string        `xml:"availabilityZoneId,omitempty"`
	State    state         `xml:"instanceState"`
	System   statusSummary `xml:"systemStatus"`
	Instance statusSummary `xml:"instanceStatus"`
	EBS      statusSummary `xml:"attachedEbsStatus"`
}

type describedStatuses struct {
	Statuses  []instanceStatus `xml:"instanceStatusSet>item"`
	NextToken string           `xml:"nextToken,omitempty"`
}

// describeInstanceStatus tells that running instances are well
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceStatus.html).
func (s *Service) describeInstanceStatus(c *wire.Call, in describeStatusInput) (describedStatuses, error) {
	var none describedStatuses
	if err := in.combine(in.InstanceIDs); err != nil {
		return none, err
	}
	if err := checkInstanceIDs(in.InstanceIDs); err != nil {
		return none, err
	}
	if err := in.allow(c, "DescribeInstanceStatus", "*", nil); err != nil {
		return none, err
	}
	instances, err := s.State.at(c.Region).instances(in.InstanceIDs)
	if err != nil {
		return none, err
	}
	instances = slices.DeleteFunc(instances, func(i *Instance) bool { return i.State != "running" && !in.IncludeAllInstances })
	var all []instanceStatus
	for _, i := range instances {
		all = append(all, i.status())
	}
	all, err = filtered(in.Filters, all, instanceStatus.filter)
	if err != nil {
		return none, err
	}
	part, next, err := page(in.listing, all)
	return describedStatuses{part, next}, err
}

func (i *Instance) status() instanceStatus {
	well := statusSummary{"ok", []statusDetail{{"reachability", "passed"}}}
	if i.State != "running" {
		well = statusSummary{Status: "not-applicable"}
	}
	return instanceStatus{i.ID, i.Zone, i.ZoneID, state{stateCode(i.State), i.State}, well, well, well}
}

func (s instanceStatus) filter(name string) ([]string, bool) {
	switch name {
	case "availability-zone":
		return one(s.Zone), true
	case "availability-zone-id":
		return one(s.ZoneID), true
	case "instance-state-name":
		return one(s.State.Name), true
	case "instance-status.status", "system-status.status", "attached-ebs-status.status":
		return one(s.Instance.Status), true
	case "instance-status.reachability", "system-status.reachability":
		var all []string
		for _, d := range s.Instance.Details {
			all = append(all, d.Status)
		}
		return all, true
	case "event.code", "event.description", "event.instance-event-id", "event.not-after", "event.not-before", "event.not-before-deadline":
		return nil, true // none is announced here
	}
	return nil, false
}
