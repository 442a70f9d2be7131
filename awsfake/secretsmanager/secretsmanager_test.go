package secretsmanager_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/kms"
	"tegata/awsfake/secretsmanager"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

const (
	region  = "ap-northeast-1"
	account = "123456789012"
	arnOf   = "arn:aws:secretsmanager:" + region + ":" + account + ":secret:"
	userARN = "arn:aws:iam::" + account + ":user/mia"

	one, two, three = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222", "33333333-3333-4333-8333-333333333333"
	missing         = "ResourceNotFoundException: Secrets Manager can't find the specified secret."
	deleted         = "InvalidRequestException: You can't perform this operation on the secret because it was marked for deletion."
)

// A place is Secrets Manager with one caller, whose policy a test may change.
type place struct {
	*secretsmanager.Service
	policy string
	now    time.Time
}

func start() *place {
	return &place{
		Service: &secretsmanager.Service{State: &secretsmanager.State{}, Keys: &kms.Service{State: &kms.State{}}},
		policy:  allow(`"*"`), now: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC),
	}
}

func allow(action string) string {
	return `{"Statement":{"Effect":"Allow","Action":` + action + `,"Resource":"*"}}`
}

func (p *place) call(operation string) *wire.Call {
	c := &wire.Call{
		Region: region, Account: account, Protocol: wire.JSON,
		Caller: wire.Caller{ARN: userARN, Principal: userARN, User: "mia"},
		Clock:  func() time.Time { return p.now },
		Keys:   func(more map[string]string) map[string]string { return maps.Clone(more) },
	}
	c.Operation = operation
	d, err := policy.Parse([]byte(p.policy))
	c.Decide = func(r policy.Request, own *policy.Named) error {
		layers := policy.Layers{Identity: []policy.Named{{Document: d}}, Resource: own}
		if v := layers.Decide(r); err != nil || v.Decision != policy.Allow {
			return errors.Join(err, wire.Refuse("AccessDeniedException", r.Action+" on "+r.Resource))
		}
		return nil
	}
	return c
}

// do runs an operation and returns its answer, or its error as the wire has it.
func (p *place) do(operation, body string) string {
	for _, o := range p.Wire().Operations {
		if o.Name == operation {
			c := p.call(operation)
			c.Body = []byte(body)
			w := httptest.NewRecorder()
			if err := o.Serve(w, c, &sync.Mutex{}); err != nil {
				return err.Error()
			}
			return w.Body.String()
		}
	}
	return "no such operation"
}

// A step is a call and what its answer contains; "" is the whole of it.
type step struct{ operation, body, want string }

func (p *place) run(t *testing.T, steps []step) {
	t.Helper()
	for i, s := range steps {
		if got := p.do(s.operation, s.body); !strings.Contains(got, s.want) || s.want == "" && got != "" {
			t.Errorf("%d. %s %s:\ngot  %s\nwant %s", i+1, s.operation, s.body, got, s.want)
		}
	}
}

