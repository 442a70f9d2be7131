package awsfake

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Bedrock's control plane: what inference profiles there are.

func (s *Server) listInferenceProfiles(w http.ResponseWriter, c *call) error {
	if err := s.authorize(c, "bedrock:ListInferenceProfiles", "*", nil); err != nil {
		return err
	}
	q := c.request.URL.Query()
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
	return writeJSON(w, "application/json", answer)
}

func (s *Server) getInferenceProfile(w http.ResponseWriter, c *call) error {
	id := strings.TrimPrefix(c.identifier, s.profileARN(c, ""))
	arn := s.profileARN(c, id)
	if err := s.authorize(c, "bedrock:GetInferenceProfile", arn, nil); err != nil {
		return err
	}
	for _, p := range s.profiles(c) {
		if p.ID == id {
			return writeJSON(w, "application/json", s.profileDetails(c, p))
		}
	}
	return notFound("Unable to find inference profile: " + id)
}

// profiles are those that may be called in the call's region.
func (s *Server) profiles(c *call) []Profile {
	if !s.local(c) {
		return nil
	}
	var all []Profile
	for _, p := range s.options.Profiles {
		if p.callableIn(c.region) {
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

func (s *Server) profileARN(c *call, id string) string {
	return s.arn(c, "bedrock", "inference-profile/"+id)
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

func (s *Server) profileDetails(c *call, p Profile) profileDetails {
	models := []profileModel{}
	for _, id := range p.Models {
		for _, region := range p.destinations(c.region) {
			models = append(models, profileModel{modelARN(region, id)})
		}
	}
	regions := strings.Join(p.destinations(c.region), ", ")
	if slices.Contains(p.Regions, "") {
		regions = "all commercial regions"
	}
	return profileDetails{
		Name: p.Name, Description: "Routes requests to " + regions + ".",
		ARN: s.profileARN(c, p.ID), Models: models, ID: p.ID, Status: "ACTIVE", Type: "SYSTEM_DEFINED",
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
