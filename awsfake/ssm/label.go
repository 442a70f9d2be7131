package ssm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

// Limits of labels
// (https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-labels.html).
const (
	maxLabels = 10 // of a version
	maxLabel  = 100
)

func (v *Version) has(label string) bool { return slices.Contains(v.Labels, label) }

func (v *Version) drop(label string) {
	v.Labels = slices.DeleteFunc(v.Labels, func(l string) bool { return l == label })
}

// validLabel tells whether a version may be called so.
func validLabel(label string) bool {
	lower := strings.ToLower(label)
	return label != "" && !strings.HasPrefix(lower, "aws") && !strings.HasPrefix(lower, "ssm") &&
		(label[0] < '0' || label[0] > '9') && !strings.ContainsFunc(label, notNameRune)
}

type labelIn struct {
	Name             *string
	ParameterVersion *int64
	Labels           []string
}

// labelled checks the call and finds the parameter and the version.
func (s *Service) labelled(c *wire.Call, in labelIn) (*Parameter, *Version, error) {
	var v wire.Checks
	v.Required("name", in.Name != nil)
	v.Required("labels", in.Labels != nil)
	if in.Name != nil {
		v.Length("name", *in.Name, 1, maxName)
	}
	if in.Labels != nil {
		v.Count("labels", in.Labels, 1, maxLabels)
	}
	if err := v.Err(c); err != nil {
		return nil, nil, err
	}
	if slices.ContainsFunc(in.Labels, func(l string) bool { return l == "" || len(l) > maxLabel }) {
		return nil, nil, wire.Refuse("ValidationException", fmt.Sprintf("1 validation error detected: Value '[%s]' at 'labels' failed to satisfy constraint: "+
			"Member must satisfy constraint: [Member must have length less than or equal to 100, Member must have length greater than or equal to 1]", strings.Join(in.Labels, ", ")))
	}
	sel, err := s.read(c, *in.Name)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.find(c, c.Operation, sel.name)
	if err != nil || in.ParameterVersion == nil {
		return p, nil, err
	}
	for _, version := range p.Versions {
		if version.Number == *in.ParameterVersion {
			return p, version, nil
		}
	}
	return nil, nil, noVersion(p.Name, strconv.FormatInt(*in.ParameterVersion, 10))
}

type labelOut struct {
	InvalidLabels    []string
	ParameterVersion int64
}

// labelParameterVersion moves a label that another version has.
func (s *Service) labelParameterVersion(c *wire.Call, in labelIn) (labelOut, error) {
	p, v, err := s.labelled(c, in)
	if err != nil {
		return labelOut{}, err
	}
	if v == nil {
		v = p.latest()
	}
	out := labelOut{InvalidLabels: []string{}, ParameterVersion: v.Number}
	labels := slices.Clone(v.Labels)
	for _, label := range in.Labels {
		switch {
		case !validLabel(label):
			out.InvalidLabels = append(out.InvalidLabels, label)
		case !slices.Contains(labels, label):
			labels = append(labels, label)
		}
	}
	if len(labels) > maxLabels {
		return labelOut{}, wire.Refuse("ParameterVersionLabelLimitExceeded",
			"A parameter version can have maximum 10 labels.Move one or more labels to another version and try again.")
	}
	for _, other := range p.Versions {
		for _, label := range labels {
			if other != v {
				other.drop(label)
			}
		}
	}
	v.Labels = labels
	return out, nil
}

type unlabelOut struct{ InvalidLabels, RemovedLabels []string }

func (s *Service) unlabelParameterVersion(c *wire.Call, in labelIn) (unlabelOut, error) {
	var check wire.Checks
	check.Required("parameterVersion", in.ParameterVersion != nil)
	if err := check.Err(c); err != nil {
		return unlabelOut{}, err
	}
	_, v, err := s.labelled(c, in)
	if err != nil {
		return unlabelOut{}, err
	}
	out := unlabelOut{InvalidLabels: []string{}, RemovedLabels: []string{}}
	for _, label := range in.Labels {
		if !v.has(label) {
			out.InvalidLabels = append(out.InvalidLabels, label)
			continue
		}
		v.drop(label)
		out.RemovedLabels = append(out.RemovedLabels, label)
	}
	return out, nil
}
