package web

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tegata/store"
)

func TestGrowing(t *testing.T) {
	t.Parallel()
	var g growing
	now := time.Now()
	at := func(text string, after time.Duration) (string, bool) {
		blocks, wait := g.blocks(store.Message{ID: "m", Text: text}, now.Add(after))
		return strings.Join(blocks, "|"), wait > 0
	}
	for _, step := range []struct {
		text    string
		after   time.Duration
		want    string
		waiting bool
	}{
		{"", 0, "", false},
		{"one", 0, "<p>one</p>", false},                                 // the first at once
		{"one\n\ntwo", time.Millisecond, "<p>one</p>", true},            // too soon
		{"one", 2 * time.Millisecond, "<p>one</p>", false},              // nothing new
		{"one\n\ntwo", time.Second, "<p>one</p>|<p>two</p>", false},     // late enough
		{"one", 3 * time.Second, "<p>one</p>|<p>two</p>", false},        // a page that lags behind gets the newest
		{"one\n\ntwo", 4 * time.Second, "<p>one</p>|<p>two</p>", false}, // and what is not new needs no time
	} {
		got, waiting := at(step.text, step.after)
		if got != step.want || waiting != step.waiting {
			t.Errorf("%q after %v: %q, waiting %v; want %q, %v", step.text, step.after, got, waiting, step.want, step.waiting)
		}
	}
}

func TestGrowingForgets(t *testing.T) {
	t.Parallel()
	var g growing
	for i := range 3 * remembered {
		g.blocks(store.Message{ID: fmt.Sprint(i), Text: "x"}, time.Now())
		if len(g.answers) > remembered {
			t.Fatalf("%d answers are remembered", len(g.answers))
		}
	}
	last := fmt.Sprint(3*remembered - 1)
	g.forget(last)
	if g.answers[last] != nil {
		t.Error("an answer that ended is still there")
	}
}

func TestGrowingIsShared(t *testing.T) {
	t.Parallel()
	var g growing
	var pages sync.WaitGroup
	now := time.Now()
	for range 8 {
		pages.Go(func() {
			for i := range 200 {
				g.blocks(store.Message{ID: "m", Text: strings.Repeat("word ", i)}, now.Add(time.Duration(i)*time.Second))
			}
		})
	}
	pages.Wait()
	if got, _ := g.blocks(store.Message{ID: "m"}, now); len(got) != 1 || strings.Count(got[0], "word") != 199 {
		t.Errorf("the newest is lost: %q", got)
	}
}

func TestLongBlocksAreSentSlowly(t *testing.T) {
	t.Parallel()
	var g growing
	now := time.Now()
	g.blocks(store.Message{ID: "m", Text: "```\n" + strings.Repeat("x\n", 50_000)}, now)
	if _, wait := g.blocks(store.Message{ID: "m", Text: "```\n" + strings.Repeat("x\n", 50_001)}, now); wait < 300*time.Millisecond {
		t.Errorf("100 KB are sent again after %v", wait)
	}
}
