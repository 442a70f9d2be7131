package ecr_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/ecr"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

var start = time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC)

// do runs an operation for a caller who is refused one action.
func do(s *ecr.Service, region, refused, operation, body string) string {
	for _, o := range s.Wire().Operations {
		if o.Name != operation {
			continue
		}
		c := &wire.Call{Region: region, Account: "123456789012", Protocol: wire.JSON, Body: []byte(body), Clock: func() time.Time { return start }}
		c.Decide = func(r policy.Request, _ *policy.Named) error {
			if r.Action == refused {
				return wire.Refuse("AccessDeniedException", r.Action+" on "+r.Resource)
			}
			return nil
		}
		w := httptest.NewRecorder()
		if err := o.Serve(w, c, &sync.Mutex{}); err != nil {
			return err.Error()
		}
		return w.Body.String()
	}
	return http.StatusText(http.StatusNotFound)
}

func TestRepositories(t *testing.T) {
	t.Parallel()
	const (
		tokyo = "ap-northeast-1"
		arn   = "arn:aws:ecr:ap-northeast-1:123456789012:repository/team/app"
		app   = `{"repositoryArn":"` + arn + `","registryId":"123456789012","repositoryName":"team/app",` +
			`"repositoryUri":"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/team/app","createdAt":1795406706,` +
			`"imageTagMutability":"MUTABLE","imageScanningConfiguration":{"scanOnPush":false},"encryptionConfiguration":{"encryptionType":"AES256"}}`
		named  = `{"repositoryName":"team/app"}`
		absent = "RepositoryNotFoundException: The repository with name 'team/app' does not exist in the registry with id '123456789012'"
	)
	s := &ecr.Service{State: &ecr.State{}}
	for _, step := range []struct{ name, region, refused, operation, body, want string }{
		{"none yet", tokyo, "", "DescribeRepositories", `{}`, `{"repositories":[]}`},
		{"one that is absent", tokyo, "", "DescribeRepositories", `{"repositoryNames":["team/app"]}`, absent},
		{"no name", tokyo, "", "CreateRepository", `{}`,
			"ValidationException: 1 validation error detected: Value null at 'repositoryName' failed to satisfy constraint: Member must not be null"},
		{"a capital", tokyo, "", "CreateRepository", `{"repositoryName":"Team"}`,
			"InvalidParameterException: Invalid parameter at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '" +
				"(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''"},
		{"forbidden", tokyo, "ecr:CreateRepository", "CreateRepository", named, "AccessDeniedException: ecr:CreateRepository on " + arn},
		{"create", tokyo, "", "CreateRepository", named, `{"repository":` + app + `}`},
		{"create again", tokyo, "", "CreateRepository", named,
			"RepositoryAlreadyExistsException: The repository with name 'team/app' already exists in the registry with id '123456789012'"},
		{"describe", tokyo, "", "DescribeRepositories", `{}`, `{"repositories":[` + app + `]}`},
		{"describe, forbidden", tokyo, "ecr:DescribeRepositories", "DescribeRepositories", `{}`,
			"AccessDeniedException: ecr:DescribeRepositories on arn:aws:ecr:ap-northeast-1:123456789012:repository/*"},
		{"another region", "us-east-1", "", "ListImages", named, absent},
		{"no images", tokyo, "", "ListImages", named, `{"imageIds":[]}`},
		{"no policy", tokyo, "", "GetRepositoryPolicy", named,
			"RepositoryPolicyNotFoundException: Repository policy does not exist for the repository with name 'team/app' in the registry with id '123456789012'"},
		{"bad policy", tokyo, "", "SetRepositoryPolicy", `{"repositoryName":"team/app","policyText":"{"}`,
			"InvalidParameterException: Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'"},
		{"delete", tokyo, "", "DeleteRepository", named, `{"repository":` + app + `}`},
		{"delete again", tokyo, "", "DeleteRepository", named, absent},
	} {
		if got := do(s, step.region, step.refused, step.operation, step.body); got != step.want {
			t.Errorf("%s: got\n%s\nwant\n%s", step.name, got, step.want)
		}
	}
}

func TestTokenIsGoodForTwelveHours(t *testing.T) {
	t.Parallel()
	s := &ecr.Service{State: &ecr.State{}}
	var out struct {
		AuthorizationData []struct {
			AuthorizationToken, ProxyEndpoint string
			ExpiresAt                         float64
		}
	}
	if err := json.Unmarshal([]byte(do(s, "eu-west-1", "", "GetAuthorizationToken", `{}`)), &out); err != nil {
		t.Fatal(err)
	}
	got := out.AuthorizationData[0]
	if want := "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com"; got.ProxyEndpoint != want {
		t.Errorf("endpoint %s, want %s", got.ProxyEndpoint, want)
	}
	end := start.Add(12 * time.Hour)
	if got.ExpiresAt != float64(end.Unix()) {
		t.Errorf("expires at %v, want %v", got.ExpiresAt, end.Unix())
	}
	text, err := base64.StdEncoding.DecodeString(got.AuthorizationToken)
	password, ok := strings.CutPrefix(string(text), "AWS:")
	if err != nil || !ok {
		t.Fatalf("the token is not AWS and a password (%v)", err)
	}
	saved, _ := json.Marshal(s.State)
	if strings.Contains(string(saved), password) {
		t.Error("the state has the password in it")
	}
	loaded := &ecr.Service{State: &ecr.State{}}
	if err := json.Unmarshal(saved, loaded.State); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(loaded.State); string(again) != string(saved) {
		t.Errorf("the state became %s, was %s", again, saved)
	}
	for _, check := range []struct {
		password string
		at       time.Time
		want     bool
	}{{password, start, true}, {password, end.Add(-1), true}, {password, end, false}, {password + "x", start, false}} {
		if loaded.Valid(check.password, check.at) != check.want {
			t.Errorf("at %v: good is %v, want %v", check.at, !check.want, check.want)
		}
	}
	if got, want := do(s, "eu-west-1", "ecr:GetAuthorizationToken", "GetAuthorizationToken", `{}`),
		"AccessDeniedException: ecr:GetAuthorizationToken on *"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
