//go:build unix

package test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const (
	instanceID = "i-0a1b2c3d4e5f60718"
	identity   = "arn:aws:sts::123456789012:assumed-role/bedrock-ui-ec2-role/" + instanceID
)

// What Debian 12 has of the AWS CLI and of botocore, and .ci/run installs where
// there is none, is of 2022: older than Bedrock. Their tests skip there, with
// TEGATA_REQUIRE=all too, since no newer package can be asked for; the clients
// for Go and JavaScript are pinned by the tree.
const tooOld = "older than Bedrock's Converse, as what Debian 12 has is"

// debianAWS is version 2 of the AWS CLI as Debian 12 has it, older than
// AWS_ENDPOINT_URL, which it passes over.
const debianAWS = "/usr/bin/aws"

func TestAWSCLIKeys(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "aws")
	run(t, "sandbox", "--", "aws", "configure", "list").wants(t, 0, "iam-role")
}

func TestAWSCLI(t *testing.T) {
	requireBox(t)
	requireProgram(t, "aws")
	if r := run(t, "sandbox", "--", "aws", "bedrock-runtime", "converse"); strings.Contains(r.stderr, "Invalid choice") {
		t.Skip("this AWS CLI is " + tooOld)
	}
	t.Run("identity", func(t *testing.T) {
		t.Parallel()
		run(t, "sandbox", "--", "aws", "sts", "get-caller-identity").wants(t, 0, identity)
	})
	t.Run("parameter", func(t *testing.T) {
		t.Parallel()
		run(t, "sandbox", "--", "aws", "ssm", "get-parameter", "--name", "/bedrock-ui/system-prompt").wants(t, 0, "helpful assistant")
	})
	t.Run("model", func(t *testing.T) {
		t.Parallel()
		run(t, "sandbox", "--", "aws", "bedrock-runtime", "converse",
			"--model-id", "jp.anthropic.claude-sonnet-4-6",
			"--messages", `[{"role":"user","content":[{"text":"hello"}]}]`,
			"--inference-config", "maxTokens=64").wants(t, 0, `"stopReason"`, "stand-in")
	})
	t.Run("bare model id", func(t *testing.T) {
		t.Parallel()
		r := run(t, "sandbox", "--", "aws", "bedrock-runtime", "converse",
			"--model-id", "anthropic.claude-sonnet-4-6",
			"--messages", `[{"role":"user","content":[{"text":"hello"}]}]`)
		if r.status == 0 || !strings.Contains(r.stderr, "ValidationException") || !strings.Contains(r.stderr, "inference profile") {
			t.Errorf("status %d, stderr:\n%s", r.status, r.stderr)
		}
	})
	t.Run("not allowed", func(t *testing.T) {
		t.Parallel()
		r := run(t, "sandbox", "--", "aws", "ssm", "get-parameter", "--name", "/other/secret")
		if r.status == 0 || !strings.Contains(r.stderr, "AccessDeniedException") || !strings.Contains(r.stderr, "parameter/other/secret") {
			t.Errorf("status %d, stderr:\n%s", r.status, r.stderr)
		}
	})
}

func TestGoSDK(t *testing.T) {
	t.Parallel()
	requireBox(t)
	client := filepath.Join(t.TempDir(), "goclient")
	if err := goBuild(client, "tegata/test/testdata/goclient"); err != nil {
		t.Fatal(err)
	}
	run(t, "sandbox", "--", client).wants(t, 0, identity, "stop: end_turn")
}

func TestJavaScriptSDK(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "node")
	if _, err := os.Stat("js/node_modules"); err != nil {
		require(t, errors.New("the packages of test/js are not installed: npm ci --prefix test/js"))
	}
	r := run(t, "sandbox", "--", "node", "js/client.mjs")
	r.wants(t, 0, identity+"\n"+identity+"\n"+instanceID, "stop: end_turn")
}

func TestBotocore(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, "python3")
	if out, err := exec.Command("python3", "-c", "import botocore").CombinedOutput(); err != nil {
		require(t, errors.New("python3 has no botocore: "+string(out)))
	}
	converse := "import botocore.session as s; s.get_session().get_service_model('bedrock-runtime').operation_model('ConverseStream')"
	if r := run(t, "sandbox", "--", "python3", "-c", converse); strings.Contains(r.stderr, "UnknownServiceError") || strings.Contains(r.stderr, "OperationNotFoundError") {
		t.Skip("this botocore is " + tooOld)
	}
	run(t, "sandbox", "--", "python3", "testdata/botocore_client.py").wants(t, 0, identity, "stop: end_turn")
}

// Scripts with the literal address run as they are, as this user and, if we
// are root, as nobody: in the box of root, and in a box of nobody's own.
func TestScripts(t *testing.T) {
	requireBox(t)
	requireProgram(t, "curl")
	dir, err := os.MkdirTemp("", "tegata-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	for _, name := range []string{"v1.sh", "v2.sh"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	optional := filepath.Join(dir, "optional.yaml")
	os.WriteFile(optional, []byte("imds: {tokens: optional}\n"), 0o644)

	ways := map[string]func(args ...string) *exec.Cmd{
		"this user": func(args ...string) *exec.Cmd {
			return command(t, append([]string{"sandbox"}, args...)...)
		},
	}
	if os.Getuid() == 0 {
		requireProgram(t, "setpriv")
		ways["nobody in the box of root"] = func(args ...string) *exec.Cmd {
			last := len(args) - 1
			args = append(args[:last:last], "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", args[last])
			return command(t, append([]string{"sandbox"}, args...)...)
		}
		ways["nobody's box"] = func(args ...string) *exec.Cmd {
			cmd := command(t, append([]string{"sandbox"}, args...)...)
			cmd.Dir = "/"
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
			return cmd
		}
	}
	for way, sandboxed := range ways {
		t.Run(way, func(t *testing.T) {
			finish(t, sandboxed("--scenario", optional, "--", dir+"/v1.sh")).wants(t, 0,
				"instance: "+instanceID, "status: 200", "region: ap-northeast-1")
			finish(t, sandboxed("--", dir+"/v1.sh")).wants(t, 0,
				"instance: \n", "status: 401", "region: \n")
			finish(t, sandboxed("--", dir+"/v2.sh")).wants(t, 0,
				"instance: "+instanceID, "region: ap-northeast-1", "role: bedrock-ui-ec2-role", "credentials: yes", "over IPv6: 200")
		})
	}
}
