package emulator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/imds"
	"tegata/internal/fault"
)

const (
	ttlHeader   = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	tokenHeader = "X-Aws-Ec2-Metadata-Token"
	tokenURL    = "/latest/api/token"
)

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// do sends one request; headers are "Name: value".
func do(t *testing.T, method, url string, headers ...string) answer {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		req.Header.Add(name, value)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.Close { // net/http takes the header away
		resp.Header.Set("Connection", "close")
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func token(t *testing.T, s *imdstest.Server) string {
	t.Helper()
	a := do(t, "PUT", s.URL+tokenURL, ttlHeader+": 21600")
	if a.status != 200 {
		t.Fatalf("token: got %+v", a)
	}
	return tokenHeader + ": " + a.body
}

// start starts an emulator with tokens optional, to keep tests of the tree short.
func start(t *testing.T, o emulator.Options) *imdstest.Server {
	t.Helper()
	if o.Tokens == "" {
		o.Tokens = "optional"
	}
	return imdstest.NewServer(t, o)
}

func TestToken(t *testing.T) {
	s := imdstest.NewServer(t, emulator.Options{})
	tests := []struct {
		name, method, path string
		headers            []string
		want               int
	}{
		{"good", "PUT", tokenURL, []string{ttlHeader + ": 21600"}, 200},
		{"shortest", "PUT", tokenURL, []string{ttlHeader + ": 1"}, 200},
		{"leading zero", "PUT", tokenURL, []string{ttlHeader + ": 021600"}, 200},
		{"double slash", "PUT", "/" + tokenURL, []string{ttlHeader + ": 60"}, 200},
		{"no TTL", "PUT", tokenURL, nil, 400},
		{"zero", "PUT", tokenURL, []string{ttlHeader + ": 0"}, 400},
		{"too long", "PUT", tokenURL, []string{ttlHeader + ": 21601"}, 400},
		{"plus sign", "PUT", tokenURL, []string{ttlHeader + ": +60"}, 400},
		{"minus sign", "PUT", tokenURL, []string{ttlHeader + ": -60"}, 400},
		{"hexadecimal", "PUT", tokenURL, []string{ttlHeader + ": 0x3c"}, 400},
		{"fraction", "PUT", tokenURL, []string{ttlHeader + ": 60.0"}, 400},
		{"word", "PUT", tokenURL, []string{ttlHeader + ": sixty"}, 400},
		{"overflow", "PUT", tokenURL, []string{ttlHeader + ": 18446744073709551676"}, 400},
		{"forwarded", "PUT", tokenURL, []string{ttlHeader + ": 60", "X-Forwarded-For: 10.0.0.9"}, 403},
		{"forwarded by nobody", "PUT", tokenURL, []string{ttlHeader + ": 60", "X-Forwarded-For: "}, 403},
		{"versioned", "PUT", "/2021-03-23/api/token", []string{ttlHeader + ": 60"}, 403},
		{"trailing slash", "PUT", tokenURL + "/", []string{ttlHeader + ": 60"}, 403},
		{"elsewhere", "PUT", "/latest/meta-data/instance-id", []string{ttlHeader + ": 60"}, 403},
		{"expectant", "PUT", tokenURL, []string{ttlHeader + ": 60", "Expect: 100-continue"}, 417},
		{"get", "GET", tokenURL, nil, 405},
		{"get with a slash", "GET", tokenURL + "/", nil, 401},
		{"head", "HEAD", tokenURL, nil, 405},
		{"post", "POST", tokenURL, []string{ttlHeader + ": 60"}, 405},
		{"delete", "DELETE", tokenURL, nil, 405},
		{"options", "OPTIONS", tokenURL, nil, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := do(t, tt.method, s.URL+tt.path, tt.headers...)
			if a.status != tt.want {
				t.Fatalf("got %d, want %d", a.status, tt.want)
			}
			if tt.want == 405 {
				checkHeader(t, a, map[string]string{"Allow": "OPTIONS, PUT", "Content-Length": "0", "Content-Type": "text/plain"})
			}
			if got, want := a.header.Get(ttlHeader), ""; tt.want != 200 && got != want {
				t.Errorf("%s is %q, want none", ttlHeader, got)
			}
		})
	}
}

// The head of each answer, whole, so that a header too many is seen too.
func TestHeaders(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	s := imdstest.NewServer(t, emulator.Options{
		Now:      func() time.Time { return now },
		Instance: emulator.Instance{ID: "i-1", Launched: now.Add(-time.Hour), UserData: "#!"},
	})
	tok := token(t, s)
	get := func(length int, mediaType string, more ...string) http.Header {
		h := http.Header{
			"Server": {"EC2ws"}, "Date": {"Fri, 02 Jan 2026 03:04:05 GMT"}, "Connection": {"close"},
			"Content-Length": {strconv.Itoa(length)}, "Content-Type": {mediaType},
		}
		for n := 0; n < len(more); n += 2 {
			h.Set(more[n], more[n+1])
		}
		return h
	}
	leaf := []string{ttlHeader, "21600", "Accept-Ranges", "none", "Last-Modified", "Fri, 02 Jan 2026 02:04:05 GMT"}
	tests := []struct {
		name, method, path string
		headers            []string
		want               http.Header
	}{
		{"token", "PUT", tokenURL, []string{ttlHeader + ": 60"}, get(56, "text/plain", ttlHeader, "60")},
		{"leaf", "GET", "/latest/meta-data/instance-id", []string{tok}, get(3, "text/plain", leaf...)},
		{"head", "HEAD", "/latest/meta-data/instance-id", []string{tok}, get(3, "text/plain", leaf...)},
		{"user data", "GET", "/latest/user-data", []string{tok}, get(2, "application/octet-stream", leaf...)},
		{"not found", "GET", "/latest/x", []string{tok}, get(339, "text/html", ttlHeader, "21600")},
		{"unauthorized", "GET", "/latest/x", nil, get(0, "text/plain")},
		{"method", "POST", "/latest/x", []string{tok}, get(0, "text/plain", "Allow", "GET, HEAD")},
		{"bad request", "PUT", tokenURL, nil, get(343, "text/html")},
		{"expectation", "PUT", tokenURL, []string{"Expect: 100-continue"}, get(357, "text/html")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := do(t, tt.method, s.URL+tt.path, tt.headers...)
			if diff := cmp.Diff(tt.want, a.header); diff != "" {
				t.Error(diff)
			}
			if tt.method == "HEAD" && a.body != "" {
				t.Errorf("HEAD gave the body %q", a.body)
			}
		})
	}
}

