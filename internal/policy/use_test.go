package policy

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLeast(t *testing.T) {
	t.Parallel()
	used := func(action string, resources ...string) (all []Use) {
		for _, r := range resources {
			all = append(all, Use{Action: action, Resource: r, Allowed: true})
		}
		return all
	}
	for _, tt := range []struct {
		name  string
		uses  []Use
		want  string
		notes []Note
	}{
		{"nothing", nil, `{"Version":"2012-10-17","Statement":null}`, nil},
		{"what was denied is none of it", []Use{{Action: "ssm:GetParameter", Resource: "arn:aws:ssm:r:1:parameter/a"}},
			`{"Version":"2012-10-17","Statement":null}`, nil},
		{"each resource once", used("ssm:GetParameter", "arn:aws:ssm:r:1:parameter/b", "arn:aws:ssm:r:1:parameter/a", "arn:aws:ssm:r:1:parameter/b"),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:GetParameter","Resource":["arn:aws:ssm:r:1:parameter/a","arn:aws:ssm:r:1:parameter/b"]}]}`, nil},
		{"actions on the same share a statement", append(used("bedrock:InvokeModel", sonnetModel, sonnetProfile), used("bedrock:InvokeModelWithResponseStream", sonnetProfile, sonnetModel)...),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"Resource":["` + sonnetProfile + `","` + sonnetModel + `"]}]}`, nil},
		{"and on others don't", append(used("bedrock:InvokeModelWithResponseStream", sonnetProfile), used("bedrock:InvokeModel", sonnetModel)...),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"bedrock:InvokeModel","Resource":"` + sonnetModel + `"},` +
				`{"Effect":"Allow","Action":"bedrock:InvokeModelWithResponseStream","Resource":"` + sonnetProfile + `"}]}`, nil},
		{"actions without resources", append(used("ecr:GetAuthorizationToken", "*"), used("bedrock:ListFoundationModels", "*")...),
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["bedrock:ListFoundationModels","ecr:GetAuthorizationToken"],"Resource":"*"}]}`,
			[]Note{{"bedrock:ListFoundationModels"}, {"ecr:GetAuthorizationToken"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, notes := Least(tt.uses)
			got, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tt.notes, notes); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The policy allows every use, and with any one of its lines left out some
// use fails.
func TestLeastIsEnoughAndNoMore(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	actions := []string{"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "ssm:GetParameter", "bedrock:ListFoundationModels", "kms:Decrypt"}
	for range 300 {
		var uses []Use
		for range 1 + random.IntN(8) {
			u := Use{Action: actions[random.IntN(len(actions))], Allowed: random.IntN(4) > 0}
			if u.Resource = fmt.Sprintf("arn:aws:x:r:1:thing/%d", random.IntN(3)); !TakesResource(u.Action) {
				u.Resource = "*"
			}
			uses = append(uses, u)
		}
		d, _ := Least(uses)
		if u, ok := refused(d, uses); ok {
			t.Fatalf("%v does not allow %v", d, u)
		}
		for i, s := range d.Statements {
			for j := range s.Actions {
				for k := range s.Resources {
					if _, ok := refused(without(d, i, j, k), uses); !ok {
						t.Errorf("%v: statement %d needs not have both %s and %s", d, i, s.Actions[j], s.Resources[k])
					}
				}
			}
		}
	}
}

// refused finds an allowed use that the document does not allow.
func refused(d Document, uses []Use) (Use, bool) {
	for _, u := range uses {
		if u.Allowed && Evaluate([]Document{d}, Request{Action: u.Action, Resource: u.Resource}) != Allow {
			return u, true
		}
	}
	return Use{}, false
}

// without is the document in which one action of a statement is not allowed
// on one of its resources.
func without(d Document, statement, action, resource int) Document {
	s := d.Statements[statement]
	d.Statements = append([]Statement{{Effect: effectDeny, Actions: []string{s.Actions[action]}, Resources: []string{s.Resources[resource]}}}, d.Statements...)
	return d
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"Version":"2012-10-17","Id":"i","Statement":[{"Sid":"s","Effect":"Allow","Action":"a:b","Resource":"*"}]}`,
		`{"Statement":[{"Effect":"Deny","NotAction":["a:b","a:c"],"NotResource":["arn:a","arn:b"]}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":["1","2"],"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole",` +
			`"Condition":{"Bool":{"aws:SecureTransport":"true"},"StringLike":{"a:b":["c","d"],"a:e":"f"}}}]}`,
	} {
		got, err := json.Marshal(parse(t, text))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(text, string(got)); diff != "" {
			t.Error(diff)
		}
	}
}
