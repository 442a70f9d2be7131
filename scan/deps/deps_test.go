package deps

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"tegata/scan"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, text string
		want       []string // library, version, first that asks for a token
	}{
		{"go.mod", "module x\n\nrequire github.com/aws/aws-sdk-go v1.25.37\n", []string{"github.com/aws/aws-sdk-go v1.25.37 1.25.38"}},
		{"go.mod", "require (\n\tgithub.com/aws/aws-sdk-go v1.44.0\n\tgithub.com/aws/aws-sdk-go-v2 v0.18.0 // indirect\n)\n", []string{"github.com/aws/aws-sdk-go-v2 v0.18.0 0.19.0"}},
		{"go.mod", "require github.com/aws/aws-sdk-go-v2 v1.30.0\n", nil},
		{"web/package.json", `{"dependencies": {"aws-sdk": "2.721.0"}}`, []string{"aws-sdk 2.721.0 2.722.0"}},
		{"package.json", `{"dependencies": {"aws-sdk": "~2.700.1"}}`, []string{"aws-sdk ~2.700.1 2.722.0"}},
		{"package.json", `{"dependencies": {"aws-sdk": "2.700.x"}}`, []string{"aws-sdk 2.700.x 2.722.0"}},
		{"package.json", `{"dependencies": {"aws-sdk": "^2.100.0"}}`, nil},
		{"package.json", `{"dependencies": {"aws-sdk": "^1.18.0"}}`, []string{"aws-sdk ^1.18.0 2.722.0"}},
		{"package.json", `{"dependencies": {"aws-sdk": "2.x"}}`, nil},
		{"package.json", `{"dependencies": {"aws-sdk": "latest"}}`, nil},
		{"package.json", `{"dependencies": {"aws-sdk": "1.0.0 || 2.1000.0"}}`, nil},
		{"package-lock.json", "{\"packages\": {\"node_modules/aws-sdk\": {\n \"version\": \"2.400.0\"}}}", []string{"aws-sdk 2.400.0 2.722.0"}},
		{"yarn.lock", "aws-sdk@^2.1.0, aws-sdk@^2.2.0:\n  version \"2.600.0\"\n", []string{"aws-sdk 2.600.0 2.722.0"}},
		{"pnpm-lock.yaml", "packages:\n  /aws-sdk@2.600.0:\n", []string{"aws-sdk 2.600.0 2.722.0"}},
		{"requirements.txt", "requests==2.0\nboto3==1.9.253 # pinned\nbotocore>=1.12,<1.13\nawscli\nboto==2.49.0\n",
			[]string{"boto3 ==1.9.253 1.12.6", "botocore >=1.12,<1.13 1.13.25", "boto ==2.49.0 3.0.0"}},
		{"requirements-dev.txt", "boto3~=1.9.0\nBoto3 == 1.9.*\nboto3>=1.9.0\nboto3<2\nboto3!=1.9.0\n#boto3==1.0\n", []string{"boto3 ~=1.9.0 1.12.6", "boto3 == 1.9.* 1.12.6"}},
		{"setup.py", `install_requires=["boto3==1.10.0", 'botocore>=1.13']`, []string{"boto3 ==1.10.0 1.12.6"}},
		{"pyproject.toml", "dependencies = [\"boto3<=1.12.5\"]\n[tool.poetry.dependencies]\nbotocore = \"~1.12.0\"\n", []string{"boto3 <=1.12.5 1.12.6", "botocore ~1.12.0 1.13.25"}},
		{"poetry.lock", "[[package]]\nname = \"boto3\"\nversion = \"1.9.1\"\n", []string{"boto3 1.9.1 1.12.6"}},
		{"Pipfile.lock", `{"default": {"boto3": {"hashes": ["a"], "version": "==1.9.1"}}}`, []string{"boto3 ==1.9.1 1.12.6"}},
		{"pom.xml", "<properties><aws.version>1.11.500</aws.version></properties><dependency><groupId>com.amazonaws</groupId>\n<artifactId>aws-java-sdk-s3</artifactId>\n<version>${aws.version}</version>",
			[]string{"com.amazonaws 1.11.500 1.11.678"}},
		{"pom.xml", "<groupId>software.amazon.awssdk</groupId><artifactId>bom</artifactId><version>2.10.20</version>", []string{"software.amazon.awssdk 2.10.20 2.10.21"}},
		{"build.gradle", "implementation 'com.amazonaws:aws-java-sdk-core:1.11.677'\nimplementation \"software.amazon.awssdk:s3:$v\"", []string{"com.amazonaws 1.11.677 1.11.678"}},
		{"build.gradle.kts", "val awsVersion = \"2.5.0\"\nimplementation(\"software.amazon.awssdk:s3:${awsVersion}\")", []string{"software.amazon.awssdk 2.5.0 2.10.21"}},
		{"Gemfile", "gem 'aws-sdk-core', '~> 3.70.0'\ngem 'aws-sdk', '~> 3'\ngem \"aws-sdk-s3\", '1.0'\n", []string{"aws-sdk-core ~> 3.70.0 3.79.0"}},
		{"Gemfile.lock", "GEM\n  specs:\n    aws-sdk-core (2.11.400)\n      jmespath (~> 1)\n    aws-sdk-v1 (1.67.0)\n", []string{"aws-sdk-core 2.11.400 2.11.401", "aws-sdk-v1 1.67.0 2.0.0"}},
		{"Gemfile.lock", "    aws-sdk-core (2.11.500)\n    aws-sdk-core (3.100.0)\n", nil},
		{"composer.json", `{"require": {"aws/aws-sdk-php": "~3.100.0"}}`, []string{"aws/aws-sdk-php ~3.100.0 3.147.7"}},
		{"composer.json", `{"require": {"aws/aws-sdk-php": "^3.0"}}`, nil},
		{"composer.lock", `{"packages": [{"name": "aws/aws-sdk-php", "version": "3.147.6"}]}`, []string{"aws/aws-sdk-php 3.147.6 3.147.7"}},
		{"main.tf", `aws-sdk = "2.1.0"`, nil},
	} {
		file := scan.File(tt.file, scan.Manifest, []byte(tt.text))
		var got []string
		for _, f := range Detect(file).Findings {
			got = append(got, fmt.Sprintf("%s %s %s", f.Evidence[0].Value, f.Evidence[1].Value, f.Evidence[2].Value))
			if f.At.Start >= f.At.End || f.At.End > len(file.Body) {
				t.Errorf("%s: %v", tt.file, f.At)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s %q: %s", tt.file, tt.text, diff)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add(0, "require github.com/aws/aws-sdk-go v1.25.37")
	f.Add(6, "boto3~=.,<,==")
	f.Add(15, "com.amazonaws:aws-java-sdk:${")
	f.Fuzz(func(t *testing.T, i int, text string) {
		name := patterns[(i%len(patterns)+len(patterns))%len(patterns)].files
		file := scan.File(name, scan.Manifest, []byte(text))
		for _, found := range Detect(file).Findings {
			if found.At.Start >= found.At.End || found.At.End > len(file.Body) {
				t.Errorf("%v of %q", found.At, text)
			}
		}
	})
}

// A manifest that is a program is read as one, too.
func TestPrograms(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]scan.Lang{"setup.py": scan.Python, "build.gradle": scan.Java, "build.gradle.kts": scan.Java, "Gemfile": scan.Ruby, "a.gemspec": scan.Ruby, "package.json": "", "Gemfile.lock": ""} {
		const body = "a = 'http://169.254.169.254'\n"
		var got scan.Lang
		for _, inner := range Detect(scan.File(name, scan.Manifest, []byte(body))).Texts {
			if got = inner.Lang; inner.Body != body {
				t.Errorf("%s: %q", name, inner.Body)
			}
			e, err := inner.Edit(scan.Splice{At: scan.Span{Start: 4, End: 4}, Text: "b"})
			if err != nil || e.Start != 4 || e.Text != "b" {
				t.Errorf("%s: %+v, %v", name, e, err)
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
