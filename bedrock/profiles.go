package bedrock

import (
	"context"
	"net/url"
	"slices"
	"strings"
)

// A Profile is an inference profile: an id under which one model is called in
// whichever of several regions has room.
type Profile struct {
	ID     string
	ARN    string
	Name   string
	Status string   // "ACTIVE"
	Type   string   // "SYSTEM_DEFINED", or "APPLICATION" for one of the account's own
	Models []string // ARNs of the model in each region that a call may go to
}

// Base returns the id of the model that the profile leads to.
func (p Profile) Base() string {
	if len(p.Models) == 0 {
		return ""
	}
	return p.Models[0][strings.LastIndexByte(p.Models[0], '/')+1:]
}

// Regions returns where a call may go: each needs the permission. The global
// model has no region and is left out.
func (p Profile) Regions() []string {
	var regions []string
	for _, arn := range p.Models {
		if f := strings.SplitN(arn, ":", 5); len(f) == 5 && f[3] != "" && !slices.Contains(regions, f[3]) {
			regions = append(regions, f[3])
		}
	}
	return regions
}

// wireProfile is a profile as AWS writes it.
type wireProfile struct {
	ID     string `json:"inferenceProfileId"`
	ARN    string `json:"inferenceProfileArn"`
	Name   string `json:"inferenceProfileName"`
	Status string `json:"status"`
	Type   string `json:"type"`
	Models []struct {
		ARN string `json:"modelArn"`
	} `json:"models"`
}

func (w wireProfile) profile() Profile {
	p := Profile{ID: w.ID, ARN: w.ARN, Name: w.Name, Status: w.Status, Type: w.Type}
	for _, m := range w.Models {
		p.Models = append(p.Models, m.ARN)
	}
	return p
}

// Profiles lists the inference profiles that can be called from the region.
func (c *Client) Profiles(ctx context.Context) ([]Profile, error) {
	var all []Profile
	query := url.Values{"maxResults": {"1000"}} // the most that AWS allows
	for {
		var page struct {
			Profiles []wireProfile `json:"inferenceProfileSummaries"`
			Next     string        `json:"nextToken"`
		}
		if err := c.get(ctx, "ListInferenceProfiles", "", "/inference-profiles?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, w := range page.Profiles {
			all = append(all, w.profile())
		}
		if page.Next == "" || page.Next == query.Get("nextToken") {
			return all, nil
		}
		query.Set("nextToken", page.Next)
	}
}

// leadingTo returns the ids of the profiles of a model.
func leadingTo(profiles []Profile, model string) []string {
	var ids []string
	for _, p := range profiles {
		if p.Base() == model {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
