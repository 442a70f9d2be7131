package ssm

import "tegata/awsfake/wire"

// maxDescribed is the largest page of DescribeParameters and of a history.
const maxDescribed = 50

type described struct {
	ARN              string `json:",omitempty"`
	AllowedPattern   string `json:",omitempty"`
	DataType         string
	Description      string   `json:",omitempty"`
	KeyID            string   `json:"KeyId,omitempty"`
	Labels           []string `json:",omitempty"`
	LastModifiedDate wire.Time
	LastModifiedUser string
	Name             string
	Policies         []struct{}
	Tier             string
	Type             string
	Value            string `json:",omitempty"`
	Version          int64
}

func (v *Version) described(name string) described {
	return described{
		AllowedPattern: v.AllowedPattern, DataType: v.DataType, Description: v.Description, KeyID: v.KeyID,
		LastModifiedDate: wire.Time{Time: v.Modified}, LastModifiedUser: v.User, Name: name,
		Policies: []struct{}{}, Tier: v.Tier, Type: v.Type, Version: v.Number,
	}
}

type describeIn struct {
	Filters          []filter
	ParameterFilters []filter
	Shared           bool
	pageIn
}

type describeOut struct {
	NextToken  string `json:",omitempty"`
	Parameters []described
}

func (s *Service) describeParameters(c *wire.Call, in describeIn) (describeOut, error) {
	size, err := in.size(c, maxDescribed)
	if err != nil {
		return describeOut{}, err
	}
	var v wire.Checks
	known(&v, in.ParameterFilters)
	if err := v.Err(c); err != nil {
		return describeOut{}, err
	}
	if err := c.Authorize("ssm:DescribeParameters", "*", nil); err != nil {
		return describeOut{}, err
	}
	filters, err := in.filters()
	if err != nil {
		return describeOut{}, err
	}
	all, found := s.region(c), []described{}
	for _, name := range names(all) {
		if p := all[name]; !in.Shared && matchAll(p, p.latest(), filters) {
			d := p.latest().described(name)
			d.ARN = arnOf(c, name)
			found = append(found, d)
		}
	}
	var out describeOut
	out.Parameters, out.NextToken, err = pageOf(found, size, in.NextToken)
	return out, err
}

// filters are those of either kind; the older compares the beginning of names.
func (in describeIn) filters() ([]filter, error) {
	if len(in.Filters) > 0 && len(in.ParameterFilters) > 0 {
		return nil, wire.Refuse("ValidationException", "You can use either Filters or ParameterFilters in a single request.")
	}
	if len(in.Filters) == 0 {
		return in.ParameterFilters, checkFilters(in.ParameterFilters, ofDescribe)
	}
	older := in.Filters
	for i := range older {
		older[i].Option = ""
		if older[i].Key == "Name" {
			older[i].Option = "BeginsWith"
		}
	}
	return older, checkFilters(older, "Name, Type, KeyId")
}

type historyIn struct {
	Name           *string
	WithDecryption bool
	pageIn
}

// getParameterHistory tells all versions, the oldest first.
func (s *Service) getParameterHistory(c *wire.Call, in historyIn) (describeOut, error) {
	size, err := in.size(c, maxDescribed)
	if err == nil {
		err = checkName(c, in.Name)
	}
	if err != nil {
		return describeOut{}, err
	}
	sel, err := s.read(c, *in.Name)
	if err != nil {
		return describeOut{}, err
	}
	p, err := s.find(c, "GetParameterHistory", sel.name)
	if err != nil {
		return describeOut{}, err
	}
	page, next, err := pageOf(p.Versions, size, in.NextToken)
	out := describeOut{NextToken: next, Parameters: []described{}}
	for _, v := range page {
		d := v.described(p.Name)
		if d.Value, err = s.open(c, p, v, in.WithDecryption); err != nil {
			return describeOut{}, err
		}
		d.Labels = v.Labels
		out.Parameters = append(out.Parameters, d)
	}
	return out, err
}
