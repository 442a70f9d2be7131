package web

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/store"
)

func hasJapanese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) })
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

func TestLines(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var hits []store.Hit
	for i, ago := range []time.Duration{0, time.Hour, 24 * time.Hour, 25 * time.Hour, 900 * time.Hour} {
		hits = append(hits, store.Hit{Conversation: store.Conversation{ID: fmt.Sprint(i), Updated: now.Add(-ago)}})
	}
	var got []string
	for _, c := range lines(message.English, hits, "3", now) {
		got = append(got, fmt.Sprint(c.ID, " ", c.Group, " ", c.Title, " ", c.Current))
	}
	want := []string{"0 Today Untitled false", "1  Untitled false", "2 Yesterday Untitled false", "3  Untitled true", "4 Earlier Untitled false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

var offers = []bedrock.Offer{
	{Model: bedrock.Model{ID: "anthropic.a", Name: "A", Provider: "Anthropic"}, ID: "jp.anthropic.a", Area: "jp", Ends: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)},
	{Model: bedrock.Model{ID: "amazon.n", Name: "N", Provider: "Amazon", Lifecycle: bedrock.Lifecycle{Status: "LEGACY"}}, ID: "amazon.n"},
	{Model: bedrock.Model{ID: "anthropic.b", Name: "B", Provider: "Anthropic"}, ID: "global.anthropic.b", Area: "global"},
	{Model: bedrock.Model{ID: "anthropic.old", Name: "Old", Provider: "Anthropic"}, Because: "TG6014"},
	{Model: bedrock.Model{ID: "x.lost", Name: "Lost", Provider: "X"}},
}

func TestPick(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ wanted, selected string }{
		{"", "jp.anthropic.a"},
		{"anthropic.a", "jp.anthropic.a"},
		{"global.anthropic.b", "global.anthropic.b"},
		{"amazon.n", "amazon.n"},
		{"arn:aws:bedrock:x:1:application-inference-profile/p", "arn:aws:bedrock:x:1:application-inference-profile/p"},
		{"anthropic.old", "anthropic.old"},
	} {
		groups, selected := pick(message.English, offers, test.wanted)
		var marked []string
		for _, g := range groups {
			for _, m := range g.Models {
				if m.Selected {
					marked = append(marked, m.ID)
				}
			}
		}
		if selected != test.selected || len(marked) != 1 || marked[0] != selected {
			t.Errorf("pick(%q) selected %q and marked %q", test.wanted, selected, marked)
		}
	}
}

func TestPickGroups(t *testing.T) {
	t.Parallel()
	groups, _ := pick(message.English, offers, "")
	var got []string
	for _, g := range groups {
		for _, m := range g.Models {
			got = append(got, fmt.Sprintf("%s: %s, %s, %s, %v, %s %s", g.Label, m.ID, m.Where, m.Ends, m.Callable, m.Finding, m.Reason))
		}
	}
	reason, _ := wordsOf(message.English, "TG6014", nil)
	want := []string{
		"Anthropic: jp.anthropic.a, data stays in Japan, ends 2027-01-02, true,  ",
		"Anthropic: global.anthropic.b, any region of the world, , true,  ",
		"Amazon: amazon.n, data stays in this region, legacy, true,  ",
		"can't be called here: anthropic.old, , , false, TG6014 " + reason.Title,
		"can't be called here: x.lost, , , false,  no way to call it from here",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestETag(t *testing.T) {
	t.Parallel()
	m := []store.Message{{ID: "a", State: store.Done}, {ID: "b", State: store.Running, Text: "x"}}
	before := etag(message.English, m)
	m[1].Text = "xy"
	if etag(message.English, m) != before {
		t.Error("a running answer changes the etag with each word")
	}
	m[1].State, m[1].Finished = store.Done, time.Unix(1, 0)
	if etag(message.English, m) == before {
		t.Error("an answer that ended has the etag of the running one")
	}
	if etag(message.Japanese, m) == etag(message.English, m) {
		t.Error("both languages have one etag")
	}
}
