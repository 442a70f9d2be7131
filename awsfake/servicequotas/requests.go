package servicequotas

import (
	"slices"
	"strconv"
	"strings"

	"tegata/awsfake/wire"
)

type increaseIn struct {
	getIn
	DesiredValue *wire.Double
}

type requestOut struct{ RequestedQuota shownRequest }

type shownRequest struct {
	ID                    string `json:"Id"`
	ServiceCode           string
	ServiceName           string
	QuotaCode             string
	QuotaName             string
	DesiredValue          wire.Double
	Status                string
	Created               *wire.Time
	LastUpdated           *wire.Time
	Requester             string
	QuotaARN              string `json:"QuotaArn"`
	GlobalQuota           bool
	Unit                  string
	QuotaRequestedAtLevel string
}

const (
	pending  = "PENDING"
	maxValue = 10_000_000_000
)

func (s *Service) requestIncrease(c *wire.Call, in increaseIn) (requestOut, error) {
	var v wire.Checks
	checkCode(&v, "serviceCode", in.ServiceCode, serviceCode)
	checkCode(&v, "quotaCode", in.QuotaCode, quotaCode)
	v.Required("desiredValue", in.DesiredValue != nil)
	if in.DesiredValue != nil {
		v.Range("desiredValue", int(*in.DesiredValue), 0, maxValue)
	}
	if err := invalid(c, &v); err != nil {
		return requestOut{}, err
	}
	if err := c.Authorize("servicequotas:RequestServiceQuotaIncrease", quotaARN(c, *in.ServiceCode, *in.QuotaCode), nil); err != nil {
		return requestOut{}, err
	}
	q, err := s.find(c, *in.ServiceCode, *in.QuotaCode)
	if err == nil {
		err = s.refused(c, q, float64(*in.DesiredValue))
	}
	if err != nil {
		return requestOut{}, err
	}
	r := Request{
		ID: strings.ReplaceAll(wire.UUID(), "-", "") + "tegata", Region: c.Region, Service: q.Service, Code: q.Code,
		Desired: float64(*in.DesiredValue), Requester: c.Caller.ARN, Created: c.Now(),
	}
	s.State.Requests = append(s.State.Requests, r)
	return requestOut{r.shown(c, q)}, nil
}

// refused is why AWS doesn't take a request. The default is the least that can
// be asked for, whatever the account has.
func (s *Service) refused(c *wire.Call, q Quota, desired float64) error {
	open := func(r Request) bool { return r.Region == c.Region && r.Service == q.Service && r.Code == q.Code }
	switch {
	case !q.Adjustable:
		return illegal("The request failed because the specified quota is not adjustable.")
	case desired <= q.Default:
		return illegal("You must provide a quota value greater than the default quota value of " + number(q.Default))
	case desired <= q.Value:
		return illegal("You must provide a quota value greater than the current quota value of " + number(q.Value))
	case slices.ContainsFunc(s.State.Requests, open):
		return wire.Refuse("ResourceAlreadyExistsException", "Only one open service quota increase request is allowed per quota.")
	}
	return nil
}

// number has a fraction always, as AWS writes doubles.
func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func (r Request) shown(c *wire.Call, q Quota) shownRequest {
	return shownRequest{
		ID: r.ID, ServiceCode: r.Service, ServiceName: q.ServiceName, QuotaCode: r.Code, QuotaName: q.Name,
		DesiredValue: wire.Double(r.Desired), Status: pending, Created: wire.At(r.Created), LastUpdated: wire.At(r.Created),
		Requester: `{"accountId":"` + c.Account + `","callerArn":"` + r.Requester + `"}`,
		QuotaARN:  quotaARN(c, r.Service, r.Code), GlobalQuota: q.Global, Unit: "None", QuotaRequestedAtLevel: accountLevel,
	}
}

type getRequestIn struct {
	RequestID *string `json:"RequestId"`
}

func (s *Service) getRequest(c *wire.Call, in getRequestIn) (requestOut, error) {
	var v wire.Checks
	checkCode(&v, "requestId", in.RequestID, requestID)
	if err := invalid(c, &v); err != nil {
		return requestOut{}, err
	}
	if err := c.Authorize("servicequotas:GetRequestedServiceQuotaChange", "*", nil); err != nil {
		return requestOut{}, err
	}
	for _, r := range s.State.Requests {
		if r.ID == *in.RequestID && r.Region == c.Region {
			q, err := s.find(c, r.Service, r.Code)
			return requestOut{r.shown(c, q)}, err
		}
	}
	return requestOut{}, none("The request failed because the specified quota increase request does not exist.")
}

type historyIn struct {
	pageIn
	ServiceCode, QuotaCode *string
	Status                 string
	QuotaRequestedAtLevel  string
}

type historyOut struct {
	RequestedQuotas wire.List[shownRequest]
	NextToken       string `json:",omitempty"`
}

func (s *Service) listRequests(c *wire.Call, in historyIn) (historyOut, error) {
	var v wire.Checks
	if in.ServiceCode != nil {
		v.Pattern("serviceCode", *in.ServiceCode, serviceCode)
	}
	in.QuotaCode = nil
	return s.history(c, &v, "ListRequestedServiceQuotaChangeHistory", "*", in)
}

func (s *Service) listRequestsByQuota(c *wire.Call, in historyIn) (historyOut, error) {
	var v wire.Checks
	checkCode(&v, "serviceCode", in.ServiceCode, serviceCode)
	checkCode(&v, "quotaCode", in.QuotaCode, quotaCode)
	resource := ""
	if in.ServiceCode != nil && in.QuotaCode != nil {
		resource = quotaARN(c, *in.ServiceCode, *in.QuotaCode)
	}
	return s.history(c, &v, "ListRequestedServiceQuotaChangeHistoryByQuota", resource, in)
}

func (s *Service) history(c *wire.Call, v *wire.Checks, action, resource string, in historyIn) (historyOut, error) {
	size := pageSize(v, in.MaxResults)
	if in.Status != "" {
		v.Enum("status", in.Status, pending, "CASE_OPENED", "APPROVED", "DENIED", "CASE_CLOSED", "NOT_APPROVED", "INVALID_REQUEST")
	}
	if err := invalid(c, v); err != nil {
		return historyOut{}, err
	}
	if err := c.Authorize("servicequotas:"+action, resource, nil); err != nil {
		return historyOut{}, err
	}
	var all []shownRequest
	for _, r := range slices.Backward(s.State.Requests) { // the newest first
		if in.without(c, r) {
			continue
		}
		if q, err := s.find(c, r.Service, r.Code); err == nil {
			all = append(all, r.shown(c, q))
		}
	}
	page, next, err := wire.Page(all, size, in.NextToken)
	if err != nil {
		return historyOut{}, badToken()
	}
	return historyOut{page, next}, nil
}

func (in historyIn) without(c *wire.Call, r Request) bool {
	return r.Region != c.Region || in.ServiceCode != nil && *in.ServiceCode != r.Service || in.QuotaCode != nil && *in.QuotaCode != r.Code ||
		in.Status != "" && in.Status != pending || in.QuotaRequestedAtLevel == "RESOURCE"
}
