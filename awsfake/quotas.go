package awsfake

import (
	"tegata/awsfake/bedrock"
	"tegata/awsfake/iam"
	"tegata/awsfake/servicequotas"
)

// quotasOf are what the services of an account allow.
func quotasOf(models *bedrock.Service) func(region string) []servicequotas.Quota {
	return func(region string) []servicequotas.Quota {
		var all []servicequotas.Quota
		for _, a := range models.Allowances(region) {
			all = append(all, servicequotas.Quota{
				Service: "bedrock", ServiceName: "Amazon Bedrock", Code: a.Code, Name: a.Name, Description: a.What,
				Default: a.Default, Value: a.Value, Adjustable: a.Adjustable,
			})
		}
		for _, q := range iam.Quotas() {
			all = append(all, servicequotas.Quota{
				Service: "iam", ServiceName: "AWS Identity and Access Management (IAM)", Code: q.Code, Name: q.Name,
				Default: float64(q.Limit), Value: float64(q.Limit), Adjustable: true, Global: true,
			})
		}
		return all
	}
}
