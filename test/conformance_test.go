//go:build linux

package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// conformanceFiles hold the cases. Those of the first come before all others.
var conformanceFiles = []string{"prelude", "iam", "sts", "ssm", "kms", "secretsmanager", "logs", "cloudwatch", "servicequotas", "ecr", "ec2", "bedrock"}

// A case is a call with what AWS answers, as the files in testdata/conformance
// have it.
type conformanceCase struct {
	Name string
	Call string
	Want struct {
		Code, Message string
		Status        int
		Answer        map[string]any
	}
	Moto string // why moto answers otherwise
	file string
}

func (c conformanceCase) String() string { return c.file + ": " + c.Name + " (" + c.Call + ")" }

// An outcome is what one endpoint answered to a case.
type outcome struct {
	File, Name    string
	Refuses       string // the call that who may do nothing was refused, instead of a name
	Code, Message string
	Status        int
	Want, Answer  map[string]any // members, with what earlier answers hold put in
}

// The account answers as AWS does, and where moto does not, the cases say why.
func TestConformance(t *testing.T) {
	t.Parallel()
	requireBox(t)
	cases := conformanceCases(t)
	python := requirePython(t)
	requireToday(t, python)
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		got, refused := conforms(t, python, `REFUSE=yes exec "$@"`, "$AWS_ENDPOINT_URL")
		for _, c := range cases {
			if diff := c.differs(got[c.file+c.Name]); diff != "" {
				t.Errorf("%s: %s", c, diff)
			}
		}
		wantRefusals(t, cases, refused)
	})
	t.Run("moto", func(t *testing.T) {
		t.Parallel()
		requireProgram(t, "moto_server")
		got, _ := conforms(t, python, `
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test MOTO_ACCOUNT_ID=123456789012
moto_server -H 127.0.0.1 -p 5555 >/dev/null 2>&1 &
until curl -fsS -o /dev/null http://127.0.0.1:5555/moto-api/ 2>/dev/null; do sleep 0.1; done
"$@"
kill $!`, "http://127.0.0.1:5555")
		differ := 0
		for _, c := range cases {
			diff := c.differs(got[c.file+c.Name])
			switch {
			case diff != "" && c.Moto == "":
				t.Errorf("%s: moto differs, and nobody says why: %s", c, diff)
			case diff == "" && c.Moto != "":
				t.Errorf("%s: moto answers as AWS does, though %s", c, c.Moto)
			case diff != "":
				differ++
				t.Logf("%s: %s: %s", c, c.Moto, diff)
			}
		}
		t.Logf("moto answers %d of %d cases otherwise than AWS", differ, len(cases))
	})
}

// unguarded are the calls that nobody needs permission for.
var unguarded = []string{"sts.AssumeRoleWithWebIdentity", "sts.GetCallerIdentity", "sts.GetSessionToken"}

// wantRefusals wants each call that succeeds to be refused to who may do
// nothing, in the words of its service.
func wantRefusals(t *testing.T, cases []conformanceCase, refused map[string]outcome) {
	t.Helper()
	for _, c := range cases {
		if c.Want.Code != "" || c.file == conformanceFiles[0] {
			continue
		}
		service, _, _ := strings.Cut(c.Call, ".")
		code, status := "AccessDeniedException", 400
		switch service {
		case "iam", "sts":
			code, status = "AccessDenied", 403
		case "cloudwatch": // the codes of its older protocol
			code = "AccessDenied"
		case "ec2":
			code, status = "UnauthorizedOperation", 403
		case "bedrock", "bedrock-runtime":
			status = 403
		}
		if slices.Contains(unguarded, c.Call) {
			code, status = "", 0
		}
		if got, ok := refused[c.Call]; !ok || got.Code != code || got.Status != status || code != "" && !strings.Contains(got.Message, "not authorized to perform") {
			t.Errorf("%s, by who may do nothing: got %d %q %s, want %d %q", c, got.Status, got.Code, got.Message, status, code)
		}
	}
}

// neverSucceed are operations on what the account has none of.
var neverSucceed = []string{"iam.DeleteLoginProfile", "iam.GetLoginProfile", "secretsmanager.RotateSecret"}

// Each operation that the documentation lists has a case that succeeds and one
// that does not.
func TestConformanceIsWhole(t *testing.T) {
	t.Parallel()
	answered, refused := map[string]bool{}, map[string]bool{}
	for _, c := range conformanceCases(t) {
		answered[c.Call] = answered[c.Call] || c.Want.Code == ""
		refused[c.Call] = refused[c.Call] || c.Want.Code != ""
	}
	text, err := os.ReadFile("../docs/awsfake.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\(\\d+\\) \\| (.*) \\|$").FindAllStringSubmatch(string(text), -1)
	if len(rows) < 10 {
		t.Fatalf("the documentation lists %d services", len(rows))
	}
	for _, row := range rows {
		service := strings.Replace(row[1], "servicequotas", "service-quotas", 1) // as botocore calls it
		for operation := range strings.SplitSeq(row[2], ", ") {
			call := service + "." + operation
			if answered[call] == slices.Contains(neverSucceed, call) {
				t.Errorf("%s succeeds in a case: %t", call, answered[call])
			}
			if !refused[call] && !slices.Contains(unguarded, call) {
				t.Errorf("%s is refused in no case", call)
			}
		}
	}
}

