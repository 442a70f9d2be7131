package store

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// writerFile is where the process that TestKill kills finds its store.
const writerFile = "TEGATA_TEST_STORE"

func TestMain(m *testing.M) {
	if file := os.Getenv(writerFile); file != "" {
		fmt.Println(writeUntilKilled(file))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func openTest(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path)
	check(t, err)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	testStore(t, func(t *testing.T) *DB { return openTest(t, filepath.Join(t.TempDir(), "tegata.db")) })
}

func TestOpen(t *testing.T) {
	t.Parallel()
	// What is special in a URL is nothing special in a path.
	path := filepath.Join(t.TempDir(), "new", "a ?#%41 フォルダー", "tegata.db")
	if runtime.GOOS == "windows" {
		path = filepath.Join(t.TempDir(), "new", "a #%41 フォルダー", "tegata.db")
	}
	db, err := Open(t.Context(), path)
	check(t, err)
	check(t, db.CreateConversation(t.Context(), Conversation{ID: "a", Title: "kept"}))
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	check(t, err)
	if len(files) < 3 {
		t.Errorf("files %q, want the database, its log and its lock", files)
	}
	for _, file := range append(files, filepath.Dir(path)) {
		info, err := os.Stat(file)
		check(t, err)
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: mode %v lets others in", file, info.Mode())
		}
	}
	check(t, db.Close())

	if runtime.GOOS != "windows" {
		check(t, os.Chmod(path, 0o644))
	}
	db = openTest(t, path)
	c, err := db.Conversation(t.Context(), "a")
	check(t, err)
	equal(t, "kept", c.Title)
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v: want 0600", info.Mode(), err)
	}
}

// TestOneServes: a second server is told so at once, while a command may look
// after the same data, and leaves alone what the server is doing.
func TestOneServes(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "tegata.db")
	starting, started := context.WithCancel(ctx)
	db, err := Open(starting, path)
	check(t, err)
	started() // ends neither the store nor its claim
	check(t, db.CreateConversation(ctx, Conversation{ID: "a"}))
	check(t, db.AddMessages(ctx, Message{ID: "1", Conversation: "a", State: Running}))

	_, err = Open(ctx, path)
	wantError(t, err, ErrInUse)
	if err == nil || !strings.HasPrefix(err.Error(), "open "+path+": ") {
		t.Errorf("error %q does not name the file", err)
	}
	beside, err := Join(ctx, path)
	check(t, err)
	check(t, beside.AddClient(ctx, Client{Name: "ci", Hash: Hash{1}}))
	check(t, beside.Close())
	m, err := db.Message(ctx, "1")
	check(t, err)
	equal(t, Running, m.State)
	_, err = db.ClientByHash(ctx, Hash{1})
	check(t, err)

	_, err = Open(ctx, path) // closing the one beside has not opened the way
	wantError(t, err, ErrInUse)
	check(t, db.Close())
	next := openTest(t, path)
	m, err = next.Message(ctx, "1")
	check(t, err)
	equal(t, Interrupted, m.State)
	recent(t, "Finished", m.Finished)
}

