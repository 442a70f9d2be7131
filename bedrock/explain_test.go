package bedrock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
)

const (
	caller      = "arn:aws:sts::123456789012:assumed-role/bedrock-ui-ec2-role/i-1234567890abcdef0"
	notPermit   = "User: " + caller + " is not authorized to perform: %s on resource: %s because no identity-based policy allows the %[1]s action"
	invoke      = "bedrock:InvokeModel"
	invokeS     = "bedrock:InvokeModelWithResponseStream"
	tokyoModel  = "arn:aws:bedrock:ap-northeast-1::foundation-model/anthropic.claude-sonnet-4-6"
	osakaModel  = "arn:aws:bedrock:ap-northeast-3::foundation-model/anthropic.claude-sonnet-4-6"
	globalModel = "arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-4-6"
	jpProfile   = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-sonnet-4-6"
)

// The look-alikes: what AWS says, word for word, and what each stands for.
var explained = []struct {
	name string
	err  Error
	want string
}{
	// Denied.
	{"model access", Error{Code: "AccessDeniedException", Status: 403, Message: "You don't have access to the model with the specified model ID."}, "TG6001"},
	{"model access, curly", Error{Code: "AccessDeniedException", Status: 403, Message: "You don\u2019t have access to the model with the specified model ID."}, "TG6001"},
	{"stream action", Error{Code: "AccessDeniedException", Message: fmt.Sprintf(notPermit, invokeS, tokyoModel)}, "TG6004"},
	{"any action", Error{Code: "AccessDeniedException", Message: fmt.Sprintf(notPermit, "bedrock:ListFoundationModels", "*")}, "TG6004"},
	{"profile not in the policy", Error{Code: "AccessDeniedException", Message: fmt.Sprintf(notPermit, invoke, jpProfile)}, "TG6005"},
	{"stream action on a profile", Error{Code: "AccessDeniedException", Message: fmt.Sprintf(notPermit, invokeS, jpProfile)}, "TG6005"},
	{"stream action on a profile that answers Converse", Error{Code: "AccessDeniedException", Conversed: true, Message: fmt.Sprintf(notPermit, invokeS, jpProfile)}, "TG6004"},
	{"the profile's other region", Error{Code: "AccessDeniedException", Region: "ap-northeast-1", Message: fmt.Sprintf(notPermit, invoke, osakaModel)}, "TG6005"},
	{"the profile's model here", Error{Code: "AccessDeniedException", Region: "ap-northeast-1", Model: "jp.anthropic.claude-sonnet-4-6", Message: fmt.Sprintf(notPermit, invoke, tokyoModel)}, "TG6005"},
	{"the global model", Error{Code: "AccessDeniedException", Message: fmt.Sprintf(notPermit, invoke, globalModel)}, "TG6005"},
	{"SCP", Error{Code: "AccessDeniedException", Region: "ap-northeast-1", Message: "User: " + caller + " is not authorized to perform: bedrock:InvokeModel on resource: " + osakaModel + " with an explicit deny in a service control policy: arn:aws:organizations::123456789012:policy/o-abc/service_control_policy/p-abc"}, "TG6006"},
	{"the boundary of the role", Error{Code: "AccessDeniedException", Message: "User: " + caller + " is not authorized to perform: bedrock:InvokeModel on resource: " + jpProfile + " with an explicit deny in a permissions boundary"}, "TG6020"},
	{"the role itself", Error{Code: "AccessDeniedException", Message: "User: " + caller + " is not authorized to perform: bedrock:InvokeModel on resource: " + jpProfile + " with an explicit deny in an identity-based policy"}, "TG6020"},
	{"another layer", Error{Code: "AccessDeniedException", Message: "User: " + caller + " is not authorized to perform: bedrock:InvokeModel on resource: " + jpProfile + " with an explicit deny in a VPC endpoint policy"}, "TG6900"},
	{"Marketplace", Error{Code: "AccessDeniedException", Message: "Model access is denied due to IAM user or service role is not authorized to perform the required AWS Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to this model. Refer to the Amazon Bedrock documentation for further details. Your AWS Marketplace subscription for this model cannot be completed at this time. If you recently fixed this issue, try again after 2 minutes."}, "TG6007"},
	{"account not authorised", Error{Code: "BadCScoreException", Status: 403, Message: "not authorized"}, "TG6900"},
	{"bearer token", Error{Code: "AccessDeniedException", Status: 403, Message: "Authentication failed: Please make sure your API Key is valid."}, "TG6016"},
	{"use case form by code", Error{Code: "FTUFormNotFilled", Status: 404, Message: "x"}, "TG6015"},
	{"use case form", Error{Code: "ResourceNotFoundException", Status: 404, Message: "Model use case details have not been submitted for this account. Fill out the Anthropic use case details form before using the model. If you have already filled out the form, try again in 15 minutes."}, "TG6015"},
	{"account blocked", Error{Code: "ValidationException", Status: 400, Message: "Operation not allowed"}, "TG6009"},

	// The model.
	{"profile only", Error{Code: "ValidationException", Message: "Invocation of model ID anthropic.claude-sonnet-4-6 with on-demand throughput isn\u2019t supported. Retry your request with the ID or ARN of an inference profile that contains this model."}, "TG6002"},
	{"profile only, straight", Error{Code: "ValidationException", Message: "Invocation of model ID anthropic.claude-sonnet-4-6 with on-demand throughput isn't supported. Retry your request with the ID or ARN of an inference profile that contains this model."}, "TG6002"},
	{"profile only, older", Error{Code: "ValidationException", Message: "The provided model doesn't support on-demand throughput."}, "TG6002"},
	{"identifier", Error{Code: "ValidationException", Model: "us.anthropic.claude-sonnet-4-6", Message: "The provided model identifier is invalid."}, "TG6003"},
	{"identifier of a model that is gone", Error{Code: "ValidationException", Model: "us.anthropic.claude-3-7-sonnet-20250219-v1:0", Message: "The provided model identifier is invalid."}, "TG6014"},
	{"identifier of a model that is not yet gone", Error{Code: "ValidationException", Model: "anthropic.claude-sonnet-4-20250514-v1:0", Message: "The provided model identifier is invalid."}, "TG6003"},
	{"end of life", Error{Code: "ResourceNotFoundException", Status: 404, Message: "This model version has reached the end of its life. Please refer to the AWS documentation for more details."}, "TG6014"},
	{"legacy", Error{Code: "ResourceNotFoundException", Status: 404, Message: "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 15 days. Please upgrade to an active model on Amazon Bedrock"}, "TG6008"},
	{"legacy, 30 days", Error{Code: "ResourceNotFoundException", Status: 404, Message: "Access denied. This Model is marked by provider as Legacy and you have not been actively using the model in the last 30 days."}, "TG6008"},
	{"data retention", Error{Code: "ValidationException", Message: "data retention mode 'default' is not available for this model"}, "TG6018"},
	{"malformed body", Error{Code: "ValidationException", Message: "Malformed input request: #: required key [messages] not found, please reformat your input and try again."}, "TG6900"},

	// Throttled.
	{"tokens", Error{Code: "ThrottlingException", Status: 429, Message: "Too many tokens, please wait before trying again."}, "TG6010"},
	{"requests", Error{Code: "ThrottlingException", Status: 429, Message: "Too many requests, please wait before trying again."}, "TG6010"},
	{"tokens per day", Error{Code: "ThrottlingException", Status: 429, Message: "Too many tokens per day, please wait before trying again."}, "TG6017"},
	{"model loading", Error{Code: "ModelNotReadyException", Status: 429, Message: "Model is not ready for inference."}, "TG6900"},

	// How it was asked.
	{"wrong host", Error{Code: "UnknownOperationException", Status: 404}, "TG6012"},
	{"wrong host, words", Error{Code: "ValidationException", Message: "The requested operation is not recognized by the service."}, "TG6012"},

	// Credentials and clock.
	{"expired, from the environment", Error{Code: "ExpiredTokenException", Status: 403, Message: "The security token included in the request is expired"}, "TG3005"},
	{"expired, from the instance", Error{Code: "ExpiredTokenException", Status: 403, FromInstance: true, Message: "The security token included in the request is expired"}, "TG3013"},
	{"invalid token, from the instance", Error{Code: "UnrecognizedClientException", Status: 403, FromInstance: true, Message: "The security token included in the request is invalid."}, "TG6900"},
	{"invalid token", Error{Code: "UnrecognizedClientException", Status: 403, Message: "The security token included in the request is invalid."}, "TG3008"},
	{"clock behind", Error{Code: "InvalidSignatureException", Status: 403, Message: "Signature expired: 20261122T170000Z is now earlier than 20261122T175500Z (20261122T180000Z - 5 min.)"}, "TG3010"},
	{"clock ahead", Error{Code: "InvalidSignatureException", Status: 403, Message: "Signature not yet current: 20261122T190000Z is still later than 20261122T180500Z (20261122T180000Z + 5 min.)"}, "TG3010"},
	{"foreign endpoint", Error{Code: "InvalidSignatureException", Status: 403, Message: "Credential should be scoped to a valid region."}, "TG6900"},
	{"stream cut off", Error{Status: 200, Err: ErrTruncated}, "TG6019"},
	{"server", Error{Code: "InternalServerException", Status: 500, Message: "oops"}, "TG6900"},
}

