package ansible

import (
	"fmt"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"tegata/internal/edit"
	"tegata/scan"
)

func detect(src string) scan.Facts {
	return Detect(scan.File("tasks/main.yml", scan.Ansible, []byte(src)))
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"shell", "- name: a\n  shell: b {{ c }} d\n", []string{`sh task a "b {} d"`}},
		{"shell by options", "- ansible.builtin.shell:\n    cmd: |\n      a\n    executable: /bin/bash\n", []string{`bash task "a\n"`}},
		{"shell with args", "- shell: a\n  args: {executable: /bin/bash}\n", []string{`bash task "a"`}},
		{"raw", "- raw: a\n", []string{`sh task "a"`}},
		{"command", "- command: a b\n", []string{`sh task "a b"`}},
		{"command of a shell", "- command: bash -ec 'a'\n", []string{`sh task "bash -ec 'a'"`}},
		{"command with argv", "- command:\n    argv: [sh, -c, a]\n", []string{`sh task "a"`}},
		{"Windows", "- ansible.windows.win_shell: a\n- win_command: b\n", []string{`powershell task "a"`, `batch task "b"`}},
		{"plays", "- hosts: all\n  vars: {a: b}\n  pre_tasks:\n  - shell: '{{ a }}'\n  tasks:\n  - block:\n    - shell: c\n    rescue:\n    - shell: d\n    always:\n    - shell: e\n  handlers:\n  - shell: f\n",
			[]string{`sh task "b"`, `sh task "c"`, `sh task "d"`, `sh task "e"`, `sh task "f"`}},
		{"local_action", "- local_action:\n    module: shell\n    cmd: a\n", []string{`sh task "a"`}},
		{"an action in a line", "- action: shell a {{ b }} | c\n- local_action: command d -e\n- action: ansible.windows.win_shell f\n- action: debug msg=g\n",
			[]string{`sh task "a {} | c"`, `sh task "d -e"`, `powershell task "f"`}},
		{"cron", "- cron: {name: a, job: b -c}\n- copy: {dest: /etc/cron.d/d, content: e}\n", []string{`sh task "b -c"`, `crontab task / /etc/cron.d/d "e"`}},
		{"a default", "- shell: a {{ b | default('http://169.254.169.254/latest') }}/c {{ d | default('e') }}\n", []string{`sh task "a http://169.254.169.254/latest/c {}"`}},
		{"a name", "- name: curl http://169.254.169.254/latest/\n  debug: {msg: curl http://169.254.169.254/latest/}\n", []string{`prose  "curl http://169.254.169.254/latest/"`, `prose msg "curl http://169.254.169.254/latest/"`}},
		{"variables of variables", "- set_fact: {a: '{{ b }}/c', b: d}\n- shell: |-\n    e {{ a | default('x') }}{# f #}\n", []string{`sh task "e d/c"`}},
		{"a variable of itself", "- set_fact: {a: '{{ a }}'}\n- shell: e {{ a }}\n", []string{`sh task "e {}"`}},
		{"files", "- copy:\n    dest: /a.sh\n    content: b\n- copy: {dest: /c, content: \"#!/bin/bash\\nd\"}\n- copy: {dest: /e.conf, content: f}\n- blockinfile: {path: /etc/profile.d/g, block: h}\n", []string{`sh task / /a.sh "b"`, `bash task / /c "#!/bin/bash\nd"`, `bash task / /etc/profile.d/g "h"`}},
		{"user data", "- amazon.aws.ec2_instance:\n    image_id: a\n    user_data: |\n      #!/bin/sh\n      b {{ c }}\n", []string{`cloud-init ec2_instance / user_data "#!/bin/sh\nb {}\n"`}},
		{"pipe", "- debug:\n    msg: \"{{ lookup('pipe', 'a -b') }}\"\n", []string{`sh lookup "a -b"`}},
		{"no YAML", "- a: {{ b }}c\n", []string{`template  "- a: {{ b }}c\n"`}},
		{"neither", "- a\n- 1\n- debug: {msg: x}\n", nil},
	} {
		var got []string
		for _, x := range detect(tt.src).Texts {
			got = append(got, fmt.Sprintf("%s %s %q", x.Lang, strings.Join(x.Origin, " / "), x.Body))
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

const host = "http://169.254.169.254"

// findings tells findings, a line each.
func findings(src string, all []scan.Finding) (lines []string) {
	for _, f := range all {
		line := fmt.Sprintf("%s %s line %d", f.ID, f.Confidence, 1+strings.Count(src[:f.At.Start], "\n"))
		if f.Why != "" {
			line += ", " + f.Why
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFindings(t *testing.T) {
	t.Parallel()
	const put = "- uri:\n    url: " + host + "/latest/api/token\n    method: PUT\n    headers: {X-aws-ec2-metadata-token-ttl-seconds: 60}\n    return_content: yes\n  register: tok\n"
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"uri", "- name: a\n  uri:\n    url: " + host + "/latest/meta-data/instance-id\n    return_content: yes\n  register: r\n", []string{"TG1001 sure line 2"}},
		{"uri in one line", "- uri: url=" + host + "/latest/meta-data/ return_content=yes\n", []string{"TG1001 sure line 1, " + whyOneLine}},
		{"an action in a line", "- action: uri url=" + host + "/latest/meta-data/ return_content=yes\n- action: uri url=" + host + "/latest/meta-data/ method=PUT\n  args: {headers: {X-aws-ec2-metadata-token: t}}\n", []string{"TG1001 sure line 1, " + whyOneLine}},
		{"get_url", "- get_url:\n    url: " + host + "/latest/dynamic/instance-identity/document\n    dest: /a\n", []string{"TG1001 sure line 1"}},
		{"by a variable", "- hosts: all\n  vars:\n    m: " + host + "/latest/meta-data\n  tasks:\n  - uri:\n      url: \"{{ m }}/ami-id\"\n      return_content: true\n", []string{"TG1001 likely line 5"}},
		{"with a token", put + "- uri:\n    url: " + host + "/latest/meta-data/\n    headers:\n      X-aws-ec2-metadata-token: '{{ tok.content }}'\n", nil},
		{"with headers of a variable", "- uri:\n    url: " + host + "/latest/meta-data/\n    headers: '{{ imds_token_headers }}'\n", nil},
		{"with unknown headers", "- uri:\n    url: " + host + "/latest/meta-data/\n    headers: '{{ h }}'\n", []string{"TG1001 sure line 1, " + whyHeaders}},
		{"in rescue", "- block:\n  " + strings.ReplaceAll(strings.TrimRight(put, "\n"), "\n", "\n  ") + "\n  rescue:\n  - uri:\n      url: " + host + "/latest/meta-data/\n      return_content: yes\n", []string{"TG1002 sure line 9, " + whyBoth}},
		{"when there is no token", put + "- uri:\n    url: " + host + "/latest/meta-data/\n    return_content: yes\n  when: tok is failed\n", []string{"TG1002 sure line 7, " + whyBoth}},
		{"when there is a token", put + "- get_url:\n    url: " + host + "/latest/meta-data/\n    dest: /a\n  when: token.status == 200\n", []string{"TG1001 sure line 7"}},
		{"probe", "- uri:\n    url: " + host + "/latest/meta-data/\n    timeout: 2\n  register: r\n  failed_when: false\n", []string{"TG1003 sure line 1"}},
		{"probe by status", "- uri:\n    url: " + host + "/latest/\n    status_code: [200, 404, -1]\n", []string{"TG1003 sure line 1"}},
		{"probe of the root", "- uri:\n    url: " + host + "/\n  ignore_errors: yes\n", []string{"TG1003 likely line 1"}},
		{"handler", "- hosts: a\n  handlers:\n  - uri:\n      url: " + host + "/latest/meta-data/\n", []string{"TG1001 sure line 3, " + whyHandler}},
		{"Azure", "- uri:\n    url: " + host + "/metadata/instance?api-version=2021-02-01\n    headers: {Metadata: 'true'}\n", nil},
		{"Azure by header", "- uri:\n    url: " + host + "/\n    headers: {Metadata: 'true'}\n", nil},
		{"facts", "- amazon.aws.ec2_metadata_facts:\n", nil},
		{"command", "- command: curl -s " + host + "/latest/meta-data/\n", []string{"TG1001 sure line 1"}},
		{"command, a probe", "- command: curl -s -o /dev/null -w '%{http_code}' " + host + "/latest/meta-data/\n", []string{"TG1003 sure line 1"}},
		{"command with a token", "- command: \"curl -H 'X-aws-ec2-metadata-token: {{ t }}' " + host + "/latest/meta-data/\"\n", nil},
		{"command for a token", "- command: curl -X PUT -H X-aws-ec2-metadata-token-ttl-seconds:60 " + host + "/latest/api/token\n", nil},
		{"command in a handler", "- hosts: a\n  handlers:\n  - command: curl " + host + "/latest/meta-data/\n", []string{"TG1001 sure line 3, " + whyHandler}},
		{"command in one line", "- {command: curl " + host + "/latest/meta-data/}\n", []string{"TG1001 sure line 1, " + whyOneLine}},
		{"wait_for", "- wait_for: {host: 169.254.169.254, port: 80}\n", nil},
		{"look-up", "- set_fact:\n    a: \"{{ lookup('url', '" + host + "/latest/meta-data/') }}\"\n", []string{"TG1001 sure line 2, a look-up can't ask for a token: use a task with uri"}},
		{"look-up by a variable", "- set_fact: {u: " + host + "/latest/}\n- debug: {msg: \"{{ lookup('url', u) }}\"}\n", []string{"TG1001 likely line 2, a look-up can't ask for a token: use a task with uri"}},
		{"look-up with a token", "- debug: {msg: \"{{ lookup('url', '" + host + "/latest/', headers={'X-aws-ec2-metadata-token': t}) }}\"}\n", nil},
	} {
		if d := cmp.Diff(tt.want, findings(tt.src, detect(tt.src).Findings)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}

// fixed applies all that mends findings and settings.
func fixed(t *testing.T, src string) string {
	t.Helper()
	facts := detect(src)
	all := facts.Findings
	for _, u := range facts.Units {
		all = append(all, u.Settings...)
	}
	var edits []edit.Edit
	for _, f := range all {
		for _, s := range f.Fix {
			edits = append(edits, edit.Edit{Start: s.At.Start, End: s.At.End, Text: s.Text})
		}
	}
	got, err := edit.Apply(src, edits)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := yaml.Unmarshal([]byte(got), &out); err != nil {
		t.Errorf("%s: %v", got, err)
	}
	if again := detect(got); len(again.Findings) > 0 {
		t.Errorf("is not mended: %s %+v", got, again.Findings)
	}
	return got
}

func TestFix(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"uri", `
- hosts: all
  tasks:
    # who am I
    - name: Ask
      ansible.builtin.uri:
        url: http://169.254.169.254/latest/meta-data/instance-id
        return_content: true
        timeout: 2
      register: id
      when:
        - a
        - b
      until: id.status == 200
      retries: 3
    - debug: {var: id.content}
`, `
- hosts: all
  tasks:
    # who am I
    - name: Ask for a token of the instance metadata service
      ansible.builtin.uri:
        url: http://169.254.169.254/latest/api/token
        method: PUT
        headers:
          X-aws-ec2-metadata-token-ttl-seconds: "21600"
        return_content: true
        timeout: 2
      register: imds_token
      when:
        - a
        - b
      until: imds_token is succeeded
      retries: 3
    - name: Ask
      ansible.builtin.uri:
        url: http://169.254.169.254/latest/meta-data/instance-id
        headers:
          X-aws-ec2-metadata-token: "{{ imds_token.content | default('') }}"
        return_content: true
        timeout: 2
      register: id
      when:
        - a
        - b
      until: id.status == 200
      retries: 3
    - debug: {var: id.content}
`},
		{"headers, failures, IPv6", `-   get_url:
        headers:
          Accept: text/plain
        url: "http://[fd00:ec2::254]/latest/meta-data/"
        dest: /tmp/imds_token
    failed_when: no
    become: yes
`, `-   name: Ask for a token of the instance metadata service
    uri:
      url: http://[fd00:ec2::254]/latest/api/token
      method: PUT
      headers:
        X-aws-ec2-metadata-token-ttl-seconds: "300"
      return_content: true
    register: imds_session_token
    failed_when: no
    become: yes
-   get_url:
        headers:
          Accept: text/plain
          X-aws-ec2-metadata-token: "{{ imds_session_token.content | default('') }}"
        url: "http://[fd00:ec2::254]/latest/meta-data/"
        dest: /tmp/imds_token
    failed_when: no
    become: yes
`},
		{"a command", `- name: Ask
  command: /usr/bin/curl -sf -m 2 --noproxy '*' http://169.254.169.254/latest/meta-data/instance-id
  register: id
  failed_when: false
`, `- name: Ask for a token of the instance metadata service
  uri:
    url: http://169.254.169.254/latest/api/token
    method: PUT
    headers:
      X-aws-ec2-metadata-token-ttl-seconds: "300"
    return_content: true
    timeout: 2
    use_proxy: false
  register: imds_token
  failed_when: false
- name: Ask
  command: /usr/bin/curl -H X-aws-ec2-metadata-token:{{ imds_token.content | default('') }} -sf -m 2 --noproxy '*' http://169.254.169.254/latest/meta-data/instance-id
  register: id
  failed_when: false
`},
		{"a command in quotes", `- ansible.builtin.command:
    cmd: 'wget -qO- http://169.254.169.254/latest/meta-data/{{ item }}'
  loop: [a, b]
`, `- name: Ask for a token of the instance metadata service
  ansible.builtin.uri:
    url: http://169.254.169.254/latest/api/token
    method: PUT
    headers:
      X-aws-ec2-metadata-token-ttl-seconds: "21600"
    return_content: true
  register: imds_token
- ansible.builtin.command:
    cmd: 'wget --header=X-aws-ec2-metadata-token:{{ imds_token.content | default('''') }} -qO- http://169.254.169.254/latest/meta-data/{{ item }}'
  loop: [a, b]
`},
	} {
		if d := cmp.Diff(tt.want, fixed(t, tt.src)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
		crlf := strings.ReplaceAll(tt.src, "\n", "\r\n")
		if d := cmp.Diff(strings.ReplaceAll(tt.want, "\n", "\r\n"), fixed(t, crlf)); d != "" {
			t.Errorf("%s with CRLF: %s", tt.name, d)
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, src string
		units     int
		want      []string
		old, new  string
	}{
		{"missing", "- amazon.aws.ec2_instance:\n    image_id: a\n", 1, []string{"TG1201 sure line 1"}, "image_id: a\n", "image_id: a\n    metadata_options:\n      http_tokens: required\n"},
		{"tokens missing", "- ec2_launch_template:\n    image_id: a\n    metadata_options:\n      http_endpoint: enabled\n", 1, []string{"TG1201 sure line 1"}, "enabled\n", "enabled\n      http_tokens: required\n"},
		{"optional", "- ec2_instance:\n    image_id: a\n    metadata_options: {http_tokens: optional}\n", 1, []string{"TG1202 sure line 3"}, "optional}", "required}"},
		{"required", "- ec2_instance:\n    image_id: a\n    metadata_options: {http_tokens: required}\n", 1, nil, "", ""},
		{"many hops", "- ec2_instance:\n    image_id: a\n    metadata_options: {http_tokens: required, http_put_response_hop_limit: 9}\n", 1, []string{"TG1203 likely line 3, how far the answers must travel is not in the text"}, "", ""},
		{"by a variable", "- set_fact: {t: optional}\n- ec2_instance:\n    image_id: a\n    metadata_options: {http_tokens: '{{ t }}'}\n", 1, []string{"TG1202 sure line 4, a variable decides"}, "", ""},
		{"stopped", "- ec2_instance:\n    instance_ids: a\n    state: stopped\n", 0, nil, "", ""},
	} {
		facts := detect(tt.src)
		if len(facts.Units) != tt.units {
			t.Errorf("%s: %d units", tt.name, len(facts.Units))
			continue
		}
		for _, u := range facts.Units {
			if d := cmp.Diff(tt.want, findings(tt.src, u.Settings)); d != "" {
				t.Errorf("%s: %s", tt.name, d)
			}
		}
		if want := strings.Replace(tt.src, tt.old, tt.new, 1); fixed(t, tt.src) != want {
			t.Errorf("%s: %s, want %s", tt.name, fixed(t, tt.src), want)
		}
	}
}

// The words of a command can't be changed as if a shell read them.
func TestCommandIsNoShell(t *testing.T) {
	t.Parallel()
	for src, refused := range map[string]bool{"- command: curl a\n": true, "- shell: curl a\n": false, "- command: sh -c 'curl a'\n": false} {
		text := detect(src).Texts[0]
		i := strings.Index(text.Body, "a")
		if _, err := text.Edit(scan.Splice{At: scan.Span{Start: i, End: i}, Text: "$(b)"}); (err != nil) != refused {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func FuzzDetect(f *testing.F) {
	f.Add("- uri:\n    url: " + host + "/latest/\n  register: a\n")
	f.Add("- hosts: a\n  tasks:\n  - block:\n    - shell: '{{ a }}{% b %}'\n    rescue:\n    - get_url: {url: '" + host + "/latest/'}\n")
	f.Add("- ec2_instance: {image_id: a}\n- set_fact: {a: \"{{ lookup('pipe', \\\"b\\\") }}\"}\n")
	f.Fuzz(func(t *testing.T, src string) {
		facts := detect(src)
		for _, f := range facts.Findings {
			if f.At.Start < 0 || f.At.Start > f.At.End || f.At.End > len(src) {
				t.Fatalf("%+v", f)
			}
		}
		for _, text := range facts.Texts {
			for i := range len(text.Body) {
				if at := text.InFile(scan.Span{Start: i, End: i + 1}); at.Start < 0 || at.End > len(src) || at.Start > at.End {
					t.Fatalf("%d of %q stands at %v", i, text.Body, at)
				}
			}
		}
	})
}
