package awsfake

import (
	"strings"
	"testing"
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
