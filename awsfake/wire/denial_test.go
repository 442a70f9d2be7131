package wire

import (
	"testing"

	"tegata/internal/policy"
)

func TestDenial(t *testing.T) {
	t.Parallel()
	const account = "123456789012"
	implicit := Denial{
		PrincipalID: "AIDA1", Principal: "arn:aws:iam::123456789012:user/u", Action: "ec2:CreateTags", Resource: "*",
		Conditions: map[string]string{"ec2:Region": "us-east-1", "aws:SecureTransport": "true"},
	}
	explicit := implicit
	explicit.ExplicitDeny, explicit.Conditions = true, nil
	explicit.Matched = []policy.Statement{{
		SID: "no", Effect: "Deny", Actions: []string{"ec2:*"}, Resources: []string{"*"},
		Conditions: []policy.Condition{{Operator: "StringEquals", Key: "ec2:Region", Values: []string{"us-east-1"}}},
	}}
	const principal = `"principal":{"id":"AIDA1","arn":"arn:aws:iam::123456789012:user/u"},"action":"ec2:CreateTags","resource":"*"`
	for _, tt := range []struct {
		name string
		in   Denial
		want string
	}{
		{"implicit", implicit, `{"allowed":false,"explicitDeny":false,"matchedStatements":{"items":[]},"failures":{"items":[]},"context":{` + principal +
			`,"conditions":{"items":[{"key":"aws:SecureTransport","values":{"items":[{"value":"true"}]}},{"key":"ec2:Region","values":{"items":[{"value":"us-east-1"}]}}]}}}`},
		{"explicit", explicit, `{"allowed":false,"explicitDeny":true,"matchedStatements":{"items":[{"statementId":"no","effect":"DENY","principals":{"items":[{"value":"AIDA1"}]},` +
			`"principalGroups":{"items":[]},"actions":{"items":[{"value":"ec2:*"}]},"resources":{"items":[{"value":"*"}]},"conditions":{"items":[{"key":"ec2:Region","values":{"items":[{"value":"us-east-1"}]}}]}}]},` +
			`"failures":{"items":[]},"context":{` + principal + `,"conditions":{"items":[]}}}`},
	} {
		encoded := EncodeDenial(account, tt.in)
		got, err := DecodeDenial(account, encoded)
		if err != nil || got != tt.want {
			t.Errorf("%s: %v\ngot  %s\nwant %s", tt.name, err, got, tt.want)
		}
		changed := []byte(encoded)
		changed[30] ^= 'A' ^ 'B' // another letter, or none of the alphabet
		for name, broken := range map[string]string{"shorter": encoded[1:], "changed": string(changed), "nothing": "", "no base64": encoded + "!"} {
			if _, err := DecodeDenial(account, broken); err != ErrMessage {
				t.Errorf("%s, %s: %v", tt.name, name, err)
			}
		}
		if _, err := DecodeDenial("210987654321", encoded); err != ErrMessage {
			t.Errorf("%s: another account: %v", tt.name, err)
		}
	}
}

// No message opens by chance, and none does harm.
func FuzzDecodeDenial(f *testing.F) {
	f.Add("")
	f.Add(EncodeDenial("123456789012", Denial{Action: "ec2:CreateTags"}))
	f.Fuzz(func(t *testing.T, encoded string) {
		text, err := DecodeDenial("210987654321", encoded)
		if err != ErrMessage || text != "" {
			t.Errorf("%q became %q, %v", encoded, text, err)
		}
	})
}
