package terraform

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/internal/edit"
	"tegata/scan"
)

// judged lists what is said of units: "aws_instance.a required containers x.sh",
// and their settings.
func judged(body string, facts scan.Facts) (all []string) {
	for _, u := range facts.Units {
		s := u.Name
		if u.Required != nil {
			s += " required"
		}
		if u.Containers {
			s += " containers"
		}
		for _, r := range u.References {
			s += fmt.Sprintf(" %s %v", r.Path, r.Template)
		}
		for _, f := range u.Settings {
			s += fmt.Sprintf(", %s %s %q", f.ID, f.Confidence, body[f.At.Start:f.At.End])
		}
		all = append(all, s)
	}
	return all
}

// mended applies what mends the settings.
func mended(t *testing.T, body string, facts scan.Facts) string {
	t.Helper()
	text := scan.File("x.tf", scan.Terraform, []byte(body))
	var edits []edit.Edit
	for _, u := range facts.Units {
		for _, f := range u.Settings {
			for _, s := range f.Fix {
				e, err := text.Edit(s)
				if err != nil {
					t.Fatal(err)
				}
				edits = append(edits, e)
			}
		}
	}
	after, err := edit.Apply(body, edits)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func TestUnits(t *testing.T) {
	t.Parallel()
	for _, tt := range units {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			facts := Detect(scan.File("x.tf", scan.Terraform, []byte(tt.body)))
			if got := judged(tt.body, facts); !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			after := mended(t, tt.body, facts)
			if want := strings.Replace(tt.after, "SAME", tt.body, 1); after != want {
				t.Errorf("becomes\n%s\nwant\n%s", after, want)
			}
			for _, u := range Detect(scan.File("x.tf", scan.Terraform, []byte(after))).Units {
				for _, f := range u.Settings {
					if len(f.Fix) > 0 {
						t.Errorf("%s is still there: %s", f.ID, after)
					}
				}
			}
		})
	}
}

