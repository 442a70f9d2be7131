package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// byName is a box whose clients are not told where AWS is.
const byName = "environment: {AWS_ENDPOINT_URL: null}\n"

// untrusted is one whose clients know the certificate of nobody's authority.
const untrusted = `environment:
  AWS_ENDPOINT_URL: null
  AWS_CA_BUNDLE: null
  SSL_CERT_FILE: null
  NODE_EXTRA_CA_CERTS: null
  REQUESTS_CA_BUNDLE: null
  CURL_CA_BUNDLE: null
`

// callers are clients that go to AWS's own host names unless they are told
// otherwise, and print who they are.
var callers = []struct {
	name      string
	needs     func(*testing.T)
	args      func(*testing.T) []string
	untrusted string // what it says of a certificate that it can't verify
}{
	{"aws of Debian", needs(installed(debianAWS)), runs(debianAWS, "sts", "get-caller-identity"), "CERTIFICATE_VERIFY_FAILED"},
	{"aws", needs(installed("aws")), runs("aws", "sts", "get-caller-identity"), "CERTIFICATE_VERIFY_FAILED"},
	{"botocore", needs(installed("python3"), imports("python3", "botocore")), runs("python3", "-c",
		"import botocore.session as s; print(s.get_session().create_client('sts').get_caller_identity()['Arn'])"), "CERTIFICATE_VERIFY_FAILED"},
	{"aws-sdk-js", needs(installed("node"), modules), runs("node", "js/client.mjs"), "unable to verify the first certificate"},
	{"aws-sdk-go-v2", needs(), func(t *testing.T) []string {
		client := filepath.Join(t.TempDir(), "goclient")
		if err := goBuild(client, "tegata/test/testdata/goclient"); err != nil {
			t.Fatal(err)
		}
		return []string{client}
	}, "certificate signed by unknown authority"},
}

// Clients find AWS by its own names, and only where they trust the box.
func TestAWSByName(t *testing.T) {
	requireBox(t)
	for _, c := range callers {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.needs(t)
			args := c.args(t)
			run(t, append([]string{"sandbox", "--scenario", scenario(t, byName), "--"}, args...)...).wants(t, 0, identity)
			r := run(t, append([]string{"sandbox", "--scenario", scenario(t, untrusted), "--"}, args...)...)
			if r.status == 0 || !strings.Contains(r.stderr, c.untrusted) {
				t.Errorf("without the certificate: status %d, stderr lacks %q:\n%s", r.status, c.untrusted, r.stderr)
			}
		})
	}
}

// A client that passes over AWS_ENDPOINT_URL needs nothing more.
func TestAWSOfDebian(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, debianAWS)
	run(t, "sandbox", "--", debianAWS, "sts", "get-caller-identity").wants(t, 0, identity)
	run(t, "sandbox", "--", debianAWS, "ssm", "get-parameter", "--name", "/bedrock-ui/system-prompt").wants(t, 0, "helpful assistant")
	r := run(t, "sandbox", "--fault", "region-cut", "--", "env", "AWS_REGION=ap", debianAWS, "sts", "get-caller-identity")
	if r.status == 0 || !strings.Contains(r.stderr, `Could not connect to the endpoint URL: "https://sts.ap.amazonaws.com/"`) {
		t.Errorf("in a region that is none: status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
}

// lookUp is a script that prints where names lead, and that other names are
// still those of the machine.
const lookUp = `
	getent ahosts localhost | grep -m1 -c STREAM
	getent ahosts sts.eu-west-1.amazonaws.com | grep -m1 -o '127.0.0.1 *STREAM'
	for host in bedrock-runtime.ap.amazonaws.com example.com; do getent ahosts $host; echo "$host: $?"; done
	curl -sS -m 5 -o /dev/null -w '%{http_version} %{ssl_verify_result}\n' https://sts.eu-west-1.amazonaws.com/
	curl -sS -m 5 https://example.com/; echo "curl: $?"`

var lookedUp = []string{
	"1", "127.0.0.1       STREAM",
	"bedrock-runtime.ap.amazonaws.com: 2", "example.com: 2",
	"2 0", "curl: 6",
}

func (r result) looksUp(t *testing.T) {
	t.Helper()
	if got := strings.TrimSpace(r.stdout); r.status != 0 || got != strings.Join(lookedUp, "\n") {
		t.Errorf("status %d\n%s\n%s", r.status, got, r.stderr)
	}
}

// Names lead to the box whoever asks: this user and, if we are root, nobody,
// in the box of root and in a box of nobody's own; in a box in a box too.
func TestNamesInBox(t *testing.T) {
	requireBox(t)
	requireProgram(t, "curl")
	requireProgram(t, "getent")
	ways := map[string]*exec.Cmd{
		"this user":      command(t, "sandbox", "--", "sh", "-c", lookUp),
		"a box in a box": command(t, "sandbox", "--", "tegata", "sandbox", "--", "sh", "-c", lookUp),
	}
	if os.Getuid() == 0 {
		requireProgram(t, "setpriv")
		ways["nobody in the box of root"] = command(t, "sandbox", "--", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", lookUp)
		own := exec.Command(tegata, "sandbox", "--", "sh", "-c", lookUp)
		own.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		own.Dir = "/"
		ways["nobody's box"] = own
	}
	for name, cmd := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := finish(t, cmd)
			r.looksUp(t)
			if r.stderr != "curl: (6) Could not resolve host: example.com\n" {
				t.Errorf("stderr:\n%s", r.stderr)
			}
		})
	}
}

// Machines differ in what they have at /etc/resolv.conf, and in who else
// answers for names; it makes no difference in a box.
func TestNamesOnMachines(t *testing.T) {
	requireBox(t)
	requireProgram(t, "curl")
	requireProgram(t, "getent")
	requireProgram(t, "unshare")
	for name, tt := range map[string]struct {
		machine string // a script that changes /etc and /run
		warned  bool
	}{
		"systemd's link":    {"mkdir -p /run/systemd/resolve; echo nameserver 127.0.0.53 >/run/systemd/resolve/stub-resolv.conf; ln -sf /run/systemd/resolve/stub-resolv.conf /etc/resolv.conf", false},
		"a link to nothing": {"ln -sf /run/nowhere/resolv.conf /etc/resolv.conf", false},
		"no file":           {"rm -f /etc/resolv.conf", false},
		"a resolver at a socket": {`mkdir -p /run/systemd/resolve /run/nscd; echo nameserver 192.0.2.1 >/etc/resolv.conf
			for socket in /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket; do
				python3 -c "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])" $socket
			done
			check='for socket in /run/systemd/resolve/io.systemd.Resolve /run/nscd/socket; do test -f $socket || echo $socket is there; done'`, false},
		"a file that can't be mounted over": {"mkdir /run/x; mount -t tmpfs -o nosymfollow none /run/x; ln -s /dev/null /run/x/link; ln -sf /run/x/link /etc/resolv.conf", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prepare := `set -e
				mount -t tmpfs none /run
				mkdir /run/upper /run/work
				mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/upper,workdir=/run/work /etc
				` + tt.machine + `
				exec "$0" sandbox -- sh -c "$check$1"`
			cmd := exec.Command("unshare", "-rm", "sh", "-c", prepare, tegata, "\n"+lookUp)
			cmd.Env = append(os.Environ(), "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
			r := finish(t, cmd)
			r.looksUp(t)
			if warned := strings.Count(r.stderr, "lead nowhere here"); warned > 1 || (warned == 1) != tt.warned {
				t.Errorf("stderr:\n%s", r.stderr)
			}
		})
	}
}
