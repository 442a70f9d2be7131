package gateway

import (
	"net/url"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"

	"tegata/internal/fault"
)

func TestModels(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	client := w.openAI()
	found := map[string]openai.Model{}
	firstDead, lastCallable := -1, -1
	page, err := client.Models.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range page.Data {
		found[m.ID] = m
		if strings.Contains(m.RawJSON(), `"callable":true`) {
			lastCallable = i
		} else if firstDead < 0 {
			firstDead = i
		}
	}
	if lastCallable < 0 || firstDead < lastCallable {
		t.Errorf("the last callable model is number %d, the first other %d", lastCallable, firstDead)
	}
	live := found[sonnetInJP]
	for _, want := range []string{`"callable":true`, `"area":"jp"`, `"model":"` + sonnet + `"`, `"lifecycle":"ACTIVE"`, `"streaming":true`, `"input":`, `"name":`} {
		if !strings.Contains(live.RawJSON(), want) {
			t.Errorf("%s lacks %s", live.RawJSON(), want)
		}
	}
	if live.OwnedBy != "Anthropic" || string(live.Object) != "model" {
		t.Errorf("owner %q, object %q", live.OwnedBy, live.Object)
	}
	var gone string
	for id, m := range found {
		if strings.HasSuffix(id, dead) {
			gone = m.RawJSON()
		}
	}
	for _, want := range []string{`"callable":false`, `"because":{"id":"TG6014"`, `"remedy":"`, `"end_of_life":"2026-07-30"`} {
		if !strings.Contains(gone, want) {
			t.Errorf("%s lacks %s", gone, want)
		}
	}
	if _, body := w.get(t, "/v1/models?callable=true"); strings.Contains(body, `"callable":false`) || !strings.Contains(body, sonnetInJP) {
		t.Errorf("only callable ones: %s", body)
	}
}

func TestOneModel(t *testing.T) {
	t.Parallel()
	w := start(t, settings{})
	arn := "arn:aws:bedrock:" + region + "::foundation-model/" + sonnet
	for asked, want := range map[string]string{sonnet: sonnetInJP, sonnetInJP: sonnetInJP, "global." + sonnet: "global." + sonnet, url.PathEscape(arn): sonnetInJP, arn: sonnetInJP} {
		resp, body := w.get(t, "/v1/models/"+asked)
		if resp.StatusCode != 200 || !strings.Contains(body, `"id":"`+want+`"`) {
			t.Errorf("%s: %d %s", asked, resp.StatusCode, body)
		}
	}
	resp, body := w.get(t, "/v1/models/none.such")
	if e := errorIn(t, body); resp.StatusCode != 404 || deref(e.Code) != "TG6003" {
		t.Errorf("status %d, error %+v", resp.StatusCode, e)
	}
}

// The catalogue is read again when a call shows that it is wrong, and not for
// every such call.
func TestCatalogueIsReadAgain(t *testing.T) {
	t.Parallel()
	w := start(t, settings{replies: []fault.Rule{{
		Match: fault.Match{Service: "bedrock-runtime"},
		Reply: fault.Reply{Status: 404, Code: "ResourceNotFoundException", Message: "This model version has reached the end of its life. Please refer to the AWS documentation for more details."},
	}}})
	for i := range int32(3) {
		resp, body := w.post(t, `{"model":"`+sonnet+`","messages":[{"role":"user","content":"hi"}]}`)
		if e := errorIn(t, body); resp.StatusCode != 404 || deref(e.Code) != "TG6014" {
			t.Errorf("status %d, error %+v", resp.StatusCode, e)
		}
		w.recorded(t, int(i)+1)
		if n, want := w.lists.Load(), min(i+1, 2); n != want {
			t.Errorf("after %d calls the models were listed %d times, want %d", i+1, n, want)
		}
	}
}