// testNow is after the end of Claude 3.7 Sonnet and before that of Sonnet 4.
var testNow = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)

func TestExplain(t *testing.T) {
	for _, tt := range explained {
		t.Run(tt.name, func(t *testing.T) {
			tt.err.Operation = "Converse"
			id, fields, ok := explain(fmt.Errorf("ask the model: %w", &tt.err), testNow)
			if id != tt.want || !ok {
				t.Errorf("%q is %s, want %s", tt.err.Message, id, tt.want)
			}
			if fields["code"] != tt.err.Code || fields["operation"] != "Converse" {
				t.Errorf("fields are %v", fields)
			}
		})
	}
}

// The same errors as the AWS CLI and the Go SDK print them, where no
// structure is left but the words.
func TestExplainText(t *testing.T) {
	forms := map[string]string{
		"CLI": "An error occurred (%s) when calling the Converse operation: %s",
		"Go":  "operation error Bedrock Runtime: Converse, https response error StatusCode: 400, RequestID: 6f1c9c8e-0000-4000-8000-00000000beef, api error %s: %s",
		"JS":  "%s: %s\n    at throwDefaultError (/app/node_modules/@smithy/smithy-client/dist-cjs/index.js:867:20)",
	}
	for form, format := range forms {
		for _, tt := range explained {
			if tt.err.Model != "" || tt.err.Region != "" || tt.err.Conversed || !strings.HasPrefix(tt.want, "TG60") || tt.err.Message == "" {
				continue // known by more than words
			}
			text := fmt.Sprintf(format, tt.err.Code, tt.err.Message)
			if id, _, _ := explain(errors.New(text), testNow); id != tt.want {
				t.Errorf("%s, %s: %s, want %s\n%s", form, tt.name, id, tt.want, text)
			}
		}
	}
}

