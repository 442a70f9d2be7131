package awsfake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	for _, tt := range []struct {
		name string
		want host
		ok   bool
	}{
		{"ssm.ap-northeast-1.amazonaws.com", host{"ssm", "ap-northeast-1"}, true},
		{"SSM.ap-northeast-1.amazonaws.com.:443", host{"ssm", "ap-northeast-1"}, true},
		{"ssm.ap-northeast-1.api.aws", host{"ssm", "ap-northeast-1"}, true},
		{"ssm-fips.us-east-1.amazonaws.com", host{"ssm", "us-east-1"}, true},
		{"sts.amazonaws.com", host{"sts", "us-east-1"}, true},
		{"sts.eu-west-1.amazonaws.com", host{"sts", "eu-west-1"}, true},
		{"bedrock-runtime.us-west-2.amazonaws.com", host{"bedrock-runtime", "us-west-2"}, true},
		{"monitoring.eu-west-1.amazonaws.com", host{"cloudwatch", "eu-west-1"}, true},
		{"servicequotas.us-east-1.amazonaws.com", host{"servicequotas", "us-east-1"}, true},
		{"bedrock-runtime.ap.amazonaws.com", host{}, false},
		{"bedrock-runtime..amazonaws.com", host{}, false},
		{"ssm.amazonaws.com", host{}, false},
		{"nothing.us-west-2.amazonaws.com", host{}, false},
		{"amazonaws.com", host{}, false},
		{"ssm.us-west-2.amazonaws.com.example.com", host{}, false},
		{"bedrock-runtime.ap-east-1.amazonaws.com", host{}, false},
		{"127.0.0.1:4566", host{}, false},
	} {
		got, ok := s.hostOf(tt.name)
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(host{})); diff != "" || ok != tt.ok || s.Serves(tt.name) != tt.ok {
			t.Errorf("%s: %t %s", tt.name, ok, diff)
		}
	}
}

// A signature for one region is none for the endpoint of another.
func TestRegionOfTheEndpoint(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for region, want := range map[string]int{"ap-northeast-1": 400, "us-west-2": 400} {
		got := b.do(t, exchange{service: "ssm", method: "POST", path: "/", body: `{"Name":"/none"}`, region: "ap-northeast-1",
			header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"},
			host:   "ssm." + region + ".amazonaws.com"})
		scoped := !strings.Contains(got.body, "Credential should be scoped to a valid region. ")
		if got.status != want || scoped != (region == "ap-northeast-1") {
			t.Errorf("%s: %d %s", region, got.status, got.body)
		}
	}
}

// A host knows the operations of its own service only.
func TestOperationOfTheEndpoint(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for name, want := range map[string]string{
		"ssm.ap-northeast-1.amazonaws.com": "ParameterNotFound",
		"kms.ap-northeast-1.amazonaws.com": "UnknownOperationException",
	} {
		got := b.do(t, exchange{service: "ssm", method: "POST", path: "/", body: `{"Name":"/none"}`, region: "ap-northeast-1",
			header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}, host: name})
		if !strings.Contains(got.body, want) {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

// A region that the account has not enabled knows no key of the account.
func TestRegionNotEnabled(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	for region, enabled := range map[string]bool{"us-west-2": true, "me-south-1": false} {
		got := b.do(t, exchange{service: "ssm", method: "POST", path: "/", body: `{"Name":"/none"}`, region: region,
			header: map[string]string{"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}})
		if strings.Contains(got.body, "UnrecognizedClientException") == enabled {
			t.Errorf("%s: %d %s", region, got.status, got.body)
		}
	}
}