func TestAdmission(t *testing.T) {
	required := imdstest.NewServer(t, emulator.Options{})
	optional := imdstest.NewServer(t, emulator.Options{Tokens: "optional"})
	disabled := imdstest.NewServer(t, emulator.Options{Disabled: true})
	const id, xff = "/latest/meta-data/instance-id", "X-Forwarded-For: 10.0.0.9"
	bad := tokenHeader + ": " + strings.Repeat("A", 56)
	tests := []struct {
		name    string
		server  *imdstest.Server
		path    string
		headers []string
		want    int
	}{
		{"required, token", required, id, []string{token(t, required)}, 200},
		{"required, none", required, id, nil, 401},
		{"required, none, root", required, "/", nil, 401},
		{"required, none, nowhere", required, "/nowhere", nil, 401},
		{"required, empty", required, id, []string{tokenHeader + ": "}, 401},
		{"required, bad", required, id, []string{bad}, 401},
		{"required, of another", required, id, []string{token(t, optional)}, 401},
		{"required, forwarded", required, id, []string{token(t, required), xff}, 403},
		{"optional, token", optional, id, []string{token(t, optional)}, 200},
		{"optional, none", optional, id, nil, 200},
		{"optional, bad", optional, id, []string{bad}, 401},
		{"optional, empty", optional, id, []string{tokenHeader + ": "}, 401},
		{"optional, forwarded v1", optional, id, []string{xff}, 200},
		{"optional, forwarded v2", optional, id, []string{token(t, optional), xff}, 403},
		{"disabled", disabled, id, nil, 403},
		{"disabled, root", disabled, "/", nil, 403},
		{"disabled, token path", disabled, tokenURL, nil, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if a := do(t, "GET", tt.server.URL+tt.path, tt.headers...); a.status != tt.want {
				t.Errorf("got %d %q, want %d", a.status, a.body, tt.want)
			}
		})
	}
	if a := do(t, "PUT", disabled.URL+tokenURL, ttlHeader+": 60"); a.status != 403 || a.body != "" {
		t.Errorf("disabled: PUT gave %+v", a)
	}
}

