package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
)

// A shelf is a metadata service that holds values by their path and tells what
// it was asked for.
type shelf struct {
	values map[string]string

	mu    sync.Mutex
	asked []string
}

const shelfToken = "AQAEAIrU2qRMgjlWCwTt9IvyKlCUHVrHJ8wVHdMaNLhTFE9gGh1Bzg=="

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	value, ok := s.values[strings.TrimPrefix(r.URL.Path, "/latest/")]
	switch {
	case r.Method == http.MethodPut:
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", r.Header.Get("X-Aws-Ec2-Metadata-Token-Ttl-Seconds"))
		fmt.Fprint(w, shelfToken)
	case r.Header.Get("X-Aws-Ec2-Metadata-Token") != shelfToken:
		w.WriteHeader(http.StatusUnauthorized)
	case !ok:
		w.WriteHeader(http.StatusNotFound)
	default:
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, value)
	}
}

func (s *shelf) count(prefix string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if strings.HasPrefix(a, prefix) {
			n++
		}
	}
	return n
}

// served returns the environment of a command for which h is the metadata
// service.
func served(t *testing.T, h http.Handler) []string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL, "HOME=" + t.TempDir()}
}

func webServer() map[string]string {
	return map[string]string{
		"dynamic/":                                                 "instance-identity/",
		"dynamic/instance-identity/":                               "document\nsignature",
		"dynamic/instance-identity/document":                       "{\n  \"accountId\" : \"123456789012\",\n  \"architecture\" : \"arm64\",\n  \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : [ \"a1\" ]\n}",
		"dynamic/instance-identity/signature":                      "c2ln\nbmVk",
		"meta-data":                                                "iam/\ninstance-id",
		"meta-data/":                                               "iam/\nidentity-credentials/\ninstance-id\npublic-keys/\nsecurity-groups\ntags/\ngone",
		"meta-data/iam/":                                           "info\nsecurity-credentials/",
		"meta-data/iam/info":                                       "{}",
		"meta-data/iam/security-credentials/":                      "web",
		"meta-data/iam/security-credentials/web":                   `{"SecretAccessKey":"never-shown"}`,
		"meta-data/identity-credentials/":                          "ec2/",
		"meta-data/identity-credentials/ec2/":                      "security-credentials/",
		"meta-data/identity-credentials/ec2/security-credentials/": "ec2-instance",
		"meta-data/identity-credentials/ec2/security-credentials/ec2-instance": `{"SecretAccessKey":"never-shown"}`,
		"meta-data/instance-id":               "i-0123456789abcdef0",
		"meta-data/public-keys/":              "0=my-key\n1=other",
		"meta-data/public-keys/0/":            "openssh-key",
		"meta-data/public-keys/1/":            "openssh-key",
		"meta-data/public-keys/0/openssh-key": "ssh-ed25519 AAAA my-key\n",
		"meta-data/public-keys/1/openssh-key": "ssh-ed25519 BBBB other\n",
		"meta-data/security-groups":           "default\nweb servers",
		"meta-data/tags/":                     "instance/",
		"meta-data/tags/instance/":            "Name\na=b",
		"meta-data/tags/instance/Name":        "<web>",
		"meta-data/tags/instance/a=b":         "",
		"user-data":                           "#!/bin/sh\ninstance-id: i-fake\n",
	}
}

