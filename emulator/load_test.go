package emulator_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tegata/emulator"
	"tegata/emulator/imdstest"
)

// Many clients at once, each asking for something else every time, get their
// own answers and no one else's.
func TestMixedLoad(t *testing.T) {
	o := full()
	o.KeepAlive = true
	s := imdstest.NewServer(t, o)
	if asked := mixedLoad(t, s.URL, 16, func(batch int) bool { return batch < 64 }); asked != 16*64*50 {
		t.Errorf("%d requests", asked)
	}
}

// mixedLoad has clients ask at once, each over one connection, as long as more
// says so. It returns how many requests were answered as they should be.
func mixedLoad(t *testing.T, url string, clients int, more func(batch int) bool) (asked int64) {
	t.Helper()
	var all sync.WaitGroup
	var sum atomic.Int64
	for n := range clients {
		all.Go(func() {
			if err := mixedClient(url, n, more, &sum); err != nil {
				t.Errorf("client %d: %v", n, err)
			}
		})
	}
	all.Wait()
	return sum.Load()
}

// An exchange is a request and what its answer must hold; want is "" for a
// new token.
type exchange struct{ path, want string }

// mixedClient makes one client's requests, 50 at a time. Each batch reads with
// a token of the one before.
func mixedClient(url string, client int, more func(batch int) bool, asked *atomic.Int64) error {
	w, err := dial(url)
	if err != nil {
		return err
	}
	defer w.Close()
	token, err := w.ask("PUT", tokenURL, ttlHeader+": 60")
	if err != nil {
		return err
	}
	role, err := w.ask("GET", "/latest/meta-data/iam/security-credentials/app-role", tokenHeader+": "+token)
	if err != nil {
		return err
	}
	menu := []exchange{
		{"/latest/meta-data/instance-id", "i-0aa"},
		{"/latest/meta-data/placement/region", "eu-west-1"},
		{"/2021-03-23/meta-data/tags/instance/Name", "box"},
		{"/latest/meta-data/nothing", notFound},
		{"/latest/meta-data/iam/security-credentials/", "app-role"},
		{"/latest/meta-data/iam/security-credentials/app-role", role},
		{tokenURL, ""},
	}
	batch := make([]exchange, 50)
	for n := 0; more(n); n++ {
		for k := range batch {
			batch[k] = menu[(client+n+k)%len(menu)]
		}
		if token, err = w.exchange(batch, token); err != nil {
			return err
		}
		asked.Add(int64(len(batch)))
	}
	return nil
}

// exchange sends all requests and then reads all answers. It returns the last
// token among them.
func (w *wire) exchange(batch []exchange, token string) (next string, err error) {
	headers := ttlHeader + ": 60\r\n" + tokenHeader + ": " + token
	var requests []byte
	for _, x := range batch {
		method := "GET"
		if x.want == "" {
			method = "PUT"
		}
		requests = append(requests, request(method, x.path, headers)...)
	}
	if _, err := w.Write(requests); err != nil {
		return "", err
	}
	for _, x := range batch {
		got, err := w.answer()
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: %w", x.path, err)
		case x.want == "" && len(got) == 56:
			next = got
		case got != x.want:
			return "", fmt.Errorf("%s: got %q, want %q", x.path, got, x.want)
		}
	}
	return next, nil
}

// A wire is a connection whose client does as little as possible.
type wire struct {
	net.Conn
	r *bufio.Reader
}

func dial(url string) (*wire, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		return nil, err
	}
	return &wire{conn, bufio.NewReader(conn)}, nil
}

func request(method, path, headers string) string {
	return method + " " + path + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n\r\n"
}

func (w *wire) ask(method, path, headers string) (body string, err error) {
	if _, err := io.WriteString(w, request(method, path, headers)); err != nil {
		return "", err
	}
	return w.answer()
}

// answer reads one answer with a Content-Length.
func (w *wire) answer() (body string, err error) {
	length := -1
	for {
		line, err := w.r.ReadSlice('\n')
		if err != nil {
			return "", err
		}
		if len(line) == 2 {
			break
		}
		if text, ok := strings.CutPrefix(string(line), "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(text)); err != nil {
				return "", err
			}
		}
	}
	if length < 0 {
		return "", errors.New("no Content-Length")
	}
	b := make([]byte, length)
	_, err = io.ReadFull(w.r, b)
	return string(b), err
}

// The emulator's budget is 1.3 times the time of a handler that answers one
// thing to everything, under the same connection policy:
//
//	go test ./emulator -run '^$' -bench . -count 10
func BenchmarkServe(b *testing.B) {
	for _, policy := range []string{"keep-alive", "close"} {
		keep := policy == "keep-alive"
		b.Run(policy+"/constant", func(b *testing.B) {
			benchmark(b, constantServer(b, keep), keep, request("GET", "/", "Accept: */*"))
		})
		s := imdstest.NewServer(b, emulator.Options{KeepAlive: keep})
		const ttl = ttlHeader + ": 21600"
		b.Run(policy+"/put", func(b *testing.B) { benchmark(b, s.URL, keep, request("PUT", tokenURL, ttl)) })
		w, err := dial(s.URL)
		if err != nil {
			b.Fatal(err)
		}
		token, err := w.ask("PUT", tokenURL, ttl)
		if err != nil {
			b.Fatal(err)
		}
		get := request("GET", "/latest/meta-data/instance-id", tokenHeader+": "+token)
		b.Run(policy+"/get", func(b *testing.B) { benchmark(b, s.URL, keep, get) })
		w.Close()
	}
}

// constantServer is the reference: net/http and nothing else.
func constantServer(b *testing.B, keep bool) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	body := []byte("i-0123456789abcdef0")
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(body)
	})}
	srv.SetKeepAlivesEnabled(keep)
	go srv.Serve(l)
	b.Cleanup(func() { srv.Close() })
	return "http://" + l.Addr().String()
}

// benchmark sends the same bytes again and again, and hardly looks at what
// comes back, so that most of the time measured is the server's.
func benchmark(b *testing.B, url string, keep bool, request string) {
	b.ReportAllocs()
	var w *wire
	buffer := make([]byte, 4096)
	for b.Loop() {
		if w == nil {
			var err error
			if w, err = dial(url); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := io.WriteString(w, request); err != nil {
			b.Fatal(err)
		}
		n, err := w.Conn.Read(buffer)
		if err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200 OK") {
			b.Fatalf("got %q, %v", buffer[:n], err)
		}
		if !keep {
			w.Close()
			w = nil
		}
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := emulator.New(full()); err != nil {
			b.Fatal(err)
		}
	}
}