func TestTokenEnds(t *testing.T) {
	now := time.Now()
	s := imdstest.NewServer(t, emulator.Options{Now: func() time.Time { return now }})
	tok := tokenHeader + ": " + do(t, "PUT", s.URL+tokenURL, ttlHeader+": 100").body
	for _, step := range []struct {
		after time.Duration
		left  string
		want  int
	}{
		{0, "100", 200},
		{1500 * time.Millisecond, "99", 200},
		{97 * time.Second, "2", 200},
		{1499 * time.Millisecond, "1", 200},
		{time.Millisecond, "", 401},
	} {
		now = now.Add(step.after)
		a := do(t, "GET", s.URL+"/latest/meta-data/instance-id", tok)
		if got := a.header.Get(ttlHeader); a.status != step.want || got != step.left {
			t.Errorf("after %v: got %d with %q seconds left, want %d with %q", step.after, a.status, got, step.want, step.left)
		}
	}
}

// full is an instance that has all it can have.
func full() emulator.Options {
	return emulator.Options{
		Instance: emulator.Instance{
			ID: "i-0aa", Type: "m7g.large", Architecture: "arm64", Image: "ami-0bb", Account: "111122223333",
			Reservation: "r-0cc", Region: "eu-west-1", Zone: "eu-west-1c",
			PrivateIP: "172.31.5.6", PublicIP: "203.0.113.9", IPv6: "2001:db8::6", MAC: "0E-00-00-00-00-11",
			Interface: "eni-0dd", Subnet: "subnet-0ee", VPC: "vpc-0ff",
			SecurityGroups: []string{"web", "ssh"}, SecurityGroupIDs: []string{"sg-1", "sg-2"},
			KeyName: "my-key", PublicKey: "ssh-ed25519 AAAA my-key\n",
			Tags: map[string]string{"Name": "box", "Empty": ""}, UserData: "#cloud-config\n",
			Launched: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		},
		Tags: true,
		Role: &emulator.Role{Name: "app-role", Profile: "app-profile"},
	}
}

func TestLeaves(t *testing.T) {
	s := start(t, full())
	mac := "network/interfaces/macs/0e:00:00:00:00:11/"
	for path, want := range map[string]string{
		"ami-id":                                "ami-0bb",
		"ami-launch-index":                      "0",
		"ami-manifest-path":                     "(unknown)",
		"block-device-mapping/root":             "/dev/xvda",
		"events/maintenance/history":            "[]",
		"events/maintenance/scheduled":          "[]",
		"hostname":                              "ip-172-31-5-6.eu-west-1.compute.internal",
		"instance-action":                       "none",
		"instance-id":                           "i-0aa",
		"instance-life-cycle":                   "on-demand",
		"instance-type":                         "m7g.large",
		"ipv6":                                  "2001:db8::6",
		"local-hostname":                        "ip-172-31-5-6.eu-west-1.compute.internal",
		"local-ipv4":                            "172.31.5.6",
		"mac":                                   "0e:00:00:00:00:11",
		"metrics/vhostmd":                       `<?xml version="1.0" encoding="UTF-8"?>`,
		mac + "device-number":                   "0",
		mac + "interface-id":                    "eni-0dd",
		mac + "ipv4-associations/203.0.113.9":   "172.31.5.6",
		mac + "ipv6s":                           "2001:db8::6",
		mac + "local-ipv4s":                     "172.31.5.6",
		mac + "owner-id":                        "111122223333",
		mac + "security-group-ids":              "sg-1\nsg-2",
		mac + "subnet-id":                       "subnet-0ee",
		mac + "subnet-ipv4-cidr-block":          "172.31.5.0/24",
		mac + "vpc-id":                          "vpc-0ff",
		mac + "vpc-ipv4-cidr-blocks":            "172.31.0.0/16",
		"placement/availability-zone":           "eu-west-1c",
		"placement/availability-zone-id":        "euw1-az3",
		"placement/region":                      "eu-west-1",
		"profile":                               "default-hvm",
		"public-hostname":                       "ec2-203-0-113-9.eu-west-1.compute.amazonaws.com",
		"public-ipv4":                           "203.0.113.9",
		"public-keys/0/openssh-key":             "ssh-ed25519 AAAA my-key\n",
		"reservation-id":                        "r-0cc",
		"security-groups":                       "web\nssh",
		"services/domain":                       "amazonaws.com",
		"services/partition":                    "aws",
		"system":                                "nitro",
		"tags/instance/Name":                    "box",
		"tags/instance/Empty":                   "",
		"placement/availability-zone/":          "eu-west-1c", // as the AWS CLI asks
		"//placement//region":                   "eu-west-1",
		"../meta-data/instance-id":              notFound,
		"instance-i":                            notFound,
		"a":                                     notFound,
		"spot/instance-action":                  notFound,
		"events/recommendations/rebalance":      notFound,
		"placement/region/x":                    notFound,
		"network/interfaces/macs/0e:00:00:00:x": notFound,
	} {
		t.Run(path, func(t *testing.T) {
			a := raw(t, s.URL, "/latest/meta-data/"+path)
			if a != want {
				t.Errorf("got %q, want %q", a, want)
			}
		})
	}
}

