package ec2

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type describeVolumesInput struct {
	try
	listing
	IDs []string `query:"VolumeId"`
}

type volumeAttachment struct {
	Volume              string    `xml:"volumeId"`
	Instance            string    `xml:"instanceId"`
	Device              string    `xml:"device"`
	Status              string    `xml:"status"`
	AttachTime          wire.Time `xml:"attachTime"`
	DeleteOnTermination bool      `xml:"deleteOnTermination"`
}

type volume struct {
	ID          string             `xml:"volumeId"`
	Size        int                `xml:"size"`
	Snapshot    string             `xml:"snapshotId"`
	Zone        string             `xml:"availabilityZone"`
	Status      string             `xml:"status"`
	Created     wire.Time          `xml:"createTime"`
	Attachments []volumeAttachment `xml:"attachmentSet>item"`
	Tags        []tag              `xml:"tagSet>item"`
	Type        string             `xml:"volumeType"`
	IOPS        int                `xml:"iops"`
	Throughput  int                `xml:"throughput"`
	Encrypted   bool               `xml:"encrypted"`
	MultiAttach bool               `xml:"multiAttachEnabled"`
}

type describedVolumes struct {
	Volumes   []volume `xml:"volumeSet>item"`
	NextToken string   `xml:"nextToken,omitempty"`
}

// The size of every volume, in GiB, and what gp3 gives to each at no charge
// (https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html).
const (
	volumeSize       = 8
	volumeIOPS       = 3000
	volumeThroughput = 125 // MiB/s
)

// describeVolumes tells of the volumes that instances have
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html).
func (s *Service) describeVolumes(c *wire.Call, in describeVolumesInput) (describedVolumes, error) {
	for _, id := range in.IDs {
		if err := checkID("InvalidVolumeID", "vol-", id); err != nil {
			return describedVolumes{}, err
		}
	}
	if err := in.allow(c, "DescribeVolumes", "*", nil); err != nil {
		return describedVolumes{}, err
	}
	var all []volume
	for _, i := range inOrder(s.State.at(c.Region).Instances) {
		for _, device := range slices.Sorted(maps.Keys(i.Volumes)) {
			all = append(all, i.volume(device))
		}
	}
	part, next, err := selected(in.listing, in.IDs, all, func(v volume) string { return v.ID }, volume.filter,
		func(id string) error {
			return wire.Refuse("InvalidVolume.NotFound", "The volume '"+id+"' does not exist.")
		})
	return describedVolumes{part, next}, err
}

func (i *Instance) volume(device string) volume {
	since := wire.Time{Time: i.Launched}
	return volume{
		ID: i.Volumes[device], Size: volumeSize, Zone: i.Zone, Status: "in-use", Created: since,
		Attachments: []volumeAttachment{{i.Volumes[device], i.ID, device, "attached", since, true}},
		Type:        "gp3", IOPS: volumeIOPS, Throughput: volumeThroughput,
	}
}

func (v volume) filter(name string) ([]string, bool) {
	if name, ok := strings.CutPrefix(name, "attachment."); ok {
		return v.attachmentFilter(name)
	}
	switch name {
	case "volume-id":
		return one(v.ID), true
	case "availability-zone":
		return one(v.Zone), true
	case "status":
		return one(v.Status), true
	case "volume-type":
		return one(v.Type), true
	case "encrypted", "multi-attach-enabled":
		return one("false"), true
	case "snapshot-id":
		return nil, true
	}
	return tagFilter(nil, name)
}

func (v volume) attachmentFilter(name string) ([]string, bool) {
	var a volumeAttachment
	if len(v.Attachments) > 0 {
		a = v.Attachments[0]
	}
	switch name {
	case "instance-id":
		return one(a.Instance), true
	case "device":
		return one(a.Device), true
	case "status":
		return one(a.Status), true
	case "delete-on-termination":
		return one("true"), true
	}
	return nil, false
}

type describeCreditsInput struct {
	try
	listing
	InstanceIDs []string `query:"InstanceId"`
}

type creditSpecification struct {
	Instance string `xml:"instanceId"`
	Credits  string `xml:"cpuCredits"`
}

type describedCredits struct {
	Specifications []creditSpecification `xml:"instanceCreditSpecificationSet>item"`
	NextToken      string                `xml:"nextToken,omitempty"`
}

// describeCredits tells how instances of burstable types burst: T2 within
// their credits, all later ones without bound
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceCreditSpecifications.html).
func (s *Service) describeCredits(c *wire.Call, in describeCreditsInput) (describedCredits, error) {
	if err := checkInstanceIDs(in.InstanceIDs); err != nil {
		return describedCredits{}, err
	}
	if err := in.allow(c, "DescribeInstanceCreditSpecifications", "*", nil); err != nil {
		return describedCredits{}, err
	}
	instances, err := s.State.at(c.Region).instances(in.InstanceIDs)
	if err != nil {
		return describedCredits{}, err
	}
	var all []creditSpecification
	for _, i := range instances {
		switch {
		case strings.HasPrefix(i.Type, "t2."):
			all = append(all, creditSpecification{i.ID, "standard"})
		case strings.HasPrefix(i.Type, "t"):
			all = append(all, creditSpecification{i.ID, "unlimited"})
		}
	}
	all, err = filtered(in.Filters, all, func(s creditSpecification, name string) ([]string, bool) {
		return one(s.Instance), name == "instance-id"
	})
	if err != nil {
		return describedCredits{}, err
	}
	part, next, err := page(in.listing, all)
	return describedCredits{part, next}, err
}
