package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testStore is what every database has to do. open returns a new, empty store
// that the test closes.
func testStore(t *testing.T, open func(*testing.T) *DB) {
	for _, behaviour := range []struct {
		name string
		test func(*testing.T, *DB)
	}{
		{"conversations", testConversations},
		{"pages of conversations", testPages},
		{"messages", testMessages},
		{"all messages or none", testAllOrNone},
		{"an answer grows and ends once", testGrowth},
		{"replace", testReplace},
		{"delete", testDelete},
		{"absent", testAbsent},
		{"search", testSearch},
		{"search knows what has gone", testSearchForgets},
		{"usage", testUsage},
		{"clients", testClients},
		{"password", testPassword},
		{"sessions", testSessions},
		{"links", testLinks},
		{"many at once", testManyAtOnce},
		{"canceled", testCanceled},
	} {
		t.Run(behaviour.name, func(t *testing.T) {
			t.Parallel()
			behaviour.test(t, open(t))
		})
	}
}

// noon is some time without a monotonic clock, in the zone of stored times.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 123456789, time.UTC)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

func equal(t *testing.T, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("not as wanted (-want +got):\n%s", diff)
	}
}

// recent checks that a time is about now.
func recent(t *testing.T, what string, at time.Time) {
	t.Helper()
	if ago := time.Since(at); ago < 0 || ago > time.Minute {
		t.Errorf("%s is %v", what, at)
	}
}

func testConversations(t *testing.T, db *DB) {
	ctx := t.Context()
	c := Conversation{ID: "a", Title: "手形とは", Model: "m1", System: "Answer in Japanese.", Created: noon, Updated: noon.Add(time.Nanosecond)}
	check(t, db.CreateConversation(ctx, c))
	got, err := db.Conversation(ctx, "a")
	check(t, err)
	equal(t, c, got)
	wantError(t, db.CreateConversation(ctx, c), ErrExists)

	c.Title, c.Model, c.System = "Pass", "m2", ""
	change := c
	change.Created, change.Updated = time.Time{}, time.Time{} // are not what is updated
	check(t, db.UpdateConversation(ctx, change))
	got, err = db.Conversation(ctx, "a")
	check(t, err)
	equal(t, c, got)

	check(t, db.CreateConversation(ctx, Conversation{ID: "b"}))
	got, err = db.Conversation(ctx, "b")
	check(t, err)
	recent(t, "Created", got.Created)
	if !got.Updated.Equal(got.Created) {
		t.Errorf("updated %v, created %v", got.Updated, got.Created)
	}
}

func ids(all []Conversation) (list []string) {
	for _, c := range all {
		list = append(list, c.ID)
	}
	return list
}

func testPages(t *testing.T, db *DB) {
	ctx := t.Context()
	for i, id := range []string{"b", "a", "d", "c"} {
		check(t, db.CreateConversation(ctx, Conversation{ID: id, Created: noon, Updated: noon.Add(time.Duration(i) * time.Second)}))
	}
	page := func(limit int, before time.Time) []Conversation {
		all, err := db.Conversations(ctx, limit, before)
		check(t, err)
		return all
	}
	equal(t, []string{"c", "d", "a", "b"}, ids(page(0, time.Time{})))
	first := page(3, time.Time{})
	equal(t, []string{"c", "d", "a"}, ids(first))
	equal(t, []string{"b"}, ids(page(3, first[2].Updated)))
	equal(t, []string(nil), ids(page(3, noon)))

	check(t, db.AddMessages(ctx, Message{ID: "m", Conversation: "b", Role: "user", Text: "new"}))
	equal(t, []string{"b", "c"}, ids(page(2, time.Time{})))
}

