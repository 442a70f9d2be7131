package cloudformation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
	"tegata/scan/yaml"
)

func read(src string) scan.Facts {
	return Detect(scan.File("template.yaml", scan.CloudFormation, []byte(src)))
}

// texts tells the texts of a template, a line each.
func texts(f scan.Facts) (all []string) {
	for _, t := range f.Texts {
		all = append(all, fmt.Sprintf("%s %s %q", t.Lang, strings.Join(t.Origin, " / "), t.Body))
	}
	return all
}

const instance = "Resources:\n  Web:\n    Type: AWS::EC2::Instance\n    Properties:\n"

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"Base64 of Sub", instance + "      UserData:\n        Fn::Base64: !Sub |\n          #!/bin/sh\n          echo ${AWS::Region} ${!X} $Y $(z)\n",
			[]string{`cloud-init Resource Web / UserData "#!/bin/sh\necho {} ${X} $Y $(z)\n"`}},
		{"long forms", instance + "      UserData:\n        Fn::Base64:\n          Fn::Sub:\n            - |\n              #!/bin/sh\n              echo ${A}${B}\n            - A: !Ref P\n              B: c\nParameters:\n  P:\n    Default: d\n    Type: String\n",
			[]string{`cloud-init Resource Web / UserData "#!/bin/sh\necho dc\n"`}},
		{"short Base64", instance + "      UserData: !Base64 |\n        a\n", []string{`cloud-init Resource Web / UserData "a\n"`}},
		{"Base64 of a long form", instance + "      UserData: !Base64\n        Fn::Sub: a${X}\n", []string{`cloud-init Resource Web / UserData "a{}"`}},
		{"Join", instance + "      UserData:\n        Fn::Base64: !Join\n          - ''\n          - - \"#!/bin/sh\\n\"\n            - 'a '\n            - !Ref AWS::StackName\n            - !GetAtt B.C\n            - !Ref AWS::NoValue\n            - \"\\n\"\n",
			[]string{`cloud-init Resource Web / UserData "#!/bin/sh\na {}{}\n"`}},
		{"Join of lines", instance + "      UserData:\n        Fn::Base64:\n          Fn::Join: [\"\\n\", ['#!/bin/sh', 'a', !Sub 'b ${C}']]\n",
			[]string{`cloud-init Resource Web / UserData "#!/bin/sh\na\nb {}"`}},
		{"If", instance + "      UserData: !If [C, !Base64 a, !Base64 b]\n", []string{`cloud-init Resource Web / UserData "a"`, `cloud-init Resource Web / UserData "b"`}},
		{"If within Join", instance + "      UserData:\n        Fn::Base64: !Join ['', [\"a\\n\", !If [C, \"b\\n\", !Ref AWS::NoValue], !If [C, d, e]]]\n", []string{`cloud-init Resource Web / UserData "a\nb\nd"`}},
		{"FindInMap", instance + "      UserData:\n        Fn::Base64: !Join ['', [a, !FindInMap [b, c, d]]]\n", []string{`cloud-init Resource Web / UserData "a{}"`}},
		{"a parameter alone", instance + "      UserData: !Ref UserData\n", nil},
		{"a parameter of Systems Manager", instance + "      UserData: !Base64\n        Fn::Sub: a${I}\nParameters:\n  I:\n    Type: AWS::SSM::Parameter::Value<String>\n    Default: /a/b\n", []string{`cloud-init Resource Web / UserData "a{}"`}},
		{"JSON", `{"Resources": {"L": {"Type": "AWS::AutoScaling::LaunchConfiguration", "Properties": {"UserData": {"Fn::Base64": {"Fn::Join": ["", ["#!/bin/sh\n", "a \"", {"Ref": "P"}, "\"\n"]]}}}}}}`,
			[]string{`cloud-init Resource L / UserData "#!/bin/sh\na \"{}\"\n"`}},
		{"launch template", "Resources:\n  L:\n    Type: AWS::EC2::LaunchTemplate\n    Properties:\n      LaunchTemplateData:\n        UserData: !Base64 a\n", []string{`cloud-init Resource L / UserData "a"`}},
		{"spot fleet", "Resources:\n  S:\n    Type: AWS::EC2::SpotFleet\n    Properties:\n      SpotFleetRequestConfigData:\n        LaunchSpecifications:\n          - UserData: !Base64 a\n", []string{`cloud-init Resource S / UserData "a"`}},
		{"cfn-init", "Resources:\n  Web:\n    Type: AWS::EC2::Instance\n    Metadata:\n      AWS::CloudFormation::Init:\n        config:\n          files:\n            /a.sh:\n              content: b\n            /c:\n              content: !Sub |\n                #!/usr/bin/python3\n                ${D}\n            /e.b64: {content: Zg==, encoding: base64}\n          commands:\n            1: {command: f, test: g}\n            2: {command: [sh, -c, h]}\n    Properties: {ImageId: i}\n",
			[]string{`sh Resource Web / files / /a.sh "b"`, `python Resource Web / files / /c "#!/usr/bin/python3\n{}\n"`, `sh Resource Web / commands / 1 "f"`, `sh Resource Web / commands / 1 "g"`, `sh Resource Web / commands / 2 "h"`}},
		{"cfn-init on Windows", "Resources:\n  Web:\n    Type: AWS::EC2::Instance\n    Metadata:\n      AWS::CloudFormation::Init:\n        config:\n          files:\n            c:\\a.ps1: {content: b}\n          commands:\n            1: {command: c}\n    Properties:\n      UserData: !Base64 <powershell>d</powershell>\n",
			[]string{`cloud-init Resource Web / UserData "<powershell>d</powershell>"`, `powershell Resource Web / files / c:\a.ps1 "b"`, `batch Resource Web / commands / 1 "c"`}},
		{"Lambda", "Resources:\n  F:\n    Type: AWS::Lambda::Function\n    Properties:\n      Runtime: python3.12\n      Code:\n        ZipFile: |\n          import a\n  G:\n    Type: AWS::Serverless::Function\n    Properties: {Runtime: nodejs20.x, InlineCode: b}\n",
			[]string{`python Resource F / ZipFile "import a\n"`, `javascript Resource G / ZipFile "b"`}},
		{"containers", "Resources:\n  T:\n    Type: AWS::ECS::TaskDefinition\n    Properties:\n      ContainerDefinitions:\n        - EntryPoint: [sh, -c]\n          Command: [a]\n          HealthCheck: {Command: [CMD-SHELL, b || exit 1]}\n        - Command: [curl, http://c]\n          HealthCheck: {Command: [CMD, d, e]}\n        - Command: [sh, -c, !Sub 'f ${G}']\n",
			[]string{`sh Resource T / Command "a"`, `sh Resource T / HealthCheck "b || exit 1"`, `sh Resource T / Command "curl http://c"`, `sh Resource T / HealthCheck "d e"`, `sh Resource T / Command "f {}"`}},
		{"Systems Manager", "schemaVersion: '2.2'\nmainSteps:\n- action: aws:runShellScript\n  name: a\n  inputs:\n    runCommand:\n    - b {{ c }}\n    - d\n- action: aws:runPowerShellScript\n  name: e\n  inputs: {runCommand: [f]}\n",
			[]string{`sh step a "b {}\nd\n"`, `powershell step e "f\n"`}},
		{"Systems Manager in a template", "Resources:\n  D:\n    Type: AWS::SSM::Document\n    Properties:\n      Content:\n        schemaVersion: '1.2'\n        runtimeConfig:\n          aws:runShellScript:\n            properties:\n            - runCommand: [a, !Sub 'b ${C}']\n", []string{`sh Resource D / aws:runShellScript "a\nb {}\n"`}},
		{"an association", "Resources:\n  C:\n    Type: AWS::SSM::Association\n    Properties:\n      Name: AWS-RunPowerShellScript\n      Parameters: {commands: [a]}\n", []string{`powershell Resource C / commands "a\n"`}},
		{"a crontab", "Resources:\n  C:\n    Type: AWS::EC2::Instance\n    Metadata:\n      AWS::CloudFormation::Init:\n        config:\n          files:\n            /etc/cron.d/a: {content: b}\n    Properties: {ImageId: i}\n", []string{`crontab Resource C / files / /etc/cron.d/a "b"`}},
		{"Image Builder", "Resources:\n  C:\n    Type: AWS::ImageBuilder::Component\n    Properties:\n      Data: |\n        schemaVersion: 1.0\n", []string{`cloudformation Resource C / Data "schemaVersion: 1.0\n"`}},
		{"a component", "schemaVersion: 1.0\nphases:\n- name: build\n  steps:\n  - name: a\n    action: ExecuteBash\n    inputs: {commands: [b, c]}\n", []string{`bash step a "b\nc\n"`}},
		{"a resource of somebody's own", "Resources:\n  C:\n    Type: Custom::Nodes\n    Properties:\n      Nodes:\n      - UserData: !Base64 a\n      Boot: curl http://169.254.169.254/latest/user-data\n", []string{`cloud-init Resource C / UserData "a"`, `text Boot "curl http://169.254.169.254/latest/user-data"`}},
		{"filled in by Jinja", "Resources:\n{% for i in range(2) %}\n  Web{{ i }}:\n    Type: AWS::EC2::Instance\n    Properties:\n      UserData: !Base64 a {{ i }}\n{% endfor %}\n", []string{`cloud-init Resource Web{} / UserData "a {}"`}},
		{"no YAML", "Resources:\nA: b: c\n", []string{`template  "Resources:\nA: b: c\n"`}},
	} {
		if d := cmp.Diff(tt.want, texts(read(tt.src))); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// What is put before a word of a script stands in the template so that the
// script has it there.
func TestEdits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, insert, want string }{
		{"Sub", instance + "      UserData:\n        Fn::Base64: !Sub |\n          #!/bin/sh\n          CALL\n", "T=1 # ${X} $X\n", "          T=1 # ${!X} $X\n          CALL\n"},
		{"no Sub", instance + "      UserData: !Base64 |\n        CALL\n", "${X}\n", "        ${X}\n        CALL\n"},
		{"Join of double quotes", instance + "      UserData:\n        Fn::Base64: !Join ['', [\"CALL\\n\", 'b']]\n", "\"a\"\n", `["\"a\"\nCALL\n", 'b']`},
		{"Join of single quotes", instance + "      UserData:\n        Fn::Base64: !Join ['', [\"a\\n\", 'CALL']]\n", "'a' ", `["a\n", '''a'' CALL']`},
		{"Join of Sub", instance + "      UserData:\n        Fn::Base64: !Join ['', [\"a\\n\", !Sub \"CALL ${X}\"]]\n", "${Y} ", `!Sub "${!Y} CALL ${X}"`},
		{"JSON", `{"Resources": {"L": {"Type": "AWS::EC2::Instance", "Properties": {"UserData": {"Fn::Base64": {"Fn::Join": ["", ["#!/bin/sh\n", "CALL\n"]]}}}}}}`, "\"a\"\n", `"\"a\"\nCALL\n"`},
	} {
		facts := read(tt.src)
		text := facts.Texts[0]
		i := strings.Index(text.Body, "CALL")
		e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: tt.insert})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got, err := edit.Apply(tt.src, []edit.Edit{e})
		if err != nil || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, %v, want %s", tt.name, got, err, tt.want)
			continue
		}
		if again := read(got).Texts[0]; again.Body != text.Body[:i]+tt.insert+text.Body[i:] {
			t.Errorf("%s: is read again as %q", tt.name, again.Body)
		}
	}
}

