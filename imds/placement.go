package imds

import (
	"context"
	"errors"
	"strconv"
	"strings"
)

const placementPath = "/latest/meta-data/placement/"

// Placement is where an instance runs. What does not apply to it, or is not
// served, is "" or 0.
//
// Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
type Placement struct {
	AvailabilityZone   string // "ap-northeast-1a"; names differ from account to account
	AvailabilityZoneID string // "apne1-az4"; the same in all accounts
	Region             string
	GroupName          string // of the placement group
	HostID             string // of the dedicated host
	PartitionNumber    int    // in a partition placement group, from 1 on
}

// Placement reads where the instance runs.
func (c *Client) Placement(ctx context.Context) (Placement, error) {
	values, err := c.leaves(ctx, placementPath)
	if err != nil {
		return Placement{}, err
	}
	value := func(name string) string { return strings.TrimSpace(values[name]) }
	p := Placement{
		AvailabilityZone:   value("availability-zone"),
		AvailabilityZoneID: value("availability-zone-id"),
		Region:             value("region"),
		GroupName:          value("group-name"),
		HostID:             value("host-id"),
	}
	if p.AvailabilityZone == "" {
		return Placement{}, malformed(placementPath, errors.New("no availability zone among the values"))
	}
	if n := value("partition-number"); n != "" {
		if p.PartitionNumber, err = strconv.Atoi(n); err != nil {
			return Placement{}, malformed(placementPath+"partition-number", unlike(n))
		}
	}
	return p, nil
}
