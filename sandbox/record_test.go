package sandbox

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tegata/internal/policy"
)

func TestRecorder(t *testing.T) {
	t.Parallel()
	const role, other = "arn:aws:iam::1:role/app", "arn:aws:iam::1:role/assumed"
	by := func(principal, action, resource string, allowed bool, keys ...string) policy.Use {
		context := map[string]string{"aws:CurrentTime": "2026-11-23T04:05:06Z"}
		if principal != "" {
			context[principalKey] = principal
		}
		for i := 0; i < len(keys); i += 2 {
			context[keys[i]] = keys[i+1]
		}
		return policy.Use{Action: action, Resource: resource, Context: context, Allowed: allowed}
	}
	kept := func(action, resource string, allowed bool, keys ...string) policy.Use {
		u := by("", action, resource, allowed, keys...)
		delete(u.Context, "aws:CurrentTime")
		return u
	}
	for _, tt := range []struct {
		name string
		uses []policy.Use
		want Record
	}{
		{"nobody called", nil, Record{}},
		{"each once", []policy.Use{by(role, "s:Get", "arn:b", true), by(role, "s:Get", "arn:a", true), by(role, "s:Get", "arn:b", true, "aws:UserAgent", "x")},
			Record{Principal: role, Uses: []policy.Use{kept("s:Get", "arn:b", true), kept("s:Get", "arn:a", true)}}},
		{"denied, then allowed", []policy.Use{by(role, "s:Get", "arn:a", false), by(role, "s:Get", "arn:a", true)},
			Record{Principal: role, Uses: []policy.Use{kept("s:Get", "arn:a", false), kept("s:Get", "arn:a", true)}}},
		{"keys of the service are kept", []policy.Use{by(role, "s:Get", "arn:a", true, "s:Through", "x"), by(role, "s:Get", "arn:a", true, "s:Through", "y")},
			Record{Principal: role, Uses: []policy.Use{kept("s:Get", "arn:a", true, "s:Through", "x"), kept("s:Get", "arn:a", true, "s:Through", "y")}}},
		{"what everybody may", []policy.Use{by(role, "sts:GetCallerIdentity", "*", true), by(role, "sts:GetSessionToken", "*", true)}, Record{}},
		{"a role that was assumed", []policy.Use{by(role, "sts:AssumeRole", other, true), by(other, "s:Get", "arn:a", true), by(other, "s:Get", "arn:b", true)},
			Record{Principal: role, Uses: []policy.Use{kept("sts:AssumeRole", other, true)}, Others: []string{other}}},
		{"calls that nobody signed", []policy.Use{by("", "sts:AssumeRoleWithWebIdentity", other, true)}, Record{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b Sandbox
			b.recorder.note(by(role, "before", "*", true))
			b.Record()
			for _, u := range tt.uses {
				b.recorder.note(u)
			}
			if diff := cmp.Diff(tt.want, b.Recorded()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What a chat uses is its profile and the models behind that, as the
// condition keys of the calls have it.
func TestRecorded(t *testing.T) {
	t.Parallel()
	r := runScenario(t, Default())
	r.sandbox.Record()
	if _, err := r.identity(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.converse(t.Context()); err != nil {
		t.Fatal(err)
	}
	const profile = "arn:aws:bedrock:ap-northeast-1:123456789012:inference-profile/jp.anthropic.claude-sonnet-4-6"
	want := []policy.Use{{Action: "bedrock:InvokeModel", Resource: profile, Context: map[string]string{}, Allowed: true}}
	for _, region := range []string{"ap-northeast-1", "ap-northeast-3"} {
		want = append(want, policy.Use{Action: "bedrock:InvokeModel", Resource: "arn:aws:bedrock:" + region + "::foundation-model/anthropic.claude-sonnet-4-6",
			Context: map[string]string{"bedrock:InferenceProfileArn": profile}, Allowed: true})
	}
	got := r.sandbox.Recorded()
	if diff := cmp.Diff(want, got.Uses); diff != "" || got.Principal != "arn:aws:iam::123456789012:role/bedrock-ui-ec2-role" || got.Others != nil {
		t.Errorf("%s %v %s", got.Principal, got.Others, diff)
	}
}
