package web

import (
	"context"
	"fmt"
	"hash/fnv"
	"html/template"
	"time"

	"tegata/bedrock"
	"tegata/internal/message"
	"tegata/store"
)

// listed is how many conversations the list has.
const listed = 200

// list returns the conversations, of which the page shows one.
func (s *Site) list(ctx context.Context, l message.Lang, current string) ([]Conversation, error) {
	all, err := s.DB.Conversations(ctx, listed, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("list conversations: %w", err)
	}
	hits := make([]store.Hit, 0, len(all))
	for _, c := range all {
		hits = append(hits, store.Hit{Conversation: c})
	}
	return lines(l, hits, current, time.Now()), nil
}

// lines makes the lines of a list, with a heading before the first of each
// time.
func lines(l message.Lang, hits []store.Hit, current string, now time.Time) []Conversation {
	all := make([]Conversation, 0, len(hits))
	last := ""
	for _, h := range hits {
		c := h.Conversation
		line := Conversation{
			ID: c.ID, Title: titleOf(l, c), Snippet: h.Snippet, Current: c.ID == current,
			Updated: c.Updated.Format(time.RFC3339), When: when(c.Updated, now),
		}
		if group := day(l, c.Updated, now); group != last {
			line.Group, last = group, group
		}
		all = append(all, line)
	}
	return all
}

func titleOf(l message.Lang, c store.Conversation) string {
	if c.Title == "" {
		return l.T("Untitled")
	}
	return c.Title
}

// thread returns the part of a conversation that changes as it goes on.
func (s *Site) thread(l message.Lang, c store.Conversation, messages []store.Message) *Chat {
	shown := &Chat{ID: c.ID, Title: titleOf(l, c), System: c.System, Model: c.Model, ETag: etag(l, messages), Total: total(l, messages)}
	for i, m := range messages {
		shown.Messages = append(shown.Messages, s.article(l, m, i == len(messages)-1))
		if m.State == store.Running {
			shown.Running = m.ID
		}
	}
	return shown
}