const notFound = `<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
		 "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>404 - Not Found</title>
 </head>
 <body>
  <h1>404 - Not Found</h1>
 </body>
</html>
`

func TestNotFoundLength(t *testing.T) {
	if len(notFound) != 339 {
		t.Errorf("the page of the test is %d bytes long, not 339", len(notFound))
	}
}

// raw asks for path as it stands, where an HTTP client would tidy it.
func raw(t *testing.T, url, path string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestListings(t *testing.T) {
	s := start(t, full())
	for path, want := range map[string]string{
		"/latest":                   "dynamic meta-data user-data",
		"/1.0":                      "meta-data user-data",
		"/1.0/meta-data":            "ami-id ami-launch-index ami-manifest-path hostname instance-id local-ipv4 public-keys/ reservation-id security-groups",
		"/latest/dynamic":           "fws/ instance-identity/",
		"/latest/meta-data/iam":     "info security-credentials/",
		"/latest/meta-data/network": "interfaces/",
		"/latest/meta-data/network/interfaces/macs":  "0e:00:00:00:00:11/",
		"/latest/meta-data/public-keys":              "0=my-key",
		"/latest/meta-data/public-keys/0":            "openssh-key",
		"/latest/meta-data/iam/security-credentials": "app-role",
		"/latest/meta-data/placement":                "availability-zone availability-zone-id region",
		"/2019-10-01/meta-data/placement":            "availability-zone availability-zone-id",
		"/2009-04-04/meta-data/placement":            "availability-zone",
		"/latest/meta-data/tags":                     "instance/",
		"/latest/meta-data/tags/instance":            "Empty Name",
		"/latest/dynamic/instance-identity":          "document dsa2048 pkcs7 rsa2048 signature",
		"/latest/meta-data/events/maintenance":       "history scheduled",
		"/2022-09-24/meta-data": "ami-id ami-launch-index ami-manifest-path block-device-mapping/ events/ hostname iam/ " +
			"identity-credentials/ instance-action instance-id instance-life-cycle instance-type ipv6 local-hostname local-ipv4 mac metrics/ network/ " +
			"placement/ profile public-hostname public-ipv4 public-keys/ reservation-id security-groups services/ system tags/",
	} {
		for _, slash := range []string{"", "/"} {
			got := do(t, "GET", s.URL+path+slash).body
			if diff := cmp.Diff(strings.Fields(want), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s%s: %s", path, slash, diff)
			}
		}
	}
	root := strings.Split(do(t, "GET", s.URL).body, "\n")
	if root[0] != "1.0" || root[1] != "2007-01-19" || root[len(root)-1] != "latest" {
		t.Errorf("the root lists %q", root)
	}
	for _, version := range root {
		if a := do(t, "GET", s.URL+"/"+version+"/meta-data/instance-id"); a.body != "i-0aa" {
			t.Errorf("version %s: got %+v", version, a)
		}
	}
}

// What an instance lacks is not there, and categories are not in versions
// older than themselves.
func TestAbsent(t *testing.T) {
	bare := start(t, emulator.Options{})
	whole := start(t, full())
	v6 := start(t, emulator.Options{Instance: emulator.Instance{IPv6: "2001:db8::6", PublicIP: "203.0.113.9"}})
	for _, tt := range []struct {
		server *imdstest.Server
		path   string
		want   int
	}{
		{bare, "/latest/user-data", 404},
		{bare, "/latest/meta-data/iam/info", 404},
		{bare, "/latest/meta-data/iam/security-credentials/", 404},
		{bare, "/latest/meta-data/iam", 404},
		{bare, "/latest/meta-data/public-ipv4", 404},
		{bare, "/latest/meta-data/public-hostname", 404},
		{bare, "/latest/meta-data/public-keys/", 404},
		{bare, "/latest/meta-data/ipv6", 404},
		{bare, "/latest/meta-data/tags", 404},
		{bare, "/latest/meta-data/tags/instance", 200},
		{bare, "/2020-10-27/meta-data/tags/instance", 404},
		{v6, "/latest/meta-data/local-ipv4", 404},
		{v6, "/latest/meta-data/public-hostname", 404},
		{v6, "/latest/meta-data/hostname", 200},
		{whole, "/2021-01-03/meta-data/tags/instance/Name", 404},
		{whole, "/2021-03-23/meta-data/tags/instance/Name", 200},
		{whole, "/2021-07-15/meta-data/system", 404},
		{whole, "/2022-09-24/meta-data/system", 200},
		{whole, "/2020-10-27/meta-data/ipv6", 404},
		{whole, "/2021-01-03/meta-data/ipv6", 200},
		{whole, "/2019-10-01/meta-data/placement/region", 404},
		{whole, "/2020-08-24/meta-data/placement/region", 200},
		{whole, "/2018-09-24/meta-data/instance-life-cycle", 404},
		{whole, "/2011-05-01/meta-data/iam/info", 404},
		{whole, "/2008-09-01/dynamic/instance-identity/document", 404},
		{whole, "/2009-04-04/dynamic/instance-identity/document", 200},
		{whole, "/2030-01-01/meta-data/instance-id", 404},
		{whole, "/2008-09-01/dynamic/instance-identity/pkcs7", 404},
		{whole, "/2009-04-04/dynamic/instance-identity/pkcs7", 200},
	} {
		if a := do(t, "GET", tt.server.URL+tt.path); a.status != tt.want {
			t.Errorf("%s: got %d, want %d", tt.path, a.status, tt.want)
		}
	}
}

func TestMethods(t *testing.T) {
	s := start(t, emulator.Options{})
	for _, method := range []string{"POST", "DELETE", "PATCH", "OPTIONS"} {
		a := do(t, method, s.URL+"/latest/meta-data/instance-id")
		if a.status != 405 || a.body != "" || a.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: got %+v", method, a)
		}
	}
	w, err := dial(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	io.WriteString(w, request("OPTIONS", "*", "Accept: */*"))
	if resp, err := http.ReadResponse(w.r, nil); err != nil || resp.StatusCode != 405 {
		t.Errorf("OPTIONS *: got %+v, %v", resp, err)
	}
}

func TestArchitecture(t *testing.T) {
	for instanceType, want := range map[string]string{
		"": "x86_64", "t3.micro": "x86_64", "g4dn.xlarge": "x86_64", "gr6.4xlarge": "x86_64", "u-6tb1.metal": "x86_64", "weird": "x86_64",
		"t4g.nano": "arm64", "m7g.large": "arm64", "im4gn.large": "arm64", "g5g.xlarge": "arm64", "x2gd.metal": "arm64", "a1.large": "arm64",
	} {
		s := start(t, emulator.Options{Instance: emulator.Instance{Type: instanceType}})
		a := do(t, "GET", s.URL+"/latest/dynamic/instance-identity/document")
		if !strings.Contains(a.body, `"architecture" : "`+want+`"`) {
			t.Errorf("%s: want %s in %s", instanceType, want, a.body)
		}
	}
}

func TestDocuments(t *testing.T) {
	s := start(t, full())
	document := do(t, "GET", s.URL+"/latest/dynamic/instance-identity/document").body
	got, err := imds.ParseIdentityDocument([]byte(document))
	want := imds.IdentityDocument{
		AccountID: "111122223333", Architecture: "arm64", AvailabilityZone: "eu-west-1c", ImageID: "ami-0bb",
		InstanceID: "i-0aa", InstanceType: "m7g.large", PrivateIP: "172.31.5.6", Region: "eu-west-1",
		Version: "2017-09-30", PendingTime: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("identity document: %v %s", err, diff)
	}
	if again := do(t, "GET", s.URL+"/2009-04-04/dynamic/instance-identity/document/").body; again != document {
		t.Errorf("the identity document changed:\n%s\n%s", document, again)
	}
	info, err := imds.ParseIAMInfo([]byte(do(t, "GET", s.URL+"/latest/meta-data/iam/info").body))
	if err != nil || info.InstanceProfileArn != "arn:aws:iam::111122223333:instance-profile/app-profile" || !strings.HasPrefix(info.InstanceProfileID, "AIPA") {
		t.Errorf("iam/info: %+v, %v", info, err)
	}
}

// readRole reads the role's credentials as a client does.
func readRole(t *testing.T, s *imdstest.Server) imds.Credentials {
	t.Helper()
	a := do(t, "GET", s.URL+"/latest/meta-data/iam/security-credentials/app-role")
	c, err := imds.ParseCredentials([]byte(a.body))
	if err != nil || a.status != 200 || a.header.Get("Content-Type") != "text/plain" {
		t.Fatalf("credentials: %d, %v", a.status, err)
	}
	return c
}

func TestCredentialsRenewed(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC)
	now := began
	s := start(t, emulator.Options{
		Role: &emulator.Role{Name: "app-role", Lifetime: time.Hour},
		Now:  func() time.Time { return now },
	})
	first := readRole(t, s)
	known, ok := s.Credential(first.AccessKeyID)
	if diff := cmp.Diff(first, known); !ok || diff != "" {
		t.Errorf("what was handed out is not what is known: %v %s", ok, diff)
	}
	if !strings.HasPrefix(first.AccessKeyID, "ASIA") || len(first.AccessKeyID) != 20 || len(first.SecretAccessKey.Reveal()) != 40 {
		t.Errorf("unusual shape: %s", first.AccessKeyID)
	}
	if want := began.Truncate(time.Second).Add(time.Hour); !first.Expiration.Equal(want) {
		t.Errorf("expires %v, want %v", first.Expiration, want)
	}

	now = began.Add(29 * time.Minute)
	if c := readRole(t, s); c.AccessKeyID != first.AccessKeyID {
		t.Error("renewed too early")
	}
	now = began.Add(31 * time.Minute)
	second := readRole(t, s)
	if second.AccessKeyID == first.AccessKeyID || second.Token == first.Token {
		t.Error("not renewed well before the end")
	}
	if _, ok := s.Credential(first.AccessKeyID); !ok {
		t.Error("the old set is forgotten before its end")
	}
	now = began.Add(3 * time.Hour)
	readRole(t, s)
	if _, ok := s.Credential(first.AccessKeyID); ok {
		t.Error("a set is known a lifetime after its end")
	}
	for _, id := range []string{"", "ASIA0000000000000000"} {
		if _, ok := s.Credential(id); ok {
			t.Errorf("%q was never handed out", id)
		}
	}
}

