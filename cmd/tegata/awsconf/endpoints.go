package awsconf

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
)

// Endpoints are base URLs that stand in for AWS's own; "" means AWS's own.
type Endpoints struct {
	STS, SSM, Bedrock, BedrockRuntime string
}

// endpoints reads the settings in the order of AWS's reference guide: the
// service's variable, the variable for all, the service in the profile, the
// profile.
//
// Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func (s Source) endpoints(ctx context.Context, p config.SharedConfig) Endpoints {
	if s.ignoresEndpoints(p) {
		return Endpoints{}
	}
	of := func(service string) string {
		id := strings.ToUpper(strings.ReplaceAll(service, " ", "_"))
		inProfile, _, _ := p.GetServiceBaseEndpoint(ctx, service)
		return first(s.Getenv("AWS_ENDPOINT_URL_"+id), s.Getenv("AWS_ENDPOINT_URL"), inProfile, p.BaseEndpoint)
	}
	return Endpoints{STS: of("STS"), SSM: of("SSM"), Bedrock: of("Bedrock"), BedrockRuntime: of("Bedrock Runtime")}
}

func (s Source) ignoresEndpoints(p config.SharedConfig) bool {
	if v := s.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"); v != "" {
		return isTrue(v)
	}
	return p.IgnoreConfiguredEndpoints != nil && *p.IgnoreConfiguredEndpoints
}

// isTrue reads a switch as the SDKs do.
func isTrue(s string) bool { return strings.EqualFold(s, "true") }
