//go:build unix

package test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tegata/store"
)

// What a person has seen to its end is there after the process was killed;
// what was still growing ends as far as it was kept, and nothing is there
// twice.
func TestKilledServer(t *testing.T) {
	if !inBox(t, "bedrock: {pace: 100ms}\n") {
		return
	}
	const short, long = 25, 25
	data := t.TempDir()
	s := serve(t, data)
	s.signIn()
	questions := map[string]string{} // by conversation
	for i := range short + long {
		words := 2 + 2*i // some tenths of a second to some seconds
		if i >= short {
			words = 1000 // a minute
		}
		question := strings.TrimSpace(strings.Repeat(fmt.Sprint("word-", i, " "), words))
		r := s.post("/c", url.Values{"text": {"repeat after me: " + question}})
		if r.StatusCode != http.StatusSeeOther {
			t.Fatalf("question %d: %s %s", i, r.Status, text(r))
		}
		questions[strings.TrimPrefix(r.Header.Get("Location"), "/c/")] = question
	}
	seen := s.watch(questions)
	s.soon("some answers have ended", func() bool { return seen.count() >= short/2 })
	s.kill()
	seen.wait()

	restarted := serve(t, data)
	restarted.person = s.person
	for id := range questions {
		if r := restarted.answered(restarted.send(t.Context(), "GET", "/c/"+id, "", restarted.asPerson())); r.StatusCode != http.StatusOK {
			t.Errorf("conversation %s: %s", id, r.Status)
		}
	}
	restarted.stop()
	db, err := store.Open(t.Context(), filepath.Join(data, "tegata.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	interrupted := 0
	for id, question := range questions {
		messages, err := db.Messages(t.Context(), id)
		if err != nil || len(messages) != 2 || messages[0].Text != "repeat after me: "+question {
			t.Errorf("conversation %s: %v, %+v", id, err, messages)
			continue
		}
		answer := messages[1]
		switch {
		case answer.State == store.Interrupted && !seen.ended(answer.ID) && strings.HasPrefix(question, strings.TrimSpace(answer.Text)):
			interrupted++
		case answer.State != store.Done || answer.Text != question:
			t.Errorf("seen to its end: %t, but it is %s with %d of %d bytes", seen.ended(answer.ID), answer.State, len(answer.Text), len(question))
		}
	}
	if interrupted < long {
		t.Errorf("%d answers were interrupted, want %d at least", interrupted, long)
	}
}

// A sight is what persons have seen of conversations.
type sight struct {
	mu      sync.Mutex
	done    map[string]bool // ids of answers that were shown as done
	readers sync.WaitGroup
}

func (s *sight) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.done)
}

func (s *sight) ended(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done[id]
}

func (s *sight) wait() { s.readers.Wait() }

// watch opens the event stream of every conversation.
func (s *server) watch(conversations map[string]string) *sight {
	s.t.Helper()
	seen := &sight{done: map[string]bool{}}
	for id := range conversations {
		r, err := s.send(s.t.Context(), "GET", "/c/"+id+"/events", "", s.asPerson())
		if err != nil || r.StatusCode != http.StatusOK {
			s.t.Fatalf("events of %s: %v", id, err)
		}
		seen.readers.Go(func() { seen.read(r.Body) })
	}
	return seen
}

func (s *sight) read(body io.ReadCloser) {
	defer body.Close()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var message struct{ ID, State string }
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if ok && json.Unmarshal([]byte(data), &message) == nil && message.State == "done" {
			s.mu.Lock()
			s.done[message.ID] = true
			s.mu.Unlock()
		}
	}
}

// completion is a request for a streamed answer.
func completion(question string, more string) string {
	return fmt.Sprintf(`{"messages":[{"role":"user","content":%q}],"stream":true%s}`, question, more)
}

// A thousand answers at once cost little memory each, leave others alone, and
// are gone upstream when their readers are.
func TestThousandStreams(t *testing.T) {
	if !inBox(t, "bedrock: {pace: 400ms}\n") {
		return
	}
	const streams, perStream = 1000, 300 << 10
	s := serve(t, t.TempDir())
	s.signIn()
	s.unaffected()
	before := s.memory()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	var open sync.WaitGroup
	var begun atomic.Int32
	var failed atomic.Value
	for range streams {
		open.Go(func() {
			r, err := s.send(ctx, "POST", "/v1/chat/completions", completion("Tell me at length.", ""), s.asProgram())
			if err == nil && r.StatusCode != http.StatusOK {
				err = errors.New(r.Status)
			}
			if err != nil {
				failed.Store(err)
				return
			}
			defer r.Body.Close()
			if _, err := io.ReadAtLeast(r.Body, make([]byte, 1<<10), 512); err != nil {
				failed.Store(err)
				return
			}
			begun.Add(1)
			io.Copy(io.Discard, r.Body)
		})
	}
	s.soon("every stream has begun", func() bool { return begun.Load() == streams || failed.Load() != nil })
	if err := failed.Load(); err != nil {
		t.Fatal(err)
	}
	s.unaffected()
	each := (s.memory() - before) / streams
	t.Logf("%d KiB for each stream", each>>10)
	if each > perStream {
		t.Errorf("%d KiB for each stream, want at most %d", each>>10, perStream>>10)
	}
	leave()
	open.Wait()
	s.soon("no answer runs any more", func() bool { return s.inFlight() == 0 })
	s.stop()
}

