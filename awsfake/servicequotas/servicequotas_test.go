package servicequotas_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/servicequotas"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func quotas(string) []servicequotas.Quota {
	return []servicequotas.Quota{
		{Service: "bedrock", ServiceName: "Amazon Bedrock", Code: "L-58BE175A", Name: "tokens", Default: 5_000_000, Value: 200, Adjustable: true, Description: "Tokens."},
		{Service: "bedrock", ServiceName: "Amazon Bedrock", Code: "L-26C560CE", Name: "requests", Default: 6000, Value: 6000},
		{Service: "iam", ServiceName: "IAM", Code: "L-FE177D64", Name: "Roles per account", Default: 1000, Value: 1000, Adjustable: true, Global: true},
	}
}

// do runs an operation for a caller who is refused one action.
func do(s *servicequotas.Service, region, refused, operation, body string) string {
	for _, o := range s.Wire().Operations {
		if o.Name != operation {
			continue
		}
		c := &wire.Call{Region: region, Account: "123456789012", Protocol: wire.JSON, Body: []byte(body), Clock: func() time.Time { return noon }}
		c.Caller.ARN = "arn:aws:iam::123456789012:user/u"
		c.Decide = func(r policy.Request, _ *policy.Named) error {
			if r.Action == refused {
				return wire.Refuse("AccessDeniedException", r.Action+" on "+r.Resource)
			}
			return nil
		}
		w := httptest.NewRecorder()
		if err := o.Serve(w, c, &sync.Mutex{}); err != nil {
			return err.Error()
		}
		return w.Body.String()
	}
	return "no such operation"
}

func shown(account, code, name, value, adjustable, more string) string {
	return `{"ServiceCode":"bedrock","ServiceName":"Amazon Bedrock","QuotaArn":"arn:aws:servicequotas:eu-west-1:` + account + `:bedrock/` + code + `","QuotaCode":"` + code +
		`","QuotaName":"` + name + `","Value":` + value + `.0,"Unit":"None","Adjustable":` + adjustable + `,"GlobalQuota":false,"QuotaAppliedAtLevel":"ACCOUNT"` + more + `}`
}

