package ssm

import (
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

type byPathIn struct {
	Path             *string
	Recursive        bool
	ParameterFilters []filter
	WithDecryption   bool
	pageIn
}

type pageIn struct {
	MaxResults *int
	NextToken  string
}

// size is how many a page may have.
func (in pageIn) size(c *wire.Call, most int) (int, error) {
	if in.MaxResults == nil {
		return most, nil
	}
	var v wire.Checks
	v.Range("maxResults", *in.MaxResults, 1, most)
	return *in.MaxResults, v.Err(c)
}

func pageOf[T any](all []T, size int, token string) ([]T, string, error) {
	page, next, err := wire.Page(all, size, token)
	if err != nil {
		return nil, "", wire.Refuse("InvalidNextToken", "The specified token is not valid.")
	}
	return page, next, nil
}

type byPathOut struct {
	NextToken  string `json:",omitempty"`
	Parameters []parameter
}

// maxByPath is the largest page of GetParametersByPath.
const maxByPath = 10

func (s *Service) getParametersByPath(c *wire.Call, in byPathIn) (byPathOut, error) {
	size, err := in.size(c, maxByPath)
	if err != nil {
		return byPathOut{}, err
	}
	if err := in.check(c); err != nil {
		return byPathOut{}, err
	}
	path := strings.TrimSuffix(*in.Path, "/")
	if strings.HasPrefix(path+"/", publicPath) {
		return publicByPath(c, path, in, size)
	}
	arn := c.ARN("ssm", "parameter"+path)
	if path == "" {
		arn += "/"
	}
	if err := c.Authorize("ssm:GetParametersByPath", arn, map[string]string{"ssm:Recursive": strconv.FormatBool(in.Recursive)}); err != nil {
		return byPathOut{}, err
	}
	if err := checkFilters(in.ParameterFilters, ofPath); err != nil {
		return byPathOut{}, err
	}
	found, next, err := pageOf(s.below(c, path, in), size, in.NextToken)
	if err != nil {
		return byPathOut{}, err
	}
	out := byPathOut{NextToken: next, Parameters: []parameter{}}
	for _, p := range found {
		told, err := s.tell(c, p, pickFiltered(p, in.ParameterFilters), in.WithDecryption)
		if err != nil {
			return byPathOut{}, err
		}
		out.Parameters = append(out.Parameters, told)
	}
	return out, nil
}

func (in byPathIn) check(c *wire.Call) error {
	var v wire.Checks
	v.Required("path", in.Path != nil)
	if in.Path != nil {
		v.Length("path", *in.Path, 1, maxName)
	}
	known(&v, in.ParameterFilters)
	if err := v.Err(c); err != nil {
		return err
	}
	path := strings.TrimSuffix(*in.Path, "/")
	if !strings.HasPrefix(*in.Path, "/") || path != "" && !wellFormed(path) {
		return wire.Refuse("ValidationException", `The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash "/". `+
			`It can't be prefixed with "aws" or "ssm" (case-insensitive). It must use only letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore). `+
			`Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol "/". Valid example: /get/parameters2-/by1./path0_.`)
	}
	return nil
}

func (s *Service) below(c *wire.Call, path string, in byPathIn) (found []*Parameter) {
	all := s.region(c)
	for _, name := range names(all) {
		if p := all[name]; below(path, name, in.Recursive) && pickFiltered(p, in.ParameterFilters) != nil {
			found = append(found, p)
		}
	}
	return found
}

// below tells whether a name lies under a path, which is "" for the root.
func below(path, name string, recursive bool) bool {
	rest, ok := strings.CutPrefix(name, path+"/")
	if path == "" && !ok {
		rest, ok = name, true // a name without slashes lies under the root
	}
	return ok && rest != "" && (recursive || !strings.Contains(rest, "/"))
}

// pickFiltered is the version that the filters leave: the newest, or the one
// that has the label.
func pickFiltered(p *Parameter, filters []filter) *Version {
	v := p.latest()
	for _, f := range filters {
		if f.Key != "Label" {
			continue
		}
		v = nil
		for _, version := range p.Versions {
			for _, label := range version.Labels {
				if f.matches(label) {
					v = version
				}
			}
		}
	}
	if v == nil || !matchAll(p, v, filters) {
		return nil
	}
	return v
}

func publicByPath(c *wire.Call, path string, in byPathIn, size int) (out byPathOut, err error) {
	if err := c.Authorize("ssm:GetParametersByPath", publicARN(c, path), map[string]string{"ssm:Recursive": strconv.FormatBool(in.Recursive)}); err != nil {
		return byPathOut{}, err
	}
	all := append([]parameter{}, publicBelow(c, path, in.Recursive)...)
	out.Parameters, out.NextToken, err = pageOf(all, size, in.NextToken)
	return out, err
}
