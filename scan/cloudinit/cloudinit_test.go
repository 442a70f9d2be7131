package cloudinit

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func detect(src string) scan.Facts {
	return Detect(scan.File("user-data", scan.CloudInit, []byte(src)))
}

// texts tells the texts of user data, a line each.
func texts(f scan.Facts) (all []string) {
	for _, t := range f.Texts {
		all = append(all, fmt.Sprintf("%s %s %q", t.Lang, strings.Join(t.Origin, " / "), t.Body))
	}
	return all
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Write([]byte(s))
	w.Close()
	return b.String()
}

func coded(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

const mixed = `Content-Type: multipart/mixed;
  boundary="==B=="
MIME-Version: 1.0

preamble
--==B==
Content-Type: text/cloud-config; charset="us-ascii"
Content-Disposition: attachment; filename="a.txt"

runcmd:
  - b
--==B==
Content-Type: text/x-shellscript
Content-Transfer-Encoding: 7bit

#!/bin/bash
c
--==B==
Content-Type: text/x-shellscript
Content-Transfer-Encoding: base64

`

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"script", "#!/bin/bash\na\n", []string{`bash  "#!/bin/bash\na\n"`}},
		{"python", "\n#!/usr/bin/env python3\na\n", []string{`python  "\n#!/usr/bin/env python3\na\n"`}},
		{"script without a first line", "set -e\na\n", []string{`sh  "set -e\na\n"`}},
		{"runcmd", "#cloud-config\nruncmd:\n  - a\n  - [b, 'c d']\n  - [sh, -c, e]\n  - |\n    f\n    g\n  - null\nbootcmd:\n  - h\n",
			[]string{`sh bootcmd "h"`, `sh runcmd "b 'c d'"`, `sh runcmd "e"`, `sh runcmd "a\nf\ng\n"`}},
		{"write_files", "#cloud-config\nwrite_files:\n- path: /a.sh\n  content: b\n- {path: /c, permissions: '0755', content: d}\n- {path: /etc/systemd/system/e.service, content: f}\n- {path: /g, content: \"#!/usr/bin/python3\\nh\"}\n- {path: /i.conf, content: j}\n- path: /k.yml\n  content: |\n    services:\n      l: m\n- {path: /n}\n",
			[]string{`sh write_files / /a.sh "b"`, `sh write_files / /c "d"`, `systemd write_files / /etc/systemd/system/e.service "f"`, `python write_files / /g "#!/usr/bin/python3\nh"`, `text write_files / /i.conf "j"`, `compose write_files / /k.yml "services:\n  l: m\n"`}},
		{"write_files in other forms", "#cloud-config\nwrite_files:\n- {path: /a.sh, encoding: b64, content: " + coded("b\n") + "}\n- {path: /c.sh, encoding: gz+b64, content: " + coded(zipped("d\n")) + "}\n- path: /e.sh\n  content: !!binary |\n    " + coded("f") + "\n- {path: /g.sh, encoding: b64, content: '!'}\n",
			[]string{`sh write_files / /a.sh "b\n"`, `sh write_files / /c.sh "d\n"`, `sh write_files / /e.sh "f"`}},
		{"without its header", "package_update: true\nruncmd:\n- a\n", []string{`sh runcmd "a"`}},
		{"power_state", "#cloud-config\npower_state: {mode: reboot, condition: a b}\n", []string{`sh power_state "a b"`}},
		{"power_state by arguments", "#cloud-config\npower_state: {condition: [test, -f, /a]}\n", []string{`sh power_state "test -f /a"`}},
		{"power_state always", "#cloud-config\npower_state: {condition: True}\n", nil},
		{"CoreOS", "#cloud-config\ncoreos:\n  units:\n  - name: a.service\n    content: |\n      [Service]\n    drop-ins:\n    - {name: b.conf, content: c}\n", []string{`systemd unit a.service "[Service]\n"`, `systemd unit a.service "c"`}},
		{"archive", "#cloud-config-archive\n- type: text/cloud-config\n  content: |\n    #cloud-config\n- filename: a\n  content: b\n- c\n", []string{`cloud-init part  "#cloud-config\n"`, `cloud-init part a "b"`, `cloud-init part  "c"`}},
		{"boothook", "#cloud-boothook\n#!/bin/sh\na\n", []string{`sh boothook "#!/bin/sh\na\n"`}},
		{"part handler", "#part-handler\na\n", []string{`python boothook "a\n"`}},
		{"include", "#include\nhttp://a/\n", nil},
		{"Jinja", "## template: jinja\n#cloud-config\n{% if a %}\nruncmd:\n- b {{ v1.c }} d\n{% endif %}\nhostname: {{ e }}.f\n", []string{`sh runcmd "b {} d"`}},
		{"Jinja in a script", "## template: jinja\n#!/bin/sh\na {{ b }}{# c #}\n", []string{`sh  "#!/bin/sh\na {}\n"`}},
		{"templates of Go", "{{ define \"a\" -}}\n{{- $b := .c -}}\n#!/bin/bash\nd {{ .e }}\n{{ end }}\n{{- define \"f\" }}\n#cloud-config\ncoreos:\n  units:\n{{ if .g }}\n  - name: h.service\n    content: |\n      i $$(j) {{ .k }}\n{{ end }}\n{{ end }}\n", []string{`bash  "#!/bin/bash\nd {}\n"`, `systemd unit h.service "i $$(j) {}\n"`}},
		{"filled in by another", "#cloud-config\nhostname: {}.a\nruncmd:\n- b {} c\n", []string{`sh runcmd "b {} c"`}},
		{"one key is no YAML", "#cloud-config\nruncmd:\n- a {{ b }}\nc: [d\nwrite_files:\n- {path: /e.sh, content: f}\n", []string{`sh runcmd "a {}"`, `template  "c: [d\n"`, `sh write_files / /e.sh "f"`}},
		{"no YAML", "#cloud-config\nruncmd: a: b\n", []string{`template  "#cloud-config\nruncmd: a: b\n"`}},
		{"MIME", mixed + coded("#!/bin/sh\nd") + "\n--==B==--\n", []string{`sh part a.txt / runcmd "b"`, `bash part text/x-shellscript "#!/bin/bash\nc"`, `sh part text/x-shellscript "#!/bin/sh\nd"`}},
		{"MIME in MIME", "Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: multipart/mixed; boundary=B\n\n--B\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\n#!/bin/sh\na =3D b=\n c\n--B--\n--A--\n", []string{`sh part multipart/mixed / part text/plain "#!/bin/sh\na = b c"`}},
		{"MIME with CRLF", strings.ReplaceAll("MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: text/x-shellscript\n\n#!/bin/sh\na\n--A--\n", "\n", "\r\n"), []string{`sh part text/x-shellscript "#!/bin/sh\r\na"`}},
		{"MIME without boundary", "Content-Type: multipart/mixed\n\na", []string{`template  "Content-Type: multipart/mixed\n\na"`}},
		{"MIME that does not end", "Content-Type: multipart/mixed; boundary=A\n\n--A\n\n#!/bin/sh\na", []string{`sh part  "#!/bin/sh\na"`}},
		{"Windows", "<powershell>\na\n</powershell>\n<persist>true</persist>\n<SCRIPT>b</SCRIPT><powershell>c", []string{`powershell <powershell> "\na\n"`, `powershell <powershell> "c"`, `batch <script> "b"`}},
		{"EC2Launch v2", "version: 1.1\ntasks:\n- task: executeScript\n  inputs:\n  - type: powershell\n    content: |-\n      a\n  - {type: batch, content: b}\n- task: enableOpenSsh\n", []string{`powershell task executeScript "a"`, `batch task executeScript "b"`}},
		{"base64", coded("#!/bin/sh\na\n"), []string{`sh base64 "#!/bin/sh\na\n"`}},
		{"gzip", zipped("#cloud-config\nruncmd: [a]\n"), []string{`sh gzip / runcmd "a"`}},
		{"gzip in base64", coded(zipped("#!/bin/sh\n")), []string{`sh base64 / gzip "#!/bin/sh\n"`}},
		{"a word", "abcd", []string{`sh  "abcd"`}},
		{"Bottlerocket", "[settings.kubernetes]\na = \"b\"\n", []string{`text  "[settings.kubernetes]\na = \"b\"\n"`}},
		{"nothing", "\n", nil},
	} {
		if d := cmp.Diff(tt.want, texts(detect(tt.src))); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// What is put before a word of a script stands in the user data so that the
// script has it there, or is refused.
func TestEdits(t *testing.T) {
	t.Parallel()
	const call, insert = "CALL", `"$X": 'y'; `
	for _, tt := range []struct{ name, src, want string }{
		{"script", "#!/bin/sh\nCALL\n", "\n\"$X\": 'y'; CALL\n"},
		{"plain", "#cloud-config\nruncmd:\n- a; CALL\n", ""},
		{"double", "#cloud-config\nruncmd:\n- \"a\"\n- \"CALL\"\n", `- "\"$X\": 'y'; CALL"`},
		{"single", "#cloud-config\nruncmd:\n- a\n- 'CALL'\n", `- '"$X": ''y''; CALL'`},
		{"literal", "#cloud-config\nwrite_files:\n- path: /a.sh\n  content: |\n    CALL\n", "    \"$X\": 'y'; CALL"},
		{"arguments", "#cloud-config\nruncmd:\n- [CALL, a]\n", ""},
		{"arguments of a shell", "#cloud-config\nruncmd:\n- [sh, -c, 'CALL']\n", `- [sh, -c, '"$X": ''y''; CALL']`},
		{"Jinja", "## template: jinja\n#cloud-config\nruncmd:\n- 'a {{ b }}; CALL'\n", `- 'a {{ b }}; "$X": ''y''; CALL'`},
		{"MIME", "Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: text/x-shellscript\n\nCALL\n--A--\n", "\"$X\": 'y'; CALL\n--A--"},
		{"base64", coded("#!/bin/sh\nCALL\n"), ""},
		{"Windows", "<powershell>CALL</powershell>", "<powershell>\"$X\": 'y'; CALL"},
	} {
		text := detect(tt.src).Texts[0]
		i := strings.Index(text.Body, call)
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
		if again := detect(got).Texts[0].Body; again != text.Body[:i]+insert+text.Body[i:] {
			t.Errorf("%s: is read again as %q", tt.name, again)
		}
	}
}

// Findings stand where the file has them.
func TestInFile(t *testing.T) {
	t.Parallel()
	const src = "## template: jinja\r\n#cloud-config\r\nwrite_files:\r\n- path: /a.sh\r\n  content: |\r\n    b {{ c }}\r\n    CALL\r\n"
	text := detect(src).Texts[0]
	i := strings.Index(text.Body, "CALL")
	at := text.InFile(scan.Span{Start: i, End: i + 4})
	if want := strings.Index(src, "CALL"); at != (scan.Span{Start: want, End: want + 4}) {
		t.Errorf("%v, want %d", at, want)
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("#cloud-config\nruncmd: [a, [b, c]]\nwrite_files: [{path: /a, content: b, encoding: gz}]\n")
	f.Add("## template: jinja\n#cloud-config\n{% a %}\nb: {{ c }}{}\n")
	f.Add(mixed + "IyEv\n--==B==--\n")
	f.Add("<script>a</script>")
	f.Fuzz(func(t *testing.T, src string) {
		for _, text := range detect(src).Texts {
			for i := range len(text.Body) {
				if at := text.InFile(scan.Span{Start: i, End: i + 1}); at.Start < 0 || at.End > len(src) || at.Start > at.End {
					t.Fatalf("%d of %q stands at %v", i, text.Body, at)
				}
			}
		}
	})
}
