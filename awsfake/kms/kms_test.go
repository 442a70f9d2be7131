package kms_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/awsfake/kms"
	"tegata/awsfake/wire"
	"tegata/internal/policy"
)

const (
	region  = "ap-northeast-1"
	account = "123456789012"
	arnOf   = "arn:aws:kms:" + region + ":" + account + ":"
	userARN = "arn:aws:iam::" + account + ":user/mia"
	nobody  = "11111111-2222-4333-8444-555555555555"
)

// A place is KMS with one caller, whose policy a test may change.
type place struct {
	*kms.Service
	policy string
	now    time.Time
}

func start() *place {
	return &place{
		Service: &kms.Service{State: &kms.State{}}, policy: allow(`"*"`),
		now: time.Date(2026, 11, 23, 4, 5, 6, 0, time.UTC),
	}
}

func allow(action string) string {
	return `{"Statement":{"Effect":"Allow","Action":` + action + `,"Resource":"*"}}`
}

func (p *place) call() *wire.Call {
	c := &wire.Call{
		Region: region, Account: account, Protocol: wire.JSON,
		Caller: wire.Caller{ARN: userARN, Principal: userARN, User: "mia"},
		Clock:  func() time.Time { return p.now },
		Keys:   func(more map[string]string) map[string]string { return maps.Clone(more) },
	}
	c.Decide = func(r policy.Request, own *policy.Named) error {
		identity, err := policy.Parse([]byte(p.policy))
		if err != nil {
			return err
		}
		decision := policy.Evaluate([]policy.Document{identity}, r)
		if own != nil && decision == policy.ImplicitDeny {
			decision = policy.Evaluate([]policy.Document{own.Document}, r)
		}
		if decision != policy.Allow {
			return wire.Refuse("AccessDeniedException", "identity: "+r.Action+" on "+r.Resource)
		}
		return nil
	}
	return c
}

// do runs an operation and returns its answer, or its error as the wire has it.
func (p *place) do(operation, body string) string {
	for _, o := range p.Wire().Operations {
		if o.Name == operation {
			c := p.call()
			c.Body = []byte(body)
			w := httptest.NewRecorder()
			if err := o.Serve(w, c, &sync.Mutex{}); err != nil {
				return err.Error()
			}
			return w.Body.String()
		}
	}
	return http.StatusText(http.StatusNotFound)
}

func (p *place) create(t *testing.T, body string) (id string) {
	t.Helper()
	var out struct {
		KeyMetadata struct {
			KeyID string `json:"KeyId"`
		}
	}
	if text := p.do("CreateKey", body); json.Unmarshal([]byte(text), &out) != nil || out.KeyMetadata.KeyID == "" {
		t.Fatal(text)
	}
	return out.KeyMetadata.KeyID
}

// encrypted is what becomes of text under a key.
func (p *place) encrypted(t *testing.T, key, context, text string) string {
	t.Helper()
	var out struct{ CiphertextBlob string }
	answer := p.do("Encrypt", fmt.Sprintf(`{"KeyId":%q,"EncryptionContext":%s,"Plaintext":%q}`, key, context, base64.StdEncoding.EncodeToString([]byte(text))))
	if json.Unmarshal([]byte(answer), &out) != nil || out.CiphertextBlob == "" {
		t.Fatal(answer)
	}
	return out.CiphertextBlob
}

