package imds_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"tegata/imds"
)

// FuzzReply answers with any bytes. The client must come to an end in bounded
// time, with a value or with an error of one kind that can be printed.
func FuzzReply(f *testing.F) {
	const granted = "HTTP/1.1 200 OK\r\nX-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\nContent-Length: 4\r\n\r\nAQAE"
	for _, put := range []string{
		granted, "", "HTTP/1.1 403 Forbidden\r\nServer: \x1b[31m\r\nContent-Length: 0\r\n\r\n", "HTTP/1.0 405 No\r\n\r\n", "SSH-2.0-x\r\n",
		"HTTP/1.1 429 Slow\r\nRetry-After: 99999999999\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 302 F\r\nLocation: http://\x07/\r\n\r\n",
		"HTTP/1.1 200 OK\r\nVia: 1.1 \"\r\nContent-Length: 1\r\n\r\nA", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	} {
		for _, get := range []string{
			"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n" + instanceID, "HTTP/1.1 401 U\r\nContent-Length: 0\r\n\r\n", "", "\r\n\r\n",
			"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 12}", "HTTP/1.1 200 OK\r\n\r\n<html>\x00", "HTTP/1.1 100 C\r\n\r\n", "HTTP/1.1 999 X\r\n\r\n",
		} {
			f.Add(put, get)
		}
	}
	f.Fuzz(func(t *testing.T, put, get string) {
		synctest.Test(t, func(t *testing.T) {
			for _, policy := range []imds.Policy{imds.Never, imds.WhenAbsent} {
				c := &imds.Client{Policy: policy, Dial: replying(put, get)}
				began := time.Now()
				v, err := c.InstanceID(t.Context())
				c.Close()
				if d := time.Since(began); d > 40*time.Second {
					t.Errorf("took %v", d)
				}
				if err == nil {
					if !strings.HasPrefix(v, "i-") {
						t.Errorf("got %q", v)
					}
					continue
				}
				wantOneKind(t, err)
			}
		})
	})
}

// replying returns a dialler to a service that knows one answer to a PUT and
// one to a GET, and closes.
func replying(put, get string) func(context.Context, string, string) (net.Conn, error) {
	return func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			r, err := http.ReadRequest(bufio.NewReader(far))
			if err != nil {
				return
			}
			reply := get
			if r.Method == "PUT" {
				reply = put
			}
			far.SetDeadline(time.Now().Add(5 * time.Second))
			far.Write([]byte(reply))
		}()
		return near, nil
	}
}

func wantOneKind(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*imds.Error](err)
	if !ok {
		t.Fatalf("error is %T %v, want *imds.Error", err, err)
	}
	n := 0
	for _, k := range kinds {
		if e.Kind == k {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d kinds: %v", n, err)
	}
	text := err.Error()
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("not fit to be printed: %q", text)
	}
}