func TestCredentialsFailing(t *testing.T) {
	failing := start(t, emulator.Options{Role: &emulator.Role{Name: "app-role", Failure: "AssumeRoleUnauthorizedAccess"}})
	body := do(t, "GET", failing.URL+"/latest/meta-data/iam/security-credentials/app-role").body
	if !strings.Contains(body, `"Code" : "AssumeRoleUnauthorizedAccess"`) || strings.Contains(body, "SecretAccessKey") {
		t.Errorf("got %s", body)
	}
	if a := do(t, "GET", failing.URL+"/latest/meta-data/iam/security-credentials/"); a.body != "app-role" {
		t.Errorf("the list is %+v", a)
	}
	if _, ok := failing.Credential(""); ok {
		t.Error("a failing role handed out credentials")
	}

	expired := start(t, emulator.Options{Role: &emulator.Role{Name: "app-role", Expired: true}})
	c := readRole(t, expired)
	if c.Code != "Success" || !c.Expiration.Before(time.Now()) || !c.LastUpdated.Before(c.Expiration) {
		t.Errorf("updated %v, expires %v", c.LastUpdated, c.Expiration)
	}
	if again := readRole(t, expired); again != c {
		t.Error("expired credentials were renewed")
	}
	if _, ok := expired.Credential(c.AccessKeyID); !ok {
		t.Error("expired credentials are unknown")
	}
}

