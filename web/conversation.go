package web

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tegata/chat"
	"tegata/store"
)

// start shows the page on which a conversation begins.
func (s *Site) start(v *visit) error {
	p, err := v.begun()
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, p)
}

func (v *visit) begun() (*Page, error) {
	p, err := v.framed(pageChat, v.lang.T("New conversation"), "")
	if err != nil {
		return nil, err
	}
	p.Chat = &Chat{Title: v.lang.T("New conversation"), Model: v.usual(), ETag: etag(v.lang, nil)}
	v.offer(p.Chat)
	return p, nil
}

// usual returns the model that was used last, or else the site's own.
func (v *visit) usual() string {
	last, err := v.site.DB.Conversations(v.r.Context(), 1, time.Time{})
	if err != nil || len(last) == 0 {
		return v.site.Model
	}
	return cmp.Or(last[0].Model, v.site.Model)
}

// offer fills the picker.
func (v *visit) offer(c *Chat) {
	c.Models, c.Model, c.Problem = v.site.listModels(v.r.Context(), v.lang, c.Model)
}

// conversation shows a conversation.
func (s *Site) conversation(v *visit) error {
	p, err := v.continued(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, p)
}

func (v *visit) continued(id string) (*Page, error) {
	c, messages, err := v.site.Chat.Thread(v.r.Context(), id)
	if err != nil {
		return nil, err
	}
	p, err := v.framed(pageChat, titleOf(v.lang, c), id)
	if err != nil {
		return nil, err
	}
	if p.Events, err = v.eventsPath("/c/"+id+"/events", p.Conversations); err != nil {
		return nil, err
	}
	p.Chat = v.site.thread(v.lang, c, messages)
	p.Chat.Model = cmp.Or(c.Model, v.site.Model)
	v.offer(p.Chat)
	return p, nil
}

// ask takes a question, and begins a conversation with it if there is none.
func (s *Site) ask(v *visit) error {
	q := chat.Question{
		Conversation: v.r.PathValue("id"), Text: v.field("text"), Model: v.field("model"), System: strings.TrimSpace(v.field("system")),
	}
	id, _, err := s.Chat.Begin(v.r.Context(), q)
	if err != nil {
		return v.notTaken(q, err)
	}
	return v.move(v.path("/c/", id))
}

// notTaken shows the page again with the question, so that it isn't lost. A
// script still has it.
func (v *visit) notTaken(q chat.Question, err error) error {
	r := v.refusalOf(err)
	if v.wantsJSON() || r.status == http.StatusInternalServerError || r.status == http.StatusNotFound {
		return err
	}
	p, pageErr := v.begun()
	if q.Conversation != "" {
		p, pageErr = v.continued(q.Conversation)
	}
	if pageErr != nil {
		return errors.Join(err, pageErr)
	}
	p.Chat.Problem = &Problem{Title: r.title, Remedy: r.text}
	p.Chat.Draft = q.Text
	return v.show(r.status, p)
}

// again asks for another answer in place of the last.
func (s *Site) again(v *visit) error {
	id := v.r.PathValue("id")
	if _, err := s.Chat.Again(v.r.Context(), id, v.field("model")); err != nil {
		return err
	}
	return v.move(v.path("/c/", id))
}

// stop ends a running answer. One that has ended by itself is no error.
func (s *Site) stop(v *visit) error {
	m, err := s.Chat.Message(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if err := s.Chat.Stop(v.r.Context(), m.ID); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return v.move(v.path("/c/", m.Conversation))
}

// text gives a message as it was written, to be copied.
func (s *Site) text(v *visit) error {
	m, err := s.Chat.Message(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err = io.WriteString(v.w, m.Text)
	v.gone(err)
	return nil
}

// titleLimit is the longest title, in letters.
const titleLimit = 200

// rename gives a conversation another title.
func (s *Site) rename(v *visit) error {
	return v.change(func(c *store.Conversation) {
		if title := []rune(strings.Join(strings.Fields(clean(v.field("title"))), " ")); len(title) > 0 {
			c.Title = string(title[:min(len(title), titleLimit)])
		}
	})
}

// settings changes the model and the system prompt of a conversation.
func (s *Site) settings(v *visit) error {
	if len(v.field("system")) > chat.LongestQuestion {
		return chat.ErrTooLong
	}
	return v.change(func(c *store.Conversation) {
		c.Model = cmp.Or(v.field("model"), c.Model)
		if _, given := v.r.PostForm["system"]; given {
			c.System = strings.TrimSpace(v.field("system"))
		}
	})
}

func (v *visit) change(edit func(*store.Conversation)) error {
	id := v.r.PathValue("id")
	if err := v.site.Chat.Edit(v.r.Context(), id, edit); err != nil {
		return fmt.Errorf("change conversation %s: %w", id, err)
	}
	return v.move(v.path("/c/", id))
}

// remove deletes a conversation.
func (s *Site) remove(v *visit) error {
	if err := s.Chat.Delete(v.r.Context(), v.r.PathValue("id")); err != nil {
		return err
	}
	return v.move(v.path("/"))
}

// found is how many conversations a search returns.
const found = 50

// search lists the conversations that have the words.
func (s *Site) search(v *visit) error {
	query := strings.TrimSpace(v.r.URL.Query().Get("q"))
	if query == "" {
		return v.unsearched()
	}
	hits, err := s.DB.Search(v.r.Context(), query, found)
	if err != nil {
		return fmt.Errorf("search: %w", err)
	}
	all := lines(v.lang, hits, "", time.Now())
	for i := range all {
		all[i].Group = ""
	}
	if v.wantsJSON() {
		return v.list(all)
	}
	p, err := v.framed(pageSearch, v.lang.T("Search: %s", query), "")
	if err != nil {
		return err
	}
	p.Query, p.Conversations, p.Search = query, all, &Search{Query: query, Hits: all}
	return v.show(http.StatusOK, p)
}

// unsearched answers a search for nothing with all there is.
func (v *visit) unsearched() error {
	if !v.wantsJSON() {
		http.Redirect(v.w, v.r, v.path("/"), http.StatusSeeOther)
		return nil
	}
	all, err := v.site.list(v.r.Context(), v.lang, "")
	if err != nil {
		return err
	}
	return v.list(all)
}

// list answers a script with the lines of the list.
func (v *visit) list(all []Conversation) error {
	html, err := v.fragment(fragmentConversations, all)
	if err != nil {
		return err
	}
	return v.json(http.StatusOK, map[string]any{"html": html})
}
