package cloudformation

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/scan"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want, place, at string }{
		{"YAML", `Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - Effect: Allow
                Action: ["bedrock:ListFoundationModels"]
                Resource: !Sub arn:${AWS::Partition}:bedrock:*::foundation-model/x
`, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["bedrock:ListFoundationModels"], "Resource": "arn:{}:bedrock:*::foundation-model/x"}]}`,
			`"bedrock:ListFoundationModels"`, `"bedrock:ListFoundationModels"`},
		{"JSON", `{"Resources": {"P": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}}}}}`,
			`{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}}`, `"sts:AssumeRole"`, `"sts:AssumeRole"`},
		{"no policy", "Resources: {A: {Type: AWS::WAF::Rule, Properties: {Statement: {ByteMatch: x}}}}", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := scan.File("template.yaml", scan.CloudFormation, []byte(tt.text))
			var got []*scan.Text
			for _, text := range Detect(file).Texts {
				if text.Lang == scan.IAM {
					got = append(got, text)
				}
			}
			if tt.want == "" {
				if len(got) != 0 {
					t.Errorf("%d policies", len(got))
				}
				return
			}
			if len(got) != 1 {
				t.Fatalf("%d policies", len(got))
			}
			if diff := cmp.Diff(tt.want, got[0].Body); diff != "" || !json.Valid([]byte(got[0].Body)) {
				t.Error(diff)
			}
			i := strings.Index(got[0].Body, tt.place)
			if at := got[0].InFile(scan.Span{Start: i, End: i + len(tt.place)}); tt.text[at.Start:at.End] != tt.at {
				t.Errorf("%s stands at %q, want %q", tt.place, tt.text[at.Start:at.End], tt.at)
			}
		})
	}
}
