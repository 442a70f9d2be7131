// Package servicequotas is Service Quotas as far as a box needs it: what the
// account's services allow, and requests for more
// (https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html).
//
// It differs from AWS in this: only services of which [Service.Quotas] tells
// something are listed; a request for more stays pending, since nobody is there
// who could approve it. There are no quotas of single resources, templates and
// automatic management. Texts of errors are those that accounts report.
package servicequotas

import (
	"errors"
	"slices"
	"time"

	"tegata/awsfake/wire"
)

// State is what one account keeps. The zero value is ready.
type State struct {
	Requests []Request // the oldest first
}

// A Request is one for a higher quota.
type Request struct {
	ID, Region    string
	Service, Code string
	Desired       float64
	Requester     string // ARN
	Created       time.Time
}

// A Quota is a limit of a service in a region.
type Quota struct {
	Service     string // bedrock
	ServiceName string // Amazon Bedrock
	Code, Name  string // L-…
	Description string
	Default     float64
	Value       float64 // what the account has
	Adjustable  bool
	Global      bool // the same in all regions, and told in us-east-1 only
}

// Service is Service Quotas over one account's state.
type Service struct {
	State  *State
	Quotas func(region string) []Quota // of all services, in order
}

// Wire returns Service Quotas as the account offers it.
func (s *Service) Wire() wire.Service {
	return wire.Service{
		Name: "servicequotas", Protocol: wire.JSON, Target: "ServiceQuotasV20190624",
		Operations: []wire.Operation{
			wire.Op("ListServices", s.listServices),
			wire.Op("ListServiceQuotas", s.listQuotas),
			wire.Op("GetServiceQuota", s.getQuota),
			wire.Op("ListAWSDefaultServiceQuotas", s.listDefaults),
			wire.Op("GetAWSDefaultServiceQuota", s.getDefault),
			wire.Op("RequestServiceQuotaIncrease", s.requestIncrease),
			wire.Op("GetRequestedServiceQuotaChange", s.getRequest),
			wire.Op("ListRequestedServiceQuotaChangeHistory", s.listRequests),
			wire.Op("ListRequestedServiceQuotaChangeHistoryByQuota", s.listRequestsByQuota),
		},
	}
}

// invalid gives what was noted the code of this service.
func invalid(c *wire.Call, v *wire.Checks) error {
	err := v.Err(c)
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return illegal(e.Message)
	}
	return err
}

func illegal(message string) error { return wire.Refuse("IllegalArgumentException", message) }

func none(message string) error { return wire.Refuse("NoSuchResourceException", message) }

const (
	serviceCode = `[a-zA-Z][a-zA-Z0-9-]{1,63}`
	quotaCode   = `[a-zA-Z][a-zA-Z0-9-]{1,128}`
	requestID   = `[0-9a-zA-Z][a-zA-Z0-9-]{1,128}`
)

func checkCode(v *wire.Checks, member string, code *string, pattern string) {
	v.Required(member, code != nil)
	if code != nil {
		v.Pattern(member, *code, pattern)
	}
}

// pageSize is how many a page has: as many as fit unless it is asked for fewer.
func pageSize(v *wire.Checks, asked *int) int {
	const most = 100
	if asked == nil {
		return most
	}
	v.Range("maxResults", *asked, 1, most)
	return *asked
}

func badToken() error {
	return wire.Refuse("InvalidPaginationTokenException", "Invalid token was used.")
}

// here are the quotas of a service that the call's region tells.
func (s *Service) here(c *wire.Call, service string) ([]Quota, error) {
	all := slices.DeleteFunc(s.Quotas(c.Region), func(q Quota) bool { return q.Service != service || q.Global && c.Region != "us-east-1" })
	if len(all) == 0 {
		return nil, none("This service is not available in the current Region. Choose a different Region or a different service.")
	}
	return all, nil
}

// find looks a quota up.
func (s *Service) find(c *wire.Call, service, code string) (Quota, error) {
	all, err := s.here(c, service)
	if err != nil {
		return Quota{}, err
	}
	i := slices.IndexFunc(all, func(q Quota) bool { return q.Code == code })
	if i < 0 {
		return Quota{}, none("The request failed because the specified quota " + code + " does not exist for service " + service + ".")
	}
	return all[i], nil
}
