package delivery

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"tegata/scan"
)

const pair = `resource "aws_iam_access_key" "app" {
  user = aws_iam_user.app.name
}

resource "aws_ssm_parameter" "app_id" {
  name  = "/app/id"
  type  = "SecureString"
  value = aws_iam_access_key.app.id
}

  resource "aws_ssm_parameter" "app_secret" {
  type  = "SecureString"
  value = "${aws_iam_access_key.app.secret}"
}
`

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"beta", "apiVersion: external-secrets.io/v1beta1\nkind: ExternalSecret\n", []string{"TG1302 external-secrets.io/v1beta1"}},
		{"in a list, quoted", "items:\n- apiVersion: \"external-secrets.io/v1beta1\"\n", []string{"TG1302 external-secrets.io/v1beta1"}},
		{"JSON", "{\n\"apiVersion\": \"external-secrets.io/v1alpha1\"}", []string{"TG1302 external-secrets.io/v1alpha1"}},
		{"served", "apiVersion: external-secrets.io/v1\n", nil},
		{"said in a comment", "# apiVersion: external-secrets.io/v1beta1\n", nil},
		{"a pair in two parameters", pair, []string{`TG1303 resource "aws_ssm_parameter" "app_secret"`}},
		{"half of a pair", pair[:len(pair)/2], nil},
		{"two keys", `resource "aws_ssm_parameter" "a" {
  value = aws_iam_access_key.a.id
}
resource "aws_ssm_parameter" "b" {
  value = aws_iam_access_key.b.secret
}`, nil},
		{"one parameter for both", `resource "aws_ssm_parameter" "a" {
  value = jsonencode({ id = aws_iam_access_key.a.id, secret = aws_iam_access_key.a.secret })
}`, nil},
	} {
		file := scan.File("a", scan.Plain, []byte(tt.text))
		var got []string
		for _, f := range Detect(file).Findings {
			got = append(got, f.ID+" "+file.Body[f.At.Start:f.At.End])
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
}

func TestFix(t *testing.T) {
	t.Parallel()
	file := scan.File("a.yaml", scan.Kubernetes, []byte("apiVersion: external-secrets.io/v1beta1\n"))
	e, err := file.Edit(Detect(file).Findings[0].Fix[0])
	if got := file.Body[:e.Start] + e.Text + file.Body[e.End:]; err != nil || got != "apiVersion: external-secrets.io/v1\n" {
		t.Errorf("%q, %v", got, err)
	}
}
