package bedrock

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// Bedrock's control plane: what inference profiles there are.

func (s *Service) listInferenceProfiles(w http.ResponseWriter, c *wire.Call) error {
	if err := c.Authorize("bedrock:ListInferenceProfiles", "*", nil); err != nil {
		return err
	}
	q := c.Request.URL.Query()
	kind := q.Get("type")
	if err := checkEnum("typeEquals", kind, []string{"SYSTEM_DEFINED", "APPLICATION"}); err != nil {
		return err
	}
	all := []profileDetails{}
	for _, p := range s.profiles(c) {
		if kind != "APPLICATION" {
			all = append(all, s.profileDetails(c, p))
		}
	}
	page, next, err := paginate(all, q.Get("maxResults"), q.Get("nextToken"))
	if err != nil {
		return err
	}
	answer := map[string]any{"inferenceProfileSummaries": page}
	if next != "" {
		answer["nextToken"] = next
	}
	return c.WriteJSON(w, answer)
}

func (s *Service) getInferenceProfile(w http.ResponseWriter, c *wire.Call) error {
	id := strings.TrimPrefix(c.Identifier(), profileARN(c, ""))
	arn := profileARN(c, id)
	if err := c.Authorize("bedrock:GetInferenceProfile", arn, nil); err != nil {
		return err
	}
	for _, p := range s.profiles(c) {
		if p.ID == id {
			return c.WriteJSON(w, s.profileDetails(c, p))
		}
	}
	return notFound("Unable to find inference profile: " + id)
}

// profiles are those that may be called in the call's region.
func (s *Service) profiles(c *wire.Call) []Profile {
	if !s.local(c) {
		return nil
	}
	var all []Profile
	for _, p := range s.Options.Profiles {
		if p.callableIn(c.Region) {
			all = append(all, p)
		}
	}
	return all
}

func (p Profile) callableIn(region string) bool {
	if len(p.Source) > 0 {
		return slices.Contains(p.Source, region)
	}
	return slices.Contains(p.Regions, region)
}

// destinations are the regions whose model ARNs a caller needs. Global routing
// asks for the calling region and for none at all.
func (p Profile) destinations(region string) []string {
	if slices.Contains(p.Regions, "") {
		return []string{region, ""}
	}
	return p.Regions
}

type profileDetails struct {
	Name        string         `json:"inferenceProfileName"`
	Description string         `json:"description"`
	ARN         string         `json:"inferenceProfileArn"`
	Models      []profileModel `json:"models"`
	ID          string         `json:"inferenceProfileId"`
	Status      string         `json:"status"`
	Type        string         `json:"type"`
}

type profileModel struct {
	ARN string `json:"modelArn"`
}

func (s *Service) profileDetails(c *wire.Call, p Profile) profileDetails {
	models := []profileModel{}
	for _, id := range p.Models {
		for _, region := range p.destinations(c.Region) {
			models = append(models, profileModel{modelARN(region, id)})
		}
	}
	regions := strings.Join(p.destinations(c.Region), ", ")
	if slices.Contains(p.Regions, "") {
		regions = "all commercial regions"
	}
	return profileDetails{
		Name: p.Name, Description: "Routes requests to " + regions + ".",
		ARN: profileARN(c, p.ID), Models: models, ID: p.ID, Status: "ACTIVE", Type: "SYSTEM_DEFINED",
	}
}

// paginate cuts the page out of all items that maxResults and nextToken ask
// for. A token is the place of the next item, in base64 to look as opaque as
// AWS's do.
func paginate[T any](all []T, maxResults, token string) (page []T, next string, err error) {
	size, start := len(all), 0
	if maxResults != "" {
		if size, err = strconv.Atoi(maxResults); err != nil || size < 1 || size > 1000 {
			return nil, "", invalid(fmt.Sprintf("1 validation error detected: Value '%s' at 'maxResults' failed to satisfy constraint: "+
				"Member must have value between 1 and 1000, inclusive", maxResults))
		}
	}
	if token != "" {
		text, _ := base64.RawURLEncoding.DecodeString(token)
		if start, err = strconv.Atoi(string(text)); err != nil || start < 0 || start > len(all) {
			return nil, "", invalid("The provided nextToken is invalid.")
		}
	}
	end := min(start+size, len(all))
	if end < len(all) {
		next = base64.RawURLEncoding.EncodeToString([]byte(strconv.Itoa(end)))
	}
	return all[start:end], next, nil
}
