package bedrock_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"tegata/awsfake"
	"tegata/awsfake/wire"
	"tegata/bedrock"
	"tegata/internal/policy"
)

// newPeer returns a client of AWS as awsfake imitates it: it verifies
// signatures and policies, and refuses what Bedrock would refuse.
func newPeer(t *testing.T, document string) *bedrock.Client {
	t.Helper()
	allowed, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(awsfake.New(awsfake.Options{
		Account: "123456789012", Region: "ap-northeast-1", Pace: time.Microsecond,
		Credentials: func(id string) (awsfake.Credential, bool) {
			caller := wire.Caller{Policies: policy.Layers{Identity: []policy.Named{{Document: allowed}}}}
			return awsfake.Credential{SecretAccessKey: "secret", SessionToken: "token", Caller: caller}, id == "ASIAEXAMPLE"
		},
	}))
	t.Cleanup(srv.Close)
	pool := &http.Transport{}
	t.Cleanup(pool.CloseIdleConnections)
	return bedrock.New(bedrock.Config{
		Region: "ap-northeast-1", Endpoint: srv.URL, HTTPClient: &http.Client{Transport: pool},
		Credentials: credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "secret", "token"),
	})
}

const everything = `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// asked is what a model asked for, however it came.
type asked struct {
	text, stop string
	uses       []bedrock.ToolUse
}

func streamed(t *testing.T, c *bedrock.Client, r bedrock.Request) asked {
	t.Helper()
	var got asked
	for event, err := range c.Stream(t.Context(), r) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case bedrock.TextDelta:
			got.text += e.Text
		case bedrock.ToolStart:
			got.uses = append(got.uses, bedrock.ToolUse{ID: e.ID, Name: e.Name})
		case bedrock.ToolDelta:
			last := &got.uses[len(got.uses)-1]
			last.Input = append(last.Input, e.Input...)
		case bedrock.Stop:
			got.stop = e.Reason
		}
	}
	return got
}

func unary(t *testing.T, c *bedrock.Client, r bedrock.Request) asked {
	t.Helper()
	a, err := c.Converse(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return asked{text: a.Text, stop: a.StopReason, uses: a.ToolUses}
}

// The loop of every agent, with the ids of another service in its history.
func TestToolLoop(t *testing.T) {
	t.Parallel()
	c := newPeer(t, everything)
	weather := bedrock.Tool{Name: "get_weather", Description: "Current weather of a city",
		Schema: json.RawMessage(`{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}`)}
	for name, ask := range map[string]func(*testing.T, *bedrock.Client, bedrock.Request) asked{"Converse": unary, "Stream": streamed} {
		t.Run(name, func(t *testing.T) {
			r := bedrock.Request{
				Model: "jp.anthropic.claude-sonnet-4-6", Tools: []bedrock.Tool{weather},
				Messages: []bedrock.Message{{Role: bedrock.User, Text: `What is the weather in "Kyoto"?`}},
			}
			got := ask(t, c, r)
			if len(got.uses) != 1 || got.uses[0].Name != "get_weather" || string(got.uses[0].Input) != `{"city":"Kyoto"}` || got.stop != "tool_use" {
				t.Fatalf("got %+v", got)
			}
			got.uses[0].ID = "call|of another service/" + strings.Repeat("x", 60)
			r.Messages = append(r.Messages,
				bedrock.Message{Role: bedrock.Assistant, Text: got.text, Blocks: []bedrock.Block{got.uses[0]}},
				bedrock.Message{Role: bedrock.User, Text: "and?", Blocks: []bedrock.Block{bedrock.ToolResult{ID: got.uses[0].ID, Text: "9 degrees"}}})
			if end := ask(t, c, r); end.stop != "end_turn" || !strings.Contains(end.text, "9 degrees") || len(end.uses) > 0 {
				t.Errorf("after the result: %+v", end)
			}
			r.Tools = nil // as a client does that wants no more of them
			if end := ask(t, c, r); end.stop != "end_turn" {
				t.Errorf("without the tools of its history: %+v", end)
			}
			r.Tools, r.Messages = []bedrock.Tool{weather}, r.Messages[:1]
			r.ToolChoice = bedrock.ToolChoice{Mode: "tool", Name: "get_weather"}
			if forced := ask(t, c, r); forced.text != "" || len(forced.uses) != 1 {
				t.Errorf("forced: %+v", forced)
			}
		})
	}
}

func TestCatalogueOfAPeer(t *testing.T) {
	t.Parallel()
	c := newPeer(t, everything)
	catalogue := bedrock.NewCatalogue(func(context.Context) (*bedrock.Client, error) { return c, nil })
	offers, err := catalogue.Offers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if first := offers[0]; first.ID != "jp.anthropic.claude-opus-5-5" || first.Area != "jp" || !first.Callable() {
		t.Errorf("the first offer is %+v", first)
	}
	for _, o := range offers {
		r := bedrock.Request{Model: o.ID, MaxTokens: 1, Messages: []bedrock.Message{{Role: bedrock.User, Text: "hi"}}}
		if o.ID == "" {
			r.Model = o.Model.ID
		}
		_, err := c.Converse(t.Context(), r)
		if (err == nil) != o.Callable() {
			t.Errorf("%s is callable: %v, and a call says %v", o.Model.ID, o.Callable(), err)
		}
		if p := bedrock.ProblemOf(err); o.Because == "TG6014" && (p.ID != o.Because || p.Status != http.StatusNotFound) {
			t.Errorf("%s: %+v, want %s", o.Model.ID, p, o.Because)
		}
	}
}

// A role that may call and not list finds its way by the ids of profiles.
func TestCatalogueOfAPeerThatMayNotList(t *testing.T) {
	t.Parallel()
	c := newPeer(t, `{"Statement":{"Effect":"Allow","Action":["bedrock:InvokeModel","bedrock:InvokeModelWithResponseStream"],"Resource":"*"}}`)
	catalogue := bedrock.NewCatalogue(func(context.Context) (*bedrock.Client, error) { return c, nil })
	_, err := catalogue.Offers(t.Context())
	if p := bedrock.ProblemOf(err); p.ID != "TG6004" || p.Status != http.StatusForbidden {
		t.Errorf("Offers: %+v", p)
	}
	o, err := catalogue.Find(t.Context(), "jp.anthropic.claude-sonnet-4-6")
	if err != nil {
		t.Fatal(err)
	}
	got := unary(t, c, bedrock.Request{Model: o.ID, Messages: []bedrock.Message{{Role: bedrock.User, Text: "hi"}}})
	if got.stop != "end_turn" {
		t.Errorf("got %+v", got)
	}
}
