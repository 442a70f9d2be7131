//go:build unix

package test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// debian is where .ci/run unpacks the packages that must not be installed on
// the machine, since they would take it for an instance at its next boot.
const debian = "debian"

// venv is where .ci/run puts version 1 of the AWS CLI if the machine has none.
const venv = "venv"

// A program is one that knows nothing of tegata and reads the metadata of the
// instance that it believes to run on.
type program struct {
	name  string // what it prints is in testdata/clients/INSTANCE/NAME.txt
	needs func(*testing.T)
	args  func(*testing.T) []string
}

var programs = []program{
	{"ec2-metadata", needs(unpacked("usr/bin/ec2-metadata"), installed("bash", "curl")),
		runs("bash", debian+"/usr/bin/ec2-metadata", "--all")},
	{"ec2metadata", needs(unpacked("usr/bin/ec2metadata"), debianPython("urllib")),
		runs(python, debian+"/usr/bin/ec2metadata")},
	{"ec2metadata-latest", needs(unpacked("usr/bin/ec2metadata"), debianPython("urllib")),
		runs(python, debian+"/usr/bin/ec2metadata", "--url", "http://169.254.169.254/latest")}, // else it asks for the tree of 2009
	{"cloud-init", needs(unpacked("usr/lib/python3/dist-packages/cloudinit"), debianPython("configobj", "jinja2", "jsonschema", "jsonpatch", "oauthlib", "requests", "yaml", "netifaces")),
		runs("env", "PYTHONPATH="+debian+"/usr/lib/python3/dist-packages", python, "testdata/clients/cloudinit_crawl.py")},
	{"aws-sdk-go-v2", needs(), func(t *testing.T) []string {
		client := filepath.Join(t.TempDir(), "goimds")
		if err := goBuild(client, "tegata/test/testdata/clients/goimds"); err != nil {
			t.Fatal(err)
		}
		return withoutRegion(client)
	}},
	{"aws-sdk-js", needs(installed("node"), modules), runs(withoutRegion("node", "js/imds.mjs")...)},
	{"botocore", needs(installed("python3"), imports("python3", "botocore")), runs(withoutRegion("python3", "testdata/clients/botocore_imds.py")...)},
	{"botocore-debian", needs(debianPython("botocore")), runs(withoutRegion(python, "testdata/clients/botocore_imds.py")...)},
}

// python is Debian's, for which its packages are.
const python = "/usr/bin/python3"

// What no program can know, since it differs from run to run.
var chance = regexp.MustCompile(`AIPA[A-Z2-7]{17}|LastUpdated\\?" ?: \\?"[^"]*"`)

// Programs find all that the scenario says, whether or not the service wants
// tokens, and whatever its front end is.
func TestInstanceMetadata(t *testing.T) {
	requireBox(t)
	instances, err := filepath.Glob("testdata/clients/*/instance.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.needs(t)
			args := p.args(t)
			for _, file := range instances {
				for _, settings := range []string{"tokens: optional", "tokens: required", "tokens: required, profile: legacy"} {
					t.Run(filepath.Base(filepath.Dir(file))+", "+settings, func(t *testing.T) {
						r := inInstance(t, file, settings, args...)
						r.wants(t, 0)
						compare(t, filepath.Join(filepath.Dir(file), p.name+".txt"), chance.ReplaceAllString(r.stdout, "…"))
					})
				}
			}
		})
	}
}

// inInstance runs a command in the box of a scenario file, with settings of
// the metadata service that the file leaves open.
func inInstance(t *testing.T, file, settings string, args ...string) result {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	scene := strings.Replace(string(text), "imds: {", "imds: {"+settings+", ", 1)
	return run(t, append([]string{"sandbox", "--scenario", scenario(t, scene), "--"}, args...)...)
}

// compare compares a text with that of a file, or writes the file.
func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("printed:\n%s\nwant %s:\n%s", got, file, want)
	}
}

// The AWS CLI finds role and region on the instance, and takes credentials
// from tegata as its credential_process.
func TestAWSCLIMetadata(t *testing.T) {
	requireBox(t)
	for _, version := range []string{"1", "2"} {
		for _, tokens := range []string{"optional", "required"} {
			t.Run("version "+version+", tokens "+tokens, func(t *testing.T) {
				t.Parallel()
				path := requireAWS(t, version)
				region := map[string]string{"1": "None", "2": "imds"}[version] // version 1 never looks for one there
				want := fmt.Sprintf("access_key: iam-role\nregion: %s\n%s\naccess_key: custom-process\nregion: config-file\n%[2]s\n", region, identity)
				r := inInstance(t, "testdata/clients/plain/instance.yaml", "tokens: "+tokens, "sh", "testdata/clients/aws.sh", path)
				r.wants(t, 0)
				if r.stdout != want {
					t.Errorf("printed:\n%s\nwant:\n%s\nstderr:\n%s", r.stdout, want, r.stderr)
				}
			})
		}
	}
}

// requireAWS returns the path of the AWS CLI of that version.
func requireAWS(t *testing.T, version string) string {
	t.Helper()
	paths := map[string][]string{"1": {"aws", venv + "/bin/aws"}, "2": {"/usr/bin/aws"}}[version]
	for _, path := range paths {
		out, err := exec.Command(path, "--version").CombinedOutput()
		if err == nil && strings.HasPrefix(string(out), "aws-cli/"+version+".") {
			return path
		}
	}
	require(t, fmt.Errorf("no version %s of the AWS CLI at %s: bash .ci/run install", version, strings.Join(paths, ", ")))
	return ""
}

func runs(args ...string) func(*testing.T) []string {
	return func(*testing.T) []string { return args }
}

// withoutRegion is a command that has to find its region on the instance.
func withoutRegion(args ...string) []string {
	return append([]string{"env", "-u", "AWS_REGION", "-u", "AWS_DEFAULT_REGION"}, args...)
}

func needs(all ...func() error) func(*testing.T) {
	return func(t *testing.T) {
		t.Helper()
		for _, missing := range all {
			require(t, missing())
		}
	}
}

func unpacked(path string) func() error {
	return func() error {
		if _, err := os.Stat(filepath.Join(debian, path)); err != nil {
			return fmt.Errorf("Debian's packages are not unpacked: bash .ci/run install (%w)", err)
		}
		return nil
	}
}

func installed(names ...string) func() error {
	return func() error {
		for _, name := range names {
			if _, err := exec.LookPath(name); err != nil {
				return err
			}
		}
		return nil
	}
}

func modules() error {
	if _, err := os.Stat("js/node_modules"); err != nil {
		return errors.New("the packages of test/js are not installed: npm ci --prefix test/js")
	}
	return nil
}

func debianPython(modules ...string) func() error { return imports(python, modules...) }

func imports(interpreter string, modules ...string) func() error {
	return func() error {
		out, err := exec.Command(interpreter, "-c", "import "+strings.Join(modules, ", ")).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s lacks packages: %v: %s", interpreter, err, out)
		}
		return nil
	}
}
