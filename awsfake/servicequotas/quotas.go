package servicequotas

import (
	"slices"

	"tegata/awsfake/wire"
)

type pageIn struct {
	NextToken  string
	MaxResults *int
}

type servicesOut struct {
	Services  wire.List[shownService]
	NextToken string `json:",omitempty"`
}

type shownService struct{ ServiceCode, ServiceName string }

func (s *Service) listServices(c *wire.Call, in pageIn) (servicesOut, error) {
	var v wire.Checks
	size := pageSize(&v, in.MaxResults)
	if err := invalid(c, &v); err != nil {
		return servicesOut{}, err
	}
	if err := c.Authorize("servicequotas:ListServices", "*", nil); err != nil {
		return servicesOut{}, err
	}
	var all []shownService
	for _, q := range s.Quotas(c.Region) {
		if one := (shownService{q.Service, q.ServiceName}); !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return servicesOut{}, badToken()
	}
	return servicesOut{page, next}, nil
}

type listIn struct {
	pageIn
	ServiceCode         *string
	QuotaCode           *string
	QuotaAppliedAtLevel string
}

type listOut struct {
	Quotas    wire.List[shownQuota]
	NextToken string `json:",omitempty"`
}

type shownQuota struct {
	ServiceCode         string
	ServiceName         string
	QuotaARN            string `json:"QuotaArn"`
	QuotaCode           string
	QuotaName           string
	Value               wire.Double
	Unit                string
	Adjustable          bool
	GlobalQuota         bool
	QuotaAppliedAtLevel string
	Description         string `json:",omitempty"`
}

// accountLevel is where all quotas of the box apply.
const accountLevel = "ACCOUNT"

func (s *Service) listQuotas(c *wire.Call, in listIn) (listOut, error) {
	return s.list(c, "ListServiceQuotas", in, Quota.applied)
}

func (s *Service) listDefaults(c *wire.Call, in listIn) (listOut, error) {
	return s.list(c, "ListAWSDefaultServiceQuotas", in, Quota.byDefault)
}

func (s *Service) list(c *wire.Call, action string, in listIn, show func(Quota, *wire.Call) shownQuota) (listOut, error) {
	var v wire.Checks
	checkCode(&v, "serviceCode", in.ServiceCode, serviceCode)
	size := pageSize(&v, in.MaxResults)
	if in.QuotaAppliedAtLevel != "" {
		v.Enum("quotaAppliedAtLevel", in.QuotaAppliedAtLevel, accountLevel, "RESOURCE", "ALL")
	}
	if err := invalid(c, &v); err != nil {
		return listOut{}, err
	}
	if err := c.Authorize("servicequotas:"+action, "*", nil); err != nil {
		return listOut{}, err
	}
	all, err := s.here(c, *in.ServiceCode)
	if err != nil {
		return listOut{}, err
	}
	all = slices.DeleteFunc(all, func(q Quota) bool {
		return in.QuotaCode != nil && q.Code != *in.QuotaCode || in.QuotaAppliedAtLevel == "RESOURCE"
	})
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return listOut{}, badToken()
	}
	out := listOut{NextToken: next}
	for _, q := range page {
		out.Quotas = append(out.Quotas, show(q, c))
	}
	return out, nil
}

type getIn struct{ ServiceCode, QuotaCode *string }

type getOut struct{ Quota shownQuota }

func (in getIn) check(c *wire.Call) error {
	var v wire.Checks
	checkCode(&v, "serviceCode", in.ServiceCode, serviceCode)
	checkCode(&v, "quotaCode", in.QuotaCode, quotaCode)
	return invalid(c, &v)
}

func (s *Service) getQuota(c *wire.Call, in getIn) (getOut, error) {
	if err := in.check(c); err != nil {
		return getOut{}, err
	}
	if err := c.Authorize("servicequotas:GetServiceQuota", quotaARN(c, *in.ServiceCode, *in.QuotaCode), nil); err != nil {
		return getOut{}, err
	}
	q, err := s.find(c, *in.ServiceCode, *in.QuotaCode)
	return getOut{q.applied(c)}, err
}

func (s *Service) getDefault(c *wire.Call, in getIn) (getOut, error) {
	if err := in.check(c); err != nil {
		return getOut{}, err
	}
	if err := c.Authorize("servicequotas:GetAWSDefaultServiceQuota", "*", nil); err != nil {
		return getOut{}, err
	}
	q, err := s.find(c, *in.ServiceCode, *in.QuotaCode)
	return getOut{q.byDefault(c)}, err
}

func quotaARN(c *wire.Call, service, code string) string {
	return c.ARN("servicequotas", service+"/"+code)
}

func (q Quota) applied(c *wire.Call) shownQuota {
	shown := q.byDefault(c)
	shown.QuotaARN, shown.Value = quotaARN(c, q.Service, q.Code), wire.Double(q.Value)
	return shown
}

// byDefault is what AWS gives to everybody: its ARN names no account.
func (q Quota) byDefault(c *wire.Call) shownQuota {
	return shownQuota{
		ServiceCode: q.Service, ServiceName: q.ServiceName,
		QuotaARN:  "arn:" + c.Partition() + ":servicequotas:" + c.Region + "::" + q.Service + "/" + q.Code,
		QuotaCode: q.Code, QuotaName: q.Name, Value: wire.Double(q.Default), Unit: "None",
		Adjustable: q.Adjustable, GlobalQuota: q.Global, QuotaAppliedAtLevel: accountLevel, Description: q.Description,
	}
}
