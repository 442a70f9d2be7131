package workload

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func read(lang scan.Lang, src string) scan.Facts {
	return Detect(scan.File("a.yaml", lang, []byte(src)))
}

const pod = "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n"

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		lang scan.Lang
		src  string
		want []string
	}{
		{"command and arguments", scan.Kubernetes, pod + "    command: [/bin/sh, -c]\n    args:\n    - |\n      b $$ $(c)\n", []string{`sh container a "b $ $(c)\n"`}},
		{"command without a shell", scan.Kubernetes, pod + "    command: [curl, http://b/]\n", []string{`sh container a "curl http://b/"`}},
		{"more containers", scan.Kubernetes, "spec:\n  template:\n    spec:\n      initContainers:\n      - {name: b, command: [bash, -c, c]}\n      containers:\n      - name: d\n        lifecycle: {postStart: {exec: {command: [sh, -c, e]}}}\n        livenessProbe: {exec: {command: [f, g]}}\n",
			[]string{`sh container d / livenessProbe "f g"`, `sh container d / postStart "e"`, `bash container b "c"`}},
		{"list of objects", scan.Kubernetes, "kind: List\nitems:\n- spec: {containers: [{name: a, args: [b]}]}\n---\nkind: Pod\nspec: {containers: [{name: c, args: [d]}]}\n", []string{`sh container a "b"`, `sh container c "d"`}},
		{"ConfigMap", scan.Kubernetes, "kind: ConfigMap\nmetadata: {name: a}\ndata:\n  b.sh: c\n  d: |\n    #!/usr/bin/env python\n    e\n  f.conf: g\n  user-data: h\n", []string{`bash ConfigMap a / b.sh "c"`, `python ConfigMap a / d "#!/usr/bin/env python\ne\n"`, `text ConfigMap a / f.conf "g"`, `cloud-init ConfigMap a / user-data "h"`}},
		{"Secret", scan.Kubernetes, "kind: Secret\nmetadata: {name: a}\nstringData: {b.sh: c}\ndata: {d.sh: ZQ==, f: Zw==}\n", []string{`bash Secret a / b.sh "c"`, `bash Secret a / d.sh "e"`}},
		{"nodes", scan.Kubernetes, "kind: EC2NodeClass\nspec:\n  userData: |\n    a\n---\nkind: KubeadmConfig\nspec:\n  preKubeadmCommands: [b, c]\n---\nkind: ClusterConfig\nnodeGroups:\n- preBootstrapCommands: [d]\n  overrideBootstrapCommand: e\n", []string{`cloud-init userData "a\n"`, `bash preKubeadmCommands "b\nc\n"`, `bash overrideBootstrapCommand "e"`, `bash preBootstrapCommands "d\n"`}},
		{"steps", scan.Kubernetes, "kind: Task\nspec:\n  steps:\n  - {name: a, image: b, script: \"#!/bin/bash\\nc\"}\n  - {name: d, image: e, command: [python], source: f}\n", []string{`bash step a "#!/bin/bash\nc"`, `python step d "f"`}},
		{"chart", scan.Kubernetes, "kind: Pod\nmetadata:\n  {{- include \"a\" . | nindent 2 }}\n{{- if .Values.a }}\nspec:\n  containers:\n  - name: {{ .b }}-c\n    command: [sh, -c, 'd {{ .e }}']\n{{- end }}\n", []string{`sh container {}-c "d {}"`}},
		{"no YAML", scan.Kubernetes, "kind: Pod\n {{ .a }}: b\n c", []string{`template  "kind: Pod\n {{ .a }}: b\n c"`}},

		{"services", scan.Compose, "services:\n  a:\n    entrypoint: [sh, -c]\n    command:\n    - b $$c ${D} ${E:-f} $G\n    healthcheck: {test: 'h $$i'}\n", []string{`sh service a "b $c {} f {}"`, `sh service a / healthcheck "h $i"`}},
		{"services, commands on one line", scan.Compose, "services:\n  a: {command: \"curl x\"}\n  b: {entrypoint: \"sh -c 'c'\"}\n  d: {healthcheck: {test: [CMD-SHELL, e]}}\n  f: {healthcheck: {test: [CMD, g, h]}}\n", []string{`sh service a / command "curl x"`, `sh service b / entrypoint "sh -c 'c'"`, `sh service d / healthcheck "e"`, `sh service f / healthcheck "g h"`}},
		{"first version", scan.Compose, "a:\n  command: [sh, -c, b]\n", []string{`sh service a "b"`}},
		{"configs", scan.Compose, "services: {}\nconfigs:\n  a.sh: {content: b $$c}\n", []string{`bash config a.sh "b $c"`}},

		{"GitHub", scan.Workflow, "jobs:\n  a:\n    steps:\n    - name: b\n      run: |\n        c ${{ d.e }} $F\n    - run: g\n      shell: python\n    - run: h\n      shell: pwsh -c '{0}'\n  i:\n    runs-on: windows-latest\n    steps:\n    - run: j\n    - {run: k, shell: bash}\n    - {run: l, shell: cmd}\n", []string{`bash step b "c {} $F\n"`, `python step "g"`, `powershell step "h"`, `powershell step "j"`, `bash step "k"`, `batch step "l"`}},
		{"GitHub's default", scan.Workflow, "defaults: {run: {shell: sh}}\njobs: {a: {steps: [{run: b}]}}\n", []string{`sh step "b"`}},
		{"GitLab", scan.Workflow, ".x: &x\n- a\njob:\n  before_script: [*x, b]\n  script:\n  - c\n  - |\n    d\n    e\n  - f\n", []string{`bash step / before_script "a\nb\n"`, `bash step / script "c\nd\ne\nf\n"`}},
		{"CircleCI", scan.Workflow, "jobs:\n  a:\n    steps:\n    - checkout\n    - run: b << parameters.c >>\n    - run: {name: d, command: e}\n", []string{`bash step "b {}"`, `bash step d "e"`}},
		{"Azure", scan.Workflow, "steps:\n- script: a $(b)\n  displayName: c\n- powershell: d\n- task: PowerShell@2\n  inputs: {targetType: inline, script: e}\n", []string{`bash step c "a $(b)"`, `powershell step "d"`, `powershell step "e"`}},
		{"buildspec", scan.Workflow, "version: 0.2\nphases:\n  build:\n    commands:\n    - a\n    - b\n", []string{`bash step / commands "a\nb\n"`}},
	} {
		var got []string
		for _, x := range read(tt.lang, tt.src).Texts {
			got = append(got, fmt.Sprintf("%s %s %q", x.Lang, strings.Join(x.Origin, " / "), x.Body))
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	const insert = `T="$(x)"; `
	for _, tt := range []struct {
		name string
		lang scan.Lang
		src  string
		want string
	}{
		{"arguments of a shell", scan.Kubernetes, pod + "    command: [sh, -c, \"CALL $$\"]\n", `"T=\"$(x)\"; CALL $$"`},
		{"arguments", scan.Kubernetes, pod + "    command: [CALL, a]\n", ""},
		{"Compose", scan.Compose, "services:\n  a:\n    command: [sh, -c, 'CALL $$b']\n", `'T="$$(x)"; CALL $$b'`},
		{"Compose, on one line", scan.Compose, "services:\n  a:\n    command: CALL\n", ""},
		{"workflow", scan.Workflow, "jobs:\n  a:\n    steps:\n    - run: CALL ${{ b }}\n", `- run: T="$(x)"; CALL ${{ b }}`},
		{"list", scan.Workflow, "a:\n  script:\n  - a\n  - |\n    CALL\n", "    T=\"$(x)\"; CALL\n"},
	} {
		text := read(tt.lang, tt.src).Texts[0]
		i := strings.Index(text.Body, "CALL")
		e, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: insert})
		if err != nil {
			if tt.want != "" {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		got, err := edit.Apply(tt.src, []edit.Edit{e})
		if err != nil || tt.want == "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, %v, want %s", tt.name, got, err, tt.want)
			continue
		}
		if again := read(tt.lang, got).Texts[0].Body; again != text.Body[:i]+insert+text.Body[i:] {
			t.Errorf("%s: is read again as %q", tt.name, again)
		}
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ get, want string }{
		{"{host: 169.254.169.254, path: /latest/meta-data/, port: 80}", "TG1001 sure"},
		{"{host: 169.254.169.254, port: 80}", "TG1001 likely"},
		{"{host: 169.254.169.254, path: /latest/, httpHeaders: [{name: X-aws-ec2-metadata-token, value: a}]}", ""},
		{"{host: 169.254.169.254, path: /metadata/v1}", ""},
		{"{path: /latest/meta-data, port: 80}", ""},
	} {
		src := pod + "    livenessProbe:\n      httpGet: " + tt.get + "\n"
		got := ""
		for _, f := range read(scan.Kubernetes, src).Findings {
			got = f.ID + " " + string(f.Confidence)
			if src[f.At.Start:f.At.End] != tt.get {
				t.Errorf("%s: stands at %q", tt.get, src[f.At.Start:f.At.End])
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.get, got, tt.want)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	const src = "kind: EC2NodeClass\nspec:\n  userData: a\n  metadataOptions: {httpTokens: optional}\n"
	u := read(scan.Kubernetes, src).Units[0]
	if len(u.Settings) != 1 || u.Required != nil || len(u.Texts) != 1 {
		t.Fatalf("%+v", u)
	}
	s := u.Settings[0].Fix[0]
	fixed := src[:s.At.Start] + s.Text + src[s.At.End:]
	if again := read(scan.Kubernetes, fixed).Units[0]; len(again.Settings) != 0 || again.Required == nil {
		t.Errorf("%s: %+v", fixed, again)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add(pod+"    command: [sh, -c, a $$]\n    livenessProbe: {httpGet: {host: 169.254.169.254}}\n", 0)
	f.Add("services:\n  a: {command: [sh, -c, '$$ ${A:-b} $C'], healthcheck: {test: [CMD, d]}}\n", 1)
	f.Add("a:\n  script: [b, [c], '${{ d }}', << e >>]\n", 2)
	f.Fuzz(func(t *testing.T, src string, kind int) {
		langs := []scan.Lang{scan.Kubernetes, scan.Compose, scan.Workflow}
		if kind < 0 || kind >= len(langs) {
			return
		}
		for _, text := range read(langs[kind], src).Texts {
			for i := range len(text.Body) {
				if at := text.InFile(scan.Span{Start: i, End: i + 1}); at.Start < 0 || at.End > len(src) || at.Start > at.End {
					t.Fatalf("%d of %q stands at %v", i, text.Body, at)
				}
			}
		}
	})
}