var units = []struct {
	name, body string
	want       []string
	after      string
}{
	{"missing", `resource "aws_instance" "a" {
  ami = "x"
}
`, []string{`aws_instance.a, TG1201 sure "resource \"aws_instance\" \"a\""`}, `resource "aws_instance" "a" {
  ami = "x"

  metadata_options {
    http_tokens = "required"
  }
}
`},
	{"missing on one line", `resource "aws_launch_configuration" "a" { image_id = "x" }`,
		[]string{`aws_launch_configuration.a, TG1201 sure "resource \"aws_launch_configuration\" \"a\""`}, `resource "aws_launch_configuration" "a" {
  image_id = "x"

  metadata_options {
    http_tokens = "required"
  }
}`},
	{"missing in an empty block", `resource "aws_launch_template" "a" {}`,
		[]string{`aws_launch_template.a, TG1201 sure "resource \"aws_launch_template\" \"a\""`}, `resource "aws_launch_template" "a" {
  metadata_options {
    http_tokens = "required"
  }
}`},
	{"missing with containers and CRLF", "resource \"aws_instance\" \"a\" {\r\n\tuser_data = \"#!/bin/sh\\ndocker run x\"\r\n}\r\n",
		[]string{`aws_instance.a containers, TG1201 sure "resource \"aws_instance\" \"a\""`},
		"resource \"aws_instance\" \"a\" {\r\n\tuser_data = \"#!/bin/sh\\ndocker run x\"\r\n\r\n\tmetadata_options {\r\n\t\thttp_tokens                 = \"required\"\r\n\t\thttp_put_response_hop_limit = 2\r\n\t}\r\n}\r\n"},
	{"optional", `resource "aws_instance" "a" {
  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "optional" # for now
  }
}
`, []string{`aws_instance.a, TG1202 sure "\"optional\""`}, `resource "aws_instance" "a" {
  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required" # for now
  }
}
`},
	{"tokens missing", `resource "aws_instance" "a" {
  metadata_options {
    http_endpoint = "enabled"
  }
}`, []string{`aws_instance.a, TG1201 sure "resource \"aws_instance\" \"a\""`}, `resource "aws_instance" "a" {
  metadata_options {
    http_endpoint = "enabled"
    http_tokens = "required"
  }
}`},
	{"required", `resource "aws_instance" "a" {
  metadata_options { http_tokens = "required" }
}`, []string{"aws_instance.a required"}, "SAME"},
	{"disabled", `resource "aws_instance" "a" {
  metadata_options {
    http_endpoint = "disabled"
  }
}`, []string{"aws_instance.a"}, "SAME"},
	{"default of a variable", `variable "tokens" {
  default = "optional"
}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens = var.tokens
  }
}`, []string{`aws_instance.a, TG1202 sure "\"optional\""`}, `variable "tokens" {
  default = "required"
}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens = var.tokens
  }
}`},
	{"a variable without a default", `variable "tokens" {}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens = var.tokens
  }
}`, []string{`aws_instance.a, TG1202 possible "var.tokens"`}, "SAME"},
	{"a condition", `resource "aws_instance" "a" {
  metadata_options {
    http_tokens = var.x ? "required" : "optional"
  }
}`, []string{`aws_instance.a, TG1202 possible "var.x ? \"required\" : \"optional\""`}, "SAME"},
	{"dynamic", `variable "options" {
  default = { http_tokens = "optional", http_put_response_hop_limit = 1 }
}
resource "aws_launch_template" "a" {
  dynamic "metadata_options" {
    for_each = var.options == null ? [] : [var.options]
    content {
      http_tokens                 = metadata_options.value.http_tokens
      http_put_response_hop_limit = lookup(metadata_options.value, "http_put_response_hop_limit", 1)
    }
  }
}`, []string{`aws_launch_template.a, TG1202 sure "\"optional\""`}, `variable "options" {
  default = { http_tokens = "required", http_put_response_hop_limit = 1 }
}
resource "aws_launch_template" "a" {
  dynamic "metadata_options" {
    for_each = var.options == null ? [] : [var.options]
    content {
      http_tokens                 = metadata_options.value.http_tokens
      http_put_response_hop_limit = lookup(metadata_options.value, "http_put_response_hop_limit", 1)
    }
  }
}`},
	{"default of a type", `variable "options" {
  type = object({
    http_tokens = optional(string, "optional")
    http_put_response_hop_limit = optional(number)
  })
  default = {}
}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens                 = var.options.http_tokens
    http_put_response_hop_limit = var.options["http_put_response_hop_limit"]
  }
}`, []string{`aws_instance.a, TG1202 sure "\"optional\""`}, `variable "options" {
  type = object({
    http_tokens = optional(string, "required")
    http_put_response_hop_limit = optional(number)
  })
  default = {}
}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens                 = var.options.http_tokens
    http_put_response_hop_limit = var.options["http_put_response_hop_limit"]
  }
}`},
	{"what is tried", `variable "options" {}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens                 = try(var.options.http_tokens, "optional")
    http_put_response_hop_limit = coalesce(var.options.hops, 8)
  }
}`, []string{`aws_instance.a, TG1202 sure "\"optional\"", TG1203 sure "8"`}, `variable "options" {}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens                 = try(var.options.http_tokens, "required")
    http_put_response_hop_limit = coalesce(var.options.hops, 2)
  }
}`},
	{"launched from a template", `resource "aws_instance" "a" {
  launch_template {
    id = aws_launch_template.b.id
  }
}`, []string{"aws_instance.a"}, "SAME"},
	{"hop limit of containers", `resource "aws_launch_template" "a" {
  image_id = data.aws_ssm_parameter.ecs.value
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
}`, []string{`aws_launch_template.a required containers, TG1203 sure "1"`}, `resource "aws_launch_template" "a" {
  image_id = data.aws_ssm_parameter.ecs.value
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}`},
	{"hop limit left open for containers", `data "aws_ami" "x" {
  filter {
    name   = "name"
    values = ["amzn2-ami-ecs-hvm-*"]
  }
}
resource "aws_launch_template" "a" {
  image_id = data.aws_ami.x.id
  metadata_options {
    http_tokens = "optional"
  }
}`, []string{`aws_launch_template.a containers, TG1202 sure "\"optional\"", TG1203 likely "metadata_options"`}, `data "aws_ami" "x" {
  filter {
    name   = "name"
    values = ["amzn2-ami-ecs-hvm-*"]
  }
}
resource "aws_launch_template" "a" {
  image_id = data.aws_ami.x.id
  metadata_options {
    http_tokens = "required"
    http_put_response_hop_limit = 2
  }
}`},
	{"hop limit too far", `resource "aws_instance" "a" {
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 64
  }
}`, []string{`aws_instance.a required, TG1203 sure "64"`}, `resource "aws_instance" "a" {
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}`},
	{"nodes", `resource "aws_eks_node_group" "n" {
  launch_template {
    id = aws_launch_template.a.id
  }
}
resource "aws_launch_template" "a" {
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
}`, []string{"aws_launch_template.a required containers"}, "SAME"},
	{"module", `module "a" {
  source = "terraform-aws-modules/ec2-instance/aws"
  metadata_options = { http_tokens = "optional" }
}
module "b" {
  source = "terraform-aws-modules/ec2-instance/aws"
}
module "c" {
  source = "./c"
}`, []string{`module.a, TG1202 sure "\"optional\""`, `module.b, TG1201 possible "module \"b\""`}, `module "a" {
  source = "terraform-aws-modules/ec2-instance/aws"
  metadata_options = { http_tokens = "required" }
}
module "b" {
  source = "terraform-aws-modules/ec2-instance/aws"
}
module "c" {
  source = "./c"
}`},
	{"groups of nodes", `module "eks" {
  source = "terraform-aws-modules/eks/aws"
  eks_managed_node_groups = {
    a = {
      pre_bootstrap_user_data = "echo a\ncurl x"
      metadata_options = {
        http_tokens                 = "optional"
        http_put_response_hop_limit = 1
      }
    }
  }
}`, []string{`module.eks.eks_managed_node_groups containers, TG1202 sure "\"optional\"", TG1203 sure "1"`}, `module "eks" {
  source = "terraform-aws-modules/eks/aws"
  eks_managed_node_groups = {
    a = {
      pre_bootstrap_user_data = "echo a\ncurl x"
      metadata_options = {
        http_tokens                 = "required"
        http_put_response_hop_limit = 2
      }
    }
  }
}`},
	{"default of the account", `resource "aws_ec2_instance_metadata_defaults" "d" {
  http_tokens = "required"
}
resource "aws_instance" "a" {}`, []string{"aws_ec2_instance_metadata_defaults.d required", `aws_instance.a, TG1201 possible "resource \"aws_instance\" \"a\""`}, `resource "aws_ec2_instance_metadata_defaults" "d" {
  http_tokens = "required"
}
resource "aws_instance" "a" {
  metadata_options {
    http_tokens = "required"
  }
}`},
	{"references", `resource "aws_instance" "a" {
  user_data = templatefile("${path.module}/files/a.sh", {})
  metadata_options {
    http_tokens = "required"
  }
}
data "template_file" "b" {
  template = file("b.sh.tpl")
}
resource "aws_launch_template" "b" {
  user_data = base64encode(data.template_file.b.rendered)
  metadata_options {
    http_tokens = "required"
  }
}
resource "aws_launch_configuration" "c" {
  user_data = file("./c.sh")
  metadata_options {
    http_tokens = "required"
  }
}`, []string{"aws_instance.a required files/a.sh true", "aws_launch_template.b required b.sh.tpl true", "aws_launch_configuration.c required c.sh false"}, "SAME"},
}

