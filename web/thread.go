package web

import (
	"context"
	"slices"
	"time"

	"tegata/chat"
	"tegata/store"
)

// changed sends what a change did to the thread. It returns what is to be sent
// later, if anything.
func (s *stream) changed(ctx context.Context, c chat.Change) (*later, error) {
	if m := c.Message; !c.Thread && m.State == store.Running && s.has(m.ID) {
		return s.grown(m)
	}
	_, messages, err := s.v.site.Chat.Thread(ctx, s.current)
	if err != nil {
		return nil, err
	}
	switch {
	case s.shown == nil && s.v.r.URL.Query().Get("etag") == etag(s.v.lang, messages):
		err = s.resume(messages)
	case s.shown == nil || !s.continues(messages):
		err = s.sendThread(messages)
	default:
		err = s.sendNew(messages)
	}
	if i := slices.IndexFunc(messages, isRunning); i >= 0 && err == nil {
		return s.grown(messages[i])
	}
	return nil, err
}

func isRunning(m store.Message) bool { return m.State == store.Running }

func (s *stream) has(id string) bool {
	return slices.ContainsFunc(s.shown, func(a shown) bool { return a.id == id })
}

// continues reports whether a thread begins with what the page has.
func (s *stream) continues(messages []store.Message) bool {
	if len(messages) < len(s.shown) {
		return false
	}
	for i, a := range s.shown {
		if a.id != messages[i].ID {
			return false
		}
	}
	return true
}

// markOf names how a message is shown, but for the words of a running one.
func markOf(messages []store.Message, i int) shown {
	m := messages[i]
	mark := string(m.State) + m.Finished.String()
	if i == len(messages)-1 {
		mark += " last"
	}
	return shown{m.ID, mark}
}

// resume goes on where a page that was here before has the same thread. Of the
// answer that runs it may have any part, so that is sent whole.
func (s *stream) resume(messages []store.Message) error {
	s.shown = make([]shown, 0, len(messages))
	for i, m := range messages {
		if m.State == store.Running {
			return s.sendNew(messages)
		}
		s.shown = append(s.shown, markOf(messages, i))
	}
	return nil
}

// sendThread sends all articles.
func (s *stream) sendThread(messages []store.Message) error {
	c, err := s.v.site.DB.Conversation(s.v.r.Context(), s.current)
	if err != nil {
		return err
	}
	thread := s.v.site.thread(s.v.lang, c, messages)
	s.shown = make([]shown, 0, len(messages))
	for i, m := range messages {
		s.shown = append(s.shown, markOf(messages, i))
		s.begin(m, thread.Messages[i])
	}
	html, err := s.v.fragment(fragmentThread, thread)
	if err != nil {
		return err
	}
	return s.send("thread", map[string]any{"etag": thread.ETag, "html": html})
}

// sendNew sends the articles that the page doesn't have, or not so.
func (s *stream) sendNew(messages []store.Message) error {
	for i, m := range messages {
		mark := markOf(messages, i)
		if i < len(s.shown) && s.shown[i] == mark {
			continue
		}
		s.shown = append(s.shown[:i], append([]shown{mark}, s.shown[min(i+1, len(s.shown)):]...)...)
		if err := s.sendMessage(messages, m, i == len(messages)-1); err != nil {
			return err
		}
	}
	return nil
}

func (s *stream) sendMessage(messages []store.Message, m store.Message, last bool) error {
	article := s.v.site.article(s.v.lang, m, last)
	s.begin(m, article)
	html, err := s.v.fragment(fragmentMessage, article)
	if err != nil {
		return err
	}
	return s.send("message", map[string]any{"id": m.ID, "state": m.State, "etag": etag(s.v.lang, messages), "html": html})
}

// begin notes what the page has of a running answer once its article is there.
func (s *stream) begin(m store.Message, article Message) {
	if m.State != store.Running {
		return
	}
	s.thought = article.Reasoning
	s.blocks = nil
	for _, b := range article.Blocks {
		s.blocks = append(s.blocks, string(b))
	}
}

// grown sends the blocks of a running answer that the page doesn't have. It
// returns the answer if there will be more to send.
func (s *stream) grown(m store.Message) (*later, error) {
	blocks, wait := s.v.site.growing.blocks(m, time.Now())
	var more *later
	if wait > 0 {
		more = &later{m, time.After(wait)}
	}
	from := common(s.blocks, blocks)
	thought := clean(m.Reasoning)
	if from == len(blocks) && from == len(s.blocks) && thought == s.thought {
		return more, nil
	}
	event := map[string]any{"id": m.ID, "from": from, "blocks": append([]string{}, blocks[from:]...)}
	if thought != s.thought {
		event["reasoning"] = thought
	}
	s.blocks, s.thought = blocks, thought
	return more, s.send("grow", event)
}