func TestKeys(t *testing.T) {
	t.Parallel()
	p := start()
	key := p.create(t, `{"Description":"of a test","Tags":[{"TagKey":"team","TagValue":"red"}]}`)
	p.do("CreateAlias", `{"AliasName":"alias/app","TargetKeyId":"`+key+`"}`)
	describe := `"Arn":"` + arnOf + `key/` + key + `","CreationDate":1795406706,"Enabled":true,"Description":"of a test","KeyUsage":"ENCRYPT_DECRYPT","KeyState":"Enabled","Origin":"AWS_KMS","KeyManager":"CUSTOMER","CustomerMasterKeySpec":"SYMMETRIC_DEFAULT","KeySpec":"SYMMETRIC_DEFAULT","EncryptionAlgorithms":["SYMMETRIC_DEFAULT"],"MultiRegion":false}}`
	for _, tt := range []struct{ name, operation, body, want string }{
		{"by id", "DescribeKey", `{"KeyId":"KEY"}`, describe},
		{"by ARN", "DescribeKey", `{"KeyId":"` + arnOf + `key/KEY"}`, describe},
		{"by alias", "DescribeKey", `{"KeyId":"alias/app"}`, describe},
		{"by ARN of the alias", "DescribeKey", `{"KeyId":"` + arnOf + `alias/app"}`, describe},
		{"no key", "DescribeKey", `{}`, "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null"},
		{"unknown id", "DescribeKey", `{"KeyId":"` + nobody + `"}`, "NotFoundException: Key '" + arnOf + "key/" + nobody + "' does not exist"},
		{"no id", "DescribeKey", `{"KeyId":"nonsense"}`, "NotFoundException: Invalid keyId 'nonsense'"},
		{"unknown alias", "DescribeKey", `{"KeyId":"alias/none"}`, "NotFoundException: Alias " + arnOf + "alias/none is not found."},
		{"no ARN", "DescribeKey", `{"KeyId":"arn:aws:s3:::x"}`, "InvalidArnException: Invalid arn arn:aws:s3:::x"},
		{"ARN of another region", "DescribeKey", `{"KeyId":"arn:aws:kms:us-east-1:` + account + `:key/KEY"}`, "NotFoundException: Invalid arn us-east-1"},
		{"alias where none is taken", "DisableKey", `{"KeyId":"alias/app"}`, "NotFoundException: Invalid keyId 'alias/app'"},
		{"AWS's own alias", "DescribeKey", `{"KeyId":"alias/aws/ssm"}`, `"KeyManager":"AWS"`},
		{"list", "ListKeys", `{"Limit":1}`, `"Truncated":true`},
		{"bad marker", "ListKeys", `{"Marker":"?"}`, "InvalidMarkerException"},
		{"aliases", "ListAliases", `{"KeyId":"KEY"}`, `{"Aliases":[{"AliasArn":"` + arnOf + `alias/app","AliasName":"alias/app","TargetKeyId":"KEY"`},
		{"tags", "ListResourceTags", `{"KeyId":"KEY"}`, `{"Tags":[{"TagKey":"team","TagValue":"red"}],"Truncated":false}`},
		{"rotation", "GetKeyRotationStatus", `{"KeyId":"KEY"}`, `{"KeyId":"KEY","KeyRotationEnabled":false}`},
		{"policy", "GetKeyPolicy", `{"KeyId":"KEY","PolicyName":"default"}`, `Enable IAM User Permissions`},
		{"another policy", "GetKeyPolicy", `{"KeyId":"KEY","PolicyName":"other"}`, "NotFoundException: No such policy exists"},
		{"alias again", "CreateAlias", `{"AliasName":"alias/app","TargetKeyId":"KEY"}`, "AlreadyExistsException: An alias with the name " + arnOf + "alias/app already exists"},
		{"alias of AWS", "CreateAlias", `{"AliasName":"alias/aws/mine","TargetKeyId":"KEY"}`, "NotAuthorizedException"},
		{"no alias", "CreateAlias", `{"AliasName":"app","TargetKeyId":"KEY"}`, `ValidationException: Alias must start with the prefix "alias/".`},
		{"a usage that is none", "CreateKey", `{"KeyUsage":"OPEN_DOORS"}`, "ValidationException"},
		{"asymmetric", "CreateKey", `{"KeySpec":"RSA_2048"}`, "UnsupportedOperationException"},
		{"locked out", "PutKeyPolicy", `{"KeyId":"KEY","Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/noa\"},\"Action\":\"kms:*\",\"Resource\":\"*\"}}"}`,
			"MalformedPolicyDocumentException: The new key policy will not allow you to update the key policy in the future."},
		{"policy without a principal", "PutKeyPolicy", `{"KeyId":"KEY","Policy":"{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"kms:*\",\"Resource\":\"*\"}}"}`, "MalformedPolicyDocumentException"},
		{"deleted too soon", "ScheduleKeyDeletion", `{"KeyId":"KEY","PendingWindowInDays":3}`, "ValidationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			put := strings.NewReplacer("KEY", key)
			if got := p.do(tt.operation, put.Replace(tt.body)); !strings.Contains(got, put.Replace(tt.want)) {
				t.Errorf("got %s, want %s", got, put.Replace(tt.want))
			}
		})
	}
}

