//go:build unix

package test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tegata/internal/policy"
)

// An application that chats passes with the policy that was recorded, and
// fails without any one action of it on any one of its resources.
func TestRecordedPolicy(t *testing.T) {
	t.Parallel()
	requireBox(t)
	client := filepath.Join(t.TempDir(), "goclient")
	if err := goBuild(client, "tegata/test/testdata/goclient"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "policy.json")
	run(t, "sandbox", "--record-policy="+file, "--", client).wants(t, 0, identity, "stop: end_turn")
	recorded := readPolicy(t, file)
	run(t, "sandbox", "--scenario", onlyPolicy(t, recorded), "--", client).wants(t, 0, identity, "stop: end_turn")
	var lines int
	for i, s := range recorded.Statements {
		for _, action := range s.Actions {
			for _, resource := range s.Resources {
				lines++
				if r := run(t, "sandbox", "--scenario", onlyPolicy(t, without(recorded, i, action, resource)), "--", client); r.status == 0 {
					t.Errorf("passes without %s on %s", action, resource)
				}
			}
		}
	}
	if lines != 3 { // a profile, and the model in two regions
		t.Errorf("%d permissions were recorded: %v", lines, recorded)
	}
}

// It is recorded as well what clients do that go to AWS by its own names, and
// what a command has done that a signal ends.
func TestRecordedPolicyOfOthers(t *testing.T) {
	t.Parallel()
	requireBox(t)
	requireProgram(t, debianAWS)
	for name, tt := range map[string]struct {
		then   string
		status int
	}{
		"by name":       {"exit 0", 0},
		"ended by hand": {"kill -INT $$", 130},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := run(t, "sandbox", "--record-policy", "--", "sh", "-c", debianAWS+" ssm get-parameter --name /bedrock-ui/system-prompt >/dev/null; "+tt.then)
			want := policy.Document{Version: "2012-10-17", Statements: []policy.Statement{{
				Effect: "Allow", Actions: []string{"ssm:GetParameter"}, Resources: []string{"arn:aws:ssm:ap-northeast-1:123456789012:parameter/bedrock-ui/system-prompt"},
			}}}
			if got := parsePolicy(t, []byte(r.stdout)); !equal(t, got, want) || r.status != tt.status {
				t.Errorf("status %d\n%s\n%s", r.status, r.stdout, r.stderr)
			}
		})
	}
}

func readPolicy(t *testing.T, file string) policy.Document {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return parsePolicy(t, text)
}

func parsePolicy(t *testing.T, text []byte) policy.Document {
	t.Helper()
	d, err := policy.Parse(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return d
}

func equal(t *testing.T, a, b policy.Document) bool {
	t.Helper()
	return bytes.Equal(encoded(t, a), encoded(t, b))
}

func encoded(t *testing.T, d policy.Document) []byte {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// onlyPolicy is a scenario whose role has no other policy.
func onlyPolicy(t *testing.T, d policy.Document) string {
	t.Helper()
	return scenario(t, "role: {policies: {bedrock-ui-invoke: null, bedrock-ui-parameters: null, recorded: "+string(encoded(t, d))+"}}\n")
}

// without is the document in which a statement does not allow an action on
// one of its resources, as if it had been written in that way.
func without(d policy.Document, statement int, action, resource string) policy.Document {
	whole := d.Statements[statement]
	d.Statements = slices.Delete(slices.Clone(d.Statements), statement, statement+1)
	for _, a := range whole.Actions {
		for _, r := range whole.Resources {
			if a != action || r != resource {
				d.Statements = append(d.Statements, policy.Statement{Effect: whole.Effect, Actions: []string{a}, Resources: []string{r}})
			}
		}
	}
	return d
}
