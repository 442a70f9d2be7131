// Package store keeps what must outlive the process: conversations with their
// messages, the usage of every call, and who may come in.
//
// [Open] is for the one process that serves; [Join] is for a command that
// looks after the same data beside it. Everything is written in one file of
// SQLite. What differs from one database to the next stands in sqlite.go
// alone; the other files speak SQL that MySQL understands too.
package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors that callers decide on.
var (
	// ErrNotFound means that there is no such thing, or no longer.
	ErrNotFound = errors.New("not found")
	// ErrExists means that the name is taken.
	ErrExists = errors.New("exists already")
	// ErrInUse means that another process serves from the same file.
	ErrInUse = errors.New("in use by another process that serves")
	// ErrNewer means that a newer version of the program wrote the file.
	ErrNewer = errors.New("written by a newer version of tegata")
)

// DB is an open store. Its methods may be called at the same time.
type DB struct {
	write        *sql.DB // one connection: writers wait here, in order, not in the database
	read         *sql.DB
	clientByHash *sql.Stmt // every call of the API asks this, and parsing it takes longer than the answer
	claim        *claim    // of the process that serves; nil for the others
}

// Open opens the store in the file path for the process that serves, and
// makes it where there is none: the file for its owner's eyes alone, and its
// folder too if it is new. Answers that a killed process has left running
// become [Interrupted].
//
// It returns [ErrInUse] while another process has the file open this way, and
// [ErrNewer] when the file is of a later version.
func Open(ctx context.Context, path string) (*DB, error) {
	db, err := open(ctx, path, true)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// Join opens the store in the file path beside the process that serves from
// it, if there is one. It leaves running answers alone, and is otherwise as
// [Open].
func Join(ctx context.Context, path string) (*DB, error) {
	db, err := open(ctx, path, false)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

func open(ctx context.Context, path string, serves bool) (*DB, error) {
	if err := makeFile(path); err != nil {
		return nil, err
	}
	db := &DB{}
	var err error
	if serves {
		db.claim, err = stake(ctx, path)
	}
	if err == nil {
		err = db.connect(ctx, path)
	}
	if err == nil && serves {
		err = db.interruptAbandoned(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// Close closes the store. What has been written stays. Closing it again does
// nothing.
func (db *DB) Close() error {
	var errs []error
	for _, pool := range []*sql.DB{db.read, db.write} {
		if pool != nil {
			errs = append(errs, pool.Close())
		}
	}
	if db.claim != nil {
		errs = append(errs, db.claim.Close())
	}
	return errors.Join(errs...)
}

// NewID returns an id for a conversation or a message that nobody can guess:
// 26 lower-case letters and digits.
func NewID() string { return strings.ToLower(rand.Text()) }

// transact runs change in one transaction: all of it is kept, or nothing.
func (db *DB) transact(ctx context.Context, change func(*sql.Tx) error) error {
	tx, err := db.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := change(tx); err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

// one turns the result of a change into ErrNotFound if it changed nothing.
func one(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// found turns the absence of a row into ErrNotFound.
func found(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// A scanner is a row that can be read: of one, or of many.
type scanner interface{ Scan(into ...any) error }

// collect reads every row of a query.
func collect[T any](rows *sql.Rows, err error, read func(scanner) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		v, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// A moment is a point in time as it is stored: nanoseconds since 1970, and 0
// for the zero time.
func moment(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(moment int64) time.Time {
	if moment == 0 {
		return time.Time{}
	}
	return time.Unix(0, moment).UTC()
}

// atMost is the LIMIT of a query: what is not positive bounds nothing.
func atMost(limit int) int {
	const all = 1<<31 - 1
	if limit <= 0 {
		return all
	}
	return limit
}