// The answer to PUT is lost from the hop limit on; GET answers at once.
func TestHopLimit(t *testing.T) {
	for _, tt := range []struct {
		hops, limit int
		lost        bool
	}{{0, 1, false}, {1, 1, true}, {1, 0, false}, {2, 0, true}, {1, 64, false}} {
		s := start(t, emulator.Options{Hops: tt.hops, HopLimit: tt.limit})
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "PUT %s HTTP/1.1\r\nHost: x\r\n%s: 60\r\nContent-Length: 0\r\n\r\n", tokenURL, ttlHeader)
		conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := io.ReadFull(conn, make([]byte, 1))
		timedOut := err != nil && err.(net.Error).Timeout()
		if (n == 0 && timedOut) != tt.lost {
			t.Errorf("%d hops, limit %d: read %d bytes, %v", tt.hops, tt.limit, n, err)
		}
		if a := do(t, "GET", s.URL+"/latest/meta-data/instance-id"); a.status != 200 {
			t.Errorf("%d hops, limit %d: GET gave %+v", tt.hops, tt.limit, a)
		}
	}
}

func TestReplies(t *testing.T) {
	html := "<html>proxy</html>"
	replies, err := fault.New([]fault.Rule{
		{Match: fault.Match{Service: "imds", Method: "PUT", Path: tokenURL, Times: 1}, Reply: fault.Reply{Status: 503}},
		{Match: fault.Match{Service: "imds", Path: "/latest/meta-data/ami-id"}, Reply: fault.Reply{Body: &html, Headers: map[string]string{"Server": "squid"}}},
		{Match: fault.Match{Service: "imds", Path: "/latest/meta-data/mac"}, Reply: fault.Reply{Status: 401}},
		{Match: fault.Match{Service: "sts"}, Reply: fault.Reply{Status: 500}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, emulator.Options{Replies: replies})
	for _, tt := range []struct {
		method, path string
		status       int
		server, body string
	}{
		{"PUT", "/" + tokenURL, 503, "EC2ws", strings.ReplaceAll(notFound, "404 - Not Found", "503 - Service Unavailable")},
		{"GET", "/latest/meta-data/ami-id", 200, "squid", html},
		{"GET", "/latest/meta-data/mac", 401, "EC2ws", ""},
		{"GET", "/latest/meta-data/instance-action", 200, "EC2ws", "none"},
	} {
		a := do(t, tt.method, s.URL+tt.path, ttlHeader+": 60")
		if a.status != tt.status || a.header.Get("Server") != tt.server || a.body != tt.body {
			t.Errorf("%s %s: got %+v", tt.method, tt.path, a)
		}
	}
	token(t, s) // the rule for it is used up
}

func TestConnectionPolicy(t *testing.T) {
	for _, keep := range []bool{false, true} {
		s := start(t, emulator.Options{KeepAlive: keep})
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprint(conn, strings.Repeat("GET /latest/meta-data/ami-id HTTP/1.1\r\nHost: x\r\n\r\n", 2))
		r := bufio.NewReader(conn)
		for n, want := range []bool{true, keep} {
			resp, err := http.ReadResponse(r, nil)
			if (err == nil) != want {
				t.Fatalf("keep alive %v: answer %d: %v", keep, n+1, err)
			}
			if err == nil {
				io.Copy(io.Discard, resp.Body)
			}
		}
	}
}

// Close ends connections that say nothing, that wait between requests, and
// that hang for a token, even one whose client has already said more.
func TestCloseEndsAll(t *testing.T) {
	s, err := emulator.New(emulator.Options{Hops: 2, KeepAlive: true})
	if err != nil {
		t.Fatal(err)
	}
	const put = "PUT " + tokenURL + " HTTP/1.1\r\nHost: x\r\n\r\n"
	served := make(chan error)
	var conns []net.Conn
	for range 2 {
		l := listen(t)
		go func() { served <- s.Serve(l) }()
		for _, request := range []string{"", put, put, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"} {
			conns = append(conns, send(t, l, request))
		}
	}
	time.Sleep(20 * time.Millisecond) // let the requests arrive; without it the test is only weaker
	io.WriteString(conns[1], "G")
	time.Sleep(20 * time.Millisecond)

	closed := make(chan error)
	go func() { closed <- s.Close() }()
	for range 3 {
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("serve: %v", err)
			}
		case err := <-closed:
			if err != nil {
				t.Errorf("close: %v", err)
			}
		case <-time.After(5 * time.Second):
			t.Fatal("Close waits for what it should end")
		}
	}
	for _, conn := range conns {
		conn.SetReadDeadline(time.Now().Add(time.Second))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("a connection outlived Close")
		}
	}
}

