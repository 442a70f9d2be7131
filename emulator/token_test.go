package emulator

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSealer(t *testing.T) {
	s, err := newSealer("i-1")
	if err != nil {
		t.Fatal(err)
	}
	end := time.Unix(1767322445, 678)
	token := s.seal(end)
	if len(token) != 56 || !strings.HasPrefix(token, "AQAEA") || !strings.HasSuffix(token, "==") {
		t.Errorf("unusual token %q", token)
	}
	if got, ok := s.open(token); !ok || !got.Equal(end) {
		t.Errorf("opened as %v, %v; want %v", got, ok, end)
	}
	if s.seal(end) == token {
		t.Error("two tokens are alike")
	}
	other, err := newSealer("i-1")
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := other.open(token); ok {
		t.Error("another server took the token")
	}
}

// No change of a token leaves it good: not one of any of its characters, and
// not another spelling in base64 of the same bytes.
func TestSealerRefusesChanges(t *testing.T) {
	s, err := newSealer("i-1")
	if err != nil {
		t.Fatal(err)
	}
	token := s.seal(time.Now())
	for n := range token {
		for _, c := range "ABQgwAZaz09-_=+/\n" {
			changed := token[:n] + string(c) + token[n+1:]
			if _, ok := s.open(changed); ok && changed != token {
				t.Errorf("%q was taken for %q", changed, token)
			}
		}
	}
}

func FuzzSealer(f *testing.F) {
	s, err := newSealer("i-1")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add(strings.Repeat("A", 56))
	f.Add(strings.Repeat("=", 56))
	f.Fuzz(func(t *testing.T, text string) {
		if end, ok := s.open(text); ok {
			t.Errorf("%q opened as %v", text, end)
		}
	})
}

func FuzzTTL(f *testing.F) {
	for _, seed := range []string{"", "0", "1", "021600", "21600", "21601", "+60", "-60", "0x3c", "60.0", "6_0", " 60", "18446744073709551676", "\u0663"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		seconds, ok := parseTTL(text)
		digits := strings.TrimLeft(text, "0")
		if ok != (strings.Trim(text, "0123456789") == "" && digits != "" && (len(digits) < 5 || len(digits) == 5 && digits <= "21600")) {
			t.Errorf("parseTTL(%q) = %d, %v", text, seconds, ok)
		}
		if ok && strconv.Itoa(seconds) != digits {
			t.Errorf("parseTTL(%q) = %d", text, seconds)
		}
	})
}

func TestZoneID(t *testing.T) {
	for zone, want := range map[string]string{
		"ap-northeast-1a": "apne1-az1",
		"us-east-1f":      "use1-az6",
		"us-gov-west-1b":  "usgw1-az2",
		"eu-central-2c":   "euc2-az3",
		"cn-northwest-1a": "cnnw1-az1",
		"me-south-1a":     "mes1-az1",
	} {
		if got := zoneID(zone[:len(zone)-1], zone); got != want {
			t.Errorf("%s is %s, want %s", zone, got, want)
		}
	}
}

func TestDomains(t *testing.T) {
	for region, want := range map[string][4]string{
		"us-east-1":     {"aws", "amazonaws.com", "ec2.internal", "ec2-203-0-113-9.compute-1.amazonaws.com"},
		"eu-west-1":     {"aws", "amazonaws.com", "eu-west-1.compute.internal", "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com"},
		"cn-north-1":    {"aws-cn", "amazonaws.com.cn", "cn-north-1.compute.internal", "ec2-203-0-113-9.cn-north-1.compute.amazonaws.com.cn"},
		"us-gov-west-1": {"aws-us-gov", "amazonaws.com", "us-gov-west-1.compute.internal", "ec2-203-0-113-9.us-gov-west-1.compute.amazonaws.com"},
	} {
		i := Instance{Region: region, PrivateIP: "10.0.0.1", PublicIP: "203.0.113.9"}
		got := [4]string{i.partition(), i.domain(), i.internalDomain(), i.publicHostname(i.PublicIP)}
		if got != want {
			t.Errorf("%s: got %q, want %q", region, got, want)
		}
	}
}

func FuzzSingleSlashes(f *testing.F) {
	f.Add("//latest///api/token/")
	f.Add("/")
	f.Fuzz(func(t *testing.T, path string) {
		if got := singleSlashes(path); strings.Contains(got, "//") || singleSlashes(got) != got {
			t.Errorf("singleSlashes(%q) = %q", path, got)
		}
	})
}