// whole is a message with a value in every field.
func whole(id, conversation string) Message {
	return Message{
		ID: id, Conversation: conversation, Role: "assistant", Text: "text\x00 of 手形", Reasoning: "thought", State: Failed,
		Model: "jp.model", StopReason: "end_turn",
		Problem: &Problem{ID: "TG6014", Detail: "denied", RequestID: "r-1", Fields: map[string]string{"model": "m"}},
		Usage:   Usage{Input: 1, Output: 2, CacheRead: 3, CacheWrite: 4}, Cost: 0.00012345, Created: noon, Finished: noon.Add(time.Second),
	}
}

func testMessages(t *testing.T, db *DB) {
	ctx := t.Context()
	check(t, db.CreateConversation(ctx, Conversation{ID: "a", Created: noon}))
	check(t, db.CreateConversation(ctx, Conversation{ID: "b", Created: noon}))
	question := Message{ID: "1", Conversation: "a", Role: "user", Text: "hello", State: Done, Created: noon}
	answer := whole("2", "a")
	check(t, db.AddMessages(ctx, question, answer))
	check(t, db.AddMessages(ctx, Message{ID: "3", Conversation: "b", Role: "user"}, Message{ID: "4", Conversation: "a", Role: "user"}))

	answer.Position = 1
	all, err := db.Messages(ctx, "a")
	check(t, err)
	equal(t, []Message{question, answer}, all[:2])
	equal(t, 2, all[2].Position)
	equal(t, Done, all[2].State)
	recent(t, "Created", all[2].Created)
	one, err := db.Message(ctx, "2")
	check(t, err)
	equal(t, answer, one)
	other, err := db.Message(ctx, "3")
	check(t, err)
	equal(t, 0, other.Position)
	c, err := db.Conversation(ctx, "a")
	check(t, err)
	recent(t, "Updated", c.Updated)
}

func testAllOrNone(t *testing.T, db *DB) {
	ctx := t.Context()
	check(t, db.CreateConversation(ctx, Conversation{ID: "a", Created: noon}))
	check(t, db.AddMessages(ctx, Message{ID: "1", Conversation: "a", Role: "user"}))
	wantError(t, db.AddMessages(ctx, Message{ID: "2", Conversation: "a"}, Message{ID: "1", Conversation: "a"}), ErrExists)
	wantError(t, db.AddMessages(ctx, Message{ID: "2", Conversation: "a"}, Message{ID: "3", Conversation: "none"}), ErrNotFound)
	all, err := db.Messages(ctx, "a")
	check(t, err)
	if len(all) != 1 {
		t.Errorf("%d messages, want the first alone", len(all))
	}
}

func testGrowth(t *testing.T, db *DB) {
	ctx := t.Context()
	check(t, db.CreateConversation(ctx, Conversation{ID: "a", Created: noon}))
	running := Message{ID: "1", Conversation: "a", Role: "assistant", State: Running, Model: "m", Created: noon}
	check(t, db.AddMessages(ctx, running, Message{ID: "2", Conversation: "a", Role: "user", Text: "done"}))
	check(t, db.Grow(ctx, []Growth{{"1", "so", "hm"}, {"2", "changed", ""}, {"none", "x", ""}}))
	check(t, db.Grow(ctx, []Growth{{"1", "so far", "hmm"}}))
	got, err := db.Message(ctx, "1")
	check(t, err)
	running.Text, running.Reasoning = "so far", "hmm"
	equal(t, running, got)
	done, err := db.Message(ctx, "2")
	check(t, err)
	equal(t, "done", done.Text)

	if err := db.Finish(ctx, Message{ID: "1", State: Running}); err == nil {
		t.Error("an answer ended as running")
	}
	end := whole("1", "a")
	end.Created, end.Role, end.Conversation = time.Time{}, "", "" // are not what an end changes
	check(t, db.Finish(ctx, end))
	want := whole("1", "a")
	got, err = db.Message(ctx, "1")
	check(t, err)
	equal(t, want, got)

	wantError(t, db.Finish(ctx, Message{ID: "1", State: Done, Text: "again"}), ErrNotFound)
	wantError(t, db.Finish(ctx, Message{ID: "none", State: Done}), ErrNotFound)
	check(t, db.Grow(ctx, []Growth{{"1", "late", ""}}))
	got, err = db.Message(ctx, "1")
	check(t, err)
	equal(t, want, got)
	c, err := db.Conversation(ctx, "a")
	check(t, err)
	equal(t, want.Finished, c.Updated)
}