func TestQuotas(t *testing.T) {
	t.Parallel()
	const (
		own         = "123456789012"
		description = `,"Description":"Tokens."`
		tokens      = `{"ServiceCode":"bedrock","QuotaCode":"L-58BE175A"}`
		none        = "NoSuchResourceException: The request failed because the specified "
	)
	s := &servicequotas.Service{State: new(servicequotas.State), Quotas: quotas}
	for _, tt := range []struct{ name, refused, operation, body, want string }{
		{"services", "", "ListServices", `{}`, `{"Services":[{"ServiceCode":"bedrock","ServiceName":"Amazon Bedrock"},{"ServiceCode":"iam","ServiceName":"IAM"}]}`},
		{"a page of services", "", "ListServices", `{"MaxResults":1}`, `{"Services":[{"ServiceCode":"bedrock","ServiceName":"Amazon Bedrock"}],"NextToken":"MQ"}`},
		{"no token of ours", "", "ListServices", `{"NextToken":"x"}`, "InvalidPaginationTokenException: Invalid token was used."},
		{"applied", "", "ListServiceQuotas", `{"ServiceCode":"bedrock"}`,
			`{"Quotas":[` + shown(own, "L-58BE175A", "tokens", "200", "true", description) + `,` + shown(own, "L-26C560CE", "requests", "6000", "false", "") + `]}`},
		{"by default", "", "ListAWSDefaultServiceQuotas", `{"ServiceCode":"bedrock","MaxResults":1}`,
			`{"Quotas":[` + shown("", "L-58BE175A", "tokens", "5000000", "true", description) + `],"NextToken":"MQ"}`},
		{"one of them", "", "ListServiceQuotas", `{"ServiceCode":"bedrock","QuotaCode":"L-26C560CE"}`, `{"Quotas":[` + shown(own, "L-26C560CE", "requests", "6000", "false", "") + `]}`},
		{"of resources", "", "ListServiceQuotas", `{"ServiceCode":"bedrock","QuotaAppliedAtLevel":"RESOURCE"}`, `{"Quotas":[]}`},
		{"get", "", "GetServiceQuota", tokens, `{"Quota":` + shown(own, "L-58BE175A", "tokens", "200", "true", description) + `}`},
		{"get the default", "", "GetAWSDefaultServiceQuota", tokens, `{"Quota":` + shown("", "L-58BE175A", "tokens", "5000000", "true", description) + `}`},
		{"get, forbidden", "servicequotas:GetServiceQuota", "GetServiceQuota", tokens,
			"AccessDeniedException: servicequotas:GetServiceQuota on arn:aws:servicequotas:eu-west-1:123456789012:bedrock/L-58BE175A"},
		{"list, forbidden", "servicequotas:ListServiceQuotas", "ListServiceQuotas", `{"ServiceCode":"bedrock"}`, "AccessDeniedException: servicequotas:ListServiceQuotas on *"},
		{"global, elsewhere", "", "ListServiceQuotas", `{"ServiceCode":"iam"}`, "NoSuchResourceException: This service is not available in the current Region. Choose a different Region or a different service."},
		{"unknown", "", "GetServiceQuota", `{"ServiceCode":"bedrock","QuotaCode":"L-0"}`, none + "quota L-0 does not exist for service bedrock."},
		{"nothing", "", "GetServiceQuota", `{"ServiceCode":"bedrock"}`,
			"IllegalArgumentException: 1 validation error detected: Value null at 'quotaCode' failed to satisfy constraint: Member must not be null"},
	} {
		if got := do(s, "eu-west-1", tt.refused, tt.operation, tt.body); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
	if got := do(s, "us-east-1", "", "GetServiceQuota", `{"ServiceCode":"iam","QuotaCode":"L-FE177D64"}`); !strings.Contains(got, `"GlobalQuota":true`) {
		t.Errorf("global, in us-east-1: %s", got)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	increase := func(code, value string) string {
		return `{"ServiceCode":"bedrock","QuotaCode":"` + code + `","DesiredValue":` + value + `}`
	}
	const (
		illegal = "IllegalArgumentException: "
		byQuota = `{"ServiceCode":"bedrock","QuotaCode":"L-58BE175A"}`
		empty   = `{"RequestedQuotas":[]}`
	)
	s := &servicequotas.Service{State: new(servicequotas.State), Quotas: quotas}
	id := func() string {
		if len(s.State.Requests) == 0 {
			return "none"
		}
		return s.State.Requests[0].ID
	}
	const shown = `{"Id":"ID","ServiceCode":"bedrock","ServiceName":"Amazon Bedrock","QuotaCode":"L-58BE175A","QuotaName":"tokens","DesiredValue":5000001.0,"Status":"PENDING",` +
		`"Created":1795435200,"LastUpdated":1795435200,"Requester":"{\"accountId\":\"123456789012\",\"callerArn\":\"arn:aws:iam::123456789012:user/u\"}",` +
		`"QuotaArn":"arn:aws:servicequotas:eu-west-1:123456789012:bedrock/L-58BE175A","GlobalQuota":false,"Unit":"None","QuotaRequestedAtLevel":"ACCOUNT"}`
	for _, step := range []struct{ name, region, refused, operation, body, want string }{
		{"nothing was asked for", "", "", "ListRequestedServiceQuotaChangeHistory", `{}`, empty},
		{"no more than the default", "", "", "RequestServiceQuotaIncrease", increase("L-58BE175A", "5e6"), illegal + "You must provide a quota value greater than the default quota value of 5000000.0"},
		{"fixed", "", "", "RequestServiceQuotaIncrease", increase("L-26C560CE", "1e6"), illegal + "The request failed because the specified quota is not adjustable."},
		{"too much", "", "", "RequestServiceQuotaIncrease", increase("L-58BE175A", "1e11"), illegal +
			"1 validation error detected: Value '100000000000' at 'desiredValue' failed to satisfy constraint: Member must have value less than or equal to 10000000000"},
		{"forbidden", "", "servicequotas:RequestServiceQuotaIncrease", "RequestServiceQuotaIncrease", increase("L-58BE175A", "5000001"),
			"AccessDeniedException: servicequotas:RequestServiceQuotaIncrease on arn:aws:servicequotas:eu-west-1:123456789012:bedrock/L-58BE175A"},
		{"more", "", "", "RequestServiceQuotaIncrease", increase("L-58BE175A", "5000001"), `{"RequestedQuota":` + shown + `}`},
		{"more again", "", "", "RequestServiceQuotaIncrease", increase("L-58BE175A", "5000002"),
			"ResourceAlreadyExistsException: Only one open service quota increase request is allowed per quota."},
		{"history", "", "", "ListRequestedServiceQuotaChangeHistory", `{"Status":"PENDING"}`, `{"RequestedQuotas":[` + shown + `]}`},
		{"history of the quota", "", "", "ListRequestedServiceQuotaChangeHistoryByQuota", byQuota, `{"RequestedQuotas":[` + shown + `]}`},
		{"nothing was approved", "", "", "ListRequestedServiceQuotaChangeHistory", `{"Status":"APPROVED"}`, empty},
		{"nothing of another service", "", "", "ListRequestedServiceQuotaChangeHistory", `{"ServiceCode":"iam"}`, empty},
		{"nothing elsewhere", "us-east-1", "", "ListRequestedServiceQuotaChangeHistory", `{}`, empty},
		{"get", "", "", "GetRequestedServiceQuotaChange", `{"RequestId":"ID"}`, `{"RequestedQuota":` + shown + `}`},
		{"get another", "", "", "GetRequestedServiceQuotaChange", `{"RequestId":"xID"}`, "NoSuchResourceException: The request failed because the specified quota increase request does not exist."},
	} {
		if step.region == "" {
			step.region = "eu-west-1"
		}
		got := do(s, step.region, step.refused, step.operation, strings.ReplaceAll(step.body, "ID", id()))
		if got = strings.ReplaceAll(got, id(), "ID"); got != step.want {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got, step.want)
		}
		saved, _ := json.Marshal(s.State)
		loaded := new(servicequotas.State)
		if err := json.Unmarshal(saved, loaded); err != nil {
			t.Fatal(err)
		}
		if again, _ := json.Marshal(loaded); string(again) != string(saved) {
			t.Errorf("%s: the state became %s, was %s", step.name, again, saved)
		}
		s.State = loaded
	}
}
