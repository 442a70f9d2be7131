package doctor

import (
	"context"
	"encoding/json"

	"tegata/internal/report"
)

func regionChecks() []Check {
	return []Check{
		{
			Name: "region", After: []string{"instance"}, Unknown: "TG4900", Run: checkRegion,
			Title: title("region", "リージョン"),
		},
	}
}

// regionName is the shape of every region's name: us-gov-west-1,
// ap-northeast-1, eusc-de-east-1. AWS adds regions each year, so that a list
// would call new ones wrong.
//
// Source: https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html
var regionName = pattern(`^[a-z]{2,4}(-[a-z]+)+-[0-9]+$`)

// checkRegion finds out which region the application calls, and whether it
// can be one. Without any setting it is the instance's own.
func checkRegion(_ context.Context, h *Host, known Facts) Outcome {
	set := append(h.environmentRegions(), h.composeRegions()...)
	for _, s := range set {
		evidence := map[string]string{
			"variable": s.variable, "value": s.value, "origin": s.origin, "suggested": suggested(set, known),
		}
		switch {
		case s.value == "":
			return fail(found("TG4003", evidence))
		case !regionName().MatchString(s.value):
			return fail(found("TG4002", evidence))
		}
	}
	r, ok := h.effectiveRegion(set, known)
	if !ok {
		return h.noRegion(known)
	}
	learn := func(f *Facts) { f.Region, f.RegionOrigin = r.value, r.origin }
	facts := []report.Field{told("region", r.value, "%s"), told("origin", r.origin, "from %s")}
	if a, b := h.getenv("AWS_REGION"), h.getenv("AWS_DEFAULT_REGION"); a != "" && b != "" && a != b {
		return warn(found("TG4001", map[string]string{"aws_region": a, "aws_default_region": b}), facts...).learning(learn)
	}
	return pass(facts...).learning(learn)
}

// environmentRegions returns the two variables that are set, even if empty.
func (h *Host) environmentRegions() []regionSetting {
	var set []regionSetting
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if h.isSet(name) {
			set = append(set, regionSetting{name, h.getenv(name), h.originOf(name)})
		}
	}
	return set
}

// suggested is the region that was most likely meant.
func suggested(set []regionSetting, known Facts) string {
	if known.IMDSRegion != "" {
		return known.IMDSRegion
	}
	for _, s := range set {
		if regionName().MatchString(s.value) {
			return s.value
		}
	}
	return ""
}

// effectiveRegion is the first of: environment, compose file, profile,
// instance.
func (h *Host) effectiveRegion(set []regionSetting, known Facts) (regionSetting, bool) {
	if len(set) > 0 {
		return set[0], true
	}
	path := h.settingsFile("AWS_CONFIG_FILE", "config")
	for _, s := range settings(h.read(path), h.profile(), "profile ") {
		if s.name == "region" && regionName().MatchString(s.value) {
			return regionSetting{"region", s.value, path}, true
		}
	}
	return regionSetting{"", known.IMDSRegion, "instance metadata"}, known.IMDSRegion != ""
}

// noRegion: nothing is set, and the instance, which would say, does not.
func (h *Host) noRegion(known Facts) Outcome {
	if known.Token == "" && h.source().kind != fromRole {
		return fail(found("TG4003", map[string]string{"variable": "AWS_REGION", "origin": "$AWS_REGION"}))
	}
	return blocked("instance")
}

// regionFromEnvironment names the region for commands when nothing else does.
func (h *Host) regionFromEnvironment() string {
	for _, s := range h.environmentRegions() {
		if regionName().MatchString(s.value) {
			return s.value
		}
	}
	var data struct {
		V1 struct {
			Region string `json:"region"`
		} `json:"v1"`
	}
	// What cloud-init learnt at the first start; readable by everybody.
	if json.Unmarshal([]byte(h.read("/run/cloud-init/instance-data.json")), &data) != nil {
		return ""
	}
	return data.V1.Region
}