// A client that falls silent within a request loses its connection; one that
// waits for an answer that never comes doesn't.
func TestSilence(t *testing.T) {
	const put = "PUT " + tokenURL + " HTTP/1.1\r\nHost: x\r\n"
	for _, tt := range []struct {
		name, said, heard string
		o                 emulator.Options
		ends              bool
	}{
		{"from the start", "", "", emulator.Options{}, true},
		{"within a header", "GET / HTTP/1.1\r\n", "", emulator.Options{}, true},
		{"within a body", put + "Content-Length: 9\r\n\r\nabc", "400", emulator.Options{}, true},
		{"within a body, kept alive", put + "Content-Length: 9\r\n\r\nabc", "400", emulator.Options{KeepAlive: true}, true},
		{"between requests", put + "\r\n", "400", emulator.Options{KeepAlive: true}, false},
		{"while it waits", put + "\r\n", "", emulator.Options{Hops: 2}, false},
		{"while it waits, with a body", put + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", emulator.Options{Hops: 2}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client, server := net.Pipe()
				defer client.Close()
				s, l := pipeServer(t, tt.o, nil)
				defer s.Close()
				l.conns <- server
				go io.WriteString(client, tt.said)
				client.SetReadDeadline(time.Now().Add(time.Hour))
				heard, err := io.ReadAll(client)
				if ends := err == nil; ends != tt.ends || !strings.Contains(string(heard), tt.heard) {
					t.Errorf("heard %q, %v", heard, err)
				}
			})
		})
	}
}

