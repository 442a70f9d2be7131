package store

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode"
)

// A Hit is a conversation in which something was found.
type Hit struct {
	Conversation Conversation
	Snippet      string // one line around the first word that was looked for; "" if only the title holds it
}

// Search returns the conversations of which the title, or one message, holds
// every word of the query, the one that changed last first. Words stand
// between white space; quotes and operators are text like any other, and
// capitals do not count. Answers are found once they no longer run. A limit
// that is not positive is none. Of a query, the first 500 characters count.
func (db *DB) Search(ctx context.Context, query string, limit int) ([]Hit, error) {
	characters := []rune(strings.ReplaceAll(query, "\x00", " ")) // without broken UTF-8
	words := strings.Fields(string(characters[:min(len(characters), longestQuery)]))
	if len(words) == 0 {
		return nil, nil
	}
	hits, err := db.searchTexts(ctx, words, limit)
	if err != nil {
		return nil, wrap(err, "search messages")
	}
	titles, err := db.searchTitles(ctx, words, limit)
	if err != nil {
		return nil, wrap(err, "search titles")
	}
	for _, t := range titles {
		if !slices.ContainsFunc(hits, func(h Hit) bool { return h.Conversation.ID == t.Conversation.ID }) {
			hits = append(hits, t)
		}
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(b.Conversation.Updated.Compare(a.Conversation.Updated), cmp.Compare(a.Conversation.ID, b.Conversation.ID))
	})
	return hits[:min(len(hits), atMost(limit))], nil
}

// longestQuery is in characters. SQLite refuses expressions of a thousand
// terms and patterns of 50 KB.
//
// Source: https://www.sqlite.org/limits.html
const longestQuery = 500

// searchTexts finds in each conversation the last message that fits.
func (db *DB) searchTexts(ctx context.Context, words []string, limit int) ([]Hit, error) {
	condition, args := textMatching(words)
	rows, err := db.read.QueryContext(ctx, `SELECT `+conversationColumns+`, m.text FROM conversations c
		JOIN messages m ON m.conversation = c.id
		JOIN (SELECT m.conversation AS id, MAX(m.position) AS position FROM messages m WHERE m.state <> ? AND `+condition+` GROUP BY m.conversation) best
		ON best.id = c.id AND best.position = m.position
		ORDER BY c.updated DESC, c.id LIMIT ?`, slices.Concat([]any{Running}, args, []any{atMost(limit)})...)
	return collect(rows, err, func(row scanner) (Hit, error) {
		var text string
		c, err := readConversation(withText{row, &text})
		return Hit{Conversation: c, Snippet: snippet(text, words[0])}, err
	})
}

// withText reads one more column than a conversation has.
type withText struct {
	scanner
	text *string
}

func (r withText) Scan(into ...any) error { return r.scanner.Scan(append(into, r.text)...) }

func (db *DB) searchTitles(ctx context.Context, words []string, limit int) ([]Hit, error) {
	var conditions []string
	var args []any
	for _, word := range words {
		conditions = append(conditions, "c.title LIKE ? ESCAPE '!'")
		args = append(args, like(word))
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+conversationColumns+` FROM conversations c
		WHERE `+strings.Join(conditions, " AND ")+` ORDER BY c.updated DESC, c.id LIMIT ?`, append(args, atMost(limit))...)
	return collect(rows, err, func(row scanner) (Hit, error) {
		c, err := readConversation(row)
		return Hit{Conversation: c}, err
	})
}

// snippet cuts one line out of a text around the first place of a word.
func snippet(text, word string) string {
	const before, after = 24, 72 // characters
	folded, wanted := fold(text), fold(word)
	at := max(index(folded, wanted), 0)
	from, to := max(at-before, 0), min(at+len(wanted)+after, len(folded))
	cut := strings.Join(strings.Fields(string([]rune(text)[from:to])), " ")
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(folded) {
		cut += "…"
	}
	return cut
}

// fold returns the characters of s, each in lower case, one for one.
func fold(s string) []rune {
	characters := []rune(s)
	for i, c := range characters {
		characters[i] = unicode.ToLower(c)
	}
	return characters
}

func index(in, wanted []rune) int {
	for i := range in {
		if len(in)-i >= len(wanted) && slices.Equal(in[i:i+len(wanted)], wanted) {
			return i
		}
	}
	return -1
}