func TestExplainLeavesOthersAlone(t *testing.T) {
	tests := []error{
		context.Canceled,
		&Error{Operation: "Converse", Err: context.Canceled},
		errors.New(""),
		errors.New("connection refused"),
		errors.New("Operation not allowed"),
		errors.New("An error occurred (AccessDenied) when calling the AssumeRole operation: User: " + caller + " is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::123456789012:role/x because no identity-based policy allows the sts:AssumeRole action"),
		errors.New("An error occurred (AccessDeniedException) when calling the GetParameter operation: User: " + caller + " is not authorized to perform: ssm:GetParameter on resource: arn:aws:ssm:us-east-1:1:parameter/x with an explicit deny in a service control policy"),
		errors.New("An error occurred (ThrottlingException) when calling the DescribeInstances operation: Rate exceeded"),
		errors.New("An error occurred (ResourceNotFoundException) when calling the GetSecretValue operation: Secrets Manager can't find the specified secret."),
	}
	for _, err := range tests {
		if id, _, ok := Explain(err); ok {
			t.Errorf("%q is taken for %s", err, id)
		}
	}
}

// Credentials that can't be had are for whoever looks at those to explain.
func TestExplainLeavesCredentialsAlone(t *testing.T) {
	asked := 0
	failing := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		asked++
		return aws.Credentials{}, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
	})
	for _, p := range []aws.CredentialsProvider{failing, nil} {
		c := New(Config{Region: "ap-northeast-1", Endpoint: "http://127.0.0.1:1", Credentials: p})
		c.runtimeAnswered.Store(true)
		_, control := c.Profiles(t.Context())
		if _, _, ok := Explain(control); ok || control == nil {
			t.Errorf("control plane: %v", control)
		}
		_, runtime := c.Converse(t.Context(), question)
		if _, _, ok := Explain(runtime); ok || runtime == nil {
			t.Errorf("runtime: %v", runtime)
		}
	}
	if asked != 2 {
		t.Errorf("the provider was asked %d times by two calls", asked)
	}
}