// What runs on a unit is among its texts, also where a local holds it.
func TestUnitTexts(t *testing.T) {
	t.Parallel()
	facts := Detect(scan.File("x.tf", scan.Terraform, []byte(`locals {
  part = "curl a\ncurl b"
  all  = "#!/bin/sh\n${local.part}\n"
}
resource "aws_instance" "a" {
  user_data = local.all
  provisioner "remote-exec" {
    inline = ["curl c"]
  }
}`)))
	var got []string
	for _, text := range facts.Units[0].Texts {
		got = append(got, text.Body)
	}
	if want := []string{"curl a\ncurl b", "#!/bin/sh\n{}\n", "curl c"}; !slices.Equal(got, want) || len(facts.Texts) != 3 {
		t.Errorf("%q of %d, want %q", got, len(facts.Texts), want)
	}
}

func TestJSONOptions(t *testing.T) {
	t.Parallel()
	const body = `{"resource": {"aws_instance": {"a": {"metadata_options": [{"http_tokens": "optional"}]}, "b": {"metadata_options": {"http_tokens": "required"}}}}}`
	facts := Detect(scan.File("x.tf.json", scan.Terraform, []byte(body)))
	if got, want := judged(body, facts), []string{`aws_instance.a, TG1202 sure "\"optional\""`, "aws_instance.b required"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := mended(t, body, facts), strings.Replace(body, "optional", "required", 1); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