func TestClosed(t *testing.T) {
	s, err := emulator.New(emulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	l := listen(t)
	if err := s.Serve(l); err != nil {
		t.Errorf("serve after close: %v", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the listener is left open: %v", err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// send opens a connection and writes text to it.
func send(t *testing.T, l net.Listener, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn
}

// Close returns only after the last connection's goroutine, however long that
// takes to end.
func TestCloseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		slow := &slowConn{Conn: server}
		s, l := pipeServer(t, emulator.Options{Hops: 2}, nil)
		l.conns <- slow
		io.WriteString(client, "PUT "+tokenURL+" HTTP/1.1\r\nHost: x\r\n\r\n")
		synctest.Wait()
		s.Close()
		if !slow.ended.Load() {
			t.Error("Close returned before the connection's goroutine had ended")
		}
	})
}

// A connection that is accepted while Close is under way is closed as well;
// otherwise this bubble would never end.
func TestCloseEndsLateConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer client.Close()
		s, _ := pipeServer(t, emulator.Options{}, server)
		synctest.Wait()
		s.Close()
	})
}

// pipeServer serves a listener without a network, for synctest.
func pipeServer(t *testing.T, o emulator.Options, late net.Conn) (*emulator.Server, *pipeListener) {
	t.Helper()
	s, err := emulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{}), late: late}
	go s.Serve(l)
	return s, l
}

// A pipeListener accepts what is sent to it, and late just after its Close.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	late  net.Conn
	once  sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
	}
	if c := l.late; c != nil {
		l.late = nil
		return c, nil
	}
	return nil, net.ErrClosed
}

func (l *pipeListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// A slowConn takes its time to close, unless Close of the emulator does it.
type slowConn struct {
	net.Conn
	ended atomic.Bool
}

func (c *slowConn) Close() error {
	if !strings.Contains(string(debug.Stack()), "emulator.(*Server).Close") {
		time.Sleep(time.Hour)
		c.ended.Store(true)
	}
	return c.Conn.Close()
}

func TestNewRefuses(t *testing.T) {
	role := func(r emulator.Role) emulator.Options { return emulator.Options{Role: &r} }
	machine := func(i emulator.Instance) emulator.Options { return emulator.Options{Instance: i} }
	for want, o := range map[string]emulator.Options{
		`tokens "maybe"`:         {Tokens: "maybe"},
		"hop limit 65":           {HopLimit: 65},
		"hop limit -1":           {HopLimit: -1},
		"hops -1":                {Hops: -1},
		`role: name ""`:          role(emulator.Role{}),
		`role: name "a/b"`:       role(emulator.Role{Name: "a/b"}),
		`role: profile "a b"`:    role(emulator.Role{Name: "a", Profile: "a b"}),
		"role: lifetime -1s":     role(emulator.Role{Name: "a", Lifetime: -time.Second}),
		"exclude each other":     role(emulator.Role{Name: "a", Failure: "X", Expired: true}),
		"instance: zone":         machine(emulator.Instance{Region: "eu-west-1", Zone: "us-east-1a"}),
		"instance: mac":          machine(emulator.Instance{MAC: "0e:00"}),
		"instance: address":      machine(emulator.Instance{PrivateIP: "10.0.0"}),
		`tag key "a b"`:          {Tags: true, Instance: emulator.Instance{Tags: map[string]string{"a b": ""}}},
		`tag key "_index"`:       {Tags: true, Instance: emulator.Instance{Tags: map[string]string{"_index": ""}}},
		`tag key ".."`:           {Tags: true, Instance: emulator.Instance{Tags: map[string]string{"..": ""}}},
		`tag key "` + long + `"`: {Tags: true, Instance: emulator.Instance{Tags: map[string]string{long: ""}}},
	} {
		if _, err := emulator.New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if _, err := emulator.New(emulator.Options{Instance: emulator.Instance{Tags: map[string]string{"a b": ""}}}); err != nil {
		t.Errorf("any key is fine while tags are disabled: %v", err)
	}
}

var long = strings.Repeat("k", 256)

func checkHeader(t *testing.T, a answer, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := a.header.Get(name); got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
}
