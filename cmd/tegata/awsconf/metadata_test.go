package awsconf

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"tegata/imds"
)

// TestIMDSEndpoint settles which endpoint is dialled, in the cases of the AWS
// SDK for Rust (imds-endpoint-tests.json in smithy-lang/smithy-rs), of botocore
// (IMDSFetcher and resolve_imds_endpoint_mode in utils.py), and some of ours.
// What code sets in Rust, the environment sets here.
func TestIMDSEndpoint(t *testing.T) {
	const (
		endpoint = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
		mode     = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
		useIPv6  = "AWS_IMDS_USE_IPV6"
		real4    = "169.254.169.254:80"
		real6    = "[fd00:ec2::254]:80"
	)
	type env map[string]string
	tests := []struct {
		name   string
		env    env
		config string
		want   string // the address dialled
		err    string // or a part of the error
	}{
		{"nothing set", nil, "", real4, ""},
		{"endpoint", env{endpoint: "http://override:456"}, "", "override:456", ""},
		{"endpoint with a slash", env{endpoint: "http://override:456/"}, "", "override:456", ""},
		{"endpoint without a port", env{endpoint: "http://override"}, "", "override:80", ""},
		{"endpoint in the profile", nil, "[default]\nec2_metadata_service_endpoint = http://override:456", "override:456", ""},
		{"endpoint before the profile's", env{endpoint: "http://override:456"}, "[default]\nec2_metadata_service_endpoint = http://wrong:456", "override:456", ""},
		{"endpoint before the mode", env{endpoint: "http://169.254.169.200", mode: "IPv6"}, "", "169.254.169.200:80", ""},
		{"endpoint before a mode that is none", env{endpoint: "http://override", mode: "error"}, "", "override:80", ""},
		{"endpoint before the profile's mode", env{endpoint: "http://custom"}, "[default]\nec2_metadata_service_endpoint_mode = IPv6", "custom:80", ""},
		{"endpoint in the profile before the mode", env{mode: "IPv6"}, "[default]\nec2_metadata_service_endpoint = http://override:456", "override:456", ""},
		{"endpoint of another profile", nil, "[profile other]\nec2_metadata_service_endpoint = http://wrong:456", real4, ""},
		{"endpoint of the named profile", env{"AWS_PROFILE": "p"}, "[profile p]\nec2_metadata_service_endpoint = http://override:456", "override:456", ""},
		{"endpoint empty", env{endpoint: ""}, "", real4, ""},

		{"mode IPv4", env{mode: "IPv4"}, "", real4, ""},
		{"mode IPv6", env{mode: "IPv6"}, "", real6, ""},
		{"mode in another case", env{mode: "ipV6"}, "", real6, ""},
		{"mode that is none", env{mode: "error"}, "", "", `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE: "error" is neither IPv4 nor IPv6`},
		{"mode in the profile", nil, "[default]\nec2_metadata_service_endpoint_mode = IPv6", real6, ""},
		{"mode in the profile in another case", nil, "[default]\nec2_metadata_service_endpoint_mode = ipv6", real6, ""},
		{"mode in the profile that is none", nil, "[default]\nec2_metadata_service_endpoint_mode = IPv7", "", "read profile default: "},
		{"mode IPv6 before the profile's", env{mode: "IPv6"}, "[default]\nec2_metadata_service_endpoint_mode = IPv4", real6, ""},
		{"mode IPv4 before the profile's", env{mode: "IPv4"}, "[default]\nec2_metadata_service_endpoint_mode = IPv6", real4, ""},

		{"use IPv6", env{useIPv6: "True"}, "", real6, ""},
		{"use IPv6 in the profile", nil, "[default]\nimds_use_ipv6 = true", real6, ""},
		{"use IPv6 in the named profile", env{"AWS_PROFILE": "p"}, "[profile p]\nregion = r\nimds_use_ipv6=true\n[sso-session p]\nimds_use_ipv6=false", real6, ""},
		{"use IPv6 in another profile", nil, "[default]\nregion = r\n[profile p]\nimds_use_ipv6 = true", real4, ""},
		{"use IPv6 below another setting", nil, "[default]\ns3 =\n  imds_use_ipv6 = true", real4, ""},
		{"use no IPv6 before the profile's", env{useIPv6: "false"}, "[default]\nimds_use_ipv6 = true", real4, ""},
		{"mode before use IPv6", env{mode: "IPv4", useIPv6: "true"}, "", real4, ""},
		{"mode in the profile before use IPv6", env{useIPv6: "true"}, "[default]\nec2_metadata_service_endpoint_mode = IPv4", real4, ""},
		{"endpoint before use IPv6", env{endpoint: "http://override", useIPv6: "true"}, "", "override:80", ""},

		{"no address", env{endpoint: "not a uri"}, "", "", `": want http://host[:port]`},
		{"no scheme", env{endpoint: "127.0.0.1:1338"}, "", "", `": want http://host[:port]`},
		{"IPv6 without brackets", env{endpoint: "http://fd00:ec2::254/"}, "", "", `endpoint "http://fd00:ec2::254/": want http://host[:port], with an IPv6 address in brackets`},
		{"https", env{endpoint: "https://custom"}, "", "", `endpoint "https://custom": IMDS speaks http only`},
		{"path", env{endpoint: "http://127.0.0.1/latest/"}, "", "", `endpoint "http://127.0.0.1/latest/": want nothing behind the host, /latest is added`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := source(t, tt.env)
			files(t, s, tt.config, "")
			got, err := dialled(t.Context(), s)
			if got != tt.want || (tt.err == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("dialled %q, %v; want %q, %q", got, err, tt.want, tt.err)
			}
		})
	}
}

// dialled returns the address that the client of a source would connect to.
func dialled(ctx context.Context, s Source) (addr string, err error) {
	c, err := s.NewIMDS(ctx, imds.Never)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithCancel(ctx)
	c.Dial = func(_ context.Context, _, a string) (net.Conn, error) {
		addr = a
		cancel()
		return nil, net.ErrClosed
	}
	if _, err = c.Get(ctx, "meta-data/"); errors.Is(err, context.Canceled) {
		err = nil // all was seen
	}
	return addr, err
}

func TestV1Disabled(t *testing.T) {
	const variable = "AWS_EC2_METADATA_V1_DISABLED"
	tests := []struct {
		name   string
		env    map[string]string
		config string
		want   imds.Policy
	}{
		{"nothing set", nil, "", imds.WhenAbsent},
		{"disabled", map[string]string{variable: "true"}, "", imds.Never},
		{"disabled in the profile", nil, "[default]\nec2_metadata_v1_disabled=true", imds.Never},
		{"not disabled after all", map[string]string{variable: "false"}, "[default]\nec2_metadata_v1_disabled=true", imds.WhenAbsent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := source(t, tt.env)
			files(t, s, tt.config, "")
			got, err := s.NewIMDS(t.Context(), imds.WhenAbsent)
			if err != nil || got.Policy != tt.want {
				t.Errorf("policy %v, %v; want %v", got.Policy, err, tt.want)
			}
		})
	}
}
