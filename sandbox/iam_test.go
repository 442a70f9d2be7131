package sandbox

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// members is a scenario with more people than the instance's role.
const members = `
role:
  policies:
    take: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: ["sts:AssumeRole", "ec2:AssociateIamInstanceProfile", "iam:PassRole", "iam:GetUser"], Resource: "*"}]}
iam:
  users:
    deploy:
      policies:
        look: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "iam:ListUsers", Resource: "*"}]}
      keys:
        AKIAIOSFODNN7ACTIVE2: {secret: one}
        AKIAIOSFODNN7STALE22: {secret: two, status: inactive}
        AKIAIOSFODNN7FRESH22: {secret: three, new: true}
      sessions:
        ASIAIOSFODNN7LASTING: {secret: four, token: t4}
        ASIAIOSFODNN7ENDED22: {secret: five, token: t5, ended: 1h}
  roles:
    reader: {policies: {all: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}}}
  scps:
    no-tokyo-users: {Version: "2012-10-17", Statement: [{Effect: Deny, Action: "iam:GetUser", Resource: "*"}]}
delays: {iam: 1h}
`

func TestMembersOfAccount(t *testing.T) {
	t.Parallel()
	r := runScenario(t, parse(t, members))
	for _, tt := range []struct {
		name   string
		with   aws.Credentials
		query  string
		status int
		want   string
	}{
		{"active key", aws.Credentials{AccessKeyID: "AKIAIOSFODNN7ACTIVE2", SecretAccessKey: "one"}, "ListUsers", 200, "<UserName>deploy</UserName>"},
		{"inactive key", aws.Credentials{AccessKeyID: "AKIAIOSFODNN7STALE22", SecretAccessKey: "two"}, "ListUsers", 403, "InvalidClientTokenId"},
		{"new key", aws.Credentials{AccessKeyID: "AKIAIOSFODNN7FRESH22", SecretAccessKey: "three"}, "ListUsers", 403, "InvalidClientTokenId"},
		{"session", aws.Credentials{AccessKeyID: "ASIAIOSFODNN7LASTING", SecretAccessKey: "four", SessionToken: "t4"}, "ListRoles", 403, "user/deploy is not authorized to perform: iam:ListRoles"},
		{"ended session", aws.Credentials{AccessKeyID: "ASIAIOSFODNN7ENDED22", SecretAccessKey: "five", SessionToken: "t5"}, "ListUsers", 403, "ExpiredToken"},
		{"service control policy", r.held(t), "GetUser&UserName=deploy", 403, "explicit deny in a service control policy"},
	} {
		status, body := r.query(t, tt.with, "iam", "Action="+tt.query)
		if status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: %d %s, want %d %s", tt.name, status, body, tt.status, tt.want)
		}
	}
}

func TestInvalidMembers(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{users: {"a b": {}}}`:                                                                `iam.users.a b: "a b" does not look like deploy`,
		`{users: {a: {keys: {AKIA: {secret: x}}}}}`:                                           `iam.users.a.keys.AKIA: "AKIA" does not look like AKIAIOSFODNN7EXAMPLE`,
		`{users: {a: {keys: {AKIAIOSFODNN7EXAMPLE: {}}}}}`:                                    `iam.users.a.keys.AKIAIOSFODNN7EXAMPLE.secret: is missing`,
		`{users: {a: {keys: {AKIAIOSFODNN7EXAMPLE: {secret: x, status: gone}}}}}`:             `iam.users.a.keys.AKIAIOSFODNN7EXAMPLE.status: "gone" is not one of active, inactive`,
		`{users: {a: {sessions: {ASIAIOSFODNN7EXAMPLE: {secret: x}}}}}`:                       `iam.users.a.sessions.ASIAIOSFODNN7EXAMPLE.token: is missing`,
		`{users: {a: {sessions: {ASIAIOSFODNN7EXAMPLE: {secret: x, token: y, ended: -1s}}}}}`: `iam.users.a.sessions.ASIAIOSFODNN7EXAMPLE.ended: -1s is negative`,
		`{roles: {bedrock-ui-ec2-role: {}}}`:                                                  `iam.roles.bedrock-ui-ec2-role: is the role of the instance, which stands under role`,
		`{profiles: {p: {role: nobody}}}`:                                                     `iam.profiles.p.role: there is no role "nobody"`,
		`{profiles: {bedrock-ui-ec2-role: {}}}`:                                               `iam.profiles.bedrock-ui-ec2-role: is the profile of the instance, which stands under role`,
	} {
		_, err := Parse("s.yaml", []byte("iam: "+text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