// etag names what a thread shows. The words of a running answer are not part
// of it: they are sent anew to everybody who comes back.
func etag(l message.Lang, messages []store.Message) string {
	h := fnv.New64a()
	fmt.Fprintln(h, l)
	for _, m := range messages {
		fmt.Fprintln(h, m.ID, m.State, m.Finished.UnixNano())
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// tagOf names a rendered fragment.
func tagOf(html template.HTML) string {
	h := fnv.New64a()
	h.Write([]byte(html))
	return fmt.Sprintf("%016x", h.Sum64())
}

// total says what a conversation took so far; "" for nothing.
func total(l message.Lang, messages []store.Message) string {
	var u store.Usage
	var cost float64
	for _, m := range messages {
		u.Input += m.Usage.Input
		u.Output += m.Usage.Output
		u.CacheRead += m.Usage.CacheRead
		u.CacheWrite += m.Usage.CacheWrite
		cost += m.Cost
	}
	return joined(tokensOf(l, u), costOf(cost))
}

// joined puts a dot between two words where there are two.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " · " + b
}

// article returns one message as a page shows it.
func (s *Site) article(l message.Lang, m store.Message, last bool) Message {
	shown := Message{
		ID: m.ID, Role: m.Role, State: string(m.State), Conversation: m.Conversation, Last: last,
		Blocks: s.blocks(m), Reasoning: clean(m.Reasoning),
		Created: m.Created.Format(time.RFC3339), When: when(m.Created, time.Now()),
	}
	if shown.User() {
		return shown
	}
	shown.ModelID, shown.Model = m.Model, s.modelName(m.Model)
	shown.Tokens, shown.Cost, shown.Note = tokensOf(l, m.Usage), costOf(m.Cost), note(l, m)
	if !m.Finished.IsZero() {
		shown.Elapsed = elapsed(m.Finished.Sub(m.Created))
	}
	if m.Problem != nil {
		card := storedCard(l, *m.Problem)
		shown.Problem = &card
	}
	return shown
}

// blocks returns the blocks of a message. People write text; a model writes
// Markdown.
func (s *Site) blocks(m store.Message) []template.HTML {
	if m.Role == "user" {
		return trusted(plain(m.Text))
	}
	if m.State == store.Running {
		blocks, _ := s.growing.blocks(m, time.Now())
		return trusted(blocks)
	}
	s.growing.forget(m.ID)
	return trusted(Markdown(m.Text))
}

// trusted marks what [Markdown] or plain made as safe for a template. It is the
// only place that does.
func trusted(blocks []string) []template.HTML {
	all := make([]template.HTML, len(blocks))
	for i, b := range blocks {
		all[i] = template.HTML(b)
	}
	return all
}

// modelName returns the name of a model by an id that calls it, as the
// catalogue had it when it was last read.
func (s *Site) modelName(id string) string {
	if name, ok := s.names.Load(id); ok {
		return name.(string)
	}
	return shortModel(id)
}

// storedCard returns the error card of an answer that failed.
func storedCard(l message.Lang, p store.Problem) Problem {
	return card(l, bedrock.Problem{ID: p.ID, Fields: p.Fields, Detail: p.Detail, RequestID: p.RequestID})
}

// card returns an error card.
func card(l message.Lang, p bedrock.Problem) Problem {
	shown := Problem{ID: p.ID, Detail: p.Detail, RequestID: p.RequestID, Doctor: true}
	w, ok := wordsOf(l, p.ID, p.Fields)
	if !ok {
		shown.Title = l.T("The model could not be reached")
		shown.Remedy = l.T("Look at the doctor's report, then try again.")
		return shown
	}
	shown.Title, shown.Cause, shown.Remedy, shown.Command = w.Title, w.Cause, w.Remedy, w.Command
	if w.Command != "" {
		shown.Where = w.Where.In(l)
	}
	return shown
}

// listModels returns the picker with one model selected, and why there is
// nothing to pick from.
func (s *Site) listModels(ctx context.Context, l message.Lang, selected string) ([]ModelGroup, string, *Problem) {
	ctx, cancel := context.WithTimeout(ctx, listPatience)
	defer cancel()
	offers, err := s.Catalogue.Offers(ctx)
	var problem *Problem
	if err != nil && ctx.Err() == nil {
		p := card(l, s.explain(ctx, err))
		problem = &p
	}
	for _, o := range offers {
		s.names.Store(o.ID, o.Model.Name)
		s.names.Store(o.Model.ID, o.Model.Name)
	}
	groups, id := pick(l, offers, selected)
	return groups, id, problem
}

// listPatience is how long a page waits for the models of the region.
const listPatience = time.Second

// pick groups the models by who made them, those that can't be called last,
// and returns which is selected: the wanted one, or the first that can be
// called.
func pick(l message.Lang, offers []bedrock.Offer, wanted string) (groups []ModelGroup, selected string) {
	for _, o := range offers {
		m := option(l, o)
		if m.Callable && (m.ID == wanted || o.Model.ID == wanted || wanted == "" && selected == "") {
			m.Selected, selected = true, m.ID
		}
		groups = grouped(groups, groupOf(l, o), m)
	}
	if selected == "" && wanted != "" { // an ARN, or no list could be had
		m := Model{ID: wanted, Name: shortModel(wanted), Callable: true, Selected: true}
		return append([]ModelGroup{{Label: l.T("chosen"), Models: []Model{m}}}, groups...), wanted
	}
	return groups, selected
}

func groupOf(l message.Lang, o bedrock.Offer) string {
	if !o.Callable() {
		return l.T("can't be called here")
	}
	return o.Model.Provider
}

// grouped adds a model to the group of that label.
func grouped(groups []ModelGroup, label string, m Model) []ModelGroup {
	for i := range groups {
		if groups[i].Label == label {
			groups[i].Models = append(groups[i].Models, m)
			return groups
		}
	}
	return append(groups, ModelGroup{Label: label, Models: []Model{m}})
}

func option(l message.Lang, o bedrock.Offer) Model {
	m := Model{
		ID: o.ID, Name: o.Model.Name, Area: o.Area, Where: areaName(l, o.Area),
		Callable: o.Callable(), Ends: lifecycle(l, o), Price: priceOf(o.ID),
	}
	if m.Callable {
		return m
	}
	m.ID, m.Where, m.Finding, m.Reason = o.Model.ID, "", o.Because, l.T("no way to call it from here")
	if w, ok := wordsOf(l, o.Because, o.Fields); ok {
		m.Reason = w.Title
	}
	return m
}