func testReplace(t *testing.T, db *DB) {
	ctx := t.Context()
	check(t, db.CreateConversation(ctx, Conversation{ID: "a", Created: noon}))
	check(t, db.AddMessages(ctx, Message{ID: "1", Conversation: "a", Role: "user"}, Message{ID: "2", Conversation: "a", Role: "assistant", Text: "old"}))
	before, err := db.Conversation(ctx, "a")
	check(t, err)
	check(t, db.Replace(ctx, "2", Message{ID: "3", Role: "assistant", State: Running, Created: noon}))
	all, err := db.Messages(ctx, "a")
	check(t, err)
	equal(t, Message{ID: "3", Conversation: "a", Position: 1, Role: "assistant", State: Running, Created: noon}, all[len(all)-1])
	equal(t, 2, len(all))
	after, err := db.Conversation(ctx, "a")
	check(t, err)
	if !after.Updated.After(before.Updated) {
		t.Errorf("updated %v, then %v", before.Updated, after.Updated)
	}
	wantError(t, db.Replace(ctx, "2", Message{ID: "4"}), ErrNotFound)
	wantError(t, db.Replace(ctx, "3", Message{ID: "1"}), ErrExists)
	check(t, db.AddMessages(ctx, Message{ID: "5", Conversation: "a"}))
	last, err := db.Message(ctx, "5")
	check(t, err)
	equal(t, 2, last.Position)
}

func testDelete(t *testing.T, db *DB) {
	ctx := t.Context()
	for _, id := range []string{"a", "b"} {
		check(t, db.CreateConversation(ctx, Conversation{ID: id, Title: "same", Created: noon}))
		check(t, db.AddMessages(ctx, Message{ID: "of " + id, Conversation: id, Text: "same"}))
	}
	check(t, db.DeleteConversation(ctx, "a"))
	wantError(t, db.DeleteConversation(ctx, "a"), ErrNotFound)
	_, err := db.Conversation(ctx, "a")
	wantError(t, err, ErrNotFound)
	_, err = db.Message(ctx, "of a")
	wantError(t, err, ErrNotFound)
	_, err = db.Message(ctx, "of b")
	check(t, err)
	hits, err := db.Search(ctx, "same", 0)
	check(t, err)
	equal(t, 1, len(hits))
}

func testAbsent(t *testing.T, db *DB) {
	ctx := t.Context()
	_, err := db.Conversation(ctx, "none")
	wantError(t, err, ErrNotFound)
	_, err = db.Message(ctx, "none")
	wantError(t, err, ErrNotFound)
	wantError(t, db.UpdateConversation(ctx, Conversation{ID: "none"}), ErrNotFound)
	all, err := db.Messages(ctx, "none")
	check(t, err)
	equal(t, 0, len(all))
}

