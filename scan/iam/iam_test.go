package iam

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"tegata/scan"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	const model = `"arn:aws:bedrock:*::foundation-model/anthropic.claude-sonnet-4-20250514-v1:0"`
	for _, tt := range []struct {
		name, document string
		want           []string // id, confidence, what is pointed at
	}{
		{"not a policy", `{"Version": "1", "Resources": {}}`, nil},
		{"not JSON", `{"Statement": [`, nil},
		{"two documents", `{"Statement": []} {}`, nil},
		{"lists of models take no ARN", statement(`["bedrock:ListFoundationModels", "bedrock:InvokeModel"]`, `["arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"]`),
			[]string{`TG1205 sure "bedrock:ListFoundationModels"`}},
		{"a job is no model", statement(`"bedrock:GetModelCustomizationJob"`, `"arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0"`),
			[]string{`TG1205 sure "bedrock:GetModelCustomizationJob"`}},
		{"a job", statement(`"bedrock:GetModelCustomizationJob"`, `"arn:aws:bedrock:eu-west-1:123456789012:model-customization-job/*"`), nil},
		{"one of the resources is *", statement(`"bedrock:ListFoundationModels"`, `["arn:aws:s3:::a", "*"]`), nil},
		{"all of Bedrock", statement(`"bedrock:ListFoundationModels"`, `"arn:aws:bedrock:eu-west-1:123456789012:*"`), nil},
		{"filled in later", statement(`"bedrock:ListFoundationModels"`, `"{}"`), nil},
		{"a pattern of actions", statement(`"bedrock:List*"`, `"arn:aws:bedrock:*::foundation-model/x"`), nil},
		{"denied", strings.ReplaceAll(statement(`"bedrock:ListFoundationModels"`, model), "Allow", "Deny"), nil},
		{"no profile", statement(`"bedrock:InvokeModel"`, model), []string{"TG1205 likely " + model}},
		{"no profile for what is filled in", statement(`"bedrock:InvokeModel*"`, `"arn:aws:bedrock:*::foundation-model/{}"`),
			[]string{`TG1205 likely "arn:aws:bedrock:*::foundation-model/{}"`}},
		{"profile and model", statement(`"bedrock:InvokeModel"`, `[`+model+`, "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-20250514-v1:0"]`), nil},
		{"profile in another statement", `{"Statement": [{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": ` + model + `},
			{"Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": "arn:aws:bedrock:*:*:inference-profile/*"}]}`, nil},
		{"a model that has on-demand throughput", statement(`"bedrock:InvokeModel"`, `"arn:aws:bedrock:*::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"`), nil},
		{"all models", statement(`"bedrock:InvokeModel"`, `"arn:aws:bedrock:*::foundation-model/*"`), nil},
		{"every role", statement(`["sts:GetCallerIdentity", "sts:AssumeRole"]`, `"*"`), []string{`TG1207 sure "sts:AssumeRole"`}},
		{"every role of an account", statement(`"sts:AssumeRole"`, `["arn:aws:iam::123456789012:role/*"]`), []string{`TG1207 sure "sts:AssumeRole"`}},
		{"roles below a path", statement(`"sts:AssumeRole"`, `["arn:aws:iam::123456789012:role/app/*"]`), nil},
		{"a trust policy", `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}}`, nil},
		{"every role that has a tag", `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceTag/a": "b"}}}}`, nil},
		{"a statement alone", `{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "*"}`, []string{`TG1207 sure "sts:AssumeRole"`}},
		{"an administrator", statement(`"*"`, `"*"`), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := scan.File("policy.json", scan.IAM, []byte(tt.document))
			var got []string
			for _, f := range Detect(file).Findings {
				got = append(got, fmt.Sprintf("%s %s %s", f.ID, f.Confidence, file.Body[f.At.Start:f.At.End]))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func statement(actions, resources string) string {
	return `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ` + actions + `, "Resource": ` + resources + `}]}`
}

func FuzzDetect(f *testing.F) {
	f.Add(statement(`"bedrock:ListFoundationModels"`, `"arn:aws:bedrock:*::foundation-model/x"`))
	f.Add(`{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": "*"}`)
	f.Add(strings.Repeat(`{"Statement":[`, 100))
	f.Add(`{"Statement":{"Effect":"Allow","Action":[1,null],"Resource":[":::::"]}}`)
	f.Fuzz(func(t *testing.T, document string) {
		file := scan.File("policy.json", scan.IAM, []byte(document))
		for _, found := range Detect(file).Findings {
			if found.At.Start >= found.At.End || file.Body[found.At.Start] != '"' {
				t.Errorf("%v of %q", found.At, document)
			}
		}
	})
}
