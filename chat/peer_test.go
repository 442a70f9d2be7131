package chat_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"tegata/awsfake"
	"tegata/awsfake/wire"
	"tegata/bedrock"
	"tegata/chat"
	"tegata/internal/policy"
	"tegata/store"
)

// newPeer starts an engine over a stand-in for AWS on the network, which
// verifies signatures and refuses what Bedrock would refuse. A token is sent
// after each pause. The channel has a value for each stream that has ended.
func newPeer(t *testing.T, pause time.Duration) (*chat.Engine, <-chan struct{}) {
	t.Helper()
	allowed, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`))
	if err != nil {
		t.Fatal(err)
	}
	aws := awsfake.New(awsfake.Options{
		Account: "123456789012", Region: "ap-northeast-1", Pace: pause,
		Credentials: func(id string) (awsfake.Credential, bool) {
			caller := wire.Caller{Policies: policy.Layers{Identity: []policy.Named{{Document: allowed}}}}
			return awsfake.Credential{SecretAccessKey: "secret", SessionToken: "token", Caller: caller}, id == "ASIAEXAMPLE"
		},
	})
	ended := make(chan struct{}, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		aws.ServeHTTP(w, r)
		if strings.HasSuffix(r.URL.Path, "/converse-stream") {
			ended <- struct{}{}
		}
	}))
	t.Cleanup(srv.Close)
	pool := &http.Transport{}
	t.Cleanup(pool.CloseIdleConnections)
	client := bedrock.New(bedrock.Config{
		Region: "ap-northeast-1", Endpoint: srv.URL, HTTPClient: &http.Client{Transport: pool},
		Credentials: credentials.NewStaticCredentialsProvider("ASIAEXAMPLE", "secret", "token"),
	})
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "tegata.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	source := func(context.Context) (*bedrock.Client, error) { return client, nil }
	e := &chat.Engine{DB: db, Source: source, Catalogue: bedrock.NewCatalogue(source)}
	if err := e.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close(context.Background()) })
	return e, ended
}

// answered waits for the end of the last answer of a conversation, at most
// until the test ends.
func answered(t *testing.T, e *chat.Engine, conversation string) store.Message {
	t.Helper()
	for range e.Watch(t.Context(), conversation) {
		_, messages, err := e.Thread(t.Context(), conversation)
		if err != nil {
			t.Fatal(err)
		}
		if last := messages[len(messages)-1]; last.State != store.Running {
			return last
		}
	}
	t.Fatal("the answer does not end")
	return store.Message{}
}

func TestModelsOfAPeer(t *testing.T) {
	t.Parallel()
	e, _ := newPeer(t, time.Microsecond)
	for name, test := range map[string]struct {
		model, called string
		state         store.State
		finding       string
	}{
		"base id":      {"anthropic.claude-sonnet-4-6", sonnet, store.Done, ""},
		"profile":      {haiku, haiku, store.Done, ""},
		"none":         {"", "jp.anthropic.claude-opus-5-5", store.Done, ""},
		"unknown":      {"anthropic.claude-9", "anthropic.claude-9", store.Failed, "TG6003"},
		"end of life":  {"anthropic.claude-3-sonnet-20240229-v1:0", "anthropic.claude-3-sonnet-20240229-v1:0", store.Failed, "TG6014"},
		"far away":     {"eu.anthropic.claude-sonnet-4-6", "eu.anthropic.claude-sonnet-4-6", store.Failed, "TG6003"},
		"not for chat": {"cohere.embed-v4:0", "cohere.embed-v4:0", store.Failed, "TG6003"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, _, err := e.Begin(t.Context(), chat.Question{Text: "repeat after me: 復唱 <b>\n```", Model: test.model})
			if err != nil {
				t.Fatal(err)
			}
			m := answered(t, e, id)
			finding := ""
			if m.Problem != nil {
				finding = m.Problem.ID
			}
			if m.State != test.state || m.Model != test.called || finding != test.finding {
				t.Errorf("got %s by %q, problem %+v", m.State, m.Model, m.Problem)
			}
			if m.State == store.Done && (m.Text != "復唱 <b>\n```" || m.Usage.Output == 0 || m.Cost == 0) {
				t.Errorf("got %+v", m)
			}
		})
	}
}

// Stopping reaches AWS: its stream ends long before the answer would.
func TestStopReachesAWS(t *testing.T) {
	t.Parallel()
	e, ended := newPeer(t, 50*time.Millisecond) // 1,500 tokens take 19 seconds
	id, answer, err := e.Begin(t.Context(), chat.Question{Text: "Tell me at length.", Model: sonnet})
	if err != nil {
		t.Fatal(err)
	}
	for c := range e.Watch(t.Context(), id) {
		if c.Message.Text != "" {
			break
		}
	}
	began := time.Now()
	if err := e.Stop(t.Context(), answer); err != nil {
		t.Fatal(err)
	}
	<-ended
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("AWS went on for %v", took)
	}
	if m := answered(t, e, id); m.State != store.Stopped || m.Text == "" {
		t.Errorf("got %+v", m)
	}
}

// Many conversations at once, each with its own answer.
func TestFiftyAtOnce(t *testing.T) {
	t.Parallel()
	e, _ := newPeer(t, time.Millisecond)
	for range 50 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			own := store.NewID()
			id, _, err := e.Begin(t.Context(), chat.Question{Text: "repeat after me: " + strings.Repeat(own+" ", 20), Model: sonnet})
			if err != nil {
				t.Fatal(err)
			}
			want := strings.TrimSpace(strings.Repeat(own+" ", 20))
			if m := answered(t, e, id); m.State != store.Done || strings.TrimSpace(m.Text) != want {
				t.Errorf("got %s %q, problem %+v", m.State, m.Text, m.Problem)
			}
			m, err := e.DB.Messages(t.Context(), id)
			if err != nil || len(m) != 2 || strings.TrimSpace(m[1].Text) != want {
				t.Errorf("stored %+v, %v", m, err)
			}
		})
	}
}