// TestBeside lets two processes open a new file and write at the same time:
// both wait for each other, and none fails.
func TestBeside(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	path := filepath.Join(t.TempDir(), "tegata.db")
	const writers, rounds = 3, 20
	var wait sync.WaitGroup
	for i := range writers {
		wait.Go(func() {
			if err := writeBeside(ctx, path, fmt.Sprint(i), rounds); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	db := openTest(t, path)
	for i := range writers {
		all, err := db.Messages(ctx, fmt.Sprint(i))
		check(t, err)
		equal(t, rounds, len(all))
	}
}

func writeBeside(ctx context.Context, path, conversation string, rounds int) error {
	db, err := Join(ctx, path)
	if err != nil {
		return err
	}
	defer db.Close()
	if err := db.CreateConversation(ctx, Conversation{ID: conversation}); err != nil {
		return err
	}
	for i := range rounds {
		old, next := fmt.Sprint(conversation, "-", i), fmt.Sprint(conversation, "+", i)
		if err := db.AddMessages(ctx, Message{ID: old, Conversation: conversation}); err != nil {
			return err
		}
		if err := db.Replace(ctx, old, Message{ID: next}); err != nil { // reads before it writes
			return err
		}
	}
	return db.Close()
}

func TestNewerSchema(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tegata.db")
	db, err := Open(t.Context(), path)
	check(t, err)
	_, err = db.write.Exec("PRAGMA user_version = 99")
	check(t, err)
	check(t, db.Close())
	_, err = Open(t.Context(), path)
	wantError(t, err, ErrNewer)
	_, err = Open(t.Context(), path) // the claim was given back
	wantError(t, err, ErrNewer)
	if want := "written by a newer version of tegata: its schema is 99, this one knows 1"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("error %q, want …%s", err, want)
	}
}

func TestNoStore(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tegata.db")
	check(t, os.WriteFile(path, []byte(strings.Repeat("something else ", 100)), 0o600))
	if db, err := Open(t.Context(), path); err == nil || !strings.Contains(err.Error(), "not a database") {
		t.Errorf("%v, %v", db, err)
	}
	if db, err := Open(t.Context(), filepath.Join(path, "below", "a file")); err == nil {
		t.Errorf("%v: opened below a file", db)
	}
}

// TestReadersOnly: what reads can't write, so a query can't become a change.
func TestReadersOnly(t *testing.T) {
	t.Parallel()
	db := openTest(t, filepath.Join(t.TempDir(), "tegata.db"))
	if _, err := db.read.Exec("DELETE FROM clients"); err == nil {
		t.Error("a reader has written")
	}
}

// TestKeysOpenWithoutWriting: where nothing can be written, as on a full disk,
// a key opens what it did.
func TestKeysOpenWithoutWriting(t *testing.T) {
	t.Parallel()
	db := openTest(t, filepath.Join(t.TempDir(), "tegata.db"))
	check(t, db.AddClient(t.Context(), Client{Name: "ci", Hash: Hash{1}}))
	_, err := db.write.Exec("PRAGMA query_only = 1")
	check(t, err)
	if c, err := db.ClientByHash(t.Context(), Hash{1}); c.Name != "ci" || err != nil {
		t.Errorf("%q, %v", c.Name, err)
	}
}

// TestIndexIsWhole lets SQLite compare its index of texts with the messages
// after each way in which a message can change.
func TestIndexIsWhole(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db := openTest(t, filepath.Join(t.TempDir(), "tegata.db"))
	check(t, db.CreateConversation(ctx, Conversation{ID: "a"}))
	for i := range 4 {
		check(t, db.AddMessages(ctx, Message{ID: fmt.Sprint("q", i), Conversation: "a", Text: "question"}, Message{ID: fmt.Sprint("a", i), Conversation: "a", State: Running}))
	}
	check(t, db.Grow(ctx, []Growth{{ID: "a0", Text: "grown"}, {ID: "a1", Text: "grown"}, {ID: "a2", Text: "grown"}}))
	check(t, db.Finish(ctx, Message{ID: "a0", State: Done, Text: "finished"}))
	check(t, db.Replace(ctx, "a0", Message{ID: "b0", State: Running}))
	check(t, db.Replace(ctx, "a1", Message{ID: "b1", Text: "new"}))
	check(t, db.interruptAbandoned(ctx))
	check(t, db.CreateConversation(ctx, Conversation{ID: "b"}))
	check(t, db.AddMessages(ctx, Message{ID: "gone", Conversation: "b", Text: "gone"}))
	check(t, db.DeleteConversation(ctx, "b"))
	if _, err := db.write.ExecContext(ctx, "INSERT INTO texts (texts, rank) VALUES ('integrity-check', 1)"); err != nil {
		t.Error(err)
	}
}

// The index may not hide a query that becomes slow: what the pages ask for is
// found without a look at every row.
func TestQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	db := openTest(t, filepath.Join(t.TempDir(), "tegata.db"))
	for _, query := range []string{
		"SELECT * FROM conversations c WHERE c.updated < 5 ORDER BY c.updated DESC, c.id LIMIT 3",
		"SELECT * FROM messages m WHERE m.conversation = 'a' ORDER BY m.position",
		"UPDATE messages SET text = '' WHERE id = 'a' AND state = 'running'",
		"UPDATE messages SET state = 'x' WHERE state = 'running'",
		"SELECT * FROM clients WHERE hash = x'00'",
		"SELECT client FROM calls WHERE time >= 3",
	} {
		rows, err := db.write.Query("EXPLAIN QUERY PLAN " + query)
		plan, err := collect(rows, err, func(row scanner) (detail string, err error) {
			var id, parent, unused int
			err = row.Scan(&id, &parent, &unused, &detail)
			return detail, err
		})
		check(t, err)
		if strings.Contains(strings.Join(plan, "\n"), "SCAN") {
			t.Errorf("%s: %q", query, plan)
		}
	}
}

const (
	killedAnswers = 50
	killedSteps   = 40
)

// writeUntilKilled lets answers grow and end without a pause, and says on
// stdout which have ended, after they have.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	db, err := Open(ctx, path)
	if err != nil {
		return err
	}
	if err := db.CreateConversation(ctx, Conversation{ID: "a"}); err != nil {
		return err
	}
	for round := 0; ; round++ {
		answers := make([]Growth, killedAnswers)
		for i := range answers {
			answers[i].ID = fmt.Sprintf("%d-%d", round, i)
			if err := db.AddMessages(ctx, Message{ID: answers[i].ID, Conversation: "a", Role: "assistant", State: Running}); err != nil {
				return err
			}
		}
		for step := range killedSteps {
			for i := range answers {
				answers[i].Text += "text "
			}
			if err := db.Grow(ctx, answers); err != nil {
				return err
			}
			if step < killedSteps-10 {
				continue
			}
			for _, a := range answers[:5] {
				if err := db.Finish(ctx, Message{ID: a.ID, State: Done, Text: a.Text}); err != nil {
					return err
				}
				fmt.Println(a.ID, len(a.Text))
			}
			answers = answers[5:]
		}
	}
}

