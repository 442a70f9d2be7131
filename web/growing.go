package web

import (
	"sync"
	"time"

	"tegata/store"
)

// A growing renders the answers that are being written, once for all pages
// that show them, and not faster than eyes and networks take it.
type growing struct {
	mu      sync.Mutex
	answers map[string]*answer
}

// An answer is a message as it was rendered last.
type answer struct {
	mu     sync.Mutex
	text   string
	blocks []string
	next   time.Time // when it may be rendered again
}

const (
	frame      = 80 * time.Millisecond // between two renderings: 12 in a second
	throughput = 250_000               // bytes of changed blocks sent in a second, to each page
	leisure    = 10                    // times as long as a rendering took pass before the next
	remembered = 250                   // answers; more than may run at once
)

// blocks returns what an answer has become. If that is more than was rendered
// last, but too soon after it, blocks returns the older ones and how long to
// wait for the newer.
func (g *growing) blocks(m store.Message, now time.Time) ([]string, time.Duration) {
	a := g.answer(m.ID)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(m.Text) <= len(a.text) { // another page was told of more already
		return a.blocks, 0
	}
	if wait := a.next.Sub(now); wait > 0 {
		return a.blocks, wait
	}
	a.render(m.Text, now)
	return a.blocks, 0
}

func (g *growing) answer(id string) *answer {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.answers == nil || len(g.answers) >= remembered && g.answers[id] == nil {
		g.answers = map[string]*answer{}
	}
	if g.answers[id] == nil {
		g.answers[id] = &answer{}
	}
	return g.answers[id]
}

// forget drops an answer that has ended.
func (g *growing) forget(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.answers, id)
}

func (a *answer) render(text string, now time.Time) {
	start := time.Now()
	blocks := Markdown(text)
	took := time.Since(start)
	changed := 0
	for _, b := range blocks[common(a.blocks, blocks):] {
		changed += len(b)
	}
	a.text, a.blocks = text, blocks
	a.next = now.Add(max(frame, leisure*took, time.Duration(changed)*time.Second/throughput))
}

// common returns how many blocks two renderings begin with alike.
func common(a, b []string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}