func TestGetAll(t *testing.T) {
	s := &shelf{values: webServer()}
	env := served(t, s)
	status, out, errs := run(env, nil, "get", "--all", "-o", "json")
	if status != 0 || errs != "" {
		t.Fatalf("status %d, stderr %q", status, errs)
	}
	const want = `{
  "dynamic": {
    "instance-identity": {
      "document": "{\n  \"accountId\" : \"123456789012\",\n  \"architecture\" : \"arm64\",\n  \"devpayProductCodes\" : null,\n  \"marketplaceProductCodes\" : [ \"a1\" ]\n}",
      "signature": "c2ln\nbmVk"
    }
  },
  "meta-data": {
    "iam": {
      "info": "{}",
      "security-credentials": {
        "web": null
      }
    },
    "identity-credentials": {
      "ec2": {
        "security-credentials": {
          "ec2-instance": null
        }
      }
    },
    "instance-id": "i-0123456789abcdef0",
    "public-keys": {
      "0": {
        "openssh-key": "ssh-ed25519 AAAA my-key\n"
      },
      "1": {
        "openssh-key": "ssh-ed25519 BBBB other\n"
      }
    },
    "security-groups": "default\nweb servers",
    "tags": {
      "instance": {
        "Name": "<web>",
        "a=b": ""
      }
    }
  },
  "user-data": "#!/bin/sh\ninstance-id: i-fake\n"
}
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("json (-want +got):\n%s", diff)
	}
	status, out, errs = run(env, nil, "get", "--all")
	if status != 0 || errs != "" {
		t.Fatalf("status %d, stderr %q", status, errs)
	}
	if diff := cmp.Diff(webServerText, out); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	if got := s.count("PUT"); got != 2 {
		t.Errorf("%d tokens for two runs", got)
	}
	for _, secret := range []string{"iam/security-credentials/web", "identity-credentials/ec2/security-credentials/ec2-instance"} {
		if s.count("GET /latest/meta-data/"+secret) > 0 {
			t.Errorf("%s was read", secret)
		}
	}
}

const webServerText = `account-id: 123456789012
architecture: arm64
iam-role: web
identity-document:
	{
	  "accountId" : "123456789012",
	  "architecture" : "arm64",
	  "devpayProductCodes" : null,
	  "marketplaceProductCodes" : [ "a1" ]
	}
instance-id: i-0123456789abcdef0
public-keys:
	ssh-ed25519 AAAA my-key
	ssh-ed25519 BBBB other
security-groups:
	default
	web servers
tags:
	Name: <web>
	a=b: 
user-data:
	#!/bin/sh
	instance-id: i-fake
`

// Several values take one token, and each path is read once.
func TestGetSeveral(t *testing.T) {
	s := &shelf{values: webServer()}
	status, out, errs := run(served(t, s), nil, "get", "-o", "json",
		"account-id", "architecture", "identity-document", "security-groups", "public-keys", "tags",
		"/latest/meta-data/instance-id", "tags/instance/Name", "meta-data", "dynamic/instance-identity/document#marketplaceProductCodes")
	if status != 0 || errs != "" {
		t.Fatalf("status %d, stderr %q", status, errs)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"account-id":                    "123456789012",
		"architecture":                  "arm64",
		"identity-document":             webServer()["dynamic/instance-identity/document"],
		"security-groups":               []any{"default", "web servers"},
		"public-keys":                   []any{"ssh-ed25519 AAAA my-key", "ssh-ed25519 BBBB other"},
		"tags":                          map[string]any{"Name": "<web>", "a=b": ""},
		"/latest/meta-data/instance-id": "i-0123456789abcdef0",
		"tags/instance/Name":            "<web>",
		"meta-data":                     "iam/\ninstance-id",
		"dynamic/instance-identity/document#marketplaceProductCodes": `[ "a1" ]`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if puts, documents := s.count("PUT"), s.count("GET /latest/dynamic/instance-identity/document"); puts != 1 || documents != 1 {
		t.Errorf("%d tokens, the document was read %d times", puts, documents)
	}
}

func TestGetAbsent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		args   []string
		out    string
		errors []string
	}{
		{"one", []string{"kernel-id"}, "", []string{
			"error: GET /latest/meta-data/kernel-id: no such metadata (HTTP 404)", "hint: only a paravirtual instance has one"}},
		{"beside others", []string{"public-ipv4", "instance-id", "spot/instance-action", "security-groups"},
			"\ni-0123456789abcdef0\n\ndefault\nweb servers\n", []string{
				"error: GET /latest/meta-data/public-ipv4: no such metadata (HTTP 404)", "hint: the instance has no public IPv4 address",
				"error: GET /latest/meta-data/spot/instance-action: no such metadata (HTTP 404)", "hint: no Spot interruption is announced"}},
		{"in JSON", []string{"-o", "json", "ipv6", "instance-id"}, "{\n  \"instance-id\": \"i-0123456789abcdef0\",\n  \"ipv6\": null\n}\n", []string{
			"error: GET /latest/meta-data/ipv6: no such metadata (HTTP 404)", "hint: the instance has no IPv6 address"}},
		{"member", []string{"iam/info#InstanceProfileArn"}, "", []string{
			"error: GET /latest/meta-data/iam/info: no such metadata: the document has no InstanceProfileArn", "hint: names and paths that exist here: tegata get meta-data/"}},
		{"member that is null", []string{documentPath + "#devpayProductCodes"}, "", []string{
			"error: GET /latest/" + documentPath + ": no such metadata: the document has no devpayProductCodes", "hint: names and paths that exist here: tegata get meta-data/"}},
		{"mistyped leaf", []string{"meta-data/instnce-id"}, "", []string{
			"error: GET /latest/meta-data/instnce-id: no such metadata (HTTP 404)", "hint: did you mean meta-data/instance-id?"}},
		{"mistyped tag", []string{"tags/instance/name"}, "", []string{
			"error: GET /latest/meta-data/tags/instance/name: no such metadata (HTTP 404)", "hint: did you mean meta-data/tags/instance/Name?"}},
		{"mistyped folders", []string{"/latest/meta-data/public-kys/0/openssh-kee"}, "", []string{
			"error: GET /latest/meta-data/public-kys/0/openssh-kee: no such metadata (HTTP 404)", "hint: did you mean latest/meta-data/public-keys/0/openssh-key?"}},
		{"below a value", []string{"meta-data/instance-id/x"}, "", []string{
			"error: GET /latest/meta-data/instance-id/x: no such metadata (HTTP 404)", "hint: names and paths that exist here: tegata get meta-data/"}},
		{"like nothing", []string{"placement/zzz"}, "", []string{
			"error: GET /latest/meta-data/placement/zzz: no such metadata (HTTP 404)", "hint: names and paths that exist here: tegata get meta-data/"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, out, errs := run(served(t, &shelf{values: webServer()}), nil, append([]string{"get"}, tt.args...)...)
			if want := "tegata: " + strings.Join(tt.errors, "\ntegata: ") + "\n"; status != 1 || out != tt.out || errs != want {
				t.Errorf("status %d\nstdout %q\nwant   %q\nstderr %s\nwant   %s", status, out, tt.out, errs, want)
			}
		})
	}
}

const documentPath = "dynamic/instance-identity/document"

// What an instance lacks as a whole is told as such, and not as a mistake.
func TestGetAbsentFolder(t *testing.T) {
	for _, tt := range []struct{ arg, hint string }{
		{"tags", "have the instance tell its tags: aws ec2 modify-instance-metadata-options "},
		{"tags/instance/Name", "have the instance tell its tags: aws ec2 modify-instance-metadata-options "},
		{"iam-role", "no role is attached to the instance; "},
		{"iam/info", "no role is attached to the instance; "},
		{"public-keys", "the instance was launched without a key pair"},
		{"user-data", "the instance was launched without user data"},
		{"latest/user-data", "the instance was launched without user data"},
		{"autoscaling/target-lifecycle-state", "the instance belongs to no Auto Scaling group"},
	} {
		server := imdstest.NewServer(t, emulator.Options{Instance: emulator.Instance{Tags: map[string]string{"Name": "x"}}})
		env := []string{"AWS_EC2_METADATA_SERVICE_ENDPOINT=" + server.URL, "HOME=" + t.TempDir()}
		status, out, errs := run(env, nil, "get", tt.arg)
		if status != 1 || out != "" || !strings.Contains(errs, "no such metadata") || !strings.Contains(errs, "tegata: hint: "+tt.hint) {
			t.Errorf("%s: status %d, stdout %q, stderr %s", tt.arg, status, out, errs)
		}
	}
}

// User data are bytes.
func TestGetUserData(t *testing.T) {
	zipped := "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
	env := served(t, &shelf{values: map[string]string{"user-data": zipped, "meta-data/instance-id": "i-0123456789abcdef0"}})
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"user-data"}, zipped},
		{[]string{"latest/user-data"}, zipped},
		{[]string{"-o", "json", "user-data"}, "{\n  \"user-data\": {\n    \"base64\": \"H4sIAAAAAAAA/w==\"\n  }\n}\n"},
		{[]string{"instance-id", "user-data"}, "i-0123456789abcdef0\n" + zipped + "\n"},
		{[]string{"--all"}, "instance-id: i-0123456789abcdef0\nuser-data: (10 bytes)\n"},
	} {
		if status, out, errs := run(env, nil, append([]string{"get"}, tt.args...)...); status != 0 || out != tt.want || errs != "" {
			t.Errorf("%q: status %d, stdout %q, want %q, stderr %q", tt.args, status, out, tt.want, errs)
		}
	}
}

// A service whose folders never end is not followed for ever.
func TestGetAllEnds(t *testing.T) {
	for _, tt := range []struct {
		name, list string
		most       int // requests
	}{
		{"deep", "a/", 20},
		{"wide", numbers(5000), 5000},
		{"self", "/\n//", 20},
		{"up", "../", 2},
	} {
		var s shelf
		s.values = map[string]string{}
		endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut || s.count("") > 1<<14 {
				s.ServeHTTP(w, r)
				return
			}
			s.mu.Lock()
			s.asked = append(s.asked, r.URL.Path)
			s.mu.Unlock()
			fmt.Fprint(w, tt.list)
		})
		status, out, errs := run(served(t, endless), nil, "get", "--all", "-o", "json")
		if status != 1 || out != "" || errs == "" || s.count("") > tt.most {
			t.Errorf("%s: status %d after %d requests, stdout %.99q, stderr %.99q", tt.name, status, s.count(""), out, errs)
		}
	}
}

// numbers lists n names.
func numbers(n int) string {
	var list strings.Builder
	for i := range n {
		fmt.Fprintln(&list, i)
	}
	return list.String()
}

func TestEnvLeavesOut(t *testing.T) {
	env := served(t, &shelf{values: map[string]string{
		documentPath: `{"accountId":"123456789012","availabilityZone":"eu-west-1a","instanceId":"i-0123456789abcdef0","instanceType":"t4g.nano","imageId":"ami-0123456789abcdef0","architecture":"arm64","region":"eu-west-1","privateIp":null,"pendingTime":"2026-01-02T03:04:05Z","version":"2017-09-30"}`,
	}})
	status, out, errs := run(env, nil, "env", "-o", "json")
	const want = `{
  "AWS_ACCOUNT_ID": "123456789012",
  "AWS_DEFAULT_REGION": "eu-west-1",
  "AWS_REGION": "eu-west-1",
  "EC2_AMI_ID": "ami-0123456789abcdef0",
  "EC2_ARCHITECTURE": "arm64",
  "EC2_AVAILABILITY_ZONE": "eu-west-1a",
  "EC2_INSTANCE_ID": "i-0123456789abcdef0",
  "EC2_INSTANCE_TYPE": "t4g.nano"
}
`
	if status != 0 || errs != "" || out != want {
		t.Errorf("status %d, stderr %q, stdout %s", status, errs, out)
	}
}