// A filled-in part can't be rewritten from within.
func TestFilledIn(t *testing.T) {
	t.Parallel()
	text := read(instance + "      UserData:\n        Fn::Base64: !Join [\"\\n\", [a, !Ref P, b]]\n").Texts[0]
	for _, at := range []scan.Span{{Start: 2, End: 4}, {Start: 1, End: 2}} {
		if e, err := text.Edit(scan.Splice{At: at, Text: "x"}); err == nil {
			t.Errorf("%v becomes %+v", at, e)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	const template = "Resources:\n  L:\n    Type: AWS::EC2::LaunchTemplate\n    Properties:\n      LaunchTemplateData:\n        ImageId: ami-1\n"
	const docker = "        UserData: !Base64 docker run x\n"
	for _, tt := range []struct {
		name, src string
		want      []string // the findings
		required  string
		old, new  string // what the fixes change
	}{
		{"missing", template, []string{"TG1201 at L"}, "", "ami-1\n", "ami-1\n        MetadataOptions:\n          HttpTokens: required\n"},
		{"missing, with containers", template + docker, []string{"TG1201 at L"}, "", "ami-1\n", "ami-1\n        MetadataOptions:\n          HttpTokens: required\n          HttpPutResponseHopLimit: 2\n"},
		{"missing, of a node group", template + "  N:\n    Type: AWS::EKS::Nodegroup\n    Properties: {LaunchTemplate: {Id: !Ref L}}\n", []string{"TG1201 at L"}, "", "ami-1\n", "ami-1\n        MetadataOptions:\n          HttpTokens: required\n          HttpPutResponseHopLimit: 2\n"},
		{"tokens missing", template + "        MetadataOptions:\n          HttpEndpoint: enabled\n", []string{"TG1201 at L"}, "", "enabled\n", "enabled\n          HttpTokens: required\n"},
		{"optional", template + "        MetadataOptions:\n          HttpTokens: optional\n", []string{"TG1202 at optional"}, "", "optional", "required"},
		{"optional, quoted", template + "        MetadataOptions: {HttpTokens: \"optional\"}\n", []string{`TG1202 at "optional"`}, "", "optional", "required"},
		{"required", template + "        MetadataOptions: {HttpTokens: required}\n", nil, "required", "", ""},
		{"required, one hop for containers", template + docker + "        MetadataOptions:\n          HttpTokens: required\n", []string{"TG1203 at L"}, "required", "required\n", "required\n          HttpPutResponseHopLimit: 2\n"},
		{"one hop told", template + docker + "        MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 1}\n", []string{"TG1203 at 1"}, "required", "Limit: 1", "Limit: 2"},
		{"two hops", template + docker + "        MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 2}\n", nil, "required", "", ""},
		{"many hops", template + "        MetadataOptions: {HttpTokens: required, HttpPutResponseHopLimit: 64}\n", []string{"TG1203 at 64, how far the answers must travel is not in the text"}, "required", "", ""},
		{"off", template + "        MetadataOptions: {HttpEndpoint: disabled}\n", nil, "", "", ""},
		{"by a parameter", template + "        MetadataOptions: {HttpTokens: !Ref T}\nParameters:\n  T: {Type: String, Default: optional, AllowedValues: [optional, required]}\n", []string{"TG1202 at !Ref T"}, "", "Default: optional", "Default: required"},
		{"by a parameter that can't be", template + "        MetadataOptions: {HttpTokens: !Ref T}\nParameters:\n  T: {Type: String, Default: optional, AllowedValues: [optional]}\n", []string{"TG1202 at !Ref T, the parameter does not allow it"}, "", "", ""},
		{"by a parameter, required", template + "        MetadataOptions: {HttpTokens: !Ref T}\nParameters:\n  T: {Type: String, Default: required}\n", nil, "!Ref T", "", ""},
		{"by a parameter without default", template + "        MetadataOptions: {HttpTokens: !Ref T}\nParameters:\n  T: {Type: String}\n", nil, "", "", ""},
		{"by a choice", template + "        MetadataOptions: {HttpTokens: !If [C, required, optional]}\n", []string{"TG1202 at !If [C, required, optional]"}, "", "required, optional", "required, required"},
		{"all by a parameter", template + "        MetadataOptions: !Ref M\n", nil, "", "", ""},
		{"an instance of a template", "Resources:\n  I:\n    Type: AWS::EC2::Instance\n    Properties:\n      LaunchTemplate: {LaunchTemplateId: lt-1, Version: 1}\n", nil, "", "", ""},
		{"an instance", instance + "      ImageId: a\n", []string{"TG1201 at Web"}, "", "ImageId: a\n", "ImageId: a\n      MetadataOptions:\n        HttpTokens: required\n"},
		{"no properties", "Resources:\n  I:\n    Type: AWS::EC2::Instance\n", []string{"TG1201 at I, its properties are not written in the template"}, "", "", ""},
		{"JSON", "{\"Resources\": {\"C\": {\"Type\": \"AWS::AutoScaling::LaunchConfiguration\", \"Properties\": {\n  \"ImageId\": \"a\"\n}}}}", []string{`TG1201 at "C"`}, "", "{\n  \"ImageId\"", "{\n  \"MetadataOptions\": {\n    \"HttpTokens\": \"required\"\n  },\n  \"ImageId\""},
	} {
		facts := read(tt.src)
		if len(facts.Units) != 1 {
			t.Errorf("%s: %d units", tt.name, len(facts.Units))
			continue
		}
		u := facts.Units[0]
		var got []string
		var edits []edit.Edit
		for _, f := range u.Settings {
			line := f.ID + " at " + tt.src[f.At.Start:f.At.End]
			if f.Why != "" {
				line += ", " + f.Why
			}
			got = append(got, line)
			for _, s := range f.Fix {
				edits = append(edits, edit.Edit{Start: s.At.Start, End: s.At.End, Text: s.Text})
			}
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		required := ""
		if u.Required != nil {
			required = tt.src[u.Required.Start:u.Required.End]
		}
		if required != tt.required {
			t.Errorf("%s: %q demands tokens, want %q", tt.name, required, tt.required)
		}
		fixed, err := edit.Apply(tt.src, edits)
		if want := strings.Replace(tt.src, tt.old, tt.new, 1); err != nil || fixed != want {
			t.Errorf("%s: %s, %v, want %s", tt.name, fixed, err, want)
		}
		if again := read(fixed).Units[0]; len(edits) > 0 && (len(again.Settings) > 0 || again.Required == nil) {
			t.Errorf("%s: is not mended: %+v", tt.name, again)
		}
	}
}

// Who runs on an instance of a template counts as the template's.
func TestTemplatesInstances(t *testing.T) {
	t.Parallel()
	facts := read("Resources:\n  L:\n    Type: AWS::EC2::LaunchTemplate\n    Properties:\n      LaunchTemplateData:\n        MetadataOptions: {HttpTokens: required}\n" +
		"  I:\n    Type: AWS::EC2::Instance\n    Properties:\n      LaunchTemplate: {LaunchTemplateId: !Ref L, Version: !GetAtt L.LatestVersionNumber}\n      UserData: !Base64 a\n")
	if len(facts.Units) != 2 || len(facts.Units[0].Texts) != 1 || facts.Units[0].Texts[0] != facts.Texts[0] {
		t.Errorf("%+v", facts.Units)
	}
}

// Bigger templates, whose settings are mended and which are read again: all
// other values are as before.
func TestTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		facts := read(string(data))
		var edits []edit.Edit
		for _, u := range facts.Units {
			for _, f := range u.Settings {
				for _, s := range f.Fix {
					edits = append(edits, edit.Edit{Start: s.At.Start, End: s.At.End, Text: s.Text})
				}
			}
		}
		fixed, err := edit.Apply(string(data), edits)
		if err != nil || len(edits) == 0 {
			t.Errorf("%s: %d edits, %v", name, len(edits), err)
			continue
		}
		for _, u := range read(fixed).Units {
			if len(u.Settings) > 0 {
				t.Errorf("%s: %s: %+v", name, u.Name, u.Settings)
			}
		}
		if d := cmp.Diff(scalars(t, string(data)), scalars(t, fixed)); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// scalars returns all values but those of metadata options.
func scalars(t *testing.T, src string) (all []string) {
	docs, err := yaml.Parse(scan.File("a", scan.CloudFormation, []byte(src)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range docs[0].All() {
		switch v := n.Str(); v {
		case "", "MetadataOptions", "HttpTokens", "HttpPutResponseHopLimit", "required", "optional", "2", "1":
		default:
			all = append(all, v)
		}
	}
	return all
}

func FuzzDetect(f *testing.F) {
	f.Add(instance + "      UserData:\n        Fn::Base64: !Sub |\n          echo ${A} ${!B}\n")
	f.Add(instance + "      UserData: !If [a, !Base64 b, {Fn::Join: ['', [a, &x {Ref: y}, *x]]}]\n")
	f.Fuzz(func(t *testing.T, src string) {
		for _, text := range read(src).Texts {
			for i := range len(text.Body) {
				if at := text.InFile(scan.Span{Start: i, End: i + 1}); at.Start < 0 || at.End > len(src) || at.Start > at.End {
					t.Fatalf("%d of %q stands at %v", i, text.Body, at)
				}
			}
		}
	})
}
