package ec2

import (
	"maps"
	"slices"
	"strings"

	"tegata/awsfake/wire"
)

type describeRegionsInput struct {
	try
	Filters     []filter `query:"Filter"`
	RegionNames []string `query:"RegionName"`
	AllRegions  bool
}

type describedRegion struct {
	Name     string `xml:"regionName"`
	Endpoint string `xml:"regionEndpoint"`
	OptIn    string `xml:"optInStatus"`
}

type describedRegions struct {
	Regions []describedRegion `xml:"regionInfo>item"`
}

const (
	optInNotRequired = "opt-in-not-required"
	optedIn          = "opted-in"
	notOptedIn       = "not-opted-in"
)

// alwaysOn are the regions from before March 2019, which need no opt-in
// (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html).
func alwaysOn(region string) bool {
	switch region {
	case "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
		"eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2":
		return true
	}
	return false
}

// optIn tells whether the account has switched a region on: those in which it
// has instances.
func (s *State) optIn(region string) string {
	switch {
	case alwaysOn(region):
		return optInNotRequired
	case len(s.at(region).Instances) > 0:
		return optedIn
	}
	return notOptedIn
}

// Enabled reports whether the account has a region switched on.
func (s *State) Enabled(region string) bool { return s.optIn(region) != notOptedIn }

// describeRegions tells of the regions that the account may use, or of all
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html).
func (s *Service) describeRegions(c *wire.Call, in describeRegionsInput) (describedRegions, error) {
	if err := in.allow(c, "DescribeRegions", "*", nil); err != nil {
		return describedRegions{}, err
	}
	for _, name := range in.RegionNames {
		if !wire.KnownRegion(name) {
			return describedRegions{}, invalidValue("Invalid region: [" + name + "]")
		}
	}
	var all []describedRegion
	for _, name := range wire.Regions() {
		status := s.State.optIn(name)
		named := slices.Contains(in.RegionNames, name)
		if named || len(in.RegionNames) == 0 && (in.AllRegions || status != notOptedIn) {
			all = append(all, describedRegion{name, "ec2." + name + ".amazonaws.com", status})
		}
	}
	all, err := filtered(in.Filters, all, describedRegion.filter)
	return describedRegions{all}, err
}

func (r describedRegion) filter(name string) ([]string, bool) {
	switch name {
	case "region-name":
		return one(r.Name), true
	case "endpoint":
		return one(r.Endpoint), true
	case "opt-in-status":
		return one(r.OptIn), true
	}
	return nil, false
}

type describeZonesInput struct {
	try
	Filters              []filter `query:"Filter"`
	ZoneNames            []string `query:"ZoneName"`
	ZoneIDs              []string `query:"ZoneId"`
	AllAvailabilityZones bool
}

type describedZone struct {
	Name   string `xml:"zoneName"`
	ID     string `xml:"zoneId"`
	State  string `xml:"zoneState"`
	Region string `xml:"regionName"`
	OptIn  string `xml:"optInStatus"`
	Group  string `xml:"groupName"`
	Border string `xml:"networkBorderGroup"`
	Type   string `xml:"zoneType"`
}

type describedZones struct {
	Zones []describedZone `xml:"availabilityZoneInfo>item"`
}

// describeAvailabilityZones tells of three zones in each region, with those of
// its instances among them
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAvailabilityZones.html).
func (s *Service) describeAvailabilityZones(c *wire.Call, in describeZonesInput) (describedZones, error) {
	if err := in.allow(c, "DescribeAvailabilityZones", "*", nil); err != nil {
		return describedZones{}, err
	}
	zones := s.State.at(c.Region).zones(c.Region)
	for _, name := range in.ZoneNames {
		if !slices.ContainsFunc(zones, func(z describedZone) bool { return z.Name == name }) {
			return describedZones{}, invalidValue("Invalid availability zone: [" + name + "]")
		}
	}
	for _, id := range in.ZoneIDs {
		if !slices.ContainsFunc(zones, func(z describedZone) bool { return z.ID == id }) {
			return describedZones{}, invalidValue("Invalid availability zone-id: '" + id + "'")
		}
	}
	zones = slices.DeleteFunc(zones, func(z describedZone) bool {
		return len(in.ZoneNames) > 0 && !slices.Contains(in.ZoneNames, z.Name) || len(in.ZoneIDs) > 0 && !slices.Contains(in.ZoneIDs, z.ID)
	})
	zones, err := filtered(in.Filters, zones, describedZone.filter)
	return describedZones{zones}, err
}

func (r *Region) zones(region string) []describedZone {
	ids := map[string]string{}
	for _, letter := range "abc" {
		ids[region+string(letter)] = zoneID(region, letter)
	}
	for _, i := range r.Instances {
		ids[i.Zone] = i.ZoneID
	}
	var all []describedZone
	for _, name := range slices.Sorted(maps.Keys(ids)) {
		all = append(all, describedZone{name, ids[name], "available", region, optInNotRequired, region + "-zg-1", region, "availability-zone"})
	}
	return all
}

// zoneID abbreviates as AWS does: ap-northeast-1a is apne1-az1. In a real
// account the number need not follow the letter.
func zoneID(region string, letter rune) string {
	var id strings.Builder
	for n, word := range strings.Split(region, "-") {
		if n > 0 && len(word) > 2 {
			word = strings.NewReplacer("north", "n", "south", "s", "east", "e", "west", "w", "central", "c").Replace(word)
		}
		id.WriteString(word)
	}
	return id.String() + "-az" + string('1'+letter-'a')
}

func (z describedZone) filter(name string) ([]string, bool) {
	switch name {
	case "zone-name":
		return one(z.Name), true
	case "zone-id":
		return one(z.ID), true
	case "zone-type":
		return one(z.Type), true
	case "region-name":
		return one(z.Region), true
	case "state":
		return one(z.State), true
	case "opt-in-status":
		return one(z.OptIn), true
	case "group-name":
		return one(z.Group), true
	case "group-long-name", "message", "parent-zone-id", "parent-zone-name":
		return nil, true // of local zones
	}
	return nil, false
}
