package bedrock

import (
	"slices"
	"strings"
	"time"

	"tegata/awsfake/wire"
)

// The catalogue is as of 2026-11-22 and was not read off an AWS account.
//
// Ids, lifecycles and most prefixes come from AWS's announcements and model
// cards as quoted in BerriAI/litellm#28704 and #26721, posit-dev/positron#9339,
// awslabs/threat-composer#290 and dev.classmethod.jp, and from LiteLLM's price
// table of 2026-09 to 2026-11.
//
// From memory, and perhaps wrong or out of date, are: the prefixes of Opus 4.5
// to 5, Sonnet 4, 3.5 Sonnet and 3.5 Haiku, of Haiku 4.5 in Australia and of
// Nova 2 Lite; that the models of one prefix share its regions; and those
// regions, except for jp (dev.classmethod.jp) and us. AWS gives them for each
// model on its card, and for an account by ListInferenceProfiles and
// GetInferenceProfile.

// DefaultModels returns the models of the catalogue, the dead ones of the last
// year included.
func DefaultModels() []Model {
	var models []Model
	for _, e := range catalogue {
		models = append(models, e.model())
	}
	return models
}

// DefaultProfiles returns the inference profiles of the catalogue that may be
// called in the region, or all for "".
func DefaultProfiles(region string) []Profile {
	var profiles []Profile
	for _, e := range catalogue {
		for _, prefix := range strings.Fields(e.prefixes) {
			p := e.profile(prefix)
			if region == "" || p.callableIn(region) {
				profiles = append(profiles, p)
			}
		}
	}
	return profiles
}

// An entry is one model with the prefixes of its profiles.
type entry struct {
	id, name          string
	prefixes          string
	inference         string // types, by spaces
	legacy, endOfLife string // dates, or ""
}

const (
	profileOnly = "INFERENCE_PROFILE"
	both        = "ON_DEMAND INFERENCE_PROFILE"
	onDemandOK  = "ON_DEMAND"
)

var catalogue = []entry{
	{"anthropic.claude-opus-5-5", "Claude Opus 5.5", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-opus-5", "Claude Opus 5", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-opus-4-8", "Claude Opus 4.8", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-opus-4-7", "Claude Opus 4.7", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-opus-4-6-v1", "Claude Opus 4.6", "global us eu au", profileOnly, "", ""},
	{"anthropic.claude-opus-4-5-20251101-v1:0", "Claude Opus 4.5", "global us eu", profileOnly, "", ""},
	{"anthropic.claude-sonnet-5", "Claude Sonnet 5", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-sonnet-4-6", "Claude Sonnet 4.6", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-sonnet-4-5-20250929-v1:0", "Claude Sonnet 4.5", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-haiku-4-5-20251001-v1:0", "Claude Haiku 4.5", "global us eu au jp", profileOnly, "", ""},
	{"anthropic.claude-sonnet-4-20250514-v1:0", "Claude Sonnet 4", "global us eu apac", profileOnly, "2026-04-14", "2026-10-14"},
	{"anthropic.claude-3-7-sonnet-20250219-v1:0", "Claude 3.7 Sonnet", "us eu apac", profileOnly, "2025-10-28", "2026-04-28"},
	{"anthropic.claude-3-5-haiku-20241022-v1:0", "Claude 3.5 Haiku", "us", profileOnly, "2025-12-19", "2026-06-19"},
	{"anthropic.claude-3-5-sonnet-20240620-v1:0", "Claude 3.5 Sonnet", "us eu apac", both, "", "2026-03-01"},
	{"anthropic.claude-3-sonnet-20240229-v1:0", "Claude 3 Sonnet", "us eu apac", both, "2026-01-30", "2026-07-30"},
	{"amazon.nova-micro-v1:0", "Nova Micro", "us eu apac", both, "", ""},
	{"amazon.nova-lite-v1:0", "Nova Lite", "us eu apac", both, "", ""},
	{"amazon.nova-pro-v1:0", "Nova Pro", "us eu apac", both, "", ""},
	{"amazon.nova-2-lite-v1:0", "Nova 2 Lite", "us global", profileOnly, "", ""},
	{"amazon.titan-embed-text-v2:0", "Titan Text Embeddings V2", "", onDemandOK, "", ""},
}

// geographies are the regions between which a prefix routes, which are also
// those where it may be called. Global routing has no list: any region calls
// it, and "" stands for wherever it goes.
var geographies = map[string][]string{
	"us":     {"us-east-1", "us-east-2", "us-west-2"},
	"eu":     {"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"},
	"apac":   {"ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2"},
	"jp":     {"ap-northeast-1", "ap-northeast-3"},
	"au":     {"ap-southeast-2", "ap-southeast-4"},
	"global": {""},
}

// geographyNames are how AWS begins the names of profiles.
var geographyNames = map[string]string{
	"us": "US", "eu": "EU", "apac": "APAC", "jp": "JP", "au": "AU", "global": "Global",
}

func (e entry) model() Model {
	m := Model{
		ID: e.id, Name: e.name, Provider: e.provider(),
		InferenceTypes: strings.Fields(e.inference),
		Lifecycle:      Lifecycle{Legacy: day(e.legacy), EndOfLife: day(e.endOfLife)},
	}
	switch {
	case strings.Contains(e.id, "embed"):
		m.Output = []string{"EMBEDDING"}
	case e.id == "amazon.nova-micro-v1:0":
		m.Streaming = true
	default:
		m.Streaming, m.Input = true, []string{"TEXT", "IMAGE"}
	}
	return m
}

func (e entry) provider() string {
	if strings.HasPrefix(e.id, "amazon.") {
		return "Amazon"
	}
	return "Anthropic"
}

func (e entry) profile(prefix string) Profile {
	p := Profile{
		ID: prefix + "." + e.id, Name: geographyNames[prefix] + " " + e.name,
		Models: []string{e.id}, Regions: slices.Clone(geographies[prefix]),
	}
	if prefix == "global" {
		p.Source = wire.Regions()
	}
	return p
}

// day reads a date of the table, of which "" is none.
func day(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}
