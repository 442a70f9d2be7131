package terraform

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tegata/scan"
)

// told lists texts as `aws_instance.web user_data sh "…"`.
func told(facts scan.Facts) (all []string) {
	for _, f := range facts.Findings {
		all = append(all, fmt.Sprintf("%s %s", f.ID, f.Confidence))
	}
	for _, t := range facts.Texts {
		all = append(all, fmt.Sprintf("%s %s %q", strings.Join(t.Origin, " "), t.Lang, t.Body))
	}
	return all
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range texts {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := told(Detect(scan.File("x.tf", scan.Terraform, []byte(tt.body))))
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

var texts = []struct {
	name, body string
	want       []string
}{
	{"heredoc", `resource "aws_instance" "a" {
  user_data = <<EOF
#!/bin/sh
  curl $${x} ${var.y} %%{http_code}
EOF
}`, []string{`aws_instance.a user_data cloud-init "#!/bin/sh\n  curl ${x} {} %{http_code}\n"`}},
	{"flush heredoc", `resource "aws_instance" "a" {
  user_data = <<-EOF
    #!/bin/sh

      curl x
  EOF
}`, []string{`aws_instance.a user_data cloud-init "#!/bin/sh\n\n  curl x\n"`}},
	{"base64", `resource "aws_launch_template" "a" {
  user_data = base64encode(<<-EOF
    #!/bin/sh
    id
  EOF
  )
}`, []string{`aws_launch_template.a user_data cloud-init "#!/bin/sh\nid\n"`}},
	{"quoted", `resource "aws_instance" "a" { user_data = "#!/bin/sh\necho \"\u0041$${x}\"\n" }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\necho \"A${x}\"\n"`}},
	{"joined", `resource "aws_instance" "a" { user_data = join("\n", ["#!/bin/sh", "curl ${var.x}", "id"]) }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\ncurl {}\nid"`}},
	{"joined by name", `locals { lines = ["#!/bin/sh", "curl x"] }
resource "aws_instance" "a" { user_data = join("\n", local.lines) }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\ncurl x"`}},
	{"format", `resource "aws_instance" "a" { user_data = format("#!/bin/sh\ncurl %s %d %%", "x", var.n) }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\ncurl x {} %"`}},
	{"conditional", `resource "aws_instance" "a" { user_data = var.x ? "#!/bin/sh\ncurl a" : "#!/bin/sh\ncurl b" }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\ncurl a"`, `aws_instance.a user_data cloud-init "#!/bin/sh\ncurl b"`}},
	{"values", `variable "host" { default = "169.254.169.254" }
locals {
  url = "http://${var.host}/latest"
  two = 2
}
resource "aws_instance" "a" { user_data = "#!/bin/sh\ncurl ${local.url}/${local.two}/${local.gone}" }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\ncurl http://169.254.169.254/latest/2/{}"`}},
	{"local", `locals {
  setup = <<-EOT
    #!/bin/bash
    curl x
  EOT
}
resource "aws_instance" "a" { user_data = local.setup }
resource "aws_instance" "b" { user_data = local.setup }`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/bash\ncurl x\n"`}},
	{"local that stands alone", `locals {
  setup = <<-EOT
    #!/bin/bash
    curl x
  EOT
}`, []string{`locals setup bash "#!/bin/bash\ncurl x\n"`}},
	{"script within a script", `locals {
  part = <<-EOT
    curl x
    curl y
  EOT
}
resource "aws_instance" "a" { user_data = "#!/bin/sh\n${local.part}" }`,
		[]string{`aws_instance.a user_data sh "curl x\ncurl y\n"`, `aws_instance.a user_data cloud-init "#!/bin/sh\n{}"`}},
	{"directives", `resource "aws_instance" "a" {
  user_data = <<-EOF
    #!/bin/sh
    %{ if var.x == "}" ~}
    curl a
    %{ else }
    curl b
    %{ endif }
    %{ for i in ["}", "${var.z}"] ~}
    curl ${i}
    %{ endfor ~}
  EOF
}`, []string{`aws_instance.a user_data cloud-init "#!/bin/sh\n    curl a\n\ncurl b\n\n    curl {}\n"`}},
	{"template_file", `data "template_file" "a" {
  template = <<-EOF
    #!/bin/sh
    curl $${url} $d
  EOF
}
resource "aws_instance" "a" { user_data = data.template_file.a.rendered }`, []string{`aws_instance.a user_data cloud-init "#!/bin/sh\ncurl {} $d\n"`}},
	{"cloud-init parts", `data "cloudinit_config" "a" {
  part {
    content_type = "text/x-shellscript"
    content = "#!/bin/sh\nid"
  }
  part { content = "#cloud-config\nruncmd: [id]" }
}`, []string{`data.cloudinit_config.a content cloud-init "#!/bin/sh\nid"`, `data.cloudinit_config.a content cloud-init "#cloud-config\nruncmd: [id]"`}},
	{"provisioners", `resource "aws_instance" "a" {
  provisioner "remote-exec" {
    inline = ["a=1", "curl $a"]
  }
  provisioner "local-exec" {
    command = "curl x"
    interpreter = ["/bin/bash", "-c"]
  }
  provisioner "local-exec" {
    command = "Get-Item"
    interpreter = ["PowerShell", "-Command"]
  }
}`, []string{`aws_instance.a inline sh "a=1\ncurl $a"`, `aws_instance.a command bash "curl x"`, `aws_instance.a command powershell "Get-Item"`}},
	{"external", `data "external" "a" { program = ["bash", "-c", "curl 'x'"] }`, []string{`data.external.a program bash "curl 'x'"`}},
	{"document", `resource "aws_ssm_document" "a" {
  content = jsonencode({
    mainSteps = [{ inputs = { runCommand = ["id=$(curl -s x)", "echo $id"] } }]
  })
}`, []string{`aws_ssm_document.a content mainSteps inputs runCommand sh "id=$(curl -s x)\necho $id"`}},
	{"JSON in a heredoc", `resource "aws_ecs_task_definition" "a" {
  container_definitions = <<-EOF
    [{"name": "${var.x}", "command": ["sh", "-c", "curl \"a\" $${b}"], "entryPoint": ["curl", "x"], "environment": [{"name": "A", "value": "no"}]}]
  EOF
}`, []string{`aws_ecs_task_definition.a container_definitions command sh "curl \"a\" ${b}"`, `aws_ecs_task_definition.a container_definitions entryPoint sh "curl x"`}},
	{"arguments", `resource "x" "y" {
  spec = { command = ["curl", "-s", "x"], args = ["echo 1", "curl y"] }
}`, []string{`x.y spec command sh "curl -s x"`, `x.y spec args sh "echo 1\ncurl y"`}},
	{"settings in a heredoc", `locals {
  conf = <<-EOF
    run: curl x
    y = z
  EOF
}`, []string{`locals conf template "run: curl x\ny = z\n"`}},
	{"values of a template", `resource "aws_instance" "a" { user_data = templatefile("x", { zone = "$(curl x)" }) }`,
		[]string{`aws_instance.a user_data zone sh "$(curl x)"`}},
	{"manifest", `resource "kubectl_manifest" "a" {
  yaml_body = <<YAML
kind: Pod
YAML
}
resource "x" "y" {
  z = yamldecode(<<-EOT
    apiVersion: v1
    kind: Pod
  EOT
  )
}`, []string{`kubectl_manifest.a yaml_body kubernetes "kind: Pod\n"`, `x.y z kubernetes "apiVersion: v1\nkind: Pod\n"`}},
	{"image build", `resource "aws_imagebuilder_component" "a" {
  data = "schemaVersion: 1.0\nphases: []"
}`, []string{`aws_imagebuilder_component.a data cloudformation "schemaVersion: 1.0\nphases: []"`}},
	{"packer", `source "amazon-ebs" "a" {}
build {
  provisioner "shell" { inline = ["curl x"] }
  provisioner "powershell" { inline = ["iwr x"] }
}`, []string{`build inline sh "curl x"`, `build inline powershell "iwr x"`}},
	{"packer without an instance", `source "docker" "a" {}
build {
  provisioner "shell" { inline = ["curl x"] }
}`, []string{`build image build inline sh "curl x"`}},
	{"data", `data "http" "id" { url = "http://169.254.169.254/latest/meta-data/instance-id" }`, []string{"TG1001 sure"}},
	{"data with headers", `data "http" "id" {
  url = "http://169.254.169.254/latest/meta-data/instance-id"
  request_headers = { x = "y" }
}`, nil},
	{"mentions", `resource "aws_security_group_rule" "a" {
  description = "curl http://169.254.169.254/latest is for nobody"
  cidr_blocks = ["169.254.169.254/32"]
}
# curl http://169.254.169.254/latest/`, []string{` prose "\"curl http://169.254.169.254/latest is for nobody\""`}},
	{"broken", "resource {{ x }} {\n", []string{` template "resource {{ x }} {\n"`}},
	{"module", `module "a" { pre_bootstrap_user_data = "curl x" }`, []string{`module.a pre_bootstrap_user_data sh "curl x"`}},
	{"tfvars", `user_data = "#!/bin/sh\ncurl x"`, []string{`user_data cloud-init "#!/bin/sh\ncurl x"`}},
	{"a loop", `locals {
  a = local.b
  b = "curl ${local.a}"
}
resource "aws_instance" "a" { user_data = local.a }`, []string{`aws_instance.a user_data sh "curl curl {}"`}},
	{"JSON", `{"resource": {"aws_instance": {"a": {"user_data": "#!/bin/sh\necho \"$${x}\" ${y}"}}}}`,
		[]string{`aws_instance.a user_data cloud-init "#!/bin/sh\necho \"${x}\" {}"`}},
}

