package terraform

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"tegata/internal/edit"
	"tegata/scan"
)

// evaluated is what Terraform's own library makes of an attribute.
func evaluated(t *testing.T, body, attribute string) (string, bool) {
	t.Helper()
	parsed, diags := hclsyntax.ParseConfig([]byte(body), "x.tf", hcl.InitialPos)
	if diags.HasErrors() {
		return "", false
	}
	a := parsed.Body.(*hclsyntax.Body).Attributes[attribute]
	if a == nil {
		return "", false
	}
	var s string
	diags = gohcl.DecodeExpression(a.Expr, nil, &s)
	return s, !diags.HasErrors()
}

// Strings are read as Terraform reads them.
func TestAsTerraform(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`user_data = "#!/bin/sh\necho \"a\" \\ \t\u00e9\U0001F600 $${x} %%{y} $x % $"`,
		"user_data = <<EOF\n#!/bin/sh\n  a \\n $${x} %%{http_code} $d $$ %%\n\n\tb\nEOF\n",
		"user_data = <<-EOF\n    #!/bin/sh\n      a\n\n  \n    b\n  EOF\n",
		"user_data = <<-EOF\n\t\t#!/bin/sh\n\t\t\ta\n\t\tb\n\tEOF\n",
		"user_data = <<-EOF\n    #!/bin/sh\n  ${\"a\"}\n    b\n  EOF\n",
		"user_data = <<-EOF\n#!/bin/sh\n  b\nEOF\n",
		"user_data = <<-EOF\r\n    #!/bin/sh\r\n\r\n      b\r\n    EOF\r\n",
		"user_data = <<-EOF\n    #!/bin/sh\n    %{ if true ~}\n    a\n    %{ endif ~}\n    b\n    EOF\n",
		"user_data = <<-EOF\n    #!/bin/sh\n    %{~ if true }\n    a\n    %{ endif }\n    b\n    EOF\n",
		"user_data = \"#!/bin/sh ${~ \"a\" ~}  b\"\n",
		"user_data = \"#!/bin/sh\\n ${\"}\"} b\"\n",
	} {
		want, ok := evaluated(t, body, "user_data")
		facts := Detect(scan.File("x.tf", scan.Terraform, []byte(body)))
		if !ok || len(facts.Texts) != 1 || facts.Texts[0].Body != want {
			t.Errorf("%s\ngot  %q\nwant %q, %v", body, told(facts), want, ok)
		}
	}
}

// What is put in for xx is what Terraform gives in its place.
func TestEncode(t *testing.T) {
	t.Parallel()
	bodies := []string{
		`user_data = "#!/bin/sh\na xx b"`,
		"user_data = <<EOF\n#!/bin/sh\na xx b\nEOF\n",
		"user_data = <<-EOF\n    #!/bin/sh\n    a xx b\n    c\n  EOF\n",
		"user_data = <<-EOF\n\t#!/bin/sh\n\ta xx b\n  EOF\n",
	}
	for _, body := range bodies {
		for _, text := range []string{`"${x}" '\n' %{y}`, "one\ntwo", "$(t)", "{", "a$", "EOF", "x\nEOF\ny", `$${x}`, "\té"} {
			inner := Detect(scan.File("x.tf", scan.Terraform, []byte(body))).Texts[0]
			i := strings.Index(inner.Body, "xx")
			e, err := inner.Edit(scan.Splice{At: span{Start: i, End: i + 2}, Text: text})
			if err != nil {
				continue
			}
			after, err := edit.Apply(body, []edit.Edit{e})
			got, ok := evaluated(t, after, "user_data")
			if want := inner.Body[:i] + text + inner.Body[i+2:]; err != nil || !ok || got != want {
				t.Errorf("%s\ngot  %q, %v, %v\nwant %q", after, got, ok, err, want)
			}
		}
	}
}

func TestNotEncoded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body, text string
		want       error
	}{
		{"user_data = <<EOF\n#!/bin/sh\nxx\nEOF\n", "a\nEOF\nb", errDelimiter},
		{"user_data = <<EOF\n#!/bin/sh\nxx\nEOF\n", "$${a}", errTemplate},
		{"user_data = \"#!/bin/sh\\nxx\"", "a$", errTemplate},
	} {
		inner := Detect(scan.File("x.tf", scan.Terraform, []byte(tt.body))).Texts[0]
		i := strings.Index(inner.Body, "xx")
		if e, err := inner.Edit(scan.Splice{At: span{Start: i, End: i + 2}, Text: tt.text}); err == nil {
			t.Errorf("%s: %q is written as %+v, want %v", tt.body, tt.text, e, tt.want)
		}
	}
}

func TestTemplateTextAsTerraform(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"a\n  %{ if true ~}\n  b\n  %{ endif ~}\nc\n",
		"a\n  %{~ if true ~}\n  b\n  %{~ endif ~}\nc\n",
		"a $${b} %%{c} $d \\n \"e\" %{ if true }f%{ endif }\r\ng",
	} {
		e, diags := hclsyntax.ParseTemplate([]byte(body), "x.tftpl", hcl.InitialPos)
		var want string
		if diags = append(diags, gohcl.DecodeExpression(e, nil, &want)...); diags.HasErrors() {
			t.Fatal(diags)
		}
		if got := TemplateText(scan.File("x.tftpl", scan.CloudInit, []byte(body)), scan.CloudInit); got.Body != want {
			t.Errorf("%q\ngot  %q\nwant %q", body, got.Body, want)
		}
	}
}
