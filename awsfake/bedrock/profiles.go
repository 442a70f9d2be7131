package bedrock

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// Bedrock's control plane: what inference profiles there are.

func (s *Service) profileOperations() []wire.Operation {
	const created = 201
	return []wire.Operation{
		wire.Op("ListInferenceProfiles", s.listInferenceProfiles).At("GET", "/inference-profiles"),
		wire.Op("GetInferenceProfile", s.getInferenceProfile).At("GET", "/inference-profiles/{}"),
		wire.Op("CreateInferenceProfile", s.createProfile).At("POST", "/inference-profiles").Answering(created),
		wire.Op("DeleteInferenceProfile", s.deleteProfile).At("DELETE", "/inference-profiles/{}"),
	}
}

type profileList struct {
	Profiles []profileDetails `json:"inferenceProfileSummaries"`
	Next     string           `json:"nextToken,omitempty"`
}

// listInferenceProfiles tells AWS's own unless it is asked for the account's
// (aws/aws-cli#9728).
func (s *Service) listInferenceProfiles(c *wire.Call, _ wire.Empty) (profileList, error) {
	if err := c.Authorize("bedrock:ListInferenceProfiles", "*", nil); err != nil {
		return profileList{}, err
	}
	q := c.Request.URL.Query()
	kind := q.Get("type")
	if err := checkEnum("typeEquals", kind, []string{"SYSTEM_DEFINED", "APPLICATION"}); err != nil {
		return profileList{}, err
	}
	all := []profileDetails{}
	if kind == "APPLICATION" {
		for _, a := range s.applications(c) {
			all = append(all, s.applicationDetails(c, a))
		}
	} else {
		for _, p := range s.profiles(c) {
			all = append(all, s.profileDetails(c, p))
		}
	}
	page, next, err := paginate(all, q.Get("maxResults"), q.Get("nextToken"))
	return profileList{page, next}, err
}

func (s *Service) getInferenceProfile(c *wire.Call, _ wire.Empty) (profileDetails, error) {
	id := strings.TrimPrefix(c.Identifier(), applicationARN(c, ""))
	if a, ok := s.region(c).Profiles[id]; ok || id != c.Identifier() {
		if err := c.Authorize("bedrock:GetInferenceProfile", applicationARN(c, id), nil); err != nil {
			return profileDetails{}, err
		}
		if !ok {
			return profileDetails{}, notFound("Unable to find inference profile: " + id)
		}
		return s.applicationDetails(c, a), nil
	}
	id = strings.TrimPrefix(id, profileARN(c, ""))
	if err := c.Authorize("bedrock:GetInferenceProfile", profileARN(c, id), nil); err != nil {
		return profileDetails{}, err
	}
	for _, p := range s.profiles(c) {
		if p.ID == id {
			return s.profileDetails(c, p), nil
		}
	}
	return profileDetails{}, notFound("Unable to find inference profile: " + id)
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
	Description string         `json:"description,omitempty"`
	Created     string         `json:"createdAt,omitempty"`
	Updated     string         `json:"updatedAt,omitempty"`
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