// unaffected looks whether people and programs are served while others make
// trouble.
func (s *server) unaffected() {
	s.t.Helper()
	const soon = 5 * time.Second // far more than it takes, and far less than being stuck
	ctx, cancel := context.WithTimeout(s.t.Context(), soon)
	defer cancel()
	for path, header := range map[string]http.Header{"/health": {}, "/v1/models": s.asProgram(), "/": s.asPerson(), "/metrics": s.asProgram()} {
		r := s.answered(s.send(ctx, "GET", path, "", header))
		if r.StatusCode != http.StatusOK {
			s.t.Errorf("GET %s: %s %s", path, r.Status, text(r))
		}
	}
	r := s.answered(s.send(ctx, "POST", "/v1/chat/completions", completion("repeat after me: still here", ""), s.asProgram()))
	if answer := text(r); !strings.Contains(answer, "[DONE]") {
		s.t.Errorf("a short question: %s %s", r.Status, answer)
	}
}

// inFlight is how many calls of models the server counts that have not ended.
func (s *server) inFlight() (n int) {
	s.t.Helper()
	r := s.answered(s.send(s.t.Context(), "GET", "/metrics", "", s.asProgram()))
	for line := range strings.Lines(text(r)) {
		if _, err := fmt.Sscanf(line, "tegata_requests_in_flight %d", &n); err == nil {
			return n
		}
	}
	s.t.Fatal("no metric of what is in flight")
	return 0
}

// Clients that ask and never read an answer hold up nobody, and the server
// keeps no more than a few buffers for each.
func TestSlowClients(t *testing.T) {
	if !inBox(t, "bedrock: {pace: 1us}\n") {
		return
	}
	const clients, perClient = 8, 4 << 20
	s := serve(t, t.TempDir())
	s.signIn()
	s.unaffected()
	before := s.memory()
	question := "repeat after me: " + strings.Repeat("slow ", 30<<10)
	conversation := s.post("/c", url.Values{"text": {question}}).Header.Get("Location")
	for range clients {
		s.mute("POST", "/v1/chat/completions", completion(question, `,"max_tokens":64000`), s.asProgram())
		s.mute("GET", conversation+"/events", "", s.asPerson())
	}
	s.soon("every answer waits for its reader", func() bool {
		used := s.processorTime()
		time.Sleep(100 * time.Millisecond) // what is looked at is whether something happens meanwhile
		return s.inFlight() == clients && s.processorTime()-used <= 20*time.Millisecond
	})
	for range 3 {
		s.unaffected()
	}
	each := (s.memory() - before) / (2 * clients)
	t.Logf("%d KiB for each client", each>>10)
	if each > perClient {
		t.Errorf("%d KiB for each client that does not read, want at most %d", each>>10, perClient>>10)
	}
	if n := s.inFlight(); n != clients {
		t.Errorf("%d answers wait for their readers, want %d", n, clients)
	}
}

// mute sends a request over and over on a connection from which nothing is
// read, until the buffers of the system are full.
func (s *server) mute(method, path, body string, header http.Header) {
	s.t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	c.(*net.TCPConn).SetReadBuffer(4 << 10)
	var writer sync.WaitGroup
	s.t.Cleanup(func() { c.Close(); writer.Wait() })
	writer.Go(func() {
		for err := error(nil); err == nil; {
			var r *http.Request
			if r, err = http.NewRequest(method, s.url+path, strings.NewReader(body)); err == nil {
				r.Header = header
				err = r.Write(c)
			}
		}
	})
}

// A body that is too large is refused as such, whether its length is told or
// not, and is not kept meanwhile.
func TestLargeBodies(t *testing.T) {
	if !inBox(t, "") {
		return
	}
	const size, most = 10 << 20, 320 << 20 // of 800 that are sent
	s := serve(t, t.TempDir())
	s.signIn()
	s.unaffected()
	before := s.memory()
	large := "text=" + strings.Repeat("a", size)
	var all sync.WaitGroup
	for range 8 {
		for path, header := range map[string]http.Header{
			"/v1/chat/completions": s.asProgram(), "/c": s.asPerson(), "/sign-in": {}, "/preferences": {}, "/sign-out": {},
		} {
			if header.Get("Content-Type") == "" {
				header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			for _, told := range []bool{true, false} {
				all.Go(func() { s.refused(path, large, header, told) })
			}
		}
	}
	all.Wait()
	s.unaffected()
	if grown := s.memory() - before; grown > most {
		t.Errorf("%d MiB more than before", grown>>20)
	}
	s.stop()
}

func (s *server) refused(path, body string, header http.Header, told bool) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), "POST", s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	r.Header = header
	if !told {
		r.ContentLength = -1
	}
	answer, err := client.Do(r)
	if path != "/v1/chat/completions" && (errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)) {
		return // a connection that is closed while the client still writes
	}
	if err != nil {
		s.t.Errorf("POST %s: %v", path, err)
		return
	}
	answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusRequestEntityTooLarge:
	case http.StatusServiceUnavailable: // so many at once are not taken
		if path != "/v1/chat/completions" {
			s.t.Errorf("POST %s: %s", path, answer.Status)
		}
	case http.StatusUnauthorized:
		if path != "/sign-out" {
			s.t.Errorf("POST %s: %s", path, answer.Status)
		}
	default:
		s.t.Errorf("POST %s of %d bytes: %s", path, len(body), answer.Status)
	}
}

// processorTime is how long the server has computed.
func (s *server) processorTime() time.Duration {
	s.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.process.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	fields := strings.Fields(string(stat)[strings.LastIndexByte(string(stat), ')')+1:])
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime, proc_pid_stat(5)
		n, err := strconv.Atoi(field)
		if err != nil {
			s.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