func testSearch(t *testing.T, db *DB) {
	ctx := t.Context()
	for i, c := range []struct{ id, title, text string }{
		{"inn", "旅の計画", "関所で手形を見せると、京都まで歩いて行けました。Ōtsu station."},
		{"aws", "Roles", `The "AND" of a policy; 100% of it_is NEAR(x) * -y OR "z".`},
		{"two", "IAM and 手形", "nothing!"},
		{"old", "", strings.Repeat("long ", 100) + "Needle in the hay" + strings.Repeat(" stack", 100)},
	} {
		check(t, db.CreateConversation(ctx, Conversation{ID: c.id, Title: c.title, Created: noon}))
		check(t, db.AddMessages(ctx, Message{ID: c.id, Conversation: c.id, Role: "user", Text: c.text}))
		end := Message{ID: "answer " + c.id, Conversation: c.id, Role: "assistant", State: Running}
		check(t, db.AddMessages(ctx, end))
		end.State, end.Text, end.Finished = Done, "An answer to "+c.id, noon.Add(time.Duration(i)*time.Hour)
		check(t, db.Finish(ctx, end))
	}
	check(t, db.AddMessages(ctx, Message{ID: "running", Conversation: "old", Role: "assistant", State: Running, Text: "unfinished business"}))
	for _, test := range []struct {
		query string
		want  []string // newest first
	}{
		{"手形", []string{"two", "inn"}},
		{"手", []string{"two", "inn"}},
		{"関所で", []string{"inn"}},
		{"見せると、京都", []string{"inn"}},
		{"京都 関所", []string{"inn"}},
		{"京都　手形を", []string{"inn"}},
		{"京都 policy", nil},
		{"ōTSU", []string{"inn"}},
		{"needle HAY", []string{"old"}},
		{"answer to aws", []string{"aws"}},
		{"AnSwEr", []string{"old", "two", "aws", "inn"}},
		{"unfinished", nil},
		{"un", nil},
		{"!", []string{"two"}},
		{`"AND"`, []string{"aws"}},
		{`"`, []string{"aws"}},
		{`""`, nil},
		{"AND OR", []string{"aws"}},
		{"NEAR(x)", []string{"aws"}},
		{"* -y", []string{"aws"}},
		{"0%", []string{"aws"}},
		{"%", []string{"aws"}},
		{"t_i", []string{"aws"}},
		{"i_m", nil},
		{"iam", []string{"two"}},
		{"text:nothing", nil},
		{"'; DROP TABLE messages; --", nil},
		{"\x00", nil},
		{"\xff", nil},
		{strings.Repeat("a ", 20_000), []string{"old", "two", "aws", "inn"}},
		{strings.Repeat("answer ", 5_000), []string{"old", "two", "aws", "inn"}},
		{strings.Repeat("x", 60_000), nil},
		{" \t ", nil},
		{"", nil},
	} {
		hits, err := db.Search(ctx, test.query, 0)
		if err != nil {
			t.Errorf("%.40q: %v", test.query, err)
			continue
		}
		if got := foundIn(hits); !slices.Equal(got, test.want) {
			t.Errorf("%.40q found %q, want %q", test.query, got, test.want)
		}
	}
	testSnippets(t, db)
}

func foundIn(hits []Hit) (list []string) {
	for _, h := range hits {
		list = append(list, h.Conversation.ID)
	}
	return list
}

func testSnippets(t *testing.T, db *DB) {
	for _, test := range []struct {
		query string
		want  string
	}{
		{"手形", ""}, // the newest hit holds it in its title alone
		{"関所で", "関所で手形を見せると、京都まで歩いて行けました。Ōtsu station."},
		{"NEEDLE", "…ong long long long long Needle in the hay stack stack stack stack stack stack stack stack stack stack…"},
	} {
		hits, err := db.Search(t.Context(), test.query, 1)
		check(t, err)
		if len(hits) != 1 || hits[0].Snippet != test.want {
			t.Errorf("%q: %+v, want the snippet %q", test.query, hits, test.want)
		}
	}
}

func testSearchForgets(t *testing.T, db *DB) {
	ctx := t.Context()
	check(t, db.CreateConversation(ctx, Conversation{ID: "a", Created: noon}))
	check(t, db.AddMessages(ctx, Message{ID: "1", Conversation: "a", Text: "first words"}))
	check(t, db.Replace(ctx, "1", Message{ID: "2", State: Running, Text: "half"}))
	check(t, db.Replace(ctx, "2", Message{ID: "3", Text: "second thoughts"}))
	for query, want := range map[string]int{"first": 0, "half": 0, "second": 1} {
		hits, err := db.Search(ctx, query, 0)
		check(t, err)
		if len(hits) != want {
			t.Errorf("%q: %d hits, want %d", query, len(hits), want)
		}
	}
}

