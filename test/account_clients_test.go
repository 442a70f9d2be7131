//go:build linux

package test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

// An errand is one call of a story that all clients tell: with a code it is
// refused in this text, and without one the answer has this part.
type errand struct{ Service, Operation, Input, Code, Want string }

// story goes over all services: of each, a call that succeeds and one that does
// not.
var story = []errand{
	{"iam", "CreateUser", `{"UserName":"ann"}`, "", `"Arn":"arn:aws:iam::123456789012:user/ann"`},
	{"iam", "CreateUser", `{"UserName":"ann"}`, "EntityAlreadyExists", "User with name ann already exists."},
	{"iam", "GetRole", `{"RoleName":"administrator"}`, "", `"RoleName":"administrator"`},
	{"sts", "GetCallerIdentity", `{}`, "", `"Arn":"arn:aws:sts::123456789012:assumed-role/administrator/` + instanceID + `"`},
	{"sts", "AssumeRole", `{"RoleArn":"arn:aws:iam::123456789012:role/none","RoleSessionName":"story"}`, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none"},
	{"ec2", "DescribeInstances", `{"InstanceIds":["` + instanceID + `"]}`, "", `"HttpTokens":"required"`},
	{"ec2", "ModifyInstanceMetadataOptions", `{"InstanceId":"` + instanceID + `","HttpTokens":"optional","DryRun":true}`, "DryRunOperation", "Request would have succeeded, but DryRun flag is set."},
	{"ssm", "PutParameter", `{"Name":"/app/secret","Value":"hidden","Type":"SecureString"}`, "", `"Version":1`},
	{"ssm", "GetParameter", `{"Name":"/app/secret","WithDecryption":true}`, "", `"Value":"hidden"`},
	{"ssm", "GetParameter", `{"Name":"/app/none"}`, "ParameterNotFound", ""},
	{"kms", "DescribeKey", `{"KeyId":"alias/aws/ssm"}`, "", `"KeyManager":"AWS"`},
	{"kms", "DescribeKey", `{"KeyId":"alias/none"}`, "NotFoundException", "Alias arn:aws:kms:us-west-2:123456789012:alias/none is not found."},
	{"secretsmanager", "CreateSecret", `{"Name":"app/db","SecretString":"one"}`, "", `"Name":"app/db"`},
	{"secretsmanager", "GetSecretValue", `{"SecretId":"app/none"}`, "ResourceNotFoundException", "Secrets Manager can't find the specified secret."},
	{"ecr", "GetAuthorizationToken", `{}`, "", `"proxyEndpoint":"https://123456789012.dkr.ecr.us-west-2.amazonaws.com"`},
	{"ecr", "ListImages", `{"repositoryName":"none"}`, "RepositoryNotFoundException", "The repository with name 'none' does not exist in the registry with id '123456789012'"},
	{"logs", "CreateLogGroup", `{"logGroupName":"/app"}`, "", ""},
	{"logs", "CreateLogGroup", `{"logGroupName":"/app"}`, "ResourceAlreadyExistsException", "The specified log group already exists"},
	{"cloudwatch", "DescribeAlarms", `{"AlarmNames":["none"]}`, "", `"MetricAlarms":[]`},
	{"cloudwatch", "SetAlarmState", `{"AlarmName":"none","StateValue":"OK","StateReason":"x"}`, "ResourceNotFound", ""},
	{"service-quotas", "GetServiceQuota", `{"ServiceCode":"bedrock","QuotaCode":"L-58BE175A"}`, "", "L-58BE175A"},
	{"service-quotas", "GetServiceQuota", `{"ServiceCode":"bedrock","QuotaCode":"L-00000000"}`, "NoSuchResourceException", ""},
}

// models is the part of the story that older clients do not know.
var models = []errand{
	{"bedrock", "GetInferenceProfile", `{"inferenceProfileIdentifier":"us.anthropic.claude-sonnet-4-6"}`, "", `"type":"SYSTEM_DEFINED"`},
	{"bedrock", "GetFoundationModel", `{"modelIdentifier":"acme.none"}`, "ValidationException", "The provided model identifier is invalid."},
	{"bedrock-runtime", "Converse", `{"modelId":"us.anthropic.claude-sonnet-4-6","messages":[{"role":"user","content":[{"text":"hello"}]}]}`, "", `"stopReason":"end_turn"`},
	{"bedrock-runtime", "Converse", `{"modelId":"anthropic.claude-sonnet-4-6","messages":[{"role":"user","content":[{"text":"hello"}]}]}`, "ValidationException", "with on-demand throughput isn’t supported."},
}

// came checks what came of an errand.
func (e errand) came(t *testing.T, answer, code, text string) {
	t.Helper()
	part, in := e.Want, answer
	if e.Code != "" {
		in = text
	}
	// JavaScript's exceptions are named after the shapes of the models.
	if strings.TrimSuffix(code, "Exception") != strings.TrimSuffix(e.Code, "Exception") || !strings.Contains(in, part) {
		t.Errorf("%s %s %s: got %q %s%s, want %q %s", e.Service, e.Operation, e.Input, code, text, answer, e.Code, e.Want)
	}
}

// Both versions of the AWS CLI run the story, each in a box of its own.
func TestAccountByCLI(t *testing.T) {
	requireBox(t)
	for name, program := range map[string]string{"version 1": "aws", "version 2": debianAWS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			requireProgram(t, program)
			errands := story
			if r := run(t, "sandbox", "--", program, "bedrock-runtime", "converse"); !strings.Contains(r.stderr, "Invalid choice") {
				errands = append(errands[:len(errands):len(errands)], models...)
			}
			r := run(t, "sandbox", "--scenario", scenario(t, administrator), "--", "sh", "-c", cliScript(program, errands))
			results := strings.Split(r.stdout, "\x00")
			if len(results) != len(errands)+1 {
				t.Fatalf("status %d, %d results for %d errands\n%s", r.status, len(results), len(errands), r.stderr)
			}
			t.Logf("%d errands", len(errands))
			for i, e := range errands {
				code, text := cliError(results[i])
				e.came(t, compact(results[i]), code, text)
			}
		})
	}
}

