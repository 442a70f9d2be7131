package emulator_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/emulator"
	"tegata/emulator/imdstest"
	"tegata/imds"
	"tegata/internal/fault"
)

func change(t *testing.T, s *imdstest.Server, o emulator.Options) {
	t.Helper()
	if err := s.Change(o); err != nil {
		t.Fatal(err)
	}
}

func TestChange(t *testing.T) {
	const id, role = "/latest/meta-data/instance-id", "/latest/meta-data/iam/security-credentials/"
	s := imdstest.NewServer(t, full())
	held := token(t, s)
	replies, err := fault.New([]fault.Rule{{Match: fault.Match{Path: id}, Reply: fault.Reply{Status: 503}}})
	if err != nil {
		t.Fatal(err)
	}
	disabled, optional, roleless, tagless, broken := full(), full(), full(), full(), full()
	disabled.Disabled = true
	optional.Tokens = "optional"
	roleless.Role = nil
	tagless.Tags = false
	broken.Replies = replies
	for _, tt := range []struct {
		name          string
		before, after emulator.Options
		path          string
		headers       []string
		from, to      int
	}{
		{"disabled", full(), disabled, id, []string{held}, 200, 403},
		{"enabled", disabled, full(), id, []string{held}, 403, 200},
		{"tokens no more required", full(), optional, id, nil, 401, 200},
		{"role gone", full(), roleless, role, []string{held}, 200, 404},
		{"role back", roleless, full(), role, []string{held}, 404, 200},
		{"tags gone", full(), tagless, "/latest/meta-data/tags/", []string{held}, 200, 404},
		{"replies", full(), broken, id, []string{held}, 200, 503},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, step := range []struct {
				options emulator.Options
				want    int
			}{{tt.before, tt.from}, {tt.after, tt.to}, {tt.before, tt.from}} {
				change(t, s, step.options)
				if got := do(t, "GET", s.URL+tt.path, tt.headers...).status; got != step.want {
					t.Errorf("%s: status %d, want %d", tt.path, got, step.want)
				}
			}
		})
	}
}

func TestChangeKeepsTheInstance(t *testing.T) {
	s := start(t, emulator.Options{Instance: emulator.Instance{ID: "i-1", KeyName: "key"}, Role: &emulator.Role{Name: "r"}})
	const info = "/latest/meta-data/iam/info"
	paths := []string{"/latest/meta-data/instance-id", "/latest/meta-data/public-keys/0/openssh-key", "/latest/dynamic/instance-identity/document"}
	read := func() (all []string) {
		for _, path := range paths {
			all = append(all, do(t, "GET", s.URL+path).body)
		}
		_, profile, _ := strings.Cut(do(t, "GET", s.URL+info).body, "InstanceProfileId")
		return append(all, profile)
	}
	before := read()
	change(t, s, emulator.Options{Tokens: "optional", Instance: emulator.Instance{ID: "i-2"}, Role: &emulator.Role{Name: "r"}})
	if diff := cmp.Diff(before, read()); diff != "" {
		t.Error(diff)
	}
}

func TestChangeKeepsCredentials(t *testing.T) {
	good, expired := emulator.Role{Name: "app-role"}, emulator.Role{Name: "app-role", Expired: true}
	s := start(t, emulator.Options{Role: &good})
	first := readRole(t, s)
	change(t, s, emulator.Options{Tokens: "optional", Role: &expired})
	second := readRole(t, s)
	if second.AccessKeyID == first.AccessKeyID || !second.Expiration.Before(first.Expiration) {
		t.Errorf("the role that expires hands out %s until %v", second.AccessKeyID, second.Expiration)
	}
	change(t, s, emulator.Options{Tokens: "optional"})
	for _, handedOut := range []string{first.AccessKeyID, second.AccessKeyID} {
		if c, ok := s.Credential(handedOut); !ok || c.AccessKeyID != handedOut {
			t.Errorf("%s is unknown once the role is gone", handedOut)
		}
	}
	change(t, s, emulator.Options{Tokens: "optional", Role: &good})
	if again := readRole(t, s); again.AccessKeyID != first.AccessKeyID {
		t.Errorf("the role that is back hands out %s, want its own %s", again.AccessKeyID, first.AccessKeyID)
	}
}

func TestChangeRefuses(t *testing.T) {
	s := start(t, emulator.Options{})
	for want, o := range map[string]emulator.Options{
		`change the metadata service: tokens "never"`:       {Tokens: "never"},
		"change the metadata service: hop limit 65":         {HopLimit: 65},
		`change the metadata service: role: name "my role"`: {Role: &emulator.Role{Name: "my role"}},
	} {
		if err := s.Change(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s…", err, want)
		}
		if got := do(t, "GET", s.URL+"/latest/meta-data/instance-id").status; got != 200 {
			t.Errorf("after the refusal: status %d", got)
		}
	}
}

// Requests that arrive while the service changes get an answer of the one
// setup or of the other.
func TestChangeUnderLoad(t *testing.T) {
	s := start(t, emulator.Options{})
	var readers sync.WaitGroup
	var stop atomic.Bool
	defer readers.Wait()
	defer stop.Store(true)
	for range 4 {
		readers.Go(func() {
			for !stop.Load() {
				r := httptest.NewRequest("GET", "/latest/meta-data/instance-id", nil)
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if got := fmt.Sprint(w.Code, " ", w.Body); got != "200 i-0123456789abcdef0" && got != "403 " {
					t.Errorf("got %s", got)
				}
			}
		})
	}
	for range 50 {
		change(t, s, emulator.Options{Tokens: "optional", Disabled: true})
		change(t, s, emulator.Options{Tokens: "optional"})
	}
}