func testUsage(t *testing.T, db *DB) {
	ctx := t.Context()
	u := Usage{Input: 10, Output: 20, CacheRead: 30, CacheWrite: 40}
	check(t, db.Record(ctx, []Call{
		{Time: noon.Add(-time.Nanosecond), Client: "ci", Model: "m", Usage: u, Cost: 100},
		{Time: noon, Client: "ci", Model: "m", Usage: u, Cost: 0.5, Status: 200, RequestID: "r"},
		{Time: noon.Add(time.Hour), Client: "ci", Model: "m", Usage: u, Cost: 0.25, Status: 200},
		{Time: noon, Client: "ci", Model: "k", Status: 429, Finding: "TG6011"},
		{Time: noon, Client: "app", Model: "m", Usage: u, Cost: 1},
	}))
	got, err := db.UsageSince(ctx, noon)
	check(t, err)
	equal(t, []Total{
		{"app", "m", 1, u, 1},
		{"ci", "k", 1, Usage{}, 0},
		{"ci", "m", 2, Usage{20, 40, 60, 80}, 0.75},
	}, got)
	got, err = db.UsageSince(ctx, noon.Add(2*time.Hour))
	check(t, err)
	equal(t, 0, len(got))
	check(t, db.Record(ctx, nil))
}

func testClients(t *testing.T, db *DB) {
	ctx := t.Context()
	ci, app := Client{Name: "ci", Hash: Hash{1, 31: 9}, Created: noon}, Client{Name: "app", Hash: Hash{2}, Created: noon}
	check(t, db.AddClient(ctx, ci))
	check(t, db.AddClient(ctx, app))
	wantError(t, db.AddClient(ctx, Client{Name: "ci", Hash: Hash{3}}), ErrExists)
	all, err := db.Clients(ctx)
	check(t, err)
	equal(t, []Client{app, ci}, all)

	got, err := db.ClientByHash(ctx, ci.Hash)
	check(t, err)
	equal(t, ci, got)
	_, err = db.ClientByHash(ctx, Hash{9})
	wantError(t, err, ErrNotFound)
	used, err := db.ClientByHash(ctx, ci.Hash)
	check(t, err)
	recent(t, "LastUsed", used.LastUsed)
	again, err := db.ClientByHash(ctx, ci.Hash)
	check(t, err)
	equal(t, used, again) // within the minute

	check(t, db.RemoveClient(ctx, "ci"))
	wantError(t, db.RemoveClient(ctx, "ci"), ErrNotFound)
	_, err = db.ClientByHash(ctx, ci.Hash)
	wantError(t, err, ErrNotFound)
}

func testPassword(t *testing.T, db *DB) {
	ctx := t.Context()
	for _, want := range []string{"", "one", "two"} {
		if want != "" {
			check(t, db.SetPassword(ctx, want))
		}
		got, err := db.PasswordHash(ctx)
		check(t, err)
		equal(t, want, got)
	}
}

