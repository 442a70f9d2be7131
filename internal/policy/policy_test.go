package policy

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, text string) Document {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

const (
	sonnet        = "anthropic.claude-3-7-sonnet-20250219-v1:0"
	sonnetModel   = "arn:aws:bedrock:us-west-2::foundation-model/" + sonnet
	sonnetProfile = "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us." + sonnet
	sonnetGlobal  = "arn:aws:bedrock:::foundation-model/" + sonnet
)

// modelOnly is a policy that people write before they know of inference
// profiles: every action on the ARN of the one model.
const modelOnly = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Action": ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:ListFoundationModels"],
    "Resource": "arn:aws:bedrock:*::foundation-model/` + sonnet + `"
  }]
}`

func TestEvaluateModelOnlyPolicy(t *testing.T) {
	docs := []Document{parse(t, modelOnly)}
	for _, tt := range []struct {
		name, action, resource string
		want                   Decision
	}{
		{"the model", "bedrock:InvokeModel", sonnetModel, Allow},
		{"the model, streaming", "bedrock:InvokeModelWithResponseStream", sonnetModel, Allow},
		{"action in other case", "BEDROCK:invokemodel", sonnetModel, Allow},
		{"global routing has no region", "bedrock:InvokeModel", sonnetGlobal, Allow},
		{"its inference profile", "bedrock:InvokeModel", sonnetProfile, ImplicitDeny},
		{"list takes no ARN", "bedrock:ListFoundationModels", "*", ImplicitDeny},
		{"another model", "bedrock:InvokeModel", "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0", ImplicitDeny},
		{"resource in other case", "bedrock:InvokeModel", strings.ToUpper(sonnetModel), ImplicitDeny},
		{"action that begins alike", "bedrock:InvokeModelX", sonnetModel, ImplicitDeny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Evaluate(docs, Request{Action: tt.action, Resource: tt.resource})
			if got != tt.want {
				t.Errorf("Evaluate(%s on %s) = %v, want %v", tt.action, tt.resource, got, tt.want)
			}
		})
	}
}

func TestEvaluateStatements(t *testing.T) {
	const arn = "arn:aws:ssm:ap-northeast-1:123456789012:parameter/app/db/password"
	for _, tt := range []struct {
		name, statement string
		want            Decision
	}{
		{"one statement, not a list", `{"Effect":"Allow","Action":"ssm:GetParameter","Resource":"*"}`, Allow},
		{"star spans / and :", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*/password"}`, Allow},
		{"question mark", `{"Effect":"Allow","Action":"ssm:GetParamete?","Resource":"arn:aws:ssm:*:*:parameter/app/d?/*"}`, Allow},
		{"question mark is one", `{"Effect":"Allow","Action":"ssm:GetParameter?","Resource":"*"}`, ImplicitDeny},
		{"action wildcard, case folded", `{"Effect":"Allow","Action":"SSM:get*","Resource":"*"}`, Allow},
		{"plural is another action", `{"Effect":"Allow","Action":"ssm:GetParameters","Resource":"*"}`, ImplicitDeny},
		{"double slash", `{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm:*:*:parameter//app/db/password"}`, ImplicitDeny},
		{"short ARN", `{"Effect":"Allow","Action":"ssm:*","Resource":"arn:aws:ssm"}`, Allow},
		{"NotAction", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, Allow},
		{"NotAction excludes", `{"Effect":"Allow","NotAction":["iam:*","ssm:Get*"],"Resource":"*"}`, ImplicitDeny},
		{"NotResource", `{"Effect":"Allow","Action":"ssm:*","NotResource":"arn:aws:ssm:*:*:parameter/other/*"}`, Allow},
		{"NotResource excludes", `{"Effect":"Allow","Action":"ssm:*","NotResource":["arn:aws:ssm:*:*:parameter/app/*"]}`, ImplicitDeny},
		{"deny before allow", `[{"Effect":"Deny","Action":"ssm:*","Resource":"*"},{"Effect":"Allow","Action":"*","Resource":"*"}]`, ExplicitDeny},
		{"deny after allow", `[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"ssm:*","Resource":"*"}]`, ExplicitDeny},
		{"deny of something else", `[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"*"}]`, Allow},
		{"variable", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/team}/*"}`, Allow},
		{"variable's star is no wildcard", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/star}/*"}`, ImplicitDeny},
		{"variable without value", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/none}*"}`, ImplicitDeny},
		{"variable with default", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${aws:PrincipalTag/none, 'app'}/*"}`, Allow},
		{"escaped star", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:ssm:*:*:parameter/${*}"}`, ImplicitDeny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, `{"Version":"2012-10-17","Statement":`+tt.statement+`}`)
			r := Request{Action: "ssm:GetParameter", Resource: arn, Context: map[string]string{
				"aws:PrincipalTag/team": "app", "aws:PrincipalTag/star": "*",
			}}
			if got := Evaluate([]Document{d}, r); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestVariablesAreTextInTheOldVersion(t *testing.T) {
	d := parse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::b/${aws:username}"}}`)
	r := Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/${aws:username}"}
	if got := Evaluate([]Document{d}, r); got != Allow {
		t.Errorf("got %v, want %v", got, Allow)
	}
}

func TestEvaluateAcrossDocuments(t *testing.T) {
	allow := parse(t, `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	deny := parse(t, `{"Statement":{"Effect":"Deny","Action":"bedrock:*","Resource":"arn:aws:bedrock:us-east-2::*"}}`)
	docs := []Document{allow, deny}
	for resource, want := range map[string]Decision{
		"arn:aws:bedrock:us-east-2::foundation-model/m": ExplicitDeny,
		"arn:aws:bedrock:us-east-1::foundation-model/m": Allow,
	} {
		if got := Evaluate(docs, Request{Action: "bedrock:InvokeModel", Resource: resource}); got != want {
			t.Errorf("%s: got %v, want %v", resource, got, want)
		}
	}
	if got := Evaluate(nil, Request{Action: "s3:ListBucket", Resource: "*"}); got != ImplicitDeny {
		t.Errorf("no documents: got %v, want %v", got, ImplicitDeny)
	}
}

func TestConditions(t *testing.T) {
	context := map[string]string{
		"aws:RequestedRegion":          "ap-northeast-1",
		"bedrock:InferenceProfileArn":  "arn:aws:bedrock:us-west-2:123456789012:inference-profile/us.m",
		"aws:SecureTransport":          "true",
		"aws:SourceIp":                 "10.1.2.3",
		"aws:MultiFactorAuthAge":       "120",
		"aws:CurrentTime":              "2026-11-22T09:00:00Z",
		"aws:PrincipalTag/department":  "Research",
		"aws:PrincipalTag/costcentre*": "x",
	}
	for _, tt := range []struct {
		condition string
		want      bool
	}{
		{`{"StringEquals":{"aws:RequestedRegion":"ap-northeast-1"}}`, true},
		{`{"StringEquals":{"AWS:requestedregion":["eu-west-1","ap-northeast-1"]}}`, true},
		{`{"StringEquals":{"aws:RequestedRegion":"AP-northeast-1"}}`, false},
		{`{"StringEquals":{"aws:RequestedRegion":"ap-*"}}`, false},
		{`{"StringEquals":{"aws:Absent":"x"}}`, false},
		{`{"StringEqualsIfExists":{"aws:Absent":"x"}}`, true},
		{`{"StringEqualsIfExists":{"aws:RequestedRegion":"x"}}`, false},
		{`{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","us-east-1"]}}`, true},
		{`{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","ap-northeast-1"]}}`, false},
		{`{"StringNotEquals":{"aws:Absent":"x"}}`, true},
		{`{"StringEqualsIgnoreCase":{"aws:PrincipalTag/department":"research"}}`, true},
		{`{"StringNotEqualsIgnoreCase":{"aws:PrincipalTag/department":"research"}}`, false},
		{`{"StringLike":{"aws:RequestedRegion":"ap-*-?"}}`, true},
		{`{"StringNotLike":{"aws:RequestedRegion":"ap-*"}}`, false},
		{`{"StringEquals":{"aws:PrincipalTag/department":"${aws:PrincipalTag/department}"}}`, true},
		{`{"ArnLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:*:*:inference-profile/us.*"}}`, true},
		{`{"ArnEquals":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:us-west-2:*:inference-profile/us.m"}}`, true},
		{`{"ArnLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:*"}}`, false},
		{`{"ArnNotLike":{"bedrock:InferenceProfileArn":"arn:aws:bedrock:eu-west-1:*:*"}}`, true},
		{`{"Bool":{"aws:SecureTransport":"true"}}`, true},
		{`{"Bool":{"aws:SecureTransport":false}}`, false},
		{`{"Null":{"aws:Absent":"true"}}`, true},
		{`{"Null":{"aws:SecureTransport":true}}`, false},
		{`{"Null":{"aws:SecureTransport":"false"}}`, true},
		{`{"NumericLessThan":{"aws:MultiFactorAuthAge":"300"}}`, true},
		{`{"NumericLessThan":{"aws:MultiFactorAuthAge":120}}`, false},
		{`{"NumericGreaterThanEquals":{"aws:MultiFactorAuthAge":120}}`, true},
		{`{"NumericEquals":{"aws:RequestedRegion":1}}`, false},
		{`{"DateLessThan":{"aws:CurrentTime":"2026-12-01T00:00:00Z"}}`, true},
		{`{"DateGreaterThan":{"aws:CurrentTime":"2026-12-01"}}`, false},
		{`{"DateGreaterThan":{"aws:CurrentTime":"1700000000"}}`, true},
		{`{"IpAddress":{"aws:SourceIp":["192.0.2.0/24","10.0.0.0/8"]}}`, true},
		{`{"NotIpAddress":{"aws:SourceIp":"10.1.2.3"}}`, false},
		{`{"ForAnyValue:StringEquals":{"aws:Absent":"x"}}`, false},
		{`{"ForAnyValue:StringNotEquals":{"aws:Absent":"x"}}`, false},
		{`{"ForAllValues:StringEquals":{"aws:Absent":"x"}}`, true},
		{`{"ForAnyValue:StringLike":{"aws:RequestedRegion":"ap-*"}}`, true},
		{`{"StringEquals":{"aws:RequestedRegion":"ap-northeast-1"},"Bool":{"aws:SecureTransport":"false"}}`, false},
	} {
		t.Run(tt.condition, func(t *testing.T) {
			d := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}}`)
			got := Evaluate([]Document{d}, Request{Action: "s3:GetObject", Resource: "*", Context: context}) == Allow
			if got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// Each operator on keys that have none, one and several values.
func TestConditionsOfSets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		operator, values string
		want             [5]bool // of no value, a, b, a and b, a and c
	}{
		{"StringEquals", `["a","b"]`, [...]bool{false, true, true, true, true}},
		{"StringNotEquals", `["a"]`, [...]bool{true, false, true, false, false}},
		{"ForAllValues:StringEquals", `["a","b"]`, [...]bool{true, true, true, true, false}},
		{"ForAnyValue:StringEquals", `["a","b"]`, [...]bool{false, true, true, true, true}},
		{"ForAnyValue:StringEquals", `["b"]`, [...]bool{false, false, true, true, false}},
		{"ForAllValues:StringNotEquals", `["a","b"]`, [...]bool{true, false, false, false, false}},
		{"ForAllValues:StringNotEquals", `["b"]`, [...]bool{true, true, false, false, true}},
		{"ForAnyValue:StringNotEquals", `["a","b"]`, [...]bool{false, false, false, false, true}},
		{"ForAnyValue:StringNotLike", `["?"]`, [...]bool{false, false, false, false, false}},
		{"ForAnyValue:StringEqualsIfExists", `["a"]`, [...]bool{true, true, false, true, true}},
		{"ForAllValues:StringLike", `["[ab]"]`, [...]bool{true, false, false, false, false}},
		{"Null", `"true"`, [...]bool{true, false, false, false, false}},
		{"Null", `"false"`, [...]bool{false, true, true, true, true}},
	} {
		d := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"`+tt.operator+`":{"s:Keys":`+tt.values+`}}}}`)
		for i, set := range [][]string{{}, {"a"}, {"b"}, {"a", "b"}, {"a", "c"}} {
			r := Request{Action: "s:X", Resource: "*", Sets: map[string][]string{"S:keys": set}}
			if got := Evaluate([]Document{d}, r) == Allow; got != tt.want[i] {
				t.Errorf("%s %s of %q: %v", tt.operator, tt.values, set, got)
			}
		}
	}
}

// The names of tags follow from the tags, unless the request has them itself.
func TestImpliedSets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, condition string
		request         Request
		want            bool
	}{
		{"no tag", `{"ForAllValues:StringEquals":{"aws:TagKeys":["app"]}}`, Request{}, true},
		{"one of those", `{"ForAllValues:StringEquals":{"aws:TagKeys":["app","team"]}}`, Request{Context: map[string]string{"aws:RequestTag/app": "x"}}, true},
		{"one too many", `{"ForAllValues:StringEquals":{"aws:TagKeys":["app"]}}`, Request{Context: map[string]string{"aws:RequestTag/app": "x", "aws:RequestTag/b": "y"}}, false},
		{"any", `{"ForAnyValue:StringEquals":{"aws:tagkeys":"b"}}`, Request{Context: map[string]string{"aws:RequestTag/app": "x", "AWS:requesttag/b": "y"}}, true},
		{"tags of others are none", `{"Null":{"aws:TagKeys":"false"}}`, Request{Context: map[string]string{"aws:PrincipalTag/app": "x", "aws:RequestTag/": "y"}}, false},
		{"told by the request", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"b"}}`, Request{Context: map[string]string{"aws:RequestTag/b": "x"}, Sets: map[string][]string{"aws:TagKeys": {"app"}}}, false},
		{"told as one", `{"ForAnyValue:StringEquals":{"aws:TagKeys":"b"}}`, Request{Context: map[string]string{"aws:RequestTag/a": "x", "aws:TagKeys": "b"}}, true},
		{"encryption context", `{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":["PARAMETER_ARN"]}}`, Request{Context: map[string]string{"kms:EncryptionContext:PARAMETER_ARN": "arn:…", "kms:EncryptionContext:x": "y"}}, false},
		{"a set is no variable", `{"StringEquals":{"s:k":"${aws:TagKeys, 'none'}"}}`, Request{Context: map[string]string{"s:k": "none"}, Sets: map[string][]string{"aws:TagKeys": {"app"}}}, true},
	} {
		d := parse(t, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}}`)
		tt.request.Action, tt.request.Resource = "s:X", "*"
		if got := Evaluate([]Document{d}, tt.request) == Allow; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTrusts(t *testing.T) {
	for _, tt := range []struct {
		name, statement string
		want            bool
	}{
		{"EC2", `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}`, true},
		{"one of two", `{"Effect":"Allow","Principal":{"Service":["lambda.amazonaws.com","ec2.amazonaws.com"]},"Action":["sts:AssumeRole","sts:TagSession"]}`, true},
		{"another service", `{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`, false},
		{"an account", `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}`, false},
		{"another action", `{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRoleWithWebIdentity"}`, false},
		{"denied", `[{"Effect":"Allow","Principal":"*","Action":"sts:*"},{"Effect":"Deny","Principal":{"Service":"ec2.amazonaws.com"},"Action":"*"}]`, false},
		{"an identity policy", `{"Effect":"Allow","Action":"*","Resource":"*"}`, false},
		{"everybody else", `{"Effect":"Allow","NotPrincipal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, `{"Version":"2012-10-17","Statement":`+tt.statement+`}`)
			if got := Trusts(d, "ec2.amazonaws.com"); got != tt.want {
				t.Errorf("Trusts = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestPrincipalMatches(t *testing.T) {
	const session = "arn:aws:sts::123456789012:assumed-role/app/i-0abc"
	for want, ok := range map[string]bool{
		"*":                                  true,
		"123456789012":                       true,
		"arn:aws:iam::123456789012:root":     true,
		"arn:aws:iam::123456789012:role/app": true,
		session:                              true,
		"arn:aws:iam::123456789012:role/ap":  false,
		"arn:aws:iam::999999999999:root":     false,
		"ec2.amazonaws.com":                  false,
	} {
		if got := principalMatches(want, session); got != ok {
			t.Errorf("principalMatches(%q, %q) = %v, want %v", want, session, got, ok)
		}
	}
}

func TestTakesResource(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]bool{
		"bedrock:ListFoundationModels":    false,
		"Bedrock:listinferenceprofiles":   false,
		"bedrock:InvokeModel":             true,
		"bedrock:CountTokens":             true,
		"bedrock:GetInferenceProfile":     true,
		"cloudwatch:PutMetricData":        false,
		"cloudwatch:ListMetrics":          false,
		"cloudwatch:PutMetricAlarm":       true,
		"ec2:DescribeInstances":           false,
		"ec2:DescribeVolumes":             false, // by a pattern
		"ec2:DescribeInstanceAttribute":   true,
		"ec2:describeimageattribute":      true,
		"ec2:GetInstanceMetadataDefaults": false,
		"ec2:AssociateIamInstanceProfile": true,
		"ec2messages:GetMessages":         false,
		"ecr:GetAuthorizationToken":       false,
		"ecr:BatchGetImage":               true,
		"iam:ListUsers":                   false,
		"iam:ListUserPolicies":            true,
		"iam:GetAccountSummary":           false,
		"iam:PassRole":                    true,
		"kms:CreateKey":                   false,
		"kms:Decrypt":                     true,
		"logs:DescribeLogGroups":          false,
		"logs:DescribeLogStreams":         true,
		"secretsmanager:ListSecrets":      false,
		"secretsmanager:GetSecretValue":   true,
		"servicequotas:ListServiceQuotas": false,
		"servicequotas:GetServiceQuota":   true,
		"ssm:DescribeParameters":          false,
		"ssm:GetParameter":                true,
		"ssmmessages:OpenControlChannel":  false,
		"sts:GetCallerIdentity":           false,
		"sts:AssumeRole":                  true,
		"s3:ListAllMyBuckets":             true, // of no service in the table
		"Describe*":                       true,
		"":                                true,
	} {
		if got := TakesResource(action); got != want {
			t.Errorf("TakesResource(%q) = %v, want %v", action, got, want)
		}
	}
}

// What is in the table is an action of its service, and an exception is one
// from a pattern.
func TestActionsTable(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for line := range strings.Lines(withoutResource) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		service, names, _ := strings.Cut(line, " ")
		if service != strings.ToLower(service) {
			t.Errorf("%s is no prefix of actions", service)
		}
		for name := range strings.FieldsSeq(names) {
			bare, exception := strings.CutPrefix(name, "!")
			if action := service + ":" + bare; seen[action] || TakesResource(action) != exception {
				t.Errorf("%s is there twice, or not as it is meant", action)
			}
			seen[service+":"+bare] = true
		}
	}
	if len(seen) < 300 {
		t.Errorf("the table has %d actions", len(seen))
	}
}

func TestParse(t *testing.T) {
	got := parse(t, `{
		"Version": "2012-10-17", "Id": "p",
		"Statement": {
			"Sid": "One", "Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::a"],
			"Principal": {"AWS": ["1", "2"]},
			"Condition": {"Bool": {"aws:SecureTransport": false}, "NumericEquals": {"k": [1, "2"]}}
		}}`)
	want := Document{Version: "2012-10-17", ID: "p", Statements: []Statement{{
		SID: "One", Effect: "Deny", Actions: []string{"s3:*"}, NotResources: []string{"arn:aws:s3:::a"},
		Principals: map[string][]string{"AWS": {"1", "2"}},
		Conditions: []Condition{
			{Operator: "Bool", Key: "aws:SecureTransport", Values: []string{"false"}},
			{Operator: "NumericEquals", Key: "k", Values: []string{"1", "2"}},
		},
	}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse (-want +got):\n%s", diff)
	}
}

func TestParseErrors(t *testing.T) {
	const good = `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + good + `,` + s + `]}` }
	for _, tt := range []struct{ name, in, want string }{
		{"empty", ``, "the JSON ends too early"},
		{"cut", `{"Version":"2012-10-17","Statement":[`, "the JSON ends too early"},
		{"a list", `[]`, "want an object"},
		{"two documents", `{"Statement":` + good + `}{}`, "after the end"},
		{"no statement", `{"Version":"2012-10-17"}`, "no statement"},
		{"version", `{"Version":"2012-10-18","Statement":` + good + `}`, `version "2012-10-18"`},
		{"unknown key", `{"Statements":` + good + `}`, `unknown key "Statements"`},
		{"unknown key in a statement", statement(`{"Effect":"Allow","Action":"s3:*","Resources":"*"}`), `statement 2: unknown key "Resources"`},
		{"repeated key", statement(`{"Effect":"Allow","Effect":"Deny","Action":"s3:*","Resource":"*"}`), `statement 2: key "Effect" is there twice`},
		{"effect", statement(`{"Effect":"allow","Action":"s3:*","Resource":"*"}`), `statement 2: effect "allow"`},
		{"no effect", statement(`{"Action":"s3:*","Resource":"*"}`), "statement 2: no Effect"},
		{"no action", statement(`{"Effect":"Allow","Resource":"*"}`), "exactly one of Action and NotAction"},
		{"both actions", statement(`{"Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*"}`), "exactly one of Action and NotAction"},
		{"no resource", statement(`{"Effect":"Allow","Action":"s3:*"}`), "statement 2: no Resource"},
		{"both resources", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"*","NotResource":"*"}`), "both Resource and NotResource"},
		{"empty list", statement(`{"Effect":"Allow","Action":[],"Resource":"*"}`), "statement 2: Action: the list is empty"},
		{"number for action", statement(`{"Effect":"Allow","Action":1,"Resource":"*"}`), "statement 2: Action: want a string"},
		{"action without service", statement(`{"Effect":"Allow","Action":"InvokeModel","Resource":"*"}`), `action "InvokeModel"`},
		{"resource no ARN", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"my-bucket"}`), `resource "my-bucket"`},
		{"open variable", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username"}`), "isn't closed"},
		{"operator", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringSame":{"a":"b"}}}`), `statement 2: Condition: unknown condition operator "StringSame"`},
		{"set prefix", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForSome:StringLike":{"a":"b"}}}`), `"ForSome:StringLike"`},
		{"Null has no IfExists", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NullIfExists":{"a":"true"}}}`), `"NullIfExists"`},
		{"no number", statement(`{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericEquals":{"a":"b"}}}`), "NumericEquals a"},
		{"principal", statement(`{"Effect":"Allow","Action":"s3:*","Principal":{"User":"x"}}`), `Principal: unknown key "User"`},
		{"principal text", statement(`{"Effect":"Allow","Action":"s3:*","Principal":"me"}`), `statement 2: Principal`},
		{"same Sid", `{"Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, `statement 2: Sid "A" is used twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse([]byte(tt.in))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Parse = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(modelOnly))
	f.Add([]byte(`{"Statement":{"Effect":"Deny","NotAction":"*","NotResource":["*"],"Principal":"*","Condition":{"ForAnyValue:DateEqualsIfExists":{"a":["2026"]}}}}`))
	f.Add([]byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:b","Resource":"arn:${a, 'b'}${*}"}]}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		d, err := Parse(in)
		if err != nil {
			return
		}
		if len(d.Statements) == 0 {
			t.Error("accepted a document without statements")
		}
		written, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(parse(t, string(written))); err != nil || !bytes.Equal(written, again) {
			t.Errorf("written as %s, then as %s, %v", written, again, err)
		}
		for _, s := range d.Statements {
			for _, a := range s.Actions {
				for _, resource := range append(s.Resources, "*") {
					Evaluate([]Document{d}, Request{Action: a, Resource: resource, Context: map[string]string{"a": "b"}})
				}
			}
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("arn:*:?x", "arn:aws:yx")
	f.Add("***a", "aaaa")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		g := newGlob(pattern)
		if g.match(s) && !newGlob(pattern+"*").match(s) {
			t.Errorf("%q matches %q, and with a * at its end it doesn't", pattern, s)
		}
		if !strings.ContainsAny(pattern, "*?") && g.match(s) != (string([]rune(pattern)) == string([]rune(s))) {
			t.Errorf("%q without wildcards: match(%q) = %v", pattern, s, g.match(s))
		}
		if !newGlob("*").match(s) {
			t.Errorf("* doesn't match %q", s)
		}
	})
}
