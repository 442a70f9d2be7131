package terraform

import (
	gojson "encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/scan"
)

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want, place, at string }{
		{"jsonencode", `resource "aws_iam_policy" "p" {
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["bedrock:ListFoundationModels"], Resource = "arn:aws:bedrock:*::foundation-model/${var.model}" }]
  })
}`, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["bedrock:ListFoundationModels"], "Resource": "arn:aws:bedrock:*::foundation-model/{}"}]}`,
			`"bedrock:ListFoundationModels"`, `"bedrock:ListFoundationModels"`},
		{"a default", `variable "model" { default = "x" }
locals { p = jsonencode({ Statement = { Effect = "Allow", Action = "a:B", Resource = "arn:aws:a:::${var.model}", Condition = { Bool = { k = true } } } }) }`,
			`{"Statement": {"Effect": "Allow", "Action": "a:B", "Resource": "arn:aws:a:::x", "Condition": {"Bool": {"k": "true"}}}}`, `"arn:aws:a:::x"`, `"arn:aws:a:::${var.model}"`},
		{"a heredoc", `resource "aws_iam_role_policy" "p" {
  policy = <<-EOF
    {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}
  EOF
}`, `{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}]}` + "\n", "sts:AssumeRole", "sts:AssumeRole"},
		{"data", `data "aws_iam_policy_document" "d" {
  statement {
    actions   = ["sts:AssumeRole"]
    resources = ["*", aws_iam_role.x.arn]
  }
  statement {
    effect    = "Deny"
    actions   = ["a:B"]
    resources = var.all
    condition {
      test = "Bool"
    }
  }
}`, `{"Statement": [{"Effect": "Allow", "Action": ["sts:AssumeRole"], "Resource": ["*", "{}"]}, {"Effect": "Deny", "Action": ["a:B"], "Resource": "{}", "Condition": {"of": {}}}]}`,
			`"sts:AssumeRole"`, `"sts:AssumeRole"`},
		{"no policy", `locals { x = jsonencode({ a = "b" }) }`, "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := scan.File("main.tf", scan.Terraform, []byte(tt.text))
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
			if diff := cmp.Diff(tt.want, got[0].Body); diff != "" || !gojson.Valid([]byte(got[0].Body)) {
				t.Error(diff)
			}
			i := strings.Index(got[0].Body, tt.place)
			if at := got[0].InFile(scan.Span{Start: i, End: i + len(tt.place)}); tt.text[at.Start:at.End] != tt.at {
				t.Errorf("%s stands at %q, want %q", tt.place, tt.text[at.Start:at.End], tt.at)
			}
		})
	}
}
