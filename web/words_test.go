package web

import (
	"strings"
	"testing"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/store"
)

func TestNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("thousands(%d) = %s, want %s", n, got, want)
		}
	}
	for usd, want := range map[float64]string{0: "", 0.00001: "< $0.0001", 0.00123: "$0.0012", 0.0999: "$0.0999", 1.236: "$1.24"} {
		if got := costOf(usd); got != want {
			t.Errorf("costOf(%v) = %s, want %s", usd, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "", -time.Second: "", 812 * time.Millisecond: "812 ms", 3240 * time.Millisecond: "3.2 s"} {
		if got := elapsed(d); got != want {
			t.Errorf("elapsed(%v) = %s, want %s", d, got, want)
		}
	}
	if got := priceOf(testModel); got != "$3.3 / $16.5" {
		t.Errorf("priceOf(%s) = %s", testModel, got)
	}
	u := store.Usage{Input: 1000, Output: 20, CacheRead: 200, CacheWrite: 34}
	for l, want := range map[message.Lang]string{message.English: "1,234 tokens in, 20 out", message.Japanese: "入力 1,234 トークン、出力 20 トークン"} {
		if got := tokensOf(l, u); got != want {
			t.Errorf("tokensOf = %s, want %s", got, want)
		}
	}
}

func TestShortModel(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"":                                       "",
		"jp.anthropic.claude-sonnet-4-6":         "claude-sonnet-4-6",
		"anthropic.claude-3-haiku-20240307-v1:0": "claude-3-haiku",
		"amazon.nova-lite-v1:0":                  "nova-lite",
		"us.deepseek.v3.1":                       "v3.1",
		"qwen.qwen3-coder-30b-a3b-v1:0":          "qwen3-coder-30b-a3b",
		"openai.gpt-oss-20b-1:0":                 "gpt-oss-20b-1",
		"arn:aws:bedrock:ap-northeast-1:123456789012:application-inference-profile/abc": "abc",
	} {
		if got := shortModel(id); got != want {
			t.Errorf("shortModel(%q) = %q, want %q", id, got, want)
		}
	}
}

func TestAreas(t *testing.T) {
	t.Parallel()
	for area, want := range map[string]string{"": "データはこのリージョン内", "jp": "データは日本国内", "global": "世界中のリージョン", "mars": "mars"} {
		if got := areaName(message.Japanese, area); got != want {
			t.Errorf("areaName(%q) = %s, want %s", area, got, want)
		}
	}
	for area := range strings.FieldsSeq("us eu au apac ca") {
		if got := areaName(message.English, area); !strings.HasPrefix(got, "data stays in ") {
			t.Errorf("areaName(%q) = %s", area, got)
		}
	}
}

func TestDays(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 0, 30, 0, 0, time.FixedZone("JST", 9*3600))
	for _, test := range []struct {
		ago       time.Duration
		day, when string
	}{
		{0, "Today", "00:30"},
		{29 * time.Minute, "Today", "00:01"},
		{31 * time.Minute, "Yesterday", "2026-03-01"},
		{25 * time.Hour, "The last seven days", "2026-02-28"},
		{8 * 24 * time.Hour, "Earlier", "2026-02-22"},
	} {
		past := now.Add(-test.ago)
		if got := day(message.English, past, now); got != test.day {
			t.Errorf("day of %v = %s, want %s", past, got, test.day)
		}
		if got := when(past.UTC(), now); got != test.when {
			t.Errorf("when of %v = %s, want %s", past, got, test.when)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		message store.Message
		want    string
	}{
		{store.Message{State: store.Done, StopReason: "end_turn"}, ""},
		{store.Message{State: store.Running}, ""},
		{store.Message{State: store.Stopped}, "Stopped."},
		{store.Message{State: store.Interrupted}, "Interrupted: the server ended while this was being written."},
		{store.Message{State: store.Done, StopReason: "max_tokens"}, "The answer reached the longest that was allowed."},
		{store.Message{State: store.Done, StopReason: "guardrail_intervened"}, "A filter ended the answer."},
		{store.Message{State: store.Done, StopReason: "model_context_window_exceeded"}, "The conversation is as long as the model can read."},
	} {
		if got := note(message.English, test.message); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.message.State, test.message.StopReason, got, test.want)
		}
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	known := card(message.Japanese, bedrock.Problem{ID: "TG6014", Detail: "no", RequestID: "r"})
	if known.ID != "TG6014" || !hasJapanese(known.Title) || known.Cause == "" || known.Remedy == "" || known.Detail != "no" || known.RequestID != "r" {
		t.Errorf("a known finding: %+v", known)
	}
	unknown := card(message.English, bedrock.Problem{Detail: "dial tcp: refused"})
	if unknown.Title != "The model could not be reached" || unknown.Detail != "dial tcp: refused" {
		t.Errorf("an unknown error: %+v", unknown)
	}
	hostile := card(message.English, bedrock.Problem{ID: "TG6014", Fields: map[string]string{"model": "$(reboot)"}})
	if got := hostile.Command; got != "" && containsAny(got, "$(reboot)") {
		t.Errorf("a command to copy has what came over the wire: %s", got)
	}
}
