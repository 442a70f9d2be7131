package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// A Hash is the SHA-256 of a key, a cookie or a link: the store knows none of
// them, and so nobody who reads it does.
type Hash [32]byte

// A Client is a program that has a key.
type Client struct {
	Name     string
	Hash     Hash // of the key
	Created  time.Time
	LastUsed time.Time // the zero time for never; later uses within a minute are not noted
}

// A Session is a browser in which a person has signed in.
type Session struct{ Created, Expires time.Time }

const passwordSetting = "password"

// PasswordHash returns what SetPassword has kept; "" if nothing.
func (db *DB) PasswordHash(ctx context.Context) (string, error) {
	var hash string
	err := db.read.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = ?`, passwordSetting).Scan(&hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return hash, wrap(err, "read the password's hash")
}

// SetPassword keeps the hash of the password in the place of the one before.
func (db *DB) SetPassword(ctx context.Context, hash string) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE name = ?`, passwordSetting); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES (?, ?)`, passwordSetting, hash)
		return err
	})
	return wrap(err, "keep the password's hash")
}

// AddClient writes down a client. Returns [ErrExists] if one has its name.
func (db *DB) AddClient(ctx context.Context, c Client) error {
	_, err := db.write.ExecContext(ctx, `INSERT INTO clients (name, hash, created, last_used) VALUES (?, ?, ?, 0)`, c.Name, c.Hash[:], moment(c.Created))
	if isTaken(err) {
		err = ErrExists
	}
	return wrap(err, "add client %q", c.Name)
}

const clientColumns = "name, hash, created, last_used"

func readClient(row scanner) (c Client, err error) {
	var hash []byte
	var created, used int64
	err = row.Scan(&c.Name, &hash, &created, &used)
	copy(c.Hash[:], hash)
	c.Created, c.LastUsed = timeOf(created), timeOf(used)
	return c, err
}

// Clients returns all clients in the order of their names.
func (db *DB) Clients(ctx context.Context) ([]Client, error) {
	rows, err := db.read.QueryContext(ctx, `SELECT `+clientColumns+` FROM clients ORDER BY name`)
	all, err := collect(rows, err, readClient)
	return all, wrap(err, "list clients")
}

// RemoveClient removes a client: its key opens nothing from now on. Returns
// [ErrNotFound] if there is none of this name.
func (db *DB) RemoveClient(ctx context.Context, name string) error {
	return wrap(one(db.write.ExecContext(ctx, `DELETE FROM clients WHERE name = ?`, name)), "remove client %q", name)
}

// ClientByHash returns the client with the key of a hash, or [ErrNotFound],
// and notes that the key was used. One that can't be noted opens all the same:
// a full disk need not keep programs from their answers.
func (db *DB) ClientByHash(ctx context.Context, hash Hash) (Client, error) {
	c, err := readClient(db.clientByHash.QueryRowContext(ctx, hash[:]))
	if err == nil {
		db.noteUse(ctx, c)
	}
	return c, wrap(found(err), "look up a client")
}

// noteUse writes at most once a minute, so that a busy client does not keep
// the disk busy too.
func (db *DB) noteUse(ctx context.Context, c Client) {
	if now := time.Now(); now.Sub(c.LastUsed) >= time.Minute {
		db.write.ExecContext(ctx, `UPDATE clients SET last_used = ? WHERE name = ?`, moment(now), c.Name)
	}
}

// AddSession writes down a session that lasts until a time, and forgets those
// that have expired.
func (db *DB) AddSession(ctx context.Context, hash Hash, expires time.Time) error {
	now := moment(time.Now())
	err := db.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE expires <= ?`, now); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO sessions (hash, created, expires) VALUES (?, ?, ?)`, hash[:], now, moment(expires))
		return err
	})
	return wrap(err, "add a session")
}

// Session returns the session with a hash, or [ErrNotFound] if there is none
// or it has expired.
func (db *DB) Session(ctx context.Context, hash Hash) (Session, error) {
	var created, expires int64
	err := db.read.QueryRowContext(ctx, `SELECT created, expires FROM sessions WHERE hash = ? AND expires > ?`, hash[:], moment(time.Now())).Scan(&created, &expires)
	return Session{timeOf(created), timeOf(expires)}, wrap(found(err), "look up a session")
}

// ExtendSession lets a session last until a later time. Returns [ErrNotFound]
// if there is none: a session that has been ended stays so.
func (db *DB) ExtendSession(ctx context.Context, hash Hash, expires time.Time) error {
	return wrap(one(db.write.ExecContext(ctx, `UPDATE sessions SET expires = ? WHERE hash = ?`, moment(expires), hash[:])), "extend a session")
}

// EndSession ends the session with a hash, if there is one.
func (db *DB) EndSession(ctx context.Context, hash Hash) error {
	_, err := db.write.ExecContext(ctx, `DELETE FROM sessions WHERE hash = ?`, hash[:])
	return wrap(err, "end a session")
}

// EndAllSessions ends every session but one, which the zero Hash does not
// spare, and makes the links worthless that nobody has used yet.
func (db *DB) EndAllSessions(ctx context.Context, but Hash) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE hash <> ?`, but[:]); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM links`)
		return err
	})
	return wrap(err, "end sessions")
}

// AddLink writes down a link that opens once, until a time, and forgets those
// that have expired.
func (db *DB) AddLink(ctx context.Context, hash Hash, expires time.Time) error {
	err := db.transact(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM links WHERE expires <= ?`, moment(time.Now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO links (hash, expires) VALUES (?, ?)`, hash[:], moment(expires))
		return err
	})
	return wrap(err, "add a link")
}

// TakeLink uses up the link with a hash. Returns [ErrNotFound] if there is
// none, it has expired, or somebody was first.
func (db *DB) TakeLink(ctx context.Context, hash Hash) error {
	return wrap(one(db.write.ExecContext(ctx, `DELETE FROM links WHERE hash = ? AND expires > ?`, hash[:], moment(time.Now()))), "take a link")
}
