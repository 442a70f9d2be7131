//go:build linux

package test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// administrator is an instance whose role may do everything.
const administrator = `
instance: {region: us-west-2}
role:
  name: administrator
  policies:
    all: {Version: "2012-10-17", Statement: [{Effect: Allow, Action: "*", Resource: "*"}]}
`

// Terraform's provider makes users, keys, roles and parameters in the account,
// finds them as it left them, and takes them away again.
func TestTerraform(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "terraform")
	providers := requireProvider(t)
	dir := t.TempDir()
	config, err := os.ReadFile("testdata/terraform/main.tf")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "main.tf"), config, 0o644); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Abs("testdata/terraform/left.py")
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, "sandbox", "--scenario", scenario(t, administrator), "--", "sh", "-euc", `
export CHECKPOINT_DISABLE=1 TF_CLI_CONFIG_FILE=/dev/null TF_IN_AUTOMATION=1
cd "$0"
"$2" "$3" >before
terraform init -no-color -plugin-dir="$1" >/dev/null
terraform apply -no-color -auto-approve
"$2" "$3" >between
terraform plan -no-color -detailed-exitcode
terraform destroy -no-color -auto-approve
"$2" "$3" >after
`, dir, providers, requirePython(t), left)
	r.wants(t, 0, "Apply complete! Resources: 16 added, 0 changed, 0 destroyed.", "No changes.", "Destroy complete! Resources: 16 destroyed.",
		`user = "arn:aws:iam::123456789012:user/apps/bedrock-app"`, "tokens = 6000000")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	if before, after := read("before"), read("after"); before != after || !strings.Contains(before, "role/administrator") {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	for _, made := range []string{"user/apps/bedrock-app", "policy/bedrock-invoke", "role/bedrock-instance", "instance-profile/bedrock-instance", "/bedrock-app/secret-access-key", "log-group:/bedrock-app", "errors", "alarm:bedrock-app-imdsv1", "repository/bedrock-app"} {
		if between := read("between"); !strings.Contains(between, made) {
			t.Errorf("%s is not in\n%s", made, between)
		}
	}
}

// requireProvider returns the folder that terraform finds its provider in:
// one that TF_PLUGINS names, or the one of this machine's image.
func requireProvider(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("TF_PLUGINS"), "/opt/tf-plugins", "/usr/share/terraform/plugins"} {
		if found, _ := filepath.Glob(filepath.Join(dir, "registry.terraform.io/hashicorp/aws/5.100.0/*/terraform-provider-aws*")); dir != "" && len(found) > 0 {
			return dir
		}
	}
	require(t, errors.New("no AWS provider 5.100.0 for terraform: set TF_PLUGINS to the folder that holds registry.terraform.io/hashicorp/aws"))
	return ""
}
