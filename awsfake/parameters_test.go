package awsfake

import (
	"strings"
	"testing"

	"tegata/awsfake/ssm"
	"tegata/internal/policy"
)

// Parameters, keys and secrets are of one account: what one service makes, the
// others use, and all of it is in the saved state.
func TestParametersKeysAndSecrets(t *testing.T) {
	t.Parallel()
	b := start(t, nil)
	call := func(service, target, body string) string {
		t.Helper()
		return b.do(t, exchange{service: service, method: "POST", path: "/", body: body, header: map[string]string{
			"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": target,
		}}).body
	}
	made := call("kms", "TrentService.CreateKey", `{}`)
	_, rest, _ := strings.Cut(made, `"KeyId":"`)
	key, _, _ := strings.Cut(rest, `"`)
	for _, step := range []struct{ service, target, body, want string }{
		{"ssm", "AmazonSSM.PutParameter", `{"Name":"/s","Value":"v","Type":"SecureString","KeyId":"` + key + `"}`, `"Version":1`},
		{"ssm", "AmazonSSM.GetParameter", `{"Name":"/s","WithDecryption":true}`, `"Value":"v"`},
		{"kms", "TrentService.DisableKey", `{"KeyId":"` + key + `"}`, ""},
		{"ssm", "AmazonSSM.GetParameter", `{"Name":"/s","WithDecryption":true}`, `"__type":"InvalidKeyId"`},
		{"secretsmanager", "secretsmanager.CreateSecret", `{"Name":"db","SecretString":"w"}`, `"Name":"db"`},
		{"ssm", "AmazonSSM.GetParameter", `{"Name":"/aws/reference/secretsmanager/db","WithDecryption":true}`, `"Value":"w"`},
	} {
		if got := call(step.service, step.target, step.body); !strings.Contains(got, step.want) {
			t.Errorf("%s %s: got %s, want %s", step.target, step.body, got, step.want)
		}
	}
}

// A caller needs no right of its own for what the policy of a key grants.
func TestAuthorizeTellsWhatCallersNeed(t *testing.T) {
	t.Parallel()
	var told []string
	b := start(t, func(o *Options) {
		o.OnAuthorize = func(u policy.Use) { told = append(told, u.Action) }
		o.Parameters = map[string]ssm.Seed{"/aws-key": {Value: "v", Type: "SecureString"}, "/own": {Value: "v", Type: "SecureString", KeyID: "1234"}}
	})
	for _, name := range []string{"/aws-key", "/own"} {
		b.do(t, getParameter(`{"Name":"`+name+`","WithDecryption":true}`))
	}
	if got, want := strings.Join(told, " "), "ssm:GetParameter ssm:GetParameter kms:Decrypt"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