func TestPackerJSON(t *testing.T) {
	t.Parallel()
	const body = "{\"builders\": [{\"type\": \"amazon-ebs\", \"user_data\": \"#!/bin/sh\\nid\"}],\n" +
		`"provisioners": [{"type": "shell", "inline": ["a={{user ` + "`x`" + `}}", "curl \u0024a"]}, {"type": "powershell", "inline": ["iwr x"]}]}`
	got := told(Detect(scan.File("x.json", scan.Packer, []byte(body))))
	want := []string{`user_data cloud-init "#!/bin/sh\nid"`, `inline sh "a={}\ncurl $a"`, `inline powershell "iwr x"`}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTemplateText(t *testing.T) {
	t.Parallel()
	file := scan.File("x.sh", scan.CloudInit, []byte("#!/bin/sh\n%{ if a ~}\n${b} $${c} $d %%{e}\n%{ endif ~}\n"))
	got := TemplateText(file, scan.CloudInit)
	if want := "#!/bin/sh\n{} ${c} $d %{e}\n"; got.Body != want || got.Lang != scan.CloudInit {
		t.Errorf("%s %q, want %q", got.Lang, got.Body, want)
	}
}

func FuzzDetect(f *testing.F) {
	for _, tt := range texts {
		f.Add(tt.body)
	}
	for _, tt := range units {
		f.Add(tt.body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		file := scan.File("x.tf", scan.Terraform, []byte(body))
		facts := Detect(file)
		for _, inner := range append(facts.Texts, TemplateText(file, scan.Shell)) {
			at := inner.InFile(span{Start: 0, End: len(inner.Body)})
			if at.Start < 0 || at.End > len(body)+len("\ufeff") || at.Start > at.End {
				t.Errorf("%q stands at %v", inner.Body, at)
			}
		}
		for _, u := range facts.Units {
			for _, s := range u.Settings {
				if s.At.Start < 0 || s.At.End > len(file.Body) || s.At.Start > s.At.End {
					t.Errorf("%s at %v", s.ID, s.At)
				}
			}
		}
	})
}

// What would use up the stack of a parser, or all time, is broken.
func TestDeep(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"(", "[", "{", "!", "-", "${", "a?b:", "\"${", "%{", "f("} {
		for _, before := range []string{"a = ", "a = \"", "a = <<EOF\n"} {
			body := before + strings.Repeat(unit, 1<<18/len(unit))
			Detect(scan.File("x.tf", scan.Terraform, []byte(body)))
			TemplateText(scan.File("x.tf", scan.Shell, []byte(body)), scan.Shell)
		}
	}
	Detect(scan.File("x.json", scan.Packer, []byte(strings.Repeat(`{"a":`, 1<<18))))
}