func testSessions(t *testing.T, db *DB) {
	ctx := t.Context()
	soon := time.Now().Add(time.Hour).UTC().Round(0)
	alive := func(hash Hash) bool {
		_, err := db.Session(ctx, hash)
		if err != nil {
			wantError(t, err, ErrNotFound)
		}
		return err == nil
	}
	check(t, db.AddSession(ctx, Hash{1}, soon))
	check(t, db.AddSession(ctx, Hash{2}, time.Now().Add(-time.Second)))
	got, err := db.Session(ctx, Hash{1})
	check(t, err)
	equal(t, soon, got.Expires)
	recent(t, "Created", got.Created)
	if alive(Hash{2}) || alive(Hash{}) {
		t.Error("a session that has expired, or never was, lives")
	}
	check(t, db.ExtendSession(ctx, Hash{1}, soon.Add(time.Hour)))
	got, err = db.Session(ctx, Hash{1})
	check(t, err)
	equal(t, soon.Add(time.Hour), got.Expires)

	check(t, db.AddSession(ctx, Hash{3}, soon))
	wantError(t, db.ExtendSession(ctx, Hash{2}, soon), ErrNotFound) // it was forgotten
	check(t, db.EndSession(ctx, Hash{1}))
	check(t, db.EndSession(ctx, Hash{1}))
	wantError(t, db.ExtendSession(ctx, Hash{1}, soon), ErrNotFound)
	if alive(Hash{1}) || !alive(Hash{3}) {
		t.Error("the wrong session ended")
	}
	check(t, db.AddSession(ctx, Hash{4}, soon))
	check(t, db.AddLink(ctx, Hash{5}, soon))
	check(t, db.EndAllSessions(ctx, Hash{4}))
	if alive(Hash{3}) || !alive(Hash{4}) {
		t.Error("all but one ended otherwise")
	}
	wantError(t, db.TakeLink(ctx, Hash{5}), ErrNotFound)
	check(t, db.EndAllSessions(ctx, Hash{}))
	if alive(Hash{4}) {
		t.Error("a session outlived the end of all")
	}
}

func testLinks(t *testing.T, db *DB) {
	ctx := t.Context()
	check(t, db.AddLink(ctx, Hash{1}, time.Now().Add(time.Hour)))
	check(t, db.AddLink(ctx, Hash{2}, time.Now().Add(-time.Second)))
	wantError(t, db.TakeLink(ctx, Hash{2}), ErrNotFound)
	var taken sync.Map
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			if err := db.TakeLink(ctx, Hash{1}); err == nil {
				taken.Store(i, true)
			} else if !errors.Is(err, ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	times := 0
	taken.Range(func(any, any) bool { times++; return true })
	equal(t, 1, times)
}

// testManyAtOnce lets readers and writers meet: nobody is told to try again.
func testManyAtOnce(t *testing.T, db *DB) {
	ctx := t.Context()
	const conversations, rounds = 8, 10
	var wait sync.WaitGroup
	for i := range conversations {
		wait.Go(func() {
			id := fmt.Sprint(i)
			if err := db.CreateConversation(ctx, Conversation{ID: id}); err != nil {
				t.Error(err)
			}
			for round := range rounds {
				if err := liveOnce(ctx, db, id, fmt.Sprint(i, "-", round)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	for i := range conversations {
		all, err := db.Messages(ctx, fmt.Sprint(i))
		check(t, err)
		for position, m := range all {
			if m.Position != position || m.State != Done || m.Text != "whole" {
				t.Errorf("conversation %d, message %d: %+v", i, position, m)
			}
		}
		equal(t, rounds, len(all))
	}
}

// liveOnce is the life of one answer, with readers beside it.
func liveOnce(ctx context.Context, db *DB, conversation, id string) error {
	m := Message{ID: id, Conversation: conversation, Role: "assistant", State: Running}
	if err := db.AddMessages(ctx, m); err != nil {
		return err
	}
	if err := db.Grow(ctx, []Growth{{ID: id, Text: "who"}}); err != nil {
		return err
	}
	if _, err := db.Search(ctx, "whole", 3); err != nil {
		return err
	}
	m.State, m.Text = Done, "whole"
	if err := db.Finish(ctx, m); err != nil {
		return err
	}
	_, err := db.Conversations(ctx, 3, time.Time{})
	return err
}

// testCanceled: who goes away changes nothing, and leaves the store working.
func testCanceled(t *testing.T, db *DB) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, db.CreateConversation(ctx, Conversation{ID: "a"}), context.Canceled)
	wantError(t, db.AddMessages(ctx, Message{ID: "1", Conversation: "a"}), context.Canceled)
	_, err := db.Search(ctx, "some", 0)
	wantError(t, err, context.Canceled)
	check(t, db.CreateConversation(t.Context(), Conversation{ID: "a"}))
}