func TestExplainGivesEvidence(t *testing.T) {
	err := &Error{
		Operation: "ConverseStream", Model: "jp.anthropic.claude-sonnet-4-6", Region: "ap-northeast-1", Code: "AccessDeniedException", Status: 403,
		RequestID: "r-1", Message: fmt.Sprintf(notPermit, invokeS, jpProfile),
	}
	_, got, _ := Explain(err)
	want := map[string]string{
		"operation": "ConverseStream", "model": "jp.anthropic.claude-sonnet-4-6", "region": "ap-northeast-1", "code": "AccessDeniedException",
		"status": "403", "request_id": "r-1", "message": err.Message, "user": caller, "role": "bedrock-ui-ec2-role", "action": invokeS, "resource": jpProfile,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	_, got, _ = Explain(&Error{Model: "us.anthropic.claude-3-7-sonnet-20250219-v1:0", Code: "ResourceNotFoundException", Message: "This model version has reached the end of its life."})
	if got["end_of_life"] != "2026-04-28" {
		t.Errorf("fields of a model that is gone are %v", got)
	}
	_, got, _ = Explain(errors.New("ValidationException: Invocation of model ID anthropic.x with on-demand throughput isn’t supported."))
	if got["model"] != "anthropic.x" || got["code"] != "ValidationException" {
		t.Errorf("fields of a text are %v", got)
	}
}

func TestRetired(t *testing.T) {
	for _, r := range retired {
		if r.lifecycle.EndOfLifeTime.IsZero() || r.lifecycle.Status != "LEGACY" || r.source == "" {
			t.Errorf("%s: %+v from %q", r.model, r.lifecycle, r.source)
		}
		if l := r.lifecycle; l.LegacyTime.After(l.EndOfLifeTime) || l.ExtendedAccessTime.After(l.EndOfLifeTime) {
			t.Errorf("%s ends before it is old: %+v", r.model, l)
		}
	}
	for _, id := range []string{
		"anthropic.claude-3-sonnet-20240229-v1:0", "apac.anthropic.claude-3-sonnet-20240229-v1:0",
		"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-sonnet-20240229-v1:0",
		"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-sonnet-20240229-v1:0",
	} {
		if l, ok := Retired(id); !ok || !l.Ended(testNow) {
			t.Errorf("%s: %+v, %v", id, l, ok)
		}
	}
	if _, ok := Retired("anthropic.claude-sonnet-4-6"); ok {
		t.Error("a living model is retired")
	}
}

func FuzzExplain(f *testing.F) {
	for _, tt := range explained {
		f.Add(tt.err.Code, tt.err.Message)
	}
	f.Fuzz(func(t *testing.T, code, message string) {
		if _, _, ok := Explain(&Error{Operation: "Converse", Code: code, Message: message}); !ok && code != "" {
			t.Errorf("an answer of Bedrock is not explained")
		}
		Explain(errors.New(code + ": " + message))
	})
}
