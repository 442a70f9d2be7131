package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

// What is particular to SQLite:
//   - The file is in WAL mode, so that readers and the one writer do not wait
//     for each other. synchronous=NORMAL keeps every transaction through a
//     kill of the process; a loss of power may take the last ones, never more.
//   - The version of the schema is PRAGMA user_version.
//   - Who serves holds a transaction open on a file beside, which the system
//     ends with the process, however that ends.
//   - Text is found by an FTS5 index of trigrams: any three characters, in
//     Japanese too. See https://www.sqlite.org/fts5.html#the_trigram_tokenizer.

//go:embed migrations/*.sql
var migrations embed.FS

const (
	busyTimeout = "5000" // milliseconds that a writer waits for a writer of another process
	readers     = 4
)

// makeFile makes the file with its folder before SQLite does, which would let
// everybody read it. A file that exists is never opened here: closing it again
// would drop the locks that this process may hold on it.
// See https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_.
func makeFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return hide(path)
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// hide takes a file out of the sight of everybody but its owner.
func hide(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return err
	}
	return os.Chmod(path, 0o600)
}

// address is the name of a database file for the driver.
func address(path string, settings url.Values) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: settings.Encode()}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path = "/" + u.Path // C:/…
	}
	return u.String(), nil
}

// openFile opens a database with at most so many connections.
func openFile(path string, connections int, settings url.Values) (*sql.DB, error) {
	name, err := address(path, settings)
	if err != nil {
		return nil, err
	}
	pool, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool, nil
}

// A claim is held by the process that serves: a transaction on a file beside
// the store that nobody else can begin as long as it runs.
type claim struct {
	pool *sql.DB
	tx   *sql.Tx
}

// stake makes this process the one that serves from the file path, until the
// claim is closed; the end of ctx does not end it. Returns ErrInUse while
// another has it.
func stake(ctx context.Context, path string) (*claim, error) {
	beside := path + ".lock"
	if err := makeFile(beside); err != nil {
		return nil, err
	}
	pool, err := openFile(beside, 1, url.Values{"_txlock": {"exclusive"}, "_busy_timeout": {"0"}})
	if err != nil {
		return nil, err
	}
	tx, err := pool.BeginTx(context.WithoutCancel(ctx), nil)
	if isBusy(err) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(err, pool.Close())
	}
	return &claim{pool, tx}, nil
}

// Close gives the claim up, once.
func (c *claim) Close() error {
	err := c.tx.Rollback()
	if errors.Is(err, sql.ErrTxDone) {
		err = nil
	}
	return errors.Join(err, c.pool.Close())
}

// isBusy reports whether another process holds the lock that was wanted.
func isBusy(err error) bool {
	const busy, primary = 5, 0xff // SQLITE_BUSY, and the bits of a primary result code
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&primary == busy
}

// isTaken reports whether a row with the same key exists.
func isTaken(err error) bool {
	const constraint, primary = 19, 0xff // SQLITE_CONSTRAINT
	var e *sqlite.Error
	return errors.As(err, &e) && e.Code()&primary == constraint
}

func (db *DB) connect(ctx context.Context, path string) (err error) {
	settings := url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"NORMAL"}, "_foreign_keys": {"1"}}
	settings.Set("_busy_timeout", busyTimeout)
	settings.Set("_txlock", "immediate")
	if db.write, err = openFile(path, 1, settings); err != nil {
		return err
	}
	if err := db.migrate(ctx); err != nil {
		return err
	}
	if db.read, err = openFile(path, readers, url.Values{"_query_only": {"1"}, "_busy_timeout": {busyTimeout}}); err != nil {
		return err
	}
	db.clientByHash, err = db.read.PrepareContext(ctx, `SELECT `+clientColumns+` FROM clients WHERE hash = ?`)
	return err
}

// migrate brings the schema up to the version of this program, one file of
// migrations at a time.
func (db *DB) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	return db.transact(ctx, func(tx *sql.Tx) error {
		var version int
		if err := tx.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
			return err
		}
		if version > len(files) {
			return fmt.Errorf("%w: its schema is %d, this one knows %d", ErrNewer, version, len(files))
		}
		for i, file := range files[version:] {
			if err := apply(ctx, tx, file, version+i+1); err != nil {
				return err
			}
		}
		return nil
	})
}

func apply(ctx context.Context, tx *sql.Tx, file string, version int) error {
	change, err := migrations.ReadFile(file)
	if err == nil {
		_, err = tx.ExecContext(ctx, string(change)+";PRAGMA user_version="+strconv.Itoa(version))
	}
	if err != nil {
		return fmt.Errorf("bring the schema to version %d: %w", version, err)
	}
	return nil
}

// like is the pattern that finds words anywhere in a text, for LIKE … ESCAPE '!'.
func like(word string) string {
	return "%" + strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(word) + "%"
}

// indexed is the shortest word, in characters, that the index of texts knows.
const indexed = 3

// textMatching returns the condition on messages m under which their text
// holds every one of the words.
func textMatching(words []string) (condition string, args []any) {
	var phrases, conditions []string
	for _, word := range words {
		if len([]rune(word)) >= indexed {
			phrases = append(phrases, `"`+strings.ReplaceAll(word, `"`, `""`)+`"`)
			continue
		}
		conditions = append(conditions, "m.text LIKE ? ESCAPE '!'")
		args = append(args, like(word))
	}
	if len(phrases) > 0 {
		conditions = append(conditions, "m.seq IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
		args = append(args, strings.Join(phrases, " AND "))
	}
	return strings.Join(conditions, " AND "), args
}
