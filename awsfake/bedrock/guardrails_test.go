package bedrock_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const rail = `{"name":"rail","blockedInputMessaging":"Not that.","blockedOutputsMessaging":"No answer.","wordPolicyConfig":{"wordsConfig":[{"text":"durian"}]},"tags":[{"key":"a","value":"b"}]}`

// A guardrail goes from its draft to a version, and blocks in both.
func TestGuardrail(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	made := w.call(t, "POST", "/guardrails", rail)
	made.want(t, 202, `"version":"DRAFT"`)
	id, _ := made.members(t)["guardrailId"].(string)
	w.call(t, "POST", "/guardrails", rail).want(t, 409, "Another guardrail in your account already has this name.")
	w.call(t, "POST", "/guardrails/"+id, `{"description":"first"}`).want(t, 202, `"version":"1"`)

	got := w.call(t, "GET", "/guardrails/"+id+"?guardrailVersion=1", "").members(t)
	for _, name := range []string{"createdAt", "updatedAt"} {
		delete(got, name)
	}
	if diff := cmp.Diff(map[string]any{
		"guardrailId": id, "guardrailArn": "arn:aws:bedrock:ap-northeast-1:123456789012:guardrail/" + id, "name": "rail", "description": "first",
		"version": "1", "status": "READY", "blockedInputMessaging": "Not that.", "blockedOutputsMessaging": "No answer.",
		"wordPolicy": map[string]any{"words": []any{map[string]any{"text": "durian"}}},
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	ask := func(version, text string) answer {
		return w.call(t, "POST", "/model/"+nova+"/converse", fmt.Sprintf(
			`{"guardrailConfig":{"guardrailIdentifier":%q,"guardrailVersion":%q},"messages":[{"role":"user","content":[{"text":%q}]}]}`, id, version, text))
	}
	for _, version := range []string{"DRAFT", "1"} {
		a := ask(version, "A Durian, please")
		a.want(t, 200, `"stopReason":"guardrail_intervened"`)
		a.want(t, 200, "Not that.")
		ask(version, "An apple, please").want(t, 200, `"stopReason":"end_turn"`)
	}
	ask("2", "An apple").want(t, 400, "The guardrail identifier or version provided in the request does not exist.")
	w.call(t, "POST", "/guardrail/"+id+"/version/1/apply", `{"source":"OUTPUT","content":[{"text":{"text":"durian"}}]}`).want(t, 200, "No answer.")

	w.call(t, "DELETE", "/guardrails/"+id, "").want(t, 202, "")
	w.call(t, "GET", "/guardrails/"+id, "").want(t, 404, "The guardrail ID or ARN in your request isn't valid")
}

func TestGuardrailRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, allowAll, nil)
	for _, tt := range []struct{ name, body, want string }{
		{"nothing", `{}`, "Value null at 'name' failed to satisfy constraint: Member must not be null"},
		{"no policy", `{"name":"rail","blockedInputMessaging":"a","blockedOutputsMessaging":"b"}`, "A guardrail must have at least one policy."},
		{"a blank in the name", `{"name":"a b","blockedInputMessaging":"a","blockedOutputsMessaging":"b","wordPolicyConfig":{"wordsConfig":[]}}`,
			"Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [0-9a-zA-Z-_]+"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w.call(t, "POST", "/guardrails", tt.body).want(t, 400, tt.want)
		})
	}
	none := newWorld(t, `{"Statement":{"Effect":"Allow","Action":"bedrock:Invoke*","Resource":"*"}}`, nil)
	none.call(t, "POST", "/guardrails", rail).want(t, 403, "not authorized to perform: bedrock:CreateGuardrail")
}