// cliScript runs the errands in a row and writes a zero byte after each.
func cliScript(program string, errands []errand) string {
	var b strings.Builder
	for _, e := range errands {
		fmt.Fprintf(&b, "%s %s %s --output json --cli-input-json '%s' 2>&1; printf '\\000'\n",
			program, e.Service, kebab(e.Operation), strings.ReplaceAll(e.Input, "'", `'\''`))
	}
	return b.String()
}

// kebab is an operation as the CLI calls it: get-caller-identity.
func kebab(operation string) string {
	var b strings.Builder
	for i, r := range operation {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// cliError takes "An error occurred (CODE) when calling the NAME operation: TEXT" apart.
func cliError(output string) (code, text string) {
	_, rest, ok := strings.Cut(output, "An error occurred (")
	if !ok {
		return "", ""
	}
	code, text, _ = strings.Cut(rest, ") when calling the ")
	return code, strings.TrimSpace(text)
}

// compact is JSON without blanks; anything else stays as it is.
func compact(output string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(output)) != nil {
		return output
	}
	return b.String()
}

// The SDK for JavaScript runs the story by its own clients.
func TestAccountByJavaScript(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "node")
	if _, err := os.Stat("js/node_modules/@aws-sdk/client-iam"); err != nil {
		require(t, errors.New("the packages of test/js are not installed: npm ci --prefix test/js"))
	}
	errands := append(story[:len(story):len(story)], models...)
	var input bytes.Buffer
	for _, e := range errands {
		if err := json.NewEncoder(&input).Encode(e); err != nil {
			t.Fatal(err)
		}
	}
	cmd := command(t, "sandbox", "--scenario", scenario(t, administrator), "--", "node", "js/account.mjs")
	cmd.Stdin = &input
	r := finish(t, cmd)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if r.status != 0 || len(lines) != len(errands) {
		t.Fatalf("status %d, %d lines for %d errands\n%s%s", r.status, len(lines), len(errands), r.stdout, r.stderr)
	}
	for i, e := range errands {
		var came struct {
			Answer        json.RawMessage
			Code, Message string
		}
		if err := json.Unmarshal([]byte(lines[i]), &came); err != nil {
			t.Fatalf("%v: %s", err, lines[i])
		}
		e.came(t, string(came.Answer), came.Code, came.Message)
	}
}

// The SDK for Go has clients for identities and for models here.
func TestAccountByGo(t *testing.T) {
	if !inBox(t, administrator) {
		return
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	identities, runtime := sts.NewFromConfig(cfg), bedrockruntime.NewFromConfig(cfg)
	hello := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}}}
	count := &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: hello}}
	const model = "us.anthropic.claude-sonnet-4-6"
	for _, tt := range []struct {
		name       string
		call       func() (any, error)
		code, want string
	}{
		{"who", func() (any, error) { return identities.GetCallerIdentity(t.Context(), nil) }, "", `assumed-role/administrator/` + instanceID},
		{"no role", func() (any, error) {
			return identities.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::123456789012:role/none"), RoleSessionName: aws.String("story")})
		}, "AccessDenied", "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/none"},
		{"a session of a session", func() (any, error) { return identities.GetSessionToken(t.Context(), nil) }, "AccessDenied", "Cannot call GetSessionToken with session credentials"},
		{"what is no refusal", func() (any, error) {
			return identities.DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("x")})
		}, "InvalidAuthorizationMessageException", "Message is not valid"},
		{"converse", func() (any, error) {
			return runtime.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: hello})
		}, "", `"StopReason":"end_turn"`},
		{"a model by its profile alone", func() (any, error) {
			return runtime.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("anthropic.claude-sonnet-4-6"), Messages: hello})
		}, "ValidationException", "with on-demand throughput isn’t supported."},
		{"count", func() (any, error) {
			return runtime.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String("anthropic.claude-sonnet-4-6"), Input: count})
		}, "", `"InputTokens":5`},
		{"count by a profile", func() (any, error) {
			return runtime.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: count})
		}, "ValidationException", "The provided model doesn't support counting tokens."},
		{"no guardrail", func() (any, error) {
			return runtime.ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: aws.String("none00000000"), GuardrailVersion: aws.String("1"),
				Source: types.GuardrailContentSourceInput, Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("x")}}}})
		}, "ValidationException", "guardrail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, err := tt.call()
			refused, ok := errors.AsType[smithy.APIError](err)
			if err != nil && !ok {
				t.Fatal(err)
			}
			code, text := "", ""
			if ok {
				code, text = refused.ErrorCode(), refused.ErrorMessage()
			} else if data, err := json.Marshal(out); err == nil {
				text = string(data)
			}
			if code != tt.code || !strings.Contains(text, tt.want) {
				t.Errorf("got %q %s, want %q %s", code, text, tt.code, tt.want)
			}
		})
	}
}
