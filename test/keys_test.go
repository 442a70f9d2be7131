//go:build linux

package test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// asking is the beginning of programs on botocore that ask three services, each
// of which has codes of its own for keys, and print what they answered.
const asking = `
import botocore.session, botocore.config, botocore.exceptions

def client(service, **how):
    once = botocore.config.Config(retries={"max_attempts": 0})
    return botocore.session.get_session().create_client(service, config=once, **how)

def ask(region=None, endpoint=None, **key):
    for service, operation, arguments in (
        ("sts", "get_caller_identity", {}), ("ssm", "get_parameter", {"Name": "/none"}), ("ec2", "describe_regions", {})):
        how = {"region_name": region, "endpoint_url": endpoint and endpoint % service, **key}
        try:
            getattr(client(service, **how), operation)(**arguments)
            print(service, "answered")
        except botocore.exceptions.ClientError as e:
            print(service, e.response["ResponseMetadata"]["HTTPStatusCode"], e.response["Error"]["Code"] + ": " + e.response["Error"]["Message"])

iam = client("iam")

def make_key():
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    return made["AccessKeyId"], {"aws_access_key_id": made["AccessKeyId"], "aws_secret_access_key": made["SecretAccessKey"]}
`

// Who is known may be refused what is asked, but not for the key.
var known = []string{"sts answered", "ssm 400 AccessDeniedException: .*user/ann is not authorized to perform: ssm:GetParameter.*",
	"ec2 403 UnauthorizedOperation: You are not authorized to perform this operation. .*"}

// unknown is what is told of a key that is none, or none yet, or none any more.
var unknown = []string{
	"sts 403 InvalidClientTokenId: The security token included in the request is invalid.",
	"ssm 400 UnrecognizedClientException: The security token included in the request is invalid.",
	"ec2 401 AuthFailure: AWS was not able to validate the provided access credentials",
}

// Each way in which keys fail has the codes and the texts of AWS, to a client
// that none of us wrote.
func TestKeysFail(t *testing.T) {
	requireBox(t)
	python := requirePython(t)
	const tooLate = `Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - `
	for _, tt := range []struct {
		name, scene, program string
		want                 []string // regular expressions, a line each
	}{
		{"inactive", administrator, `
id, key = make_key()
ask(**key)
iam.update_access_key(UserName="ann", AccessKeyId=id, Status="Inactive")
ask(**key)
iam.update_access_key(UserName="ann", AccessKeyId=id, Status="Active")
ask(**key)`, slices.Concat(known, unknown, known)},
		{"deleted", administrator, `
id, key = make_key()
ask(**key)
iam.delete_access_key(UserName="ann", AccessKeyId=id)
ask(**key)`, slices.Concat(known, unknown)},
		{"too young", administrator + "delays: {iam: 1h}\n", "ask(**make_key()[1])", unknown},
		{"old enough", administrator + "delays: {iam: 1ms}\n", "ask(**make_key()[1])", known},
		{"an expired session", strings.Replace(administrator, "role:\n", "role:\n  credentials: expired\n", 1), "ask()", []string{
			"sts 403 ExpiredToken: The security token included in the request is expired",
			"ssm 400 ExpiredTokenException: The security token included in the request is expired",
			"ec2 400 RequestExpired: Request has expired.",
		}},
		{"a clock that is behind", administrator + "clock_skew: 20m\n", "ask()", []string{
			"sts 403 SignatureDoesNotMatch: " + tooLate + `15 min\.\)`,
			"ssm 400 InvalidSignatureException: " + tooLate + `5 min\.\)`,
			"ec2 401 AuthFailure: AWS was not able to validate the provided access credentials",
		}},
		{"a wrong region in the scope", administrator, `ask(region="eu-west-1", endpoint="https://%s.us-west-2.amazonaws.com")`, []string{
			"sts 403 SignatureDoesNotMatch: Credential should be scoped to a valid region. ",
			"ssm 400 InvalidSignatureException: Credential should be scoped to a valid region. ",
			"ec2 401 AuthFailure: AWS was not able to validate the provided access credentials",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, "sandbox", "--scenario", scenario(t, tt.scene), "--", python, "-c", asking+tt.program)
			got := strings.Split(strings.TrimSuffix(r.stdout, "\n"), "\n")
			if r.status != 0 || len(got) != len(tt.want) {
				t.Fatalf("status %d, %d lines, want %d\n%s%s", r.status, len(got), len(tt.want), r.stdout, r.stderr)
			}
			for i, want := range tt.want {
				if !regexp.MustCompile("^" + want + "$").MatchString(got[i]) {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}
