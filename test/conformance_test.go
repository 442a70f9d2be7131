//go:build linux

package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// A case is a call with what AWS answers, as testdata/conformance/cases.yaml
// has it.
type conformanceCase struct {
	Name string
	Call string
	Want struct {
		Code, Message string
		Status        int
		Answer        map[string]any
	}
	Moto string // why moto answers otherwise
}

// An outcome is what one endpoint answered to a case.
type outcome struct {
	Name, Code, Message string
	Status              int
	Answer              map[string]any
}

// The account answers as AWS does, and where moto does not, the cases say why.
func TestConformance(t *testing.T) {
	t.Parallel()
	requireBox(t)
	cases := conformanceCases(t)
	python := requirePython(t)
	t.Run("account", func(t *testing.T) {
		t.Parallel()
		got := conforms(t, python, `"$0" "$1" "$2" "$AWS_ENDPOINT_URL"`)
		for _, c := range cases {
			if diff := c.differs(got[c.Name]); diff != "" {
				t.Errorf("%s (%s): %s", c.Name, c.Call, diff)
			}
		}
	})
	t.Run("moto", func(t *testing.T) {
		t.Parallel()
		requireProgram(t, "moto_server")
		got := conforms(t, python, `
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test MOTO_ACCOUNT_ID=123456789012
moto_server -H 127.0.0.1 -p 5555 >/dev/null 2>&1 &
until curl -fsS -o /dev/null http://127.0.0.1:5555/moto-api/ 2>/dev/null; do sleep 0.1; done
"$0" "$1" "$2" http://127.0.0.1:5555
kill $!`)
		differ := 0
		for _, c := range cases {
			diff := c.differs(got[c.Name])
			switch {
			case diff != "" && c.Moto == "":
				t.Errorf("%s (%s): moto differs, and nobody says why: %s", c.Name, c.Call, diff)
			case diff == "" && c.Moto != "":
				t.Errorf("%s (%s): moto answers as AWS does, though %s", c.Name, c.Call, c.Moto)
			case diff != "":
				differ++
				t.Logf("%s (%s): %s: %s", c.Name, c.Call, c.Moto, diff)
			}
		}
		t.Logf("moto answers %d of %d cases otherwise than AWS", differ, len(cases))
	})
}

func conformanceCases(t *testing.T) (cases []conformanceCase) {
	t.Helper()
	data, err := os.ReadFile("testdata/conformance/cases.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// requirePython returns a Python whose botocore knows today's services.
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

// conforms runs the cases in a box by a script, which gets the interpreter,
// the program and the cases.
func conforms(t *testing.T, python, script string) map[string]outcome {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	r := run(t, "sandbox", "--scenario", scenario(t, administrator), "--", "sh", "-euc", script,
		python, dir+"/testdata/conformance/run.py", dir+"/testdata/conformance/cases.yaml")
	if r.status != 0 {
		t.Fatalf("status %d\n%s", r.status, r.stderr)
	}
	got := map[string]outcome{}
	for lines := bufio.NewScanner(strings.NewReader(r.stdout)); lines.Scan(); {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Fatalf("%v: %s", err, lines.Text())
		}
		got[o.Name] = o
	}
	return got
}

// differs tells what is not as AWS has it; "" for nothing.
func (c conformanceCase) differs(got outcome) string {
	switch {
	case got.Name == "":
		return "was not answered"
	case got.Code != c.Want.Code:
		return fmt.Sprintf("got %q %s, want %q", got.Code, got.Message, c.Want.Code)
	case c.Want.Status != 0 && got.Status != c.Want.Status:
		return fmt.Sprintf("got status %d, want %d", got.Status, c.Want.Status)
	case c.Want.Message != "" && got.Message != c.Want.Message:
		return fmt.Sprintf("got %q, want %q", got.Message, c.Want.Message)
	case c.Want.Code != "":
		return ""
	}
	return cmp.Diff(normal(c.Want.Answer), normal(got.Answer))
}

// normal takes all numbers for the same kind, and nothing for an empty map.
func normal(answer map[string]any) map[string]any {
	text, err := json.Marshal(answer)
	all := map[string]any{}
	if err == nil && len(answer) > 0 {
		json.Unmarshal(text, &all)
	}
	return all
}
