package imds

import (
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestCleanPath(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", "/latest/"},
		{"/", "/"},
		{"//", "/latest/"},
		{"latest", "/latest"},
		{"latest/", "/latest/"},
		{"meta-data/instance-id", "/latest/meta-data/instance-id"},
		{"/meta-data/instance-id", "/latest/meta-data/instance-id"},
		{"/latest/meta-data/instance-id", "/latest/meta-data/instance-id"},
		{"//latest//meta-data//iam/", "/latest/meta-data/iam/"},
		{"/1.0/meta-data/", "/1.0/meta-data/"},
		{"2021-03-23/meta-data", "/2021-03-23/meta-data"},
		{"2021-13-23/x", "/latest/2021-13-23/x"},
		{"meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/", "/latest/meta-data/network/interfaces/macs/0e:49:61:0f:c3:11/"},
		{"meta-data/tags/instance/a+b=c,d.e@f:_-", "/latest/meta-data/tags/instance/a+b=c,d.e@f:_-"},
		{"meta-data/...", "/latest/meta-data/..."},
	}
	for _, tt := range tests {
		if got, err := cleanPath(tt.in); got != tt.want || err != nil {
			t.Errorf("cleanPath(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{"..", "a/../b", "./a", "a/.", "a b", "a\nb", "a?b", "a#b", "a%2e", `a\b`, "ü", "a\x7f", "\xff"} {
		if got, err := cleanPath(in); err == nil {
			t.Errorf("cleanPath(%q) = %q, want an error", in, got)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"", "/", "meta-data/instance-id", "/latest//a/", "1.0/..", "a%2e", "2021-03-23", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := cleanPath(in)
		if err != nil {
			return
		}
		if again, err := cleanPath(p); again != p || err != nil {
			t.Errorf("%q became %q, then %q, %v", in, p, again, err)
		}
		if u, err := url.ParseRequestURI(p); err != nil || u.Path != p || u.EscapedPath() != p && !strings.ContainsAny(p, `"<>[]^`+"`{|}") {
			t.Errorf("%q became %q, which reads as %+v, %v", in, p, u, err)
		}
		if p != "/" && strings.TrimSuffix(p, "/") != path.Clean(p) {
			t.Errorf("%q became %q, which climbs or has empty segments", in, p)
		}
	})
}

func TestParseEndpoint(t *testing.T) {
	tests := []struct {
		in   string
		want endpoint
	}{
		{"", endpoint{"169.254.169.254:80", "169.254.169.254"}},
		{"http://169.254.169.254/", endpoint{"169.254.169.254:80", "169.254.169.254"}},
		{"http://127.0.0.1:1338", endpoint{"127.0.0.1:1338", "127.0.0.1:1338"}},
		{"http://localhost:1338/", endpoint{"localhost:1338", "localhost:1338"}},
		{"HTTP://[fd00:ec2::254]", endpoint{"[fd00:ec2::254]:80", "[fd00:ec2::254]"}},
		{"http://[::1]:8080/", endpoint{"[::1]:8080", "[::1]:8080"}},
	}
	for _, tt := range tests {
		if got, err := parseEndpoint(tt.in); got != tt.want || err != nil {
			t.Errorf("parseEndpoint(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
		}
	}
	for _, in := range []string{
		"127.0.0.1", "127.0.0.1:1338", "localhost:1338", "/latest", "http://", "http:///x", "http://:80", "https://127.0.0.1", "ftp://h",
		"http://fd00:ec2::254/", "http://[fe80::1%25eth0]/", "http://u@127.0.0.1", "http://127.0.0.1/latest", "http://127.0.0.1/?a", "http://127.0.0.1/#a",
		"http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:x", "http://a b/", "http://a\r\nb/",
	} {
		if got, err := parseEndpoint(in); err == nil {
			t.Errorf("parseEndpoint(%q) = %v, want an error", in, got)
		}
	}
}
