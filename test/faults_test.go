//go:build linux

package test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// untold are the faults that doctor does not tell, each with a command to which
// it shows, what that says then, and what it says without the fault.
var untold = map[string]struct{ command, with, without string }{
	"agent-role-missing": {"curl -s -H X-Amz-Target:AmazonSSM.RequestManagedInstanceRoleToken -d {} $AWS_ENDPOINT_URL/",
		"Systems Manager's instance management role is not configured for account: 123456789012", "UnknownOperationException"},
	"container-uri-not-local": {"aws1 sts get-caller-identity", "Unsupported host 'credentials.internal'", "assumed-role/bedrock-ui-ec2-role"},
	"endpoint-without-slash":  {"aws2 sts get-caller-identity", "http://169.254.169.254:80latest/api/token", "assumed-role/bedrock-ui-ec2-role"},
	"env-file-not-passed-on":  {`cat $HOME/bedrock-ui/.env $HOME/bedrock-ui/docker-compose.yml; grep -c environment: $HOME/bedrock-ui/docker-compose.yml`, "AWS_REGION=ap-northeast-1", "No such file"},
	"log-group-denied": {"aws1 logs create-log-group --log-group-name app; aws1 logs put-retention-policy --log-group-name app --retention-in-days 7",
		"An error occurred (ResourceNotFoundException) when calling the PutRetentionPolicy", "is not authorized to perform: logs:PutRetentionPolicy"},
	"log-retention-denied": {"aws1 logs create-log-group --log-group-name app; aws1 logs put-retention-policy --log-group-name app --retention-in-days 7",
		"is not authorized to perform: logs:PutRetentionPolicy on resource: arn:aws:logs:ap-northeast-1:123456789012:log-group:app:log-stream:", "is not authorized to perform: logs:CreateLogGroup"},
	"not-on-ec2": {"curl -sS -i -m 1 http://169.254.169.254/", "Failed to connect to 169.254.169.254 port 80", "401 Unauthorized"},
	"parameter-arn-wrong": {"aws1 ssm get-parameter --name /bedrock-ui/system-prompt",
		"is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:ap-northeast-1:123456789012:parameter/bedrock-ui/system-prompt", "You are a helpful assistant."},
	"parameter-denied": {"aws1 ssm get-parameter --name /bedrock-ui/system-prompt; aws1 ssm get-parameters --names /bedrock-ui/system-prompt",
		"is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:ap-northeast-1:123456789012:parameter/bedrock-ui/system-prompt", "You are a helpful assistant."},
	"parameter-key-denied": {"aws1 ssm get-parameter --with-decryption --name /bedrock-ui/system-prompt; aws1 ssm get-parameter --name /bedrock-ui/system-prompt",
		"The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.", "You are a helpful assistant."},
	"parameter-missing":       {"aws1 ssm get-parameter --name /bedrock-ui/system-prompt", "An error occurred (ParameterNotFound)", "You are a helpful assistant."},
	"parameter-without-slash": {`aws1 ssm get-parameter --name "${SYSTEM_PROMPT_PARAMETER-/bedrock-ui/system-prompt}"`, "An error occurred (ValidationException)", "You are a helpful assistant."},
	"profile-just-made": {"aws1 ec2 associate-iam-instance-profile --instance-id i-0a1b2c3d4e5f60718 --iam-instance-profile Name=fresh-profile",
		"Value (fresh-profile) for parameter iamInstanceProfile.name is invalid. Invalid IAM Instance Profile name", "UnauthorizedOperation"},
	"proxy-for-everything":           {"aws1 sts get-caller-identity", "Failed to connect to proxy URL", "assumed-role/bedrock-ui-ec2-role"},
	"region-not-enabled":             {"aws1 sts get-caller-identity; aws1 sts get-caller-identity --region us-east-1", "An error occurred (InvalidClientTokenId)", "assumed-role/bedrock-ui-ec2-role"},
	"registry-login-of-another-user": {`cat $HOME/.docker/config.json $HOME/home/ubuntu/.docker/config.json`, "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", "No such file"},
	"registry-not-logged-in":         {`cat $HOME/.docker/config.json $HOME/bedrock-ui/docker-compose.yml`, "image: 123456789012.dkr.ecr.", "No such file"},
	"role-not-assumable": {"aws1 sts get-caller-identity",
		"is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/bedrock-cross-role", "assumed-role/bedrock-ui-ec2-role"},
	"settings-of-another-user": {"AWS_CONFIG_FILE=$HOME/home/$SUDO_USER/.aws/config aws2 configure list-profiles; aws1 --profile bedrock sts get-caller-identity",
		"bedrock\n\nThe config profile (bedrock) could not be found", "The config profile (bedrock) could not be found"},
	"version-1-after-a-wait": {"curl -s -m 1 -X PUT -H X-aws-ec2-metadata-token-ttl-seconds:60 http://169.254.169.254/latest/api/token; echo $?; curl -s -w %{http_code} http://169.254.169.254/latest/meta-data/instance-id",
		"28\ni-0a1b2c3d4e5f60718200", "0\n401"},
}

// All that --fault takes breaks something, in a way of its own: doctor names
// the finding that belongs to it, or else another program is seen to fail of it.
func TestFaults(t *testing.T) {
	t.Parallel()
	requireBox(t)
	programs := fmt.Sprintf("aws1() { %s \"$@\"; }; aws2() { %s \"$@\"; }; ", requireAWS(t, "1"), requireAWS(t, "2"))
	for line := range strings.Lines(run(t, "sandbox", "--list-faults", "--spoil").stdout) {
		fault, rest, _ := strings.Cut(line, " ")
		finding, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			if told, ok := untold[fault]; ok {
				shows(t, fault, programs+told.command, told.with, told.without)
				return
			}
			r := run(t, "sandbox", "--fault", fault, "--", "tegata", "doctor", "-o", "json")
			var report struct {
				Steps []struct{ Finding struct{ ID string } }
			}
			err := json.Unmarshal([]byte(r.stdout), &report)
			var found []string
			for _, step := range report.Steps {
				found = append(found, step.Finding.ID)
			}
			if found = slices.DeleteFunc(found, func(id string) bool { return id == "" }); err != nil || r.status != 3 || len(found) == 0 || found[0] != finding {
				t.Errorf("status %d, %q, %v, want %s\n%s", r.status, found, err, finding, r.stderr)
			}
		})
	}
}

// shows runs a command with the fault and without.
func shows(t *testing.T, fault, command, with, without string) {
	t.Helper()
	for _, tt := range []struct {
		faults []string
		want   string
	}{{[]string{"--fault", fault}, with}, {nil, without}} {
		r := run(t, slices.Concat([]string{"sandbox"}, tt.faults, []string{"--", "sh", "-c", command})...)
		if said := r.stdout + r.stderr; !strings.Contains(said, tt.want) {
			t.Errorf("%v: %s\nwant %s", tt.faults, said, tt.want)
		}
	}
}
