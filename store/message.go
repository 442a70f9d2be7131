package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// A State says what became of a message.
type State string

// Every message begins as Running or Done, and changes at most once.
const (
	Running     State = "running"     // the answer still grows
	Done        State = "done"        // complete
	Stopped     State = "stopped"     // a person ended it
	Failed      State = "failed"      // the Problem says why
	Interrupted State = "interrupted" // the process ended before the answer did
)

// Usage counts tokens. Input holds neither those read from a cache nor those
// written into it.
type Usage struct{ Input, Output, CacheRead, CacheWrite int }

// A Problem is what a failed answer shows.
type Problem struct {
	ID        string            `json:"id,omitempty"`     // of the catalogue of messages; "" if nothing is known
	Detail    string            `json:"detail,omitempty"` // AWS's own words
	RequestID string            `json:"request_id,omitempty"`
	Fields    map[string]string `json:"fields,omitempty"` // evidence
}

// A Message is one turn of a conversation.
type Message struct {
	ID, Conversation  string
	Position          int    // in its conversation, from 0
	Role              string // "user" or "assistant"
	Text, Reasoning   string
	State             State
	Model             string // id by which the model was called
	StopReason        string
	Problem           *Problem // of a failed answer, otherwise nil
	Usage             Usage
	Cost              float64 // USD; 0 if unknown
	Created, Finished time.Time
}

// Growth is what a running answer has become: the whole text so far.
type Growth struct{ ID, Text, Reasoning string }

const messageColumns = `m.id, m.conversation, m.position, m.role, m.text, m.reasoning, m.state, m.model, m.stop_reason, m.problem,
	m.input, m.output, m.cache_read, m.cache_write, m.cost, m.created, m.finished`

func readMessage(row scanner) (m Message, err error) {
	var problem string
	var created, finished int64
	err = row.Scan(&m.ID, &m.Conversation, &m.Position, &m.Role, &m.Text, &m.Reasoning, &m.State, &m.Model, &m.StopReason, &problem,
		&m.Usage.Input, &m.Usage.Output, &m.Usage.CacheRead, &m.Usage.CacheWrite, &m.Cost, &created, &finished)
	m.Created, m.Finished = timeOf(created), timeOf(finished)
	if err == nil && problem != "" {
		err = json.Unmarshal([]byte(problem), &m.Problem)
	}
	return m, err
}

// stored is a problem as it is written down: "" for none.
func (p *Problem) stored() (string, error) {
	if p == nil {
		return "", nil
	}
	b, err := json.Marshal(p)
	return string(b), err
}