func conformanceCases(t *testing.T) (cases []conformanceCase) {
	t.Helper()
	seen := map[string]bool{}
	for _, file := range conformanceFiles {
		data, err := os.ReadFile("testdata/conformance/" + file + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var some []conformanceCase
		if err := yaml.Unmarshal(data, &some); err != nil {
			t.Fatal(err)
		}
		for _, c := range some {
			c.file = file
			if seen[file+c.Name] {
				t.Fatalf("%s: there are two of that name", c)
			}
			seen[file+c.Name] = true
			cases = append(cases, c)
		}
	}
	return cases
}

// requireToday wants a botocore that knows all operations, and cryptography,
// with which the cases make web identities.
func requireToday(t *testing.T, python string) {
	t.Helper()
	knows := "import botocore.session as s; s.get_session().get_service_model('bedrock-runtime').operation_model('CountTokens')"
	if exec.Command(python, "-c", knows).Run() != nil {
		t.Skip("this botocore is " + tooOld)
	}
	if out, err := exec.Command(python, "-c", "import cryptography").CombinedOutput(); err != nil {
		require(t, fmt.Errorf("python3 has no cryptography: %s", out))
	}
}

// requirePython returns a Python with botocore and yaml.
func requirePython(t *testing.T) string {
	t.Helper()
	requireProgram(t, "python3")
	out, err := exec.Command("python3", "-c", "import sys, botocore, yaml; print(sys.executable)").Output()
	if err != nil {
		err = fmt.Errorf("python3 has no botocore and yaml: %w", err)
	}
	require(t, err)
	return strings.TrimSpace(string(out))
}

// conforms runs the cases in a box by a script, which gets the program, the
// endpoint and the files as its arguments. It returns the outcomes by file and
// name, and those of who may do nothing by the call.
func conforms(t *testing.T, python, script, endpoint string) (got, refused map[string]outcome) {
	t.Helper()
	dir, err := filepath.Abs("testdata/conformance")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"sandbox", "--scenario", scenario(t, administrator), "--", "sh", "-euc",
		`python=$1 run=$2; shift 2; set -- "$python" -B "$run" "` + endpoint + `" "$@";` + script, "sh", python, dir + "/run.py"}
	for _, file := range conformanceFiles {
		args = append(args, dir+"/"+file+".yaml")
	}
	r := run(t, args...)
	if r.status != 0 {
		t.Fatalf("status %d\n%s", r.status, r.stderr)
	}
	got, refused = map[string]outcome{}, map[string]outcome{}
	for line := range strings.Lines(r.stdout) {
		var o outcome
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if o.Refuses != "" {
			refused[o.Refuses] = o
		} else {
			got[o.File+o.Name] = o
		}
	}
	return got, refused
}

// differs tells what is not as AWS has it; "" for nothing.
func (c conformanceCase) differs(got outcome) string {
	switch {
	case got.Name == "":
		return "was not answered"
	case got.Code != c.Want.Code:
		return fmt.Sprintf("got %q %.100s, want %q", got.Code, strings.Join(strings.Fields(got.Message), " "), c.Want.Code)
	case c.Want.Status != 0 && got.Status != c.Want.Status:
		return fmt.Sprintf("got status %d, want %d", got.Status, c.Want.Status)
	case c.Want.Message != "" && got.Message != c.Want.Message:
		return fmt.Sprintf("got %q, want %q", got.Message, c.Want.Message)
	}
	var wrong []string
	for _, path := range slices.Sorted(maps.Keys(got.Want)) {
		if !matches(got.Want[path], got.Answer[path]) {
			wrong = append(wrong, fmt.Sprintf("%s: got %v, want %v", path, got.Answer[path], got.Want[path]))
		}
	}
	return strings.Join(wrong, "; ")
}

// matches compares a member with what a case wants: a text that begins with ~
// is a regular expression.
func matches(want, got any) bool {
	pattern, isText := want.(string)
	pattern, isPattern := strings.CutPrefix(pattern, "~")
	if !isText || !isPattern {
		return cmp.Equal(want, got)
	}
	text, ok := got.(string)
	return ok && regexp.MustCompile(pattern).MatchString(text)
}
