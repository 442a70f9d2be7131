package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// A Conversation is what a person and models say to each other. Its messages
// are read with [DB.Messages].
type Conversation struct {
	ID               string
	Title            string
	Model            string // the one that is asked next
	System           string // the system prompt; "" for none
	Created, Updated time.Time
}

const conversationColumns = "c.id, c.title, c.model, c.system, c.created, c.updated"

func readConversation(row scanner) (c Conversation, err error) {
	var created, updated int64
	err = row.Scan(&c.ID, &c.Title, &c.Model, &c.System, &created, &updated)
	c.Created, c.Updated = timeOf(created), timeOf(updated)
	return c, err
}

// CreateConversation writes down a new conversation. Where Created is the zero
// time it becomes now, and where Updated is, it becomes Created. Returns
// [ErrExists] if there is one with this id.
func (db *DB) CreateConversation(ctx context.Context, c Conversation) error {
	if c.Created.IsZero() {
		c.Created = time.Now()
	}
	if c.Updated.IsZero() {
		c.Updated = c.Created
	}
	_, err := db.write.ExecContext(ctx, `INSERT INTO conversations (id, title, model, system, created, updated) VALUES (?, ?, ?, ?, ?, ?)`,
		c.ID, c.Title, c.Model, c.System, moment(c.Created), moment(c.Updated))
	if isTaken(err) {
		err = ErrExists
	}
	return wrap(err, "create conversation %s", c.ID)
}

// Conversation returns the conversation with an id, or [ErrNotFound].
func (db *DB) Conversation(ctx context.Context, id string) (Conversation, error) {
	row := db.read.QueryRowContext(ctx, `SELECT `+conversationColumns+` FROM conversations c WHERE c.id = ?`, id)
	c, err := readConversation(row)
	return c, wrap(found(err), "read conversation %s", id)
}

// Conversations returns the conversations that changed before a time, or all
// for the zero time: the one that changed last comes first. A limit that is not
// positive is none.
func (db *DB) Conversations(ctx context.Context, limit int, before time.Time) ([]Conversation, error) {
	until := moment(before)
	if until == 0 {
		until = 1<<63 - 1
	}
	rows, err := db.read.QueryContext(ctx, `SELECT `+conversationColumns+` FROM conversations c WHERE c.updated < ? ORDER BY c.updated DESC, c.id LIMIT ?`,
		until, atMost(limit))
	all, err := collect(rows, err, readConversation)
	return all, wrap(err, "list conversations")
}

// UpdateConversation writes down title, model and system prompt, and leaves
// the times as they are. Returns [ErrNotFound] if there is no such
// conversation.
func (db *DB) UpdateConversation(ctx context.Context, c Conversation) error {
	err := one(db.write.ExecContext(ctx, `UPDATE conversations SET title = ?, model = ?, system = ? WHERE id = ?`, c.Title, c.Model, c.System, c.ID))
	return wrap(err, "update conversation %s", c.ID)
}

// DeleteConversation removes a conversation with its messages. Returns
// [ErrNotFound] if there is no such conversation.
func (db *DB) DeleteConversation(ctx context.Context, id string) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM messages WHERE conversation = ?`, id); err != nil {
			return err
		}
		return one(tx.ExecContext(ctx, `DELETE FROM conversations WHERE id = ?`, id))
	})
	return wrap(err, "delete conversation %s", id)
}

// touch notes that a conversation changes now. Returns [ErrNotFound] if there
// is no such conversation.
func touch(ctx context.Context, tx *sql.Tx, id string) error {
	return one(tx.ExecContext(ctx, `UPDATE conversations SET updated = ? WHERE id = ?`, moment(time.Now()), id))
}

// wrap adds to an error, if there is one, what was being done.
func wrap(err error, doing string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(doing+": %w", append(args, err)...)
}
