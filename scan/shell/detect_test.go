package shell

import (
	"fmt"
	"strings"
	"testing"

	"tegata/scan"
)

// told lists findings as "TG1001 sure 3": which, how sure, on what line.
func told(t *scan.Text, facts scan.Facts) string {
	var out []string
	for _, f := range facts.Findings {
		out = append(out, fmt.Sprintf("%s %s %s", f.ID, f.Confidence, newLineNumbers(t.Body).of(f.At.Start)))
	}
	for _, inner := range facts.Texts {
		if inner.Lang != scan.Shell && inner.Lang != scan.Bash {
			out = append(out, fmt.Sprintf("%s %q", inner.Lang, inner.Body))
		} else if s := told(inner, Detect(inner)); s != "" {
			out = append(out, "in "+inner.Layers()[len(inner.Layers())-1].Name+": "+s)
		}
	}
	return strings.Join(out, ", ")
}

const host = "http://169.254.169.254"

func TestDetect(t *testing.T) {
	t.Parallel()
	for _, tt := range detections {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := scan.File("x.sh", scan.Bash, []byte(strings.ReplaceAll(tt.body, "HOST", host)))
			if got := told(text, Detect(text)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

var detections = []struct{ name, body, want string }{
	{"curl", `curl HOST/latest/meta-data/instance-id`, "TG1001 sure 1"},
	{"curl in a substitution", "#!/bin/sh\nID=$(curl -s HOST/latest/meta-data/instance-id)", "TG1001 sure 2"},
	{"backticks", "ID=`curl -s HOST/latest/meta-data/instance-id`", "TG1001 sure 1"},
	{"wget", "wget -qO- HOST/latest/meta-data/instance-id", "TG1001 sure 1"},
	{"IPv6", "curl -g 'http://[fd00:ec2::254]/latest/meta-data/'", "TG1001 sure 1"},
	{"host name", "curl http://instance-data/latest/meta-data/", "TG1001 sure 1"},
	{"host name without a scheme", "wget -qO- instance-data/latest/meta-data/instance-id", "TG1001 sure 1"},
	{"folder", "curl -o instance-data/x https://example.com; cp instance-data/$x y", ""},
	{"slashes", "curl -s HOST//latest/meta-data/", "TG1001 sure 1"},
	{"escaped for Terraform", "U=HOST/latest/meta-data\nID=$(curl -s \"$${U}/instance-id\")\necho $$ \"$$x\"", "TG1001 likely 2"},
	{"no scheme", "curl 169.254.169.254/latest/meta-data/", "TG1001 sure 1"},
	{"several lines", "true\ncurl \\\n  -s \\\n  HOST/latest/meta-data/", "TG1001 sure 2"},
	{"token", `T=$(curl -sf -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" HOST/latest/api/token)
curl -H "X-aws-ec2-metadata-token: $T" HOST/latest/meta-data/`, ""},
	{"comment", "# curl HOST/latest/meta-data/", ""},
	{"mention", `echo "try curl HOST/latest/meta-data/"`, ""},
	{"no proxy", "export NO_PROXY=169.254.169.254\nno_proxy=169.254.169.254 curl https://example.com", ""},
	{"firewall", "iptables -A OUTPUT -d 169.254.169.254 -j DROP\nip route add 169.254.169.254 via 10.0.0.1", ""},
	{"constant", "URL=HOST/latest/meta-data\ncurl -s $URL/instance-id", "TG1001 likely 2"},
	{"host and path", "H=169.254.169.254\nP=latest/meta-data\nwget -q -O - \"http://${H}/${P}/x\"", "TG1001 likely 3"},
	{"default", `curl "${IMDS:-HOST}/latest/meta-data/"`, "TG1001 sure 1"},
	{"wrapper with the host", "meta() { curl -s HOST/latest/meta-data/$1; }\nmeta a\nmeta b", "TG1001 sure 1"},
	{"wrapper with an URL", "get() {\n  local url=$1\n  curl -s \"$url\"\n}\nget HOST/latest/meta-data/a\nget https://example.com", "TG1001 likely 5"},
	{"wrapper with URLs of the service", "get() {\n  local url=$1\n  curl -s \"$url\"\n}\nget HOST/latest/meta-data/a\nget HOST/latest/meta-data/b", "TG1001 likely 3"},
	{"retry", "retry 5 curl -s HOST/latest/meta-data/", "TG1001 sure 1"},
	{"rest of the arguments", "f() { curl -s \"${@:2}\"; }\nf x HOST/latest/meta-data/", "TG1001 likely 1"},
	{"array", "CURL=(curl -s --retry 3)\n\"${CURL[@]}\" HOST/latest/meta-data/", "TG1001 likely 2"},
	{"array of headers", "H=(-H \"X-aws-ec2-metadata-token: $T\")\ncurl -s \"${H[@]}\" HOST/latest/meta-data/", ""},
	{"command in a variable", "C='curl -s HOST/latest/meta-data/'\n$C", "TG1001 likely 2"},
	{"bash -c", `bash -c 'curl -s HOST/latest/meta-data/'`, "in a single-quoted string of the shell: TG1001 sure 1"},
	{"sudo sh -c", `sudo sh -c "curl -s HOST/latest/meta-data/"`, "in a double-quoted string of the shell: TG1001 sure 1"},
	{"ssh", `ssh -i key host 'curl -s HOST/latest/meta-data/'`, "in a single-quoted string of the shell: TG1001 sure 1"},
	{"ssh with options in a variable", `ssh $OPTS $USER@$NODE "curl -s HOST/latest/meta-data/"`, "in a double-quoted string of the shell: TG1001 sure 1"},
	{"ssh in a function", "on() { ssh \"$1\" \"$2\"; }\non $NODE 'sudo curl -s HOST/latest/meta-data/'", "in a single-quoted string of the shell: TG1001 sure 1"},
	{"vagrant", "vagrant ssh -c 'curl -s HOST/latest/meta-data/'", "in a single-quoted string of the shell: TG1001 sure 1"},
	{"watch", "watch -n 5 'curl -s HOST/latest/meta-data/ | tail'", "in a single-quoted string of the shell: TG1001 sure 1"},
	{"script in a document", "cat > /usr/local/bin/x <<'EOF'\n#!/bin/sh\ncurl HOST/latest/meta-data/\nEOF", "in a here document: TG1001 sure 2"},
	{"run by the outer shell", "cat > x.json <<EOF\n{\"id\": \"$(curl -s HOST/latest/meta-data/instance-id)\"}\nEOF", "TG1001 sure 2"},
	{"script in an expanded document", "cat > x.sh <<EOF\nID=\\$(curl -s HOST/latest/meta-data/)\nEOF", "in a here document: TG1001 sure 1"},
	{"script by printf", `printf '#!/bin/sh\nID=$(curl -s HOST/latest/meta-data/instance-id)\necho \\$ID\n' > /x`, "in a single-quoted string of the shell: TG1001 sure 2"},
	{"script by echo -e", `echo -e "#!/bin/sh\ncurl -s HOST/latest/meta-data/instance-id" > /x`, "in a double-quoted string of the shell: TG1001 sure 2"},
	{"script in a variable", "read -r -d '' UD <<'EOF'\n#!/bin/sh\ncurl HOST/latest/meta-data/\nEOF", "in a here document: TG1001 sure 2"},
	{"script for base64", "UD=$(base64 -w0 <<EOF\n#!/bin/sh\nID=\\$(curl HOST/latest/meta-data/)\nEOF\n)", "in a here document: TG1001 sure 2"},
	{"sudo -s", "sudo -s <<'EOF'\ncurl HOST/latest/meta-data/\nEOF", "in a here document: TG1001 sure 1"},
	{"command in JSON", "cat > x.json <<EOF\n{\"command\": [\"sh\", \"-c\", \"ID=\\$(curl HOST/latest/meta-data/) x\"]}\nEOF",
		"text \"{\\\"command\\\": [\\\"sh\\\", \\\"-c\\\", \\\"ID=$(curl http://169.254.169.254/latest/meta-data/) x\\\"]}\\n\""},
	{"pod", "kubectl apply -f - <<'EOF'\nargs: [sh, -c, curl HOST/latest/meta-data/]\nEOF", "kubernetes \"args: [sh, -c, curl http://169.254.169.254/latest/meta-data/]\\n\""},
	{"addresses in JSON", "cat > x.json <<EOF\n{\"url\": \"HOST/latest/meta-data/\"}\nEOF", ""},
	{"documentation in a file", "cat > README <<EOF\ncurl HOST/latest/meta-data/\nEOF", ""},
	{"search in a test", "run grep 'curl -s HOST/latest/meta-data/' file", ""},
	{"documentation", "cat <<EOF\ntry: curl HOST/latest/meta-data/\nEOF", ""},
	{"fallback after", `T=$(curl -sf -X PUT HOST/latest/api/token)
curl -sf -H "X-aws-ec2-metadata-token: $T" HOST/latest/meta-data/ || curl -s HOST/latest/meta-data/`, "TG1002 sure 2"},
	{"fallback without a token", `T=$(curl -sf -X PUT HOST/latest/api/token)
if [ -n "$T" ]; then
  ID=$(curl -s -H "X-aws-ec2-metadata-token: $T" HOST/latest/meta-data/)
else
  ID=$(curl -s HOST/latest/meta-data/)
fi`, "TG1002 sure 5"},
	{"header if there is a token", `T=$(curl -sf -X PUT HOST/latest/api/token)
curl -s ${T:+-H "X-aws-ec2-metadata-token: $T"} HOST/latest/meta-data/`, "TG1002 sure 2"},
	{"header in a branch", "if [ -n \"$T\" ]; then\n  H=\"-H X-aws-ec2-metadata-token:$T\"\nfi\ncurl -s $H HOST/latest/meta-data/", "TG1002 sure 4"},
	{"header and request in a branch", "H=()\nif [ -n \"$T\" ]; then\n  H=(-H \"X-aws-ec2-metadata-token: $T\")\n  curl -s \"${H[@]}\" HOST/latest/meta-data/\nfi", ""},
	{"header of another function", "set_up() { if true; then H=\"X-aws-ec2-metadata-token: $T\"; fi; }\nid() { curl -s -H \"$H\" HOST/latest/meta-data/; }", ""},
	{"default value", "ID=$(curl -sf HOST/latest/meta-data/instance-id || echo unknown)", "TG1001 sure 1"},
	{"status", "curl -s -o /dev/null -w '%{http_code}' HOST/latest/meta-data/spot/instance-action", "TG1003 sure 1"},
	{"verbose", `curl -v -H "X-aws-ec2-metadata-token: $T" HOST/latest/meta-data/`, "TG1004 sure 1"},
	{"token without -f", `T=$(curl -s -X PUT HOST/latest/api/token -H "X-aws-ec2-metadata-token-ttl-seconds: 60")`, "TG1005 sure 1"},
	{"Azure", `curl -H Metadata:true "HOST/metadata/instance?api-version=2021-02-01"`, ""},
	{"reachability", "curl -s HOST/", "TG1001 likely 1"},
	{"netcat", `printf 'GET /latest/meta-data/ HTTP/1.0\r\n\r\n' | nc 169.254.169.254 80`, "TG1001 sure 1"},
	{"device", "exec 3<>/dev/tcp/169.254.169.254/80\necho -e \"GET /latest/meta-data/ HTTP/1.0\\n\\n\" >&3", "TG1001 sure 2"},
	{"escaped", `echo "id: \$(curl HOST/latest/meta-data/instance-id)" > index.html`, "TG1009 sure 1"},
	{"setting", "aws configure set imds_use_ipv4 true", "TG1206 sure 1"},
	{"body", `aws bedrock-runtime invoke-model --model-id x --body '{"a":1}' out`, "TG1008 sure 1"},
	{"program that is looked for", "C=$(command -v curl || true)\n$C -s HOST/latest/meta-data/", "TG1001 likely 2"},
	{"command and host in a variable", "MD='curl -s HOST/latest'\n$MD/meta-data/instance-id\n${MD}/user-data", "TG1001 likely 2, TG1001 likely 3"},
	{"array with keys", "declare -A U=([id]=HOST/latest/meta-data/instance-id [x]=https://example.com)\ncurl -s \"${U[id]}\"", "TG1001 likely 2"},
	{"another key", "declare -A U=([id]=HOST/latest/meta-data/instance-id [x]=https://example.com)\ncurl -s \"${U[x]}\"", ""},
	{"stand-in for tests", "mock_curl HOST/latest/meta-data/instance-id i-1", ""},
	{"run elsewhere", `aws ssm send-command --parameters 'commands=["curl -s HOST/latest/meta-data/instance-id"]'`,
		"text \"commands=[\\\"curl -s http://169.254.169.254/latest/meta-data/instance-id\\\"]\""},
	{"php", `php -r 'echo file_get_contents("HOST/latest/meta-data/");'`,
		`php "<?php echo file_get_contents(\"http://169.254.169.254/latest/meta-data/\");"`},
	{"python", `python3 -c 'import requests; print(requests.get("HOST/latest/meta-data/").text)'`,
		`python "import requests; print(requests.get(\"http://169.254.169.254/latest/meta-data/\").text)"`},
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, want string }{
		{"call", "<% if x %>\nID=$(curl -s HOST/latest/meta-data/instance-id)", "TG1001 likely 2"},
		{"upstart", "description \"x\"\nstart on startup\npre-start script\n  ID=$(curl -s HOST/latest/meta-data/instance-id)\nend script\nexec curl HOST/latest/user-data\n",
			"TG1001 likely 6, in a job of upstart: TG1001 sure 1"},
		{"upstart with a template", "script\n  if x; then\n curl -s HOST/latest/meta-data/instance-id\nend script\n", "TG1001 likely 3"},
		{"fish", "set ID (curl -s HOST/latest/meta-data/instance-id)", "TG1001 likely 1"},
		{"token in the log", `ID=$(curl -v -H "X-aws-ec2-metadata-token: $T" HOST/latest/meta-data/instance-id)`, "TG1004 likely 1"},
		{"token asked for in the log", `T=$(curl -sfv -X PUT -H "X-aws-ec2-metadata-token-ttl-seconds: 60" HOST/latest/api/token)`, "TG1004 likely 1"},
		{"log of a call", "curl -v HOST/latest/meta-data/instance-id", "TG1001 likely 1"},
		{"log that is thrown away", `ID=$(curl -v -H "X-aws-ec2-metadata-token: $T" HOST/latest/meta-data/instance-id 2> /dev/null)`, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			text := scan.File("x.erb", scan.Plain, []byte(strings.ReplaceAll(tt.body, "HOST", host)))
			if got := told(text, Lines(text)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// Files of clouds that imitate EC2's paths are told apart by their names.
func TestDetectByName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"x.sh": "TG1001 sure 1", "openstack/id.sh": "", "lib/azure.sh": "", "oracle/aws/id.sh": "TG1001 sure 1", "oracle/db.sh": "TG1001 sure 1",
		"azure/ec2.sh": "TG1001 sure 1",
	} {
		text := scan.File(name, scan.Bash, []byte("curl -s "+host+"/latest/meta-data/instance-id"))
		if got := told(text, Detect(text)); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