// TestKill kills a process that writes fifty answers at once. Whatever it had
// said was finished is there, once and whole; the rest is interrupted and
// holds a beginning.
func TestKill(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tegata.db")
	finished := killWriter(t, path, 60)
	db := openTest(t, path)
	all, err := db.Messages(t.Context(), "a")
	check(t, err)
	seen := map[string]bool{}
	for position, m := range all {
		if seen[m.ID] || m.Position != position {
			t.Errorf("message %s is there twice, or out of its place", m.ID)
		}
		seen[m.ID] = true
		length, wasSaid := finished[m.ID]
		switch {
		case m.State == Done && wasSaid && fmt.Sprint(len(m.Text)) != length:
			t.Errorf("message %s has %d bytes, want %s", m.ID, len(m.Text), length)
		case m.State != Done && wasSaid, m.State != Done && m.State != Interrupted:
			t.Errorf("message %s is %s", m.ID, m.State)
		}
		delete(finished, m.ID)
	}
	if len(finished) > 0 {
		t.Errorf("messages were lost: %v", finished)
	}
	var broken string
	if err := db.read.QueryRow("PRAGMA integrity_check").Scan(&broken); err != nil || broken != "ok" {
		t.Errorf("integrity: %v, %v", broken, err)
	}
	if _, err := db.write.Exec("INSERT INTO texts (texts, rank) VALUES ('integrity-check', 1)"); err != nil {
		t.Errorf("index of texts: %v", err)
	}
	check(t, db.AddMessages(t.Context(), Message{ID: "next", Conversation: "a"}))
}

// killWriter lets a process write until it has said that so many answers have
// ended, kills it, and returns what it had said.
func killWriter(t *testing.T, path string, enough int) map[string]string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), writerFile+"="+path)
	out, err := cmd.StdoutPipe()
	check(t, err)
	check(t, cmd.Start())
	finished := map[string]string{}
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err == io.EOF {
			break
		}
		id, length, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.Contains(length, " ") {
			t.Fatalf("the writer failed: %s", line)
		}
		finished[id] = length
		if len(finished) == enough {
			check(t, cmd.Process.Kill())
		}
	}
	cmd.Wait()
	if len(finished) < enough {
		t.Fatalf("the writer ended by itself after %d answers", len(finished))
	}
	return finished
}

// BenchmarkGrow is what the engine asks of the disk four times a second with
// fifty running answers of 4 KiB, and a plain transaction of SQLite beside it.
func BenchmarkGrow(b *testing.B) {
	ctx := b.Context()
	db, err := Open(ctx, filepath.Join(b.TempDir(), "tegata.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.CreateConversation(ctx, Conversation{ID: "a"}); err != nil {
		b.Fatal(err)
	}
	growth := make([]Growth, killedAnswers)
	for i := range growth {
		growth[i] = Growth{ID: fmt.Sprint(i), Text: strings.Repeat("x", 4096)}
		if err := db.AddMessages(ctx, Message{ID: growth[i].ID, Conversation: "a", State: Running}); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("grow", func(b *testing.B) {
		for b.Loop() {
			if err := db.Grow(ctx, growth); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("reference", func(b *testing.B) { benchmarkPlain(b, growth) })
	b.Run("client by hash", func(b *testing.B) {
		if err := db.AddClient(ctx, Client{Name: "ci", Hash: Hash{1}}); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if _, err := db.ClientByHash(ctx, Hash{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func benchmarkPlain(b *testing.B, growth []Growth) {
	db, err := openFile(filepath.Join(b.TempDir(), "plain.db"), 1, url.Values{"_journal_mode": {"WAL"}, "_synchronous": {"NORMAL"}})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE plain (id TEXT PRIMARY KEY, text TEXT)"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if err := replaceAll(db, growth); err != nil {
			b.Fatal(err)
		}
	}
}

func replaceAll(db *sql.DB, growth []Growth) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	replace, err := tx.Prepare("INSERT OR REPLACE INTO plain VALUES (?, ?)")
	if err != nil {
		return err
	}
	for _, g := range growth {
		if _, err := replace.Exec(g.ID, g.Text); err != nil {
			return err
		}
	}
	return errors.Join(replace.Close(), tx.Commit())
}
