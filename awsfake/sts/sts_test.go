package sts

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"maps"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tegata/awsfake/wire"
	"tegata/internal/fault"
	"tegata/internal/policy"
)

const (
	account = "123456789012"
	roleARN = "arn:aws:iam::123456789012:role/app"
	userARN = "arn:aws:iam::123456789012:user/ann"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// A book is an account with one role and one provider.
type book struct {
	trust    string
	provider Provider
}

func (b book) Role(arn string) (Role, bool) {
	document, err := policy.Parse([]byte(b.trust))
	if err != nil {
		panic(err)
	}
	return Role{ARN: roleARN, ID: "AROAEXAMPLE", Name: "app", MaxSession: 2 * time.Hour, Trust: policy.Named{Document: document}}, arn == roleARN
}

func (b book) Provider(issuer string) (Provider, bool) {
	return b.provider, b.provider.ARN != "" && strings.HasSuffix(b.provider.ARN, "/"+issuer)
}

func (b book) KeyAccount(id string) (string, bool)       { return account, id == "AKIAEXAMPLEEXAMPLE12" }
func (b book) Policy(arn string) (policy.Document, bool) { return policy.Document{}, false }

func trusting(principal string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + principal + `"},"Action":["sts:AssumeRole","sts:TagSession"]}]}`
}

// A customer is who calls, and what its own policies say.
type customer struct {
	arn, principal, role string
	longTerm             bool
	allowed              bool
}

var ann = customer{arn: userARN, principal: userARN, longTerm: true, allowed: true}

// call runs an operation of the query protocol and returns the answer or the
// error that it ends with.
func call(t *testing.T, s *Service, who customer, operation string, form url.Values) (string, error) {
	t.Helper()
	c := &wire.Call{
		Call: fault.Call{Service: "sts", Operation: operation}, ID: "id", Account: account, Region: "us-west-2", Form: form,
		Protocol: wire.Query, Clock: func() time.Time { return noon },
		Request: httptest.NewRequest("POST", "/", nil).WithContext(t.Context()),
		Caller:  wire.Caller{ARN: who.arn, Principal: who.principal, UserID: "AIDAEXAMPLE", Role: who.role, LongTerm: who.longTerm},
		Keys:    func(more map[string]string) map[string]string { return maps.Clone(more) },
	}
	c.Decide = func(r policy.Request, _ *policy.Named) error {
		if who.allowed {
			return nil
		}
		return errors.New("denied: " + r.Action)
	}
	for _, o := range s.Wire().Operations {
		if o.Name == operation {
			w := httptest.NewRecorder()
			err := o.Serve(w, c, new(sync.Mutex))
			return w.Body.String(), err
		}
	}
	t.Fatalf("no operation %s", operation)
	return "", nil
}

func assume(more ...string) url.Values {
	form := url.Values{"RoleArn": {roleARN}, "RoleSessionName": {"work"}}
	for i := 0; i < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form
}

func TestAssumeRole(t *testing.T) {
	t.Parallel()
	const refusal = "AccessDenied: User: " + userARN + " is not authorized to perform: sts:AssumeRole on resource: "
	chained := customer{arn: "arn:aws:sts::123456789012:assumed-role/first/s", principal: "arn:aws:iam::123456789012:role/first", role: "first", allowed: true}
	mallory := ann
	mallory.allowed = false
	for _, tt := range []struct {
		name  string
		who   customer
		trust string
		form  url.Values
		want  string // the error; "" for a session
	}{
		{"trusted and allowed", ann, trusting(userARN), assume(), ""},
		{"the account is trusted", ann, trusting("arn:aws:iam::123456789012:root"), assume(), ""},
		{"somebody else is trusted", ann, trusting("arn:aws:iam::123456789012:user/bob"), assume(), refusal + roleARN},
		{"not allowed by her own policies", mallory, trusting("arn:aws:iam::123456789012:root"), assume(), refusal + roleARN},
		{"no such role", ann, trusting(userARN), assume("RoleArn", roleARN+"s"), refusal + roleARN + "s"},
		{"no name", ann, trusting(userARN), assume("RoleSessionName", ""),
			"ValidationError: 1 validation error detected: Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null"},
		{"a name that is none", ann, trusting(userARN), assume("RoleSessionName", "a b"),
			`ValidationError: 1 validation error detected: Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		{"no ARN", ann, trusting(userARN), assume("RoleArn", "role-of-my-application"), "ValidationError: role-of-my-application is invalid"},
		{"longer than the role allows", ann, trusting(userARN), assume("DurationSeconds", "7201"),
			"ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"as long as it allows", ann, trusting(userARN), assume("DurationSeconds", "7200"), ""},
		{"chained for too long", chained, trusting(chained.principal), assume("DurationSeconds", "3601"),
			"ValidationError: The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{"chained", chained, trusting(chained.principal), assume("DurationSeconds", "3600"), ""},
		{"with a tag", ann, trusting(userARN), assume("Tags.member.1.Key", "team", "Tags.member.1.Value", "a"), ""},
		{"with a source that nobody allows to set", ann, trusting(userARN), assume("SourceIdentity", "ann"),
			"AccessDenied: User: " + userARN + " is not authorized to perform: sts:SetSourceIdentity on resource: " + roleARN},
		{"with a policy", ann, trusting(userARN), assume("Policy", `{"Version":"2012-10-17","Statement":[]}`), "MalformedPolicyDocument: This policy contains invalid Json"},
		{"with a policy that does not exist", ann, trusting(userARN), assume("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/None"),
			"ValidationError: The policy arn:aws:iam::aws:policy/None does not exist or is not attachable."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &Service{State: &State{}, Directory: book{trust: tt.trust}}
			body, err := call(t, s, tt.who, "AssumeRole", tt.form)
			if got := text(err); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			if began := len(s.State.Sessions) == 1; began != (tt.want == "") || began && !strings.Contains(body, "assumed-role/app/work") {
				t.Errorf("%d sessions, answer %s", len(s.State.Sessions), body)
			}
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What is handed out is what is remembered, and what is remembered survives.
func TestSession(t *testing.T) {
	t.Parallel()
	s := &Service{State: &State{}, Directory: book{trust: trusting(userARN)}}
	body, err := call(t, s, ann, "AssumeRole", assume("Policy", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
		"Tags.member.1.Key", "team", "Tags.member.1.Value", "a"))
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Credentials struct {
			AccessKeyID     string `xml:"AccessKeyId"`
			SecretAccessKey string
			SessionToken    string
			Expiration      time.Time
		} `xml:"AssumeRoleResult>Credentials"`
	}
	if err := xml.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	got, ok := s.State.Session(answer.Credentials.AccessKeyID)
	if !ok || got.SecretAccessKey != answer.Credentials.SecretAccessKey || got.SessionToken != answer.Credentials.SessionToken ||
		!got.Expires.Equal(answer.Credentials.Expiration) || !got.Expires.Equal(noon.Add(time.Hour)) {
		t.Errorf("%+v is not what %s says", got, body)
	}
	if got.Context["aws:PrincipalTag/team"] != "a" || len(got.Policies) != 1 || got.Role != "app" || got.UserID != "AROAEXAMPLE:work" {
		t.Errorf("got %v, %v", got.Context, got.Policies)
	}
	saved, err := json.Marshal(s.State)
	if err != nil {
		t.Fatal(err)
	}
	var loaded State
	if err := json.Unmarshal(saved, &loaded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*s.State, loaded); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(got.String(), got.SecretAccessKey) {
		t.Error("a session prints its secret")
	}
}

func TestSessionToken(t *testing.T) {
	t.Parallel()
	s := &Service{State: &State{}, Directory: book{}}
	guest := customer{arn: "arn:aws:sts::123456789012:assumed-role/app/s", role: "app"}
	for _, tt := range []struct {
		name string
		who  customer
		form url.Values
		want string
	}{
		{"of a user", ann, url.Values{}, ""},
		{"of a session", guest, url.Values{}, "AccessDenied: Cannot call GetSessionToken with session credentials"},
		{"too short", ann, url.Values{"DurationSeconds": {"60"}},
			"ValidationError: 1 validation error detected: Value '60' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"with a device that is none", ann, url.Values{"SerialNumber": {"arn:aws:iam::123456789012:mfa/ann"}, "TokenCode": {"123456"}},
			"AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code."},
	} {
		if _, err := call(t, s, tt.who, "GetSessionToken", tt.form); text(err) != tt.want {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	if len(s.State.Sessions) != 1 {
		t.Errorf("%d sessions", len(s.State.Sessions))
	}
}

func TestAccessKeyInfo(t *testing.T) {
	t.Parallel()
	s := &Service{State: &State{}, Directory: book{}}
	body, err := call(t, s, ann, "GetAccessKeyInfo", url.Values{"AccessKeyId": {"AKIAEXAMPLEEXAMPLE12"}})
	if err != nil || !strings.Contains(body, "<Account>"+account+"</Account>") {
		t.Errorf("%s, %v", body, err)
	}
	for _, id := range []string{"", "AKIA", "AKIANOBODYSNOBODYS00"} {
		if _, err := call(t, s, ann, "GetAccessKeyInfo", url.Values{"AccessKeyId": {id}}); err == nil {
			t.Errorf("%q belongs to an account", id)
		}
	}
}

// Sessions that ended long ago are forgotten, and no others.
func TestForgotten(t *testing.T) {
	t.Parallel()
	s := &Service{State: &State{Sessions: map[string]*Session{
		"ASIAOLD":     {Expires: noon.Add(-25 * time.Hour)},
		"ASIAEXPIRED": {Expires: noon.Add(-time.Hour)},
	}}, Directory: book{}}
	if _, err := call(t, s, ann, "GetSessionToken", url.Values{}); err != nil {
		t.Fatal(err)
	}
	_, old := s.State.Session("ASIAOLD")
	_, expired := s.State.Session("ASIAEXPIRED")
	if old || !expired || len(s.State.Sessions) != 2 {
		t.Errorf("old %t, expired %t, %d sessions", old, expired, len(s.State.Sessions))
	}
}