// A key goes through its states; each refuses as AWS's does.
func TestStates(t *testing.T) {
	t.Parallel()
	p := start()
	key := p.create(t, `{}`)
	arn := arnOf + "key/" + key
	named := `{"KeyId":"` + key + `"}`
	blob := p.encrypted(t, key, `{}`, "text")
	for _, step := range []struct{ operation, body, want string }{
		{"Decrypt", `{"CiphertextBlob":"` + blob + `"}`, `{"KeyId":"` + arn + `","Plaintext":"dGV4dA==","EncryptionAlgorithm":"SYMMETRIC_DEFAULT"}`},
		{"DisableKey", named, ""},
		{"Decrypt", `{"CiphertextBlob":"` + blob + `"}`, "DisabledException: " + arn + " is disabled."},
		{"EnableKey", named, ""},
		{"EnableKeyRotation", named, ""},
		{"GetKeyRotationStatus", named, `"KeyRotationEnabled":true,"RotationPeriodInDays":365`},
		{"EnableKeyRotation", `{"KeyId":"` + key + `","RotationPeriodInDays":89}`, "ValidationException: 1 validation error detected: Value '89' at 'rotationPeriodInDays'"},
		{"EnableKeyRotation", `{"KeyId":"` + key + `","RotationPeriodInDays":180}`, ""},
		{"GetKeyRotationStatus", named, `"KeyRotationEnabled":true,"RotationPeriodInDays":180`},
		{"CancelKeyDeletion", named, "KMSInvalidStateException: " + arn + " is not pending deletion."},
		{"ScheduleKeyDeletion", `{"KeyId":"` + key + `","PendingWindowInDays":7}`, `"DeletionDate":1796011506,"KeyState":"PendingDeletion","PendingWindowInDays":7`},
		{"Decrypt", `{"CiphertextBlob":"` + blob + `"}`, "KMSInvalidStateException: " + arn + " is pending deletion."},
		{"EnableKey", named, "KMSInvalidStateException: " + arn + " is pending deletion."},
		{"CancelKeyDeletion", named, `{"KeyId":"` + arn + `"}`},
		{"DescribeKey", named, `"KeyState":"Disabled"`},
		{"ScheduleKeyDeletion", `{"KeyId":"` + key + `","PendingWindowInDays":7}`, "PendingDeletion"},
	} {
		if got := p.do(step.operation, step.body); !strings.Contains(got, step.want) || step.want == "" && got != "" {
			t.Errorf("%s: got %s, want %s", step.operation, got, step.want)
		}
	}
	p.now = p.now.Add(7 * 24 * time.Hour)
	if got, want := p.do("DescribeKey", named), "NotFoundException: Key '"+arn+"' does not exist"; got != want {
		t.Errorf("after the waiting period: got %s, want %s", got, want)
	}
	if got := p.do("Decrypt", `{"CiphertextBlob":"`+blob+`"}`); got != "AccessDeniedException: "+kms.NoKey {
		t.Errorf("after the waiting period: %s", got)
	}
}

