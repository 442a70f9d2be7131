package ssm

import (
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// Limits of names
// (https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html).
const (
	maxName   = 2048 // of the API's member
	maxOwn    = 1011 // of a parameter's name
	maxLevels = 15
)

// A selector is a parameter as a reader names it: "/a/b", "/a/b:3" or
// "/a/b:label".
type selector struct {
	name     string
	selected string // with its colon; "" means the newest version
	version  int64  // zero means none is named
	label    string
}

const badName = `Parameter name: can't be prefixed with "ssm" (case-insensitive). If formed as a path, ` +
	`it can consist of sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, ` +
	`numbers and the following 3 symbols .-_`

// parseSelector reads a name, or an ARN's "/name", with or without a selector.
func parseSelector(in string) (selector, error) {
	name, rest, found := strings.Cut(in, ":")
	if !wellFormed(name) || strings.HasPrefix(strings.ToLower(strings.TrimPrefix(name, "/")), "ssm") {
		return selector{}, wire.Refuse("ValidationException", badName)
	}
	s := selector{name: name}
	if !found {
		return s, nil
	}
	s.selected = ":" + rest
	if n, err := strconv.ParseInt(rest, 10, 64); err == nil {
		s.version = n
	} else {
		s.label = rest
	}
	return s, nil
}

// wellFormed tells whether a name is a word, or a path that begins with a
// slash.
func wellFormed(name string) bool {
	path, isPath := strings.CutPrefix(name, "/")
	if !isPath && strings.Contains(path, "/") {
		return false
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || strings.ContainsFunc(part, notNameRune) {
			return false
		}
	}
	return true
}

func notNameRune(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	return !letter && !('0' <= r && r <= '9') && r != '_' && r != '.' && r != '-'
}

// read finds out which parameter a reader means. The ARN of a parameter of
// somebody else is one that isn't there.
func (s *Service) read(c *wire.Call, in string) (selector, error) {
	path, isARN := strings.CutPrefix(in, c.ARN("ssm", "parameter"))
	if !isARN {
		if strings.HasPrefix(in, "arn:") {
			return selector{}, s.foreign(c, in)
		}
		return parseSelector(in)
	}
	sel, err := parseSelector(path)
	if err != nil {
		return selector{}, err
	}
	if _, ok := s.region(c)[sel.name]; !ok && strings.Count(sel.name, "/") == 1 {
		sel.name = sel.name[1:]
	}
	return sel, nil
}

// foreign answers for an ARN that isn't of the account and region.
func (s *Service) foreign(c *wire.Call, arn string) error {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[2] != "ssm" || !strings.HasPrefix(fields[5], "parameter/") {
		return wire.Refuse("ValidationException", badName)
	}
	if err := c.Authorize("ssm:"+c.Operation, arn, nil); err != nil {
		return err
	}
	return notFound()
}

// pick returns the version that a selector means.
func (p *Parameter) pick(sel selector) (*Version, error) {
	if sel.selected == "" {
		return p.latest(), nil
	}
	for _, v := range p.Versions {
		if v.Number == sel.version || sel.label != "" && v.has(sel.label) {
			return v, nil
		}
	}
	if sel.label != "" {
		return nil, wire.Refuse("ParameterVersionNotFound",
			"Systems Manager could not find label "+sel.label+" for parameter "+p.Name+". Verify the label and try again.")
	}
	return nil, noVersion(p.Name, sel.selected[1:])
}

func noVersion(name, version string) error {
	return wire.Refuse("ParameterVersionNotFound",
		"Systems Manager could not find version "+version+" of "+name+". Verify the version and try again.")
}

// checkNew is what the name of a parameter must be that is to be written.
func checkNew(name string) error {
	lower := strings.ToLower(name)
	bare := strings.TrimPrefix(lower, "/")
	isPath := strings.Count(name, "/") > 1
	switch {
	case strings.HasPrefix(lower, "/aws") && isPath:
		return wire.Refuse("AccessDeniedException", "No access to reserved parameter name: "+name+".")
	case (strings.HasPrefix(bare, "aws") || strings.HasPrefix(bare, "ssm")) && !isPath:
		return wire.Refuse("ValidationException", `Parameter name: can't be prefixed with "aws" or "ssm" (case-insensitive).`)
	case strings.HasPrefix(bare, "ssm"):
		return wire.Refuse("ValidationException", badName)
	case !strings.HasPrefix(name, "/") && strings.Contains(name, "/"):
		return wire.Refuse("ValidationException", "Parameter name must be a fully qualified name.")
	case !wellFormed(name):
		return wire.Refuse("ValidationException", badName)
	case len(name) > maxOwn:
		return wire.Refuse("ValidationException", "Parameter name: must have length less than or equal to "+strconv.Itoa(maxOwn)+".")
	case strings.Count(strings.TrimPrefix(name, "/"), "/") >= maxLevels:
		return wire.Refuse("HierarchyLevelLimitExceededException",
			"A hierarchy can have a maximum of "+strconv.Itoa(maxLevels)+" levels. For more information, see Requirements and constraints for parameter names in the AWS Systems Manager User Guide.")
	}
	return nil
}