// An instance profile is deleted, or loses its role, or carries another one.
func TestProfileStates(t *testing.T) {
	const info, list, role = "/latest/meta-data/iam/info", "/latest/meta-data/iam/security-credentials/", "/latest/meta-data/iam/security-credentials/app-role"
	const page = "  Please see documentation at https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_iam-ec2.html#troubleshoot_iam-ec2_errors-info-doc."
	const arn = `"InstanceProfileArn" : "arn:aws:iam::123456789012:instance-profile/x/app"`
	whole := emulator.Role{Name: "app-role", ID: "AROA1", Profile: "app", ProfileARN: "arn:aws:iam::123456789012:instance-profile/x/app", ProfileID: "AIPA1"}
	untrusted, empty, gone, again := whole, whole, whole, whole
	untrusted.Failure = "AssumeRoleUnauthorizedAccess"
	empty.Name, empty.ID = "", ""
	gone.Failure = emulator.ProfileNotFound
	again.ID = "AROA2"
	for _, tt := range []struct {
		name     string
		role     emulator.Role
		info     []string // in iam/info
		list     string   // "" means not found
		wantRole string   // in the document of the role; "" means not found
	}{
		{"whole", whole, []string{`"Code" : "Success"`, arn, `"InstanceProfileId" : "AIPA1"`}, "app-role", `"Code" : "Success"`},
		{"untrusted", untrusted, []string{`"Code" : "Success"`, arn}, "app-role", `"Message" : "EC2 cannot assume the role app-role.` + page + `"`},
		{"empty", empty, []string{`"Code" : "Success"`, `"Message" : "Instance Profile does not contain a role.` + page + `"`, arn}, "", ""},
		{"gone", gone, []string{`"Code" : "InstanceProfileNotFound"`, `"Message" : "Instance Profile with Id AIPA1 cannot be found.` + page + `"`}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := imdstest.NewServer(t, emulator.Options{Tokens: "optional"})
			change(t, s, emulator.Options{Tokens: "optional", Role: &tt.role})
			for _, want := range tt.info {
				if got := do(t, "GET", s.URL+info); !strings.Contains(got.body, want) {
					t.Errorf("info: %s lacks %s", got.body, want)
				}
			}
			if got := do(t, "GET", s.URL+list); tt.list == "" && got.status != 404 || tt.list != "" && got.body != tt.list {
				t.Errorf("list: %d %s", got.status, got.body)
			}
			if got := do(t, "GET", s.URL+role); tt.wantRole == "" && got.status != 404 || !strings.Contains(got.body, tt.wantRole) {
				t.Errorf("role: %d %s", got.status, got.body)
			}
		})
	}
	t.Run("deleted and made again", func(t *testing.T) {
		s := imdstest.NewServer(t, emulator.Options{Tokens: "optional", Role: &whole})
		first := readRole(t, s)
		change(t, s, emulator.Options{Tokens: "optional", Role: &again})
		second := readRole(t, s)
		if of, ok := s.Issued(first.AccessKeyID); !ok || of.Role.ID != "AROA1" || of.Delivery != "1.0" || first.AccessKeyID == second.AccessKeyID {
			t.Errorf("%s is of %+v, %s, %v; then %s", first.AccessKeyID, of.Role, of.Delivery, ok, second.AccessKeyID)
		}
	})
}

// Tags of the instance change while it runs; a key that is no path is refused.
func TestChangeTags(t *testing.T) {
	const tags = "/latest/meta-data/tags/instance"
	o := emulator.Options{Tokens: "optional", Tags: true, Instance: emulator.Instance{ID: "i-12345678", Tags: map[string]string{"a": "1"}}}
	s := imdstest.NewServer(t, o)
	o.Instance = emulator.Instance{ID: "i-87654321", Tags: map[string]string{"a": "2", "b": ""}}
	change(t, s, o)
	if got := do(t, "GET", s.URL+tags).body + " " + do(t, "GET", s.URL+tags+"/a").body; got != "a\nb 2" {
		t.Errorf("tags are %q", got)
	}
	if got := s.Instance(); got.ID != "i-12345678" || got.Region != "ap-northeast-1" {
		t.Errorf("the instance became %+v", got)
	}
	o.Instance.Tags = map[string]string{"c/d": ""}
	if err := s.Change(o); err == nil || do(t, "GET", s.URL+tags).body != "a\nb" {
		t.Errorf("c/d: %v", err)
	}
}

// Who brings a token gets other credentials than who does not.
func TestDelivery(t *testing.T) {
	const document = "/latest/meta-data/iam/security-credentials/app-role"
	s := imdstest.NewServer(t, emulator.Options{Tokens: "optional", Role: &emulator.Role{Name: "app-role"}})
	for range 2 {
		for want, headers := range map[string][]string{"1.0": nil, "2.0": {token(t, s)}} {
			c, err := imds.ParseCredentials([]byte(do(t, "GET", s.URL+document, headers...).body))
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := s.Issued(c.AccessKeyID); !ok || got.Delivery != want || got.Credentials != c {
				t.Errorf("got %s, %v, want %s", got.Delivery, ok, want)
			}
		}
	}
}
