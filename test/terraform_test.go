//go:build linux

package test

import (
	"errors"
	"os"
	"path/filepath"
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
	r := run(t, "sandbox", "--scenario", scenario(t, administrator), "--", "sh", "-euc", `
export CHECKPOINT_DISABLE=1 TF_CLI_CONFIG_FILE=/dev/null TF_IN_AUTOMATION=1
cd "$0"
terraform init -no-color -plugin-dir="$1" >/dev/null
terraform apply -no-color -auto-approve
terraform plan -no-color -detailed-exitcode
tegata get meta-data/instance-id >/dev/null
terraform destroy -no-color -auto-approve
terraform plan -no-color -refresh-only -detailed-exitcode
`, dir, providers)
	r.wants(t, 0, "Apply complete! Resources: 11 added, 0 changed, 0 destroyed.", "No changes.", "Destroy complete! Resources: 11 destroyed.",
		`user = "arn:aws:iam::123456789012:user/apps/bedrock-app"`)
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