func TestDecrypt(t *testing.T) {
	t.Parallel()
	p := start()
	key, other := p.create(t, `{}`), p.create(t, `{}`)
	blob := p.encrypted(t, key, `{"a":"1","b":"2"}`, "text")
	torn := base64.StdEncoding.EncodeToString([]byte("\x01\x02\x02\x00torn"))
	for _, tt := range []struct{ name, body, want string }{
		{"same context", `{"CiphertextBlob":"BLOB","EncryptionContext":{"b":"2","a":"1"}}`, `"Plaintext":"dGV4dA=="`},
		{"its key", `{"CiphertextBlob":"BLOB","EncryptionContext":{"b":"2","a":"1"},"KeyId":"` + key + `"}`, `"Plaintext":"dGV4dA=="`},
		{"another key", `{"CiphertextBlob":"BLOB","EncryptionContext":{"b":"2","a":"1"},"KeyId":"` + other + `"}`, "IncorrectKeyException: The key ID in the request does not identify a CMK that can perform this operation."},
		{"no context", `{"CiphertextBlob":"BLOB"}`, "InvalidCiphertextException: "},
		{"another context", `{"CiphertextBlob":"BLOB","EncryptionContext":{"a":"12","b":""}}`, "InvalidCiphertextException: "},
		{"no ciphertext of ours", `{"CiphertextBlob":"eHl6"}`, "InvalidCiphertextException: "},
		{"torn", `{"CiphertextBlob":"` + torn + `"}`, "InvalidCiphertextException: "},
		{"empty", `{"CiphertextBlob":""}`, "ValidationException: 1 validation error detected: Value '' at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		{"dry run", `{"CiphertextBlob":"BLOB","EncryptionContext":{"b":"2","a":"1"},"DryRun":true}`, "DryRunOperationException"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.do("Decrypt", strings.ReplaceAll(tt.body, "BLOB", blob)); !strings.Contains(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	if got := p.do("ReEncrypt", `{"CiphertextBlob":"`+blob+`","SourceEncryptionContext":{"a":"1","b":"2"},"DestinationKeyId":"`+other+`"}`); !strings.Contains(got, `"KeyId":"`+arnOf+"key/"+other) {
		t.Error(got)
	}
	if got := p.do("GenerateDataKey", `{"KeyId":"`+key+`"}`); got != "ValidationException: Please specify either number of bytes or key spec." {
		t.Error(got)
	}
	if got := p.do("GenerateDataKeyWithoutPlaintext", `{"KeyId":"`+key+`","KeySpec":"AES_256"}`); strings.Contains(got, "Plaintext") || !strings.Contains(got, "CiphertextBlob") {
		t.Error(got)
	}
}

// The policy of a key decides, and the caller's own only where the key leaves
// it to the account.
func TestKeyPolicies(t *testing.T) {
	t.Parallel()
	statement := func(effect, principal, action string) string {
		return `{"Effect":"` + effect + `","Principal":{"AWS":"` + principal + `"},"Action":"` + action + `","Resource":"*"}`
	}
	const root = "arn:aws:iam::" + account + ":root"
	other := strings.Replace(userARN, "mia", "noa", 1)
	for _, tt := range []struct{ name, key, identity, want string }{
		{"left to the account, which allows", statement("Allow", root, "kms:*"), allow(`"kms:Encrypt"`), ""},
		{"left to the account, which is silent", statement("Allow", root, "kms:*"), allow(`"s3:*"`), "identity: kms:Encrypt on "},
		{"left to the account by its number", statement("Allow", account, "kms:*"), allow(`"s3:*"`), "identity: kms:Encrypt on "},
		{"named", statement("Allow", userARN, "kms:Encrypt"), allow(`"s3:*"`), ""},
		{"everybody", statement("Allow", "*", "kms:Encrypt"), allow(`"s3:*"`), ""},
		{"somebody else is named", statement("Allow", other, "kms:*"), allow(`"*"`),
			"User: " + userARN + " is not authorized to perform: kms:Encrypt on resource: " + arnOf + "key/KEY because no resource-based policy allows the kms:Encrypt action"},
		{"denied there", statement("Allow", root, "kms:*") + "," + statement("Deny", userARN, "kms:Encrypt"), allow(`"*"`), "with an explicit deny in a resource-based policy"},
		{"named, but denied here", statement("Allow", userARN, "kms:Encrypt"), `{"Statement":{"Effect":"Deny","Action":"kms:*","Resource":"*"}}`, "identity: kms:Encrypt on "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := start()
			key := p.create(t, `{}`)
			put, _ := json.Marshal(map[string]any{"KeyId": key, "Policy": `{"Statement":[` + tt.key + `]}`, "BypassPolicyLockoutSafetyCheck": true})
			if got := p.do("PutKeyPolicy", string(put)); got != "" {
				t.Fatal(got)
			}
			p.policy = tt.identity
			got := p.do("Encrypt", `{"KeyId":"`+key+`","Plaintext":"eA=="}`)
			if want := strings.ReplaceAll(tt.want, "KEY", key); want == "" != strings.Contains(got, "CiphertextBlob") || !strings.Contains(got, want) {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// AWS's own key is for everybody, but through its service alone.
func TestManagedKey(t *testing.T) {
	t.Parallel()
	p := start()
	p.policy = allow(`"ssm:*"`)
	context := map[string]string{"PARAMETER_ARN": "x"}
	blob, _, err := p.Service.Encrypt(p.call(), "alias/aws/ssm", kms.Use{Via: "ssm", Context: context}, []byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	text, _, err := p.Service.Decrypt(p.call(), kms.Use{Via: "ssm", Context: context}, blob)
	if err != nil || string(text) != "text" {
		t.Errorf("through SSM: %q, %v", text, err)
	}
	p.policy = allow(`"*"`)
	for _, via := range []string{"", "secretsmanager"} {
		if _, _, err := p.Service.Decrypt(p.call(), kms.Use{Via: via, Context: context}, blob); err == nil || !strings.Contains(err.Error(), "no resource-based policy") {
			t.Errorf("through %q: %v", via, err)
		}
	}
}

// What is saved is what was there, and the secret shows nowhere else.
func TestStateRoundTrip(t *testing.T) {
	t.Parallel()
	p := start()
	key := p.create(t, `{}`)
	blob := p.encrypted(t, key, `{}`, "text")
	saved, err := json.Marshal(p.State)
	if err != nil {
		t.Fatal(err)
	}
	loaded := start()
	if err := json.Unmarshal(saved, loaded.State); err != nil {
		t.Fatal(err)
	}
	if again, _ := json.Marshal(loaded.State); string(again) != string(saved) {
		t.Errorf("saved %s, and then %s", saved, again)
	}
	if got := loaded.do("Decrypt", `{"CiphertextBlob":"`+blob+`"}`); !strings.Contains(got, `"Plaintext":"dGV4dA=="`) {
		t.Error(got)
	}
	k := p.State.Regions[region].Keys[key]
	for _, printed := range []string{fmt.Sprint(*k), fmt.Sprintf("%+v %#v %x %s", *k, *k, k.Material, k.Material)} {
		if !strings.Contains(printed, "redacted") || strings.Contains(printed, fmt.Sprintf("%x", []byte(k.Material))) || strings.Contains(printed, fmt.Sprint([]byte(k.Material))) {
			t.Error("the material is printed")
		}
	}
}

// Whatever is sent as a ciphertext, only what was encrypted here opens.
func FuzzDecrypt(f *testing.F) {
	p := start()
	good := p.Seal(p.call(), nobody, nil, []byte("text"))
	f.Add(good)
	f.Add(good[:20])
	f.Add([]byte("\x01\x02\x02\x00\xff"))
	f.Fuzz(func(t *testing.T, blob []byte) {
		text, _, err := p.Service.Decrypt(p.call(), kms.Use{}, blob)
		if (err == nil) != (string(blob) == string(good)) {
			t.Errorf("opened %x to %q, %v", blob, text, err)
		}
	})
}