func TestCreateSecret(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 65537)
	for _, tt := range []struct{ name, body, want string }{
		{"text", `{"Name":"app/db","SecretString":"v","ClientRequestToken":"` + one + `"}`, `"Name":"app/db","VersionId":"` + one + `"`},
		{"bytes", `{"Name":"app/db","SecretBinary":"dg=="}`, `"VersionId":`},
		{"no name", `{}`, "ValidationException: 1 validation error detected: Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"bad name", `{"Name":"a b"}`, "ValidationException: Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!"},
		{"both", `{"Name":"a","SecretString":"v","SecretBinary":"dg=="}`, "InvalidParameterException: You can't specify both a binary secret value and a string secret value in the same secret."},
		{"short token", `{"Name":"a","SecretString":"v","ClientRequestToken":"x"}`, "Value 'x' at 'clientRequestToken' failed to satisfy constraint: Member must have length greater than or equal to 32"},
		{"empty", `{"Name":"a","SecretString":""}`, "'secretString' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"64 KB", `{"Name":"a","SecretString":"` + big[1:] + `"}`, `"VersionId":`},
		{"more", `{"Name":"a","SecretString":"` + big + `"}`, "Value at 'secretString' failed to satisfy constraint: Member must have length less than or equal to 65536"},
		{"missing key", `{"Name":"a","SecretString":"v","KmsKeyId":"alias/none"}`, "EncryptionFailure: Secrets Manager can't encrypt the protected secret text"},
		{"tag of AWS", `{"Name":"a","Tags":[{"Key":"aws:x","Value":"y"}]}`, "InvalidParameterException: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := start().do("CreateSecret", tt.body); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// The life of a secret's versions.
func TestVersions(t *testing.T) {
	t.Parallel()
	p := start()
	create := `{"Name":"db","SecretString":"a","ClientRequestToken":"` + one + `"}`
	put := func(token, value string) string {
		return `{"SecretId":"db","SecretString":"` + value + `","ClientRequestToken":"` + token + `"}`
	}
	p.run(t, []step{
		{"CreateSecret", create, `"VersionId":"` + one + `"`},
		{"CreateSecret", create, `"VersionId":"` + one + `"`},
		{"CreateSecret", `{"Name":"db","SecretString":"b"}`, "ResourceExistsException: The operation failed because the secret db already exists."},
		{"GetSecretValue", `{"SecretId":"db"}`, `"SecretString":"a","VersionId":"` + one + `","VersionStages":["AWSCURRENT"]}`},
		{"PutSecretValue", put(two, "b"), `"VersionId":"` + two + `","VersionStages":["AWSCURRENT"]}`},
		{"PutSecretValue", put(two, "b"), `"VersionId":"` + two + `","VersionStages":["AWSCURRENT"]}`},
		{"PutSecretValue", put(two, "c"), "ResourceExistsException: You can't use ClientRequestToken " + two + " because that value is already in use for a version of secret " + arnOf + "db-"},
		{"PutSecretValue", `{"SecretId":"db"}`, "InvalidRequestException: You must provide either SecretString or SecretBinary."},
		{"GetSecretValue", `{"SecretId":"db"}`, `"SecretString":"b"`},
		{"GetSecretValue", `{"SecretId":"db","VersionStage":"AWSPREVIOUS"}`, `"SecretString":"a"`},
		{"GetSecretValue", `{"SecretId":"db","VersionId":"` + one + `"}`, `"SecretString":"a"`},
		{"GetSecretValue", `{"SecretId":"db","VersionId":"` + one + `","VersionStage":"AWSCURRENT"}`, "InvalidRequestException: You provided a VersionStage that is not associated to the provided VersionId."},
		{"GetSecretValue", `{"SecretId":"db","VersionStage":"AWSPENDING"}`, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPENDING"},
		{"GetSecretValue", `{"SecretId":"db","VersionId":"` + three + `"}`, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: " + three},
		{"PutSecretValue", `{"SecretId":"db","SecretBinary":"Yw==","ClientRequestToken":"` + three + `","VersionStages":["AWSPENDING"]}`, `"VersionStages":["AWSPENDING"]`},
		{"GetSecretValue", `{"SecretId":"db"}`, `"SecretString":"b"`},
		{"UpdateSecretVersionStage", `{"SecretId":"db","VersionStage":"AWSCURRENT","MoveToVersionId":"` + three + `"}`,
			"InvalidParameterException: The parameter RemoveFromVersionId can't be empty. Staging label AWSCURRENT is currently attached to version " + two + ", so you must explicitly reference that version in RemoveFromVersionId."},
		{"UpdateSecretVersionStage", `{"SecretId":"db","VersionStage":"AWSCURRENT","RemoveFromVersionId":"` + one + `","MoveToVersionId":"` + three + `"}`, "InvalidParameterException: Staging label AWSCURRENT is not currently attached"},
		{"UpdateSecretVersionStage", `{"SecretId":"db","VersionStage":"AWSCURRENT","RemoveFromVersionId":"` + two + `"}`, "InvalidParameterException: You can only move staging label AWSCURRENT"},
		{"UpdateSecretVersionStage", `{"SecretId":"db","VersionStage":"AWSCURRENT","RemoveFromVersionId":"` + two + `","MoveToVersionId":"` + three + `"}`, `"Name":"db"`},
		{"UpdateSecretVersionStage", `{"SecretId":"db","VersionStage":"AWSPENDING","RemoveFromVersionId":"` + three + `"}`, `"Name":"db"`},
		{"GetSecretValue", `{"SecretId":"db"}`, `"SecretBinary":"Yw==","VersionId":"` + three + `","VersionStages":["AWSCURRENT"]`},
		{"DescribeSecret", `{"SecretId":"db"}`, `"VersionIdsToStages":{"` + two + `":["AWSPREVIOUS"],"` + three + `":["AWSCURRENT"]}`},
		{"ListSecretVersionIds", `{"SecretId":"db","MaxResults":1}`, `"NextToken":`},
		{"ListSecretVersionIds", `{"SecretId":"db","IncludeDeprecated":true}`, `"VersionId":"` + one + `"`},
		{"UpdateSecret", `{"SecretId":"db","Description":"of a test","SecretString":"d"}`, `"VersionId":`},
		{"GetSecretValue", `{"SecretId":"db"}`, `"SecretString":"d"`},
		{"RotateSecret", `{"SecretId":"db"}`, "InvalidRequestException: No Lambda rotation function ARN is associated with this secret."},
	})
	all := 0
	for _, v := range p.State.Regions[region].Secrets["db"].Versions {
		all += len(v.Stages)
	}
	if all != 2 {
		t.Errorf("%d stages are attached, want one current and one previous", all)
	}
}

func TestDeletion(t *testing.T) {
	t.Parallel()
	p := start()
	const named = `{"SecretId":"db"}`
	p.run(t, []step{
		{"GetSecretValue", named, missing},
		{"DeleteSecret", named, missing},
		{"CreateSecret", `{"Name":"db","SecretString":"a"}`, "db"},
		{"DeleteSecret", `{"SecretId":"db","RecoveryWindowInDays":6}`, "InvalidParameterException: The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."},
		{"DeleteSecret", `{"SecretId":"db","RecoveryWindowInDays":7,"ForceDeleteWithoutRecovery":true}`, "InvalidParameterException: You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."},
		{"DeleteSecret", `{"SecretId":"db","RecoveryWindowInDays":7}`, `"DeletionDate":1796011506,"Name":"db"}`},
		{"GetSecretValue", named, deleted},
		{"PutSecretValue", `{"SecretId":"db","SecretString":"b"}`, deleted},
		{"DeleteSecret", named, deleted},
		{"DescribeSecret", named, `"DeletedDate":1796011506`},
		{"ListSecrets", `{}`, `{"SecretList":[]}`},
		{"ListSecrets", `{"IncludePlannedDeletion":true}`, `"Name":"db"`},
		{"CreateSecret", `{"Name":"db"}`, "InvalidRequestException: You can't create this secret because a secret with this name is already scheduled for deletion."},
		{"RestoreSecret", named, `"Name":"db"`},
		{"GetSecretValue", named, `"SecretString":"a"`},
		{"DeleteSecret", named, `"DeletionDate":1797998706`},
	})
	p.now = p.now.Add(30 * 24 * time.Hour)
	p.run(t, []step{
		{"DescribeSecret", named, missing},
		{"CreateSecret", `{"Name":"db"}`, `"Name":"db"`},
		{"GetSecretValue", named, "ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSCURRENT"},
		{"DeleteSecret", `{"SecretId":"db","ForceDeleteWithoutRecovery":true}`, `"Name":"db"`},
		{"DescribeSecret", named, missing},
		{"DeleteSecret", `{"SecretId":"db","ForceDeleteWithoutRecovery":true}`, `"Name":"db"`},
	})
}

func TestListSecrets(t *testing.T) {
	t.Parallel()
	p := start()
	for _, body := range []string{
		`{"Name":"app/one","Description":"The first database","Tags":[{"Key":"team","Value":"red"}]}`,
		`{"Name":"app/two","Description":"the second"}`, `{"Name":"other"}`,
	} {
		p.do("CreateSecret", body)
		p.now = p.now.Add(time.Second)
	}
	for _, tt := range []struct{ name, body, want string }{
		{"all", `{}`, "app/one app/two other"},
		{"latest first", `{"SortOrder":"desc"}`, "other app/two app/one"},
		{"name", `{"Filters":[{"Key":"name","Values":["app/"]}]}`, "app/one app/two"},
		{"not that name", `{"Filters":[{"Key":"name","Values":["!app/"]}]}`, "other"},
		{"description", `{"Filters":[{"Key":"description","Values":["DATA"]}]}`, "app/one"},
		{"tag", `{"Filters":[{"Key":"tag-key","Values":["team"]},{"Key":"tag-value","Values":["re","blue"]}]}`, "app/one"},
		{"anything", `{"Filters":[{"Key":"all","Values":["second"]}]}`, "app/two"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out struct{ SecretList []struct{ Name string } }
			text := p.do("ListSecrets", tt.body)
			if err := json.Unmarshal([]byte(text), &out); err != nil {
				t.Fatal(text)
			}
			var got []string
			for _, secret := range out.SecretList {
				got = append(got, secret.Name)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
	p.run(t, []step{
		{"ListSecrets", `{"MaxResults":1,"NextToken":"?"}`, "InvalidNextTokenException"},
		{"ListSecrets", `{"Filters":[{"Key":"colour","Values":["x"]}]}`, "ValidationException"},
		{"TagResource", `{"SecretId":"other","Tags":[{"Key":"a","Value":"b"}]}`, ""},
		{"DescribeSecret", `{"SecretId":"other"}`, `"Tags":[{"Key":"a","Value":"b"}]`},
		{"UntagResource", `{"SecretId":"other","TagKeys":["a"]}`, ""},
		{"DescribeSecret", `{"SecretId":"other"}`, `"Tags":[]`},
	})
}

func TestRights(t *testing.T) {
	t.Parallel()
	grant := func(effect, principal string) string {
		return `{"Statement":{"Effect":"` + effect + `","Principal":{"AWS":"` + principal + `"},"Action":"secretsmanager:GetSecretValue","Resource":"*"}}`
	}
	when := func(key, value string) string {
		return `{"Statement":{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*","Condition":{"StringEquals":{"` + key + `":"` + value + `"}}}}`
	}
	for _, tt := range []struct{ name, policy, own, body, want string }{
		{"allowed, with AWS's key", allow(`"secretsmanager:*"`), "", `{"SecretId":"db"}`, `"SecretString":"v"`},
		{"by its ARN with six unknown characters", `{"Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + arnOf + `db-??????"}}`, "", `{"SecretId":"db"}`, `"SecretString":"v"`},
		{"by its ARN without them", `{"Statement":{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"` + arnOf + `db"}}`, "", `{"SecretId":"db"}`, "AccessDeniedException: secretsmanager:GetSecretValue on " + arnOf + "db-"},
		{"nothing tells what is there", allow(`"s3:*"`), "", `{"SecretId":"none"}`, "AccessDeniedException: secretsmanager:GetSecretValue on " + arnOf + "none"},
		{"allowed by the secret", allow(`"s3:*"`), grant("Allow", userARN), `{"SecretId":"db"}`, `"SecretString":"v"`},
		{"left to the account", allow(`"s3:*"`), grant("Allow", "arn:aws:iam::"+account+":root"), `{"SecretId":"db"}`, "AccessDeniedException"},
		{"denied by the secret", allow(`"*"`), grant("Deny", userARN), `{"SecretId":"db"}`, "AccessDeniedException"},
		{"tag", when("secretsmanager:ResourceTag/team", "red"), "", `{"SecretId":"db"}`, `"SecretString":"v"`},
		{"another tag", when("aws:ResourceTag/team", "blue"), "", `{"SecretId":"db"}`, "AccessDeniedException"},
		{"stage that is meant", when("secretsmanager:VersionStage", "AWSCURRENT"), "", `{"SecretId":"db"}`, `"SecretString":"v"`},
		{"another stage", when("secretsmanager:VersionStage", "AWSCURRENT"), "", `{"SecretId":"db","VersionStage":"AWSPREVIOUS"}`, "AccessDeniedException"},
		{"id as it is named", when("secretsmanager:SecretId", "db"), "", `{"SecretId":"` + arnOf + `db"}`, "AccessDeniedException"},
		{"own key without its right", allow(`"secretsmanager:*"`), "", `{"SecretId":"own"}`, "AccessDeniedException: Access to KMS is not allowed"},
		{"own key", allow(`["secretsmanager:*","kms:Decrypt"]`), "", `{"SecretId":"own"}`, `"SecretString":"w"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start()
			p.Keys.Adopt(p.call(""), "alias/own")
			p.do("CreateSecret", `{"Name":"db","SecretString":"v","Tags":[{"Key":"team","Value":"red"}]}`)
			p.do("CreateSecret", `{"Name":"own","SecretString":"w","KmsKeyId":"alias/own"}`)
			if tt.own != "" {
				put, _ := json.Marshal(map[string]string{"SecretId": "db", "ResourcePolicy": tt.own})
				p.run(t, []step{{"PutResourcePolicy", string(put), `"Name":"db"`}, {"GetResourcePolicy", `{"SecretId":"db"}`, `"ResourcePolicy":`}})
			}
			p.policy = tt.policy
			if got := p.do("GetSecretValue", tt.body); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	p := start()
	p.do("CreateSecret", `{"Name":"db"}`)
	p.run(t, []step{
		{"PutResourcePolicy", `{"SecretId":"db","ResourcePolicy":"{}"}`, "MalformedPolicyDocumentException: This resource policy contains invalid Json."},
		{"PutResourcePolicy", `{"SecretId":"db","BlockPublicPolicy":true,"ResourcePolicy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"secretsmanager:*\",\"Resource\":\"*\"}}"}`, "PublicPolicyException"},
		{"DeleteResourcePolicy", `{"SecretId":"db"}`, `"Name":"db"`},
	})
}

// A password has what is asked for and nothing else.
func TestGetRandomPassword(t *testing.T) {
	t.Parallel()
	p := start()
	for _, tt := range []struct {
		name, body, only string
		length           int
	}{
		{"digits", `{"PasswordLength":12,"ExcludePunctuation":true,"ExcludeUppercase":true,"ExcludeLowercase":true}`, "0123456789", 12},
		{"few", `{"PasswordLength":300,"ExcludePunctuation":true,"ExcludeUppercase":true,"ExcludeLowercase":true,"ExcludeCharacters":"3456789"}`, "012", 300},
		{"letters and a space", `{"PasswordLength":3,"ExcludePunctuation":true,"ExcludeNumbers":true,"IncludeSpace":true}`, " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out struct{ RandomPassword string }
			if text := p.do("GetRandomPassword", tt.body); json.Unmarshal([]byte(text), &out) != nil || len(out.RandomPassword) != tt.length || strings.Trim(out.RandomPassword, tt.only) != "" {
				t.Error(text)
			}
			if strings.Contains(tt.only, " ") && !strings.Contains(out.RandomPassword, " ") {
				t.Errorf("%q lacks a kind", out.RandomPassword)
			}
		})
	}
	p.run(t, []step{
		{"GetRandomPassword", `{"PasswordLength":3}`, "InvalidParameterException: Password length is too short based on the required types."},
		{"GetRandomPassword", `{"ExcludePunctuation":true,"ExcludeUppercase":true,"ExcludeLowercase":true,"ExcludeNumbers":true}`, "InvalidParameterException"},
	})
}

// What is saved is what was there, and no value shows elsewhere.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	p := start()
	p.do("CreateSecret", `{"Name":"db","SecretString":"hidden","Tags":[{"Key":"a","Value":"b"}]}`)
	p.do("GetSecretValue", `{"SecretId":"db"}`)
	saved, err := json.Marshal(p.State)
	if err != nil || strings.Contains(string(saved), "hidden") {
		t.Fatalf("%v, %s", err, saved)
	}
	loaded := start()
	loaded.Keys = p.Keys
	if err := json.Unmarshal(saved, loaded.State); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(loaded.State); string(again) != string(saved) {
		t.Errorf("saved %s, and then %s", saved, again)
	}
	loaded.run(t, []step{{"GetSecretValue", `{"SecretId":"db"}`, `"SecretString":"hidden"`}})
	read, err := loaded.Read(loaded.call("GetParameter"), "db", "", "")
	if err != nil || read.Text != "hidden" || strings.Contains(fmt.Sprintf("%v %+v %#v", read, read, read), "hidden") {
		t.Errorf("%v, %v", read, err)
	}
}
