package gateway

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"tegata/bedrock"
	"tegata/store"
)

// In these tests time stands still unless everybody waits: client, gateway and
// AWS speak through pipes.

// inMemory is an AWS that streams what serve writes, as soon as it does.
type inMemory func(ctx context.Context, u *events)

func (serve inMemory) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/converse-stream") {
		return &http.Response{StatusCode: 403, Header: http.Header{}, Body: http.NoBody}, nil
	}
	out, in := io.Pipe()
	stop := context.AfterFunc(r.Context(), func() { in.CloseWithError(r.Context().Err()) })
	go func() {
		defer stop()
		serve(r.Context(), &events{in})
		in.Close()
	}()
	h := http.Header{}
	h.Set("Content-Type", "application/vnd.amazon.eventstream")
	h.Set("X-Amzn-RequestId", requestOfAWS)
	return &http.Response{StatusCode: 200, Header: h, Body: out, Request: r}, nil
}

// inBubble starts a gateway in front of such an AWS and returns a way to
// connect to it.
func inBubble(t *testing.T, aws inMemory) (*Server, func() net.Conn) {
	client := bedrock.New(bedrock.Config{
		Region: region, Attempts: 1, HTTPClient: &http.Client{Transport: aws},
		Credentials: credentials.NewStaticCredentialsProvider(keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken),
	})
	source := func(context.Context) (*bedrock.Client, error) { return client, nil }
	s := &Server{Source: source, Catalogue: bedrock.NewCatalogue(source)}
	l := pipes{make(chan net.Conn), make(chan struct{}), new(sync.Once)}
	srv := &http.Server{Handler: http.HandlerFunc(s.complete)}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return s, func() net.Conn {
		mine, its := net.Pipe()
		t.Cleanup(func() { mine.Close() })
		l.conns <- its
		return mine
	}
}

// pipes is a listener whose connections are handed to it.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   *sync.Once
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// request asks for a stream and returns the head of the answer, whose body
// still comes.
func request(t *testing.T, c net.Conn) *http.Response {
	t.Helper()
	body := `{"model":"` + sonnetInJP + `","stream":true,"messages":[{"role":"user","content":"hi"}]}`
	r, _ := http.NewRequestWithContext(t.Context(), "POST", "http://gateway"+completionsPath, strings.NewReader(body))
	if err := r.Write(c); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), r)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// A model that thinks for long must not look like a dead connection.
func TestSilenceIsKeptAwake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, connect := inBubble(t, func(ctx context.Context, u *events) {
			time.Sleep(47 * time.Second)
			u.event("messageStart", `{"role":"assistant"}`)
			u.text("at last")
			time.Sleep(20 * time.Second)
			u.end("end_turn")
		})
		began := time.Now()
		resp := request(t, connect())
		if d := time.Since(began); d != commitAfter || resp.StatusCode != 200 {
			t.Errorf("the head came after %v with status %d", d, resp.StatusCode)
		}
		var at []time.Duration
		var body strings.Builder
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			if lines.Text() == ": ping" {
				at = append(at, time.Since(began))
			} else {
				body.WriteString(lines.Text() + "\n")
			}
		}
		const s1 = time.Second
		if want := []time.Duration{10 * s1, 25 * s1, 40 * s1, 62 * s1}; !equal(at, want) {
			t.Errorf("pings at %v, want %v", at, want)
		}
		if got := textOf(t, body.String()); got != "at last" || !strings.Contains(body.String(), "[DONE]") {
			t.Errorf("said %q", got)
		}
		synctest.Wait()
		if n := s.counts.pings.Load(); n != 4 {
			t.Errorf("%d pings are counted", n)
		}
	})
}

func equal(a, b []time.Duration) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// A model that never says another word must not keep its client for ever.
func TestSilenceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, connect := inBubble(t, func(ctx context.Context, u *events) {
			u.event("messageStart", `{"role":"assistant"}`)
			time.Sleep(longestSilence - time.Second)
			u.text("yes, but")
			<-ctx.Done()
		})
		began := time.Now()
		body, err := io.ReadAll(request(t, connect()).Body)
		if d := time.Since(began); d != 2*longestSilence-time.Second || err != nil {
			t.Errorf("ended after %v with %v", d, err)
		}
		if b := string(body); !strings.Contains(b, "yes, but") || !strings.Contains(b, `"error"`) || !strings.Contains(b, requestOfAWS) || strings.Contains(b, "[DONE]") {
			t.Errorf("the client has %s", b)
		}
	})
}

// A refusal has its status as long as nothing was sent, however late it is.
func TestRefusalBeforeAndAfterTheHead(t *testing.T) {
	for _, tt := range []struct {
		after  time.Duration
		status int
	}{{9 * time.Second, 429}, {11 * time.Second, 200}} {
		synctest.Test(t, func(t *testing.T) {
			_, connect := inBubble(t, func(ctx context.Context, u *events) {
				time.Sleep(tt.after)
				u.exception("throttlingException", `{"message":"Too many tokens, please wait before trying again."}`)
			})
			resp := request(t, connect())
			b, err := io.ReadAll(resp.Body)
			body := strings.TrimPrefix(strings.TrimPrefix(string(b), ": ping\n\n"), "data: ")
			if e := errorIn(t, body); err != nil || resp.StatusCode != tt.status || deref(e.Code) != "TG6010" {
				t.Errorf("after %v: status %d, %s, %v", tt.after, resp.StatusCode, b, err)
			}
		})
	}
}

// A client that stops reading is let go, and Bedrock with it; others go on.
func TestStalledClientLosesItsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		ended := map[time.Duration]error{}
		began := time.Now()
		s, connect := inBubble(t, func(ctx context.Context, u *events) {
			u.event("messageStart", `{"role":"assistant"}`)
			for range 60 {
				u.text("word")
				select {
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
			}
			u.end("end_turn")
			mu.Lock()
			defer mu.Unlock()
			ended[time.Since(began)] = ctx.Err()
		})
		var calls []store.Call
		s.Record = func(_ context.Context, c store.Call) {
			mu.Lock()
			defer mu.Unlock()
			calls = append(calls, c)
		}
		request(t, connect()) // reads the head, and no more
		reader := request(t, connect())
		b, err := io.ReadAll(reader.Body)
		if got := textOf(t, string(b)); err != nil || got != strings.Repeat("word", 60) {
			t.Errorf("the one who reads got %q, %v", got, err)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if err := ended[writeWithin]; !errors.Is(err, context.Canceled) || len(ended) != 2 {
			t.Errorf("calls ended at %v", ended)
		}
		if len(calls) != 2 || calls[0].Status != bedrock.StatusGone || calls[1].Status != 200 {
			t.Errorf("recorded %+v", calls)
		}
		if m := metricsOf(s); !strings.Contains(m, `tegata_streams_ended_total{how="client_stalled"} 1`) || !strings.Contains(m, `{how="whole"} 1`) {
			t.Errorf("metrics:\n%s", m)
		}
	})
}

// A client that sends its question too slowly does not keep its place.
func TestSlowQuestion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, connect := inBubble(t, func(context.Context, *events) {})
		c := connect()
		began := time.Now()
		go io.WriteString(c, "POST "+completionsPath+" HTTP/1.1\r\nHost: gateway\r\nContent-Length: 100\r\n\r\n{")
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		if e := errorIn(t, string(b)); resp.StatusCode != 408 || !strings.Contains(e.Message, "whole") || time.Since(began) != readWithin {
			t.Errorf("after %v: status %d, error %+v", time.Since(began), resp.StatusCode, e)
		}
	})
}