// AddMessages appends messages to their conversations, all or none, and sets
// their positions. A message without a State is Done, and one without Created
// is from now. Returns [ErrNotFound] if a conversation does not exist.
func (db *DB) AddMessages(ctx context.Context, messages ...Message) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		for _, m := range messages {
			if err := touch(ctx, tx, m.Conversation); err != nil {
				return fmt.Errorf("conversation %s: %w", m.Conversation, err)
			}
			last := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(position), -1) FROM messages WHERE conversation = ?`, m.Conversation)
			if err := last.Scan(&m.Position); err != nil {
				return err
			}
			m.Position++
			if err := insert(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "add messages")
}

func insert(ctx context.Context, tx *sql.Tx, m Message) error {
	problem, err := m.Problem.stored()
	if err != nil {
		return err
	}
	if m.State == "" {
		m.State = Done
	}
	if m.Created.IsZero() {
		m.Created = time.Now()
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO messages (id, conversation, position, role, text, reasoning, state, model, stop_reason, problem,
		input, output, cache_read, cache_write, cost, created, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		m.ID, m.Conversation, m.Position, m.Role, m.Text, m.Reasoning, m.State, m.Model, m.StopReason, problem,
		m.Usage.Input, m.Usage.Output, m.Usage.CacheRead, m.Usage.CacheWrite, m.Cost, moment(m.Created), moment(m.Finished))
	if isTaken(err) {
		err = ErrExists
	}
	return wrap(err, "message %s", m.ID)
}

// Messages returns the messages of a conversation in their order; none if
// there is no such conversation.
func (db *DB) Messages(ctx context.Context, conversation string) ([]Message, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+messageColumns+` FROM messages m WHERE m.conversation = ? ORDER BY m.position`, conversation)
	all, err := collect(rows, err, readMessage)
	return all, wrap(err, "read the messages of %s", conversation)
}

// Message returns the message with an id, or [ErrNotFound].
func (db *DB) Message(ctx context.Context, id string) (Message, error) {
	m, err := readMessage(db.read.QueryRowContext(ctx, `SELECT `+messageColumns+` FROM messages m WHERE m.id = ?`, id))
	return m, wrap(found(err), "read message %s", id)
}

// Grow writes down how far running answers have come, all in one transaction.
// Answers that do not run any more stay as they are.
func (db *DB) Grow(ctx context.Context, answers []Growth) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		update, err := tx.PrepareContext(ctx, `UPDATE messages SET text = ?, reasoning = ? WHERE id = ? AND state = ?`)
		if err != nil {
			return err
		}
		defer update.Close()
		for _, g := range answers {
			if _, err := update.ExecContext(ctx, g.Text, g.Reasoning, g.ID, Running); err != nil {
				return fmt.Errorf("message %s: %w", g.ID, err)
			}
		}
		return nil
	})
	return wrap(err, "write down growing answers")
}

// Finish writes down what a running answer has become: text, reasoning, state,
// model, stop reason, problem, usage, cost and, where it is the zero time, now
// as Finished. Returns [ErrNotFound] if there is no such answer, or it does not
// run any more: the first end counts.
func (db *DB) Finish(ctx context.Context, m Message) error {
	if m.State == "" || m.State == Running {
		return fmt.Errorf("finish message %s: state %q is no end", m.ID, m.State)
	}
	err := db.transact(ctx, func(tx *sql.Tx) error { return finish(ctx, tx, m) })
	return wrap(err, "finish message %s", m.ID)
}

func finish(ctx context.Context, tx *sql.Tx, m Message) error {
	problem, err := m.Problem.stored()
	if err != nil {
		return err
	}
	if m.Finished.IsZero() {
		m.Finished = time.Now()
	}
	err = one(tx.ExecContext(ctx, `UPDATE messages SET text = ?, reasoning = ?, state = ?, model = ?, stop_reason = ?, problem = ?,
		input = ?, output = ?, cache_read = ?, cache_write = ?, cost = ?, finished = ? WHERE id = ? AND state = ?`,
		m.Text, m.Reasoning, m.State, m.Model, m.StopReason, problem,
		m.Usage.Input, m.Usage.Output, m.Usage.CacheRead, m.Usage.CacheWrite, m.Cost, moment(m.Finished), m.ID, Running))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE conversations SET updated = ? WHERE id = (SELECT conversation FROM messages WHERE id = ?)`, moment(m.Finished), m.ID)
	return err
}

// Replace puts a message in the place of an old one, which goes: same
// conversation, same position. Returns [ErrNotFound] if there is no old one.
func (db *DB) Replace(ctx context.Context, old string, with Message) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		place := tx.QueryRowContext(ctx, `SELECT conversation, position FROM messages WHERE id = ?`, old)
		if err := found(place.Scan(&with.Conversation, &with.Position)); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM messages WHERE id = ?`, old); err != nil {
			return err
		}
		if err := insert(ctx, tx, with); err != nil {
			return err
		}
		return touch(ctx, tx, with.Conversation)
	})
	return wrap(err, "replace message %s", old)
}

// interruptAbandoned ends the answers of a process that was killed.
func (db *DB) interruptAbandoned(ctx context.Context) error {
	_, err := db.write.ExecContext(ctx, `UPDATE messages SET state = ?, finished = ? WHERE state = ?`, Interrupted, moment(time.Now()), Running)
	return wrap(err, "end answers that were left running")
}
